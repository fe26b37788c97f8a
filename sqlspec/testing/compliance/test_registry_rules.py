"""Configs, registries, loops and threads mean the same on every adapter: S1 S2 S10 S11 S13, X1 X2."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import Any

import pytest

from sqlspec import SQLSpec
from sqlspec.driver import AsyncDriverAdapterBase, SyncDriverAdapterBase
from sqlspec.testing.compliance.adapter import Database, where
from sqlspec.testing.compliance.plugin import places_of

pytestmark = pytest.mark.usefixtures("items")

COUNT = "SELECT count(*) FROM items"
INSERT = "INSERT INTO items (id, name) VALUES (?, ?)"


async def test_a_config_is_meant_by_itself_or_by_its_name(database: Database) -> None:
    """add_config() gives it back, at any time; equal settings make no equal configs."""  # S1
    spec, one, two = SQLSpec(), database.new_config(), database.new_config()
    assert spec.add_config(one, name="one") is one
    async with database.session(one) as first, database.session(two) as second:
        assert await second.select_value(COUNT) == 0
        await first.execute(INSERT, 1, "a")
        assert await second.select_value(COUNT) == 1
    assert spec.add_config(two, name="two") is two
    assert one != two
    assert len({one, two}) == 2
    assert spec.get_pool("one") is spec.get_pool(one) is not spec.get_pool("two")
    for wanted in (one, "one", two, "two"):
        async with database.scope(spec.provide_session(wanted)) as db:
            assert await db.select_value(COUNT) == 1


async def test_a_session_is_of_the_adapters_colour(database: Database) -> None:
    """``async with`` gives an AsyncDriverAdapterBase, ``with`` a SyncDriverAdapterBase."""  # S2 X3
    scope: Any = database.config.provide_session()
    if database.is_async:
        async with scope as db:
            assert isinstance(db, AsyncDriverAdapterBase)
    else:
        with scope as db:
            assert isinstance(db, SyncDriverAdapterBase)


async def test_nothing_around_a_session_decides_on_its_connection(database: Database) -> None:
    """Two sessions side by side keep apart, and one that is used in another context keeps its transaction."""  # S13
    async with database.session() as one, database.session() as two:
        await one.begin()
        await one.execute(INSERT, 1, "a")
        assert await two.select_value(COUNT) == 0

        async def elsewhere() -> Any:
            async with database.session() as three:
                assert await three.select_value(COUNT) == 0
            return await one.select_value(COUNT)

        assert await asyncio.create_task(elsewhere(), context=Context()) == 1
        assert await two.select_value(COUNT) == 0
        await one.commit()
        assert await two.select_value(COUNT) == 1


@where("async")
async def test_every_loop_has_a_pool_of_its_own(database: Database) -> None:
    """Another thread's loop uses the same config and closes its pool; this one's goes on."""  # X1
    config: Any = database.new_config()

    async def work(number: int) -> Any:
        async with database.session(config) as db:
            await db.execute(INSERT, number, "a")
            return config.connections

    async def work_and_close() -> Any:
        try:
            return await work(2)
        finally:
            await config.close()

    mine = await work(1)
    theirs = await asyncio.to_thread(asyncio.run, work_and_close())
    assert theirs is not mine
    assert theirs.closed
    assert await work(3) is mine
    assert await database.value(COUNT) == 3


@where("-async")
async def test_threads_share_a_pool_and_no_session(database: Database) -> None:
    """Eight threads, two connections: every row is there, and nobody got another's answer."""  # X2
    config: Any = database.new_config({"max_size": 2})

    def work(thread: int) -> None:
        for number in range(5):
            with config.provide_session() as db:
                db.execute(INSERT, 10 * thread + number, str(thread))
                assert db.select_value("SELECT name FROM items WHERE id = ?", 10 * thread + number) == str(thread)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    async with database.session(config) as db:
        assert await db.select_value(COUNT) == 40
    assert config.connections.holders == []


async def test_errors_while_closing_hide_no_pool(database: Database) -> None:
    """close_all_pools() closes every pool, and the next use opens a new one."""  # S10 S16
    spec = SQLSpec()
    configs: list[Any] = [spec.add_config(database.new_config()) for _ in range(2)]
    for config in configs:
        async with database.session(config) as db:
            assert await db.select_value(COUNT) == 0
    pools = [config.connections for config in configs]
    await spec.close_all_pools()
    assert [pool.closed for pool in pools] == [True, True]
    async with database.session(configs[0]) as db:
        assert await db.select_value(COUNT) == 0
    await spec.close_all_pools()


async def test_configs_on_one_database_lose_nothing(database: Database) -> None:
    """What each of them commits is seen by the other, and kept, whichever is closed first."""  # S1 S16
    spec = SQLSpec()
    one, two = [spec.add_config(database.new_config()) for _ in range(2)]
    async with database.session(two) as second:
        async with database.session(one) as first:
            for number, db in enumerate([first, second, first, second]):
                await db.execute(INSERT, number, "a")
            assert [await first.select_value(COUNT), await second.select_value(COUNT)] == [4, 4]
        await spec.close_pool(one)
        await second.execute(INSERT, 4, "a")
    await spec.close_pool(two)
    await database.close()
    assert await database.value(COUNT) == 5


SCRIPT = """
import asyncio, pickle, sys
from sqlspec.testing.compliance import Database
from sqlspec.testing.compliance.plugin import declared

name, pool_config = pickle.load(sys.stdin.buffer)
adapter = next(adapter for adapter in declared(sys.argv[1:]) if adapter.name == name)
database = Database(adapter, pool_config)

async def use():
    async with database.session() as db:
        print(await db.select_value("SELECT count(*) FROM items"))

asyncio.run(use())
"""


async def test_an_unclosed_pool_lets_the_process_end(database: Database, request: pytest.FixtureRequest) -> None:
    """Within seconds and without a traceback, with one ResourceWarning of ours that names what to call."""  # S11
    await database.close()  # some databases are one process's at a time
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-W", "always::ResourceWarning", "-c", SCRIPT, *places_of(request.config)],
        input=pickle.dumps((database.adapter.name, database.pool_config)),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        timeout=20,
        check=False,
    )
    said = done.stderr.decode()
    assert (done.stdout, done.returncode) == (b"0\n", 0), said
    assert len([line for line in said.splitlines() if "was never closed: call close_pool()" in line]) == 1, said
    assert "Traceback" not in said
