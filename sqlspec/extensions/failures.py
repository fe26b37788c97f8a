"""Who answers a request whose COMMIT failed: the app's own exception handlers, as for any error of its endpoint.

The framework can't ask them any more: an endpoint that has sent its start has been served, as far as it knows. So they
are asked here, with the original error, once it has come out of the app:

    1. those of the innermost app that saw the request   (it leaves them in the scope)
    2. those of the app that the plugin is attached to
    3. nobody: the error goes on to the server-error middleware, which calls handlers for Exception and 500
"""

from __future__ import annotations

from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.applications import Starlette
    from starlette.types import Message, Receive, Scope, Send

__all__ = ("answer_failure",)

_SCOPE_KEY = "starlette.exception_handlers"


async def answer_failure(app: Starlette, error: Exception, scope: Scope, receive: Receive, send: Send) -> bool:
    """Let the app answer.

    Args:
        app: The one that the plugin is attached to.
        error: Why COMMIT failed.
        scope: Of the request.
        receive: Of the request.
        send: Of the request.

    Returns:
        Whether a handler was found, and has answered.
    """
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request

    inner: Mapping[Any, Any] = scope.get(_SCOPE_KEY, ({}, {}))[0]
    handler = _handler_for(error, (inner, app.exception_handlers))
    if handler is None:
        return False
    request = Request(scope, _body_is_gone)
    ask = handler if _is_async(handler) else partial(run_in_threadpool, handler)
    response = await ask(request, error)
    if response is None:
        return False
    await response(scope, receive, send)
    return True


def _handler_for(error: Exception, tables: Iterable[Mapping[Any, Callable[..., Any]]]) -> Callable[..., Any] | None:
    """The first table that knows the class of the error or one of its bases, the nearest first."""
    kinds = type(error).__mro__[: type(error).__mro__.index(Exception)]
    return next((table[kind] for table in tables for kind in kinds if kind in table), None)


def _is_async(handler: Any) -> bool:
    while isinstance(handler, partial):
        handler = handler.func  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return iscoroutinefunction(handler) or iscoroutinefunction(getattr(handler, "__call__", None))  # noqa: B004


async def _body_is_gone() -> Message:
    """In place of waiting for ever: the endpoint has read it."""
    message = "The body was for the endpoint, and can't be read by the handler of an error that COMMIT raised after it."
    raise RuntimeError(message)
