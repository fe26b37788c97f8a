"""COMMIT of an aborted transaction, whoever sends it: PostgreSQL rolls back and calls that a success. S6, W14."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.concurrency import async_settled
from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import DatabaseError, TransactionAbortedError, TransactionError
from tests.compliance.targets import BY_NAME

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase
    from sqlspec.testing.compliance import Database

INSERT = "INSERT INTO kept VALUES (1)"
ENDS = ("COMMIT", "end work", "COMMIT AND CHAIN", "PREPARE TRANSACTION 'kept'", " /* it */ commit; ")


def each(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("database", [BY_NAME[name] for name in names], indirect=True, ids=str)


every = each("asyncpg", "psycopg", "psqlpy", "psycopg_sync", "adbc_postgresql")
by_calls = each("asyncpg", "psycopg", "psqlpy", "psycopg_sync")
"""Those whose own connections have a method ``execute()``."""
by_tag = each("asyncpg", "psycopg", "psycopg_sync")
"""Those whose connections tell what became of the transaction: psqlpy's do not."""


@pytest.fixture
async def began(database: Database, db: AsyncDriverAdapterBase) -> AsyncDriverAdapterBase:
    """A transaction that has inserted a row."""
    await database.run("CREATE TABLE kept (id int PRIMARY KEY)")
    await db.begin()
    await db.execute(INSERT)
    return db


