"""What can be observed: statements, transactions and checkouts, by an object with two methods.

The shell makes an event only if somebody listens; by default nobody does. Logging, tracing and metrics are observers
and live in ``observability``. Events hold statement texts and counts, never parameter values.

An observer is called in the thread or task that runs the statement, before and after it. It must not block, and what
it raises is the shell's to log and to swallow: watching never changes what happens.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

__all__ = ("CheckoutEvent", "Event", "Observer", "StatementEvent", "TransactionEvent")


class _Timed:
    """What all events have.

    Attributes:
        config: The name of the config.
        dialect: ``"postgres"``, ``"sqlite"`` …
        started_at: Seconds since the epoch (``time.time()``).
        duration: Seconds, measured by a steady clock; 0.0 until the end.
    """

    __slots__ = ("config", "dialect", "duration", "started_at")

    def __init__(self, config: str, dialect: str, started_at: float) -> None:
        self.config = config
        self.dialect = dialect
        self.started_at = started_at
        self.duration = 0.0


class StatementEvent(_Timed):
    """One statement, or one batch of ``execute_many``.

    Attributes:
        statement: The text as the user wrote it.
        verb: Its main verb in upper case, for span names and labels.
        batch_size: The number of parameter sets of ``execute_many``; None for a single statement.
        rows: Rows returned, or affected where none can be returned; None until the end and where nobody can tell.
    """

    __slots__ = ("batch_size", "rows", "statement", "verb")

    def __init__(
        self, config: str, dialect: str, started_at: float, *, statement: str, verb: str, batch_size: int | None = None
    ) -> None:
        super().__init__(config, dialect, started_at)
        self.statement = statement
        self.verb = verb
        self.batch_size = batch_size
        self.rows: int | None = None


class TransactionEvent(_Timed):
    """One step of a transaction.

    Attributes:
        step: What was done.
    """

    __slots__ = ("step",)

    def __init__(
        self, config: str, dialect: str, started_at: float, *, step: Literal["begin", "commit", "rollback"]
    ) -> None:
        super().__init__(config, dialect, started_at)
        self.step: Literal["begin", "commit", "rollback"] = step


class CheckoutEvent(_Timed):
    """Taking a connection from the pool: the duration is what the session waited.

    Attributes:
        size: Connections that the pool has open; None until the end and where its pool can't tell.
        idle: How many of them are free; None likewise.
    """

    __slots__ = ("idle", "size")

    def __init__(self, config: str, dialect: str, started_at: float) -> None:
        super().__init__(config, dialect, started_at)
        self.size: int | None = None
        self.idle: int | None = None


Event: TypeAlias = StatementEvent | TransactionEvent | CheckoutEvent


class Observer(Protocol):
    """Whoever wants to know. Both methods get the same event object, so an observer can match its start and end."""

    def started(self, event: Event) -> None:
        """Something is about to happen."""

    def ended(self, event: Event, error: BaseException | None) -> None:
        """It has happened, or failed with this error (cancellation included)."""
