"""The primitives of aiosqlite: each is one job handed to the connection's thread, conversion of rows aside.

The jobs are the sqlite adapter's functions. A job whose caller was cancelled before it began does nothing.
"""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import aiosqlite

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.wire import AsyncWire
from sqlspec.adapters.sqlite import driver as sqlite
from sqlspec.core.facts import ErrorFacts, ParameterStyle
from sqlspec.dialects.sqlite import SQLITE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.core.rows import Shape

__all__ = ("AiosqliteDriver", "AiosqliteWire", "connect")

T = TypeVar("T")

_raw: WeakKeyDictionary[aiosqlite.Connection, sqlite3.Connection] = WeakKeyDictionary()


class _Connection(aiosqlite.Connection):
    """A forgotten one stops its thread, and leaves the one warning to its pool."""

    def __del__(self) -> None:
        self.stop()  # pyright: ignore[reportUnknownMemberType]


def _work(run: Callable[[], None]) -> None:
    """What its thread runs. A loop that was closed meanwhile has nobody left who waits for the answer."""
    try:
        run()
    except RuntimeError as error:
        if str(error) != "Event loop is closed":
            raise


async def connect(opener: Callable[[], sqlite3.Connection]) -> aiosqlite.Connection:
    """Open a connection, whose thread never keeps the process alive."""
    opened: list[sqlite3.Connection] = []
    called_off = False

    def connector() -> sqlite3.Connection:
        opened.append(opener())
        if called_off:
            opened[0].close()
        return opened[0]

    connection = _Connection(connector, iter_chunk_size=64)
    # aiosqlite 0.22 keeps the thread in a private attribute, before it was the thread; neither is a daemon by itself.
    thread: Any = getattr(connection, "_thread", connection)
    thread.daemon = True
    thread.run = partial(_work, thread.run)
    try:
        await connection
    except BaseException:
        called_off = True  # aiosqlite stops its thread, and would forget what that has opened or still opens
        for raw in opened:
            raw.close()
        raise
    _raw[connection] = opened[0]
    return connection


async def _in_thread(connection: aiosqlite.Connection, job: Callable[..., T], *args: Any) -> T:
    """One hop: aiosqlite's own methods would take one for each of execute, fetch and close."""
    call = _Job(job, args)
    try:
        execute: Any = getattr(connection, "_execute")  # noqa: B009 (private, and there is no public way)
        result: T = await execute(call)
    except asyncio.CancelledError:
        call.cancelled = True
        raise
    return result


class _Job:
    """A call that can be called off until it begins."""

    __slots__ = ("args", "cancelled", "job")

    def __init__(self, job: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.job = job
        self.args = args
        self.cancelled = False

    def __call__(self) -> Any:
        return None if self.cancelled else self.job(*self.args)


def _command(connection: sqlite3.Connection, sql: str) -> None:
    connection.execute(sql).close()


class _Rows:
    """An open cursor, read in its connection's thread."""

    __slots__ = ("_connection", "_rows")

    def __init__(self, connection: aiosqlite.Connection, rows: sqlite.Rows) -> None:
        self._connection = connection
        self._rows = rows

    @property
    def shape(self) -> Shape:
        return self._rows.shape

    async def fetch(self, count: int) -> Sequence[Any]:
        return await _in_thread(self._connection, self._rows.fetch, count)

    async def close(self) -> None:
        await _in_thread(self._connection, self._rows.close)


class AiosqliteWire(AsyncWire[aiosqlite.Connection]):
    """sqlite3 in a thread."""

    dialect = SQLITE
    style = ParameterStyle.QMARK
    errors = (*sqlite.ERRORS, ValueError)  # ValueError is how aiosqlite says "no active connection"

    async def run(self, connection: aiosqlite.Connection, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement."""
        return await _in_thread(connection, sqlite.run, _raw[connection], plan, sql, args, limit)

    async def run_many(self, connection: aiosqlite.Connection, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        """Run one statement for every row."""
        return await _in_thread(connection, sqlite.run_many, _raw[connection], plan, sql, rows)

    async def command(self, connection: aiosqlite.Connection, sql: str) -> str | None:
        """SQLite tells no command tag."""
        await _in_thread(connection, _command, _raw[connection], sql)
        return None

    async def open_stream(
        self, connection: aiosqlite.Connection, plan: Plan, sql: str, args: Any, chunk_size: int
    ) -> _Rows:
        """SQLite computes rows as they are fetched."""
        return _Rows(connection, await _in_thread(connection, sqlite.Rows, _raw[connection], plan, sql, args))

    def in_transaction(self, connection: aiosqlite.Connection) -> bool:
        """SQLite's own autocommit flag, read without a hop."""
        return _raw[connection].in_transaction

    def is_usable(self, connection: aiosqlite.Connection) -> bool:
        """False once it was closed."""
        return sqlite.is_usable(_raw[connection])

    def interrupt(self, connection: aiosqlite.Connection) -> None:
        """May be called from another thread."""
        _raw[connection].interrupt()

    async def recover(self, connection: aiosqlite.Connection) -> None:
        """Interrupt until the thread has come to the rollback: what was cancelled may begin after the first call."""
        self.interrupt(connection)
        barrier = asyncio.ensure_future(_in_thread(connection, sqlite.recover, _raw[connection]))
        while not (await asyncio.wait((barrier,), timeout=0.1))[0]:
            self.interrupt(connection)
        await barrier

    def read_error(self, error: BaseException) -> ErrorFacts:
        """What sqlite3's exception tells."""
        return sqlite.read_error(error)


class AiosqliteDriver(AsyncDriverAdapterBase):
    """A session on SQLite by aiosqlite."""
