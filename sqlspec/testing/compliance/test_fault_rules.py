"""What is lost says so: time limits, killed connections, blocks of which no part can be undone: S6 S14, C3, F2."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.exceptions import (
    CommitOutcomeUnknownError,
    ConnectionLostError,
    ImproperConfigurationError,
    ParameterError,
    SessionClosedError,
    StatementTimeoutError,
    TransactionAbortedError,
    UniqueViolationError,
)
from sqlspec.testing.compliance.adapter import Database, where

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase

pytestmark = pytest.mark.usefixtures("items")

COUNT = "SELECT count(*) FROM items"
INSERT = "INSERT INTO items (id, name) VALUES (?, ?)"


@where("time_limits")
async def test_a_timed_out_statement_loses_its_transaction(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Every further statement and commit() say so until rollback(); nothing was saved."""  # S14
    await db.begin()
    await db.execute(INSERT, 1, "a")
    with pytest.raises(StatementTimeoutError):
        await db.execute(database.phrase("slow"), timeout=0.1)
    for _ in range(2):
        with pytest.raises(TransactionAbortedError, match="took longer"):
            await db.execute(INSERT, 2, "b")
        with pytest.raises(TransactionAbortedError, match="took longer"):
            await db.execute_many(INSERT, [(2, "b")])
        with pytest.raises(TransactionAbortedError, match="took longer"):
            async with db.select_stream(COUNT):
                pass
        with pytest.raises(TransactionAbortedError, match="took longer"):
            await db.commit()
    await db.rollback()
    await db.execute(INSERT, 3, "c")
    async with database.session() as other:
        assert await other.select("SELECT id FROM items", schema_type=int) == [3]


