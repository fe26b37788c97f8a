"""A database that can't be reached is the same error everywhere, at once, and nothing is left open: E2 E4 E5, C2."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from sqlspec._async.config import AsyncDatabaseConfig
from sqlspec.exceptions import ConnectionFailedError, PoolTimeoutError
from sqlspec.testing.compliance.adapter import BREAKS, Database, where

if TYPE_CHECKING:
    from sqlspec.registry import Config

AT_ONCE = 3.0
"""Seconds. Far below the 30 that a caller waits for a free connection, far above what a refusal takes."""


async def opened(config: Config) -> None:
    """As a web application does at its start."""
    if isinstance(config, AsyncDatabaseConfig):
        await config.open()
    else:
        config.open()


def check(error: ConnectionFailedError, config: Config, seconds: float) -> None:
    """The target is named, the driver's own word is there, and no secret is."""
    assert str(error).startswith(f"Could not connect to {config.target}: ")
    assert len(str(error)) > len(f"Could not connect to {config.target}: ") + 5
    assert error.__cause__ is not None
    assert "geheim" not in f"{error!r} {error} {error.__dict__}"
    assert seconds < AT_ONCE
    assert config.connections.holders == []


@where("server")
@pytest.mark.parametrize("fault", BREAKS)
async def test_a_database_that_can_not_be_reached(
    database: Database, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By the first statement, by BEGIN, by opening the pool; again and again; and the log is silent."""  # E2 E4 E5
    config = database.broken_config(fault)
    for _ in range(2):
        started = time.monotonic()
        with pytest.raises(ConnectionFailedError) as failed:
            async with database.session(config) as db:
                await db.select_value("SELECT 1")
        check(failed.value, config, time.monotonic() - started)
        started = time.monotonic()
        with pytest.raises(ConnectionFailedError) as failed:
            async with database.session(config) as db:
                await db.begin()
        check(failed.value, config, time.monotonic() - started)
    started = time.monotonic()
    with pytest.raises(ConnectionFailedError) as failed:
        await opened(config)
    check(failed.value, config, time.monotonic() - started)
    assert "geheim" not in caplog.text
    assert "geheim" not in repr(config)


async def test_a_pool_opens_what_it_was_told_and_no_more(database: Database) -> None:
    """min_size 0 contacts nobody: a database that can't be reached is no error before it is wanted."""  # C2
    config = database.new_config({"min_size": 0, "max_size": 2})
    await opened(config)
    async with database.session(config) as db:
        assert await db.select_value("SELECT 1") == 1
    if database.can("server"):
        nowhere = database.new_config({**database.adapter.broken["down"](database.pool_config), "min_size": 0})
        await opened(nowhere)
        with pytest.raises(ConnectionFailedError):
            async with database.session(nowhere) as db:
                await db.select_value("SELECT 1")


async def test_a_pool_is_as_large_as_it_was_told(database: Database) -> None:
    """Two sessions at a time with max_size 2; the third waits, and is told who has them."""  # C1 F4
    config = database.new_config({"min_size": 1, "max_size": 2}, acquire_timeout=0.2)
    async with database.session(config) as one, database.session(config) as two:
        assert await one.select_value("SELECT 1") == 1
        assert await two.select_value("SELECT 1") == 1
        with pytest.raises(PoolTimeoutError, match=r"Holders:\n  - .*/compliance/.*last statement: SELECT 1"):
            async with database.session(config) as three:
                await three.select_value("SELECT 1")
    async with database.session(config) as three:
        assert await three.select_value("SELECT 1") == 1


async def test_a_closed_pool_opens_again(database: Database) -> None:
    """close_pool() is repeatable and not final."""  # S16
    for _ in range(2):
        async with database.session() as db:
            assert await db.select_value("SELECT 1") == 1
        for _ in range(2):
            await database.close()
