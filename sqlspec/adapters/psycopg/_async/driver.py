"""The primitives of psycopg: raw cursors, so that ``$1`` and every other byte of a statement goes out as it is.

Statements run in autocommit mode; psycopg prepares those that come again by itself. Rows that only are read come from
a server-side cursor, which lives in a transaction; what can't be declared as one (INSERT … RETURNING, SHOW) is read at
once and handed out in chunks.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.wire import AsyncWire
from sqlspec.adapters.psycopg.colours import (
    AsyncConnection,
    AsyncCursor,
    async_interrupt,
    async_unbroken,
)
from sqlspec.adapters.psycopg.faults import ERRORS, is_stale, mark_declared, mark_sent, read_error
from sqlspec.adapters.psycopg.values import ASKED_FOR, changes, describe, fitted, json_writer
from sqlspec.core.facts import ParameterStyle
from sqlspec.dialects.postgres import POSTGRES, refuse_copy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlspec.adapters.psycopg.values import Changes
    from sqlspec.core.facts import ErrorFacts
    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.core.rows import Shape

__all__ = ("PsycopgAsyncDriver", "PsycopgAsyncWire")

_COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_DECLARED = frozenset({"SELECT", "VALUES", "TABLE"})
_numbers = count(1)
_new_cursor: Any = AsyncCursor  # its type takes literal texts only


class PsycopgAsyncWire(AsyncWire[AsyncConnection]):
    """psycopg's primitives.

    Args:
        features: The config's ``driver_features``.
    """

    dialect = POSTGRES
    style = ParameterStyle.DOLLAR
    errors = ERRORS
    streams_need_transaction = True

    def __init__(self, features: Mapping[str, Any]) -> None:
        self._write_json = json_writer(features)

    async def run(self, connection: AsyncConnection, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement."""
        if args:
            (args,) = await self._fitted(connection, plan, sql, (args,))
        refuse_copy(plan)
        cursor = _new_cursor(connection)
        try:
            await cursor.execute(sql, args or None)
        except psycopg.Error as error:
            if isinstance(error, (psycopg.DataError, psycopg.ProgrammingError)):
                plan.learned = None  # what was learned may be of a schema that has changed
            connection.is_stale = is_stale(error)
            if not connection.is_stale or self.in_transaction(connection):
                raise
            await self.command(connection, "ROLLBACK")
            await cursor.execute(sql, args or None)
        affected = cursor.rowcount if plan.verb in _COUNTED else None
        shape = _shape(cursor, plan)
        if shape is None:
            return None, (), affected, None
        rows = await (cursor.fetchall() if limit is None else cursor.fetchmany(limit))
        return (shape if rows or shape.columns else None), rows, affected, None

    async def run_many(self, connection: AsyncConnection, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        """In pipelines, which psycopg ends with a Sync whenever it likes."""
        refuse_copy(plan)
        fitting = await self._fitted(connection, plan, sql, rows)
        cursor = _new_cursor(connection)
        try:
            await async_unbroken(connection, cursor.executemany(sql, fitting))
        except self.errors as error:
            plan.learned = None
            connection.is_stale = isinstance(error, psycopg.Error)
            mark_sent(error)
            raise
        return cursor.rowcount if plan.verb in _COUNTED else None

    async def command(self, connection: AsyncConnection, sql: str) -> str | None:
        """COMMIT of an aborted transaction answers ROLLBACK.

        psycopg forgets all that it prepared at a ROLLBACK, unless it has counted one of the same text before.
        """
        if connection.is_stale and sql.startswith("ROLLBACK"):
            connection.is_stale = False
            sql = f"{sql} -- {next(_numbers)}"
        cursor = _new_cursor(connection)
        await cursor.execute(sql, prepare=False)
        status: str | None = cursor.statusmessage
        return status

    async def open_stream(
        self, connection: AsyncConnection, plan: Plan, sql: str, args: Any, chunk_size: int
    ) -> _Rows | _Read:
        """A cursor on the server, if the statement can be one, and its first rows: they tell the columns."""
        if args:
            (args,) = await self._fitted(connection, plan, sql, (args,))
        refuse_copy(plan)
        cursor = _new_cursor(connection)
        if plan.is_write or plan.verb not in _DECLARED:
            await cursor.execute(sql, args or None)
            return _Read(cursor, _shape(cursor, plan) or plan.learn(()))
        name = f"sqlspec_{next(_numbers)}"
        prefix = f"DECLARE {name} NO SCROLL CURSOR FOR "
        try:
            await cursor.execute(prefix + sql, args or None, prepare=False)
        except psycopg.Error as error:
            mark_declared(error, prefix)
            raise
        await cursor.execute(f"FETCH FORWARD {chunk_size} FROM {name}", prepare=False)
        return _Rows(connection, name, cursor, _shape(cursor, plan) or plan.learn(()))

    def in_transaction(self, connection: AsyncConnection) -> bool:
        """As the protocol says, aborted ones included."""
        return connection.pgconn.transaction_status in _OPEN

    def is_usable(self, connection: AsyncConnection) -> bool:
        """False once it was closed or lost."""
        return not connection.closed

    def interrupt(self, connection: AsyncConnection) -> None:
        """Stop what runs; where the caller is cancelled for that, there is nothing to add."""
        async_interrupt(connection)

    async def recover(self, connection: AsyncConnection) -> None:
        """Stop what still runs, wait for its end, roll back."""
        await connection.settle()
        if self.in_transaction(connection):
            await self.command(connection, "ROLLBACK")

    def read_error(self, error: BaseException) -> ErrorFacts:
        """What psycopg's exception tells."""
        return read_error(error)

    async def _fitted(
        self, connection: AsyncConnection, plan: Plan, sql: str, rows: Sequence[Sequence[Any]]
    ) -> Sequence[Sequence[Any]]:
        """The rows as the statement's parameter types want them; asked for once per plan, and before one is refused."""
        learned: dict[str, Changes] = plan.learned or {}
        known = learned.get(sql)
        if known is not None:
            with suppress(psycopg.DataError):  # tables may have changed
                return [fitted(known, row) for row in rows]
        elif ASKED_FOR.isdisjoint(map(type, chain.from_iterable(rows))):
            return rows
        async with connection.lock:
            oids = await connection.wait(describe(connection.pgconn, sql, rows[0]))
        known = changes(oids, self._write_json)
        plan.learned = {**learned, sql: known}
        return [fitted(known, row) for row in rows]


_OPEN = frozenset({TransactionStatus.ACTIVE, TransactionStatus.INTRANS, TransactionStatus.INERROR})


def _shape(cursor: Any, plan: Plan) -> Shape | None:
    """The columns of the rows; None if the statement gives none."""
    result = cursor.pgresult
    if result is None or result.status != ExecStatus.TUPLES_OK:
        return None
    shape = plan.shape
    if shape is not None and plan.names_are_fixed:
        return shape
    names = tuple([(result.fname(number) or b"").decode() for number in range(result.nfields)])
    return shape if shape is not None and shape.columns == names else plan.learn(names)


class _Rows:
    """A cursor on the server, by its name."""

    __slots__ = ("_connection", "_cursor", "_name", "_opened", "shape")

    def __init__(self, connection: AsyncConnection, name: str, cursor: Any, shape: Shape) -> None:
        self.shape = shape
        self._connection = connection
        self._name = name
        self._cursor = cursor
        self._opened = True

    async def fetch(self, count: int) -> Sequence[Any]:
        """The first are there already."""
        if self._opened:
            self._opened = False
        else:
            await self._cursor.execute(f"FETCH FORWARD {count} FROM {self._name}", prepare=False)
        rows: list[Any] = await self._cursor.fetchall()
        return rows

    async def close(self) -> None:
        """An aborted transaction has closed it."""
        if self._connection.pgconn.transaction_status == TransactionStatus.INTRANS:
            await self._cursor.execute(f"CLOSE {self._name}", prepare=False)


class _Read:
    """Rows that have come at once."""

    __slots__ = ("_cursor", "shape")

    def __init__(self, cursor: Any, shape: Shape) -> None:
        self.shape = shape
        self._cursor = cursor

    async def fetch(self, count: int) -> Sequence[Any]:
        return await self._cursor.fetchmany(count) if self.shape.columns else ()

    async def close(self) -> None:
        """Nothing is open."""


class PsycopgAsyncDriver(AsyncDriverAdapterBase):
    """A session on PostgreSQL by psycopg."""
