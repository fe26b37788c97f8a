"""GENERATED from sqlspec/_async/session.py by tools/unasync.py: do not edit. How a session runs one statement, and what it does when that goes wrong.

This is the state machine above the primitives. ``_ready`` is the connection when nothing needs doing before the next
statement, and None when something does: nothing acquired yet, a transaction to begin, one that is lost or aborted, a
closed session. So the hot path asks one question.

    statement ─ plan, bind ─ turn ─ ready? ─ wire.run ─ answer
                                     │ no        │ failed
                                  _prepare    _failure: translate, note what became of the transaction;
                                              interrupted: settled in the background, never reused here

Above it: ``stream.py`` reads rows in chunks, ``raw.py`` calls the driver's own connection, ``transaction.py`` begins
and ends transactions, ``driver.py`` has the methods that users call. It knows no driver.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from sqlspec._sync.connection import caller
from sqlspec.concurrency import SyncTimeLimit, SyncTurn
from sqlspec.core.faults import describe_fault
from sqlspec.core.observe import CheckoutEvent, StatementEvent, TransactionEvent, observing
from sqlspec.core.plan import not_a_text
from sqlspec.core.transaction import TransactionRecord
from sqlspec.exceptions import (
    CommitOutcomeUnknownError,
    ConnectionLostError,
    ImplicitCommitError,
    ParameterError,
    SessionClosedError,
    SQLSpecError,
    StatementTimeoutError,
    TransactionAbortedError,
    TransactionError,
)
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlspec._sync.config import SyncDatabaseConfig
    from sqlspec._sync.connection import SyncCheckout, SyncConnections
    from sqlspec._sync.stream import SyncRowStream
    from sqlspec._sync.wire import SyncWire
    from sqlspec.core.facts import BeginOptions
    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.exceptions import DatabaseError

__all__ = ("CLOSED", "LOST_IN_COMMIT", "SyncSession")

CLOSED = "it ended where it was provided. Open a new one with provide_session(config)"
LOST_IN_COMMIT = "The connection was lost during COMMIT: whether the work was saved can only be seen in the database."

_logger = get_logger("session")


class SyncSession:
    """State and life of a session; ``SyncDriverAdapterBase`` gives it its methods."""

    wire: SyncWire[Any]

    # What a new session has: set on the class, since every request makes one.
    _ready: Any = None
    _connections: SyncConnections | None = None
    _checkout: SyncCheckout | None = None
    _transaction: TransactionRecord | None = None
    _rollback_only = False
    _discarded = 0
    _waiting_hooks: tuple[tuple[str, Callable[[], object]], ...] = ()
    _due_hooks: tuple[Callable[[], object], ...] = ()
    _streams: tuple[SyncRowStream[Any], ...] = ()
    _closed: str | None = None

    def __init__(
        self,
        config: SyncDatabaseConfig[Any, Any, Any],
        *,
        hold: bool,
        implicit: BeginOptions | None,
        blocks_commit: bool,
    ) -> None:
        self.wire = config.wire
        self._config = config
        self._plans = config.plans
        self._observers = config.observers
        self._timeout = config.statement_timeout
        self._hold = hold
        self._implicit = implicit
        self._blocks_commit = blocks_commit
        self._turn = SyncTurn()

    # One statement

    def _run(
        self,
        statement: str,
        parameters: tuple[Any, ...],
        limit: int | None,
        timeout: float | None,
        *,
        observed: bool = False,
    ) -> Answer:
        """Run one statement: every method that takes SQL ends here."""
        try:
            plan = self._plans[statement]
        except TypeError:
            raise not_a_text(statement) from None
        sql, args = plan.bind(parameters)
        if self._observers and not observed:
            return self._run_observed(plan, parameters, limit, timeout)
        turn = self._turn
        if not turn.try_enter():
            turn.enter()
        try:
            connection = self._ready
            if connection is None or plan.commits_implicitly or plan.commits:
                connection = self._prepare(plan)
            if self._checkout is not None:
                self._checkout.statement = statement
            seconds = self._timeout if timeout is None else timeout
            try:
                if seconds is None:
                    run = self._run_commit if plan.commits else self.wire.run
                    answer = run(connection, plan, sql, args, limit)
                else:
                    answer = self._run_within(seconds, connection, plan, sql, args, limit)
            except BaseException as error:
                failure = self._failure(error, plan, sql)
                self._rest()
                if failure is error:
                    raise
                raise failure from error
            if plan.is_write and self._transaction is not None:
                self._transaction.writes += 1
            if plan.controls_transaction or plan.changes_session or plan.may_end_transaction or not self._hold:
                self._after(plan)
            return answer
        finally:
            turn.leave()

    def _plan(self, statement: str) -> Plan:
        try:
            return self._plans[statement]
        except TypeError:
            raise not_a_text(statement) from None

    def _run_within(
        self, timeout: float, connection: Any, plan: Plan, sql: str, args: Any, limit: int | None
    ) -> Answer:
        clock = self._clock(timeout, connection)
        try:
            with clock:
                self.wire.cap_lock_wait(connection, timeout)
                run = self._run_commit if plan.commits else self.wire.run
                try:
                    return run(connection, plan, sql, args, limit)
                finally:
                    self.wire.cap_lock_wait(connection, None)
        except BaseException as error:
            if not clock.expired:
                raise
            raise self._timed_out(timeout, plan) from error

    def _run_commit(self, connection: Any, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """COMMIT as a statement. Of an aborted transaction PostgreSQL says by the tag only that it rolled back (S6)."""
        if not self.wire.dialect.error_aborts_transaction:
            return self.wire.run(connection, plan, sql, args, limit)
        if self.wire.command(connection, sql) == "ROLLBACK":
            raise self._commit_that_rolled_back(connection, plan)
        return None, (), None, None

    def _commit_that_rolled_back(self, connection: Any, plan: Plan) -> TransactionAbortedError:
        aborted = (self._transaction or TransactionRecord(plan.text, explicit=True)).aborted()
        if self.wire.in_transaction(connection):  # AND CHAIN
            self.wire.command(connection, "ROLLBACK")
        self._believe(False, plan.text)
        return aborted

    def _clock(self, timeout: object, connection: Any) -> SyncTimeLimit:
        if not (timeout is None or (isinstance(timeout, (int, float)) and timeout > 0)):
            raise ParameterError(f"timeout is a number of seconds above 0, or None; not {timeout!r}.")
        if timeout is not None and not self.wire.stops_statements:
            message = "timeout= can't be kept: this driver can't stop a statement. Leave it away, or use another one."
            raise ParameterError(message)
        return SyncTimeLimit(timeout, partial(self.wire.interrupt, connection))

    def _run_observed(
        self, plan: Plan, parameters: tuple[Any, ...], limit: int | None, timeout: float | None
    ) -> Answer:
        event = StatementEvent(*self._observed_as(), statement=plan.text, verb=plan.verb)
        with observing(self._observers, event):
            answer = self._run(plan.text, parameters, limit, timeout, observed=True)
            event.rows = len(answer[1]) if answer[2] is None else answer[2]
        return answer

    def _observed_as(self) -> tuple[str, str]:
        """Config and dialect, for events."""
        return self._config.name or self._config.adapter, self.wire.dialect.name

    def _prepare(self, plan: Plan | None) -> Any:
        """All that may have to happen before a statement; gives the connection."""
        self._check_open()
        if plan is not None and plan.commits_implicitly:
            self._refuse_implicit_commit(plan)
        record = self._transaction
        if record is not None:
            if record.lost is not None:
                raise record.aborted()
            if plan is not None and plan.commits:
                self._allow_commit(record, plan)
            elif record.failed is not None and not (plan is not None and plan.controls_transaction):
                raise record.aborted()
        self._check_no_stream()
        if record is None and self._implicit is not None:
            self._begin(self._implicit, explicit=False)
        checkout = self._checkout
        if checkout is None:
            checkout = self._acquire()
        if self._hold or self._transaction is not None:
            self._ready = checkout.connection
        return checkout.connection

    def _allow_commit(self, record: TransactionRecord, plan: Plan) -> None:
        """Before COMMIT is sent as a statement: PostgreSQL would roll back without a word (S6)."""
        self._check_not_rollback_only(plan.verb)
        if record.failed is not None:
            aborted = record.aborted()
            self._roll_back_or_close()
            self._believe(False, plan.text)
            self._rest()
            raise aborted

    def _roll_back_or_close(self) -> None:
        try:
            self._step("rollback", "ROLLBACK")
        except SQLSpecError as error:
            _logger.warning("ROLLBACK failed, the connection is closed instead: %s", error)
            self._interrupted(str(error))

    def _check_not_rollback_only(self, what: str) -> None:
        if self._rollback_only:
            message = f"set_rollback_only() was called on this session, so {what} can't save anything. Call rollback()."
            raise TransactionError(message)

    def _check_open(self) -> None:
        if self._closed is not None:
            raise SessionClosedError(f"This session is closed: {self._closed}.")

    def _check_no_stream(self) -> None:
        if not self._streams:
            return
        if self._hold and self._implicit is None and self._transaction is None:
            message = (
                "A stream is open on this session outside a transaction, so nothing else can run on it. Open "
                "transaction() around both, or use a second session."
            )
            raise TransactionError(message)
        if self.wire.streams_block and any(stream.is_on(self._checkout) for stream in self._streams):
            message = (
                "A stream is open on this session, and this driver can run nothing else on its connection until the "
                "stream is left. Leave it first, or use a second session."
            )
            raise TransactionError(message)

    def _refuse_implicit_commit(self, plan: Plan) -> None:
        """Before anything is sent: the database would commit what the owner of the transaction has not decided on."""
        if self._transaction is not None or self._implicit is not None:
            message = (
                f"{plan.verb} commits an open transaction on this database, silently. Run it outside: before begin(), "
                f"or in a session of provide_session(config).\nStatement: {plan.text}"
            )
            raise ImplicitCommitError(message)

    def _after(self, plan: Plan) -> None:
        """What the statement itself did to the transaction, and what need not be held any longer."""
        checkout = self._checkout
        if checkout is None:
            return
        if plan.changes_session:
            checkout.changed = True
        if plan.controls_transaction:
            is_open = self.wire.in_transaction(checkout.connection)
            self._believe(is_open, plan.text, ended=plan.ends_transaction)
        elif plan.may_end_transaction:
            self._notice_end(checkout.connection, plan)
        self._rest()

    def _notice_end(self, connection: Any, plan: Plan) -> None:
        """What a statement calls may end the transaction behind its owner's back (S14)."""
        record = self._transaction
        if record is not None and record.lost is None and not self.wire.in_transaction(connection):
            self._ready = None
            record.lost = f"it was ended by what a statement called: {plan.text}"
            record.unknown = True

    def _rest(self) -> None:
        """Between statements nothing is held that need not be."""
        if not self._hold and self._transaction is None:
            self._let_go()

    def _believe(self, is_open: bool, opened_by: str, *, ended: bool = False) -> None:
        """BEGIN, COMMIT and the like may have been sent as statements: the connection knows what came of it.

        Args:
            is_open: What it says.
            opened_by: What was sent.
            ended: That ended a transaction even if one is open now (AND CHAIN).
        """
        self._ready = None
        if ended or not is_open:
            if self._transaction is not None and self._transaction.hooks:
                _logger.warning("hooks are dropped: their transaction was ended by a statement, %s", opened_by)
            self._transaction = None
        if not is_open:
            return
        if self._transaction is None:
            self._transaction = TransactionRecord(opened_by, explicit=True)
        else:
            self._transaction.failed = None  # ROLLBACK TO SAVEPOINT heals; what is still broken says so again

    # Connections

    def _acquire(self) -> SyncCheckout:
        self._check_open()
        self._connections = connections = self._config.connections
        if not self._observers:
            checkout = connections.acquire()
        else:
            with observing(self._observers, CheckoutEvent(*self._observed_as())):
                checkout = connections.acquire()
        if self._closed is not None:  # while we waited, by somebody who did not wait for us
            connections.release(checkout)
            self._check_open()
        self._checkout = checkout
        return checkout

    def _let_go(self) -> None:
        """Give the connection back; what is open on it is rolled back."""
        checkout, self._checkout, self._ready = self._checkout, None, None
        if checkout is not None and self._connections is not None:
            self._connections.release(checkout)

    def _begin(self, options: BeginOptions, *, explicit: bool) -> TransactionRecord:
        """Begin. A connection that died while it was idle is replaced: nothing has run on it for this session."""
        *settings, sql = self.wire.dialect.begin_sql(options)
        replacements = self._config.max_size + 1
        while True:
            checkout = self._checkout or self._acquire()
            try:
                for setting in settings:
                    self._command(setting)
                self._step("begin", sql)
                break
            except ConnectionLostError:
                replacements -= 1
                if checkout.statement is not None or replacements < 0:
                    raise
            except BaseException:
                self._rest()
                raise
        opened_by = f"{sql} at {caller()}" if explicit else sql
        record = TransactionRecord(opened_by, explicit=explicit)
        if self._checkout is not checkout:  # by who closed the session and did not wait
            self._check_open()
            record.lost = "its connection was taken away"
            raise record.aborted()
        checkout.statement = sql
        self._transaction = record
        record.hooks, self._waiting_hooks = list(self._waiting_hooks), ()
        self._ready = None
        return record

    def _step(self, step: Literal["begin", "commit", "rollback"], sql: str, *, last: bool = False) -> str | None:
        """Begin or end a transaction on the wire."""
        if not self._observers:
            return self._command(sql, last=last)
        with observing(self._observers, TransactionEvent(*self._observed_as(), step=step)):
            return self._command(sql, last=last)

    def _command(self, sql: str, *, last: bool = False) -> str | None:
        """Send BEGIN, SAVEPOINT and the like. ``last``: it is a COMMIT, after which the connection goes back."""
        if self._checkout is None:
            message = "There is no connection to send this on."
            raise TransactionError(message)
        try:
            if last:
                return self.wire.commit_last(self._checkout.connection)
            return self.wire.command(self._checkout.connection, sql)
        except BaseException as error:
            failure = self._failure(error, None, sql)
            if failure is error:
                raise
            raise failure from error

    # When it goes wrong

    def _failure(self, error: BaseException, plan: Plan | None, sql: str) -> BaseException:
        """Our exception for the driver's; the same exception for everything else. Never raises, never awaits."""
        statement = sql if plan is None else plan.text
        commits = plan is not None and plan.commits
        if isinstance(error, SQLSpecError):
            return error
        if not isinstance(error, self.wire.errors):
            self._interrupted(f"a statement was interrupted by {type(error).__name__}: {statement}", unknown=commits)
            return error
        failure = self._translate(error, plan, sql)
        checkout, record = self._checkout, self._transaction
        if checkout is None:
            return failure
        if isinstance(failure, ConnectionLostError) or not self.wire.is_usable(checkout.connection):
            self._interrupted("its connection was lost", unknown=commits)
            if commits and record is not None:
                return CommitOutcomeUnknownError(LOST_IN_COMMIT)
            message = f"The connection to {self._config.target} was lost: {failure}"
            return ConnectionLostError(message, code=failure.code, sqlstate=failure.sqlstate, statement=statement)
        elif record is not None:
            self._ready = None
            if not self.wire.in_transaction(checkout.connection):
                record.lost = record.lost or f"the database ended it when a statement failed: {failure}"
            elif self.wire.dialect.error_aborts_transaction and not self.wire.read_error(error).from_client:
                record.failed = record.failed or statement
        return failure

    def _timed_out(self, limit: float | None, plan: Plan) -> StatementTimeoutError:
        message = f"The statement took longer than its limit of {limit or 0:g} s and was stopped: {plan.text}"
        self._interrupted(message, unknown=plan.commits)
        return StatementTimeoutError(message, statement=plan.text)

    def _translate(self, error: BaseException, plan: Plan | None, sql: str) -> DatabaseError:
        return describe_fault(self.wire.read_error(error), self.wire.dialect, plan, sql)

    def _interrupted(self, cause: str, *, unknown: bool = False) -> None:
        """Nobody trusts this connection again: it is settled in the background, and its transaction is lost (S14).

        Args:
            cause: Why.
            unknown: It was a COMMIT that may have been carried out.
        """
        checkout, self._checkout, self._ready = self._checkout, None, None
        if self._transaction is not None and self._transaction.lost is None:
            self._transaction.lost = cause
            self._transaction.unknown = unknown
        if checkout is not None and self._connections is not None:
            self._connections.abandon_checkout(checkout)
