"""Transactions mean the same on every adapter: S3 S4 S5 S6 S9 S14 S15."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.exceptions import (
    DatabaseError,
    ForeignKeyViolationError,
    ImplicitCommitError,
    IntegrityError,
    PermissionDeniedError,
    TransactionAbortedError,
    TransactionError,
    UndefinedTableError,
    UniqueViolationError,
)
from sqlspec.testing.compliance.adapter import Database, where

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase

pytestmark = pytest.mark.usefixtures("items")

COUNT = "SELECT count(*) FROM items"
INSERT = "INSERT INTO items (id, name) VALUES (?, ?)"


async def test_every_statement_commits_by_itself(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Another connection sees the row at once, whatever the driver begins by itself."""  # S3
    await db.execute(INSERT, 1, "a")
    assert await database.value(COUNT) == 1
    await db.execute_many(INSERT, [(2, "b"), (3, "c")])
    assert await database.value(COUNT) == 3
    await db.execute_script("INSERT INTO items VALUES (4, 'd'); DELETE FROM items WHERE id = 1")
    assert await database.value(COUNT) == 3


async def test_commit_and_rollback_without_a_transaction_do_nothing(db: AsyncDriverAdapterBase) -> None:
    """They are no error, and undo nothing."""  # S3
    await db.commit()
    await db.execute(INSERT, 1, "a")
    await db.rollback()
    await db.commit()
    assert await db.select_value(COUNT) == 1


