"""GENERATED from tests/_async/test_observers.py by tools/unasync.py: do not edit. What observers are told of a session: every checkout, every step of a transaction, every statement with its rows."""

from __future__ import annotations

import pytest

from sqlspec.core.observe import Event, StatementEvent, TransactionEvent
from sqlspec.exceptions import UniqueViolationError
from tests.support.configs import SyncSqlite, SyncSqliteDriver

INSERT = "INSERT INTO items VALUES (?, ?)"


class Listener:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.begun: list[Event] = []
        self.ended_events: list[Event] = []
        self.errors: list[BaseException | None] = []

    def started(self, event: Event) -> None:
        self.begun.append(event)

    def ended(self, event: Event, error: BaseException | None) -> None:
        self.ended_events.append(event)
        self.errors.append(error)

    def told(self) -> list[str]:
        """What has ended since the last call, in words."""
        assert {id(event) for event in self.begun} == {id(event) for event in self.ended_events}
        told = [describe(event) for event in self.ended_events]
        self.begun.clear()
        self.ended_events.clear()
        return told


def describe(event: Event) -> str:
    assert event.started_at > 0
    assert event.duration > 0
    assert event.dialect == "sqlite"
    if isinstance(event, StatementEvent):
        batch = "" if event.batch_size is None else f" x {event.batch_size}"
        return f"{event.verb}{batch}: {event.rows}"
    return event.step if isinstance(event, TransactionEvent) else "checkout"


@pytest.fixture
def listener(config: SyncSqlite) -> Listener:
    """Listens to all sessions of the config."""
    listener = Listener()
    config.observers.append(listener)
    return listener


def test_a_statement_tells_its_rows_and_a_session_its_checkout(config: SyncSqlite, listener: Listener) -> None:
    """Returned rows, or affected ones; a connection is taken once."""  # S2
    with config.provide_session() as db:
        db.execute(INSERT, 1, "a")
        assert listener.told() == ["checkout", "INSERT: 1"]
        db.execute(INSERT, 2, "b")
        assert listener.told() == ["INSERT: 1"]
        assert len(db.select("SELECT * FROM items")) == 2
        assert listener.told() == ["SELECT: 2"]
        assert db.select_value("SELECT count(*) FROM items") == 2
        assert listener.told() == ["SELECT: 1"]
        db.execute("UPDATE items SET name = 'c'")
        assert listener.told() == ["UPDATE: 2"]
    assert listener.told() == []


def test_the_name_of_the_config_is_told(config: SyncSqlite, listener: Listener) -> None:
    """Its adapter's if it has none; and the statement as it was written."""  # S1
    with config.provide_session() as db:
        db.select("SELECT  :n", {"n": 1})
        config.name = "main"
        db.select("SELECT  :n", {"n": 1})
    assert [event.config for event in listener.begun] == [config.adapter, config.adapter, "main"]
    assert [event.statement for event in listener.begun if isinstance(event, StatementEvent)] == ["SELECT  :n"] * 2


def test_the_steps_of_a_transaction_are_told(
    config: SyncSqlite, listener: Listener, db: SyncSqliteDriver
) -> None:
    """A block, begin() with commit() or rollback(), what a session's end rolls back; a savepoint is none."""  # S4 S5
    with db.transaction():
        db.execute(INSERT, 1, "a")
        with db.transaction():
            db.execute(INSERT, 2, "b")
    assert listener.told() == ["checkout", "begin", "INSERT: 1", "INSERT: 1", "commit"]
    db.begin()
    db.commit()
    db.begin()
    db.rollback()
    assert listener.told() == ["begin", "commit", "begin", "rollback"]
    with config.provide_session() as other:
        other.begin()
    assert listener.told() == ["checkout", "begin", "rollback"]


def test_many_rows_are_one_event(listener: Listener, db: SyncSqliteDriver) -> None:
    """With their number; in the transaction of their own, or in the one that is open."""  # P7
    db.execute_many(INSERT, [(1, "a"), (2, "b")])
    assert listener.told() == ["checkout", "begin", "INSERT x 2: 2", "commit"]
    with db.transaction():
        db.execute_many(INSERT, [(3, "c")])
    assert listener.told() == ["begin", "INSERT x 1: 1", "commit"]


def test_a_stream_is_told_when_it_is_opened(listener: Listener, db: SyncSqliteDriver) -> None:
    """How many rows it will have nobody can tell."""  # S15
    with db.select_stream("SELECT 1 UNION ALL SELECT 2", schema_type=int, chunk_size=1) as rows:
        assert listener.told() == ["checkout", "SELECT: None"]
        assert [row for row in rows] == [1, 2]
    assert listener.told() == []


def test_failures_are_told(listener: Listener, db: SyncSqliteDriver) -> None:
    """The exception that the user gets, of a statement and of many."""  # E1
    db.execute(INSERT, 1, "a")
    assert listener.told() == ["checkout", "INSERT: 1"]
    with pytest.raises(UniqueViolationError) as failed:
        db.execute(INSERT, 1, "a")
    assert listener.told() == ["INSERT: None"]
    assert listener.errors[-1] is failed.value
    with pytest.raises(UniqueViolationError):
        db.execute_many(INSERT, [(2, "b"), (1, "again")])
    assert listener.told() == ["begin", "INSERT x 2: None", "rollback"]
    assert [type(error) for error in listener.errors[-2:]] != [type(None), type(None)]
