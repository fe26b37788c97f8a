"""Pools: exhausted, held for long, opened by many, closed: C2 C3 E5 F4 S10 S16 X1."""

from __future__ import annotations

import asyncio
import time
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.exceptions import (
    PoolTimeoutError,
)

if TYPE_CHECKING:
    from sqlspec.testing.compliance import Database


# Exhausted


async def test_an_exhausted_pool_says_who_holds_it(database: Database) -> None:
    """PoolTimeoutError lists place, time and last statement of each holder; the slot is usable afterwards."""  # F4
    config = database.new_config({"max_size": 2}, acquire_timeout=0.1)
    async with database.session(config) as first, database.session(config) as second:
        await first.select_value("SELECT 4711 AS first_holder")
        await second.begin()
        started = time.monotonic()
        async with database.session(config) as third:
            with pytest.raises(PoolTimeoutError) as failed:
                await third.select_value("SELECT 1")
            assert 0.05 < time.monotonic() - started < 5
            message = str(failed.value)
            assert message.count(__file__) == 2
            assert "SELECT 4711 AS first_holder" in message
            assert "BEGIN" in message
            assert "acquire_timeout" in message
            await second.rollback()
            await second.close()
            assert await third.select_value("SELECT 1") == 1


async def test_no_value_is_in_the_list_of_holders(database: Database) -> None:
    """Statements are shown, parameters are not."""  # E5
    config = database.new_config({"max_size": 1}, acquire_timeout=0.05)
    async with database.session(config) as holder, database.session(config) as other:
        await holder.select_value("SELECT CAST(? AS CHAR(6))", "geheim")
        with pytest.raises(PoolTimeoutError) as failed:
            await other.select_value("SELECT 1")
    assert "geheim" not in "".join(traceback.format_exception(failed.value))


async def test_waiting_without_limit(database: Database) -> None:
    """``acquire_timeout=None`` waits until one is free."""  # F4 C3
    config = database.new_config({"max_size": 1}, acquire_timeout=None)
    async with database.session(config) as holder:
        await holder.select_value("SELECT 1")

        async def wait_for_it() -> Any:
            async with database.session(config) as db:
                return await db.select_value("SELECT 2")

        waiting = asyncio.ensure_future(wait_for_it())
        assert not (await asyncio.wait((waiting,), timeout=0.05))[0]
    assert await waiting == 2


async def test_a_long_hold_is_logged(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """``leak_threshold`` names the place when the connection comes back at last."""  # C3
    config = database.new_config(leak_threshold=0.02)
    async with database.session(config) as db:
        await db.select_value("SELECT 1")
    assert caplog.records == []
    async with database.session(config) as db:
        await db.select_value("SELECT 1")
        await asyncio.sleep(0.03)
    (record,) = caplog.records
    assert "leak_threshold" in record.getMessage()
    assert __file__ in record.getMessage()


async def test_connections_are_replaced_when_old(database: Database) -> None:
    """After ``max_lifetime`` the next session gets another connection."""  # C3
    config = database.new_config({"max_size": 1}, max_lifetime=0.02)
    raw: list[Any] = []
    for _ in range(3):
        async with database.session(config) as db:
            raw.append(await underlying(db))
            await asyncio.sleep(0.03)
    assert len({id(connection) for connection in raw}) == 3


async def underlying(db: Any) -> Any:
    """The connection itself, not asyncpg's proxy of the moment."""
    connection = await db.acquire_connection()
    return getattr(connection, "_con", connection)


# Opened by many


async def test_a_hundred_first_uses_open_one_pool(database: Database) -> None:
    """And never more connections than ``max_size``."""  # X1 S10
    config: Any = database.new_config({"max_size": 3, "min_size": 2})
    pools: set[int] = set()

    async def use() -> None:
        pools.add(id(config.connections))
        async with database.session(config) as db:
            assert await db.select_value("SELECT 1") == 1
            pools.add(id(config.connections))

    await asyncio.gather(*(use() for _ in range(100)))
    assert len(pools) == 1
    pool = config.connections.pool
    size = pool.get_size() if database.adapter.name == "asyncpg" else pool.size
    assert 2 <= size <= 3


@pytest.mark.parametrize("min_size", [0, 1, 3])
async def test_opening_opens_exactly_min_size(database: Database, min_size: int) -> None:
    """0 contacts nobody."""  # C2
    config: Any = database.new_config({"min_size": min_size})
    await config.open()
    pool = config.connections.pool
    assert (pool.get_size() if database.adapter.name == "asyncpg" else pool.size) == min_size


async def test_closing_is_not_final(database: Database) -> None:
    """Twice is no error, the next use opens a new pool, and holders of the old one end well."""  # S16 S10
    spec = SQLSpec()
    config: Any = spec.add_config(database.new_config())
    async with database.session(config) as db:
        assert await db.select_value("SELECT 1") == 1
    first = spec.get_pool(config)
    await spec.close_pool(config)
    await spec.close_pool(config)
    assert not config.is_open
    async with database.session(config) as db:
        assert await db.select_value("SELECT 1") == 1
    assert spec.get_pool(config) is not first
    await spec.close_all_pools()
    await spec.close_all_pools()


class StubbornConfig(SqliteConfig):
    """A database whose pool complains when it is closed."""

    def close_pool(self, pool: Any) -> None:
        super().close_pool(pool)
        raise OSError("stubborn")


async def test_errors_while_closing_are_raised_together(database: Database) -> None:
    """After every pool was tried, sync ones too; a second call has nothing left to do."""  # S10 S16
    spec = SQLSpec()
    configs: list[Any] = [spec.add_config(config) for config in (StubbornConfig(), database.config, StubbornConfig())]
    for config in configs:
        async with database.session(config) as db:
            assert await db.select_value("SELECT 1") == 1
    with pytest.raises(ExceptionGroup) as failed:
        await spec.close_all_pools()
    assert [str(error) for error in failed.value.exceptions] == ["stubborn", "stubborn"]
    assert [config.is_open for config in configs] == [False, False, False]
    await spec.close_all_pools()


def test_sync_pools_are_closed_without_a_loop() -> None:
    """``close_all_sync_pools()``, the end of ``with SQLSpec()``, and a single error as it is."""  # S10 S16
    with SQLSpec() as spec:
        config = spec.add_config(SqliteConfig())
        stubborn = spec.add_config(StubbornConfig())
        spec.add_config(AiosqliteConfig())
        for each in (config, stubborn):
            with spec.provide_session(each) as db:
                db.select_value("SELECT 1")
        with pytest.raises(OSError, match="stubborn"):
            spec.close_all_sync_pools()
        assert (config.is_open, stubborn.is_open) == (False, False)
        with spec.provide_session(config) as db:
            assert db.select_value("SELECT 1") == 1
    assert config.connections.pool.size == 0


def test_a_stubborn_sync_pool_does_not_keep_the_others_open() -> None:
    """All are tried, also those after the first that fails, and the errors are raised together."""  # S10
    spec = SQLSpec()
    configs = [spec.add_config(config) for config in (StubbornConfig(), SqliteConfig(), StubbornConfig())]
    for config in configs:
        config.open()
    with pytest.raises(ExceptionGroup) as failed:
        spec.close_all_sync_pools()
    assert [str(error) for error in failed.value.exceptions] == ["stubborn", "stubborn"]
    assert [config.is_open for config in configs] == [False, False, False]
