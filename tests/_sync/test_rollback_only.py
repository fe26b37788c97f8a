"""GENERATED from tests/_async/test_rollback_only.py by tools/unasync.py: do not edit. set_rollback_only() beats every commit of the session on which it was called: W12."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import TransactionError
from tests.support.configs import SyncSqlite, SyncSqliteDriver

INSERT = "INSERT INTO items VALUES (?, ?)"
COUNT = "SELECT count(*) FROM items"


def count(config: SyncSqlite) -> Any:
    """What others see."""
    with config.provide_session() as other:
        return other.select_value(COUNT)


def test_commit_refuses_before_anything_is_sent(db: SyncSqliteDriver, config: SyncSqlite) -> None:
    """The transaction is open as before, and can be rolled back."""  # W12
    heard: list[str] = []
    db.begin()
    db.on_rollback(lambda: heard.append("rollback"))
    db.execute(INSERT, 1, "a")
    db.set_rollback_only()
    with pytest.raises(TransactionError, match=r"set_rollback_only.*commit\(\) can't save"):
        db.commit()
    assert (heard, db.select_value(COUNT)) == ([], 1)
    db.rollback()
    assert (heard, count(config)) == (["rollback"], 0)


@pytest.mark.parametrize("statement", ["COMMIT", "END"])
def test_a_statement_is_refused_too(db: SyncSqliteDriver, config: SyncSqlite, statement: str) -> None:
    """COMMIT sent as SQL."""  # W12
    db.begin()
    db.execute(INSERT, 1, "a")
    db.set_rollback_only()
    with pytest.raises(TransactionError, match="set_rollback_only"):
        db.execute(statement)
    assert db.select_value(COUNT) == 1
    db.execute("ROLLBACK")
    assert count(config) == 0


def test_a_block_that_would_commit_rolls_back_and_says_so(db: SyncSqliteDriver, config: SyncSqlite) -> None:
    """Whether it was called before the block or in it; an error that leaves the block stays the only one."""  # W12
    heard: list[str] = []
    for _ in range(2):
        with pytest.raises(TransactionError, match=r"set_rollback_only.*block can't save"):
            with db.transaction():
                db.on_rollback(lambda: heard.append("rollback"))
                db.on_commit(lambda: heard.append("commit"))
                db.execute(INSERT, 1, "a")
                db.set_rollback_only()
    with pytest.raises(KeyError):
        with db.transaction():
            raise KeyError
    assert heard == ["rollback", "rollback"]
    assert count(config) == 0


def test_a_request_whose_blocks_commit(config: SyncSqlite) -> None:
    """The outermost one, first or after other statements; a savepoint inside it just ends."""  # W12
    for first in (False, True):
        db = config.create_session(implicit=BeginOptions(), blocks_commit=True)
        if first:
            db.execute(INSERT, 1, "a")
        db.set_rollback_only()
        with pytest.raises(TransactionError, match="set_rollback_only"):
            with db.transaction(), db.transaction():
                db.execute(INSERT, 2, "b")
        db.settle(commit=False, reason="done")
        assert count(config) == 0
        db.close()


def test_a_request_whose_outcome_decides(config: SyncSqlite) -> None:
    """Blocks that join end well: nothing was to be committed there."""  # W12
    db = config.create_session(implicit=BeginOptions())
    db.set_rollback_only()
    with db.transaction():
        db.execute(INSERT, 1, "a")
    with pytest.raises(TransactionError, match="set_rollback_only"):
        db.commit()
    db.settle(commit=False, reason="done")
    assert count(config) == 0
    db.close()
