"""GENERATED from sqlspec/_async/wire.py by tools/unasync.py: do not edit. The primitives: all that an adapter has to write.

A wire talks to the database through a connection that it is handed, one call at a time, and keeps nothing between
calls. It lets its driver's exceptions through; the session catches them once and asks the dialect what they mean. It
knows no session, no pool and no transaction: what can be derived from these few methods is derived above.

Wire version 1. A change here is a change for every adapter, those of third parties too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlspec.core.facts import DialectFacts, ErrorFacts, ParameterStyle
    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.core.rows import Shape

__all__ = ("SyncRowSource", "SyncWire")

ConnectionT = TypeVar("ConnectionT")


class SyncRowSource(Protocol):
    """An open server-side cursor."""

    @property
    def shape(self) -> Shape:
        """The columns of the rows to come."""
        ...

    def fetch(self, count: int) -> Sequence[Any]:
        """The next rows, at most ``count``; none at the end."""
        ...

    def close(self) -> None:
        """Close the cursor; the connection stays."""
        ...


class SyncWire(ABC, Generic[ConnectionT]):
    """What one driver can do with one connection."""

    dialect: ClassVar[DialectFacts]
    style: ClassVar[ParameterStyle]
    errors: ClassVar[tuple[type[BaseException], ...]]
    """The driver's exceptions, and what else it lets out for values that it can't take."""
    streams_need_transaction: ClassVar[bool] = False
    """Cursors live in a transaction only (PostgreSQL)."""
    streams_block: ClassVar[bool] = False
    """An open cursor has its connection to itself, inside a transaction too (MySQL: the rest of the rows is on it)."""
    stops_statements: ClassVar[bool] = True
    """``interrupt`` (for async drivers: cancelling the call) ends a statement. Without it, time limits are refused."""
    many_is_atomic: ClassVar[bool] = False
    """``run_many`` is all or nothing by itself, outside a transaction too."""

    @abstractmethod
    def run(self, connection: ConnectionT, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement. ``limit``: no more rows than that will be looked at."""

    @abstractmethod
    def run_many(self, connection: ConnectionT, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        """Run one statement for many parameter sets; how many rows that changed, None if the driver can't tell."""

    @abstractmethod
    def command(self, connection: ConnectionT, sql: str) -> str | None:
        """Run a statement without parameters and rows (BEGIN, COMMIT …); the command tag, if the driver tells it."""

    def commit_last(self, connection: ConnectionT) -> str | None:
        """COMMIT, when the connection goes back to its pool at once: it may do what the pool does then, too.

        Raises:
            CommitOutcomeUnknownError: It can't be told which of both failed.
        """
        return self.command(connection, "COMMIT")

    @abstractmethod
    def open_stream(
        self, connection: ConnectionT, plan: Plan, sql: str, args: Any, chunk_size: int
    ) -> SyncRowSource:
        """Run one statement and leave its rows on the server."""

    @abstractmethod
    def in_transaction(self, connection: ConnectionT) -> bool:
        """Whether a transaction is open (aborted ones included), as the connection itself knows it. No round trip."""

    @abstractmethod
    def is_usable(self, connection: ConnectionT) -> bool:
        """False once the connection is known to be closed. No round trip."""

    @abstractmethod
    def interrupt(self, connection: ConnectionT) -> None:
        """Ask what runs on the connection to stop, from outside. Returns at once."""

    def cap_lock_wait(self, connection: ConnectionT, seconds: float | None) -> None:
        """Before and after a statement with a time limit, for drivers whose wait for locks ``interrupt`` can't end.

        Args:
            connection: Nothing runs on it.
            seconds: The statement's limit; None when it has ended.
        """

    @abstractmethod
    def read_error(self, error: BaseException) -> ErrorFacts:
        """What the driver's exception tells."""

    def recover(self, connection: ConnectionT) -> None:
        """After an interruption: stop what still runs, wait for it, and end an open transaction."""
        self.interrupt(connection)
        if self.in_transaction(connection):
            self.command(connection, "ROLLBACK")
