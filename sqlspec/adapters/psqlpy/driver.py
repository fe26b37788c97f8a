"""The primitives of psqlpy.

Begins and ends of transactions are plain SQL: psqlpy's own transactions and cursors begin ones of their own. Nothing of
psqlpy tells whether a transaction is open, how many rows a statement changed, or that a COMMIT rolled back. An await
that is cancelled leaves its statement running on the server, and whatever is sent next waits behind it: ``recover``
stops it from a connection beside, and rolls back behind it.
"""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
from psqlpy.exceptions import Error

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.wire import AsyncWire
from sqlspec.adapters.psqlpy.errors import ERRORS, is_lost, is_stale, read_error, server_message
from sqlspec.adapters.psqlpy.rows import RowReader
from sqlspec.adapters.psqlpy.statements import Backend, Prepared, Preparer
from sqlspec.core.facts import ErrorFacts, ParameterStyle
from sqlspec.core.transaction import OpenTransactions
from sqlspec.dialects.postgres import POSTGRES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from psqlpy import Connection, QueryResult

    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.core.rows import Shape

__all__ = ("PsqlpyDriver", "PsqlpyWire")

PIPELINE = 100
"""Rows that are on their way at a time."""
PATIENCE = 0.05
"""Seconds that an interrupted statement has to end by itself, before it is stopped."""

_COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_CURSORS = frozenset({"SELECT", "VALUES", "TABLE"})
_numbers = count(1)


