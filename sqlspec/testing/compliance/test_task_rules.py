"""One session used by several tasks at once, and what becomes of a session when one is cancelled: S7 S14 E3 F1."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.exceptions import ConcurrentTransactionError, TransactionAbortedError
from sqlspec.testing.compliance import Database, where

if TYPE_CHECKING:
    from collections.abc import Coroutine

pytestmark = [where("async"), pytest.mark.usefixtures("silence")]

INSERT = "INSERT INTO pairs (victim, half) VALUES (?, ?)"


async def test_gather_on_one_session_is_served_in_turn(database: Database) -> None:
    """Every task gets its own answer."""  # S7
    async with database.session() as db:
        found = await asyncio.gather(*(db.select_value("SELECT 0 + ?", n) for n in range(100)))
    assert found == list(range(100))


async def test_a_cancelled_waiter_does_not_break_the_turns(database: Database) -> None:
    """Those behind it in the queue get theirs."""  # S7 F1
    async with database.session() as db:
        tasks = [asyncio.ensure_future(db.select_value("SELECT 0 + ?", n)) for n in range(30)]
        await asyncio.sleep(0)
        for task in tasks[1:30:3]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
    for number, answer in enumerate(done):
        if number % 3 == 1:
            assert isinstance(answer, asyncio.CancelledError)
        else:
            assert answer == number


@where("time_limits")
async def test_a_cancellation_is_delivered_as_it_is(database: Database) -> None:
    """CancelledError itself. The session works on; a transaction is lost until rollback()."""  # E3 S14
    async with database.session() as db:
        await cancelled(db.execute(database.phrase("slow")))
        assert await db.select_value("SELECT 1") == 1
        await db.begin()
        await cancelled(db.execute(database.phrase("slow")))
        with pytest.raises(TransactionAbortedError, match="CancelledError"):
            await db.select_value("SELECT 1")
        await db.rollback()
        assert await db.select_value("SELECT 1") == 1


async def cancelled(work: Coroutine[Any, Any, object]) -> None:
    task = asyncio.create_task(work)
    await asyncio.wait((task,), timeout=0.1)
    assert task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_blocks_of_two_tasks_on_one_session_are_refused(database: Database) -> None:
    """ConcurrentTransactionError for the second; single statements of others join the open one."""  # S7
    await database.run("CREATE TABLE pairs (victim INTEGER, half INTEGER)")
    is_open, may_end = asyncio.Event(), asyncio.Event()
    async with database.session() as db:

        async def first() -> None:
            async with db.transaction():
                is_open.set()
                await may_end.wait()

        async def second() -> None:
            await is_open.wait()
            try:
                with pytest.raises(ConcurrentTransactionError):
                    async with db.transaction():
                        pass
                await db.execute(INSERT, 1, 1)
                assert await database.value("SELECT count(*) FROM pairs") == 0
            finally:
                may_end.set()

        await asyncio.gather(first(), second())
        async with db.transaction():
            await db.execute(INSERT, 2, 2)
    assert await database.value("SELECT count(*) FROM pairs") == 2
