"""Who answers a request whose COMMIT failed: the app's own exception handlers, as for any error of its endpoint.

The framework can't ask them any more: an endpoint that has sent its start has been served, as far as it knows. So they
are asked here, with the original error, once it has come out of the app:

    1. those of the innermost app that saw the request   (it leaves them in the scope)
    2. those of the app that the plugin is attached to
    3. nobody: the error goes on to the server-error middleware, which calls handlers for Exception and 500

What a handler raises is looked up once more, as the framework does: HTTPException(409) is a 409.
"""

from __future__ import annotations

from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.types import Message, Receive, Scope, Send

    Handler = Callable[..., Any]
    Tables = Sequence[tuple[Mapping[Any, Handler], Mapping[Any, Handler]]]

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
    from starlette.requests import Request

    of_class, of_status = scope.get(_SCOPE_KEY, ({}, {}))
    tables: Tables = ((of_class, of_status), (app.exception_handlers, app.exception_handlers))
    handler = _handler_for(error, tables)
    if handler is None:
        return False
    request = Request(scope, _body_is_gone)
    try:
        response = await _ask(handler, request, error)
    except Exception as raised:
        handler = _handler_for(raised, tables)
        if raised is error or handler is None:
            raise
        response = await _ask(handler, request, raised)
    if response is None:
        return False
    await response(scope, receive, send)
    return True


def _handler_for(error: Exception, tables: Tables) -> Handler | None:
    """The first table that knows the status of the error, its class or a base of that, the nearest first."""
    from starlette.exceptions import HTTPException

    kinds = type(error).__mro__[: type(error).__mro__.index(Exception)]
    status = error.status_code if isinstance(error, HTTPException) else None
    for of_class, of_status in tables:
        if status in of_status:
            return of_status[status]
        for kind in kinds:
            if kind in of_class:
                return of_class[kind]
    return None


async def _ask(handler: Handler, request: Request, error: Exception) -> Any:
    from starlette.concurrency import run_in_threadpool

    ask = handler if _is_async(handler) else partial(run_in_threadpool, handler)
    return await ask(request, error)


def _is_async(handler: Any) -> bool:
    while isinstance(handler, partial):
        handler = handler.func  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return iscoroutinefunction(handler) or iscoroutinefunction(getattr(handler, "__call__", None))  # noqa: B004


async def _body_is_gone() -> Message:
    """In place of waiting for ever: the endpoint has read it."""
    message = "The body was for the endpoint, and can't be read by the handler of an error that COMMIT raised after it."
    raise RuntimeError(message)
