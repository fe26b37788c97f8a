"""Provokers of errors in sessions, streams, transactions and pools."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from sqlspec.exceptions import CommitOutcomeUnknownError, DatabaseError
from tests.docs.error_table import POSTGRES, SQLITE, provokes

if TYPE_CHECKING:
    from tests.docs.error_table import Stage

INSERT = "INSERT INTO users (id, email) VALUES (?, ?)"
ALL = "SELECT * FROM users"


# Sessions and streams -------------------------------------------------------------------------------------------------


@provokes("closed-session")
async def closed_session(on: Stage) -> None:
    async with on.session() as db:
        await db.execute(ALL)
    await db.execute(ALL)


@provokes("closed-stream")
async def closed_stream(on: Stage) -> None:
    async with on.session() as db:
        await db.execute(INSERT, 1, "a")
        await db.begin()
        async with db.select_stream(ALL) as rows:
            await db.commit()
            async for _ in rows:
                pass


@provokes("stream-not-entered", ("aiosqlite", "asyncpg"))
async def stream_not_entered(on: Stage) -> None:
    async with on.session() as db:
        stream: Any = db.select_stream(ALL)
        await anext(stream)


@provokes("statement-beside-stream")
async def statement_beside_stream(on: Stage) -> None:
    async with on.session() as db, db.select_stream(ALL):
        await db.execute(ALL)


@provokes("no-connection-to-give")
async def no_connection_to_give(on: Stage) -> None:
    async with on.session(hold=False) as db:
        await db.acquire_connection()


# Transactions ---------------------------------------------------------------------------------------------------------


@provokes("begun-twice")
async def begun_twice(on: Stage) -> None:
    async with on.session() as db:
        await db.begin()
        await db.begin()


@provokes("commit-in-block")
async def commit_in_block(on: Stage) -> None:
    async with on.session() as db, db.transaction():
        await db.commit()


@provokes("block-entered-twice")
async def block_entered_twice(on: Stage) -> None:
    async with on.session() as db:
        block = db.transaction()
        async with block, block:
            pass


@provokes("block-ended-inside")
async def block_ended_inside(on: Stage) -> None:
    async with on.session() as db, db.transaction():
        await db.execute("ROLLBACK")


@provokes("rollback-only")
async def rollback_only(on: Stage) -> None:
    async with on.session() as db:
        await db.begin()
        db.set_rollback_only()
        await db.commit()


@provokes("rollback-only-statement")
async def rollback_only_statement(on: Stage) -> None:
    async with on.session() as db:
        await db.begin()
        db.set_rollback_only()
        await db.execute("COMMIT")


@provokes("rollback-only-block")
async def rollback_only_block(on: Stage) -> None:
    async with on.session() as db, db.transaction():
        db.set_rollback_only()


@provokes("hook-outside")
async def hook_outside(on: Stage) -> None:
    async with on.session() as db:
        db.on_commit(print)


@provokes("two-tasks", ("aiosqlite", "asyncpg"))
async def two_tasks(on: Stage) -> None:
    async def work() -> None:
        async with db.transaction():
            await db.execute(ALL)

    async with on.session() as db, db.transaction():
        await asyncio.create_task(work())


@provokes("unknown-isolation")
async def unknown_isolation(on: Stage) -> None:
    level: Any = "serialisable"
    async with on.session() as db:
        await db.begin(isolation=level)


@provokes("no-such-isolation", SQLITE)
async def no_such_isolation(on: Stage) -> None:
    async with on.session() as db:
        await db.begin(isolation="read committed")


@provokes("aborted", POSTGRES)
async def aborted(on: Stage) -> None:
    async with on.session() as db:
        await db.begin()
        try:
            await db.execute("SELECT 1 / 0")
        except DatabaseError:
            pass
        await db.commit()


@provokes("stream-blocks", ("pymysql", "duckdb"))
async def stream_blocks(on: Stage) -> None:
    async with on.session() as db, db.transaction(), db.select_stream(ALL):
        await db.execute(ALL)


@provokes("implicit-commit", ("pymysql", "asyncmy"))
async def implicit_commit(on: Stage) -> None:
    async with on.session() as db, db.transaction():
        await db.execute("CREATE TABLE more (id INTEGER)")


@provokes("ended-by-a-call", ("pymysql", "asyncmy"))
async def ended_by_a_call(on: Stage) -> None:
    await on.run("CREATE PROCEDURE ends() BEGIN COMMIT; END")
    async with on.session() as db:
        await db.begin()
        await db.execute("CALL ends()")
        await db.commit()


@provokes("no-savepoints", ("duckdb",))
async def no_savepoints(on: Stage) -> None:
    async with on.session() as db, db.transaction():
        with contextlib.suppress(KeyError):
            async with db.transaction():
                raise KeyError
        await db.execute(ALL)


@provokes("no-time-limits", ("adbc_sqlite",))
async def no_time_limits(on: Stage) -> None:
    async with on.session() as db:
        await db.execute(ALL, timeout=5)


@provokes("lost")
async def lost(on: Stage) -> None:
    slow = {
        "postgres": "SELECT pg_sleep(10)",
        "sqlite": "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
    }
    async with on.session() as db:
        await db.begin()
        try:
            await db.execute(slow[on.dialect], timeout=0.1)
        except DatabaseError:
            pass
        await db.execute(ALL)


@provokes("commit-unknown", POSTGRES)
async def commit_unknown(on: Stage) -> None:
    await commit_dies(on)
    async with on.session() as db:
        await db.begin()
        await db.execute(INSERT, 1, "a")
        await db.commit()


async def commit_dies(on: Stage) -> None:
    await on.run(
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER dying AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION die()",
    )


@provokes("unknown-and-on", POSTGRES)
async def unknown_and_on(on: Stage) -> None:
    await commit_dies(on)
    async with on.session() as db:
        await db.begin()
        await db.execute(INSERT, 1, "a")
        with contextlib.suppress(CommitOutcomeUnknownError):
            await db.commit()
        await db.execute(ALL)


# Pools and servers ----------------------------------------------------------------------------------------------------


@provokes("pool-timeout", ("aiosqlite", "asyncpg"))
async def pool_timeout(on: Stage) -> None:
    config = on.new_config(acquire_timeout=0.1)
    async with on.session(config) as db, on.session(config) as other:
        await db.execute(ALL)
        await other.execute(ALL)


@provokes("unreachable")
async def unreachable(on: Stage) -> None:
    nowhere: dict[str, Any] = {"database": "/nowhere/app.db"}
    if on.dialect == "postgres":
        nowhere = {"dsn": "postgresql://me:secret@127.0.0.1:1/app"}
    async with on.session(on.new_config(nowhere)) as db:
        await db.execute("SELECT 1")


@provokes("no-such-database", POSTGRES)
async def no_such_database(on: Stage) -> None:
    async with on.session(on.new_config({"database": "nowhere"})) as db:
        await db.execute("SELECT 1")


@provokes("connection-lost", POSTGRES)
async def connection_lost(on: Stage) -> None:
    async with on.session() as db:
        await db.execute("SELECT pg_terminate_backend(pg_backend_pid())")
