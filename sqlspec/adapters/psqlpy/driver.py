"""The primitives of psqlpy.

Begins and ends of transactions are plain SQL: psqlpy's own transactions and cursors begin ones of their own. Nothing of
psqlpy tells whether a transaction is open, how many rows a statement changed, or that a COMMIT rolled back. An await
that is cancelled leaves its statement running on the server, and whatever is sent next waits behind it: ``recover``
stops it from a connection beside, and rolls back behind it.

psqlpy prepares a statement on its first use in a connection and keeps it for ever. It tells the columns, and not the
types of the parameters: the server is asked for them, once per statement and connection. psqlpy's own writing of values
is not used, for it goes by their classes too: a Decimal for a bigint column is stored as another number, an int for a
numeric one is refused, a text for a text[] column ends the connection.
"""

from __future__ import annotations

import asyncio
import re
from itertools import count, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from psqlpy.exceptions import Error
from psqlpy.extra_types import CustomType

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.wire import AsyncWire
from sqlspec.adapters.psqlpy.values import read_rows
from sqlspec.core.facts import ErrorFacts, ParameterStyle
from sqlspec.core.transaction import OpenTransactions
from sqlspec.dialects.postgres import POSTGRES
from sqlspec.dialects.postgres_binary import PARAMETER_TYPES, Formats, MisfitError, Parameters
from sqlspec.dialects.postgres_messages import read_report
from sqlspec.exceptions import ConnectionLostError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType

    from psqlpy import Connection, QueryResult

    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.core.rows import Shape

    Send = Callable[["Prepared"], Awaitable[Any]]

__all__ = ("Backend", "PsqlpyDriver", "PsqlpyWire")

PIPELINE = 100
"""Rows that are on their way at a time."""

_COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_CURSORS = frozenset({"SELECT", "VALUES", "TABLE"})
_STALE = frozenset({"0A000", "26000"})
"""A prepared statement no longer fits the tables, or is gone: nothing has run."""

_OWN_PLACEHOLDER = re.compile(r"\$\([^)]*\)p")
_SERVER = re.compile(r"db error: (.*)", re.DOTALL)
_LOST = re.compile(r"connection closed|communicating with the server|unexpected message from|returned to the pool")
_SENT_AWAY = "the statement was stopped: another task has ended its session"
_numbers = count(1)


class Prepared(NamedTuple):
    """A statement in one connection.

    Attributes:
        text: As psqlpy knows it.
        columns: Of its rows.
        parameters: What writes its values.
    """

    text: str
    columns: tuple[str, ...]
    parameters: Parameters

    def arguments(self, values: Sequence[Any]) -> list[CustomType | None]:
        """The values as psqlpy takes them to the server unchanged."""
        return [None if data is None else CustomType(data) for data in self.parameters.write(values)]


