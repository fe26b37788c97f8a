"""Where a request's session may be used: an async one in the event loop of its request, a sync one in a thread.

    async session, no loop in this thread    a plain `def` endpoint: the coroutine would never be awaited, and the
                                             statement never sent. It raises.
    async session, another loop              asyncio.run() in a thread: its connection belongs to the first. It raises.
    sync session, in the thread of a loop    everything else on that loop waits meanwhile. One log record per route.

The question is asked when a method is called, not when the session is handed out: a `def` dependency may well give an
async session to an `async def` endpoint. So requests get sessions of a subclass whose methods ask first.
"""

from __future__ import annotations

from asyncio import (
    _get_running_loop,  # pyright: ignore[reportPrivateUsage]  (get_running_loop() without its exception)
)
from functools import wraps
from inspect import iscoroutine, iscoroutinefunction
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.handle import AsyncConnectionHandle
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.extensions.correlation import RunningRequest, route_of
from sqlspec.logging import get_logger, running_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

    First = Callable[[], Awaitable[None]]

__all__ = ("placed", "refuse_elsewhere", "warn_of_blocking")

T = TypeVar("T")

_OPENING = frozenset({"__getattr__", "cursor", "select_stream", "transaction"})
_FOR_THE_PLUGIN = frozenset({"close", "end", "settle", "run_hooks"})
_USED = {
    name
    for kind in (AsyncDriverAdapterBase, AsyncConnectionHandle)
    for name in dir(kind)
    if name in _OPENING or (not name.startswith("_") and iscoroutinefunction(getattr(kind, name)))
} - _FOR_THE_PLUGIN

_logger = get_logger("web")


def placed(kind: type[T]) -> type[T]:
    """A subclass of a driver or handle class whose methods first call ``self.check_place()``.

    Whoever makes an object of it sets that attribute: a function that raises where it may not be used, and gives None
    or an async function that has to be awaited first.
    """
    known = _placed.get(kind)
    if known is None:
        methods = {name: _checked(getattr(kind, name)) for name in _USED if hasattr(kind, name)}
        namespace = {"__slots__": ("check_place",), "__doc__": kind.__doc__, "__module__": kind.__module__, **methods}
        known = _placed[kind] = type(kind.__name__, (kind,), namespace)
    return cast("type[T]", known)


_placed: dict[type, type] = {}


def _checked(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def checked(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        first = self.check_place()
        found = method(self, *args, **kwargs)
        return found if first is None else _after(first, found)

    return checked


def _after(first: First, found: Any) -> Any:
    return _EnteredAfter(first, found) if hasattr(found, "__aenter__") else _awaited_after(first, found)


async def _awaited_after(first: First, found: Awaitable[T]) -> T:
    try:
        await first()
    except BaseException:
        if iscoroutine(found):
            found.close()  # else Python complains that nobody has awaited it
        raise
    return await found


class _EnteredAfter:
    """A stream or block that is entered when something else was awaited."""

    __slots__ = ("_first", "_scope")

    def __init__(self, first: First, scope: AbstractAsyncContextManager[Any]) -> None:
        self._first = first
        self._scope = scope

    async def __aenter__(self) -> Any:
        await self._first()
        return await self._scope.__aenter__()

    async def __aexit__(self, *raised: Any) -> Any:
        return await self._scope.__aexit__(*raised)


def refuse_elsewhere(home: int) -> None:
    """For async sessions.

    Args:
        home: The thread of the request's event loop.

    Raises:
        ImproperConfigurationError: This is another thread: it has another event loop, or none.
    """
    if get_ident() == home:
        return
    if _get_running_loop() is None:
        message = (
            "This session is async, and was used in a thread without an event loop, as a plain `def` endpoint has: "
            "nothing was sent. Write `async def` and `await`, or use a sync config (SqliteConfig, PsycopgSyncConfig …)."
        )
    else:
        message = (
            "This session belongs to the event loop of its request, and was used in another one: nothing was sent. "
            "Open a session there, with provide_session(config)."
        )
    raise ImproperConfigurationError(message)


def warn_of_blocking(told: set[str]) -> None:
    """For sync sessions: log it where they block an event loop, unless ``told`` has the route; then it has."""
    if _get_running_loop() is None:
        return
    request = running_request.get()
    route = (route_of(request.scope) if isinstance(request, RunningRequest) else None) or "What belongs to no route"
    if route not in told:
        told.add(route)
        _logger.warning(
            "%s uses a sync session in the thread of the event loop: every other request waits for its statements. "
            "Make the endpoint a plain `def`, or use an async config (AiosqliteConfig, AsyncpgConfig …)",
            route,
        )
