"""Where sync sessions do what blocks: worker threads beside the event loop, with a limit of their own.

Handlers that fill the framework's threads, all waiting for a connection, must not keep others from giving theirs back.
Nor must hooks, which are the user's and may wait for anything: they have threads of their own.
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

__all__ = ("in_hook_thread", "in_thread")

_THREADS = 16


async def in_thread(work: Callable[[], None]) -> None:
    """Run ``work`` of ours in a worker thread, to its end."""
    await _run("sqlspec-web", work)


async def in_hook_thread(work: Callable[[], None]) -> None:
    """Run ``work`` of the user's, which COMMIT need not wait for, to its end."""
    await _run("sqlspec-hooks", work)


async def _run(threads: str, work: Callable[[], None]) -> None:
    begun = _executor(os.getpid(), threads).submit(copy_context().run, work)
    await async_finish(_end_of(begun))


async def _end_of(begun: Future[None]) -> None:
    """Wait for it. Shielded, since cancelling the waiting would cancel what has not come to its turn yet."""
    await asyncio.shield(asyncio.wrap_future(begun))


@cache
def _executor(process: int, threads: str) -> ThreadPoolExecutor:
    """One of each name for each process: a fork takes the object along and not its threads."""
    return ThreadPoolExecutor(_THREADS, thread_name_prefix=threads)
