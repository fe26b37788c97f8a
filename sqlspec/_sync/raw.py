"""GENERATED from sqlspec/_async/raw.py by tools/unasync.py: do not edit. The driver's own connection, and calls of its methods that go past the session.

Its exceptions are the driver's. What a call does to the transaction the session still has to know: the connection is
asked afterwards, the driver's errors and what it gives for COMMIT are looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlspec._sync.stream import SyncStreams
from sqlspec.concurrency import sync_settled
from sqlspec.exceptions import ConnectionLostError, ParameterError, TransactionError

if TYPE_CHECKING:
    from sqlspec.core.facts import ErrorFacts
    from sqlspec.core.plan import Plan

__all__ = ("SyncRawConnection",)


class SyncRawConnection(SyncStreams):
    """The part of a session that shows its connection."""

    def acquire_connection(self) -> Any:
        """The driver's own connection, as the session's next statement would use it.

        Raises:
            TransactionError: The session borrows a connection per statement: it has none to show.
        """
        with self._turn:
            connection = self._prepare_raw()
            if self._transaction is not None:
                self._transaction.unseen = True
            return connection

    def call_connection(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a method of the driver's own connection. Its exceptions are the driver's."""
        with self._turn:
            plan = self._plan_of_raw(args)
            connection = self._prepare_raw(plan if plan is not None and plan.controls_transaction else None)
            if plan is not None and self._transaction is not None:
                self._transaction.writes += plan.is_write
            elif self._transaction is not None:
                self._transaction.unseen = True
            failure: BaseException | None = None
            try:
                result = sync_settled(getattr(connection, name)(*args, **kwargs))
                if plan is not None and plan.commits and _says_rolled_back(result):
                    raise self._commit_that_rolled_back(connection, plan)
            except BaseException as error:
                failure = error
                raise
            else:
                return result
            finally:
                self._after_raw(name, plan, failure)

    def _plan_of_raw(self, args: tuple[Any, ...]) -> Plan | None:
        """Of what goes to the driver past us, if that is a statement."""
        if not (args and isinstance(args[0], str)):
            return None
        try:
            return self._plans[args[0]]
        except ParameterError:
            return None

    def _after_raw(self, name: str, plan: Plan | None, failure: BaseException | None) -> None:
        """The driver's errors are the caller's, and what they mean for the transaction is still ours to know."""
        checkout, record = self._checkout, self._transaction
        if checkout is None:
            return
        commits = plan is not None and plan.commits
        facts = self.wire.read_error(failure) if isinstance(failure, self.wire.errors) else None
        if not (failure is None or isinstance(failure, Exception)):
            self._interrupted(f"{name}() was interrupted by {type(failure).__name__}", unknown=commits)
        elif not self.wire.is_usable(checkout.connection) or (facts is not None and self._tells_loss(facts)):
            self._interrupted(f"the connection was lost in {name}()", unknown=commits)
        elif facts is not None and record is not None and not self.wire.in_transaction(checkout.connection):
            self._ready = None
            record.lost = record.lost or f"the database ended it when {name}() of the driver's connection failed"
        else:
            what = f"{name}() of the driver's connection"
            failed = None if record is None else record.failed
            ended = plan is not None and plan.ends_transaction and failure is None
            self._believe(self.wire.in_transaction(checkout.connection), what, ended=ended)
            if failure is not None and self._transaction is not None:
                if failed is None and facts is not None and self._has_aborted(facts):
                    failed = what if plan is None else plan.text
                self._transaction.failed = failed

    def _tells_loss(self, facts: ErrorFacts) -> bool:
        """Some drivers can't be asked whether a connection is still there, but their errors tell."""
        return issubclass(self.wire.dialect.classify(facts), ConnectionLostError)

    def _has_aborted(self, facts: ErrorFacts) -> bool:
        """Whether the error aborted the transaction: the server told it, not the driver."""
        return self.wire.dialect.error_aborts_transaction and facts.sqlstate is not None and not facts.from_client

    def _prepare_raw(self, plan: Plan | None = None) -> Any:
        self._check_open()
        if not self._hold and self._transaction is None:
            message = (
                "This session borrows a connection for each statement, so there is no connection to hand out. Use "
                "provide_connection(config), or open transaction() first."
            )
            raise TransactionError(message)
        return self._prepare(plan)


def _says_rolled_back(result: object) -> bool:
    """Whether what a driver gives for COMMIT, the tag or a cursor that has it, says that it was a ROLLBACK."""
    return getattr(result, "statusmessage", result) == "ROLLBACK"
