"""What a session knows about its transaction: who opened it, which blocks and hooks are in it, what failed first.

Plain records. Sending SQL is the shell's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlspec.exceptions import TransactionAbortedError

if TYPE_CHECKING:
    from collections.abc import Callable

    Hook = tuple[str, Callable[[], object]]

__all__ = ("Block", "TransactionRecord")


class Block:
    """One level of ``transaction()``.

    Attributes:
        owner: The task or thread that opened it.
        savepoint: Its name; None for a block that is the whole transaction.
        commits: Whether its good end commits the whole transaction.
        hooks: How many hooks there were before it.
    """

    __slots__ = ("commits", "hooks", "owner", "savepoint")

    def __init__(self, owner: object, savepoint: str | None, commits: bool, hooks: int) -> None:
        self.owner = owner
        self.savepoint = savepoint
        self.commits = commits
        self.hooks = hooks


class TransactionRecord:
    """An open transaction, or one that was lost and whose owner does not know yet.

    Attributes:
        opened_by: The statement that opened it, and where.
        explicit: Opened by the user; False for the one that a web request begins by itself.
        blocks: The open ``transaction()`` blocks, outermost first.
        hooks: What to run after the outcome is known: ("commit" or "rollback", function).
        failed: The statement that failed first, where that aborts the transaction.
        lost: Why it ended without its owner (rule S14), or None.
        writes: How many statements may have changed something.
    """

    __slots__ = ("blocks", "explicit", "failed", "hooks", "lost", "opened_by", "writes")

    def __init__(self, opened_by: str, *, explicit: bool) -> None:
        self.opened_by = opened_by
        self.explicit = explicit
        self.blocks: list[Block] = []
        self.hooks: list[Hook] = []
        self.failed: str | None = None
        self.lost: str | None = None
        self.writes = 0

    def aborted(self) -> TransactionAbortedError:
        """The error for whoever goes on with a transaction that can't be saved any more."""
        if self.lost is not None:
            message = f"This transaction is gone: {self.lost}. Nothing of it was saved. Call rollback(), start again."
        else:
            message = (
                f"This transaction was aborted by a statement that failed{': ' + self.failed if self.failed else ''}\n"
                "Nothing of it can be saved. Call rollback(); or put what may fail into transaction()."
            )
        return TransactionAbortedError(message, statement=self.failed)
