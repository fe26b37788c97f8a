"""Cancellation at any await point leaves nothing behind: F1, and with it W19's COMMIT and E3."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.exceptions import TransactionAbortedError
from sqlspec.testing.compliance import Database, where

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from sqlspec.driver import AsyncDriverAdapterBase
    from sqlspec.registry import Config

    Do = Callable[[], Coroutine[Any, Any, None]]

pytestmark = pytest.mark.usefixtures("silence")

CANCELLATIONS = int(os.environ.get("SQLSPEC_TEST_CANCELLATIONS", "50"))
INSERT = "INSERT INTO pairs (victim, half) VALUES (?, ?)"


SLOW_ON_SQLITE = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000000) SELECT max(i) FROM n"
TELLS = ("postgres", "mysql")
"""Dialects whose servers tell what runs on them."""
OPEN_ON_MYSQL = (
    "SELECT count(*) FROM information_schema.INNODB_TRX JOIN information_schema.PROCESSLIST"
    " ON ID = trx_mysql_thread_id WHERE DB = DATABASE() AND ID <> CONNECTION_ID()"
)


class Work:
    """What a victim does, and which victims came to their end."""

    def __init__(self, database: Database, config: Config) -> None:
        self.database = database
        self.config = config
        self.finished: set[int] = set()
        self.wrong: list[str] = []

    async def victim(self, number: int) -> None:
        """Everything that a session can do, with both halves of a pair in one transaction."""
        async with self.database.session(self.config) as db:
            await self._expect(db, number)
            async with db.transaction():
                await db.execute(INSERT, number, 1)
                async with db.transaction():
                    await db.execute_many(INSERT, [(number, 2), (number, 3)])
                async with db.select_stream("SELECT victim FROM pairs", chunk_size=1) as rows:
                    async for _ in rows:
                        break
            self.finished.add(number)
            async with db.select_stream("SELECT victim FROM pairs WHERE victim = ?", number, chunk_size=1) as rows:
                async for row in rows:
                    if row != {"victim": number}:
                        self.wrong.append(f"{row} for {number}")
            await db.begin()
            await db.execute("DELETE FROM pairs WHERE victim = ?", number)
            await self._expect(db, number)
            await db.rollback()
        async with self.database.session(self.config, hold=False) as db:
            await self._expect(db, number)
            await db.select_value("SELECT count(*) FROM pairs", timeout=5)

    async def reader(self, token: int) -> None:
        """Somebody else, who must only ever see his own answers."""
        async with self.database.session(self.config, hold=False) as db:
            while True:
                await self._expect(db, token)
                await asyncio.sleep(0)

    async def _expect(self, db: AsyncDriverAdapterBase, token: int) -> None:
        kind = "SIGNED" if self.database.dialect == "mysql" else "INTEGER"
        found = await db.select_value(f"SELECT CAST(? AS {kind})", token)
        if found != token:
            self.wrong.append(f"{found} for {token}")


async def cancelled_by_asyncio(work: Do, wait: Do) -> None:
    """A task that is cancelled from outside."""
    task = asyncio.create_task(work())
    await wait()
    task.cancel()
    await asyncio.wait((task,))
    if not task.cancelled():
        task.result()


async def cancelled_by_anyio(work: Do, wait: Do) -> None:
    """A task group that is cancelled: every await in it is cancelled again and again."""
    async with anyio.create_task_group() as group:
        group.start_soon(work)
        await wait()
        group.cancel_scope.cancel()


def after(moment: float, ticks: int) -> Do:
    """Wait so long, or for so many rounds of the loop: together they find every await point."""

    async def wait() -> None:
        if ticks:
            for _ in range(ticks):
                await asyncio.sleep(0)
        else:
            await asyncio.sleep(moment)

    return wait


async def assert_nothing_is_left(database: Database, config: Any) -> None:
    """The ledger is empty, the pool is full, no lock and no transaction is open."""
    await settled(config)
    assert config.connections.holders == []
    async with database.session(config) as first, database.session(config) as second:
        assert await first.select_value("SELECT 1") + await second.select_value("SELECT 1") == 2
    assert await open_transactions(database) == 0


async def settled(config: Any) -> None:
    """Wait until what was interrupted has come to rest."""
    async with asyncio.timeout(5):
        while config.connections.holders:
            await asyncio.sleep(0.01)


async def open_transactions(database: Database) -> int:
    """As the server knows them; SQLite: whether anybody holds the write lock."""
    if database.dialect == "postgres":
        return int(
            await database.value(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name')"
                " AND state LIKE 'idle in transaction%'"
            )
        )
    if database.dialect == "mysql":
        return int(await database.value(OPEN_ON_MYSQL))
    raw = sqlite3.connect(await database.value("SELECT file FROM pragma_database_list LIMIT 1"), timeout=0)
    try:
        raw.execute("BEGIN EXCLUSIVE")
        raw.rollback()
    finally:
        raw.close()
    return 0


@pytest.mark.parametrize("cancelled", [cancelled_by_asyncio, cancelled_by_anyio])
async def test_cancellation_anywhere_leaves_nothing_behind(
    database: Database, cancelled: Callable[[Do, Do], Coroutine[Any, Any, None]], caplog: pytest.LogCaptureFixture
) -> None:
    """50 victims, a pool of two, and readers beside them: whole pairs or none, and never another's rows."""  # F1 S14
    caplog.set_level(logging.CRITICAL, "sqlspec")  # that transactions were rolled back is what we want
    await database.run("CREATE TABLE pairs (victim INTEGER, half INTEGER)")
    config = database.new_config({"max_size": 2}, acquire_timeout=10)
    work = Work(database, config)
    started = asyncio.get_running_loop().time()
    await work.victim(0)
    duration = asyncio.get_running_loop().time() - started
    readers = [asyncio.ensure_future(work.reader(token)) for token in (1001, 1002)]
    for number in range(1, CANCELLATIONS + 1):
        ticks = random.randrange(1, 60) if number % 2 else 0
        wait = after(random.uniform(0, 2 * duration), ticks)
        await cancelled(partial(work.victim, number), wait)
    for reader in readers:
        assert not reader.done()
        reader.cancel()
    await asyncio.wait(readers)

    assert work.wrong == []
    await assert_nothing_is_left(database, config)
    async with database.session() as db:
        counts = dict(
            await db.select("SELECT victim, count(*) FROM pairs GROUP BY victim", schema_type=tuple[int, int])
        )
    assert set(counts.values()) == {3}
    assert work.finished <= set(counts)  # whoever was told has it


