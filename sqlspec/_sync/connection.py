"""GENERATED from sqlspec/_async/connection.py by tools/unasync.py: do not edit. The life of a connection: acquired, settled, released; or interrupted and never trusted again.

    pool -> IDLE --statement--> BUSY --answer--> IDLE ... --release--> SETTLING -> pool
                                 |  interrupted (cancelled, timed out, broken)         ^   | failed or past its deadline
                                 +-----------------------------------------------------+   +--> closed, never reused

One ``SyncConnections`` is the pool of one config in one home (a running event loop; for the sync twin, the process),
with a ledger of who holds what. On release the connection itself is asked whether a transaction is open, not our
belief. It knows no session and no statement.
"""

from __future__ import annotations

import inspect
import os
import time
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlspec.concurrency import SyncBackground, SyncLock, SyncTimeLimit
from sqlspec.exceptions import ConnectionFailedError, PoolTimeoutError
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from sqlspec._sync.config import SyncDatabaseConfig

__all__ = ("SETTLE_DEADLINE", "SyncCheckout", "SyncConnections", "caller")

SETTLE_DEADLINE = 2.0
"""Seconds that an interrupted connection has to come back to rest before it is closed."""

_logger = get_logger("pool")
_HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # frames in here are not the user's


class SyncCheckout:
    """One connection out of the pool: a line in the ledger.

    Attributes:
        connection: The driver's own object.
        since: When it was taken, in the monotonic clock's seconds.
        where: File and line that asked for it.
        statement: The last statement that was sent through it.
        abandoned: It was interrupted: nobody but the one who settles it touches the connection any more.
    """

    __slots__ = ("abandoned", "connection", "since", "statement", "where")

    def __init__(self, connection: Any, where: str) -> None:
        self.connection = connection
        self.where = where
        self.since = time.monotonic()
        self.statement: str | None = None
        self.abandoned = False

    def describe(self) -> str:
        """For the list of holders in a PoolTimeoutError."""
        seconds = time.monotonic() - self.since
        last = "nothing yet" if self.statement is None else " ".join(self.statement.split())[:120]
        return f"{self.where}, for {seconds:.1f} s, last statement: {last}"