class PsqlpyWire(AsyncWire["Connection"]):
    """psqlpy on a connection to the server itself.

    Args:
        features: ``json_serializer`` and ``json_deserializer``, if the user wants his own.
        signal: Calls a function of the server that takes a process's number, from a connection beside.
    """

    dialect = POSTGRES
    style = ParameterStyle.DOLLAR
    errors = ERRORS
    streams_need_transaction = True
    many_is_atomic = True

    def __init__(self, features: Mapping[str, Any], signal: Callable[[str, int], Awaitable[None]]) -> None:
        self._preparer = Preparer(features.get("json_serializer", _to_json))
        self._reader = RowReader(features.get("json_deserializer"))
        self._signal = signal
        self._open = OpenTransactions()
        self._backends: dict[int, Backend] = {}

    # What is known of connections

    def admit(self, connection: Connection, pid: int) -> None:
        """Know a new connection. Its number may have been another one's that was never closed, and is overwritten."""
        self._backends[id(connection)] = Backend(pid)

    def backend(self, connection: Connection) -> Backend:
        """What is known of the other end."""
        return self._backends[id(connection)]

    def dismiss(self, connection: Connection) -> Backend:
        """Forget a connection."""
        self._open.forget(connection)
        return self._backends.pop(id(connection))

    # Statements

    async def run(self, connection: Connection, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement."""
        if not args and not plan.returns_rows:
            await self._run_bare(connection, plan, sql)
            return None, (), None, None
        prepared, result = await self._execute(connection, sql, args)
        if not plan.returns_rows:
            return None, (), None, None
        shape = plan.shape
        if shape is None or shape.columns != prepared.columns:
            shape = plan.learn(prepared.columns)
        rows = self._reader.read(result, prepared.columns)
        affected = len(rows) if plan.verb in _COUNTED else None
        return (shape if rows or shape.columns else None), rows, affected, None

    async def _run_bare(self, connection: Connection, plan: Plan, sql: str) -> None:
        """Nothing to prepare: DDL, transaction control, statements that the user wrote with their values."""
        try:
            await connection.execute(sql, prepared=False)
        except Error as error:
            self._note_error(connection, error, ends=plan.ends_transaction)
            raise
        if plan.controls_transaction:
            self._open.note(connection, sql)

    async def _execute(self, connection: Connection, sql: str, args: Sequence[Any]) -> tuple[Prepared, QueryResult]:
        async def act(prepared: Prepared) -> QueryResult:
            return await connection.execute(prepared.text, prepared.encode(args))

        return await self._with_prepared(connection, sql, bool(args), act)

    async def _with_prepared(
        self, connection: Connection, sql: str, has_parameters: bool, act: Callable[[Prepared], Awaitable[Any]]
    ) -> tuple[Prepared, Any]:
        """Run a prepared statement; once more, if it no longer fitted the tables and no transaction broke by that."""
        backend = self._backends[id(connection)]
        try:
            prepared = backend.statements.get(sql)
            if prepared is None:
                prepared = await self._preparer.prepare(connection, backend, sql, has_parameters)
            try:
                return prepared, await act(prepared)
            except Error as error:
                if not is_stale(error):
                    raise
                backend.renew()
                if self._open.is_open(connection):
                    raise
            prepared = await self._preparer.prepare(connection, backend, sql, has_parameters)
            return prepared, await act(prepared)
        except Error as error:
            self._note_error(connection, error)
            raise

    def _note_error(self, connection: Connection, error: Error, *, ends: bool = False) -> None:
        """Remember what psqlpy does not: that the connection is gone, that a failed COMMIT ended the transaction."""
        if is_lost(error):
            self._backends[id(connection)].is_lost = True
        elif ends:
            self._open.forget(connection)

    async def run_many(self, connection: Connection, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        """In one transaction, all on their way at once. psqlpy does not count."""

        async def act(prepared: Prepared) -> None:
            encoded = [prepared.encode(row) for row in rows]
            if self._open.is_open(connection):  # psqlpy would begin and commit here, and does not know of ours
                await _pipeline(connection, prepared.text, encoded)
            else:
                await connection.execute_many(prepared.text, encoded)

        await self._with_prepared(connection, sql, bool(rows[0]), act)
        return None

    async def command(self, connection: Connection, sql: str) -> str | None:
        """The driver does not tell the command's tag."""
        try:
            await connection.execute_batch(sql)
        except Error as error:
            self._note_error(connection, error, ends=sql in ("COMMIT", "ROLLBACK"))
            raise
        self._open.note(connection, sql)
        return None

    async def open_stream(
        self, connection: Connection, plan: Plan, sql: str, args: Any, chunk_size: int
    ) -> _Cursor | _Rows:
        """A cursor of the server, where there are such: statements that write give their rows at once."""
        if plan.verb not in _CURSORS or plan.is_write:
            prepared, result = await self._execute(connection, sql, args)
            return _Rows(self._reader.read(result, prepared.columns), plan.learn(prepared.columns))
        name = f"sqlspec_{next(_numbers)}"

        async def act(prepared: Prepared) -> None:
            await connection.execute(
                f"DECLARE {name} NO SCROLL CURSOR FOR {sql}", prepared.encode(args), prepared=False
            )

        prepared, _ = await self._with_prepared(connection, sql, bool(args), act)
        return _Cursor(self, connection, name, plan.learn(prepared.columns))

    async def fetch(self, connection: Connection, name: str, size: int, columns: tuple[str, ...]) -> Sequence[Any]:
        """The next rows of a cursor."""
        try:
            result = await connection.execute(f"FETCH {size} FROM {name}", prepared=False)
        except Error as error:
            self._note_error(connection, error)
            raise
        return self._reader.read(result, columns)

    # Connections

    def in_transaction(self, connection: Connection) -> bool:
        """By what was sent: psqlpy does not tell."""
        return self._open.is_open(connection)

    def is_usable(self, connection: Connection) -> bool:
        """False once an error said that it is closed: psqlpy's ``is_closed()`` is True for a new one."""
        backend = self._backends.get(id(connection))
        return backend is not None and not backend.is_lost

    def interrupt(self, connection: Connection) -> None:
        """The caller is cancelled, which psqlpy does not tell the server: ``recover`` does."""

    async def recover(self, connection: Connection) -> None:
        """Roll back behind whatever runs there; what does not end soon by itself is stopped."""
        backend = self._backends[id(connection)]
        backend.is_busy = True
        try:
            async with asyncio.timeout(PATIENCE):
                await connection.execute_batch("ROLLBACK")
        except TimeoutError:
            await self._signal("pg_cancel_backend", backend.pid)
            await self._roll_back(connection)
        backend.is_busy = False
        self._open.forget(connection)

    async def _roll_back(self, connection: Connection) -> None:
        """Once more if the cancel request met the ROLLBACK itself."""
        try:
            await connection.execute_batch("ROLLBACK")
        except Error as error:
            if read_error(error).sqlstate != "57014":
                raise
            await connection.execute_batch("ROLLBACK")

    def read_error(self, error: BaseException) -> ErrorFacts:
        """What the text of psqlpy's exception tells."""
        return read_error(error)


async def _pipeline(connection: Connection, sql: str, rows: list[Any]) -> None:
    """All are waited for, also when one fails: the first error is the one that tells something."""
    for first in range(0, len(rows), PIPELINE):
        sent = [connection.execute(sql, row) for row in rows[first : first + PIPELINE]]
        for outcome in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome


class _Cursor:
    """An open cursor of the server."""

    __slots__ = ("_connection", "_name", "_wire", "shape")

    def __init__(self, wire: PsqlpyWire, connection: Connection, name: str, shape: Shape) -> None:
        self._wire = wire
        self._connection = connection
        self._name = name
        self.shape = shape

    async def fetch(self, count: int) -> Sequence[Any]:
        return await self._wire.fetch(self._connection, self._name, count, self.shape.columns)

    async def close(self) -> None:
        """In an aborted transaction nothing can be sent, and its end closes the cursor."""
        try:
            await self._wire.command(self._connection, f"CLOSE {self._name}")
        except Error as error:
            told = server_message(error)
            if told is None or read_error(error).sqlstate != "25P02":
                raise


class _Rows:
    """The rows of a statement that no cursor can be declared for."""

    __slots__ = ("_rows", "shape")

    def __init__(self, rows: list[Any], shape: Shape) -> None:
        self._rows = rows
        self.shape = shape

    async def fetch(self, count: int) -> Sequence[Any]:
        rows, self._rows = self._rows[:count], self._rows[count:]
        return rows

    async def close(self) -> None:
        self._rows = []


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


class PsqlpyDriver(AsyncDriverAdapterBase):
    """A session on PostgreSQL by psqlpy."""
