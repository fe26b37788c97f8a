"""GENERATED from tests/_async/test_request_sessions.py by tools/unasync.py: do not edit. Sessions that begin a transaction by themselves, as web requests do: S9 S14, W10 W12 W14."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import StatementTimeoutError, TransactionAbortedError
from tests.support.configs import SyncSqlite, SyncSqliteDriver

INSERT = "INSERT INTO items VALUES (?, ?)"
COUNT = "SELECT count(*) FROM items"
SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000000) SELECT max(i) FROM n"


def request_session(config: SyncSqlite, *, blocks_commit: bool = False) -> SyncSqliteDriver:
    """A session as a web plugin makes it."""
    return config.create_session(implicit=BeginOptions(), blocks_commit=blocks_commit)


def count(config: SyncSqlite) -> Any:
    """What others see."""
    with config.provide_session() as other:
        return other.select_value(COUNT)


def test_hooks_before_the_first_statement_belong_to_its_transaction(config: SyncSqlite) -> None:
    """They hear of its outcome, once, and not of the next one's."""  # S9 W9
    db = request_session(config)
    heard: list[str] = []
    db.on_commit(lambda: heard.append("commit"))
    db.on_rollback(lambda: heard.append("rollback"))
    db.execute(INSERT, 1, "a")
    db.rollback()
    assert heard == ["rollback"]
    db.execute(INSERT, 2, "b")
    db.settle(commit=True, reason="done")
    assert heard == ["rollback"]
    assert count(config) == 1
    db.close()


def test_a_lost_transaction_survives_its_block(config: SyncSqlite) -> None:
    """Whoever swallows the block's error has nothing to commit: the outcome is a failed commit."""  # S14 W14
    for before in (True, False):
        db = request_session(config)
        if before:
            db.execute(INSERT, 1, "a")
        with pytest.raises(StatementTimeoutError):
            lose_in_a_block(db)
        with pytest.raises(TransactionAbortedError, match="took longer"):
            db.execute(INSERT, 3, "c")
        with pytest.raises(TransactionAbortedError, match="took longer"):
            db.settle(commit=True, reason="done")
        db.close()
    assert count(config) == 0


def lose_in_a_block(db: SyncSqliteDriver) -> None:
    with db.transaction():
        db.execute(INSERT, 2, "b")
        db.select(SLOW, timeout=0.02)


def test_only_the_outermost_block_of_a_request_commits(config: SyncSqlite) -> None:
    """A block inside it is a savepoint, whatever ``blocks_commit`` says."""  # W10 S4
    db = request_session(config, blocks_commit=True)
    db.select_value(COUNT)
    with db.transaction():
        db.execute(INSERT, 1, "a")
        with db.transaction():
            db.execute(INSERT, 2, "b")
        assert count(config) == 0
    assert count(config) == 2
    db.close()


def test_a_block_in_a_transaction_that_was_begun_does_not_commit(config: SyncSqlite) -> None:
    """begin() made it the user's, and so did commit() and rollback()."""  # W10 S4
    db = request_session(config, blocks_commit=True)
    db.begin()
    with db.transaction():
        db.execute(INSERT, 1, "a")
    assert count(config) == 0
    db.rollback()
    assert count(config) == 0
    db.close()
