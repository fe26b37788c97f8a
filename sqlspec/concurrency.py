"""What differs between async and sync by more than a keyword, in pairs.

The shell in ``_async/`` uses the ``Async…``/``async_…`` half, its generated twin the ``Sync…``/``sync_…`` half: same
names, same meaning, same errors. Everything here knows tasks, threads and clocks, and nothing of databases.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections import deque
from collections.abc import Awaitable
from contextlib import nullcontext
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from types import TracebackType

__all__ = (
    "AsyncAwaitable",
    "AsyncBackground",
    "AsyncLock",
    "AsyncPermits",
    "AsyncResult",
    "AsyncTimeLimit",
    "AsyncTurn",
    "SyncAwaitable",
    "SyncBackground",
    "SyncLock",
    "SyncPermits",
    "SyncResult",
    "SyncTimeLimit",
    "SyncTurn",
    "async_finish",
    "async_home",
    "async_home_is_gone",
    "async_is_stray",
    "async_leave",
    "async_owner",
    "async_settled",
    "sync_finish",
    "sync_home",
    "sync_home_is_gone",
    "sync_is_stray",
    "sync_owner",
    "sync_settled",
)

T = TypeVar("T")

AsyncResult = Awaitable[T]
"""What a function gives whose result is awaited; its sync sibling gives the result itself."""
SyncResult = Annotated[T, "given at once"]

AsyncLock = asyncio.Lock


class SyncLock:
    """A thread's lock that is entered as its async sibling is."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lock.release()


# Where a pool lives, and who runs -------------------------------------------------------------------------------------


def async_home() -> asyncio.AbstractEventLoop:
    """The running loop, to which connections made now belong. RuntimeError without one."""
    return asyncio.get_running_loop()


_PROCESS = object()


def sync_home() -> object:
    """Sync connections belong to no loop, only to the process."""
    return _PROCESS


def async_home_is_gone(home: asyncio.AbstractEventLoop) -> bool:
    """Nothing can be awaited on a closed loop any more."""
    return home.is_closed()


def sync_home_is_gone(home: object) -> bool:
    """Never while anybody can ask."""
    return home is not _PROCESS


def async_owner() -> object:
    """The running task."""
    return asyncio.current_task()


def sync_owner() -> object:
    """The running thread."""
    return threading.get_ident()


def async_is_stray(error: BaseException) -> bool:
    """Whether it is the cancellation of something that the running task awaited, and not its own."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and (task is None or not task.cancelling())


def sync_is_stray(error: BaseException) -> bool:
    """Threads are not cancelled."""
    return False


# Taking turns ---------------------------------------------------------------------------------------------------------


class AsyncTurn:
    """One at a time, first come first served. The uncontended way is two plain calls."""

    __slots__ = ("_taken", "_waiting")

    def __init__(self) -> None:
        self._taken = False
        self._waiting: deque[asyncio.Future[None]] | None = None

    def try_enter(self) -> bool:
        """Take the turn if nobody has it."""
        if self._taken:
            return False
        self._taken = True
        return True

    async def enter(self) -> None:
        """Take the turn, after those who came before."""
        if self.try_enter():
            return
        if self._waiting is None:
            self._waiting = deque()
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except BaseException:
            if place.done() and not place.cancelled():
                self.leave()  # the turn had come in the same moment: it goes on to the next
            raise

    async def __aenter__(self) -> None:
        if not self.try_enter():
            await self.enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """Hand the turn on."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._taken = False


class SyncTurn:
    """One thread at a time. Every statement takes and leaves a turn, by the lock's own methods.

    Attributes:
        try_enter: Take the turn if nobody has it.
        leave: Hand the turn on.
    """

    __slots__ = ("_lock", "leave", "try_enter")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.try_enter = partial(self._lock.acquire, False)
        self.leave = self._lock.release

    def enter(self) -> None:
        """Take the turn, waiting for it."""
        self._lock.acquire()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lock.release()


class AsyncPermits:
    """So many at a time, waiting at most so long."""

    __slots__ = ("_semaphore",)

    def __init__(self, count: int) -> None:
        self._semaphore = asyncio.Semaphore(count)

    async def acquire(self, timeout: float | None) -> bool:
        """False if none became free in ``timeout`` seconds."""
        if not self._semaphore.locked():
            await self._semaphore.acquire()  # does not wait
            return True
        try:
            async with asyncio.timeout(timeout):
                await self._semaphore.acquire()
        except TimeoutError:
            return False
        return True

    def release(self) -> None:
        """Give one back."""
        self._semaphore.release()


class SyncPermits:
    """So many at a time, waiting at most so long."""

    __slots__ = ("_free",)

    def __init__(self, count: int) -> None:
        self._free: SimpleQueue[None] = SimpleQueue()  # a tenth of what threading.Semaphore costs
        for _ in range(count):
            self._free.put(None)

    def acquire(self, timeout: float | None) -> bool:
        """False if none became free in ``timeout`` seconds."""
        try:
            self._free.get(timeout=timeout)
        except Empty:
            return False
        return True

    def release(self) -> None:
        """Give one back."""
        self._free.put(None)


# Time limits ----------------------------------------------------------------------------------------------------------


class AsyncTimeLimit:
    """A block that is cancelled after so many seconds; then ``expired`` is true and TimeoutError is raised."""

    __slots__ = ("_timeout",)

    def __init__(self, seconds: float | None, interrupt: Callable[[], object]) -> None:
        # Cancellation is what interrupts an async driver; how else it could be done matters to the sync twin only.
        self._timeout = asyncio.timeout(seconds)

    @property
    def expired(self) -> bool:
        """Whether the time was up before the block ended."""
        return self._timeout.expired()

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._timeout.__aexit__(kind, error, at)


