"""A session that is ended in haste while another task is in one of its statements: F1, and with it W19."""

from __future__ import annotations

import asyncio
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import SessionClosedError, SQLSpecError
from tests.compliance.targets import BY_NAME
from tests.faults.test_cancellation import INSERT, after, assert_quiet, settled, underway
from tests.support.cable import cable

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase
    from sqlspec.testing.compliance import Database

pytestmark = pytest.mark.usefixtures("silence")

ENDINGS = int(os.environ.get("SQLSPEC_TEST_CANCELLATIONS", "50"))
ON_POSTGRES = ("asyncpg", "psycopg", "psqlpy")
PAIRS = "CREATE TABLE pairs (victim INTEGER, half INTEGER)"


def new_config(adapter: str, dsn: str) -> Any:
    """Of one connection."""
    return BY_NAME[adapter].config()(pool_config={"dsn": dsn, "max_size": 1}, acquire_timeout=5)


def new_session(config: Any) -> AsyncDriverAdapterBase:
    """As a request has it."""
    session: AsyncDriverAdapterBase = config.create_session(implicit=BeginOptions(), blocks_commit=False)
    return session


async def end_in_haste(session: AsyncDriverAdapterBase) -> None:
    """Close it and be cancelled while that waits for the other task, as the web plugin is in a cancelled request."""
    closing = asyncio.ensure_future(session.close("the test is over"))
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait((closing,))


async def assert_told(other: asyncio.Future[Any]) -> None:
    """Not left waiting, and not cancelled: nobody did that to it."""
    await asyncio.wait((other,), timeout=2)
    assert isinstance(other.exception(), SQLSpecError)


async def test_its_statement_is_stopped_and_rolled_back(database: Database) -> None:
    """The task is told, the server is at rest, and the only connection of the pool serves the next request."""  # F1 F2
    await database.run(PAIRS)
    config = database.new_config({"max_size": 1}, acquire_timeout=5)
    session = new_session(config)
    await session.execute(INSERT, 1, 1)
    other = asyncio.ensure_future(session.execute(database.phrase("slow")))
    await underway(database)
    await end_in_haste(session)
    async with asyncio.timeout(2), database.session(config) as db:
        assert await db.select_value("SELECT count(*) FROM pairs") == 0
    await assert_told(other)
    await assert_quiet(database)
    async with asyncio.timeout(2):
        await database.run("DROP TABLE pairs")  # nobody holds a lock


async def test_nothing_of_it_is_saved_by_itself(database: Database) -> None:
    """Ended at any moment of what the other task does: no row stays, and every connection comes to rest."""  # F1
    await database.run(PAIRS)
    config = database.new_config({"max_size": 1}, acquire_timeout=5)

    async def write(session: AsyncDriverAdapterBase, number: int) -> None:
        for _ in range(100):
            await session.execute(INSERT, number, 1)
            await session.execute_many(INSERT, [(number, 2), (number, 3)])
            await session.select("SELECT victim FROM pairs WHERE half = ?", number)

    for number in range(ENDINGS):
        session = new_session(config)
        await session.execute(INSERT, number, 0)
        other = asyncio.ensure_future(write(session, number))
        await after(random.uniform(0, 0.01), random.randrange(1, 30) if number % 2 else 0)()
        await end_in_haste(session)
        await assert_told(other)
        async with asyncio.timeout(2), database.session(config) as db:
            assert await db.select("SELECT victim, half FROM pairs") == []
    await settled(config)
    await assert_quiet(database)


@pytest.mark.parametrize("begins", [False, True])
async def test_a_task_that_waits_for_a_connection_gets_none_any_more(database: Database, begins: bool) -> None:
    """It is told, nothing is run, and the connection that came too late goes back."""  # F1 S8
    await database.run(PAIRS)
    config = database.new_config({"max_size": 1}, acquire_timeout=5)
    session = new_session(config)
    async with database.session(config) as holder:
        await holder.select_value("SELECT 1")
        other = asyncio.ensure_future(session.begin() if begins else session.execute(INSERT, 1, 1))
        await asyncio.sleep(0.05)
        await end_in_haste(session)
    await asyncio.wait((other,), timeout=3)
    assert isinstance(other.exception(), SessionClosedError)
    await settled(config)
    assert await database.value("SELECT count(*) FROM pairs") == 0


async def test_nobody_begins_on_a_session_that_has_ended(database: Database) -> None:
    """Ended at any moment of BEGIN: whoever was told that it began can't run a statement outside of it."""  # F1 S8
    await database.run(PAIRS)
    config = database.new_config({"max_size": 1}, acquire_timeout=5)

    async def begin(session: AsyncDriverAdapterBase) -> None:
        await session.begin()
        await session.execute(INSERT, 1, 1)

    for number in range(ENDINGS):
        session = new_session(config)
        other = asyncio.ensure_future(begin(session))
        await after(random.uniform(0, 0.005), number % 12 + 1 if number % 3 else 0)()
        await end_in_haste(session)
        await asyncio.wait((other,), timeout=2)
        assert isinstance(other.exception(), SQLSpecError | None)
        await settled(config)
        async with database.session(config) as db:
            assert await db.select_value("SELECT count(*) FROM pairs") == 0


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("adapter", ON_POSTGRES)
async def test_a_network_that_is_gone_keeps_nobody_waiting(postgres_dsn: str, adapter: str, many: bool) -> None:
    """The server can't be told; who waits for its answer is, and the socket is let go of."""  # F1
    slow = "SELECT pg_sleep(20), ?::int"
    async with cable(postgres_dsn) as (between, near):
        config = new_config(adapter, near)
        session = new_session(config)
        await session.select_value("SELECT 1")
        work = session.execute_many(slow, [(1,), (2,)]) if many else session.execute(slow, 1)
        other = asyncio.ensure_future(work)
        await asyncio.sleep(0.2)
        between.cut = True
        await end_in_haste(session)
        await asyncio.wait((other,), timeout=3)
        assert isinstance(other.exception(), SQLSpecError)
        between.cut = False
        async with asyncio.timeout(2), config.provide_session() as db:
            assert await db.select_value("SELECT 1") == 1
        await config.close()


@pytest.mark.parametrize("adapter", ON_POSTGRES)
async def test_many_rows_of_it_are_stopped(postgres_dsn: str, adapter: str) -> None:
    """psycopg sends them in a pipeline, which can't be left in the middle."""  # F1
    config = new_config(adapter, postgres_dsn)
    session = new_session(config)
    await session.execute("CREATE TABLE not_to_stay (x INTEGER)")
    other = asyncio.ensure_future(session.execute_many("SELECT pg_sleep(20), ?::int", [(1,), (2,)]))
    await asyncio.sleep(0.2)
    await end_in_haste(session)
    async with asyncio.timeout(2), config.provide_session() as db:
        assert await db.select_value("SELECT to_regclass('not_to_stay')::text") is None
    await assert_told(other)
    await config.close()
