"""GENERATED from sqlspec/_async/pool.py by tools/unasync.py: do not edit. A pool for drivers that have none.

Opens connections when they are wanted, hands out the one that came back last (the warmest), and never more than
``max_size`` at a time. It knows how to make and close connections and nothing else about them: what state they come
back in is settled before.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

from sqlspec.concurrency import SyncPermits
from sqlspec.exceptions import ImproperConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlspec.concurrency import SyncResult

__all__ = ("SyncPool",)

ConnectionT = TypeVar("ConnectionT")


class SyncPool(Generic[ConnectionT]):
    """Connections of one config.

    Args:
        connect: Opens a connection.
        close: Closes one.
        min_size: How many ``open()`` opens.
        max_size: How many there are at most.
        max_lifetime: Seconds after which a connection that comes back is replaced; None for never.
    """

    def __init__(
        self,
        connect: Callable[[], SyncResult[ConnectionT]],
        close: Callable[[ConnectionT], SyncResult[None]],
        *,
        min_size: int,
        max_size: int,
        max_lifetime: float | None = None,
    ) -> None:
        if not 0 <= min_size <= max_size or max_size < 1:
            message = f"A pool needs 0 <= min_size <= max_size and max_size >= 1, not {min_size} and {max_size}."
            raise ImproperConfigurationError(message)
        self.min_size = min_size
        self.max_size = max_size
        self._connect = connect
        self._close = close
        self._max_lifetime = max_lifetime
        self._permits = SyncPermits(max_size)
        self._idle: list[ConnectionT] = []
        self._born: dict[int, float] = {}
        self._closed = False
        self.connecting = 0
        """How many connections are being opened."""

    @property
    def size(self) -> int:
        """How many connections are open, in use or idle."""
        return len(self._born)

    @property
    def idle(self) -> int:
        """How many wait to be used."""
        return len(self._idle)

    def open(self) -> None:
        """Open ``min_size`` connections."""
        while self.size < self.min_size:
            self._idle.append(self._make())

    def acquire(self, timeout: float | None) -> ConnectionT:
        """A connection that nobody else has. TimeoutError if none became free in ``timeout`` seconds."""
        if not self._permits.acquire(timeout):
            raise TimeoutError
        try:
            return self._idle.pop()
        except IndexError:
            pass
        try:
            return self._make()
        except BaseException:
            self._permits.release()
            raise

    def release(self, connection: ConnectionT) -> None:
        """Take a clean connection back."""
        if self._closed or self._is_old(connection):
            self.discard(connection)
            return
        self._idle.append(connection)
        self._permits.release()

    def discard(self, connection: ConnectionT) -> None:
        """Close a connection instead of keeping it."""
        self._born.pop(id(connection), None)
        self._permits.release()
        self._close(connection)

    def close(self) -> None:
        """Close the idle connections, and every other one when it comes back."""
        self._closed = True
        errors: list[Exception] = []
        while self._idle:
            connection = self._idle.pop()
            self._born.pop(id(connection), None)
            try:
                self._close(connection)
            except Exception as error:  # noqa: BLE001 (all are closed before any is reported)
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            message = "closing connections failed"
            raise ExceptionGroup(message, errors)

    def _make(self) -> ConnectionT:
        self.connecting += 1
        try:
            connection = self._connect()
        finally:
            self.connecting -= 1
        self._born[id(connection)] = time.monotonic()
        return connection

    def _is_old(self, connection: ConnectionT) -> bool:
        if self._max_lifetime is None:
            return False
        return time.monotonic() - self._born.get(id(connection), 0.0) > self._max_lifetime

    def __repr__(self) -> str:
        return f"<{type(self).__name__} open={self.size} idle={self.idle} max={self.max_size}>"
