"""Observers: two methods, and events without values."""

from __future__ import annotations

import pytest

from sqlspec.core.observe import CheckoutEvent, Event, Observer, StatementEvent, TransactionEvent, observing


class Recorder:
    def __init__(self) -> None:
        self.seen: list[tuple[str, Event, BaseException | None]] = []

    def started(self, event: Event) -> None:
        self.seen.append(("started", event, None))

    def ended(self, event: Event, error: BaseException | None) -> None:
        self.seen.append(("ended", event, error))


def test_an_object_with_two_methods_is_an_observer() -> None:
    """For the type checkers, too: nothing has to be inherited."""
    recorder = Recorder()
    observer: Observer = recorder
    event = StatementEvent("main", "sqlite", statement="SELECT 1", verb="SELECT")
    observer.started(event)
    observer.ended(event, None)
    assert recorder.seen == [("started", event, None), ("ended", event, None)]


def test_events_say_what_a_tracer_needs_and_hold_nothing_else() -> None:  # E5
    statement = StatementEvent("main", "sqlite", statement="INSERT …", verb="INSERT", batch_size=2)
    transaction = TransactionEvent("main", "sqlite", step="commit")
    checkout = CheckoutEvent("main", "sqlite")
    for event in (statement, transaction, checkout):
        assert (event.config, event.dialect, event.started_at, event.duration) == ("main", "sqlite", 0.0, 0.0)
        assert not hasattr(event, "__dict__")
    assert (statement.statement, statement.verb, statement.batch_size, statement.rows) == (
        "INSERT …",
        "INSERT",
        2,
        None,
    )
    assert transaction.step == "commit"


class Broken:
    def started(self, event: Event) -> None:
        raise RuntimeError

    def ended(self, event: Event, error: BaseException | None) -> None:
        raise RuntimeError


def test_observers_are_told_before_and_after_and_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What an observer raises is logged, and the others are told all the same."""
    recorder = Recorder()
    event = CheckoutEvent("main", "sqlite")
    failure = ValueError("no")
    with pytest.raises(ValueError, match="no"), observing([Broken(), recorder], event):
        raise failure
    assert recorder.seen == [("started", event, None), ("ended", event, failure)]
    assert event.started_at > 0.0
    assert event.duration > 0.0
    assert [record.message for record in caplog.records] == ["an observer failed", "an observer failed"]
