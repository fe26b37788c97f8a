"""set_rollback_only() beats every commit of the session on which it was called: W12."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import TransactionError
from tests.support.configs import AsyncSqlite, AsyncSqliteDriver

INSERT = "INSERT INTO items VALUES (?, ?)"
COUNT = "SELECT count(*) FROM items"


async def count(config: AsyncSqlite) -> Any:
    """What others see."""
    async with config.provide_session() as other:
        return await other.select_value(COUNT)


async def test_commit_refuses_before_anything_is_sent(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """The transaction is open as before, and can be rolled back."""  # W12
    heard: list[str] = []
    await db.begin()
    db.on_rollback(lambda: heard.append("rollback"))
    await db.execute(INSERT, 1, "a")
    db.set_rollback_only()
    with pytest.raises(TransactionError, match=r"set_rollback_only.*commit\(\) can't save"):
        await db.commit()
    assert (heard, await db.select_value(COUNT)) == ([], 1)
    await db.rollback()
    assert (heard, await count(config)) == (["rollback"], 0)


@pytest.mark.parametrize("statement", ["COMMIT", "END"])
async def test_a_statement_is_refused_too(db: AsyncSqliteDriver, config: AsyncSqlite, statement: str) -> None:
    """COMMIT sent as SQL."""  # W12
    await db.begin()
    await db.execute(INSERT, 1, "a")
    db.set_rollback_only()
    with pytest.raises(TransactionError, match="set_rollback_only"):
        await db.execute(statement)
    assert await db.select_value(COUNT) == 1
    await db.execute("ROLLBACK")
    assert await count(config) == 0


async def test_a_block_that_would_commit_rolls_back_and_says_so(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """Whether it was called before the block or in it; an error that leaves the block stays the only one."""  # W12
    heard: list[str] = []
    for _ in range(2):
        with pytest.raises(TransactionError, match=r"set_rollback_only.*block can't save"):
            async with db.transaction():
                db.on_rollback(lambda: heard.append("rollback"))
                db.on_commit(lambda: heard.append("commit"))
                await db.execute(INSERT, 1, "a")
                db.set_rollback_only()
    with pytest.raises(KeyError):
        async with db.transaction():
            raise KeyError
    assert heard == ["rollback", "rollback"]
    assert await count(config) == 0


async def test_a_request_whose_blocks_commit(config: AsyncSqlite) -> None:
    """The outermost one, first or after other statements; a savepoint inside it just ends."""  # W12
    for first in (False, True):
        db = config.create_session(implicit=BeginOptions(), blocks_commit=True)
        if first:
            await db.execute(INSERT, 1, "a")
        db.set_rollback_only()
        with pytest.raises(TransactionError, match="set_rollback_only"):
            async with db.transaction(), db.transaction():
                await db.execute(INSERT, 2, "b")
        await db.settle(commit=False, reason="done")
        assert await count(config) == 0
        await db.close()


async def test_a_request_whose_outcome_decides(config: AsyncSqlite) -> None:
    """Blocks that join end well: nothing was to be committed there."""  # W12
    db = config.create_session(implicit=BeginOptions())
    db.set_rollback_only()
    async with db.transaction():
        await db.execute(INSERT, 1, "a")
    with pytest.raises(TransactionError, match="set_rollback_only"):
        await db.commit()
    await db.settle(commit=False, reason="done")
    assert await count(config) == 0
    await db.close()
