"""MySQL and MariaDB: cancelled COMMITs, statements that nobody waits for, streams that are left: F1 F2 W19 S15."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from sqlspec.adapters import load_config
from sqlspec.exceptions import (
    ConnectionLostError,
    DeadlockError,
    ImplicitCommitError,
    ImproperConfigurationError,
    SQLSyntaxError,
    StatementTimeoutError,
    TransactionAbortedError,
    TransactionError,
)
from sqlspec.servers.mysql_client import run_sql
from sqlspec.testing.compliance.bridge import AwaitableScope
from tests.support.cable import cable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from sqlspec.driver import AsyncDriverAdapterBase

pytestmark = pytest.mark.usefixtures("silence")

ASYNC = pytest.mark.parametrize("name", ["asyncmy", "aiomysql", "mysqlconnector"])
ALL = pytest.mark.parametrize("name", ["asyncmy", "aiomysql", "pymysql", "mysqlconnector", "mysqlconnector_sync"])
SYNC = ("pymysql", "mysqlconnector_sync")
MANY = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
    " SELECT a.i, REPEAT('x', 1000) AS it FROM n a, n b"
)


@pytest.fixture
async def dsn(mariadb_dsn: str) -> AsyncIterator[str]:
    """A database with an empty table ``items``."""
    database = f"test_{uuid4().hex[:12]}"
    run_sql(mariadb_dsn, f"CREATE DATABASE {database}; CREATE TABLE {database}.items (id INT PRIMARY KEY, it INT)")
    yield f"{mariadb_dsn.rpartition('/')[0]}/{database}"
    run_sql(mariadb_dsn, f"DROP DATABASE {database}")


@asynccontextmanager
async def opened(name: str, dsn: str, **options: Any) -> AsyncGenerator[Any]:
    """A config, closed at the end."""
    config = load_config(name)(pool_config={"dsn": dsn, "max_size": 4}, acquire_timeout=5, **options)
    try:
        yield config
    finally:
        closing = config.close()
        if closing is not None:
            await closing


def session(config: Any) -> Any:
    """Of either colour."""
    return AwaitableScope(config.provide_session()) if config.adapter in SYNC else config.provide_session()


async def number(db: AsyncDriverAdapterBase) -> int:
    return int(await db.select_value("SELECT CONNECTION_ID()"))


@ASYNC
async def test_a_cancelled_commit_runs_to_its_end(name: str, dsn: str) -> None:
    """It takes its time on the way; hooks hear of it, then the caller goes on being cancelled."""  # W19
    heard: list[str] = []
    async with cable(dsn) as (between, near), opened(name, near) as config:

        async def save() -> None:
            async with config.provide_session() as db, db.transaction():
                await db.execute("INSERT INTO items VALUES (1, 1)")
                db.on_commit(lambda: heard.append("commit"))
                between.delay = 0.1

        task = asyncio.ensure_future(save())
        async with asyncio.timeout(5):
            while not between.delay:
                await asyncio.sleep(0.001)
        for _ in range(2):
            await asyncio.sleep(0.02)
            task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
        between.delay = 0.0
    assert heard == ["commit"]
    assert run_sql(dsn, "SELECT count(*) FROM items") == [("1",)]


@ASYNC
async def test_a_statement_is_stopped_only_where_it_is_certainly_ours(name: str, dsn: str) -> None:
    """Behind a proxy a number may be another user's: there the statement runs on, without its connection."""  # F1
    async with cable(dsn) as (_, near), opened(name, near) as config, config.provide_session() as db:
        mine = await number(db)
        task = asyncio.ensure_future(db.select("SELECT SLEEP(1)"))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait((task,))
        await asyncio.sleep(0.2)
        seen = run_sql(dsn, f"SELECT STATE FROM information_schema.PROCESSLIST WHERE ID = {mine}")
        assert seen == [("User sleep",)]
        assert await number(db) != mine


