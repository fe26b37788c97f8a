"""Sessions: S2 S3 S5 S8 S12 S14 S15, E1 E3 E5."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from sqlspec.exceptions import (
    MappingError,
    PoolTimeoutError,
    SessionClosedError,
    StatementTimeoutError,
    TransactionError,
    UniqueViolationError,
)
from tests.support.configs import AsyncSqlite, AsyncSqliteDriver, async_like

INSERT = "INSERT INTO items VALUES (?, ?)"
COUNT = "SELECT count(*) FROM items"
SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000000) SELECT max(i) FROM n"


async def test_a_connection_is_acquired_with_the_first_statement(config: AsyncSqlite) -> None:
    """Not before, and it is kept to the end."""  # S2 S15
    async with config.provide_session() as db:
        assert config.connections.holders == []
        await db.commit()
        await db.rollback()
        assert config.connections.holders == []
        await db.select_value(COUNT)
        (holder,) = config.connections.holders
        assert holder.statement == COUNT
        assert __file__ in holder.where
    assert config.connections.holders == []


async def test_a_session_that_does_not_hold_borrows_one_per_statement(config: AsyncSqlite) -> None:
    """``hold=False``: nothing is held between statements; a transaction holds for its time."""  # S15
    async with config.provide_session(hold=False) as db:
        for run in (db.execute, db.select, db.select_value, db.select_one):
            await run(COUNT)
            assert config.connections.holders == []
        await db.execute_many(INSERT, [(1, "a"), (2, "b")])
        assert config.connections.holders == []
        with pytest.raises(UniqueViolationError):
            await db.execute(INSERT, 1, "again")
        assert config.connections.holders == []
        with pytest.raises(UniqueViolationError):
            await db.execute_many(INSERT, [(3, "c"), (1, "again")])
        assert config.connections.holders == []
        await db.begin()
        assert len(config.connections.holders) == 1
        await db.execute(INSERT, 3, "c")
        await db.rollback()
        assert config.connections.holders == []
        async with db.transaction():
            await db.execute(INSERT, 3, "c")
            assert len(config.connections.holders) == 1
        assert config.connections.holders == []
        with pytest.raises(UniqueViolationError):
            async with db.transaction():
                await db.execute(INSERT, 3, "again")
        assert config.connections.holders == []
        await db.execute("BEGIN")
        await db.execute(INSERT, 4, "d")
        await db.execute("COMMIT")
        assert config.connections.holders == []
        assert await db.select_value(COUNT) == 4


async def test_a_stream_borrows_a_connection_of_its_own(config: AsyncSqlite) -> None:
    """With ``hold=False`` statements go on beside it, and it gives its connection back at its end."""  # S15
    async with config.provide_session(hold=False) as db:
        await db.execute_many(INSERT, [(n, "x") for n in range(5)])
        async with db.select_stream("SELECT id FROM items", schema_type=int, chunk_size=1) as rows:
            assert len(config.connections.holders) == 1
            assert await db.select_value(COUNT) == 5
            found = [row async for row in rows]
            assert found == [0, 1, 2, 3, 4]
            assert config.connections.holders == []
        assert config.connections.holders == []
        async with db.select_stream("SELECT id FROM items", chunk_size=1) as rows:
            async for _ in rows:
                break
            assert len(config.connections.holders) == 1
        assert config.connections.holders == []


async def test_a_failing_stream_gives_its_connection_back(config: AsyncSqlite) -> None:
    """A wrong statement, a row that can't be computed, one that does not fit; held and borrowed."""  # S15 R4
    for hold in (True, False):
        async with config.provide_session(hold=hold) as db:
            await db.execute("INSERT OR REPLACE INTO items VALUES (1, 'a')")
            for wrong in ("SELECT * FROM nowhere", "SELECT abs(-9223372036854775808)", "SELECT 'x' AS it"):
                with pytest.raises(Exception, match=r"nowhere|overflow|it"):
                    await read_integers(db, wrong)
                assert await db.select_value(COUNT) == 1
            await db.begin()
            await db.rollback()
        connections = config.connections
        await config.close()  # which waits for what is being settled
        assert connections.holders == []


