"""psycopg's own classes, in pairs: connections that can be interrupted without making anybody wait, and cursors.

psycopg's async connection, when its caller is cancelled, cancels the statement on the server and waits for the end of
it: up to ten seconds on a dead network; and inside a cancelled anyio scope, where that wait is cancelled too, it closes
the connection without telling the server. Ours goes at once and keeps what was interrupted; ``settle()`` ends it, in
the background. Another task that is in a statement then is told at once, too: what it left is ended in the same way.
A sync connection is never interrupted: its statement is cancelled on the server, by another thread.
"""

from __future__ import annotations

import asyncio
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg import AsyncRawCursor, RawCursor
from psycopg.pq import ConnStatus, TransactionStatus
from psycopg.waiting import READY_R, READY_W, WAIT_R, WAIT_W

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from psycopg.abc import PQGen
    from psycopg.adapt import AdaptersMap
    from psycopg.pq.abc import PGconn

__all__ = (
    "AsyncConnection",
    "AsyncCursor",
    "SyncConnection",
    "SyncCursor",
    "async_adapter",
    "async_interrupt",
    "async_unbroken",
    "sync_adapter",
    "sync_interrupt",
    "sync_unbroken",
)

T = TypeVar("T")
Row = tuple[Any, ...]

async_adapter = "psycopg"
sync_adapter = "psycopg_sync"

SENT_AWAY = "the statement was stopped: another task has ended its session"
_MOMENT = 0.1
CANCEL_LIMIT = 1.5
"""Seconds that a cancel request may take; who settles a connection has two for all of it."""


