"""Streams mean the same on every adapter: S8 S14 S15, E2, R3 R4."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from sqlspec.exceptions import (
    DatabaseError,
    ForeignKeyViolationError,
    MappingError,
    ParameterError,
    SessionClosedError,
    TransactionError,
)
from sqlspec.testing.compliance.adapter import Database, where

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase

pytestmark = pytest.mark.usefixtures("rows")

ALL = "SELECT id FROM items ORDER BY id"
COUNT = "SELECT count(*) FROM items"


@pytest_asyncio.fixture(loop_scope="function")
async def rows(items: None, database: Database) -> None:
    async with database.session() as db:
        await db.execute_many("INSERT INTO items VALUES (?, ?)", [(n, str(n)) for n in range(25)])


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("chunk_size", [1, 10, 25, 1000])
async def test_all_rows_come_in_order(database: Database, chunk_size: int, hold: bool) -> None:
    """Whatever the size of a chunk; afterwards the session works on."""  # S15
    async with database.session(hold=hold) as db:
        async with db.select_stream(ALL, schema_type=int, chunk_size=chunk_size) as stream:
            assert [row async for row in stream] == list(range(25))
        async with db.select_stream("SELECT id, name FROM items WHERE id IN (:ids)", {"ids": [3]}) as stream:
            assert [row async for row in stream] == [{"id": 3, "name": "3"}]
        async with db.select_stream("SELECT id FROM items WHERE id > ?", 99) as stream:
            assert [row async for row in stream] == []
        await db.execute("DELETE FROM items")
    assert await database.value(COUNT) == 0


@pytest.mark.parametrize("hold", [True, False])
async def test_leaving_early_leaves_nothing_behind(database: Database, hold: bool) -> None:
    """No cursor, no read transaction, no lock: the table can be dropped at once, by others too."""  # S15
    async with database.session(hold=hold) as db:
        async with db.select_stream(ALL, schema_type=int, chunk_size=2) as stream:
            async for row in stream:
                if row == 4:
                    break
        await database.run("ALTER TABLE items ADD COLUMN extra TEXT")
        with pytest.raises(KeyError):
            async with db.select_stream(ALL, chunk_size=2) as stream:
                async for _ in stream:
                    raise KeyError
        await database.run("DROP TABLE items")
        assert await db.select_value("SELECT 1") == 1


async def test_a_stream_outside_a_transaction_has_the_session_to_itself(db: AsyncDriverAdapterBase) -> None:
    """Another statement on it raises before anything is sent, and the stream goes on."""  # S3
    async with db.select_stream(ALL, schema_type=int, chunk_size=10) as stream:
        assert await anext(aiter(stream)) == 0
        with pytest.raises(TransactionError, match="stream is open"):
            await db.execute("DELETE FROM items")
        with pytest.raises(TransactionError, match="stream is open"):
            async with db.select_stream(ALL):
                pass
        assert [row async for row in stream] == list(range(1, 25))
    await db.execute("DELETE FROM items")


async def test_begin_beside_an_open_stream_is_refused(database: Database, db: AsyncDriverAdapterBase) -> None:
    """A transaction that begins inside somebody else's cursor would not be its own."""  # S4
    async with db.select_stream(ALL, schema_type=int, chunk_size=10) as stream:
        with pytest.raises(TransactionError, match="stream"):
            await db.begin()
        with pytest.raises(TransactionError, match="stream"):
            async with db.transaction():
                pass
        assert len([row async for row in stream]) == 25
    await db.begin()
    await db.execute("DELETE FROM items")
    await db.rollback()
    assert await database.value(COUNT) == 25