@ASYNC
async def test_a_connection_that_is_free_waits_for_no_other_that_is_being_opened(name: str, dsn: str) -> None:
    """What the drivers' own pools can't do: they connect under the lock that every checkout takes."""  # F4
    async with cable(dsn) as (between, near), opened(name, near) as config:
        async with config.provide_session() as first:
            assert await first.select_value("SELECT 1") == 1
            between.cut = True
            second = config.create_session()
            connecting = asyncio.ensure_future(second.select_value("SELECT 2"))
            await asyncio.sleep(0.1)
            assert not connecting.done()
            between.cut = False
        async with asyncio.timeout(1), config.provide_session() as third:
            assert await third.select_value("SELECT 3") == 3
        connecting.cancel()
        await asyncio.wait((connecting,))
        await second.close()


@ALL
async def test_a_stream_that_is_left_keeps_its_session(name: str, dsn: str) -> None:
    """A gigabyte that nobody wants is stopped on the server: same connection, same transaction, at once."""  # S15 S4
    async with opened(name, dsn) as config, session(config) as db:
        mine = await number(db)
        await db.begin()
        await db.execute("INSERT INTO items VALUES (1, 1)")
        started = time.monotonic()
        async with db.select_stream(MANY, chunk_size=10) as rows:
            async for _ in rows:
                break
        assert time.monotonic() - started < 2
        assert await db.select_value("SELECT count(*) FROM items") == 1
        assert await number(db) == mine
        await db.commit()
    assert run_sql(dsn, "SELECT count(*) FROM items") == [("1",)]


async def deadlocked(db: AsyncDriverAdapterBase, other: int) -> AsyncDriverAdapterBase | None:
    try:
        await db.execute("UPDATE items SET it = it + 1 WHERE id = ?", other)
    except DeadlockError:
        return db
    return None


@ASYNC
async def test_a_deadlocks_victim_knows_that_its_transaction_is_gone(name: str, dsn: str) -> None:
    """The server tells it by no flag: whoever went on would write outside of any transaction."""  # S14 E2
    run_sql(dsn, "INSERT INTO items VALUES (1, 0), (2, 0)")
    async with opened(name, dsn) as config, config.provide_session() as one, config.provide_session() as two:
        for db, mine in ((one, 1), (two, 2)):
            await db.begin()
            await db.execute("UPDATE items SET it = it + 1 WHERE id = ?", mine)
        (victim,) = [db for db in await asyncio.gather(deadlocked(one, 2), deadlocked(two, 1)) if db is not None]
        for _ in range(2):
            with pytest.raises(TransactionAbortedError, match="Deadlock"):
                await victim.execute("UPDATE items SET it = 99")
            with pytest.raises(TransactionAbortedError):
                await victim.commit()
        await victim.rollback()
        await (two if victim is one else one).commit()
    assert run_sql(dsn, "SELECT it FROM items") == [("1",), ("1",)]


