"""Transactions of a session, its hooks, and those that a web request begins by itself: S4-S6 S9 S14, W9-W16."""

from __future__ import annotations

import logging
import sqlite3
from typing import Any

import pytest

from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import (
    IntegrityError,
    SessionClosedError,
    StatementTimeoutError,
    TransactionAbortedError,
    TransactionError,
    UniqueViolationError,
)
from tests.support.configs import AsyncSqlite, AsyncSqliteDriver, async_like

INSERT = "INSERT INTO items VALUES (?, ?)"
COUNT = "SELECT count(*) FROM items"
SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000000) SELECT max(i) FROM n"


async def count(config: AsyncSqlite) -> Any:
    """What others see."""
    async with config.provide_session() as other:
        return await other.select_value(COUNT)


async def test_sqlite_begins_immediate(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """Unless it only reads: a second writer waits at BEGIN, a reader does not."""  # S4
    quick = async_like(config, timeout=0.05)
    await db.begin()
    async with quick.provide_session() as other:
        with pytest.raises(Exception, match="locked"):
            await other.begin()
        await other.begin(read_only=True)
        assert await other.select_value(COUNT) == 0
        await other.rollback()
    await db.rollback()
    await quick.close()


async def test_nothing_but_leaving_ends_a_block(db: AsyncSqliteDriver) -> None:
    """begin(), commit() and rollback() inside one are errors that change nothing."""  # S4
    async with db.transaction():
        await db.execute(INSERT, 1, "a")
        for call in (db.begin, db.commit, db.rollback):
            with pytest.raises(TransactionError):
                await call()
    assert await db.select_value(COUNT) == 1


async def test_a_block_is_opened_once(db: AsyncSqliteDriver) -> None:
    """One object is one block at a time; afterwards it can be used again."""  # S4
    block = db.transaction()
    async with block:
        with pytest.raises(TransactionError, match="once"):
            async with block:
                pass
        await db.execute(INSERT, 1, "a")
    async with block:
        await db.execute(INSERT, 2, "b")
    assert await db.select_value(COUNT) == 2


async def test_blocks_inside_an_explicit_transaction_are_savepoints(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """Their good end commits nothing; commit() does."""  # S4
    await db.begin()
    async with db.transaction():
        await db.execute(INSERT, 1, "a")
    with pytest.raises(UniqueViolationError):
        async with db.transaction():
            await db.execute(INSERT, 2, "b")
            await db.execute(INSERT, 1, "again")
    assert await count(config) == 0
    await db.commit()
    assert await count(config) == 1


async def test_deep_blocks(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """Thirty levels, every third one fails."""  # S4

    async def descend(level: int) -> None:
        if level == 30:
            return
        async with db.transaction():
            await db.execute(INSERT, level, "x")
            try:
                await descend(level + 1)
            except KeyError:
                await db.execute(INSERT, 100 + level, "caught")
            if level % 3 == 2:
                raise KeyError(level)

    await descend(0)
    assert await count(config) == 3  # levels 0 and 1, and the note of 1 that 2 failed


async def test_a_block_ended_by_a_statement_says_so(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """COMMIT inside a block: what it committed stays, and the block does not pretend."""  # S4 S6
    with pytest.raises(TransactionAbortedError, match="ended inside it"):
        async with db.transaction():
            await db.execute(INSERT, 1, "a")
            await db.execute("COMMIT")
    assert await count(config) == 1
    async with db.transaction():
        await db.execute(INSERT, 2, "b")
    assert await count(config) == 2


async def test_an_error_in_a_block_that_a_statement_ended_is_the_only_one(db: AsyncSqliteDriver) -> None:
    """There is nothing left to roll back, and nothing to add."""  # E3
    with pytest.raises(KeyError) as failed:
        async with db.transaction():
            await db.execute("ROLLBACK")
            raise KeyError
    assert not hasattr(failed.value, "__notes__")
    assert await db.select_value(COUNT) == 0


async def test_a_failed_clean_up_does_not_hide_the_first_error(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """It is a note on it."""  # E3
    async with db.transaction():
        await db.execute(INSERT, 1, "a")
        with pytest.raises(KeyError) as failed:
            async with db.transaction():
                await db.execute("RELEASE SAVEPOINT sqlspec_2")  # now there is nothing to go back to
                raise KeyError
        assert "no such savepoint" in "".join(failed.value.__notes__)
    assert await count(config) == 1


async def test_a_failed_commit_leaves_nothing_open(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """SQLite keeps such a transaction open; nobody shall commit it later."""  # S6
    await db.execute("CREATE TABLE parts (item INTEGER REFERENCES items (id) DEFERRABLE INITIALLY DEFERRED)")
    heard: list[str] = []
    await db.begin()
    db.on_rollback(lambda: heard.append("rollback"))
    db.on_commit(lambda: heard.append("commit"))
    await db.execute("INSERT INTO parts VALUES (99)")
    with pytest.raises(IntegrityError):
        await db.commit()
    assert heard == ["rollback"]
    await db.commit()
    assert await db.select_value("SELECT count(*) FROM parts") == 0
    await db.begin()
    await db.rollback()
    assert await count(config) == 0


async def test_a_lost_transaction_is_lost_until_its_end(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """Inside blocks of two levels, too: neither ends well, and the hooks hear of the rollback."""  # S14 S9
    heard: list[str] = []
    with pytest.raises(TransactionAbortedError, match="took longer"):
        async with db.transaction():
            db.on_commit(lambda: heard.append("commit"))
            db.on_rollback(lambda: heard.append("rollback"))
            await db.execute(INSERT, 1, "a")
            with pytest.raises(TransactionAbortedError, match="took longer"):
                async with db.transaction():
                    with pytest.raises(StatementTimeoutError):
                        await db.select(SLOW, timeout=0.05)
                    with pytest.raises(TransactionAbortedError):
                        await db.select_value(COUNT)
    assert heard == ["rollback"]
    await db.execute(INSERT, 2, "b")
    assert await count(config) == 1


async def test_a_lost_transaction_ends_with_its_session(config: AsyncSqlite) -> None:
    """Nothing of it was saved, and the pool is whole."""  # S14
    async with config.provide_session() as db:
        await db.begin()
        await db.execute(INSERT, 1, "a")
        with pytest.raises(StatementTimeoutError):
            await db.select(SLOW, timeout=0.05)
    assert await count(config) == 0
    async with config.provide_session() as one, config.provide_session() as two, config.provide_session() as three:
        for other in (one, two, three):
            await other.select_value(COUNT)


async def test_a_conflict_clause_that_rolls_back_loses_the_transaction(db: AsyncSqliteDriver) -> None:
    """``INSERT OR ROLLBACK`` ends the transaction in the database: commit() must not say that all is well."""  # S14
    await db.execute(INSERT, 1, "a")
    await db.begin()
    await db.execute(INSERT, 2, "b")
    with pytest.raises(UniqueViolationError):
        await db.execute("INSERT OR ROLLBACK INTO items VALUES (1, 'again')")
    with pytest.raises(TransactionAbortedError, match="ended it"):
        await db.commit()
    await db.rollback()
    assert await db.select_value(COUNT) == 1


# Hooks


async def test_hooks_need_a_transaction(db: AsyncSqliteDriver) -> None:
    """Outside one every statement has its outcome already."""  # S9
    with pytest.raises(TransactionError, match="on_commit"):
        db.on_commit(print)
    with pytest.raises(TransactionError, match="on_rollback"):
        db.on_rollback(print)


async def test_hooks_run_after_the_outcome_in_order(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """They may use the session themselves; those of an undone block are dropped, those before it stay."""  # S9
    seen: list[Any] = []

    async def look() -> None:
        seen.append(await count(config))
        seen.append(await db.select_value(COUNT))
        await db.execute(INSERT, 50, "by the hook")

    async with db.transaction():
        await db.execute(INSERT, 1, "a")
        db.on_commit(look)
        async with db.transaction():
            db.on_commit(lambda: seen.append("inner"))
        with pytest.raises(KeyError):
            async with db.transaction():
                db.on_commit(lambda: seen.append("dropped"))
                db.on_rollback(lambda: seen.append("dropped too"))
                raise KeyError
        db.on_rollback(lambda: seen.append("rollback"))
        assert seen == []
    assert seen == [1, 1, "inner"]
    assert await count(config) == 2


async def test_a_failing_hook_changes_no_outcome(
    db: AsyncSqliteDriver, config: AsyncSqlite, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the next one runs."""  # S9
    seen: list[str] = []

    def fail() -> None:
        raise KeyError("hook")

    await db.begin()
    await db.execute(INSERT, 1, "a")
    db.on_commit(fail)
    db.on_commit(lambda: seen.append("next"))
    await db.commit()
    assert seen == ["next"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert await count(config) == 1


async def test_hooks_at_the_end_of_a_session(config: AsyncSqlite) -> None:
    """An open transaction is rolled back there: on_rollback hears of it."""  # S9 S5
    seen: list[str] = []
    async with config.provide_session() as db:
        await db.begin()
        db.on_rollback(lambda: seen.append("rollback"))
        db.on_commit(lambda: seen.append("commit"))
    assert seen == ["rollback"]


# What a web request begins by itself


def implicit(config: AsyncSqlite, *, blocks_commit: bool = False) -> AsyncSqliteDriver:
    """A session as a web plugin makes it."""
    return config.create_session(implicit=BeginOptions(), blocks_commit=blocks_commit)


async def test_an_implicit_session_begins_before_every_first_statement(config: AsyncSqlite) -> None:
    """And after each commit or rollback again."""  # W9 W10
    db = implicit(config)
    await db.execute(INSERT, 1, "a")
    assert db.pending_writes == 1
    assert await count(config) == 0
    await db.commit()
    assert await count(config) == 1
    await db.execute(INSERT, 2, "b")
    await db.execute_many(INSERT, [(3, "c")])
    assert db.pending_writes == 2
    await db.rollback()
    assert db.pending_writes == 0
    await db.execute(INSERT, 4, "d")
    await db.settle(commit=True, reason="done")
    assert await count(config) == 2
    await db.close()


@pytest.mark.parametrize("commit", [True, False])
async def test_settling_decides_and_lets_go(config: AsyncSqlite, commit: bool) -> None:
    """Afterwards every statement borrows a connection and commits by itself."""  # W11 W16
    db = implicit(config)
    heard: list[str] = []
    db.on_commit(lambda: heard.append("commit"))
    db.on_rollback(lambda: heard.append("rollback"))
    await db.execute(INSERT, 1, "a")
    assert not db.is_idle
    await db.settle(commit=commit, reason="the response began")
    db.start_body()
    assert config.connections.holders == []
    assert await count(config) == int(commit)
    assert (heard, db.has_due_hooks) == ([], True)
    await db.run_hooks()
    assert (heard, db.has_due_hooks) == (["commit" if commit else "rollback"], False)
    await db.execute(INSERT, 2, "b")
    assert config.connections.holders == []
    assert await count(config) == 1 + int(commit)
    async with db.transaction():
        await db.execute(INSERT, 3, "c")
        assert len(config.connections.holders) == 1
    await db.close()


async def test_settling_without_a_statement_runs_the_hooks_of_its_outcome(config: AsyncSqlite) -> None:
    """There was nothing that could fail, and no connection is taken for it."""  # W11 S9
    db = implicit(config)
    heard: list[str] = []
    db.on_commit(lambda: heard.append("commit"))
    db.on_rollback(lambda: heard.append("rollback"))
    assert not db.is_idle
    await db.settle(commit=True, reason="done")
    await db.run_hooks()
    assert heard == ["commit"]
    assert config.connections.holders == []
    await db.close()


async def test_what_has_nothing_to_decide_is_settled_and_closed_at_once(config: AsyncSqlite) -> None:
    """Without anything that could wait; from then on it borrows, and commits statement by statement."""  # W8 W16
    db = implicit(config)
    assert (db.is_idle, db.pending_writes) == (True, 0)
    db.start_body()
    await db.execute(INSERT, 1, "a")
    assert config.connections.holders == []
    assert await count(config) == 1
    await db.begin()
    assert (db.is_idle, db.try_close("early")) == (False, False)
    await db.rollback()
    assert db.try_close("done")
    assert db.try_close("again")
    with pytest.raises(SessionClosedError, match="closed: done"):
        await db.select_value(COUNT)


async def test_begin_makes_the_requests_transaction_the_users(config: AsyncSqlite) -> None:
    """Options are too late then."""  # W10
    db = implicit(config)
    await db.execute(INSERT, 1, "a")
    with pytest.raises(TransactionError, match="before the first statement"):
        await db.begin(read_only=True)
    await db.begin()
    with pytest.raises(TransactionError, match="open already"):
        await db.begin()
    await db.commit()
    assert await count(config) == 1
    await db.close()


@pytest.mark.parametrize("blocks_commit", [True, False])
async def test_the_outermost_block_of_a_request(config: AsyncSqlite, blocks_commit: bool) -> None:
    """It joins where the outcome decides, and commits where the user does."""  # W10 W12
    for first in (False, True):
        db = implicit(config, blocks_commit=blocks_commit)
        before = await count(config)
        if first:
            await db.select_value(COUNT)
        async with db.transaction():
            await db.execute("INSERT INTO items (name) VALUES ('a')")
        assert await count(config) == before + int(blocks_commit)
        await db.settle(commit=True, reason="done")
        assert await count(config) == before + 1
        await db.close()


async def test_an_undone_block_leaves_the_rest_of_the_request(config: AsyncSqlite) -> None:
    """Work before it is committed at the end."""  # S4 W12
    db = implicit(config)
    await db.execute(INSERT, 1, "a")
    with pytest.raises(KeyError):
        await fail_inside(db)
    await db.settle(commit=True, reason="done")
    assert await count(config) == 1
    await db.close()


async def fail_inside(db: AsyncSqliteDriver) -> None:
    async with db.transaction():
        await db.execute(INSERT, 2, "b")
        raise KeyError


async def test_a_lost_transaction_can_not_be_settled_well(config: AsyncSqlite) -> None:
    """settle(commit=True) raises, settle(commit=False) does not; either way the connection is let go."""  # S14 W14
    for commit in (True, False):
        db = implicit(config)
        await db.execute(INSERT, 1, "a")
        with pytest.raises(StatementTimeoutError):
            await db.select(SLOW, timeout=0.05)
        if commit:
            with pytest.raises(TransactionAbortedError):
                await db.settle(commit=True, reason="done")
        else:
            await db.settle(commit=False, reason="done")
        assert await count(config) == 0
        await db.close()


async def test_a_stream_open_while_settling_is_closed(config: AsyncSqlite) -> None:
    """Its next row says why."""  # W16 S8
    db = implicit(config)
    await db.execute_many(INSERT, [(n, "x") for n in range(5)])
    async with db.select_stream("SELECT id FROM items", chunk_size=1) as rows:
        async for _ in rows:
            break
        await db.settle(commit=True, reason="open it inside the body")
        with pytest.raises(SessionClosedError, match="open it inside the body"):
            [row async for row in rows]
    assert await count(config) == 5
    await db.close()


async def test_rollback_only(config: AsyncSqlite) -> None:
    """A flag for the plugin."""  # W12
    db = implicit(config)
    flags = [db.is_rollback_only]
    db.set_rollback_only()
    assert [*flags, db.is_rollback_only] == [False, True]
    await db.close()


async def test_a_rollback_that_is_refused_costs_the_connection(
    config: AsyncSqlite, db: AsyncSqliteDriver, caplog: pytest.LogCaptureFixture
) -> None:
    """Closing it rolls back too: what runs next on the session is no part of what was given up."""  # S5 E3

    def refuse_rollback(action: int, what: str | None, *_: str | None) -> int:
        return sqlite3.SQLITE_DENY if (action, what) == (sqlite3.SQLITE_TRANSACTION, "ROLLBACK") else sqlite3.SQLITE_OK

    await db.call_connection("set_authorizer", (refuse_rollback,), {})
    await db.begin()
    await db.execute(INSERT, 1, "a")
    await db.rollback()
    assert "ROLLBACK failed, the connection is closed instead" in caplog.text
    await db.execute(INSERT, 2, "b")
    async with config.provide_session() as other:
        assert await other.select("SELECT id FROM items", schema_type=int) == [2]