@pytest.mark.parametrize("scope", ["asyncio", "anyio"])
async def test_a_cancelled_statement_is_stopped_and_its_transaction_lost(database: Database, scope: str) -> None:
    """The statement ends on the server, nothing of the transaction stays, and the session says so."""  # F1 S14 E3
    await database.run("CREATE TABLE pairs (victim INTEGER, half INTEGER)")
    config = database.new_config({"max_size": 1}, acquire_timeout=3)
    async with database.session(config) as db:
        await db.begin()
        await db.execute(INSERT, 1, 1)
        if scope == "asyncio":
            task = asyncio.ensure_future(db.select(database.phrase("slow")))
            await underway(database)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        else:
            with anyio.move_on_after(0.05) as limit:
                await db.select(database.phrase("slow"))
            assert limit.cancelled_caught
        with pytest.raises(TransactionAbortedError, match="interrupted by CancelledError"):
            await db.execute(INSERT, 1, 2)
        with pytest.raises(TransactionAbortedError):
            await db.commit()
        await db.rollback()
        started = asyncio.get_running_loop().time()
        assert await db.select_value("SELECT count(*) FROM pairs") == 0
        assert asyncio.get_running_loop().time() - started < 2
    await assert_quiet(database)


async def sleepers(database: Database) -> int:
    """How many sessions of this test sleep on the server, in a statement or in a COMMIT."""
    if database.dialect == "mysql":
        return int(
            await database.value(
                "SELECT count(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND STATE = 'User sleep'"
            )
        )
    return int(
        await database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name')"
            " AND wait_event = 'PgSleep'"
        )
    )


async def assert_quiet(database: Database) -> None:
    """Nothing runs any more on the server."""
    assert await open_transactions(database) == 0
    if database.dialect in TELLS:
        assert await sleepers(database) == 0


