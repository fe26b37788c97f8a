"""What a session knows about its transaction: who opened it, which blocks and hooks are in it, what failed first.

Plain records, and for drivers that can't be asked, which connections have a transaction open. Sending SQL is the
shell's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlspec.core.facts import LexicalFacts
from sqlspec.core.lexer import lex
from sqlspec.core.traits import traits_of
from sqlspec.exceptions import TransactionAbortedError

if TYPE_CHECKING:
    from collections.abc import Callable

    Hook = tuple[str, Callable[[], object]]

__all__ = ("Block", "OpenTransactions", "TransactionRecord")


class Block:
    """One level of ``transaction()``.

    Attributes:
        owner: The task or thread that opened it.
        savepoint: Its name; None for a block that is the whole transaction, and where the database has no savepoints.
        commits: Whether its good end commits the whole transaction.
        hooks: How many hooks there were before it.
        is_outermost: It began the transaction.
    """

    __slots__ = ("commits", "hooks", "is_outermost", "owner", "savepoint")

    def __init__(
        self, owner: object, savepoint: str | None, commits: bool, hooks: int, *, is_outermost: bool = False
    ) -> None:
        self.owner = owner
        self.is_outermost = is_outermost
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
        unknown: It may have been committed when it was lost.
        writes: How many statements may have changed something.
    """

    __slots__ = ("blocks", "explicit", "failed", "hooks", "lost", "opened_by", "unknown", "unseen", "writes")

    def __init__(self, opened_by: str, *, explicit: bool) -> None:
        self.opened_by = opened_by
        self.explicit = explicit
        self.blocks: list[Block] = []
        self.hooks: list[Hook] = []
        self.failed: str | None = None
        self.lost: str | None = None
        self.unknown = False
        self.unseen = False
        self.writes = 0

    def aborted(self) -> TransactionAbortedError:
        """The error for whoever goes on with a transaction that can't be saved any more."""
        if self.lost is not None:
            saved = "Nothing of it was saved"
            if self.unknown:
                saved = "What of it was saved can only be seen in the database"
            message = f"This transaction is gone: {self.lost}. {saved}. Call rollback(), start again."
        else:
            message = (
                f"This transaction was aborted by a statement that failed{': ' + self.failed if self.failed else ''}\n"
                "Nothing of it can be saved. Call rollback(); or put what may fail into transaction()."
            )
        return TransactionAbortedError(message, statement=self.failed)


class OpenTransactions:
    """Which connections have a transaction open, judged by what was sent: for drivers that can't be asked.

    An adapter notes every command, and every statement that controls transactions (``plan.controls_transaction``),
    after it succeeded; and forgets a connection when it closes it.
    """

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[int, Any] = {}  # with the connection, so that its number is not given to another one

    def note(self, connection: Any, sql: str) -> None:
        """Remember what a statement did that was just sent."""
        is_open = _leaves_open(sql)
        if is_open:
            self._open[id(connection)] = connection
        elif is_open is not None:
            self.forget(connection)

    def is_open(self, connection: Any) -> bool:
        """Whether a transaction is open on it, aborted ones included."""
        return id(connection) in self._open

    def forget(self, connection: Any) -> None:
        """It is closed, or known to have no transaction."""
        self._open.pop(id(connection), None)


@lru_cache(maxsize=256)
def _leaves_open(sql: str) -> bool | None:
    """Whether a transaction is open after a statement; None if that is as it was before."""
    code = lex(sql, LexicalFacts()).code
    traits = traits_of(code)
    if traits.verb in ("BEGIN", "START") and traits.controls_transaction:
        return True
    if traits.ends_transaction:
        words = code.upper().split()
        return "CHAIN" in words and "NO" not in words
    return None
