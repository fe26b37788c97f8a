"""What users call on a session. Every method is derived from the wire's few primitives.

Parameters are positional values, one tuple or list, or one mapping. ``schema_type`` says what a row becomes: a
dataclass, msgspec Struct, pydantic model, attrs class, TypedDict, NamedTuple, ``dict`` (the default), ``tuple``, or a
plain type for one column. Outside a transaction every statement commits by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from sqlspec._async.session import CLOSED
from sqlspec._async.transaction import AsyncTransactions
from sqlspec.core.facts import BeginOptions
from sqlspec.core.observe import StatementEvent, observing
from sqlspec.core.result import SQLResult, one_of, one_or_none_of, rows_of, scalar_of, scalar_or_none_of
from sqlspec.core.rows import check_schema_type
from sqlspec.core.script import split
from sqlspec.exceptions import DatabaseError, SQLSpecError, TransactionAbortedError, TransactionError
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlspec._async.stream import AsyncRowStream
    from sqlspec.core.plan import Plan
    from sqlspec.core.transaction import TransactionRecord

__all__ = ("AsyncDriverAdapterBase",)

T = TypeVar("T")

_logger = get_logger("session")


class AsyncDriverAdapterBase(AsyncTransactions):
    """A session: runs statements on one database, on a connection that it acquires with the first of them.

    Sessions are made by ``provide_session(config)`` or a web plugin. All methods raise, besides what they name:
    ``ParameterError`` (nothing was sent), ``DatabaseError`` and its kinds, ``PoolTimeoutError``,
    ``SessionClosedError``, and ``TransactionAbortedError`` when the session's transaction was lost.

    Every method takes ``timeout``: the seconds that the statement may take (default: the config's
    ``statement_timeout``); then it is stopped and ``StatementTimeoutError`` raised.
    """

    # Running statements

    async def execute(self, statement: str, /, *parameters: Any, timeout: float | None = None) -> SQLResult:
        """Run one statement and keep its rows.

        Args:
            statement: SQL with placeholders in any one style.
            *parameters: Values, one tuple or list of values, or one mapping.
            timeout: Seconds that the statement may take.
        """
        return SQLResult(statement, await self._run(statement, parameters, None, timeout))

    async def execute_many(self, statement: str, rows: Iterable[Any], /, *, timeout: float | None = None) -> SQLResult:
        """Run one statement for every row of parameters, all or nothing.

        Outside a transaction this is one of its own.

        Args:
            statement: SQL with placeholders in any one style.
            rows: Tuples or lists of values, or mappings; all of one kind.
            timeout: Seconds that all of it may take.
        """
        plan = self._plan(statement)
        sql, arguments = plan.bind_many(rows)
        count: int | None = 0
        if arguments:
            async with self._turn:
                try:
                    count = await self._many_or_none(plan, sql, arguments, timeout)
                    await self._after(plan)
                finally:
                    await self._rest()
        return SQLResult(statement, (None, (), count, None))

    async def execute_script(self, script: str, /, *, timeout: float | None = None) -> None:
        """Run the statements of a script, one after the other; the first that fails ends it.

        Args:
            script: Statements separated by ``;``. Triggers, BEGIN … END bodies and dollar quotes are understood.
            timeout: Seconds that each statement may take.
        """
        statements = split(script, self.wire.dialect.lexical)
        for number, statement in enumerate(statements, 1):
            try:
                await self._run(statement, (), 0, timeout)
            except SQLSpecError as error:
                error.add_note(f"This was statement {number} of {len(statements)} of a script.")
                raise

    # Selecting

    @overload
    async def select(
        self, statement: str, /, *parameters: Any, timeout: float | None = None
    ) -> list[dict[str, Any]]: ...
    @overload
    async def select(
        self, statement: str, /, *parameters: Any, schema_type: type[T], timeout: float | None = None
    ) -> list[T]: ...
    @overload
    async def select(
        self, statement: str, /, *parameters: Any, schema_type: Any, timeout: float | None = None
    ) -> list[Any]: ...
    async def select(
        self, statement: str, /, *parameters: Any, schema_type: Any = None, timeout: float | None = None
    ) -> list[Any]:
        """All rows.

        Args:
            statement: SQL with placeholders in any one style.
            *parameters: Values, one tuple or list of values, or one mapping.
            schema_type: What each row becomes.
            timeout: Seconds that the statement may take.

        Raises:
            MappingError: A row does not fit ``schema_type``.
        """
        if schema_type is not None:
            check_schema_type(schema_type)
        return rows_of(await self._run(statement, parameters, None, timeout), schema_type, statement)

    @overload
    async def select_one(self, statement: str, /, *parameters: Any, timeout: float | None = None) -> dict[str, Any]: ...
    @overload
    async def select_one(
        self, statement: str, /, *parameters: Any, schema_type: type[T], timeout: float | None = None
    ) -> T: ...
    @overload
    async def select_one(
        self, statement: str, /, *parameters: Any, schema_type: Any, timeout: float | None = None
    ) -> Any: ...
    async def select_one(
        self, statement: str, /, *parameters: Any, schema_type: Any = None, timeout: float | None = None
    ) -> Any:
        """The only row.

        Raises:
            NotFoundError: There is none.
            MultipleResultsFoundError: There are more.
            MappingError: It does not fit ``schema_type``.
        """
        if schema_type is not None:
            check_schema_type(schema_type)
        return one_of(await self._run(statement, parameters, 2, timeout), schema_type, statement)

    @overload
    async def select_one_or_none(
        self, statement: str, /, *parameters: Any, timeout: float | None = None
    ) -> dict[str, Any] | None: ...
    @overload
    async def select_one_or_none(
        self, statement: str, /, *parameters: Any, schema_type: type[T], timeout: float | None = None
    ) -> T | None: ...
    @overload
    async def select_one_or_none(
        self, statement: str, /, *parameters: Any, schema_type: Any, timeout: float | None = None
    ) -> Any: ...
    async def select_one_or_none(
        self, statement: str, /, *parameters: Any, schema_type: Any = None, timeout: float | None = None
    ) -> Any:
        """The only row, or None if there is none.

        Raises:
            MultipleResultsFoundError: There are more.
            MappingError: It does not fit ``schema_type``.
        """
        if schema_type is not None:
            check_schema_type(schema_type)
        return one_or_none_of(await self._run(statement, parameters, 2, timeout), schema_type, statement)

    @overload
    async def select_value(self, statement: str, /, *parameters: Any, timeout: float | None = None) -> Any: ...
    @overload
    async def select_value(
        self, statement: str, /, *parameters: Any, schema_type: type[T], timeout: float | None = None
    ) -> T: ...
    @overload
    async def select_value(
        self, statement: str, /, *parameters: Any, schema_type: Any, timeout: float | None = None
    ) -> Any: ...
    async def select_value(
        self, statement: str, /, *parameters: Any, schema_type: Any = None, timeout: float | None = None
    ) -> Any:
        """The first column of the only row.

        Raises:
            NotFoundError: There is no row.
            MultipleResultsFoundError: There are more.
            MappingError: The value does not fit ``schema_type``.
        """
        return scalar_of(await self._run(statement, parameters, 2, timeout), schema_type, statement)

    @overload
    async def select_value_or_none(self, statement: str, /, *parameters: Any, timeout: float | None = None) -> Any: ...
    @overload
    async def select_value_or_none(
        self, statement: str, /, *parameters: Any, schema_type: type[T], timeout: float | None = None
    ) -> T | None: ...
    @overload
    async def select_value_or_none(
        self, statement: str, /, *parameters: Any, schema_type: Any, timeout: float | None = None
    ) -> Any: ...
    async def select_value_or_none(
        self, statement: str, /, *parameters: Any, schema_type: Any = None, timeout: float | None = None
    ) -> Any:
        """The first column of the only row, or None if there is no row (or it is NULL).

        Raises:
            MultipleResultsFoundError: There are more rows.
            MappingError: The value does not fit ``schema_type``.
        """
        return scalar_or_none_of(await self._run(statement, parameters, 2, timeout), schema_type, statement)

    # Streaming

    @overload
    def select_stream(
        self, statement: str, /, *parameters: Any, chunk_size: int = 1000
    ) -> AsyncRowStream[dict[str, Any]]: ...
    @overload
    def select_stream(
        self, statement: str, /, *parameters: Any, schema_type: type[T], chunk_size: int = 1000
    ) -> AsyncRowStream[T]: ...
    def select_stream(
        self, statement: str, /, *parameters: Any, schema_type: Any = None, chunk_size: int = 1000
    ) -> AsyncRowStream[Any]:
        """Rows one after the other, fetched ``chunk_size`` at a time: enter it with ``with`` and iterate inside.

        Outside a transaction the session runs no other statement while the stream is open.

        Args:
            statement: SQL with placeholders in any one style.
            *parameters: Values, one tuple or list of values, or one mapping.
            schema_type: What each row becomes.
            chunk_size: Rows per fetch.
        """
        if schema_type is not None:
            check_schema_type(schema_type)
        return self._stream(statement, parameters, schema_type, chunk_size)

    # Many parameter sets

    async def _many_or_none(self, plan: Plan, sql: str, rows: list[Any], timeout: float | None) -> int | None:
        """All rows or none: in the open transaction, or in one of their own."""
        await self._prepare(plan)
        if self._transaction is not None:
            return await self._many_in_savepoint(plan, sql, rows, timeout)
        if self.wire.many_is_atomic:
            return await self._many(plan, sql, rows, timeout)
        await self._begin(BeginOptions(), explicit=True)
        try:
            count = await self._many(plan, sql, rows, timeout)
        except BaseException:
            await self._roll_back_open()
            raise
        await self._commit_open()
        return count

    async def _many_in_savepoint(self, plan: Plan, sql: str, rows: list[Any], timeout: float | None) -> int | None:
        """In the open transaction; where an error leaves that whole, the rows before the failing one are undone."""
        dialect = self.wire.dialect
        if not dialect.savepoints:
            return await self._many_or_lost(plan, sql, rows, timeout)
        if dialect.error_aborts_transaction:
            return await self._many(plan, sql, rows, timeout)
        await self._command("SAVEPOINT sqlspec_many")
        try:
            count = await self._many(plan, sql, rows, timeout)
        except SQLSpecError:
            if self._transaction is not None and self._transaction.lost is None:
                await self._command("ROLLBACK TO SAVEPOINT sqlspec_many")
                await self._command("RELEASE SAVEPOINT sqlspec_many")
            raise
        await self._command("RELEASE SAVEPOINT sqlspec_many")
        return count

    async def _many_or_lost(self, plan: Plan, sql: str, rows: list[Any], timeout: float | None) -> int | None:
        """In the open transaction, of which nothing can be saved once some of the rows are in it and some are not."""
        try:
            return await self._many(plan, sql, rows, timeout)
        except DatabaseError:
            await self._lose("execute_many() failed in it, and this database can't undo a part")
            raise

    async def _many(self, plan: Plan, sql: str, rows: list[Any], timeout: float | None) -> int | None:
        connection = await self._prepare(plan)
        limit = self._timeout if timeout is None else timeout
        clock = self._clock(limit, connection)
        event = StatementEvent(*self._observed_as(), statement=plan.text, verb=plan.verb, batch_size=len(rows))
        try:
            with observing(self._observers, event):
                async with clock:
                    event.rows = count = await self.wire.run_many(connection, plan, sql, rows)
        except BaseException as error:
            failure = self._timed_out(limit, plan) if clock.expired else self._failure(error, plan, sql)
            if failure is error:
                raise
            raise failure from error
        if self._transaction is not None:
            self._transaction.writes += 1
        return count

    # Outcome and end

    def set_rollback_only(self) -> None:
        """Save nothing more: in a web request roll back whatever the response's status is. ``commit()`` raises then."""
        self._rollback_only = True

    async def close(self, reason: str = CLOSED) -> None:
        """End the session: what is open is rolled back, the connection goes back. Repeatable.

        Args:
            reason: What later use of this session is told.
        """
        try:
            await self.end(reason)
        finally:
            await self._run_due_hooks()

    async def end(self, reason: str) -> None:
        """As ``close()``, but hooks wait for ``run_hooks()``."""
        if self.try_close(reason):
            return
        self._closed = reason
        record = self._transaction
        if record is not None and record.lost is None:
            self._note_discarded(record)
        try:
            async with self._turn:
                await self._close_streams(reason, borrowed=True)
                await self._roll_back_open()
                await self._let_go()
        except BaseException:
            self._interrupted("the session was closed")
            self._abandon_streams(reason)
            raise

    def _note_discarded(self, record: TransactionRecord) -> None:
        if record.explicit:
            _logger.warning("a session ended with an open transaction, which is rolled back: %s", record.opened_by)
        if self._implicit is not None:
            self._discarded = record.writes  # the outcome of its request has to know

    # What a web plugin does with a session

    @property
    def is_rollback_only(self) -> bool:
        """Whether ``set_rollback_only()`` was called."""
        return self._rollback_only

    @property
    def pending_writes(self) -> int:
        """How many statements that have no outcome yet may have changed something."""
        return self._discarded if self._transaction is None else self._transaction.writes

    @property
    def may_have_written(self) -> bool:
        """Whether something that has no outcome yet may have changed something, also past the session."""
        return self.pending_writes > 0 or (self._transaction is not None and self._transaction.unseen)

    @property
    def is_in_block(self) -> bool:
        """Whether a ``transaction()`` block is open."""
        return self._transaction is not None and bool(self._transaction.blocks)

    @property
    def is_idle(self) -> bool:
        """Whether it holds nothing and does nothing, so that settling or closing it needs no I/O (and no thread)."""
        if not self._turn.try_enter():
            return False
        self._turn.leave()
        return not (
            self._checkout is not None
            or self._transaction is not None
            or self._streams
            or self._waiting_hooks
            or self._due_hooks
            or self._discarded
        )

    def try_close(self, reason: str) -> bool:
        """Close it if that needs no I/O. True if it is closed now."""
        if self._closed is None and self.is_idle:
            self._closed = reason
        return self._closed is not None

    async def settle(self, *, commit: bool, reason: str) -> None:
        """Decide what is open and give the connection back. Hooks wait for ``run_hooks()``.

        Args:
            commit: Commit, else roll back.
            reason: Why a stream that is still open is closed.

        Raises:
            TransactionAbortedError: There was nothing left to commit.
            TransactionError: A ``transaction()`` block is open, so nobody can know yet whether it is to be saved.
            CommitOutcomeUnknownError: The connection was lost during COMMIT.
            DatabaseError: The database refused; all is rolled back.
        """
        async with self._turn:
            try:
                if self._streams:
                    await self._close_streams(reason, borrowed=True)
                await (self._save_all(reason) if commit else self._undo_all(reason))
                self._release_waiting_hooks("commit" if commit else "rollback")
            finally:
                await self._let_go()

    async def _save_all(self, reason: str) -> None:
        try:
            self._check_nothing_is_lost()
            await self._commit_open(last=True)
        except SQLSpecError:
            await self._undo_all(reason)
            raise

    def _check_nothing_is_lost(self) -> None:
        if self._discarded:
            message = (
                f"This session was closed before its request's outcome was decided, and {self._discarded} statement(s) "
                "that may have changed something were rolled back. Leave the closing to the plugin."
            )
            raise TransactionAbortedError(message)
        if self.is_in_block:
            message = (
                "A transaction() block is open when the response starts, so nobody can know whether its work is to be "
                'saved. Leave it before that (a `yield` dependency of FastAPI: scope="function"), or open it inside '
                "the body."
            )
            raise TransactionError(message)

    async def _undo_all(self, reason: str) -> None:
        """Roll back. Whoever is still inside a block learns of it there, and can't go on without it."""
        self._discarded = 0
        record = self._transaction
        if record is None or not record.blocks:
            await self._roll_back_open()
        else:
            record.explicit = True  # it ends with its outermost block: the request is decided
            await self._lose(reason)

    def start_body(self) -> None:
        """After the outcome: from now on every statement borrows a connection and commits by itself."""
        self._implicit = None
        self._hold = False
        self._rollback_only = False

    @property
    def has_due_hooks(self) -> bool:
        """Whether hooks wait for ``run_hooks()``."""
        return bool(self._due_hooks)

    async def run_hooks(self) -> None:
        """Run the hooks of the outcome that ``settle()`` brought about."""
        await self._run_due_hooks()
