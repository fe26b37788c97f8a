"""An app behind a real uvicorn: on a free port of this machine, in the test's own event loop.

Nothing of uvicorn is replaced, and its log goes where pytest sees it. Which databases the app has is its own affair.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from starlette.applications import Starlette

from sqlspec import SQLSpec
from sqlspec.extensions.starlette import SQLSpecPlugin

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from starlette.routing import BaseRoute

    from sqlspec.registry import Config
    from tests.web.client import ASGIApp, Message

__all__ = ("DidNotStartError", "Recorded", "app_of", "uvicorn_running", "uvicorn_serving")


def app_of(routes: Sequence[BaseRoute], *configs: Config, **options: Any) -> Starlette:
    """An app with these databases. Its endpoints find the session of the first as ``request.state.db_session``.

    Args:
        routes: Of the app.
        *configs: The first needs no name; others have a session key.
        **options: What ``Starlette`` takes.
    """
    app = Starlette(routes=routes, **options)
    spec = SQLSpec()
    for config in configs:
        spec.add_config(config)
    SQLSpecPlugin(spec, app)
    return app


class DidNotStartError(Exception):
    """The app's start-up failed, so uvicorn serves nobody; its log says why."""


@asynccontextmanager
async def uvicorn_running(app: ASGIApp, *, patience: int = 5) -> AsyncGenerator[int]:
    """The app between start-up and shutdown. Gives its port.

    Args:
        app: The app.
        patience: Seconds that requests have at shutdown until uvicorn cancels them.

    Raises:
        DidNotStartError: Its start-up failed.
    """
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=patience,
        )
    )
    task = asyncio.create_task(_serve(server))
    while not server.started:
        if task.done():
            await task
            raise DidNotStartError
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


async def _serve(server: uvicorn.Server) -> None:
    """As a task: there, the exit of the program that uvicorn wants would end the event loop."""
    try:
        await server.serve()
    except SystemExit as end:
        raise DidNotStartError from end


@asynccontextmanager
async def uvicorn_serving(app: ASGIApp) -> AsyncGenerator[httpx.AsyncClient]:
    """The same, with a client for it."""
    async with uvicorn_running(app) as port:
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, timeout=10, trust_env=False) as client:
            yield client


class Recorded:
    """An app, and what the server was told by it, whoever was still there to hear it.

    Attributes:
        statuses: Of the request for each path, noted at the instant that its start was forwarded.
        errors: What the app raised, by path.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.statuses: dict[str, int] = {}
        self.errors: dict[str, Exception] = {}

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Serve one request, and note what comes of it."""

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses[scope["path"]] = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:
            self.errors[scope["path"]] = error
            raise
