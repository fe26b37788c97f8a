"""Pools in several event loops, and what lives in memory across them: S1 S10 S12 X1."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.exceptions import (
    ImproperConfigurationError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_each_loop_has_its_own_pool(tmp_path: Path, postgres_dsn: str) -> None:
    """And the pool of a closed loop is dropped with one ResourceWarning when the config is used again."""  # X1
    makers: list[Callable[[], Any]] = [
        lambda: AiosqliteConfig(pool_config={"database": tmp_path / "x.db"}),
        lambda: AsyncpgConfig(pool_config={"dsn": postgres_dsn}),
    ]
    for make in makers:
        config = make()
        pools: list[Any] = []

        async def use(close: bool, config: Any = config, pools: list[Any] = pools) -> None:
            async with config.provide_session() as db:
                assert await db.select_value("SELECT 1") == 1
            pools.append(config.connections.pool)
            if close:
                await config.close()

        asyncio.run(use(close=True))
        asyncio.run(use(close=True))
        assert pools[0] is not pools[1]
        quietly_left_open(use(close=False))
        with pytest.warns(ResourceWarning, match="event loop closed") as warned:
            asyncio.run(use(close=True))
        ours = [str(warning.message) for warning in warned if "event loop closed" in str(warning.message)]
        assert len(ours) == 1
        assert pools[2] is not pools[3]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # asyncpg and asyncio have their own to say
            pools.clear()
            gc.collect()


def quietly_left_open(work: Any) -> None:
    """Run to the end of a loop that leaves its pool open."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


def test_two_loops_at_once(tmp_path: Path) -> None:
    """Two threads, each with a loop, use one config at the same time."""  # X1
    config = AiosqliteConfig(pool_config={"database": tmp_path / "x.db"})
    together = threading.Barrier(2)

    async def work(token: int) -> int:
        async with config.provide_session() as db:
            await db.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER)")
            together.wait(10)
            for _ in range(20):
                await db.execute("INSERT INTO t VALUES (?)", token)
        pool = id(config.connections.pool)
        await config.close()
        return pool

    def run(token: int) -> int:
        return asyncio.run(work(token))

    with ThreadPoolExecutor(2) as threads:
        pools = list(threads.map(run, (1, 2)))
    assert pools[0] != pools[1]

    async def count_and_close() -> Any:
        async with config.provide_session() as db:
            found = await db.select_value("SELECT count(*) FROM t")
        await config.close()
        return found

    assert asyncio.run(count_and_close()) == 40


def test_memory_is_one_database_across_loops_and_sessions() -> None:
    """While a pool is open somewhere, every loop sees the same tables; afterwards it is empty."""  # S12
    config = AiosqliteConfig()

    async def write() -> None:
        async with config.provide_session() as one, config.provide_session() as two:
            await one.execute("CREATE TABLE t (id INTEGER)")
            await two.execute("INSERT INTO t VALUES (1)")
            assert await one.select_value("SELECT count(*) FROM t") == 1

    async def read() -> None:
        async with config.provide_session() as db:
            assert await db.select_value("SELECT count(*) FROM t") == 1
        await config.close()

    first = asyncio.new_event_loop()
    try:
        first.run_until_complete(write())
        for _ in range(3):
            asyncio.run(read())  # closes the pool of its own loop only
        first.run_until_complete(config.close())
    finally:
        first.close()

    async def look() -> Any:
        async with config.provide_session() as db:
            found = await db.select_value("SELECT count(*) FROM sqlite_master")
        await config.close()
        return found

    assert asyncio.run(look()) == 0


def test_memory_stays_while_another_loop_has_a_pool() -> None:
    """Even if that has no connection at the moment: closing here must not empty it there."""  # S12
    config = AiosqliteConfig(max_lifetime=1e-9)

    async def look_and_close() -> None:
        async with config.provide_session() as db:
            assert await db.select_value("SELECT count(*) FROM t") == 1
        await config.close()

    first = asyncio.new_event_loop()
    try:
        first.run_until_complete(write_one(config))
        asyncio.run(look_and_close())
        first.run_until_complete(look_and_close())
    finally:
        first.close()


async def write_one(config: AiosqliteConfig) -> None:
    """A table ``t`` with one row, and no connection left open."""
    async with config.provide_session() as db:
        await db.execute("CREATE TABLE t (id INTEGER)")
        await db.execute("INSERT INTO t VALUES (1)")
    assert config.connections.pool.size == 0


async def test_memory_honours_the_busy_time_out() -> None:
    """A second writer waits for the first instead of failing at once."""  # S12
    config = AiosqliteConfig(pool_config={"timeout": 5})
    async with config.provide_session() as one, config.provide_session() as two:
        await one.execute("CREATE TABLE t (id INTEGER)")
        await one.begin()
        await one.execute("INSERT INTO t VALUES (1)")
        waiting = asyncio.ensure_future(two.execute("INSERT INTO t VALUES (2)"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await one.commit()
        await waiting
        assert await one.select_value("SELECT count(*) FROM t") == 2
    await config.close()


def test_two_memory_configs_are_two_databases() -> None:
    """A config is compared by identity."""  # S1 S12
    one, two = SqliteConfig(), SqliteConfig()
    with one.provide_session() as first, two.provide_session() as second:
        first.execute("CREATE TABLE t (id INTEGER)")
        assert second.select_value("SELECT count(*) FROM sqlite_master") == 0
    one.close()
    two.close()


def test_a_pool_outside_a_loop_is_a_clear_error() -> None:
    """get_pool() of an async config needs a running loop."""  # X1 S10
    spec = SQLSpec()
    config = spec.add_config(AiosqliteConfig())
    with pytest.raises(ImproperConfigurationError, match="event loop"):
        spec.get_pool(config)