class AsyncConnection(psycopg.AsyncConnection[Row]):
    """A connection whose caller may be cancelled.

    Attributes:
        for_statements: How values go and come in our statements; users who take the connection have psycopg's own way.
        is_stale: What psycopg prepared on it does not fit the tables any more.
    """

    for_statements: AdaptersMap
    is_stale = False
    _left: PQGen[Any] | None = None
    _attempt: asyncio.Future[Any] | None = None
    _waiting: tuple[asyncio.Future[Any], int] | None = None

    async def wait(self, gen: PQGen[T], *args: Any, **kwargs: Any) -> T:
        """Run a part of the protocol; cancelled or sent away, leave it as it is."""
        if self.pgconn.pipeline_status or args or kwargs:  # it has more to say at its end, or looks at the clock
            return await super().wait(gen, *args, **kwargs)
        try:
            return await self._run(gen)
        except (asyncio.CancelledError, _SentAwayError):
            self._left = gen
            raise

    async def _run(self, gen: PQGen[T]) -> T:
        """Run a part of the protocol.

        That of psycopg 3.2 awaits ``asyncio.wait_for``, in which Python 3.11 loses a cancellation now and then.
        """
        loop = asyncio.get_running_loop()
        socket = self.pgconn.socket
        try:
            wanted = next(gen)
            while True:
                arrived: asyncio.Future[Any] = loop.create_future()
                waiting = self._waiting = arrived, socket
                try:
                    if wanted & WAIT_R:
                        loop.add_reader(socket, _arrive, arrived, READY_R)
                    if wanted & WAIT_W:
                        loop.add_writer(socket, _arrive, arrived, READY_W)
                    ready = await arrived
                finally:
                    was_sent_away = self._waiting is not waiting
                    if not was_sent_away:
                        self._stop_waiting()
                if was_sent_away:
                    raise _SentAwayError(SENT_AWAY)
                wanted = gen.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result
        except OSError as error:
            raise psycopg.OperationalError("the socket was closed") from error

    def _stop_waiting(self) -> None:
        """Watch the socket no more: once it is closed, its number is that of another. Who still waits is sent away."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            arrived, socket = waiting
            loop = arrived.get_loop()
            loop.remove_reader(socket)
            loop.remove_writer(socket)
            _arrive(arrived, None)

    def enter(self, attempt: asyncio.Future[Any]) -> None:
        """Something begins on this connection that ``settle()`` has to end if nobody waits for its end."""
        self._attempt = attempt
        attempt.add_done_callback(self._ended)

    def _ended(self, attempt: asyncio.Future[Any]) -> None:
        self._attempt = None
        if not attempt.cancelled():
            attempt.exception()  # heard

    async def settle(self) -> None:
        """Stop on the server what was interrupted, or what another task is at, and wait for its end."""
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait((self._attempt,))
        self._stop_waiting()
        async with self.lock:  # the other task is gone then: between its statements it never lets go of that
            left, self._left = self._left, None
            if left is not None and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                await self.cancel_safe(timeout=CANCEL_LIMIT)
                with suppress(psycopg.Error):
                    await self._run(left)

    async def close(self) -> None:
        """Close at once; who waits on the socket is told."""
        self._stop_waiting()
        await super().close()

    async def hang_up(self) -> None:
        """Close at once; what still runs on this connection sees that and lets go of the socket."""
        self._left, attempt = None, self._attempt
        if attempt is not None:
            attempt.cancel()
            await asyncio.wait((attempt,), timeout=_MOMENT)
        await self.close()
        if attempt is not None and not attempt.done():
            await asyncio.wait((attempt,), timeout=2 * _MOMENT)

    def is_alive(self) -> bool:
        """False once the server has ended it, while nobody used it."""
        return _is_alive(self.pgconn)

    def __del__(self, *_: Any) -> None:
        """A pool that was left open is told of once, and not by every connection."""


class SyncConnection(psycopg.Connection[Row]):
    """A connection whose statements are cancelled by another thread.

    Attributes:
        for_statements: How values go and come in our statements; users who take the connection have psycopg's own way.
        is_stale: What psycopg prepared on it does not fit the tables any more.
    """

    for_statements: AdaptersMap
    is_stale = False

    def settle(self) -> None:
        """Nothing runs: the thread that would wait for it is here."""

    def hang_up(self) -> None:
        """Close at once."""
        self.close()

    def is_alive(self) -> bool:
        """False once the server has ended it, while nobody used it."""
        return _is_alive(self.pgconn)

    def __del__(self, *_: Any) -> None:
        """A pool that was left open is told of once, and not by every connection."""


class AsyncCursor(AsyncRawCursor[Row]):
    """A cursor for our statements."""

    @property
    def adapters(self) -> AdaptersMap:
        """Ours."""
        connection: Any = self.connection
        ours: AdaptersMap = connection.for_statements
        return ours


class SyncCursor(RawCursor[Row]):
    """A cursor for our statements."""

    @property
    def adapters(self) -> AdaptersMap:
        """Ours."""
        connection: Any = self.connection
        ours: AdaptersMap = connection.for_statements
        return ours


class _SentAwayError(psycopg.OperationalError):
    """What a task was at goes on without it."""


def _arrive(future: asyncio.Future[Any], ready: Any) -> None:
    if not future.done():
        future.set_result(ready)


def _is_alive(pgconn: PGconn) -> bool:
    """What a server says to an idle connection is its goodbye, or news of a setting: rare, and taken for one."""
    if pgconn.status != ConnStatus.OK:
        return False
    if sys.platform == "win32":
        return not select.select([pgconn.socket], [], [], 0)[0]
    watch = select.poll()  # select() takes no number above 1023
    watch.register(pgconn.socket, select.POLLIN)
    return not watch.poll(0)


async def async_unbroken(connection: AsyncConnection, work: Coroutine[Any, Any, T]) -> T:
    """Await what can't be left in the middle: cancelled, the caller goes, and ``settle()`` ends it."""
    attempt = asyncio.ensure_future(work)
    connection.enter(attempt)
    try:
        return await asyncio.shield(attempt)
    except asyncio.CancelledError as error:
        caller = asyncio.current_task()
        if attempt.cancelled() and caller is not None and not caller.cancelling():  # not we are: settle() was at it
            raise _SentAwayError(SENT_AWAY) from error
        raise


def sync_unbroken(connection: SyncConnection, work: T) -> T:
    """It was done when the argument was made."""
    return work


def async_interrupt(connection: AsyncConnection) -> None:
    """Its caller is cancelled, and ``settle()`` does the rest."""


def sync_interrupt(connection: SyncConnection) -> None:
    """Cancel on the server what runs, from another thread."""
    with suppress(psycopg.Error):  # there is nothing to be cancelled any more, or the server is gone
        connection.cancel_safe(timeout=CANCEL_LIMIT)