async def read_integers(db: AsyncSqliteDriver, statement: str) -> None:
    async with db.select_stream(statement, schema_type=int) as rows:
        async for _ in rows:
            pass


async def test_a_session_whose_generator_is_gone_says_so(config: AsyncSqlite) -> None:
    """Closed by hand, or collected because nobody kept it; what was open is rolled back."""  # W23 S8
    scope = config.provide_session()
    db = await scope.__aenter__()
    await db.begin()
    await db.execute(INSERT, 1, "lost")
    await scope.__aexit__(GeneratorExit, GeneratorExit(), None)
    with pytest.raises(SessionClosedError, match="the generator that provided it was closed, or garbage-collected"):
        await db.select_value(COUNT)
    assert config.connections.holders == []
    async with config.provide_session() as other:
        assert await other.select_value(COUNT) == 0


async def test_a_closed_session_says_why(config: AsyncSqlite) -> None:
    """And how to get a new one; closing twice is no error."""  # S8
    async with config.provide_session() as db:
        await db.execute(INSERT, 1, "a")
        result = await db.execute("SELECT * FROM items")
    await db.close()
    for call in (db.execute, db.select, db.select_one, db.select_value, db.execute_script):
        with pytest.raises(SessionClosedError, match=r"closed: .*provide_session"):
            await call(COUNT)
    with pytest.raises(SessionClosedError):
        await db.execute_many(INSERT, [(2, "b")])
    for end in (db.begin, db.commit, db.rollback):
        with pytest.raises(SessionClosedError):
            await end()
    with pytest.raises(SessionClosedError):
        async with db.transaction():
            pass
    with pytest.raises(SessionClosedError):
        async with db.select_stream(COUNT):
            pass
    with pytest.raises(SessionClosedError):
        db.on_commit(print)
    assert result.all() == [{"id": 1, "name": "a"}]
    assert config.connections.holders == []


async def test_a_reason_of_ones_own(config: AsyncSqlite) -> None:
    """``close(reason)`` is what later use is told."""  # S8
    db = config.create_session()
    await db.close("the shop is shut")
    with pytest.raises(SessionClosedError, match="the shop is shut"):
        await db.select_value(COUNT)


async def test_what_is_open_at_the_end_is_rolled_back(config: AsyncSqlite, caplog: pytest.LogCaptureFixture) -> None:
    """With one warning that names statement and place; none for a block that an exception leaves."""  # S5
    caplog.set_level(logging.INFO)
    async with config.provide_session() as db:
        await db.begin()
        await db.execute(INSERT, 1, "geheim")
    (record,) = caplog.records
    assert "BEGIN IMMEDIATE" in record.getMessage()
    assert __file__ in record.getMessage()
    assert "geheim" not in caplog.text
    caplog.clear()
    with pytest.raises(KeyError):
        await fail_in_a_block(config)
    assert caplog.records == []
    async with config.provide_session() as db:
        assert await db.select_value(COUNT) == 0


async def fail_in_a_block(config: AsyncSqlite) -> None:
    async with config.provide_session() as db, db.transaction():
        await db.execute(INSERT, 1, "a")
        raise KeyError


async def test_the_sessions_error_is_not_hidden(config: AsyncSqlite) -> None:
    """An exception that leaves the session's block with a transaction open arrives as it is."""  # E3
    raised = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as failed:
        await raise_with_open_transaction(config, raised)
    assert failed.value is raised
    assert config.connections.holders == []


async def raise_with_open_transaction(config: AsyncSqlite, error: Exception) -> None:
    async with config.provide_session() as db:
        await db.begin()
        raise error


