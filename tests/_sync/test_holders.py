"""GENERATED from tests/_async/test_holders.py by tools/unasync.py: do not edit. Who holds a connection, in what order they are named, and what comes back as no connection any more: F1 F4 S9 S15."""

from __future__ import annotations

import logging

import pytest

from sqlspec.exceptions import LockTimeoutError, PoolTimeoutError
from tests.support.configs import SyncSqlite, sync_like

INSERT = "INSERT INTO items VALUES (?, ?)"
COUNT = "SELECT count(*) FROM items"


def test_holders_are_named_from_the_longest_on_with_short_statements(config: SyncSqlite) -> None:
    """Whoever looks for a leak finds it first; a statement is one line of 120 characters."""  # F4
    small = sync_like(config, max_size=3)
    with small.provide_session() as one, small.provide_session() as two, small.provide_session() as three:
        for number, session in enumerate((one, two, three)):
            session.select_value(f"SELECT\n  {number} AS holder_{number}, '{'x' * 500}'")
        for _ in range(2):  # the last statement is not what counts
            one.select_value(f"SELECT 0 AS holder_0, '{'x' * 500}'")
        with small.provide_session() as other:
            with pytest.raises(PoolTimeoutError) as failed:
                other.select_value(COUNT)
    lines = str(failed.value).splitlines()[1:]
    found = [line.rpartition("last statement: ")[2] for line in lines]
    assert [statement[:24] for statement in found] == [f"SELECT {n} AS holder_{n}, 'x"[:24] for n in range(3)]
    assert [len(statement) for statement in found] == [120, 120, 120]
    small.close()


def test_a_begin_that_fails_gives_its_connection_back(config: SyncSqlite) -> None:
    """A session that borrows holds nothing because another has the write lock."""  # S15 F1
    quick = sync_like(config, timeout=0.02)
    with config.provide_session() as writer, quick.provide_session(hold=False) as db:
        writer.begin()
        for begin in (db.begin, db.transaction().__enter__):
            with pytest.raises(LockTimeoutError):
                begin()
            assert quick.connections.holders == []
        with pytest.raises(LockTimeoutError):
            db.execute_many(INSERT, [(1, "a")])
        assert quick.connections.holders == []
        writer.rollback()
        db.execute_many(INSERT, [(1, "a")])
    quick.close()


def test_a_connection_that_its_user_closed_does_not_come_back(
    config: SyncSqlite, caplog: pytest.LogCaptureFixture
) -> None:
    """The next one gets another, and nothing is to be said about it."""  # F1
    one = sync_like(config, max_size=1)
    with one.provide_connection() as connection:
        connection.close()
    assert one.connections.pool.size == 0
    with one.provide_session() as db:
        assert db.select_value(COUNT) == 0
    assert caplog.records == []
    one.close()


def test_hooks_of_a_transaction_that_a_statement_ended_are_dropped_aloud(
    config: SyncSqlite, caplog: pytest.LogCaptureFixture
) -> None:
    """One warning that names the statement; none where no hook waits."""  # S9
    heard: list[str] = []
    with config.provide_session() as db:
        db.begin()
        db.on_commit(lambda: heard.append("commit"))
        db.execute("COMMIT")
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert record.getMessage().startswith("hooks are dropped")
        assert "COMMIT" in record.getMessage()
        caplog.clear()
        db.begin()
        db.execute("COMMIT")
        db.begin()
        db.commit()
    assert heard == []
    assert caplog.records == []
