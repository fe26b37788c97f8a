"""What observers are told of a session: every checkout, every step of a transaction, every statement with its rows."""

from __future__ import annotations

import pytest

from sqlspec.core.observe import Event, StatementEvent, TransactionEvent
from sqlspec.exceptions import UniqueViolationError
from tests.support.configs import AsyncSqlite, AsyncSqliteDriver

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
def listener(config: AsyncSqlite) -> Listener:
    """Listens to all sessions of the config."""
    listener = Listener()
    config.observers.append(listener)
    return listener


async def test_a_statement_tells_its_rows_and_a_session_its_checkout(config: AsyncSqlite, listener: Listener) -> None:
    """Returned rows, or affected ones; a connection is taken once."""  # S2
    async with config.provide_session() as db:
        await db.execute(INSERT, 1, "a")
        assert listener.told() == ["checkout", "INSERT: 1"]
        await db.execute(INSERT, 2, "b")
        assert listener.told() == ["INSERT: 1"]
        assert len(await db.select("SELECT * FROM items")) == 2
        assert listener.told() == ["SELECT: 2"]
        assert await db.select_value("SELECT count(*) FROM items") == 2
        assert listener.told() == ["SELECT: 1"]
        await db.execute("UPDATE items SET name = 'c'")
        assert listener.told() == ["UPDATE: 2"]
    assert listener.told() == []


async def test_the_name_of_the_config_is_told(config: AsyncSqlite, listener: Listener) -> None:
    """Its adapter's if it has none; and the statement as it was written."""  # S1
    async with config.provide_session() as db:
        await db.select("SELECT  :n", {"n": 1})
        config.name = "main"
        await db.select("SELECT  :n", {"n": 1})
    assert [event.config for event in listener.begun] == [config.adapter, config.adapter, "main"]
    assert [event.statement for event in listener.begun if isinstance(event, StatementEvent)] == ["SELECT  :n"] * 2


async def test_the_steps_of_a_transaction_are_told(
    config: AsyncSqlite, listener: Listener, db: AsyncSqliteDriver
) -> None:
    """A block, begin() with commit() or rollback(), what a session's end rolls back; a savepoint is none."""  # S4 S5
    async with db.transaction():
        await db.execute(INSERT, 1, "a")
        async with db.transaction():
            await db.execute(INSERT, 2, "b")
    assert listener.told() == ["checkout", "begin", "INSERT: 1", "INSERT: 1", "commit"]
    await db.begin()
    await db.commit()
    await db.begin()
    await db.rollback()
    assert listener.told() == ["begin", "commit", "begin", "rollback"]
    async with config.provide_session() as other:
        await other.begin()
    assert listener.told() == ["checkout", "begin", "rollback"]


async def test_many_rows_are_one_event(listener: Listener, db: AsyncSqliteDriver) -> None:
    """With their number; in the transaction of their own, or in the one that is open."""  # P7
    await db.execute_many(INSERT, [(1, "a"), (2, "b")])
    assert listener.told() == ["checkout", "begin", "INSERT x 2: 2", "commit"]
    async with db.transaction():
        await db.execute_many(INSERT, [(3, "c")])
    assert listener.told() == ["begin", "INSERT x 1: 1", "commit"]


async def test_a_stream_is_told_when_it_is_opened(listener: Listener, db: AsyncSqliteDriver) -> None:
    """How many rows it will have nobody can tell."""  # S15
    async with db.select_stream("SELECT 1 UNION ALL SELECT 2", schema_type=int, chunk_size=1) as rows:
        assert listener.told() == ["checkout", "SELECT: None"]
        assert [row async for row in rows] == [1, 2]
    assert listener.told() == []


async def test_failures_are_told(listener: Listener, db: AsyncSqliteDriver) -> None:
    """The exception that the user gets, of a statement and of many."""  # E1
    await db.execute(INSERT, 1, "a")
    assert listener.told() == ["checkout", "INSERT: 1"]
    with pytest.raises(UniqueViolationError) as failed:
        await db.execute(INSERT, 1, "a")
    assert listener.told() == ["INSERT: None"]
    assert listener.errors[-1] is failed.value
    with pytest.raises(UniqueViolationError):
        await db.execute_many(INSERT, [(2, "b"), (1, "again")])
    assert listener.told() == ["begin", "INSERT x 2: None", "rollback"]
    assert [type(error) for error in listener.errors[-2:]] != [type(None), type(None)]