async def underway(database: Database) -> None:
    """Wait until what was sent runs on the server. SQLite does not tell: there it may also be just before."""
    if database.dialect in TELLS:
        async with asyncio.timeout(5):
            while not await sleepers(database):
                await asyncio.sleep(0.002)
    else:
        await asyncio.sleep(0.02)


async def test_the_caller_goes_on_at_once(database: Database) -> None:
    """Settling goes on by itself: who was cancelled is free in well under a second."""  # W19
    async with database.session() as db:
        await db.begin()
        task = asyncio.ensure_future(db.select(database.phrase("slow")))
        await underway(database)
        started = asyncio.get_running_loop().time()
        task.cancel()
        await asyncio.wait((task,))
        assert asyncio.get_running_loop().time() - started < 1
        await db.rollback()
    await settled(database.config)


async def test_closing_a_pool_waits_for_what_is_being_settled(database: Database) -> None:
    """close_pool() right after a cancellation ends cleanly, and nothing runs on."""  # W19 S10
    for _ in range(3):
        async with database.session() as db:
            task = asyncio.ensure_future(db.select(database.phrase("slow")))
            await underway(database)
            task.cancel()
            await asyncio.wait((task,))
        await database.close()
    await assert_quiet(database)


async def slow_commit(database: Database) -> tuple[Any, Callable[[], None]]:
    """Make COMMIT on a table ``pairs`` take its time; gives a config for it, and what ends the wait."""
    if database.dialect == "postgres":
        await database.run(
            "CREATE TABLE pairs (victim INTEGER, half INTEGER)",
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$",
            "CREATE CONSTRAINT TRIGGER waiting AFTER INSERT ON pairs DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION wait()",
        )
        return database.new_config({"max_size": 1}), lambda: None
    config = database.new_config({"max_size": 1, "pragmas": {"journal_mode": "DELETE"}})
    async with database.session(config) as db:
        await db.execute("CREATE TABLE pairs (victim INTEGER, half INTEGER)")
        await db.execute(INSERT, 0, 0)
        path = await db.select_value("SELECT file FROM pragma_database_list LIMIT 1")
    reader = sqlite3.connect(path, isolation_level=None)  # while it reads, a rollback-journal COMMIT waits
    reader.execute("BEGIN").close()
    reader.execute("SELECT * FROM pairs").fetchall()
    return config, reader.close


async def commit_runs(database: Database, config: Any) -> None:
    """Wait until the slow COMMIT is on its way. SQLite lets nobody begin to read then."""
    if database.dialect == "postgres":
        await underway(database)
        return
    with closing(sqlite3.connect(config.pool_config["database"], timeout=0)) as reader:
        async with asyncio.timeout(5):
            while can_read(reader):
                await asyncio.sleep(0.002)


def can_read(reader: sqlite3.Connection) -> bool:
    try:
        reader.execute("SELECT * FROM pairs").fetchall()
    except sqlite3.OperationalError:
        return False
    return True


@where("deferred_constraints")  # they make it slow; test_mysql.py has a way of its own
@pytest.mark.parametrize("scope", ["asyncio", "anyio"])
@pytest.mark.parametrize("way", ["commit", "block"])
async def test_a_cancelled_commit_runs_to_its_end(database: Database, scope: str, way: str) -> None:
    """Cancelled twice while COMMIT runs: it ends, hooks hear of it, then the caller goes on being cancelled."""  # W19
    config, stop_waiting = await slow_commit(database)
    heard: list[str] = []

    async def save() -> None:
        async with database.session(config) as db:
            if way == "commit":
                await db.begin()
                await db.execute(INSERT, 1, 1)
                db.on_commit(lambda: heard.append("commit"))
                await db.commit()
            else:
                async with db.transaction():
                    await db.execute(INSERT, 1, 1)
                    db.on_commit(lambda: heard.append("commit"))

    async def interrupt_twice(cancel: Callable[[], object]) -> None:
        await commit_runs(database, config)
        cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        stop_waiting()

    if scope == "asyncio":
        task = asyncio.ensure_future(save())
        await interrupt_twice(task.cancel)
        await asyncio.wait((task,))
        assert task.cancelled()
    else:
        with anyio.CancelScope() as limit:
            async with anyio.create_task_group() as group:
                group.start_soon(save)
                with anyio.CancelScope(shield=True):
                    await interrupt_twice(group.cancel_scope.cancel)
        assert not limit.cancelled_caught
    assert heard == ["commit"]
    assert await database.value("SELECT count(*) FROM pairs WHERE victim = 1") == 1
    await assert_nothing_is_left_of_one(database, config)