async def assert_over(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Nothing was saved, no transaction is open, and the session goes on."""
    assert await database.value("SELECT count(*) FROM kept") == 0
    await db.begin()
    await db.execute(INSERT)
    await db.commit()
    assert await database.value("SELECT count(*) FROM kept") == 1


async def call(db: AsyncDriverAdapterBase, sql: str) -> Any:
    """Past the session, by the driver's own connection."""
    return await db.call_connection("execute", (sql,), {})


@every
@pytest.mark.parametrize("statement", ENDS)
async def test_a_statement_says_what_failed(database: Database, began: AsyncDriverAdapterBase, statement: str) -> None:
    """As commit() does."""  # S6
    with pytest.raises(DatabaseError):
        await began.execute(INSERT)
    with pytest.raises(TransactionAbortedError, match="INSERT INTO kept"):
        await began.execute(statement)
    await assert_over(database, began)


@every
async def test_a_script_says_what_failed(database: Database, began: AsyncDriverAdapterBase) -> None:
    with pytest.raises(DatabaseError):
        await began.execute(INSERT)
    with pytest.raises(TransactionAbortedError, match="INSERT INTO kept"):
        await began.execute_script("COMMIT")
    await assert_over(database, began)


@every
@pytest.mark.parametrize("statement", ["ROLLBACK", "ABORT", "ROLLBACK AND CHAIN"])
async def test_a_rollback_is_what_it_says(database: Database, began: AsyncDriverAdapterBase, statement: str) -> None:
    with pytest.raises(DatabaseError):
        await began.execute(INSERT)
    await began.execute(statement)
    await began.rollback()
    await assert_over(database, began)


@every
async def test_what_was_healed_is_saved(database: Database, began: AsyncDriverAdapterBase) -> None:
    """ROLLBACK TO a savepoint: the rest is whole."""  # S4
    await began.execute("SAVEPOINT a")
    with pytest.raises(DatabaseError):
        await began.execute(INSERT)
    await began.execute("ROLLBACK TO SAVEPOINT a")
    await began.execute("COMMIT")
    assert await database.value("SELECT count(*) FROM kept") == 1


@by_calls
@pytest.mark.parametrize("end", ["commit", "statement", "call", "settle"])
async def test_an_error_of_a_call_counts_as_one_of_a_statement(
    database: Database, began: AsyncDriverAdapterBase, end: str
) -> None:
    """The error is the driver's own, and whoever commits is told all the same."""  # S6 W6
    with pytest.raises(Exception, match="kept_pkey") as failed:
        await call(began, INSERT)
    assert not isinstance(failed.value, DatabaseError)
    with pytest.raises(TransactionAbortedError, match="INSERT INTO kept"):
        if end == "commit":
            await began.commit()
        elif end == "statement":
            await began.execute("COMMIT")
        elif end == "call":
            await call(began, "COMMIT")
        else:
            await began.settle(commit=True, reason="done")
    await assert_over(database, began)


@by_tag
async def test_calls_can_heal_and_end_it(database: Database, began: AsyncDriverAdapterBase) -> None:
    """As statements can."""  # W6
    await call(began, "SAVEPOINT a")
    with pytest.raises(Exception, match="kept_pkey"):
        await call(began, INSERT)
    with pytest.raises(TransactionAbortedError):
        await call(began, "SELECT 1")
    await call(began, "ROLLBACK TO SAVEPOINT a")
    await call(began, "SELECT 1")
    with pytest.raises(Exception, match="kept_pkey"):
        await call(began, INSERT)
    await call(began, "ROLLBACK")
    await assert_over(database, began)


@by_calls
async def test_a_commit_by_a_call_that_fails_loses_the_transaction(
    database: Database, began: AsyncDriverAdapterBase
) -> None:
    """A deferred constraint, and a handler that swallows what the driver said."""  # S14
    await began.execute("CREATE TABLE parts (id int REFERENCES kept (id) DEFERRABLE INITIALLY DEFERRED)")
    await began.execute("INSERT INTO parts VALUES (99)")
    with pytest.raises(Exception, match="parts_id_fkey"):
        await call(began, "COMMIT")
    with pytest.raises(TransactionAbortedError, match=r"ended it|failed: COMMIT"):
        await began.commit()
    await began.rollback()
    await assert_over(database, began)


@by_tag
@pytest.mark.parametrize("statement", ENDS[:3])
@pytest.mark.parametrize("by_call", [False, True])
async def test_an_error_that_nobody_saw_is_told_by_the_tag(
    database: Database, began: AsyncDriverAdapterBase, statement: str, by_call: bool
) -> None:
    """Of a statement that was sent by the driver's own object."""  # S6
    own: Any = await began.acquire_connection()
    with pytest.raises(Exception, match="kept_pkey"):
        await async_settled(own.execute(INSERT))
    with pytest.raises(TransactionAbortedError):
        await (call(began, statement) if by_call else began.execute(statement))
    await assert_over(database, began)


@each("asyncpg")
async def test_what_the_driver_refuses_aborts_nothing(database: Database, began: AsyncDriverAdapterBase) -> None:
    """It was never sent."""  # S6
    with pytest.raises(Exception, match="expects 1 argument"):
        await began.call_connection("fetch", ("SELECT $1::int",), {})
    await began.execute("COMMIT")
    assert await database.value("SELECT count(*) FROM kept") == 1


@every
async def test_rollback_only_is_not_beaten_by_a_statement(database: Database, began: AsyncDriverAdapterBase) -> None:
    """Before anything is sent; the transaction goes on."""  # W12
    began.set_rollback_only()
    with pytest.raises(TransactionError, match="set_rollback_only"):
        await began.execute("COMMIT")
    assert await began.select_value("SELECT count(*) FROM kept") == 1
    await began.execute("ROLLBACK")
    assert await database.value("SELECT count(*) FROM kept") == 0


@each("asyncpg", "psycopg", "psqlpy")
async def test_a_request_whose_statement_said_commit(database: Database) -> None:
    """The failure is swallowed and COMMIT sent by hand: it says so."""  # W14
    await database.run("CREATE TABLE kept (id int PRIMARY KEY)")
    session: Any = database.config.create_session(implicit=BeginOptions())
    await session.execute(INSERT)
    with contextlib.suppress(DatabaseError):
        await session.execute(INSERT)
    with pytest.raises(TransactionAbortedError):
        await session.execute("COMMIT")
    await session.close()


@each("duckdb")
async def test_calls_of_duckdb_are_part_of_the_transaction(database: Database, began: AsyncDriverAdapterBase) -> None:
    """What they wrote is saved with the rest."""  # W6
    await call(began, "INSERT INTO kept VALUES (2)")
    await began.execute("COMMIT")
    assert await database.value("SELECT count(*) FROM kept") == 2
