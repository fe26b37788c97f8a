"""Where sync sessions do what blocks: worker threads beside the event loop, with a limit of their own.

Handlers that fill the framework's threads, all waiting for a connection, must not keep others from giving theirs back.
What is handed over here is under way before the caller yields to the event loop, so a handler that blocks that loop
while it waits for a connection or a lock can't keep a COMMIT from starting; and it runs to its end, also when the
caller is cancelled.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import TYPE_CHECKING

from sqlspec.concurrency import async_finish

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

__all__ = ("in_thread",)

_THREADS = 16


async def in_thread(work: Callable[[], None]) -> None:
    """Run ``work`` in a worker thread, to its end."""
    begun = _executor(os.getpid()).submit(copy_context().run, work)
    await async_finish(_end_of(begun))


async def _end_of(begun: Future[None]) -> None:
    """Wait for it. Shielded, since cancelling the waiting would cancel what has not come to its turn yet."""
    await asyncio.shield(asyncio.wrap_future(begun))


@cache
def _executor(process: int) -> ThreadPoolExecutor:
    """One for each process: a fork takes the object along and not its threads."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="sqlspec-web")
