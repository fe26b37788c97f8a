"""What ends a transaction while its owner is being cancelled: blocks, hooks, and a COMMIT that never comes back."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import anyio
import pytest

from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.concurrency import FINISH_LIMIT
from tests.support.cable import cable

if TYPE_CHECKING:
    from sqlspec.testing.compliance import Database

pytestmark = pytest.mark.usefixtures("silence")

ITEMS = "CREATE TABLE items (id INTEGER PRIMARY KEY)"


async def test_a_block_that_anyio_cancels_rolls_back_and_leaves_the_session_well(database: Database) -> None:
    """The rollback runs where the cancelled scope can't reach it."""  # S4 S14 F1
    await database.run(ITEMS)
    async with database.session() as db:
        with anyio.move_on_after(0.05):
            async with db.transaction():
                await db.execute("INSERT INTO items (id) VALUES (1)")
                await anyio.sleep(5)
        assert await db.select_value("SELECT count(*) FROM items") == 0


async def test_an_inner_block_that_anyio_cancels_leaves_the_outer_one_whole(database: Database) -> None:
    """Only the inner block's work is undone."""  # S4
    await database.run(ITEMS)
    async with database.session() as db:
        async with db.transaction():
            await db.execute("INSERT INTO items (id) VALUES (1)")
            with anyio.move_on_after(0.05):
                async with db.transaction():
                    await db.execute("INSERT INTO items (id) VALUES (2)")
                    await anyio.sleep(5)
        assert await db.select("SELECT id FROM items", schema_type=int) == [1]


async def test_all_hooks_run_although_the_commit_is_cancelled_meanwhile(database: Database) -> None:
    """The outcome has come: who waits for it is told now, and never at another transaction's end."""  # S9
    await database.run(ITEMS)
    heard: list[str] = []

    async def slow() -> None:
        await asyncio.sleep(0.2)
        heard.append("slow")

    async with database.session() as db:
        await db.begin()
        await db.execute("INSERT INTO items (id) VALUES (1)")
        db.on_commit(slow)
        db.on_commit(lambda: heard.append("second"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await db.commit()
        assert heard == ["slow", "second"]
        await db.begin()
        await db.rollback()
        assert heard == ["slow", "second"]


async def test_a_cancelled_commit_does_not_wait_for_ever_for_a_network_that_is_gone(
    postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets some seconds to end, then the connection is given up; no hook is told what nobody knows."""  # F1 W19 S9
    assert FINISH_LIMIT <= 2
    monkeypatch.setattr("sqlspec.concurrency.FINISH_LIMIT", 0.1)
    monkeypatch.setattr("sqlspec._async.connection.SETTLE_DEADLINE", 0.1)
    heard: list[str] = []
    async with cable(postgres_dsn) as (between, near):
        config = AsyncpgConfig(pool_config={"dsn": near, "max_size": 1})

        async def save() -> None:
            async with config.provide_session() as db:
                await db.begin()
                await db.select_value("SELECT 1")
                db.on_commit(lambda: heard.append("commit"))
                db.on_rollback(lambda: heard.append("rollback"))
                between.cut = True
                async with asyncio.timeout(0.05):
                    await db.commit()

        task = asyncio.ensure_future(save())
        done, _ = await asyncio.wait((task,), timeout=5)
        assert done
        assert isinstance(task.exception(), TimeoutError)
        assert heard == []
        await config.close()


async def test_a_hook_that_awaits_something_cancelled_is_one_that_failed(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody cancelled the caller: it goes on, the next hook runs, and the failure is logged."""  # S9
    await database.run(ITEMS)
    heard: list[str] = []

    async def awaits() -> None:
        other = asyncio.ensure_future(asyncio.sleep(9))
        await asyncio.sleep(0)
        other.cancel()
        await other

    async with database.session() as db:
        await db.begin()
        await db.execute("INSERT INTO items (id) VALUES (1)")
        db.on_commit(awaits)
        db.on_commit(lambda: heard.append("second"))
        await db.commit()
        assert heard == ["second"]
        assert await db.select_value("SELECT count(*) FROM items") == 1
    assert [record.getMessage() for record in caplog.records] == [
        "a hook failed; the outcome that it was told of stands"
    ]
