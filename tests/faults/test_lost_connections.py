"""Connections that die, idle or in use, and what may still be done on them: F1 F2 W9 W19 S10 S14 E3."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec._async.connection import SETTLE_DEADLINE
from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.exceptions import ConnectionLostError, TransactionAbortedError
from sqlspec.testing.compliance import Database, where
from tests.support.cable import cable

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase

pytestmark = pytest.mark.usefixtures("silence")

ITEMS = "CREATE TABLE items (id INTEGER PRIMARY KEY)"
DIE = {"postgres": "SELECT pg_terminate_backend(pg_backend_pid())", "mysql": "KILL CONNECTION_ID()"}
RUN = {"mysql": "query"}
"""The method of the driver's connection that runs a statement, where it is not ``execute``."""
BIG = {
    "mysql": "SELECT CONNECTION_ID(), REPEAT('x', 10000000)" + 5 * " UNION ALL SELECT 2, REPEAT('x', 10000000)",
}
"""Rows that do not all fit on the way, where streams are read from the wire."""


def run_of(database: Database) -> str:
    """The name of the driver's own method."""
    return RUN.get(database.dialect, "execute")


async def rested(config: Any) -> None:
    """Wait until nobody has a connection of it."""
    async with asyncio.timeout(5):
        while config.connections.holders:
            await asyncio.sleep(0.005)


# BEGIN


async def test_a_pool_of_dead_connections_costs_no_transaction(postgres_dsn: str) -> None:
    """BEGIN goes from one to the next until one lives: as many as the pool may hold."""  # F2 W9
    async with cable(postgres_dsn) as (between, near):
        config = AsyncpgConfig(pool_config={"dsn": near, "max_size": 4})
        sessions = [config.create_session() for _ in range(4)]
        for session in sessions:
            assert await session.select_value("SELECT 1") == 1
        for session in sessions:
            await session.close()
        between.fray()
        async with config.provide_session() as db, db.transaction():
            assert await db.select_value("SELECT 1") == 1
        await config.close()


async def test_begin_is_not_sent_again_where_something_ran(postgres_dsn: str) -> None:
    """The session's settings and temporary tables died with its connection: it must be told."""  # F2 W9 S15
    async with cable(postgres_dsn) as (between, near):
        config = AsyncpgConfig(pool_config={"dsn": near, "max_size": 2})
        async with config.provide_session() as db:
            await db.execute("SET application_name = 'mine'")
            between.fray()
            with pytest.raises(ConnectionLostError):
                await db.begin()
            await db.begin()
            await db.rollback()
        await config.close()


# The driver's own methods


async def test_a_method_of_the_driver_that_is_cancelled_loses_the_transaction(database: Database) -> None:
    """As a statement of ours would: the connection is settled, and the session says what became of it."""  # F1 S14 W6
    await database.run(ITEMS)
    config = database.new_config({"max_size": 1}, acquire_timeout=5)
    async with database.session(config) as db:
        await db.begin()
        await db.execute("INSERT INTO items (id) VALUES (1)")
        task = asyncio.ensure_future(db.call_connection(run_of(database), (database.phrase("slow"),), {}))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
        with pytest.raises(TransactionAbortedError, match=r"(execute|query)\(\) was interrupted by CancelledError"):
            await db.commit()
        await db.rollback()
        assert await db.select_value("SELECT count(*) FROM items") == 0
    await rested(config)


@where("kill", "async")
async def test_a_connection_lost_under_the_drivers_own_methods_is_replaced(database: Database) -> None:
    """Outside a transaction the next statement runs on another."""  # F1 W6
    async with database.session() as db:
        with pytest.raises(Exception, match=r"terminating connection|interrupted|killed"):
            await db.call_connection(run_of(database), (DIE[database.dialect],), {})
        if database.dialect == "mysql":  # which answers first, and hangs up then: now, or a moment later
            with suppress(ConnectionLostError):
                await db.select_value("SELECT 1")
        assert await db.select_value("SELECT 1") == 1


async def test_a_raw_connection_that_is_cancelled_does_not_go_back_as_it_is(database: Database) -> None:
    """What runs on it is stopped first: the next user of a pool of one is served within moments."""  # F1 W19
    config: Any = database.new_config({"max_size": 1}, acquire_timeout=5)
    await config.open()

    async def sleep_on_it() -> None:
        async with config.provide_connection() as connection:
            await getattr(connection, run_of(database))(database.phrase("slow"))

    task = asyncio.ensure_future(sleep_on_it())
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()
    async with asyncio.timeout(3), database.session(config) as db:
        await db.begin()
        assert await db.select_value("SELECT 1") == 1
        await db.rollback()
    await rested(config)


# Streams


async def read_and_die(database: Database, db: AsyncDriverAdapterBase, error: Exception | None) -> None:
    statement = BIG.get(database.dialect, "SELECT pg_backend_pid()")
    async with db.select_stream(statement, chunk_size=1) as rows:
        async for row in rows:
            await database.kill(next(iter(row.values())))
            if error is not None:
                raise error
            break


@where("kill", "async")
@pytest.mark.parametrize("hold", [True, False])
async def test_a_stream_that_can_not_be_closed_raises_nothing(
    database: Database, hold: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """All rows that were wanted were read: one warning is enough; and an error of the block arrives as it is."""  # E3
    async with database.session(hold=hold) as db:
        await read_and_die(database, db, None)
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert record.getMessage().startswith("closing a stream failed")
        raised = KeyError("mine")
        with pytest.raises(KeyError) as failed:
            await read_and_die(database, db, raised)
        assert failed.value is raised
        assert await db.select_value("SELECT 1") == 1
    await rested(database.config)


# Settling


async def cancelled_statement(db: AsyncDriverAdapterBase, statement: str) -> None:
    """One that was stopped in the middle."""
    task = asyncio.ensure_future(db.select(statement))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.wait((task,))


async def test_closing_a_pool_leaves_no_connection_behind(database: Database) -> None:
    """When close() returns, what was interrupted has come to rest and is closed, too."""  # W19 S10
    config: Any = database.new_config()
    for _ in range(3):
        connections = config.connections
        async with database.session(config) as db:
            await cancelled_statement(db, database.phrase("slow"))
            assert len(connections.holders) == (database.dialect != "mysql")  # there it is cut off at once
            await config.close()
            assert connections.holders == []


async def test_a_connection_that_does_not_come_to_rest_is_closed(
    postgres_dsn: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After two seconds at the most; here after a tenth of one."""  # W19
    assert SETTLE_DEADLINE <= 2
    monkeypatch.setattr("sqlspec._async.connection.SETTLE_DEADLINE", 0.1)
    async with cable(postgres_dsn) as (between, near):
        config = AsyncpgConfig(pool_config={"dsn": near, "max_size": 1, "min_size": 0}, acquire_timeout=5)
        async with config.provide_session() as db:
            await db.begin()
            assert await db.select_value("SELECT 1") == 1
            between.cut = True
            await cancelled_statement(db, "SELECT 2")
            assert len(config.connections.holders) == 1
            async with asyncio.timeout(1.5):
                await rested(config)
            between.cut = False
            await db.rollback()
            assert await db.select_value("SELECT 3") == 3
        await config.close()
    assert "did not come to rest" in caplog.text