class Backend:
    """What is known of the other end of a connection, which psqlpy does not tell.

    Attributes:
        pid: The process that serves it.
        user: The task that is in a statement.
        statements: What is prepared there, by the text as it was wanted.
        kept: How many were ever: psqlpy forgets none.
        renewals: How often they were prepared anew; a blank behind the text for each makes psqlpy take a new one.
        is_lost: It is known to be gone.

    As a context it is in use by the running task, from the first step of a statement to the last.
    """

    __slots__ = ("is_lost", "kept", "pid", "renewals", "statements", "user")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.user: asyncio.Task[Any] | None = None
        self.statements: dict[str, Prepared] = {}
        self.kept = self.renewals = 0
        self.is_lost = False

    def __enter__(self) -> None:
        self.user = asyncio.current_task()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Who was sent away is told so, unless he is cancelled anyway."""
        user = asyncio.current_task()
        if self.user is user:
            self.user = None
        elif user is not None and user.uncancel() == 0 and kind is asyncio.CancelledError:
            raise ConnectionAbortedError(_SENT_AWAY) from error

    def send_away(self) -> None:
        """Whoever is in a statement leaves it and takes no further step: psqlpy might wait for its answer for ever."""
        user, self.user = self.user, None
        if user is not None:
            user.cancel()


class PsqlpyWire(AsyncWire["Connection"]):
    """psqlpy on a connection to the server itself.

    Args:
        features: ``json_serializer`` and ``json_deserializer``, if the user wants his own.
        cancel: Stops what a process of the server runs, from a connection beside.

    Attributes:
        backends: By the numbers of their connections.
        transactions: Those that are open.
        formats: What values are written and read with.
    """

    dialect = POSTGRES
    style = ParameterStyle.DOLLAR
    errors = (Error, MisfitError, ConnectionError, TimeoutError)
    streams_need_transaction = True
    many_is_atomic = True

    def __init__(self, features: Mapping[str, Any], cancel: Callable[[int], Awaitable[None]]) -> None:
        self.backends: dict[int, Backend] = {}
        self.formats = Formats(features)
        self._cancel = cancel
        self.transactions = OpenTransactions()

    # Statements

    async def run(self, connection: Connection, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement. What has neither rows nor values needs no preparing."""
        if not plan.returns_rows:
            await (self._execute(connection, sql, args) if args else self.bare(connection, sql))
            return None, (), None, None
        rows, columns = await self._execute(connection, sql, args)
        shape = plan.shape
        if shape is None or shape.columns != columns:
            shape = plan.learn(columns)
        affected = len(rows) if plan.verb in _COUNTED else None
        return (shape if rows or columns else None), rows, affected, None

    async def command(self, connection: Connection, sql: str) -> str | None:
        """The driver does not tell the command's tag."""
        await self.bare(connection, sql)
        return None

    async def bare(self, connection: Connection, sql: str) -> QueryResult:
        """Run a statement that is not kept prepared, and note what it did to the transaction."""
        was_open = self.transactions.is_open(connection)
        try:
            with self.backends[id(connection)]:
                result = await connection.execute(sql, prepared=False)
        except Error as error:
            self._note_error(connection, error)
            if was_open:  # also a COMMIT that fails ends it
                self.transactions.note(connection, sql)
            raise
        self.transactions.note(connection, sql)
        return result

    async def _execute(self, connection: Connection, sql: str, args: Sequence[Any]) -> tuple[Any, tuple[str, ...]]:
        async def send(prepared: Prepared) -> Any:
            result = await connection.execute(prepared.text, prepared.arguments(args))
            return read_rows(result, prepared.columns, self.formats)

        return await self._send(connection, sql, args, send)

    async def _send(
        self, connection: Connection, sql: str, args: Any, send: Send, *, may_renew: bool = True
    ) -> tuple[Any, tuple[str, ...]]:
        """Prepared; once more, if that no longer fitted the tables and no transaction broke by it."""
        backend = self.backends[id(connection)]
        try:
            with backend:
                prepared = backend.statements.get(sql) or await self._prepare(connection, backend, sql, bool(args))
                return await send(prepared), prepared.columns
        except Error as error:
            is_stale = self._note_error(connection, error).sqlstate in _STALE
            if is_stale:
                backend.renewals += 1
                backend.statements.clear()
            if not (is_stale and may_renew) or self.transactions.is_open(connection):
                raise
        return await self._send(connection, sql, args, send, may_renew=False)

    async def _prepare(self, connection: Connection, backend: Backend, sql: str, has_parameters: bool) -> Prepared:
        if _OWN_PLACEHOLDER.search(sql):
            message = "psqlpy takes $(name)p for a placeholder of its own, inside strings too. Write '$' || '(name)p'"
            raise MisfitError(message)
        blanks = " " * backend.renewals
        statement = await connection.prepare(sql + blanks, [None])  # without any parameter psqlpy tells no columns
        columns = tuple([column.name for column in statement.columns()])
        del statement  # it would hold the connection open
        backend.kept += 1
        types: list[Any] = []
        if has_parameters:
            asked = await connection.execute(PARAMETER_TYPES + blanks, [CustomType((sql + blanks).encode())])
            types = asked.result(as_tuple=True)
        prepared = Prepared(sql + blanks, columns, self.formats.parameters(types))
        backend.statements[sql] = prepared
        return prepared

    async def run_many(self, connection: Connection, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        """In one transaction, all on their way at once. psqlpy does not count."""

        async def send(prepared: Prepared) -> None:
            written = [prepared.arguments(row) for row in rows]
            if not self.transactions.is_open(connection):
                await connection.execute_many(prepared.text, written)
                return
            # That would begin and commit here: psqlpy does not know of our transaction. All are waited for, also when
            # one fails: the first error is the one that tells something.
            for first in range(0, len(written), PIPELINE):
                sent = [connection.execute(prepared.text, row) for row in written[first : first + PIPELINE]]
                for outcome in await asyncio.gather(*sent, return_exceptions=True):
                    if isinstance(outcome, BaseException):
                        raise outcome

        await self._send(connection, sql, rows[0], send)
        return None

    async def open_stream(
        self, connection: Connection, plan: Plan, sql: str, args: Any, chunk_size: int
    ) -> _Cursor | _Rows:
        """A cursor of the server, where there are such: statements that write give their rows at once."""
        if plan.verb not in _CURSORS or plan.is_write:
            rows, columns = await self._execute(connection, sql, args)
            return _Rows(rows, plan.learn(columns))
        name = f"sqlspec_{next(_numbers)}"

        async def send(prepared: Prepared) -> None:
            declare = f"DECLARE {name} NO SCROLL CURSOR FOR {sql}"
            await connection.execute(declare, prepared.arguments(args), prepared=False)

        _, columns = await self._send(connection, sql, args, send)
        return _Cursor(self, connection, name, plan.learn(columns))

    # Connections

    def in_transaction(self, connection: Connection) -> bool:
        """By what was sent: psqlpy does not tell."""
        return self.transactions.is_open(connection)

    def is_usable(self, connection: Connection) -> bool:
        """False once an error said that it is closed: psqlpy's ``is_closed()`` is True for a new one."""
        backend = self.backends.get(id(connection))
        return backend is not None and not backend.is_lost

    def interrupt(self, connection: Connection) -> None:
        """The caller is cancelled, which psqlpy does not tell the server: ``recover`` does."""

    async def recover(self, connection: Connection) -> None:
        """Stop whatever runs there, and roll back behind it; once more if the cancel request met the ROLLBACK."""
        backend = self.backends[id(connection)]
        backend.send_away()
        await self._cancel(backend.pid)
        try:
            await self.bare(connection, "ROLLBACK")
        except Error as error:
            if self.read_error(error).sqlstate != "57014":
                raise
            await self.bare(connection, "ROLLBACK")

    # Errors

    def _note_error(self, connection: Connection, error: Error) -> ErrorFacts:
        facts = self.read_error(error)
        if issubclass(POSTGRES.classify(facts), ConnectionLostError):
            self.backends[id(connection)].is_lost = True
        return facts

    def read_error(self, error: BaseException) -> ErrorFacts:
        """What the text of psqlpy's exception tells; SQLSTATE, table and constraint are known by the server's words."""
        message = str(error)
        told = _SERVER.search(message)
        if told:
            return read_report(told[1])
        if isinstance(error, MisfitError):
            return ErrorFacts(message, code="22000", sqlstate="22000", from_client=True)
        is_lost = isinstance(error, OSError) or _LOST.search(message)
        state = "08006" if is_lost else "08001" if "connecting to" in message or "TLS" in message else None
        return ErrorFacts(message.rpartition("creating a new object: ")[2], code=state, sqlstate=state)


class _Cursor:
    """An open cursor of the server."""

    __slots__ = ("_connection", "_name", "_wire", "shape")

    def __init__(self, wire: PsqlpyWire, connection: Connection, name: str, shape: Shape) -> None:
        self._wire = wire
        self._connection = connection
        self._name = name
        self.shape = shape

    async def fetch(self, count: int) -> Sequence[Any]:
        result = await self._wire.bare(self._connection, f"FETCH {count} FROM {self._name}")
        return read_rows(result, self.shape.columns, self._wire.formats)

    async def close(self) -> None:
        """In an aborted transaction nothing can be sent, and its end closes the cursor."""
        try:
            await self._wire.command(self._connection, f"CLOSE {self._name}")
        except Error as error:
            if self._wire.read_error(error).sqlstate != "25P02":
                raise


class _Rows:
    """The rows of a statement that no cursor can be declared for."""

    __slots__ = ("_rows", "shape")

    def __init__(self, rows: list[Any], shape: Shape) -> None:
        self._rows = iter(rows)
        self.shape = shape

    async def fetch(self, count: int) -> Sequence[Any]:
        return list(islice(self._rows, count))

    async def close(self) -> None:
        """Nothing is open."""


class PsqlpyDriver(AsyncDriverAdapterBase):
    """A session on PostgreSQL by psqlpy."""
