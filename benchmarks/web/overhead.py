"""What the plugin costs a request that needs no database: in process, without a server and without sockets.

A bare Starlette app beside the same app with the plugin; both are called as uvicorn calls them, with a new scope for
every request. The databases are real and their pools are open, as in an app that has started.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from benchmarks.report import compare
from benchmarks.timing import Work, Workload, measure
from sqlspec import SQLSpec
from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.extensions.starlette import SQLSpecPlugin

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from starlette.requests import Request

    from benchmarks.report import Compared
    from benchmarks.timing import Effort

__all__ = ("COUNTS", "bare_app", "calling", "measure_overhead", "plugged_app")

COUNTS = (1, 2, 5)
_HEADERS = [
    (b"host", b"127.0.0.1:8000"),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"connection", b"keep-alive"),
    (b"cookie", b"session=0123456789abcdef0123456789abcdef"),
    (b"x-forwarded-for", b"192.0.2.1"),
]


async def plain(request: Request) -> Response:
    return PlainTextResponse("ok")


def bare_app() -> Starlette:
    """One route, nothing else."""
    return Starlette(routes=[Route("/plain", plain)])


def plugged_app(dsn: str, count: int) -> Starlette:
    """The same with the plugin and so many databases."""
    registry = SQLSpec()
    for number in range(count):
        keys = {"session_key": f"db{number}", "commit_mode": "autocommit"}
        config = AsyncpgConfig(
            pool_config={"dsn": dsn, "min_size": 1, "max_size": 1}, extension_config={"starlette": keys}
        )
        registry.add_config(config)
    app = bare_app()
    SQLSpecPlugin(registry, app)
    return app


@asynccontextmanager
async def calling(app: Starlette) -> AsyncGenerator[Callable[[], Awaitable[tuple[int, bytes]]]]:
    """The app, started. Give what sends it one request and returns the answer's status and body."""

    async def call() -> tuple[int, bytes]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await app(_scope(), _receive, send)
        return sent[0]["status"], sent[1]["body"]

    async with app.router.lifespan_context(app):
        yield call


def _scope() -> dict[str, Any]:
    """As uvicorn makes it for each request."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "root_path": "",
        "headers": list(_HEADERS),
        "state": {},
        "method": "GET",
        "path": "/plain",
        "raw_path": b"/plain",
        "query_string": b"",
    }


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def measure_overhead(dsn: str, effort: Effort) -> list[Compared]:
    """One figure for each count of databases."""
    return asyncio.run(_measure(dsn, effort))


async def _measure(dsn: str, effort: Effort) -> list[Compared]:
    found: list[Compared] = []
    for count in COUNTS:
        async with calling(plugged_app(dsn, count)) as ours, calling(bare_app()) as bare:
            name = f"plain text, {count} database{'s' if count > 1 else ''} never used"
            found.append(compare("in process", name, await measure(Workload(name, Work(ours), Work(bare)), effort)))
    return found
