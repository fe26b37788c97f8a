"""What a session leaves behind for the next user of its connection: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sqlspec import SQLSpec
from sqlspec.exceptions import DataError, ParameterError, SessionClosedError, UniqueViolationError
from sqlspec.testing.compliance.adapter import Database, where

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase


async def test_a_session_takes_a_connection_with_its_first_statement(database: Database) -> None:
    """And keeps it to its end; one that does not hold takes one per statement."""  # S2 S15
    config: Any = database.config
    async with database.session() as db:
        assert not config.is_open
        assert await db.select_value("SELECT 1") == 1
        assert len(config.connections.holders) == 1
    assert config.connections.holders == []
    async with database.session(hold=False) as db:
        assert await db.select_value("SELECT 1") == 1
        assert config.connections.holders == []
        async with db.transaction():
            assert await db.select_value("SELECT 1") == 1
            assert len(config.connections.holders) == 1
        assert config.connections.holders == []


async def test_a_closed_session_says_so(database: Database) -> None:
    """Every method, with the reason and how to get another; what it gave before is usable still."""  # S8 R1
    async with database.session() as db:
        result = await db.execute("SELECT 1 AS one")
    methods: list[Any] = [db.execute, db.select, db.select_one, db.select_value, db.execute_script]
    for method in methods:
        with pytest.raises(SessionClosedError, match=r"This session is closed: .*provide_session"):
            await method("SELECT 1")
    for ending in (db.begin, db.commit, db.rollback):
        with pytest.raises(SessionClosedError):
            await ending()
    with pytest.raises(SessionClosedError):
        async with db.transaction():
            pass
    assert result.all() == [{"one": 1}]


async def test_the_pool_can_be_had_at_any_time(database: Database) -> None:
    """get_pool() is synchronous, gives the same object each time, and another one after closing."""  # S10 S16
    async with SQLSpec() as spec:
        config: Any = database.config
        spec.add_config(config, name="it")
        pool = spec.get_pool(config)
        assert spec.get_pool("it") is pool
        async with database.session() as db:
            assert await db.select_value("SELECT 1") == 1
        assert spec.get_pool(config) is pool
        await spec.close_pool(config)
        assert spec.get_pool(config) is not pool


@where("temporary_tables")
async def test_temporary_tables_end_with_their_session(database: Database) -> None:
    """The next user of a pool of one neither reads nor trips over them."""  # F1 S15
    config = database.new_config({"max_size": 1})
    for _ in range(2):
        async with database.session(config) as db:
            await db.execute("CREATE TEMPORARY TABLE secrets (id INTEGER)")
            await db.execute("INSERT INTO secrets (id) VALUES (1)")
            assert await db.select_value("SELECT count(*) FROM secrets") == 1


@where("temporary_tables")  # who has them has connections of its own
async def test_a_connection_that_nobody_changed_is_kept(database: Database) -> None:
    """Closing is for those that were changed: what reads or writes rows goes back to the pool."""  # F1
    config: Any = database.new_config({"max_size": 1})
    seen: list[int] = []
    for _ in range(2):
        async with database.session(config) as db:
            await db.execute("CREATE TABLE IF NOT EXISTS kept (id INTEGER)")
            seen.append(await number_of_the_connection(database, db))
    assert seen[0] == seen[1]


async def number_of_the_connection(database: Database, db: AsyncDriverAdapterBase) -> int:
    """What tells one connection from another: the server's process, or a counter that each SQLite connection has."""
    if "connection" in database.adapter.sql:
        return int(await db.select_value(database.phrase("connection")))
    raw: Any = await db.acquire_connection()
    return id(raw)


@where("error_aborts", "infers_parameters")
async def test_a_value_that_the_driver_refuses_does_not_abort_the_transaction(database: Database) -> None:
    """Nothing was sent, so the server's transaction is as good as before."""  # S14 E2
    await database.run("CREATE TABLE items (id INTEGER PRIMARY KEY)")
    async with database.session() as db:
        await db.begin()
        await db.execute("INSERT INTO items (id) VALUES (?)", 1)
        with pytest.raises(DataError):
            await db.execute("INSERT INTO items (id) VALUES (?)", "no number")
        await db.commit()
    assert await database.value("SELECT count(*) FROM items") == 1


@where("savepoints")
async def test_many_rows_are_all_or_none_in_an_open_transaction_too(database: Database) -> None:
    """What was done before is saved, and of the rows none, once the owner has undone what is aborted."""  # P7
    await database.run("CREATE TABLE items (id INTEGER PRIMARY KEY)")
    async with database.session() as db:
        await db.begin()
        await db.execute("INSERT INTO items (id) VALUES (?)", 1)
        with pytest.raises(UniqueViolationError):
            async with db.transaction():
                await db.execute_many("INSERT INTO items (id) VALUES (?)", [(2,), (1,)])
        if not database.can("error_aborts"):
            with pytest.raises(UniqueViolationError):
                await db.execute_many("INSERT INTO items (id) VALUES (?)", [(2,), (1,)])
        await db.commit()
    assert await database.value("SELECT count(*) FROM items") == 1


@where("error_aborts", "savepoints")
async def test_a_rollback_that_begins_anew_drops_what_waited_for_the_commit(database: Database) -> None:
    """AND CHAIN ends one transaction and begins another: the first one's hooks hear nothing of its commit."""  # S9
    heard: list[str] = []
    async with database.session() as db:
        await db.begin()
        db.on_commit(lambda: heard.append("commit"))
        await db.execute("ROLLBACK AND CHAIN")
        await db.commit()
    assert heard == []


async def test_limits_and_sizes_that_make_no_sense_are_refused(db: AsyncDriverAdapterBase) -> None:
    """Before anything is sent, and with what would make sense."""  # C3 E4
    timeouts: list[Any] = [0, -1, "5"]
    for timeout in timeouts:
        with pytest.raises(ParameterError, match="timeout is a number of seconds above 0"):
            await db.execute("SELECT 1", timeout=timeout)
    sizes: list[Any] = [0, -1, 2.5, "3", None]
    for size in sizes:
        with pytest.raises(ParameterError, match="chunk_size is a whole number of rows from 1 on"):
            db.select_stream("SELECT 1", chunk_size=size)