async def assert_nothing_is_left_of_one(database: Database, config: Any) -> None:
    await settled(config)
    async with database.session(config) as db:
        assert await db.select_value("SELECT 1") == 1
    assert await open_transactions(database) == 0


async def test_cancelled_while_waiting_for_a_connection(database: Database) -> None:
    """Whoever waits at an empty pool and is cancelled takes nothing with him."""  # F1
    config = database.new_config({"max_size": 1}, acquire_timeout=10)

    async def wait_for_one() -> None:
        async with database.session(config) as db:
            await db.select_value("SELECT 1")

    for _ in range(20):
        async with database.session(config) as holder:
            await holder.select_value("SELECT 1")
            tasks = [asyncio.ensure_future(wait_for_one()) for _ in range(5)]
            await asyncio.sleep(random.uniform(0, 0.002))
            for task in tasks[:3]:
                task.cancel()
        tasks[3].cancel()  # maybe in the very moment in which it gets one
        await asyncio.wait(tasks)
        assert not tasks[4].cancelled()
        tasks[4].result()
    await settled(config)
    async with database.session(config) as db:
        assert await db.select_value("SELECT 1") == 1


async def test_cancelled_while_the_pool_opens(database: Database) -> None:
    """The next one opens it."""  # F1
    for ticks in range(30):
        config: Any = database.new_config({"max_size": 2})

        async def first_use(config: Config = config) -> None:
            async with database.session(config) as db:
                await db.select_value("SELECT 1")

        await cancelled_by_asyncio(first_use, after(0, ticks + 1))
        async with asyncio.timeout(5):
            await first_use()
        await settled(config)
        await config.close()


async def test_a_cancelled_stream_is_closed(database: Database) -> None:
    """Inside and outside a transaction, held and borrowed."""  # F1
    await database.run("CREATE TABLE pairs (victim INTEGER, half INTEGER)")
    async with database.session() as db:
        await db.execute_many(INSERT, [(n, n) for n in range(200)])
    config = database.new_config({"max_size": 2}, acquire_timeout=5)

    async def read(hold: bool) -> None:
        async with (
            database.session(config, hold=hold) as db,
            db.select_stream("SELECT victim FROM pairs ORDER BY victim", schema_type=int, chunk_size=1) as rows,
        ):
            expected = 0
            async for row in rows:
                assert row == expected
                expected += 1

    for number in range(40):
        hold = number % 2 == 0
        await cancelled_by_asyncio(partial(read, hold), after(0, 3 + number * 2))
    await assert_nothing_is_left(database, config)


@where("async")
async def test_a_failed_clean_up_does_not_hide_the_first_error(database: Database) -> None:
    """The block's own exception arrives, with a note at most."""  # E3
    async with database.session() as db:
        raised = ValueError("mine")
        with pytest.raises(ValueError, match="mine") as failed:
            async with db.transaction():
                await db.execute("ROLLBACK")  # now there is nothing to roll back
                raise raised
        assert failed.value is raised
        assert await db.select_value("SELECT 1") == 1


async def test_a_job_that_was_called_off_before_it_began_does_nothing(tmp_path: Path) -> None:
    """aiosqlite would run it all the same, and write what nobody waits for any more."""  # F1
    config = AiosqliteConfig(pool_config={"database": tmp_path / "x.db", "max_size": 1})
    async with config.provide_connection() as connection:
        await config.wire.command(connection, "CREATE TABLE t (id INTEGER)")
        busy = asyncio.ensure_future(config.wire.command(connection, SLOW_ON_SQLITE))
        await asyncio.sleep(0.05)
        waiting = asyncio.ensure_future(config.wire.command(connection, "INSERT INTO t VALUES (1)"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait((waiting,))
        config.wire.interrupt(connection)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            await busy
    async with config.provide_session() as db:
        assert await db.select_value("SELECT count(*) FROM t") == 0
    await config.close()
