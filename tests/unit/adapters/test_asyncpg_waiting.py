"""Awaiting what was begun by hand: results, errors, cancellation and the clock as `asyncio.timeout` has it. C1 F4."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import pytest

from sqlspec.adapters.asyncpg.waiting import go_on

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


async def begun(work: Coroutine[None, None, T], seconds: float | None) -> T:
    """Begin it by hand, and await the rest."""
    steps = work.__await__()
    return await go_on(steps, next(steps), seconds)


async def waits(for_what: asyncio.Future[int], seen: list[str]) -> int:
    """Says whether it was cancelled."""
    try:
        return await for_what
    except asyncio.CancelledError:
        seen.append("cancelled")
        raise


@pytest.mark.parametrize("seconds", [None, 5])
async def test_results_and_errors_come_through(seconds: float | None) -> None:
    """After every kind of wait."""

    async def work() -> int:
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        with pytest.raises(OSError, match="inside"):
            await asyncio.ensure_future(failing("inside"))
        await asyncio.sleep(0)
        return 42

    async def failing(words: str) -> None:
        await asyncio.sleep(0)
        raise OSError(words)

    assert await begun(work(), seconds) == 42
    with pytest.raises(OSError, match="outside"):
        await begun(failing("outside"), seconds)


async def test_when_the_time_is_up_it_is_cancelled_and_that_is_a_timeout() -> None:
    seen: list[str] = []
    with pytest.raises(TimeoutError):
        await begun(waits(asyncio.get_running_loop().create_future(), seen), 0.01)
    assert seen == ["cancelled"]


async def test_the_time_is_up_between_two_breaks_too() -> None:
    """Where there is nothing that could be cancelled."""

    async def work() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        await begun(work(), 0.01)


async def test_the_time_is_up_in_the_moment_in_which_something_comes() -> None:
    """What came can't be cancelled any more; what waits is."""
    seen: list[str] = []
    loop = asyncio.get_running_loop()
    future: asyncio.Future[int] = loop.create_future()
    loop.call_later(0.01, future.set_result, 1)
    loop.call_later(0, _busy, loop, 0.03)  # both are due in the same turn of the loop, in this order
    with pytest.raises(TimeoutError):
        await begun(waits(future, seen), 0.015)
    assert seen == ["cancelled"]


def _busy(loop: asyncio.AbstractEventLoop, seconds: float) -> None:
    end = loop.time() + seconds
    while loop.time() < end:
        pass


@pytest.mark.parametrize("both", [False, True], ids=["cancelled", "cancelled and timed out"])
async def test_a_cancellation_stays_one(both: bool) -> None:
    """Also when the time is up in the same moment: who cancels wants more than who looks at the clock."""
    seen: list[str] = []
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(begun(waits(loop.create_future(), seen), 0.01 if both else 5))
    await asyncio.sleep(0)
    if both:
        loop.call_later(0.015, task.cancel)
        loop.call_later(0, _busy, loop, 0.03)
    else:
        task.cancel()
    await asyncio.wait((task,), timeout=5)
    assert task.cancelled()
    assert seen == ["cancelled"]


async def test_who_cancels_himself_is_cancelled() -> None:
    """It is no timeout while there is time."""

    async def work() -> None:
        await asyncio.sleep(0)
        raise asyncio.CancelledError

    task = asyncio.ensure_future(begun(work(), 5))
    await asyncio.wait((task,), timeout=5)
    assert task.cancelled()


async def test_who_finishes_in_spite_of_the_clock_has_finished() -> None:
    """And is cancelled once only."""

    async def work() -> int:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(0.02)
        return 42

    assert await begun(work(), 0.01) == 42