async def test_an_exhausted_pool(config: AsyncSqlite) -> None:
    """Times out with the list of holders, and serves again as soon as one comes back."""  # F4
    small = async_like(config, max_size=1)
    async with small.provide_session() as holder:
        await holder.select_value("SELECT 4711")
        async with small.provide_session() as other:
            with pytest.raises(PoolTimeoutError, match="SELECT 4711"):
                await other.select_value(COUNT)
            await holder.close()
            assert await other.select_value(COUNT) == 0
    await small.close()


async def test_a_timed_out_statement_leaves_the_session_usable(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """It was stopped, and the connection it ran on serves again or is replaced."""  # S14 F1
    for _ in range(3):
        with pytest.raises(StatementTimeoutError, match=r"0\.05 s"):
            await db.select(SLOW, timeout=0.05)
        assert await db.select_value(COUNT) == 0
    with pytest.raises(StatementTimeoutError):
        await db.execute_many("INSERT INTO items SELECT ?, (" + SLOW + ")", [(1,)], timeout=0.05)
    assert await db.select_value(COUNT) == 0
    assert config.connections.pool.size <= 3


async def test_a_time_limit_that_is_not_reached_changes_nothing(db: AsyncSqliteDriver) -> None:
    """Not even when it passes after the end."""  # C3
    for _ in range(20):
        assert await db.select_value(COUNT, timeout=0.5) == 0
    assert (await db.execute(INSERT, 1, "a", timeout=5)).rows_affected == 1
    assert (await db.execute_many(INSERT, [(2, "b")], timeout=5)).rows_affected == 1
    await db.execute_script("DELETE FROM items; DELETE FROM items", timeout=5)


async def test_a_stream_and_a_time_out_in_one_transaction(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """The interrupted connection is clean when it comes back: no cursor, no lock."""  # F1 S14
    await db.execute_many(INSERT, [(n, "x") for n in range(5)])
    await db.begin()
    async with db.select_stream("SELECT id FROM items", schema_type=int, chunk_size=1) as rows:
        async for _ in rows:
            break
        with pytest.raises(StatementTimeoutError):
            await db.select(SLOW, timeout=0.05)
        with pytest.raises(SessionClosedError, match="lost or given back"):
            [row async for row in rows]
    await db.rollback()
    async with config.provide_session() as one, config.provide_session() as two:
        for other in (one, two, db):
            await other.begin()
            await other.execute("DELETE FROM items")
            await other.rollback()
            assert await other.select_value(COUNT) == 5


async def test_memory_is_one_database_per_config() -> None:
    """For several sessions at once, until its pool is closed."""  # S12
    config = AsyncSqlite()
    async with config.provide_session() as one, config.provide_session() as two:
        await one.execute("CREATE TABLE t (id INTEGER)")
        await two.execute("INSERT INTO t VALUES (1)")
        assert await one.select_value("SELECT count(*) FROM t") == 1
    async with config.provide_session() as three:
        assert await three.select_value("SELECT count(*) FROM t") == 1
    await config.close()
    async with config.provide_session() as four:
        assert await four.select_value("SELECT count(*) FROM sqlite_master") == 0
    await config.close()


async def test_parameters_are_in_no_error(db: AsyncSqliteDriver) -> None:
    """Nor in notes or attributes."""  # E5
    await db.execute("INSERT INTO items VALUES (1, ?)", "geheim")
    with pytest.raises(UniqueViolationError) as unique:
        await db.execute("INSERT INTO items VALUES (1, ?)", "geheim")
    with pytest.raises(MappingError) as mapping:
        await db.select_value("SELECT name FROM items", schema_type=int)
    for error in (unique.value, mapping.value):
        assert "geheim" not in f"{error!r} {error} {error.__dict__} {getattr(error, '__notes__', '')}"


async def test_methods_of_sessions_that_borrow_have_no_raw_connection(config: AsyncSqlite) -> None:
    """The error names what to use instead."""  # S15
    async with config.provide_session(hold=False) as db:
        with pytest.raises(TransactionError, match="provide_connection"):
            await db.acquire_connection()
        async with db.transaction():
            connection: Any = await db.acquire_connection()
            assert connection.in_transaction