async def test_commit_makes_visible_what_was_hidden(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Between begin() and commit() nobody else sees anything."""  # S4
    await db.begin()
    await db.execute(INSERT, 1, "a")
    assert await database.value(COUNT) == 0
    await db.commit()
    assert await database.value(COUNT) == 1


async def test_rollback_undoes(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Afterwards statements commit by themselves again."""  # S4
    await db.begin()
    await db.execute(INSERT, 1, "a")
    await db.execute_many(INSERT, [(2, "b")])
    await db.rollback()
    await db.execute(INSERT, 3, "c")
    assert await database.value("SELECT max(id) FROM items") == 3
    assert await database.value(COUNT) == 1


async def test_begin_inside_a_transaction_is_an_error(db: AsyncDriverAdapterBase) -> None:
    """And the open one goes on."""  # S4
    await db.begin()
    await db.execute(INSERT, 1, "a")
    with pytest.raises(TransactionError, match="open already"):
        await db.begin()
    await db.commit()
    assert await db.select_value(COUNT) == 1


async def test_a_block_commits_at_its_end(database: Database, db: AsyncDriverAdapterBase) -> None:
    """And not before."""  # S4
    async with db.transaction():
        await db.execute(INSERT, 1, "a")
        assert await database.value(COUNT) == 0
    assert await database.value(COUNT) == 1


async def test_a_block_rolls_back_at_an_exception(database: Database, db: AsyncDriverAdapterBase) -> None:
    """The exception goes on as it is."""  # S4
    with pytest.raises(KeyError):
        async with db.transaction():
            await db.execute(INSERT, 1, "a")
            raise KeyError
    assert await database.value(COUNT) == 0


@where("savepoints")
async def test_an_inner_failure_undoes_the_inner_block_only(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Three levels; the middle one fails in the database and is caught outside of it."""  # S4
    async with db.transaction():
        await db.execute(INSERT, 1, "outer")
        with pytest.raises(UniqueViolationError):
            async with db.transaction():
                await db.execute(INSERT, 2, "middle")
                async with db.transaction():
                    await db.execute(INSERT, 3, "inner")
                await db.execute(INSERT, 1, "again")
        async with db.transaction():
            await db.execute(INSERT, 4, "another")
        await db.execute(INSERT, 5, "outer")
    async with database.session() as other:
        assert await other.select("SELECT id FROM items ORDER BY id", schema_type=int) == [1, 4, 5]


async def test_an_open_transaction_is_rolled_back_at_the_end(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Never committed by the release; one WARNING names what opened it."""  # S5
    with caplog.at_level(logging.WARNING):
        async with database.session() as db:
            await db.begin()
            await db.execute(INSERT, 1, "a")
    assert await database.value(COUNT) == 0
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "BEGIN" in record.getMessage()
    assert "/compliance/" in record.getMessage()  # file and line; sync ones are called by the bridge


async def test_a_transaction_opened_by_a_statement_is_known(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """BEGIN as SQL is as good as begin(): commit() ends it, leaving it open rolls it back and warns."""  # S5
    async with database.session() as db:
        await db.execute("BEGIN")
        await db.execute(INSERT, 1, "a")
        with pytest.raises(TransactionError):
            await db.begin()
        await db.commit()
    assert await database.value(COUNT) == 1
    with caplog.at_level(logging.WARNING):
        async with database.session() as db:
            await db.execute("BEGIN")
            await db.execute(INSERT, 2, "b")
    assert await database.value(COUNT) == 1
    assert len(caplog.records) == 1


async def test_a_transaction_ended_by_a_statement_is_known(database: Database, db: AsyncDriverAdapterBase) -> None:
    """ROLLBACK as SQL ends what begin() began, and statements commit by themselves again."""  # S5
    await db.begin()
    await db.execute(INSERT, 1, "a")
    await db.execute("ROLLBACK")
    await db.execute(INSERT, 2, "b")
    assert await database.value("SELECT max(id) FROM items") == 2
    await db.begin()
    await db.rollback()


async def test_the_next_user_finds_no_transaction(database: Database) -> None:
    """A connection that came back with an open transaction is clean for the next session."""  # S5
    config = database.new_config({"max_size": 1})
    for number in range(3):
        async with database.session(config) as db:
            await db.execute("BEGIN")
            await db.execute(INSERT, number, "a")
    async with database.session(config) as db:
        assert await db.select_value(COUNT) == 0
        await db.begin()
        await db.rollback()


@where("error_aborts")
async def test_commit_of_an_aborted_transaction_is_an_error(database: Database, db: AsyncDriverAdapterBase) -> None:
    """The drivers say nothing and save nothing; we name the statement that failed first."""  # S6
    await db.begin()
    await db.execute(INSERT, 1, "a")
    with pytest.raises(UniqueViolationError):
        await db.execute(INSERT, 1, "b")
    with pytest.raises(TransactionAbortedError) as refused:
        await db.select_value(COUNT)
    assert refused.value.statement == INSERT
    with pytest.raises(TransactionAbortedError) as failed:
        await db.commit()
    assert failed.value.statement == INSERT
    assert await database.value(COUNT) == 0
    await db.execute(INSERT, 2, "usable again")
    assert await database.value(COUNT) == 1


@where("commit_tag", "dollar_quotes")
async def test_an_aborted_transaction_of_the_driver_is_told_by_its_tag(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """Also when the session could not know: the failure was inside a function of the server."""  # S6
    await db.begin()
    await db.execute(INSERT, 1, "a")
    with pytest.raises(DatabaseError):
        await db.execute("DO $$ BEGIN RAISE EXCEPTION 'no'; END $$")
    with pytest.raises(TransactionAbortedError):
        await db.commit()
    assert await database.value(COUNT) == 0


@where("error_aborts", "savepoints")
async def test_a_caught_failure_inside_a_block_spoils_the_block(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Leaving the block well says so, and the outer block is not harmed if that is caught."""  # S6
    async with db.transaction():
        await db.execute(INSERT, 1, "outer")
        with pytest.raises(TransactionAbortedError) as failed:
            async with db.transaction():
                await db.execute(INSERT, 2, "inner")
                with pytest.raises(UniqueViolationError):
                    await db.execute(INSERT, 2, "again")
        assert failed.value.statement == INSERT
    assert await database.value(COUNT) == 1


@where("error_aborts")
async def test_a_caught_failure_spoils_the_outermost_block_too(database: Database, db: AsyncDriverAdapterBase) -> None:
    """It is over then: nothing is saved, and the session works on."""  # S6
    with pytest.raises(TransactionAbortedError) as failed:
        async with db.transaction():
            await db.execute(INSERT, 1, "a")
            with pytest.raises(UniqueViolationError):
                await db.execute(INSERT, 1, "again")
    assert failed.value.statement == INSERT
    assert await database.value(COUNT) == 0
    await db.execute(INSERT, 2, "usable again")
    assert await database.value(COUNT) == 1


@where("-error_aborts")
async def test_a_caught_failure_aborts_nothing_where_the_database_goes_on(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """SQLite undoes the statement and keeps the transaction."""  # S6
    await db.begin()
    await db.execute(INSERT, 1, "a")
    with pytest.raises(UniqueViolationError):
        await db.execute(INSERT, 1, "b")
    await db.execute(INSERT, 2, "c")
    await db.commit()
    assert await database.value(COUNT) == 2


@where("savepoints")
async def test_a_savepoint_heals(database: Database, db: AsyncDriverAdapterBase) -> None:
    """ROLLBACK TO SAVEPOINT, sent as SQL, makes the transaction usable again."""  # S6
    await db.begin()
    await db.execute(INSERT, 1, "a")
    await db.execute("SAVEPOINT here")
    with pytest.raises(UniqueViolationError):
        await db.execute(INSERT, 1, "b")
    await db.execute("ROLLBACK TO SAVEPOINT here")
    await db.execute(INSERT, 2, "c")
    await db.commit()
    assert await database.value(COUNT) == 2


@where("deferred_constraints")
async def test_a_failed_commit_leaves_nothing_open(database: Database, db: AsyncDriverAdapterBase) -> None:
    """A deferred constraint fails at COMMIT: all is rolled back, and the session works on."""  # S6
    await database.run(
        "CREATE TABLE parts (id INTEGER, item INTEGER REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    await db.begin()
    await db.execute("INSERT INTO parts (id, item) VALUES (1, 99)")
    with pytest.raises(ForeignKeyViolationError if database.can("constraint_names") else IntegrityError):
        await db.commit()
    await db.execute(INSERT, 1, "a")
    assert await database.value("SELECT count(*) FROM parts") == 0
    assert await database.value(COUNT) == 1


@where("deferred_constraints")
async def test_a_failed_commit_of_a_block_leaves_nothing_open(database: Database, db: AsyncDriverAdapterBase) -> None:
    """The same at the end of a transaction() block."""  # S6
    await database.run(
        "CREATE TABLE parts (id INTEGER, item INTEGER REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    with pytest.raises(IntegrityError):
        async with db.transaction():
            await db.execute("INSERT INTO parts (id, item) VALUES (1, 99)")
    async with db.transaction():
        await db.execute(INSERT, 1, "a")
    assert await database.value("SELECT count(*) FROM parts") == 0
    assert await database.value(COUNT) == 1


@where("isolation")
@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
async def test_isolation_is_what_was_asked_for(database: Database, db: AsyncDriverAdapterBase, level: Any) -> None:
    """Seen by what another transaction commits meanwhile: read committed sees it, repeatable read does not."""  # S4
    await db.execute(INSERT, 1, "a")
    async with db.transaction(isolation=level):
        assert await db.select_value(COUNT) == 1
        await database.run("INSERT INTO items (id, name) VALUES (2, 'b')")
        assert await db.select_value(COUNT) == (2 if level == "read committed" else 1)
    assert await db.select_value(COUNT) == 2
    await db.begin(isolation="read committed")  # the level was for one transaction only
    await db.rollback()


@where("read_only")
async def test_a_read_only_transaction_only_reads(database: Database, db: AsyncDriverAdapterBase) -> None:
    """A write in it is refused, where SQLite leaves that to a pragma; the next transaction writes."""  # S4 E2
    await db.begin(read_only=True)
    assert await db.select_value(COUNT) == 0
    if not database.can("file"):
        with pytest.raises(PermissionDeniedError):
            await db.execute(INSERT, 1, "a")
    await db.rollback()
    async with db.transaction():
        await db.execute(INSERT, 1, "a")
    assert await database.value(COUNT) == 1


@where("-transactional_ddl")
async def test_a_statement_that_would_commit_by_itself_is_refused(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """DDL in a transaction: before anything is sent, and the transaction is as good as before."""  # W24
    await db.begin()
    await db.execute(INSERT, 1, "a")
    for statement in ("CREATE TABLE more (id INTEGER)", "DROP TABLE items", "ALTER TABLE items ADD COLUMN x INTEGER"):
        with pytest.raises(ImplicitCommitError, match="provide_session"):
            await db.execute(statement)
        with pytest.raises(ImplicitCommitError):
            async with db.select_stream(statement):
                pass
    assert await database.value(COUNT) == 0
    await db.rollback()
    assert await db.select_value(COUNT) == 0
    await db.execute("CREATE TABLE more (id INTEGER)")


@where("transactional_ddl")
async def test_ddl_is_part_of_its_transaction(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Rolled back with it."""  # S4
    await db.begin()
    await db.execute("CREATE TABLE more (id INTEGER)")
    await db.execute("INSERT INTO more VALUES (1)")
    await db.rollback()
    with pytest.raises(UndefinedTableError):
        await db.select_value("SELECT count(*) FROM more")


@where("savepoints")
async def test_an_undone_block_leaves_no_savepoint(db: AsyncDriverAdapterBase) -> None:
    """A loop of failing blocks in one transaction must not pile them up."""  # S4
    await db.begin()
    with pytest.raises(KeyError):
        async with db.transaction():
            await db.execute(INSERT, 1, "a")
            raise KeyError
    with pytest.raises(DatabaseError, match=r"(?i)savepoint.*\n"):
        await db.execute("RELEASE SAVEPOINT sqlspec_1")
    await db.rollback()


@where("-isolation")
async def test_an_isolation_that_can_not_be_had_is_an_error(database: Database, db: AsyncDriverAdapterBase) -> None:
    """And nothing was begun."""  # S4
    with pytest.raises(TransactionError, match="read committed"):
        await db.begin(isolation="read committed")
    await db.begin(isolation="repeatable read" if database.dialect == "duckdb" else "serializable")
    await db.rollback()


@where("savepoints")
async def test_hooks_run_after_the_outcome(database: Database, db: AsyncDriverAdapterBase) -> None:
    """When an on_commit hook runs, others see the work; those of a block that was undone are dropped."""  # S9
    heard: list[str] = []

    async with db.transaction():
        await db.execute(INSERT, 1, "a")
        db.on_commit(lambda: heard.append("commit"))
        db.on_rollback(lambda: heard.append("rollback"))
        with pytest.raises(KeyError):
            async with db.transaction():
                db.on_commit(lambda: heard.append("inner"))
                raise KeyError
        assert heard == []
    assert heard == ["commit"]
    await db.begin()
    db.on_commit(lambda: heard.append("commit"))
    db.on_rollback(lambda: heard.append("rollback"))
    await db.rollback()
    assert heard == ["commit", "rollback"]
    assert await database.value(COUNT) == 1


@where("temporary_tables")
async def test_a_session_keeps_its_connection(database: Database, db: AsyncDriverAdapterBase) -> None:
    """A temporary table lives from statement to statement."""  # S15
    await db.execute("CREATE TEMPORARY TABLE mine (id INTEGER)")
    await db.execute("INSERT INTO mine VALUES (1)")
    async with database.session() as other:
        await other.select_value(COUNT)
    assert await db.select_value("SELECT count(*) FROM mine") == 1
