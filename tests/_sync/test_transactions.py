"""GENERATED from tests/_async/test_transactions.py by tools/unasync.py: do not edit. Transactions of a session, its hooks, and those that a web request begins by itself: S4-S6 S9 S14, W9-W16."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

import pytest

from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import (
    IntegrityError,
    SessionClosedError,
    StatementTimeoutError,
    TransactionAbortedError,
    TransactionError,
    UniqueViolationError,
)
from tests.support.configs import SyncSqlite, SyncSqliteDriver, sync_like

INSERT = "INSERT INTO items VALUES (?, ?)"
COUNT = "SELECT count(*) FROM items"
SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000000) SELECT max(i) FROM n"


def count(config: SyncSqlite) -> Any:
    """What others see."""
    with config.provide_session() as other:
        return other.select_value(COUNT)


def test_sqlite_begins_immediate(db: SyncSqliteDriver, config: SyncSqlite) -> None:
    """Unless it only reads: a second writer waits at BEGIN, a reader does not."""  # S4
    quick = sync_like(config, timeout=0.05)
    db.begin()
    with quick.provide_session() as other:
        with pytest.raises(Exception, match="locked"):
            other.begin()
        other.begin(read_only=True)
        assert other.select_value(COUNT) == 0
        other.rollback()
    db.rollback()
    quick.close()


def test_nothing_but_leaving_ends_a_block(db: SyncSqliteDriver) -> None:
    """begin(), commit() and rollback() inside one are errors that change nothing."""  # S4
    with db.transaction():
        db.execute(INSERT, 1, "a")
        for call in (db.begin, db.commit, db.rollback):
            with pytest.raises(TransactionError):
                call()
    assert db.select_value(COUNT) == 1


def test_a_block_is_opened_once(db: SyncSqliteDriver) -> None:
    """One object is one block at a time; afterwards it can be used again."""  # S4
    block = db.transaction()
    with block:
        with pytest.raises(TransactionError, match="once"):
            with block:
                pass
        db.execute(INSERT, 1, "a")
    with block:
        db.execute(INSERT, 2, "b")
    assert db.select_value(COUNT) == 2


def test_blocks_inside_an_explicit_transaction_are_savepoints(db: SyncSqliteDriver, config: SyncSqlite) -> None:
    """Their good end commits nothing; commit() does."""  # S4
    db.begin()
    with db.transaction():
        db.execute(INSERT, 1, "a")
    with pytest.raises(UniqueViolationError):
        with db.transaction():
            db.execute(INSERT, 2, "b")
            db.execute(INSERT, 1, "again")
    assert count(config) == 0
    db.commit()
    assert count(config) == 1


def test_deep_blocks(db: SyncSqliteDriver, config: SyncSqlite) -> None:
    """Thirty levels, every third one fails."""  # S4

    def descend(level: int) -> None:
        if level == 30:
            return
        with db.transaction():
            db.execute(INSERT, level, "x")
            try:
                descend(level + 1)
            except KeyError:
                db.execute(INSERT, 100 + level, "caught")
            if level % 3 == 2:
                raise KeyError(level)

    descend(0)
    assert count(config) == 3  # levels 0 and 1, and the note of 1 that 2 failed


def test_a_block_ended_by_a_statement_says_so(db: SyncSqliteDriver, config: SyncSqlite) -> None:
    """COMMIT inside a block: what it committed stays, and the block does not pretend."""  # S4 S6
    with pytest.raises(TransactionAbortedError, match="ended inside it"):
        with db.transaction():
            db.execute(INSERT, 1, "a")
            db.execute("COMMIT")
    assert count(config) == 1
    with db.transaction():
        db.execute(INSERT, 2, "b")
    assert count(config) == 2


def test_an_error_in_a_block_that_a_statement_ended_is_the_only_one(db: SyncSqliteDriver) -> None:
    """There is nothing left to roll back, and nothing to add."""  # E3
    with pytest.raises(KeyError) as failed:
        with db.transaction():
            db.execute("ROLLBACK")
            raise KeyError
    assert not hasattr(failed.value, "__notes__")
    assert db.select_value(COUNT) == 0


def test_a_failed_clean_up_does_not_hide_the_first_error(db: SyncSqliteDriver, config: SyncSqlite) -> None:
    """It is a note on it."""  # E3
    with db.transaction():
        db.execute(INSERT, 1, "a")
        with pytest.raises(KeyError) as failed:
            with db.transaction():
                db.execute("RELEASE SAVEPOINT sqlspec_2")  # now there is nothing to go back to
                raise KeyError
        assert "no such savepoint" in "".join(failed.value.__notes__)
    assert count(config) == 1


def test_a_failed_commit_leaves_nothing_open(db: SyncSqliteDriver, config: SyncSqlite) -> None:
    """SQLite keeps such a transaction open; nobody shall commit it later."""  # S6
    db.execute("CREATE TABLE parts (item INTEGER REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED)")
    heard: list[str] = []
    db.begin()
    db.on_rollback(lambda: heard.append("rollback"))
    db.on_commit(lambda: heard.append("commit"))
    db.execute("INSERT INTO parts VALUES (99)")
    with pytest.raises(IntegrityError):
        db.commit()
    assert heard == ["rollback"]
    db.commit()
    assert db.select_value("SELECT count(*) FROM parts") == 0
    db.begin()
    db.rollback()
    assert count(config) == 0


def test_a_lost_transaction_is_lost_until_its_end(db: SyncSqliteDriver, config: SyncSqlite) -> None:
    """Inside blocks of two levels, too: neither ends well, and the hooks hear of the rollback."""  # S14 S9
    heard: list[str] = []
    with pytest.raises(TransactionAbortedError, match="took longer"):
        with db.transaction():
            db.on_commit(lambda: heard.append("commit"))
            db.on_rollback(lambda: heard.append("rollback"))
            db.execute(INSERT, 1, "a")
            with pytest.raises(TransactionAbortedError, match="took longer"):
                with db.transaction():
                    with pytest.raises(StatementTimeoutError):
                        db.select(SLOW, timeout=0.05)
                    with pytest.raises(TransactionAbortedError):
                        db.select_value(COUNT)
    assert heard == ["rollback"]
    db.execute(INSERT, 2, "b")
    assert count(config) == 1


def test_a_lost_transaction_ends_with_its_session(config: SyncSqlite) -> None:
    """Nothing of it was saved, and the pool is whole."""  # S14
    with config.provide_session() as db:
        db.begin()
        db.execute(INSERT, 1, "a")
        with pytest.raises(StatementTimeoutError):
            db.select(SLOW, timeout=0.05)
    assert count(config) == 0
    with config.provide_session() as one, config.provide_session() as two, config.provide_session() as three:
        for other in (one, two, three):
            other.select_value(COUNT)


def test_a_conflict_clause_that_rolls_back_loses_the_transaction(db: SyncSqliteDriver) -> None:
    """``INSERT OR ROLLBACK`` ends the transaction in the database: commit() must not say that all is well."""  # S14
    db.execute(INSERT, 1, "a")
    db.begin()
    db.execute(INSERT, 2, "b")
    with pytest.raises(UniqueViolationError):
        db.execute("INSERT OR ROLLBACK INTO items VALUES (1, 'again')")
    with pytest.raises(TransactionAbortedError, match="ended it"):
        db.commit()
    db.rollback()
    assert db.select_value(COUNT) == 1


# Hooks


def test_hooks_need_a_transaction(db: SyncSqliteDriver) -> None:
    """Outside one every statement has its outcome already."""  # S9
    with pytest.raises(TransactionError, match="on_commit"):
        db.on_commit(print)
    with pytest.raises(TransactionError, match="on_rollback"):
        db.on_rollback(print)


def test_hooks_run_after_the_outcome_in_order(db: SyncSqliteDriver, config: SyncSqlite) -> None:
    """They may use the session themselves; those of an undone block are dropped, those before it stay."""  # S9
    seen: list[Any] = []

    def look() -> None:
        seen.append(count(config))
        seen.append(db.select_value(COUNT))
        db.execute(INSERT, 50, "by the hook")

    with db.transaction():
        db.execute(INSERT, 1, "a")
        db.on_commit(look)
        with db.transaction():
            db.on_commit(lambda: seen.append("inner"))
        with pytest.raises(KeyError):
            with db.transaction():
                db.on_commit(lambda: seen.append("dropped"))
                db.on_rollback(lambda: seen.append("dropped too"))
                raise KeyError
        db.on_rollback(lambda: seen.append("rollback"))
        assert seen == []
    assert seen == [1, 1, "inner"]
    assert count(config) == 2


def test_a_failing_hook_changes_no_outcome(
    db: SyncSqliteDriver, config: SyncSqlite, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the next one runs."""  # S9
    seen: list[str] = []

    def fail() -> None:
        raise KeyError("hook")

    db.begin()
    db.execute(INSERT, 1, "a")
    db.on_commit(fail)
    db.on_commit(lambda: seen.append("next"))
    db.commit()
    assert seen == ["next"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert count(config) == 1


def test_hooks_at_the_end_of_a_session(config: SyncSqlite) -> None:
    """An open transaction is rolled back there: on_rollback hears of it."""  # S9 S5
    seen: list[str] = []
    with config.provide_session() as db:
        db.begin()
        db.on_rollback(lambda: seen.append("rollback"))
        db.on_commit(lambda: seen.append("commit"))
    assert seen == ["rollback"]


# What a web request begins by itself


def implicit(config: SyncSqlite, *, blocks_commit: bool = False) -> SyncSqliteDriver:
    """A session as a web plugin makes it."""
    return config.create_session(implicit=BeginOptions(), blocks_commit=blocks_commit)


def test_an_implicit_session_begins_before_every_first_statement(config: SyncSqlite) -> None:
    """And after each commit or rollback again."""  # W9 W10
    db = implicit(config)
    db.execute(INSERT, 1, "a")
    assert db.pending_writes == 1
    assert count(config) == 0
    db.commit()
    assert count(config) == 1
    db.execute(INSERT, 2, "b")
    db.execute_many(INSERT, [(3, "c")])
    assert db.pending_writes == 2
    db.rollback()
    assert db.pending_writes == 0
    db.execute(INSERT, 4, "d")
    db.settle(commit=True, reason="done")
    assert count(config) == 2
    db.close()


@pytest.mark.parametrize("commit", [True, False])
def test_settling_decides_and_lets_go(config: SyncSqlite, commit: bool) -> None:
    """Afterwards every statement borrows a connection and commits by itself."""  # W11 W16
    db = implicit(config)
    heard: list[str] = []
    db.on_commit(lambda: heard.append("commit"))
    db.on_rollback(lambda: heard.append("rollback"))
    db.execute(INSERT, 1, "a")
    assert not db.is_idle
    db.settle(commit=commit, reason="the response began")
    db.start_body()
    assert config.connections.holders == []
    assert count(config) == int(commit)
    assert (heard, db.has_due_hooks) == ([], True)
    db.run_hooks()
    assert (heard, db.has_due_hooks) == (["commit" if commit else "rollback"], False)
    db.execute(INSERT, 2, "b")
    assert config.connections.holders == []
    assert count(config) == 1 + int(commit)
    with db.transaction():
        db.execute(INSERT, 3, "c")
        assert len(config.connections.holders) == 1
    db.close()


def test_settling_without_a_statement_runs_the_hooks_of_its_outcome(config: SyncSqlite) -> None:
    """There was nothing that could fail, and no connection is taken for it."""  # W11 S9
    db = implicit(config)
    heard: list[str] = []
    db.on_commit(lambda: heard.append("commit"))
    db.on_rollback(lambda: heard.append("rollback"))
    assert not db.is_idle
    db.settle(commit=True, reason="done")
    db.run_hooks()
    assert heard == ["commit"]
    assert config.connections.holders == []
    db.close()


def test_what_has_nothing_to_decide_is_settled_and_closed_at_once(config: SyncSqlite) -> None:
    """Without anything that could wait; from then on it borrows, and commits statement by statement."""  # W8 W16
    db = implicit(config)
    assert (db.is_idle, db.pending_writes) == (True, 0)
    db.start_body()
    db.execute(INSERT, 1, "a")
    assert config.connections.holders == []
    assert count(config) == 1
    db.begin()
    assert (db.is_idle, db.try_close("early")) == (False, False)
    db.rollback()
    assert db.try_close("done")
    assert db.try_close("again")
    with pytest.raises(SessionClosedError, match="closed: done"):
        db.select_value(COUNT)


def test_begin_makes_the_requests_transaction_the_users(config: SyncSqlite) -> None:
    """Options are too late then."""  # W10
    db = implicit(config)
    db.execute(INSERT, 1, "a")
    with pytest.raises(TransactionError, match="before the first statement"):
        db.begin(read_only=True)
    db.begin()
    with pytest.raises(TransactionError, match="open already"):
        db.begin()
    db.commit()
    assert count(config) == 1
    db.close()


@pytest.mark.parametrize("blocks_commit", [True, False])
def test_the_outermost_block_of_a_request(config: SyncSqlite, blocks_commit: bool) -> None:
    """It joins where the outcome decides, and commits where the user does."""  # W10 W12
    for first in (False, True):
        db = implicit(config, blocks_commit=blocks_commit)
        before = count(config)
        if first:
            db.select_value(COUNT)
        with db.transaction():
            db.execute("INSERT INTO items (name) VALUES ('a')")
        assert count(config) == before + int(blocks_commit)
        db.settle(commit=True, reason="done")
        assert count(config) == before + 1
        db.close()


def test_an_undone_block_leaves_the_rest_of_the_request(config: SyncSqlite) -> None:
    """Work before it is committed at the end."""  # S4 W12
    db = implicit(config)
    db.execute(INSERT, 1, "a")
    with pytest.raises(KeyError):
        fail_inside(db)
    db.settle(commit=True, reason="done")
    assert count(config) == 1
    db.close()


def fail_inside(db: SyncSqliteDriver) -> None:
    with db.transaction():
        db.execute(INSERT, 2, "b")
        raise KeyError


def test_a_lost_transaction_can_not_be_settled_well(config: SyncSqlite) -> None:
    """settle(commit=True) raises, settle(commit=False) does not; either way the connection is let go."""  # S14 W14
    for commit in (True, False):
        db = implicit(config)
        db.execute(INSERT, 1, "a")
        with pytest.raises(StatementTimeoutError):
            db.select(SLOW, timeout=0.05)
        if commit:
            with pytest.raises(TransactionAbortedError):
                db.settle(commit=True, reason="done")
        else:
            db.settle(commit=False, reason="done")
        assert count(config) == 0
        db.close()


def test_a_stream_open_while_settling_is_closed(config: SyncSqlite) -> None:
    """Its next row says why."""  # W16 S8
    db = implicit(config)
    db.execute_many(INSERT, [(n, "x") for n in range(5)])
    with db.select_stream("SELECT id FROM items", chunk_size=1) as rows:
        for _ in rows:
            break
        db.settle(commit=True, reason="open it inside the body")
        with pytest.raises(SessionClosedError, match="open it inside the body"):
            [row for row in rows]
    assert count(config) == 5
    db.close()


def test_rollback_only(config: SyncSqlite) -> None:
    """A flag for the plugin."""  # W12
    db = implicit(config)
    flags = [db.is_rollback_only]
    db.set_rollback_only()
    assert [*flags, db.is_rollback_only] == [False, True]
    db.close()


def test_a_rollback_that_is_refused_costs_the_connection(
    config: SyncSqlite, db: SyncSqliteDriver, caplog: pytest.LogCaptureFixture
) -> None:
    """Closing it rolls back too: what runs next on the session is no part of what was given up."""  # S5 E3

    def refuse_rollback(action: int, what: str | None, *_: str | None) -> int:
        return sqlite3.SQLITE_DENY if (action, what) == (sqlite3.SQLITE_TRANSACTION, "ROLLBACK") else sqlite3.SQLITE_OK

    db.call_connection("set_authorizer", (refuse_rollback,), {})
    db.begin()
    db.execute(INSERT, 1, "a")
    db.rollback()
    assert "ROLLBACK failed, the connection is closed instead" in caplog.text
    db.execute(INSERT, 2, "b")
    with config.provide_session() as other:
        assert other.select("SELECT id FROM items", schema_type=int) == [2]