class SyncTimeLimit:
    """A block that is interrupted by the driver's own means after so many seconds; then ``expired`` is true.

    Again and again until it ends, in ever longer pauses: drivers ignore an interruption that comes before what it was
    meant for has begun.
    """

    __slots__ = ("_done", "_interrupt", "_lock", "_timer", "expired")

    def __init__(self, seconds: float | None, interrupt: Callable[[], object]) -> None:
        self.expired = False
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._interrupt = interrupt
        self._timer = None if seconds is None else threading.Timer(seconds, self._expire)

    def _expire(self) -> None:
        pause = 0.02
        while True:
            with self._lock:  # never interrupt what runs after the block
                if self._done.is_set():
                    return
                self.expired = True
                self._interrupt()
            if self._done.wait(pause):
                return
            pause *= 2

    def __enter__(self) -> None:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._done.set()
        if self._timer is not None:
            self._timer.cancel()
        if self.expired and kind is None:
            raise TimeoutError


# What cancellation must not reach -------------------------------------------------------------------------------------


FINISH_LIMIT = 2.0
"""Seconds that work which must be finished may still take once its caller was cancelled; then it is cancelled too."""


async def async_finish(work: Coroutine[Any, Any, T]) -> T:
    """Await ``work`` to its end even if the caller is cancelled meanwhile; the cancellation is delivered afterwards.

    A caller that was cancelled waits ``FINISH_LIMIT`` seconds at the most.

    ``asyncio.shield`` alone would let the caller go before the end. Inside a cancelled anyio scope every await is
    cancelled again and again, so there the rest is awaited in a shielded scope (anyio is loaded already, or there
    is no such scope).
    """
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    ended: asyncio.Future[None] = loop.create_future()
    task.add_done_callback(partial(_tell, ended))
    try:
        await ended  # half of what asyncio.wait((task,)) costs, and every COMMIT comes by here
    except asyncio.CancelledError:
        await _wait_shielded(task)
        if task.done() and not task.cancelled() and (error := task.exception()) is not None:
            get_logger().error("failed while its caller was being cancelled: %s", error)
        raise
    return task.result()


def _tell(ended: asyncio.Future[None], task: asyncio.Future[Any]) -> None:
    if not ended.done():  # else its caller was cancelled, and waits in another way
        ended.set_result(None)


async def async_leave(work: Coroutine[Any, Any, None], seconds: float) -> None:
    """Await ``work`` for so long, whatever cancels the caller; then cancel it, and leave it to itself.

    For clean-up after a cancellation, asyncio's or an anyio scope's. What it raises in time is raised here.
    """
    task = asyncio.ensure_future(work)
    _left.add(task)
    task.add_done_callback(_forget_left)
    anyio = sys.modules.get("anyio")
    with anyio.CancelScope(shield=True) if anyio is not None else nullcontext():
        await _wait_until(task, seconds)
    if task.done() and not task.cancelled():
        task.result()
    task.cancel()


_left: set[asyncio.Future[None]] = set()
"""What ends by itself: kept, since a loop keeps no tasks."""


def _forget_left(task: asyncio.Future[None]) -> None:
    _left.discard(task)
    if not task.cancelled():
        task.exception()  # heard; who could be told of it has gone on


async def _wait_shielded(task: asyncio.Future[Any]) -> None:
    anyio = sys.modules.get("anyio")
    if anyio is not None:
        with anyio.CancelScope(shield=True):
            await _wait_stubbornly(task)
    else:
        await _wait_stubbornly(task)


async def _wait_stubbornly(task: asyncio.Future[Any]) -> None:
    """A second cancellation changes nothing: the first is delivered after the end."""
    for limit in (FINISH_LIMIT, 0.1):  # the second for what the task itself does about being cancelled
        await _wait_until(task, limit)
        task.cancel()


async def _wait_until(task: asyncio.Future[Any], seconds: float) -> None:
    """For so long at most, however often the caller is cancelled."""
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    while not task.done() and clock() < until:
        try:
            await asyncio.wait((task,), timeout=until - clock())
        except asyncio.CancelledError:
            continue


def sync_finish(work: T) -> T:
    """A thread is not cancelled: the work was done when the argument was made."""
    return work


class AsyncBackground:
    """Tasks that go on when their starter is cancelled. They are kept until they end, and can be waited for."""

    __slots__ = ("_tasks",)

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` beside everything else; not at all where no loop runs any more (garbage of a dead loop)."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            work.close()
            return
        task = loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Until all have ended."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))


class SyncBackground:
    """Sync work is done at once, in the calling thread."""

    __slots__ = ()

    def start(self, work: None) -> None:
        """It was done when the argument was made."""

    def wait(self) -> None:
        """Nothing is under way."""


# Values that may have to be awaited -----------------------------------------------------------------------------------


async def async_settled(value: Any) -> Any:
    """The value, awaited if it is awaitable."""
    if hasattr(value, "__await__"):
        return await value
    return value


def sync_settled(value: Any) -> Any:
    """The value."""
    return value


class AsyncAwaitable:
    """An object that can be awaited: ``await handle`` is ``await handle.acquire()``."""

    __slots__ = ()

    async def acquire(self) -> Any:
        """What awaiting gives."""
        raise NotImplementedError

    def __await__(self) -> Generator[Any, None, Any]:
        return self.acquire().__await__()


class SyncAwaitable:
    """The sync sibling has ``acquire()`` only."""

    __slots__ = ()

    def acquire(self) -> Any:
        """What the async sibling gives when awaited."""
        raise NotImplementedError