@where("streams_beside", "transactional_ddl")
async def test_inside_a_transaction_statements_run_beside_a_stream(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """Two streams at once, and what is written belongs to the transaction."""  # S4
    await db.execute("CREATE TABLE copies (id INTEGER)")
    async with db.transaction():
        async with (
            db.select_stream(ALL, schema_type=int, chunk_size=5) as first,
            db.select_stream(ALL, schema_type=int, chunk_size=5) as second,
        ):
            async for row in first:
                assert await anext(aiter(second)) == row
                await db.execute("INSERT INTO copies VALUES (?)", row)
        assert await db.select_value("SELECT count(*) FROM copies") == 25
        assert await database.value("SELECT count(*) FROM copies") == 0
    assert await database.value("SELECT count(*) FROM copies") == 25


@where("-streams_beside")
async def test_inside_a_transaction_a_stream_has_the_session_to_itself(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """Another statement raises before anything is sent, and stream and transaction go on."""  # S4
    async with db.transaction():
        async with db.select_stream(ALL, schema_type=int, chunk_size=2) as stream:
            assert await anext(aiter(stream)) == 0
            with pytest.raises(TransactionError, match="stream is open"):
                await db.execute("DELETE FROM items")
            with pytest.raises(TransactionError, match="stream is open"):
                async with db.transaction():
                    pass
            assert [row async for row in stream] == list(range(1, 25))
        await db.execute("DELETE FROM items WHERE id = 0")
    assert await database.value(COUNT) == 24


async def test_a_stream_ends_with_its_block(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Well or by an exception: nothing is lost by a stream that nobody left."""  # S4
    streams = [db.select_stream(ALL, schema_type=int, chunk_size=2) for _ in range(2)]
    async with db.transaction():
        await db.execute("DELETE FROM items WHERE id = 24")
        one = await streams[0].__aenter__()
        assert await anext(aiter(one)) == 0
    assert await database.value(COUNT) == 24
    with pytest.raises(KeyError):
        async with db.transaction():
            await db.execute("DELETE FROM items WHERE id = 23")
            await streams[1].__aenter__()
            raise KeyError
    with pytest.raises(SessionClosedError):
        [row async for row in one]
    for stream in streams:
        await stream.__aexit__(None, None, None)
    assert await database.value(COUNT) == 24


@where("savepoints")
async def test_a_stream_does_not_hinder_the_end_of_an_inner_block(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """Though its rows may be on the wire still: the block ends well or is undone, and the outer one goes on."""  # S4
    async with db.transaction():
        async with db.transaction():
            one = db.select_stream(ALL, schema_type=int, chunk_size=2)
            assert await anext(aiter(await one.__aenter__())) == 0
        await db.execute("DELETE FROM items WHERE id = 24")
        two = db.select_stream(ALL, schema_type=int, chunk_size=2)
        with pytest.raises(KeyError):
            async with db.transaction():
                await two.__aenter__()
                raise KeyError
        await db.execute("DELETE FROM items WHERE id = 23")
    for stream in (one, two):
        await stream.__aexit__(None, None, None)
    assert await database.value(COUNT) == 23


async def test_a_borrowed_stream_leaves_the_session_free(database: Database) -> None:
    """Without a connection of its own the session reads by one and writes by another, in a transaction too."""  # S15
    async with (
        database.session(hold=False) as db,
        db.select_stream(ALL, schema_type=int, chunk_size=2) as stream,
    ):
        assert await anext(aiter(stream)) == 0
        assert await db.select_value(COUNT) == 25
        async with db.transaction():
            assert await db.select_value(COUNT) == 25
        assert await anext(aiter(stream)) == 1
        with pytest.raises(KeyError):
            async with db.transaction():
                raise KeyError
        assert [row async for row in stream] == list(range(2, 25))


async def test_a_stream_ends_with_its_transaction(db: AsyncDriverAdapterBase) -> None:
    """Its next row says that the transaction was ended."""  # S8
    await db.begin()
    async with db.select_stream(ALL, schema_type=int, chunk_size=2) as stream:
        assert await anext(aiter(stream)) == 0
        await db.commit()
        with pytest.raises(SessionClosedError, match="committed"):
            [row async for row in stream]
    assert await db.select_value(COUNT) == 25


async def test_a_stream_ends_with_its_session(database: Database) -> None:
    """Its next row says so, and no connection is lost."""  # S8
    config = database.new_config({"max_size": 1})
    for _ in range(3):
        async with database.session(config) as db:
            scope = db.select_stream(ALL, chunk_size=2)
            stream = await scope.__aenter__()
            assert await anext(aiter(stream)) == {"id": 0}
        with pytest.raises(SessionClosedError):
            [row async for row in stream]
        await scope.__aexit__(None, None, None)


async def test_a_stream_that_was_not_entered_says_so(database: Database) -> None:
    """Iterating it without ``with`` is an error."""  # S8
    async with database.session() as db:
        if database.is_async:
            with pytest.raises(SessionClosedError, match="with"):
                await anext(aiter(db.select_stream(ALL)))
        with pytest.raises(ParameterError):
            async with db.select_stream("SELECT ?, ?", 1):
                pass


@pytest.mark.parametrize("statement", ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a"])
async def test_a_stream_begins_and_ends_no_transaction(
    database: Database, db: AsyncDriverAdapterBase, statement: str
) -> None:
    """Before anything is sent, and the open transaction goes on."""  # S4 P2
    await db.begin()
    await db.execute("DELETE FROM items WHERE id = 0")
    with pytest.raises(ParameterError, match=r"select_stream\(\) can't begin or end"):
        async with db.select_stream(statement):
            pass
    assert await database.value(COUNT) == 25
    await db.commit()
    assert await database.value(COUNT) == 24


@where("temporary_tables", "-transactional_ddl")
async def test_what_a_streamed_statement_left_in_the_session_ends_with_it(database: Database) -> None:
    """A lock of the session's own (MySQL), taken in a stream: the connection does not go back to the pool."""  # F1 S15
    config = database.new_config({"max_size": 1})
    for hold in (True, False):
        async with (
            database.session(config, hold=hold) as db,
            db.select_stream("SELECT get_lock('mine', 0) AS got", schema_type=int) as rows,
        ):
            assert [row async for row in rows] == [1]
        async with database.session(config) as db:
            assert await db.select_value("SELECT is_free_lock('mine')") == 1


@pytest.mark.parametrize("hold", [True, False])
async def test_a_failure_while_streaming(database: Database, hold: bool, caplog: pytest.LogCaptureFixture) -> None:
    """A row that can't be computed is an error at its place; the session works on, and no connection is lost."""  # E2
    expression = database.phrase("fails_at_5")
    async with database.session(hold=hold) as db:
        seen = 0
        with pytest.raises(DatabaseError):
            async with db.select_stream(
                f"SELECT id, {expression} AS it FROM items ORDER BY id", chunk_size=1
            ) as stream:
                async for _ in stream:
                    seen += 1
        if database.can("server_cursors"):
            # sqlite3 computes one row ahead, DuckDB 2,048 at a time
            assert seen in ((0,) if database.dialect == "duckdb" else (4, 5))
        await db.execute("DELETE FROM items WHERE id = 0")
        await db.begin()
        await db.rollback()
    assert await database.value(COUNT) == 24
    assert caplog.records == []


async def test_a_row_that_does_not_fit_ends_the_stream(db: AsyncDriverAdapterBase) -> None:
    """A MappingError with the statement, and nothing is left open."""  # R4
    with pytest.raises(MappingError) as failed:
        async with db.select_stream("SELECT name FROM items WHERE id < 3", schema_type=bytes) as stream:
            async for _ in stream:
                pass
    assert failed.value.statement == "SELECT name FROM items WHERE id < 3"
    await db.execute("DELETE FROM items")


@where("deferred_constraints", "returning", "-file")
async def test_a_streamed_write_that_is_not_saved_is_no_success(database: Database) -> None:
    """Its own COMMIT fails by a deferred constraint: leaving the stream says so, hides no earlier error."""  # S3 E3
    await database.run("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
    await database.run(
        "CREATE TABLE children (id INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)",
    )
    insert = "INSERT INTO children (id) VALUES (1) RETURNING id"
    async with database.session() as db:
        with pytest.raises(ForeignKeyViolationError):
            async with db.select_stream(insert, schema_type=int) as rows:
                assert [row async for row in rows] == [1]
        with pytest.raises(KeyError) as first:
            async with db.select_stream(insert, schema_type=int) as rows:
                async for _ in rows:
                    raise KeyError
        assert "Closing the stream failed too" in first.value.__notes__[0]
        assert await db.select_value("SELECT count(*) FROM children") == 0
