"""Timing two ways of doing the same, batch by batch in turn: ours, raw, raw, ours, …

A ratio is taken within each round, so that whatever slows the machine slows both. Garbage is collected before every
batch and collection is off during it, as ``timeit`` does. This module knows neither databases nor reports.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import iscoroutinefunction
from itertools import repeat
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    Call = Callable[[], object]
    """A plain function, or a coroutine function whose coroutine is awaited."""

__all__ = ("FULL", "QUICK", "DifferentAnswersError", "Effort", "Measurement", "Work", "Workload", "measure", "repeated")


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure.

    Attributes:
        seconds: For one workload, both sides together; a workload with long calls takes longer.
        batch: Seconds that one batch should take.
        fewest: Rounds at least.
        most: Rounds at most.
    """

    seconds: float
    batch: float
    fewest: int
    most: int

    def rounds(self, seconds: float) -> int:
        """How many rounds of this length fit in."""
        return max(self.fewest, min(self.most, int(self.seconds / seconds)))


FULL = Effort(seconds=2.5, batch=0.008, fewest=9, most=151)
QUICK = Effort(seconds=0.25, batch=0.004, fewest=3, most=31)


@dataclass(frozen=True, slots=True)
class Work:
    """One side of a workload: what is timed, and what is done before each batch outside the clock."""

    call: Call
    before: Call | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """The same work, done by us and by hand."""

    name: str
    ours: Work
    raw: Work


@dataclass(frozen=True, slots=True)
class Measurement:
    """Seconds per call, one figure per round."""

    ours: tuple[float, ...]
    raw: tuple[float, ...]


class DifferentAnswersError(Exception):
    """The two sides of a workload do not do the same."""


async def measure(workload: Workload, effort: Effort) -> Measurement:
    """Time both sides.

    Raises:
        DifferentAnswersError: They do not give the same.
    """
    await _warm_up(workload)
    count = await _calls_per_batch(workload.raw, effort.batch)
    length = await _batch(workload.ours, count) + await _batch(workload.raw, count)
    ours: list[float] = []
    raw: list[float] = []
    for number in range(effort.rounds(length * count)):
        sides = [(workload.ours, ours), (workload.raw, raw)]
        for work, seconds in reversed(sides) if number % 2 else sides:
            seconds.append(await _batch(work, count))
    return Measurement(tuple(ours), tuple(raw))


async def _warm_up(workload: Workload) -> None:
    """Fill every cache: the row makers compile themselves at their fourth use."""
    for _ in repeat(None, 6):
        answers = [await _answer(work) for work in (workload.ours, workload.raw)]
        if answers[0] != answers[1]:
            message = f"{workload.name}: ours gave {answers[0]!r:.200}, raw {answers[1]!r:.200}"
            raise DifferentAnswersError(message)
    gc.collect()
    gc.freeze()  # what is alive now is not looked at again: collecting before each batch stays cheap


async def _calls_per_batch(work: Work, seconds: float) -> int:
    if work.before is not None:
        return 1
    count = 1
    while (length := await _batch(work, count) * count) < seconds / 2:
        count *= 2
    return max(1, round(count * seconds / length))


async def _batch(work: Work, count: int) -> float:
    """Seconds per call."""
    if work.before is not None:
        await _called(work.before)
    with _no_garbage_collection():
        if iscoroutinefunction(work.call):
            return await _time_coroutines(work.call, count) / count
        return repeated(work.call, count) / count


async def _time_coroutines(call: Callable[[], Awaitable[object]], count: int) -> float:
    start = perf_counter()
    for _ in repeat(None, count):
        await call()
    return perf_counter() - start


def repeated(call: Call, count: int) -> float:
    """Seconds that ``count`` calls of a plain function take."""
    start = perf_counter()
    for _ in repeat(None, count):
        call()
    return perf_counter() - start


async def _answer(work: Work) -> object:
    if work.before is not None:
        await _called(work.before)
    return await _called(work.call)


async def _called(call: Call) -> object:
    return await call() if iscoroutinefunction(call) else call()


@contextmanager
def _no_garbage_collection() -> Generator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
