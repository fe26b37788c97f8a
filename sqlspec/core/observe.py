"""What can be observed: statements, transactions and checkouts, by an object with two methods.

The shell makes an event only if somebody listens; by default nobody does. Logging, tracing and metrics are observers
and live in ``observability``. Events hold statement texts and counts, never parameter values.

An observer is called in the thread or task that runs the statement, before and after it. It must not block, and what
it raises is the shell's to log and to swallow: watching never changes what happens.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

__all__ = ("CheckoutEvent", "Event", "Observer", "StatementEvent", "TransactionEvent", "observing")

_logger = get_logger("observe")


class _Timed:
    """What all events have.

    Attributes:
        config: The name of the config.
        dialect: ``"postgres"``, ``"sqlite"`` …
        started_at: Seconds since the epoch (``time.time()``); 0.0 before the start.
        duration: Seconds, measured by a steady clock; 0.0 until the end.
    """

    __slots__ = ("config", "dialect", "duration", "started_at")

    def __init__(self, config: str, dialect: str) -> None:
        self.config = config
        self.dialect = dialect
        self.started_at = 0.0
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

    def __init__(self, config: str, dialect: str, *, statement: str, verb: str, batch_size: int | None = None) -> None:
        super().__init__(config, dialect)
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

    def __init__(self, config: str, dialect: str, *, step: Literal["begin", "commit", "rollback"]) -> None:
        super().__init__(config, dialect)
        self.step: Literal["begin", "commit", "rollback"] = step


class CheckoutEvent(_Timed):
    """Taking a connection from the pool: the duration is what the session waited."""

    __slots__ = ()


Event: TypeAlias = StatementEvent | TransactionEvent | CheckoutEvent


class Observer(Protocol):
    """Whoever wants to know. Both methods get the same event object, so an observer can match its start and end."""

    def started(self, event: Event) -> None:
        """Something is about to happen."""

    def ended(self, event: Event, error: BaseException | None) -> None:
        """It has happened, or failed with this error (cancellation included)."""


class observing:  # noqa: N801 (reads as what it does: ``with observing(observers, event):``)
    """Tell the observers before and after a block, with its duration and the exception that left it."""

    __slots__ = ("_clock", "_event", "_observers")

    def __init__(self, observers: Sequence[Observer], event: Event) -> None:
        self._observers = observers
        self._event = event
        self._clock = 0.0

    def __enter__(self) -> None:
        self._event.started_at = time.time()
        self._clock = time.perf_counter()
        for observer in self._observers:
            try:
                observer.started(self._event)
            except Exception:
                _logger.exception("an observer failed")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._event.duration = time.perf_counter() - self._clock
        for observer in self._observers:
            try:
                observer.ended(self._event, error)
            except Exception:
                _logger.exception("an observer failed")
