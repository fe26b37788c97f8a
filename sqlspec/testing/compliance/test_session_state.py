"""What a session leaves behind for the next user of its connection: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.exceptions import DataError, ParameterError, UniqueViolationError
from sqlspec.testing.compliance.adapter import Database, where

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase


@where("temporary_tables")
async def test_temporary_tables_end_with_their_session(database: Database) -> None:
    """The next user of a pool of one neither reads nor trips over them."""  # F1 S15
    config = database.new_config({"max_size": 1})
    for _ in range(2):
        async with database.session(config) as db:
            await db.execute("CREATE TEMPORARY TABLE secrets (id INTEGER)")
            await db.execute("INSERT INTO secrets (id) VALUES (1)")
            assert await db.select_value("SELECT count(*) FROM secrets") == 1


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
