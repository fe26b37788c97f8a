"""A COMMIT whose outcome nobody knows: whoever swallows that is told again until rollback(). S6, S14, W14."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import CommitOutcomeUnknownError, StatementTimeoutError, TransactionAbortedError
from tests.compliance.targets import BY_NAME

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase
    from sqlspec.testing.compliance import Database

pytestmark = pytest.mark.usefixtures("silence")

ITEMS = "CREATE TABLE items (id INTEGER PRIMARY KEY)"
on_postgres = pytest.mark.parametrize("database", [BY_NAME[n] for n in ("asyncpg", "psycopg")], indirect=True, ids=str)


async def at_commit(database: Database, do: str) -> None:
    """Have the server do this whenever a transaction with a new item commits."""
    await database.run(
        ITEMS,
        f"CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {do}; RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION at_commit()",
    )


async def began(database: Database, heard: list[str], *, config: Any = None) -> AsyncDriverAdapterBase:
    """A request's session in whose transaction something was done."""
    session: AsyncDriverAdapterBase = (config or database.config).create_session(implicit=BeginOptions())
    session.on_commit(lambda: heard.append("commit"))
    session.on_rollback(lambda: heard.append("rollback"))
    await session.execute("INSERT INTO items (id) VALUES (1)")
    return session


async def assert_unknown(db: AsyncDriverAdapterBase, heard: list[str]) -> None:
    """Nothing goes on until rollback(), and no hook is told what nobody knows."""
    for attempt in (
        lambda: db.execute("INSERT INTO items (id) VALUES (2)"),
        lambda: db.execute("COMMIT"),
        db.begin,
        db.commit,
        lambda: db.settle(commit=True, reason="done"),
    ):
        with pytest.raises(TransactionAbortedError, match="can only be seen in the database"):
            await attempt()
    await db.rollback()
    assert heard == []
    assert await db.select_value("SELECT 1") == 1
    await db.close()


@on_postgres
async def test_a_commit_that_was_given_up_is_not_forgotten(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever swallows the time-out can't have it called a success later."""  # S14 W14
    monkeypatch.setattr("sqlspec.concurrency.FINISH_LIMIT", 0.1)
    await at_commit(database, "PERFORM pg_sleep(5)")
    heard: list[str] = []
    db = await began(database, heard)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await db.commit()
    await assert_unknown(db, heard)


@on_postgres
async def test_a_connection_lost_during_commit_is_not_forgotten(database: Database) -> None:
    """Whoever swallows CommitOutcomeUnknownError is told again."""  # S6 S14
    await at_commit(database, "PERFORM pg_terminate_backend(pg_backend_pid())")
    for statement in (None, "COMMIT"):
        heard: list[str] = []
        db = await began(database, heard)
        with pytest.raises(CommitOutcomeUnknownError):
            await (db.commit() if statement is None else db.execute(statement))
        await assert_unknown(db, heard)


@on_postgres
async def test_a_commit_statement_that_was_stopped_is_not_forgotten(database: Database) -> None:
    """By its time limit, or because its caller was cancelled."""  # S14
    await at_commit(database, "PERFORM pg_sleep(5)")
    for limit in (None, 0.1):
        heard: list[str] = []
        db = await began(database, heard)
        with pytest.raises(TimeoutError if limit is None else StatementTimeoutError):
            async with asyncio.timeout(0.1 if limit is None else 5):
                await db.execute("COMMIT", timeout=limit)
        await assert_unknown(db, heard)


@on_postgres
async def test_a_block_whose_commit_was_given_up_leaves_its_session_lost(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner may have caught the time-out far outside."""  # S14
    monkeypatch.setattr("sqlspec.concurrency.FINISH_LIMIT", 0.1)
    await at_commit(database, "PERFORM pg_sleep(5)")
    async with database.session() as db:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2), db.transaction():
                await db.execute("INSERT INTO items (id) VALUES (1)")
        with pytest.raises(TransactionAbortedError, match="outcome is unknown"):
            async with db.transaction():
                pass
        await db.rollback()
        async with db.transaction():
            assert await db.select_value("SELECT count(*) FROM items") == 0