class SyncConnections:
    """The pool of one config in one home, opened on first use."""

    def __init__(self, config: SyncDatabaseConfig[Any, Any, Any], home: Any) -> None:
        self.home = home
        self.process = os.getpid()
        self.pool = config.make_pool()
        self.closed = False
        self._config = config
        self._wire = config.wire
        self._faults: tuple[type[BaseException], ...] = (*config.wire.errors, OSError)
        self._opened = False
        self._opening = SyncLock()
        self._ledger: set[SyncCheckout] = set()
        self._settling = SyncBackground()

    @property
    def holders(self) -> list[SyncCheckout]:
        """Who has a connection now, the longest first."""
        return sorted(self._ledger, key=lambda checkout: checkout.since)

    def open(self) -> None:
        """Open the pool with its ``min_size`` connections, once however many ask for it."""
        if not self._opened:
            with self._opening:
                self._open_once()

    def _open_once(self) -> None:
        if self._opened:
            return
        try:
            self._config.open_pool(self.pool)
        except self._faults as error:
            self.pool = self._config.renew_pool(self.pool)
            raise self._refused(error) from error
        except BaseException:
            self.pool = self._config.renew_pool(self.pool)
            raise
        self._opened = True

    def close(self) -> None:
        """Wait for connections that are still being settled, then close the pool. Repeatable."""
        if self.closed:
            return
        self.closed = True
        self._settling.wait()
        if self._opened:
            self._config.close_pool(self.pool)

    def abandon(self) -> None:
        """Forget the pool without touching its connections: its loop is closed, or another process owns them."""
        self.closed = True

    # Taking a connection

    def acquire(self) -> SyncCheckout:
        """Take a connection.

        Raises:
            PoolTimeoutError: None became free in ``acquire_timeout`` seconds.
            ConnectionFailedError: The database could not be reached, or refused.
        """
        self.open()
        limit = self._config.acquire_timeout
        try:
            connection = self._config.take(self.pool, limit)
        except TimeoutError as error:
            raise PoolTimeoutError(self._exhausted(limit)) from error
        except self._faults as error:
            raise self._refused(error) from error
        checkout = SyncCheckout(connection, caller())
        self._ledger.add(checkout)
        return checkout

    def _exhausted(self, limit: float | None) -> str:
        holders = "".join(f"\n  - {checkout.describe()}" for checkout in self.holders) or " none"
        return (
            f"No connection of {self._config!r} became free in {limit:g} s. Raise max_size, hold connections for a "
            f"shorter time, or raise acquire_timeout. Holders:{holders}"
        )

    def _refused(self, error: BaseException) -> ConnectionFailedError:
        facts = self._wire.read_error(error)
        message = f"Could not connect to {self._config.target}: {self._config.redact(facts.message)}"
        return ConnectionFailedError(message, code=facts.code, sqlstate=facts.sqlstate)

    # Giving it back

    def release(self, checkout: SyncCheckout) -> None:
        """Roll back what is open, and hand the connection back. Interrupted, it goes on in the background.

        Never raises for a connection that could not be settled: it is closed then, and the next user gets another.
        """
        connection = checkout.connection
        if checkout.abandoned:
            return
        try:
            if not self._wire.is_usable(connection):
                self._close(checkout)
                return
            if self._wire.in_transaction(connection):
                self._wire.command(connection, "ROLLBACK")
            self._hand_back(checkout)
        except Exception as error:  # noqa: BLE001 (whatever it was, this connection is not to be trusted)
            _logger.warning("a connection could not be settled and is closed: %s", self._config.redact(str(error)))
            self.abandon_checkout(checkout)
        except BaseException:
            self.abandon_checkout(checkout)
            raise

    def abandon_checkout(self, checkout: SyncCheckout) -> None:
        """Settle an interrupted connection where cancellation can't reach. Returns at once."""
        if checkout in self._ledger and not checkout.abandoned:
            checkout.abandoned = True
            self._settling.start(self._settle(checkout))

    def _settle(self, checkout: SyncCheckout) -> None:
        connection = checkout.connection
        try:
            with SyncTimeLimit(SETTLE_DEADLINE, partial(self._wire.interrupt, connection)):
                if self._wire.is_usable(connection):
                    self._wire.recover(connection)
                if self._wire.is_usable(connection):
                    self._hand_back(checkout)
        except BaseException as error:  # noqa: BLE001 (also when the loop shuts down: nothing may be left behind)
            _logger.warning("an interrupted connection did not come to rest and is closed: %r", type(error))
        if checkout in self._ledger:
            self._close(checkout)

    def _hand_back(self, checkout: SyncCheckout) -> None:
        self._forget(checkout)  # first: once the pool has begun to take it back, even a cancellation leaves it there
        self._config.give(self.pool, checkout.connection)

    def _close(self, checkout: SyncCheckout) -> None:
        self._forget(checkout)
        try:
            self._config.discard(self.pool, checkout.connection)
        except self._faults as error:
            _logger.debug("closing a broken connection: %r", type(error))

    def discard(self, checkout: SyncCheckout) -> None:
        """Close a connection that is known to be dead."""
        self._close(checkout)

    def _forget(self, checkout: SyncCheckout) -> None:
        self._ledger.discard(checkout)
        threshold = self._config.leak_threshold
        if threshold is not None and time.monotonic() - checkout.since > threshold:
            _logger.warning("a connection was held longer than leak_threshold=%g s: %s", threshold, checkout.describe())

    def __del__(self) -> None:
        if getattr(self, "_opened", False) and not self.closed and self.process == os.getpid():
            message = f"The pool of {self._config!r} was never closed: call close_pool() or close_all_pools()."
            warnings.warn(message, ResourceWarning, stacklevel=2, source=self)


def caller() -> str:
    """File and line of the nearest frame that is not ours."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_HOME):
        frame = frame.f_back
    return "(unknown)" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno}"
