"""The primitives of asyncpg.

Statements keep their text, so that asyncpg's own statement cache serves them. Column names come from the first record;
a result without rows costs one prepare to learn them: once per plan, or each time if they depend on the tables (``*``).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import asyncpg

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.wire import AsyncWire
from sqlspec.core.facts import ErrorFacts, ParameterStyle
from sqlspec.dialects.postgres import POSTGRES, RESET_SQL, error_facts, is_outdated, refuse_copy
from sqlspec.exceptions import CommitOutcomeUnknownError, DataError

if TYPE_CHECKING:
    from collections.abc import MutableSet, Sequence

    from asyncpg.cursor import Cursor
    from asyncpg.pool import PoolConnectionProxy

    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.core.rows import Shape

    Connection = PoolConnectionProxy[asyncpg.Record]

__all__ = ("AsyncpgDriver", "AsyncpgWire", "PooledAsyncpgWire")

_COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_FORGETS = frozenset({"DISCARD", "DEALLOCATE"})
_LISTS: tuple[type[Any], ...] = (list, tuple, set, frozenset)
_ASKED_FOR = frozenset({float, Decimal, *_LISTS})
_WHOLE = frozenset({"int2", "int4", "int8", "int2[]", "int4[]", "int8[]"})
_EXACT = frozenset({"numeric", "numeric[]"})
_ARGUMENT = re.compile(
    r"invalid input for query argument (\$\d+)\b.*?"
    r"(?: \((expected [\w. ]+, got '?\w+'?|value out of \w+ range|'\w+' object [\w' ]+|must be [\w ]+, not \w+|"
    r"an? [\w -]+ (?:expected|required)(?: \(got type '?\w+'?\)|, not '\w+')|"
    r"can't \w+ offset-naive and offset-aware datetimes)\))?",
    re.DOTALL,
)
"""A value that asyncpg can't encode: its place, and the reason where that is one of those that never show the value."""


_COMMIT_LAST = f"CLOSE ALL;\nCOMMIT;\n{RESET_SQL}"