@where("time_limits")
async def test_a_block_whose_transaction_was_lost_does_not_end_well(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """Whoever swallows the time-out learns of it at the end of the block."""  # S14
    with pytest.raises(TransactionAbortedError, match="took longer"):
        async with db.transaction():
            await db.execute(INSERT, 1, "a")
            with pytest.raises(StatementTimeoutError):
                await db.execute(database.phrase("slow"), timeout=0.1)
    await db.execute(INSERT, 2, "b")
    assert await database.value("SELECT max(id) FROM items") == 2
    assert await database.value(COUNT) == 1


@where("time_limits")
async def test_a_statement_that_timed_out_alone_costs_nothing_else(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """Outside a transaction the next statement simply works."""  # S14
    for _ in range(3):
        with pytest.raises(StatementTimeoutError) as timed_out:
            await db.select(database.phrase("slow"), timeout=0.05)
        assert timed_out.value.statement == database.phrase("slow")
        assert await db.select_value("SELECT 1") == 1


@where("time_limits")
async def test_the_configs_statement_timeout_holds(database: Database) -> None:
    """``statement_timeout`` limits what gives no ``timeout=``, and ``timeout=`` wins."""  # C3
    config = database.new_config(statement_timeout=0.1)
    async with database.session(config) as db:
        with pytest.raises(StatementTimeoutError, match=r"0\.1 s"):
            await db.select(database.phrase("slow"))
        with pytest.raises(StatementTimeoutError, match=r"0\.05 s"):
            await db.select(database.phrase("slow"), timeout=0.05)


@where("kill")
async def test_a_killed_connection_loses_its_transaction(database: Database, db: AsyncDriverAdapterBase) -> None:
    """A lost connection is no empty result: ConnectionLostError, then S14 until rollback()."""  # S14 E1
    await db.begin()
    await db.execute(INSERT, 1, "a")
    number = await db.select_value(database.phrase("connection"))
    with pytest.raises(ConnectionLostError) as lost:
        await db.execute(database.phrase("kill"), {"id": number})
    assert lost.value.statement == database.phrase("kill")
    assert lost.value.code is not None
    with pytest.raises(TransactionAbortedError, match="connection was lost"):
        await db.execute(INSERT, 2, "b")
    with pytest.raises(TransactionAbortedError, match="connection was lost"):
        await db.commit()
    await db.rollback()
    await db.execute(INSERT, 3, "c")
    assert await database.value("SELECT max(id) FROM items") == 3
    assert await database.value(COUNT) == 1


@where("kill")
async def test_a_connection_killed_from_outside_is_noticed(database: Database, db: AsyncDriverAdapterBase) -> None:
    """The next statement in the transaction says ConnectionLostError."""  # S14 F2
    await db.begin()
    await database.kill(await db.select_value(database.phrase("connection")))
    await asyncio.sleep(0.05)
    with pytest.raises(ConnectionLostError):
        await db.execute(INSERT, 1, "a")
    with pytest.raises(TransactionAbortedError):
        await db.commit()
    await db.rollback()
    assert await database.value(COUNT) == 0


@where("kill")
async def test_an_idle_connection_that_died_costs_no_transaction(database: Database) -> None:
    """BEGIN on a dead connection out of the pool is sent on the next one: nothing had run yet."""  # F2 W9
    config = database.new_config({"max_size": 2})
    async with database.session(config) as one, database.session(config) as two:
        numbers = [await session.select_value(database.phrase("connection")) for session in (one, two)]
    for number in numbers:
        await database.kill(number)
    async with database.session(config) as db, db.transaction():
        await db.execute(INSERT, 1, "a")
    assert await database.value(COUNT) == 1


@where("kill")
async def test_a_stream_on_a_lost_connection_says_so(database: Database, db: AsyncDriverAdapterBase) -> None:
    """ConnectionLostError at a later fetch, and the session works on outside a transaction."""  # F2
    await db.execute_many(INSERT, [(n, "x" * 1_000_000) for n in range(10)])  # more than sockets keep
    with pytest.raises(ConnectionLostError):
        await read_and_lose(database, db)
    assert await db.select_value(COUNT) == 10


async def read_and_lose(database: Database, db: AsyncDriverAdapterBase) -> None:
    number = await db.select_value(database.phrase("connection"))
    async with db.select_stream("SELECT name FROM items", schema_type=str, chunk_size=1) as rows:
        await anext(aiter(rows))
        await database.kill(number)
        await asyncio.sleep(0.05)
        async for _ in rows:
            pass


@where("kill", "dollar_quotes", "deferred_constraints")
async def test_a_connection_lost_during_commit_leaves_the_outcome_unknown(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """COMMIT ends its own backend, by a deferred trigger: the user is told that nobody knows, no hook is."""  # S6 S14
    heard: list[str] = []
    await database.run(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER dying AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION die()",
    )
    await db.begin()
    await db.execute(INSERT, 1, "a")
    db.on_commit(lambda: heard.append("commit"))
    db.on_rollback(lambda: heard.append("rollback"))
    with pytest.raises(CommitOutcomeUnknownError) as lost:
        await db.commit()
    assert lost.value.__cause__ is not None
    with pytest.raises(TransactionAbortedError, match="outcome is unknown"):
        await db.select_value(COUNT)
    await db.rollback()
    assert heard == []
    assert await db.select_value(COUNT) == 0


@where("-savepoints")
async def test_an_inner_failure_takes_all_along_where_no_part_can_be_undone(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """Blocks nest; one that fails dooms the outermost, which says so at its end: nothing of it is saved."""  # S4 S14
    async with db.transaction():
        await db.execute(INSERT, 1, "outer")
        async with db.transaction():
            await db.execute(INSERT, 2, "inner")
    assert await database.value(COUNT) == 2
    with pytest.raises(TransactionAbortedError, match="undo a part"):
        async with db.transaction():
            await db.execute(INSERT, 3, "outer")
            with pytest.raises(KeyError):
                async with db.transaction():
                    await db.execute(INSERT, 4, "inner")
                    raise KeyError
            with pytest.raises(TransactionAbortedError, match="undo a part"):
                await db.execute(INSERT, 5, "outer")
    assert await database.value(COUNT) == 2
    await db.execute(INSERT, 6, "usable again")
    assert await database.value(COUNT) == 3


@where("multiple_results", "-transactional_ddl")
async def test_a_procedure_that_ends_the_transaction_is_noticed(database: Database, db: AsyncDriverAdapterBase) -> None:
    """It committed behind its caller's back: everything after it says so, until rollback()."""  # S14
    await database.run("CREATE PROCEDURE ends() BEGIN COMMIT; END")
    await db.begin()
    await db.execute(INSERT, 1, "a")
    await db.execute("CALL ends()")
    for _ in range(2):
        with pytest.raises(TransactionAbortedError, match="can only be seen in the database"):
            await db.execute(INSERT, 2, "b")
        with pytest.raises(TransactionAbortedError, match="CALL ends"):
            await db.commit()
    await db.rollback()
    await db.execute(INSERT, 3, "c")
    async with database.session() as other:
        assert await other.select("SELECT id FROM items ORDER BY id", schema_type=int) == [1, 3]


@where("-time_limits")
async def test_a_time_limit_that_can_not_be_kept_is_refused(database: Database, db: AsyncDriverAdapterBase) -> None:
    """By the statement before it is sent, and by the config: never a limit that does not hold."""  # C3 E4
    with pytest.raises(ParameterError, match="can't stop a statement"):
        await db.execute(INSERT, 1, "a", timeout=5)
    assert await db.select_value(COUNT) == 0
    with pytest.raises(ImproperConfigurationError, match="can't stop a statement"):
        database.new_config(statement_timeout=5)


@where("time_limits", "savepoints")
async def test_a_block_does_not_forget_what_its_owner_began(database: Database, db: AsyncDriverAdapterBase) -> None:
    """A block inside begin() was lost, and its error caught: all that begin() opened is, until rollback()."""  # S14
    await db.begin()
    await db.execute(INSERT, 1, "a")
    with pytest.raises(StatementTimeoutError):
        async with db.transaction():
            await db.execute(database.phrase("slow"), timeout=0.1)
    with pytest.raises(TransactionAbortedError, match="took longer"):
        await db.execute(INSERT, 2, "b")
    with pytest.raises(TransactionAbortedError, match="took longer"):
        await db.commit()
    await db.rollback()
    await db.execute(INSERT, 3, "c")
    async with database.session() as other:
        assert await other.select("SELECT id FROM items", schema_type=int) == [3]


@where("-savepoints")
async def test_many_rows_that_fail_take_the_transaction_along(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Where no part can be undone: nothing else runs in it, and commit() says that nothing was saved."""  # P7 S14
    await db.begin()
    await db.execute(INSERT, 1, "a")
    with pytest.raises(UniqueViolationError):
        await db.execute_many(INSERT, [(2, "b"), (2, "c")])
    with pytest.raises(TransactionAbortedError, match="undo a part"):
        await db.select_value(COUNT)
    with pytest.raises(TransactionAbortedError, match="undo a part"):
        await db.commit()
    await db.rollback()
    assert await database.value(COUNT) == 0
    await db.begin()
    wrong_limit: Any = "5"
    with pytest.raises(ParameterError):
        await db.execute_many(INSERT, [(2, "b")], timeout=wrong_limit)
    await db.commit()  # nothing was sent, so nothing is lost
    await db.execute(INSERT, 3, "usable again")
    assert await database.value(COUNT) == 1


@where("-savepoints", "streams_beside")
async def test_a_stream_ends_with_the_transaction_that_was_lost_beside_it(db: AsyncDriverAdapterBase) -> None:
    """Its next row says why."""  # S14 S8
    await db.execute_many(INSERT, [(number, "a") for number in range(5)])
    await db.begin()
    async with db.select_stream("SELECT id FROM items ORDER BY id", schema_type=int, chunk_size=1) as rows:
        assert await anext(aiter(rows)) == 0
        with pytest.raises(UniqueViolationError):
            await db.execute_many(INSERT, [(7, "b"), (7, "c")])
        with pytest.raises(SessionClosedError, match="undo a part"):
            await anext(aiter(rows))
    await db.rollback()
    assert await db.select_value(COUNT) == 5


@where("multiple_results", "-transactional_ddl")
async def test_a_streamed_procedure_that_ends_the_transaction_is_noticed(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """When the stream is left; or by commit(), which ends the stream itself."""  # S14
    await database.run("CREATE PROCEDURE ends() BEGIN COMMIT; SELECT 1 AS one; END")
    await db.begin()
    async with db.select_stream("CALL ends()", schema_type=int) as rows:
        assert [row async for row in rows] == [1]
    with pytest.raises(TransactionAbortedError, match="CALL ends"):
        await db.execute(INSERT, 1, "a")
    await db.rollback()
    await db.begin()
    async with db.select_stream("CALL ends()", schema_type=int) as rows:
        with pytest.raises(TransactionAbortedError, match="CALL ends"):
            await db.commit()
    await db.rollback()
    assert await database.value(COUNT) == 0
