"""What concurrency.py promises where a whole session would hide it: S7, F1, C3, W19, E3."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from sqlspec.concurrency import AsyncTurn, SyncTimeLimit, async_finish, async_leave

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


# Taking turns


async def waiting_for(turn: AsyncTurn) -> asyncio.Task[None]:
    """A task that stands in the queue."""
    task = asyncio.create_task(turn.enter())
    await asyncio.sleep(0)
    return task


async def test_a_waiter_that_is_cancelled_when_its_turn_comes_hands_it_on() -> None:
    """Or nobody would ever get a turn again."""  # S7 F1
    turn = AsyncTurn()
    assert turn.try_enter()
    first, second = await waiting_for(turn), await waiting_for(turn)
    turn.leave()
    first.cancel()
    async with asyncio.timeout(1):
        await second
    assert first.cancelled()
    assert not turn.try_enter()
    turn.leave()
    assert turn.try_enter()


async def test_a_waiter_that_was_cancelled_before_is_passed_over() -> None:
    """The next one gets its turn, and if there is none, the turn is free."""  # S7 F1
    turn = AsyncTurn()
    assert turn.try_enter()
    first, second, third = await waiting_for(turn), await waiting_for(turn), await waiting_for(turn)
    first.cancel()
    third.cancel()
    await asyncio.wait((first, third))
    turn.leave()
    async with asyncio.timeout(1):
        await second
    assert not turn.try_enter()
    turn.leave()
    assert turn.try_enter()


# Time limits


class LateTimer(threading.Timer):
    """Fires in the very moment in which it is cancelled."""

    def cancel(self) -> None:
        function: Callable[..., object] = self.function
        function()
        super().cancel()


def test_a_time_limit_never_interrupts_what_runs_after_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer may have fired already when the block ends: it finds the block ended."""  # C3 F1
    monkeypatch.setattr(threading, "Timer", LateTimer)
    interrupted: list[str] = []
    limit = SyncTimeLimit(10, lambda: interrupted.append("interrupted"))
    with limit:
        pass
    assert interrupted == []
    assert not limit.expired


def test_a_time_limit_interrupts_its_block() -> None:
    """Whatever the interrupted block makes of it, the time was up."""  # C3
    interrupted = threading.Event()
    limit = SyncTimeLimit(0.01, interrupted.set)
    with pytest.raises(TimeoutError), limit:
        assert interrupted.wait(5)
    assert limit.expired


def test_a_time_limit_interrupts_until_its_block_ends() -> None:
    """The first interruption may come before what it is meant for has begun, and is lost then."""  # C3
    again = threading.Semaphore(0)
    with pytest.raises(TimeoutError), SyncTimeLimit(0.01, again.release):
        assert all(again.acquire(timeout=5) for _ in range(3))


# What cancellation must not reach


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """The time limits of all calls of asyncio.wait()."""
    seen: list[float | None] = []
    wait = asyncio.wait

    async def counted(tasks: Iterable[asyncio.Future[Any]], *, timeout: float | None = None) -> Any:
        seen.append(timeout)
        return await wait(tasks, timeout=timeout)

    monkeypatch.setattr(asyncio, "wait", counted)
    return seen


async def test_work_ends_before_a_cancelled_anyio_scope_is_left(waits: list[float | None]) -> None:
    """And the loop rests meanwhile, although the scope cancels every await again and again."""  # W19
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.1)
        done.append("work")

    with anyio.move_on_after(0.02) as scope:
        try:
            await async_finish(work())
        finally:
            done.append("left")
    assert scope.cancelled_caught
    assert done == ["work", "left"]
    assert len(waits) < 5


async def test_a_second_cancellation_does_not_end_the_work_either() -> None:
    """The first is delivered after the end."""  # W19
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        done.append("work")

    task = asyncio.ensure_future(async_finish(work()))
    for _ in range(3):
        await asyncio.sleep(0.005)
        task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()
    assert done == ["work"]