class AsyncpgWire(AsyncWire["Connection"]):
    """asyncpg on a connection to the server itself.

    Args:
        fresh: Where connections are put that were reset by their COMMIT, so that the pool need not do it; None if the
            pool resets in a way of its own.
    """

    dialect = POSTGRES
    style = ParameterStyle.DOLLAR
    errors = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, ConnectionError, TimeoutError)
    streams_need_transaction = True
    many_is_atomic = True

    def __init__(self, fresh: MutableSet[Any] | None = None) -> None:
        self._fresh = fresh

    async def run(self, connection: Connection, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement; once more if its preparation did not fit the tables and no transaction is open."""
        if not _ASKED_FOR.isdisjoint(map(type, args)):
            (args,) = await _fitted(connection, plan, sql, (args,))
        try:
            return await self._send(connection, plan, sql, args)
        except asyncpg.PostgresError as error:
            if not await _forget(connection, plan, error) or self.in_transaction(connection):
                raise
            return await self._send(connection, plan, sql, args)
        except (ValueError, OverflowError) as error:
            raise _unreadable(error, plan) from error

    async def _send(self, connection: Connection, plan: Plan, sql: str, args: Any) -> Answer:
        if not plan.returns_rows:
            refuse_copy(plan)
            status = await connection.execute(sql, *args)
            if plan.verb in _FORGETS:  # asyncpg would go on with statements that the server has no more
                await connection.reload_schema_state()
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
        refuse_copy(plan)
        rows = list(await _fitted(connection, plan, sql, rows))
        try:
            await connection.executemany(sql, rows)
        except asyncpg.PostgresError as error:
            await _forget(connection, plan, error)
            raise
        return None

    async def command(self, connection: Connection, sql: str) -> str | None:
        """COMMIT of an aborted transaction answers ROLLBACK."""
        return await connection.execute(sql)

    async def commit_last(self, connection: Connection) -> str | None:
        """COMMIT and the pool's reset in one message: one round trip less for each request.

        The tag that comes back is the reset's, so an aborted transaction is found out by CLOSE ALL, which it refuses.
        After COMMIT only a cancel request can stop the rest; then nobody can tell which of both it met.
        """
        fresh = self._fresh
        if fresh is None or connection.get_reset_query() != RESET_SQL:
            return await self.command(connection, "COMMIT")
        try:
            await connection.execute(_COMMIT_LAST)
        except asyncpg.InFailedSQLTransactionError:
            return await self.command(connection, "ROLLBACK")
        except asyncpg.QueryCanceledError as error:
            message = "COMMIT was cancelled: whether the work was saved can only be seen in the database."
            raise CommitOutcomeUnknownError(message) from error
        fresh.add(getattr(connection, "_con", connection))
        return "COMMIT"

    async def open_stream(self, connection: Connection, plan: Plan, sql: str, args: Any, chunk_size: int) -> _Rows:
        """A portal, which lives until its transaction ends."""
        refuse_copy(plan)
        (args,) = await _fitted(connection, plan, sql, (args,))
        statement = await connection.prepare(sql)
        shape = plan.learn(tuple([attribute.name for attribute in statement.get_attributes()]))
        return _Rows(await statement.cursor(*args), shape, plan)

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
        """Asyncpg waits for its own cancel request before the next statement; a ROLLBACK too many is harmless.

        Where another task is in a statement, nothing can be sent: closing has the server cancel it, and tells the task.
        """
        try:
            await connection.execute("ROLLBACK")
        except asyncpg.InterfaceError:
            await connection.close()

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
        """Run one statement, in a transaction of its own if there is none.

        VACUUM and the like can't be in one, and a procedure could not commit in it. What is not kept prepared is parsed
        and executed in one message; that its parameters were asked for on another server does no harm.
        """
        is_alone = plan.verb == "CALL" or not (plan.returns_rows or plan.verb in _COUNTED)
        if is_alone or connection.is_in_transaction():
            return await super().run(connection, plan, sql, args, limit)
        async with connection.transaction():
            return await super().run(connection, plan, sql, args, limit)


def _read_postgres_error(error: asyncpg.PostgresError) -> ErrorFacts:
    told = error.as_dict()
    return error_facts(
        str(told.get("message") or error.args[0]),
        error.sqlstate,
        constraint=told.get("constraint_name"),
        table=told.get("table_name"),
        column=told.get("column_name"),
        position=told.get("position"),
    )


class _Rows:
    """An open portal."""

    __slots__ = ("_cursor", "_plan", "shape")

    def __init__(self, cursor: Cursor[asyncpg.Record], shape: Shape, plan: Plan) -> None:
        self._cursor = cursor
        self._plan = plan
        self.shape = shape

    async def fetch(self, count: int) -> Sequence[Any]:
        try:
            return await self._cursor.fetch(count)
        except (ValueError, OverflowError) as error:
            raise _unreadable(error, self._plan) from error

    async def close(self) -> None:
        """The end of the transaction closes it."""


async def _fitted(
    connection: Connection, plan: Plan, sql: str, rows: Sequence[Sequence[Any]]
) -> Sequence[Sequence[Any]]:
    """Rows as asyncpg takes them right: it would cut 1.9 to 1 for an integer, and write the float 0.1 with 55 digits.

    What the parameters' types are is asked for once per plan, if there are such numbers; again before one is refused.

    Raises:
        DataError: A number with a point for an integer.
    """
    known = plan.learned
    if known is not None and known[0] == sql and not known[1] and not known[2]:
        return rows
    broken = {  # by column: a quarter of the time
        place
        for place, column in enumerate(zip(*rows, strict=True))
        if not _ASKED_FOR.isdisjoint(map(type, column)) and any(map(_is_broken, column))
    }
    if not broken:
        return rows
    if known is None or known[0] != sql or broken & known[1]:
        names = [kind.name for kind in (await connection.prepare(sql)).get_parameters()]
        whole, exact = ({place for place, name in enumerate(names) if name in wanted} for wanted in (_WHOLE, _EXACT))
        known = plan.learned = sql, whole, exact
    for place in sorted(broken & known[1]):
        message = f"the value of ${place + 1} does not fit: an integer is wanted\nStatement: {plan.text}"
        raise DataError(message, code="22000", sqlstate="22000", statement=plan.text)
    exact = broken & known[2]
    if not exact:
        return rows
    return [[_exact(value) if place in exact else value for place, value in enumerate(row)] for row in rows]


async def _forget(connection: Connection, plan: Plan, error: asyncpg.PostgresError) -> bool:
    """Prepare anew what may be outdated: asyncpg would go on with it for minutes."""
    told = error.as_dict()
    if not is_outdated(error.sqlstate, told.get("context")):
        return False
    plan.learned = None
    await connection.reload_schema_state()
    return True


def _is_broken(value: Any) -> bool:
    return any(map(_is_broken, value)) if isinstance(value, _LISTS) else isinstance(value, (float, Decimal))


def _exact(value: Any) -> Any:
    if isinstance(value, _LISTS):
        items: Any = value
        return [_exact(each) for each in items]
    return Decimal(float.__repr__(value)) if isinstance(value, float) else value


def _unreadable(error: Exception, plan: Plan) -> Exception:
    """A date before year 1, for example. What asyncpg raises for parameters is an InterfaceError, too."""
    if isinstance(error, asyncpg.InterfaceError):
        return error
    message = (
        "A value of the result is outside of what Python's types hold. Cast it in the statement, to text for example."
    )
    return DataError(f"{message}\nStatement: {plan.text}", statement=plan.text)


async def _columns(connection: Connection, sql: str) -> tuple[str, ...]:
    statement = await connection.prepare(sql)
    return tuple([attribute.name for attribute in statement.get_attributes()])


def _count(status: str) -> int | None:
    """``INSERT 0 5`` -> 5."""
    number = status.rpartition(" ")[2]
    return int(number) if number.isdigit() else None


class AsyncpgDriver(AsyncDriverAdapterBase):
    """A session on PostgreSQL by asyncpg."""
