"""Awaiting the rest of what was begun by hand, for a limited time.

``asyncio.timeout`` asks three times which loop and which task this is, and each is a system call until Python 3.12;
requests that wait for a connection of a busy pool are many. So the clock is on what is awaited, and does to it what
``Task.cancel()`` does. It knows no driver.
"""

from __future__ import annotations

import asyncio
from types import coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ("go_on",)

T = TypeVar("T")


async def go_on(steps: Generator[Any, None, T], awaited: Any, seconds: float | None) -> T:
    """Await the rest.

    Args:
        steps: What ``__await__()`` gave, begun.
        awaited: What it waits for now.
        seconds: How long it may take; None for no limit.

    Raises:
        TimeoutError: It took longer, and was cancelled.
    """
    clock = _Clock()
    if seconds is None:
        return await _pass_on(steps, awaited, clock)
    handle = getattr(awaited, "get_loop", asyncio.get_running_loop)().call_later(seconds, clock.strike)
    try:
        return await _pass_on(steps, awaited, clock)
    except asyncio.CancelledError as error:
        if clock.has_struck and not _is_cancelled():
            raise TimeoutError from error
        raise
    finally:
        handle.cancel()


class _Clock:
    """Cancels what is awaited when the time is up, once.

    Attributes:
        awaited: A future, or None for a plain break.
        has_struck: Whether the time was up.
        is_due: What was awaited had come already, or can't be cancelled: who awaits it must be told otherwise.
    """

    __slots__ = ("awaited", "has_struck", "is_due")

    def __init__(self) -> None:
        self.awaited: Any = None
        self.has_struck = False
        self.is_due = False

    def strike(self) -> None:
        """The time is up."""
        self.has_struck = True
        self.is_due = self.awaited is None or not self.awaited.cancel()


@coroutine
def _pass_on(steps: Generator[Any, None, T], awaited: Any, clock: _Clock) -> Generator[Any, None, T]:
    """``yield from`` would go on before ``awaited`` is done."""
    try:
        while True:
            clock.awaited = awaited
            try:
                yield awaited
                if clock.is_due:
                    raise asyncio.CancelledError
            except BaseException as error:  # noqa: BLE001 (a cancellation is for who waits in there)
                is_due, clock.is_due = clock.is_due, False
                awaited = steps.throw(asyncio.CancelledError() if is_due else error)
            else:
                awaited = next(steps)
    except StopIteration as end:
        result: T = end.value
        return result


def _is_cancelled() -> bool:
    """Whether somebody else wants this task to end, too: that goes first."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
