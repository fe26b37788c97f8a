"""Sessions that begin a transaction by themselves, as web requests do: S9 S14, W10 W12 W14."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import StatementTimeoutError, TransactionAbortedError
from tests.support.configs import AsyncSqlite, AsyncSqliteDriver

INSERT = "INSERT INTO items VALUES (?, ?)"
COUNT = "SELECT count(*) FROM items"
SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000000) SELECT max(i) FROM n"


def request_session(config: AsyncSqlite, *, blocks_commit: bool = False) -> AsyncSqliteDriver:
    """A session as a web plugin makes it."""
    return config.create_session(implicit=BeginOptions(), blocks_commit=blocks_commit)


async def count(config: AsyncSqlite) -> Any:
    """What others see."""
    async with config.provide_session() as other:
        return await other.select_value(COUNT)


async def test_hooks_before_the_first_statement_belong_to_its_transaction(config: AsyncSqlite) -> None:
    """They hear of its outcome, once, and not of the next one's."""  # S9 W9
    db = request_session(config)
    heard: list[str] = []
    db.on_commit(lambda: heard.append("commit"))
    db.on_rollback(lambda: heard.append("rollback"))
    await db.execute(INSERT, 1, "a")
    await db.rollback()
    assert heard == ["rollback"]
    await db.execute(INSERT, 2, "b")
    await db.settle(commit=True, reason="done")
    assert heard == ["rollback"]
    assert await count(config) == 1
    await db.close()


async def test_a_lost_transaction_survives_its_block(config: AsyncSqlite) -> None:
    """Whoever swallows the block's error has nothing to commit: the outcome is a failed commit."""  # S14 W14
    for before in (True, False):
        db = request_session(config)
        if before:
            await db.execute(INSERT, 1, "a")
        with pytest.raises(StatementTimeoutError):
            await lose_in_a_block(db)
        with pytest.raises(TransactionAbortedError, match="took longer"):
            await db.execute(INSERT, 3, "c")
        with pytest.raises(TransactionAbortedError, match="took longer"):
            await db.settle(commit=True, reason="done")
        await db.close()
    assert await count(config) == 0


async def lose_in_a_block(db: AsyncSqliteDriver) -> None:
    async with db.transaction():
        await db.execute(INSERT, 2, "b")
        await db.select(SLOW, timeout=0.02)


async def test_only_the_outermost_block_of_a_request_commits(config: AsyncSqlite) -> None:
    """A block inside it is a savepoint, whatever ``blocks_commit`` says."""  # W10 S4
    db = request_session(config, blocks_commit=True)
    await db.select_value(COUNT)
    async with db.transaction():
        await db.execute(INSERT, 1, "a")
        async with db.transaction():
            await db.execute(INSERT, 2, "b")
        assert await count(config) == 0
    assert await count(config) == 2
    await db.close()


async def test_a_block_in_a_transaction_that_was_begun_does_not_commit(config: AsyncSqlite) -> None:
    """begin() made it the user's, and so did commit() and rollback()."""  # W10 S4
    db = request_session(config, blocks_commit=True)
    await db.begin()
    async with db.transaction():
        await db.execute(INSERT, 1, "a")
    assert await count(config) == 0
    await db.rollback()
    assert await count(config) == 0
    await db.close()
