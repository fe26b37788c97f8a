"""The primitives of asyncpg.

Statements keep their text, so that asyncpg's own statement cache serves them. Column names come from the first record;
a result without rows costs one prepare to learn them: once per plan, or each time if they depend on the tables (``*``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import asyncpg

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.wire import AsyncWire
from sqlspec.core.facts import ErrorFacts, ParameterStyle
from sqlspec.dialects.postgres import POSTGRES, without_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg.cursor import Cursor
    from asyncpg.pool import PoolConnectionProxy

    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.core.rows import Shape

    Connection = PoolConnectionProxy[asyncpg.Record]

__all__ = ("AsyncpgDriver", "AsyncpgWire", "PooledAsyncpgWire")

_COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_ARGUMENT = re.compile(
    r"invalid input for query argument (\$\d+)\b.*?"
    r"(?: \((expected [\w. ]+, got '?\w+'?|value out of \w+ range|'\w+' object [\w' ]+|must be [\w ]+, not \w+|"
    r"an? [\w -]+ (?:expected|required)(?: \(got type '?\w+'?\)|, not '\w+')|"
    r"can't \w+ offset-naive and offset-aware datetimes)\))?",
    re.DOTALL,
)
"""A value that asyncpg can't encode: its place, and the reason where that is one of those that never show the value."""


class AsyncpgWire(AsyncWire["Connection"]):
    """asyncpg on a connection to the server itself."""

    dialect = POSTGRES
    style = ParameterStyle.DOLLAR
    errors = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, ConnectionError, TimeoutError)
    streams_need_transaction = True
    many_is_atomic = True

    async def run(self, connection: Connection, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement."""
        if not plan.returns_rows:
            status = await connection.execute(sql, *args)
            return None, (), _count(status) if plan.verb in _COUNTED else None, None
        records: list[Any] = await connection.fetch(sql, *args)
        affected = len(records) if plan.verb in _COUNTED else None
        shape = plan.shape
        if shape is None or not plan.names_are_fixed:
            columns = tuple(records[0].keys()) if records else await _columns(connection, sql)
            if shape is None or shape.columns != columns:
                shape = plan.learn(columns)
        return (shape if records or shape.columns else None), records, affected, None

    async def run_many(self, connection: Connection, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        """Asyncpg sends all in one implicit transaction, and does not count."""
        await connection.executemany(sql, rows)
        return None

    async def command(self, connection: Connection, sql: str) -> str | None:
        """COMMIT of an aborted transaction answers ROLLBACK."""
        return await connection.execute(sql)

    async def open_stream(self, connection: Connection, plan: Plan, sql: str, args: Any, chunk_size: int) -> _Rows:
        """A portal, which lives until its transaction ends."""
        statement = await connection.prepare(sql)
        shape = plan.learn(tuple([attribute.name for attribute in statement.get_attributes()]))
        return _Rows(await statement.cursor(*args), shape)

    def in_transaction(self, connection: Connection) -> bool:
        """As the protocol says, aborted ones included."""
        try:
            return connection.is_in_transaction()
        except asyncpg.InterfaceError:  # asyncpg took it out of our hands when the socket closed
            return False

    def is_usable(self, connection: Connection) -> bool:
        """False once the socket is closed."""
        try:
            return not connection.is_closed()
        except asyncpg.InterfaceError:  # asyncpg took it out of our hands when the socket closed
            return False

    def interrupt(self, connection: Connection) -> None:
        """Asyncpg cancels on the server when its caller is cancelled; there is nothing to add."""

    async def recover(self, connection: Connection) -> None:
        """Asyncpg waits for its own cancel request before the next statement; a ROLLBACK too many is harmless."""
        await connection.execute("ROLLBACK")

    def read_error(self, error: BaseException) -> ErrorFacts:
        """What asyncpg's exception tells, without its DETAIL: that shows values."""
        if isinstance(error, asyncpg.DataError) and (found := _ARGUMENT.fullmatch(str(error))):
            reason = f": {found[2]}" if found[2] else ""
            in_many = " of executemany() sequence" in str(error)  # other rows may have been sent before
            message = f"the value of {found[1]} does not fit{reason}"
            return ErrorFacts(message, code="22000", sqlstate="22000", from_client=not in_many)
        if isinstance(error, asyncpg.PostgresError):
            return _read_postgres_error(error)
        if isinstance(error, TimeoutError):
            return ErrorFacts("asyncpg's own command_timeout was reached", sqlstate="57014")
        if isinstance(error, OSError):
            return ErrorFacts(str(error), sqlstate="08006")
        return ErrorFacts(str(error))


class PooledAsyncpgWire(AsyncpgWire):
    """asyncpg behind a pooler in transaction mode: a single statement's parse and execute must meet one server."""

    many_is_atomic = False

    async def run(self, connection: Connection, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement, in a transaction of its own if there is none (VACUUM and the like can't be in one)."""
        if connection.is_in_transaction() or not (plan.returns_rows or plan.verb in _COUNTED):
            return await super().run(connection, plan, sql, args, limit)
        async with connection.transaction():
            return await super().run(connection, plan, sql, args, limit)


def _read_postgres_error(error: asyncpg.PostgresError) -> ErrorFacts:
    told = error.as_dict()
    position = told.get("position")
    return ErrorFacts(
        message=without_values(str(told.get("message") or error.args[0]), error.sqlstate),
        code=error.sqlstate,
        sqlstate=error.sqlstate,
        constraint=told.get("constraint_name"),
        table=told.get("table_name"),
        column=told.get("column_name"),
        position=int(position) - 1 if position else None,
    )


class _Rows:
    """An open portal."""

    __slots__ = ("_cursor", "shape")

    def __init__(self, cursor: Cursor[asyncpg.Record], shape: Shape) -> None:
        self._cursor = cursor
        self.shape = shape

    async def fetch(self, count: int) -> Sequence[Any]:
        return await self._cursor.fetch(count)

    async def close(self) -> None:
        """The end of the transaction closes it."""


async def _columns(connection: Connection, sql: str) -> tuple[str, ...]:
    statement = await connection.prepare(sql)
    return tuple([attribute.name for attribute in statement.get_attributes()])


def _count(status: str) -> int | None:
    """``INSERT 0 5`` -> 5."""
    number = status.rpartition(" ")[2]
    return int(number) if number.isdigit() else None


class AsyncpgDriver(AsyncDriverAdapterBase):
    """A session on PostgreSQL by asyncpg."""
