"""GENERATED from sqlspec/_async/transaction.py by tools/unasync.py: do not edit. Begin, commit, roll back; blocks and hooks.

    begin()                   BEGIN; commit() or rollback() ends it
    transaction(), outermost  BEGIN … COMMIT | ROLLBACK
    transaction(), inside     SAVEPOINT … RELEASE | ROLLBACK TO

In a web request a transaction is begun by itself (``implicit``). The outermost block there joins it where the
request's outcome decides, and commits it at its good end where the user decides (``blocks_commit``). A COMMIT runs to
its end even when its caller is cancelled. Hooks run after the outcome is known, outside the session's turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlspec._sync.raw import SyncRawConnection
from sqlspec._sync.session import LOST_IN_COMMIT
from sqlspec.concurrency import sync_finish, sync_is_stray, sync_owner, sync_settled
from sqlspec.core.facts import BeginOptions
from sqlspec.core.transaction import Block, TransactionRecord
from sqlspec.exceptions import (
    CommitOutcomeUnknownError,
    ConcurrentTransactionError,
    ConnectionLostError,
    SQLSpecError,
    TransactionAbortedError,
    TransactionError,
)
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from sqlspec.concurrency import SyncResult
    from sqlspec.core.facts import IsolationLevel

__all__ = ("SyncTransaction", "SyncTransactions")

_GIVEN_UP = "its COMMIT was given up"

_logger = get_logger("transaction")


class SyncTransaction:
    """A block that commits at its good end and rolls back at an exception; nested blocks are savepoints.

    Args:
        options: How to begin, if this is the outermost block.
        enter: Opens the block.
        leave: Ends it, well or with an exception.
    """

    __slots__ = ("_block", "_enter", "_leave", "_options")

    def __init__(
        self,
        options: BeginOptions,
        enter: Callable[[BeginOptions], SyncResult[Block]],
        leave: Callable[[Block, BaseException | None], SyncResult[None]],
    ) -> None:
        self._options = options
        self._enter = enter
        self._leave = leave
        self._block: Block | None = None

    def __enter__(self) -> None:
        if self._block is not None:
            message = "This transaction() block is open already. Call transaction() once for every block."
            raise TransactionError(message)
        self._block = self._enter(self._options)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._block is not None:
            block, self._block = self._block, None
            self._leave(block, error)


class SyncTransactions(SyncRawConnection):
    """The part of a session that begins and ends transactions."""

    def begin(self, *, isolation: IsolationLevel | None = None, read_only: bool = False) -> None:
        """Begin a transaction; ``commit()`` or ``rollback()`` ends it.

        In a web request this makes the request's own transaction yours.

        Args:
            isolation: The isolation level; None for the database's default.
            read_only: The transaction only reads. SQLite begins IMMEDIATE otherwise.

        Raises:
            TransactionError: A transaction is open, or the database has no such level.
        """
        options = BeginOptions(isolation, read_only)
        with self._turn:
            self._check_usable()
            record = self._transaction
            if record is None:
                self._begin(options, explicit=True)
            elif record.explicit or record.blocks:
                message = f"A transaction is open already ({record.opened_by}). Use transaction() for nested ones."
                raise TransactionError(message)
            elif options != BeginOptions():
                message = "isolation and read_only must be given before the first statement of the request."
                raise TransactionError(message)
            else:
                record.explicit = True

    def commit(self) -> None:
        """Make the open transaction's work permanent. Without an open transaction nothing happens.

        Raises:
            TransactionAbortedError: The transaction failed or ended before; nothing of it was saved.
            CommitOutcomeUnknownError: The connection was lost during COMMIT.
            TransactionError: Inside a ``transaction()`` block, which commits by itself; after ``set_rollback_only()``.
            DatabaseError: The database refused (deferred constraints, serialization); all is rolled back.
        """
        try:
            with self._turn:
                self._check_open()
                self._check_outside_blocks("commit()")
                self._check_not_rollback_only("commit()")
                try:
                    self._commit_open()
                finally:
                    self._rest()
        finally:
            self._run_due_hooks()

    def rollback(self) -> None:
        """Undo the open transaction's work. Without an open transaction nothing happens.

        Raises:
            TransactionError: Inside a ``transaction()`` block: raise an exception there instead.
        """
        try:
            with self._turn:
                self._check_open()
                self._check_outside_blocks("rollback()")
                self._roll_back_open()
                self._rest()
        finally:
            self._run_due_hooks()

    def transaction(self, *, isolation: IsolationLevel | None = None, read_only: bool = False) -> SyncTransaction:
        """A block that commits at its end and rolls back when an exception leaves it; nested ones are savepoints.

        Args:
            isolation: As in ``begin()``, for an outermost block.
            read_only: As in ``begin()``, for an outermost block.

        Raises:
            ConcurrentTransactionError: On entering, if another task's block is open on this session.
        """
        return SyncTransaction(BeginOptions(isolation, read_only), self._enter_block, self._leave_block)

    def on_commit(self, hook: Callable[[], object]) -> None:
        """Run ``hook`` (a function, or one that gives an awaitable) once the open transaction has committed.

        What it raises is logged, since the commit has happened. A hook inside a block that is rolled back is dropped.

        Raises:
            TransactionError: No transaction is open.
        """
        self._hook("commit", hook)

    def on_rollback(self, hook: Callable[[], object]) -> None:
        """Run ``hook`` once the open transaction was rolled back.

        Raises:
            TransactionError: No transaction is open.
        """
        self._hook("rollback", hook)

    # Blocks

    def _enter_block(self, options: BeginOptions) -> Block:
        with self._turn:
            self._check_usable()
            owner = sync_owner()
            if self._transaction is not None and any(block.owner != owner for block in self._transaction.blocks):
                message = (
                    "Another task has a transaction() block open on this session. Blocks nest within one task only: "
                    "give each task a session of its own, with provide_session(config)."
                )
                raise ConcurrentTransactionError(message)
            block = self._open_block(options, owner)
            if self._transaction is not None:
                self._transaction.blocks.append(block)
            return block

    def _open_block(self, options: BeginOptions, owner: object) -> Block:
        record = self._transaction
        if record is None:
            joins = self._implicit is not None and not self._blocks_commit
            record = self._begin(options, explicit=not joins)
            return Block(owner, None, not joins, 0, is_outermost=True)
        commits = not record.explicit and not record.blocks and self._blocks_commit
        if not self.wire.dialect.savepoints:
            return Block(owner, None, commits, len(record.hooks))
        savepoint = f"sqlspec_{len(record.blocks) + 1}"
        self._command(f"SAVEPOINT {savepoint}")
        return Block(owner, savepoint, commits, len(record.hooks))

    def _leave_block(self, block: Block, error: BaseException | None) -> None:
        try:
            with self._turn:
                try:
                    self._end_block(block, error)
                finally:
                    self._rest()
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"Rolling back failed too: {failure}")  # and never hides what came first
        finally:
            self._run_due_hooks()

    def _end_block(self, block: Block, error: BaseException | None) -> None:
        record = self._transaction
        if record is None or block not in record.blocks:
            if error is not None:
                return
            message = "The transaction of this block was ended inside it, by a statement or by closing the session."
            raise TransactionAbortedError(message)
        level = record.blocks.index(block)
        del record.blocks[level:]
        self._close_streams("the transaction() block that it was read in ended", depth=level + 1)
        if record.lost is not None:
            self._end_lost_block(block, record, error)
        elif error is None:
            self._end_block_well(block, record)
        elif block.is_outermost:
            self._roll_back_open()
        elif block.savepoint is None:
            self._lose("a transaction() block inside it failed, and this database can't undo a part")
        else:
            sync_finish(self._undo_block(block, record))

    def _end_lost_block(self, block: Block, record: TransactionRecord, error: BaseException | None) -> None:
        if block.is_outermost and record.explicit:  # else its owner is outside, and has yet to learn of it
            self._ended(_outcome_of(record))
        if error is None:
            raise record.aborted()

    def _end_block_well(self, block: Block, record: TransactionRecord) -> None:
        if not block.is_outermost and record.failed is not None:
            aborted = record.aborted()
            if block.savepoint is not None:
                sync_finish(self._undo_block(block, record))
            raise aborted
        if block.savepoint is not None:
            self._command(f"RELEASE SAVEPOINT {block.savepoint}")
        if block.commits:
            if self._rollback_only:
                self._roll_back_open()
            self._check_not_rollback_only("a transaction() block")
            self._commit_open()

    def _undo_block(self, block: Block, record: TransactionRecord) -> None:
        del record.hooks[block.hooks :]
        self._command(f"ROLLBACK TO SAVEPOINT {block.savepoint}")
        self._command(f"RELEASE SAVEPOINT {block.savepoint}")
        record.failed = None

    # Ending what is open

    def _commit_open(self, *, last: bool = False) -> None:
        """Commit. Whatever comes of it, the transaction is over.

        Args:
            last: The connection goes back at once.
        """
        record = self._transaction
        if record is None:
            return
        if self._streams:
            self._close_streams("the transaction that it read in was committed")
        if record.lost is not None:
            raise record.aborted()
        try:
            sync_finish(self._send_commit(record, last))
        finally:
            if self._transaction is record and record.lost is None:  # given up, and still under way
                self._interrupted(_GIVEN_UP, unknown=True)

    def _send_commit(self, record: TransactionRecord, last: bool) -> None:
        try:
            if record.failed is not None:
                aborted = record.aborted()
                self._roll_back_or_close()
                raise aborted
            if self._step("commit", "COMMIT", last=last) == "ROLLBACK":
                raise record.aborted()  # PostgreSQL says it by the tag only
        except ConnectionLostError as error:
            self._lose_unknown(record, "its connection was lost during COMMIT")
            raise CommitOutcomeUnknownError(LOST_IN_COMMIT) from error.__cause__
        except CommitOutcomeUnknownError:
            self._lose_unknown(record, "its COMMIT was cancelled")
            raise
        except SQLSpecError:
            if not record.unknown:  # else it comes too late: its session went on without it
                self._undo_failed_commit()
                self._ended("rollback")
            raise
        except BaseException:  # nobody knows what the server makes of it
            self._lose_unknown(record, _GIVEN_UP)
            raise
        if not record.unknown:
            self._ended("commit")

    def _lose_unknown(self, record: TransactionRecord, cause: str) -> None:
        """It may have been saved or not: its owner must not go on as if he knew (S14)."""
        record.lost, record.unknown, self._ready = f"{cause}, so its outcome is unknown", True, None

    def _undo_failed_commit(self) -> None:
        """SQLite keeps a transaction open whose COMMIT failed; nobody shall commit it later by mistake."""
        checkout = self._checkout
        if checkout is not None and self.wire.in_transaction(checkout.connection):
            try:
                self._command("ROLLBACK")
            except SQLSpecError as error:
                _logger.warning("rolling back after a failed COMMIT failed too: %s", error)

    def _roll_back_open(self) -> None:
        """Roll back: a connection on which that fails is closed, which rolls back too."""
        record = self._transaction
        if record is None:
            return
        if self._streams:
            self._close_streams("the transaction that it read in was rolled back")
        if record.lost is None:
            sync_finish(self._send_rollback())
        else:
            self._ended(_outcome_of(record))

    def _send_rollback(self) -> None:
        try:
            self._roll_back_or_close()
        finally:
            self._ended("rollback")

    def _lose(self, cause: str) -> None:
        """Roll back, and let the owner of the transaction know when he goes on with it (S14)."""
        record = self._transaction
        if record is not None and record.lost is None:
            record.lost, self._ready = cause, None  # first: it is lost whatever becomes of what follows
            self._close_streams(cause)
            sync_finish(self._roll_back_or_close())

    def _ended(self, outcome: str) -> None:
        """The transaction is over: forget it. Its hooks for this outcome are due once the turn is left."""
        record, self._transaction, self._ready = self._transaction, None, None
        if record is not None:
            self._due_hooks += tuple(hook for wanted, hook in record.hooks if wanted == outcome)

    # Hooks

    def _hook(self, outcome: str, hook: Callable[[], object]) -> None:
        self._check_open()
        if self._transaction is not None:
            self._transaction.hooks.append((outcome, hook))
        elif self._implicit is not None:
            self._waiting_hooks += ((outcome, hook),)
        else:
            message = f"on_{outcome}() needs an open transaction: outside one every statement has its outcome already."
            raise TransactionError(message)

    def _release_waiting_hooks(self, outcome: str) -> None:
        """Hooks of a request in which no transaction was ever begun: there was nothing that could fail."""
        waiting, self._waiting_hooks = self._waiting_hooks, ()
        self._due_hooks += tuple(hook for wanted, hook in waiting if wanted == outcome)

    def _run_due_hooks(self) -> None:
        """All of them, also when the caller is cancelled: the outcome that they wait for has come."""
        if self._due_hooks:
            hooks, self._due_hooks = self._due_hooks, ()
            sync_finish(self._run_hooks(hooks))

    def _run_hooks(self, hooks: tuple[Callable[[], object], ...]) -> None:
        for hook in hooks:
            try:
                sync_settled(hook())
            except BaseException as error:
                if not (isinstance(error, Exception) or sync_is_stray(error)):
                    raise
                _logger.exception("a hook failed; the outcome that it was told of stands")

    # Checks

    def _check_usable(self) -> None:
        self._check_open()
        record = self._transaction
        if record is not None and (record.lost is not None or record.failed is not None):
            raise record.aborted()
        self._check_no_stream()

    def _check_outside_blocks(self, what: str) -> None:
        if self._transaction is not None and self._transaction.blocks:
            message = f"{what} can't be used inside a transaction() block, which ends by itself. Leave the block first."
            raise TransactionError(message)


def _outcome_of(record: TransactionRecord) -> str:
    """Of a transaction that was lost: no hook is told what nobody knows."""
    return "unknown" if record.unknown else "rollback"
