"""Where sync sessions do what blocks: worker threads beside the event loop, with a limit of their own.

Handlers that fill the framework's threads, all waiting for a connection, must not keep others from giving theirs back.
What was begun here runs to its end, also when the caller is cancelled.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlspec.concurrency import async_finish

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

__all__ = ("in_thread",)

_THREADS = 16


async def in_thread(work: Callable[[], None]) -> None:
    """Run ``work`` in a worker thread, to its end."""
    from anyio import to_thread

    await async_finish(to_thread.run_sync(work, limiter=_limit()))


def _limit() -> CapacityLimiter:
    """One for each event loop."""
    from anyio import CapacityLimiter

    limiter = _limits().get(None)
    if limiter is None:
        limiter = CapacityLimiter(_THREADS)
        _limits().set(limiter)
    return limiter


@cache
def _limits() -> RunVar[CapacityLimiter | None]:
    from anyio.lowlevel import RunVar

    return RunVar("sqlspec_threads")
