"""A request's COMMIT by asyncpg carries the pool's reset: no round trip of its own, and nothing of it is left out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import CommitOutcomeUnknownError, IntegrityError, TransactionAbortedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STATE = """
SELECT coalesce(current_setting('app.tenant', true), '') || ' '
    || (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) || ' '
    || (SELECT count(*) FROM pg_cursors WHERE is_holdable) || ' ' || (SELECT count(*) FROM pg_listening_channels())
"""
CHANGES = """
SET app.tenant = 'one'; SELECT pg_advisory_lock(424242); LISTEN changes;
DECLARE rows CURSOR WITH HOLD FOR SELECT generate_series(1, 10);
"""


class Places:
    """A table and its child whose references are looked at when COMMIT comes."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.table = f"items_{uuid4().hex[:8]}"
        self.insert = f"INSERT INTO {self.table} (name) VALUES ('a')"
        self.orphan = f"INSERT INTO {self.table}_child (name) VALUES ('nobody')"

    def config(self, **options: Any) -> AsyncpgConfig:
        place: Any = {"dsn": self.dsn, "max_size": 1, **options}
        return AsyncpgConfig(pool_config=place, acquire_timeout=5)

    async def run(self, sql: str) -> Any:
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetch(sql) if sql.startswith("SELECT") else await connection.execute(sql)
        finally:
            await connection.close()

    async def count(self) -> int:
        rows = await self.run(f"SELECT count(*) FROM {self.table}")
        count: int = rows[0][0]
        return count


@pytest.fixture
async def places(postgres_dsn: str) -> AsyncIterator[Places]:
    made = Places(postgres_dsn)
    await made.run(
        f"CREATE TABLE {made.table} (name text PRIMARY KEY); CREATE TABLE {made.table}_child "
        f"(name text REFERENCES {made.table} DEFERRABLE INITIALLY DEFERRED)"
    )
    yield made
    await made.run(f"DROP TABLE {made.table}_child, {made.table}")


def request_session(config: AsyncpgConfig) -> Any:
    return config.create_session(implicit=BeginOptions())


async def state(config: AsyncpgConfig) -> Any:
    """What the next user of the pool's only connection finds."""
    async with config.provide_session() as db:
        return await db.select_value(STATE)


async def test_the_next_user_finds_nothing_of_it(places: Places) -> None:  # F1
    """Settings, advisory locks, cursors and channels are gone, on the same connection."""
    config = places.config()
    pids: list[int] = []
    for _ in range(3):
        db = request_session(config)
        pids.append(await db.select_value("SELECT pg_backend_pid()"))
        await db.execute_script(CHANGES)
        assert await db.select_value(STATE) == "one 1 1 0"
        await db.settle(commit=True, reason="done")
        assert await state(config) == " 0 0 0"
    assert len(set(pids)) == 1
    await config.close()


async def test_what_others_do_later_is_reset_by_the_pool(places: Places) -> None:  # F1
    """A connection is fresh once: its next user may end without such a COMMIT."""
    config = places.config()
    db = request_session(config)
    await db.execute(places.insert)
    await db.settle(commit=True, reason="done")
    async with config.provide_session() as other:
        await other.execute("SET app.tenant = 'one'")
        await other.execute("SELECT pg_advisory_lock(424242)")
    assert await state(config) == " 0 0 0"
    await config.close()


async def test_a_commit_that_fails_leaves_nothing_either(places: Places) -> None:  # W14 F1
    """The rest of the message is not run then: the pool does it."""
    config = places.config()
    db = request_session(config)
    await db.execute_script(CHANGES)
    await db.execute(places.orphan)
    with pytest.raises(IntegrityError):
        await db.settle(commit=True, reason="done")
    assert await state(config) == " 0 0 0"
    await config.close()


async def test_an_aborted_transaction_is_told_whoever_aborted_it(places: Places) -> None:  # S6
    """Also past our own statements: nobody asks the tag, which is the reset's. The connection serves on."""
    config = places.config()
    db = request_session(config)
    await db.execute(places.insert)
    raw = await db.acquire_connection()
    with pytest.raises(asyncpg.DivisionByZeroError):
        await raw.execute("SELECT 1 / 0")
    with pytest.raises(TransactionAbortedError):
        await db.settle(commit=True, reason="done")
    assert await places.count() == 0
    assert await state(config) == " 0 0 0"
    assert config.connections.holders == []
    await config.close()


async def test_a_cancelled_commit_is_unknown(places: Places) -> None:  # S6
    """Somebody cancels it on the server: in the message behind it nobody can tell what that met."""
    await places.run(
        f"CREATE FUNCTION {places.table}_wait() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_sleep(30); RETURN NULL; END'; "
        f"CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON {places.table} DEFERRABLE INITIALLY DEFERRED "
        f"FOR EACH ROW EXECUTE FUNCTION {places.table}_wait()"
    )
    config = places.config()
    db = request_session(config)
    pid = await db.select_value("SELECT pg_backend_pid()")
    await db.execute(places.insert)
    settling = asyncio.ensure_future(db.settle(commit=True, reason="done"))
    async with asyncio.timeout(5):
        while not await places.run(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'PgSleep'"):
            await asyncio.sleep(0.01)
    await places.run(f"SELECT pg_cancel_backend({pid})")
    with pytest.raises(CommitOutcomeUnknownError, match="was cancelled"):
        await settling
    assert await places.count() == 0
    assert await state(config) == " 0 0 0"
    await config.close()
    await places.run(f"DROP TRIGGER slow ON {places.table}; DROP FUNCTION {places.table}_wait()")


async def test_a_reset_of_the_users_own_is_called_once_each(places: Places) -> None:  # C1
    """It may do something else: COMMIT stays COMMIT."""
    seen: list[str] = []

    async def reset(connection: Any) -> None:
        seen.append(await connection.fetchval("SELECT coalesce(current_setting('app.tenant', true), '')"))
        await connection.execute("RESET ALL")

    config = places.config(reset=reset)
    for _ in range(2):
        db = request_session(config)
        await db.execute("SET app.tenant = 'one'")
        await db.settle(commit=True, reason="done")
    assert seen == ["one", "one"]
    await config.close()


async def test_a_connection_class_that_resets_in_its_own_way(places: Places) -> None:  # C1
    """asyncpg asks it for the query; so do we."""

    class Keeping(asyncpg.Connection):
        def get_reset_query(self) -> str:
            return "SET app.tenant = 'kept'"

    config = places.config(connection_class=Keeping)
    db = request_session(config)
    await db.execute("SET app.tenant = 'one'")
    await db.settle(commit=True, reason="done")
    assert str(await state(config)).startswith("kept")
    await config.close()


async def test_one_message_less(places: Places) -> None:  # F1
    """The server sees COMMIT and the reset together, and no reset behind it."""
    config = places.config()
    sent: list[str] = []
    db = request_session(config)
    connection = await db.acquire_connection()

    def note(record: Any) -> None:
        sent.append(record.query)

    connection.add_query_logger(note)
    await db.execute(places.insert)
    await db.settle(commit=True, reason="done")
    assert len(sent) == 2
    assert sent[0] == places.insert
    assert sent[1].split(";\n")[:2] == ["CLOSE ALL", "COMMIT"]
    assert await places.count() == 1
    await config.close()