async def test_work_that_never_ends_is_cancelled_after_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was cancelled is not held for ever."""  # F1 W19
    monkeypatch.setattr("sqlspec.concurrency.FINISH_LIMIT", 0.03)
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("work")

    task = asyncio.ensure_future(async_finish(work()))
    await asyncio.sleep(0.01)
    task.cancel()
    done, _ = await asyncio.wait((task,), timeout=5)
    assert done
    assert task.cancelled()
    assert ended == ["work"]


async def test_what_fails_while_its_caller_is_cancelled_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The caller goes on being cancelled: nobody else would hear of the failure."""  # E3

    async def work() -> None:
        await asyncio.sleep(0.02)
        raise OSError("the disk is full")

    task = asyncio.ensure_future(async_finish(work()))
    await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "the disk is full" in record.getMessage()


async def test_work_gives_its_result_and_its_error() -> None:
    """Nothing is changed for a caller that is not cancelled."""  # E3

    async def good() -> int:
        return 42

    async def bad() -> None:
        raise KeyError("mine")

    assert await async_finish(good()) == 42
    with pytest.raises(KeyError, match="mine"):
        await async_finish(bad())


async def test_work_that_cancels_itself_cancels_its_caller() -> None:
    """And does not leave him waiting."""  # F1

    async def work() -> None:
        raise asyncio.CancelledError

    task = asyncio.ensure_future(async_finish(work()))
    done, _ = await asyncio.wait((task,), timeout=5)
    assert done
    assert task.cancelled()


async def test_work_that_is_cancelled_before_it_began_cancels_its_caller() -> None:
    """As a shutdown does that cancels all tasks in any order."""  # F1

    async def work() -> None:
        """Never begun."""

    before = asyncio.all_tasks()
    task = asyncio.ensure_future(async_finish(work()))
    await asyncio.sleep(0)
    (begun,) = asyncio.all_tasks() - before - {task}
    begun.cancel()
    done, _ = await asyncio.wait((task,), timeout=5)
    assert done
    assert task.cancelled()


async def test_a_cancellation_in_the_moment_of_the_end_is_delivered() -> None:
    """The work is done, its result is lost, and the loop hears of no error."""  # F1 W19
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append("work")
        task.cancel()

    task = asyncio.ensure_future(async_finish(work()))
    await asyncio.wait((task,), timeout=5)
    assert task.cancelled()
    assert done == ["work"]
    assert not complaints


async def test_work_that_goes_on_after_its_limit_does_not_change_what_its_caller_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """He was cancelled, and goes on being cancelled."""  # F1 W19
    monkeypatch.setattr("sqlspec.concurrency.FINISH_LIMIT", 0.03)
    released = asyncio.Event()

    async def work() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    task = asyncio.ensure_future(async_finish(work()))
    await asyncio.sleep(0.01)
    task.cancel()
    done, _ = await asyncio.wait((task,), timeout=5)
    released.set()
    assert done
    assert task.cancelled()


async def test_clean_up_is_waited_for_so_long_and_no_longer() -> None:
    """In time it is done, and what it raises is heard; then it is cancelled, and its caller goes on."""  # W19
    done: list[str] = []

    async def work(seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
            done.append("in time")
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)
            done.append("left")
            raise

    async def bad() -> None:
        raise KeyError("mine")

    await async_leave(work(0.01), 5)
    with pytest.raises(KeyError, match="mine"):
        await async_leave(bad(), 5)
    await async_leave(work(5), 0.02)
    assert done == ["in time"]
    async with asyncio.timeout(5):
        while done == ["in time"]:
            await asyncio.sleep(0.001)
    assert done == ["in time", "left"]


async def test_clean_up_in_a_cancelled_scope() -> None:
    """An anyio scope cancels every await of its own, and none of that."""  # W19
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.01)
        done.append("work")

    with anyio.CancelScope() as scope:
        scope.cancel()
        try:
            await asyncio.sleep(5)
        finally:
            await async_leave(work(), 5)
    assert done == ["work"]