@ALL
async def test_what_is_too_large_for_the_server_costs_the_connection(name: str, dsn: str) -> None:
    """It hangs up on packets beyond its limit. The next statement runs on another."""  # F2
    async with opened(name, dsn) as config, session(config) as db:
        limit = await db.select_value("SELECT @@max_allowed_packet")
        with pytest.raises(ConnectionLostError) as lost:
            await db.select_value("SELECT LENGTH(?)", "geheim" * (int(limit) // 5))
        assert "geheim" not in str(lost.value)
        assert await db.select_value("SELECT 1") == 1


@pytest.mark.parametrize("name", SYNC)
async def test_a_sync_statement_ends_in_time_even_if_the_server_is_out_of_reach(name: str, dsn: str) -> None:
    """It can't be stopped there then, so the socket is."""  # C3
    async with cable(dsn) as (between, near), opened(name, near) as config:

        def wait() -> float:
            with config.provide_session() as db:
                assert db.select_value("SELECT 1") == 1
                between.cut = True
                started = time.monotonic()
                with pytest.raises(StatementTimeoutError):
                    db.select_value("SELECT 2", timeout=0.2)
                took = time.monotonic() - started
                between.cut = False
                assert db.select_value("SELECT 3") == 3
                return took

        assert await asyncio.to_thread(wait) < 4


@pytest.mark.parametrize("name", SYNC)
async def test_a_sync_statement_is_stopped_on_the_server(name: str, dsn: str) -> None:
    """By KILL QUERY, in time."""  # C3
    async with opened(name, dsn) as config:
        with config.provide_session() as db:
            started = time.monotonic()
            with pytest.raises(StatementTimeoutError):
                db.select_value("SELECT SLEEP(20)", timeout=0.1)
            assert time.monotonic() - started < 2
        sleeping = "SELECT count(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND STATE = 'User sleep'"
        assert run_sql(dsn, sleeping) == [("0",)]


@pytest.mark.parametrize("name", ["asyncmy", "aiomysql", "pymysql"])
async def test_an_idle_connection_that_died_costs_no_statement(name: str, dsn: str) -> None:
    """Though the loop had no look at its socket since: nothing is sent twice, so it must be seen before."""  # F2
    async with opened(name, dsn) as config:
        for _ in range(5):
            async with session(config) as db:
                mine = await number(db)
            run_sql(dsn, f"KILL {mine}; DO SLEEP(0.05)")
            async with session(config) as db:
                assert await number(db) != mine


@ALL
async def test_a_connection_that_was_idle_for_long_is_not_used_again(name: str, dsn: str) -> None:
    """``pool_recycle``: firewalls forget connections without a word."""  # C1
    config = load_config(name)(pool_config={"dsn": dsn, "max_size": 1, "pool_recycle": 0.1})
    seen: list[int] = []
    for pause in (0.0, 0.0, 0.2):
        await asyncio.sleep(pause)
        async with session(config) as db:
            seen.append(await number(db))
    assert seen[0] == seen[1] != seen[2]
    closing = config.close()
    if closing is not None:
        await closing


HIDDEN = "\\' , 'injected' , '"
"""Ends its literal wherever a backslash is taken for what it is not."""


@ALL
@pytest.mark.parametrize(
    "before",
    ["SET sql_mode = 'NO_BACKSLASH_ESCAPES'", "SELECT no_escapes()", "SET character_set_client = sjis"],
    ids=["mode", "function", "sjis"],
)
async def test_a_value_stays_in_its_literal_whatever_a_backslash_means(name: str, before: str, dsn: str) -> None:
    """A routine that sets ``sql_mode`` leaves the server's flag wrong; Shift-JIS has it in characters."""  # P8
    body = "RETURNS INT NO SQL BEGIN SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'; RETURN 1; END"
    run_sql(dsn, f"CREATE FUNCTION no_escapes() {body}")
    async with opened(name, dsn) as config, session(config) as db:
        await db.execute(before)
        await db.execute("DO 0")  # its answer tells the flag
        for text in (HIDDEN, f"ß{HIDDEN}", f"中{HIDDEN}"):
            assert await db.select_value("SELECT HEX(?) AS it", text) == text.encode().hex().upper()


@ALL
async def test_one_text_is_one_statement(name: str, dsn: str) -> None:
    """Though asyncmy and aiomysql ask for more, and the lexer can't know the session's modes."""  # P6
    async with opened(name, dsn) as config, session(config) as db:
        await db.execute("SET sql_mode = 'NO_BACKSLASH_ESCAPES'")
        with pytest.raises(SQLSyntaxError):
            await db.execute(r"SELECT '\'; INSERT INTO items VALUES (1, 1) -- '")
    assert run_sql(dsn, "SELECT count(*) FROM items") == [("0",)]


@ALL
async def test_autocommit_stays_on(name: str, dsn: str) -> None:
    """Off, every statement would open a transaction that nobody ends: all would be lost without a word."""  # S3 S5
    async with opened(name, dsn) as config, session(config) as db:
        with pytest.raises(TransactionError, match="autocommit stays on"):
            await db.execute("SET autocommit = 0")
        await db.execute("INSERT INTO items VALUES (1, 1)")
        assert run_sql(dsn, "SELECT count(*) FROM items") == [("1",)]
        async with db.transaction():
            with pytest.raises(ImplicitCommitError):
                await db.execute("SET @@autocommit = 1")


@ALL
@pytest.mark.parametrize("first", ["SET autocommit = 0", "BEGIN"])
async def test_a_connection_begins_without_a_transaction(name: str, first: str, dsn: str) -> None:
    """``init_command`` can't change what every session relies on."""  # S3
    async with opened(name, dsn) as config:
        greedy = load_config(name)(pool_config={**config.pool_config, "init_command": first}, acquire_timeout=1)
        with pytest.raises(ImproperConfigurationError, match="init_command"):
            async with session(greedy) as db:
                await db.execute("INSERT INTO items VALUES (1, 1)")
        closing = greedy.close()
        if closing is not None:
            await closing
