"""A middleware between the plugin and the app holds the response's start back, while the body runs already."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.exceptions import IntegrityError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.client import serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from starlette.requests import Request

    from tests.web.backends import Backend


async def passing(request: Request, call_next: Any) -> Response:
    response: Response = await call_next(request)
    return response


HOLDING = {
    "none": [],
    "base": [Middleware(BaseHTTPMiddleware, dispatch=passing)],
    "gzip": [Middleware(GZipMiddleware)],
    "both": [Middleware(GZipMiddleware), Middleware(BaseHTTPMiddleware, dispatch=passing)],
}

held = pytest.mark.parametrize("middleware", HOLDING.values(), ids=HOLDING)


class Shop:
    """An app whose one route inserts ``request``, then answers with a body that uses the session at once."""

    def __init__(
        self,
        backend: Backend,
        middleware: list[Middleware],
        body: Callable[[Any], AsyncGenerator[str]],
        mode: str = "autocommit",
    ) -> None:
        self.body = body
        self.backend = backend
        self.status = 201
        self.spec = SQLSpec()
        self.config = self.spec.add_config(backend.config(commit_mode=mode, pool_size=1))
        self.app = Starlette(routes=[Route("/", self.work, methods=["POST"])], middleware=list(middleware))
        self.plugin = SQLSpecPlugin(self.spec, self.app)

    async def work(self, request: Request) -> Response:
        db = self.plugin.get_session(request)
        await db.execute(self.backend.insert, "request")
        return StreamingResponse(self.body(db), status_code=self.status)

    async def post(self) -> Any:
        async with serving(self.app) as client, asyncio.timeout(8):
            response = await client.post("/")
            assert self.config.connections.holders == []
        return response


@held
async def test_a_stream_of_rows_is_whole(backend: Backend, middleware: list[Middleware]) -> None:  # W16
    """As without that middleware: it is opened in the body, so the start does not close it."""

    async def body(db: Any) -> AsyncGenerator[str]:
        async with db.select_stream("SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3", chunk_size=1) as rows:
            async for row in rows:
                yield str(row["n"])

    response = await Shop(backend, middleware, body).post()
    assert (response.status, response.text, response.error) == (201, "123", None)
    assert await backend.rows() == ["request"]


@held
@pytest.mark.parametrize(("mode", "saved"), [("autocommit", ["request"]), ("manual", [])])
async def test_a_block_that_fails_in_the_body_leaves_nothing(  # W16 S4
    backend: Backend, middleware: list[Middleware], mode: str, saved: list[str]
) -> None:
    """It is a transaction of its own: no half of it gets into the request's."""

    async def body(db: Any) -> AsyncGenerator[str]:
        async with db.transaction():
            await db.execute(backend.insert, "body 1")
            yield "x"
            await asyncio.sleep(0.02)
            await db.execute(backend.insert, "body 2")
            raise ValueError

    await Shop(backend, middleware, body, mode).post()
    assert await backend.rows() == saved


@held
@pytest.mark.parametrize(("status", "saved"), [(404, ["body"]), (201, ["body", "request"])])
async def test_statements_of_the_body_commit_by_themselves(  # W16 W11
    backend: Backend, middleware: list[Middleware], status: int, saved: list[str]
) -> None:
    """Whatever becomes of those before the start, whose outcome is the status that the app has started with."""
    seen: list[list[str]] = []

    async def body(db: Any) -> AsyncGenerator[str]:
        await db.execute(backend.insert, "body")
        seen.append(await backend.rows())
        yield "x"

    shop = Shop(backend, middleware, body)
    shop.status = status
    response = await shop.post()
    assert (response.status, response.error) == (status, None)
    assert seen == [saved]
    assert await backend.rows() == saved


@held
@pytest.mark.parametrize("swallowed", [False, True])
async def test_a_commit_that_fails_in_the_body_is_no_success(  # W14
    deferring: Backend, middleware: list[Middleware], swallowed: bool
) -> None:
    """It is found out there, and the start that is still held back fails, whatever the body makes of the error."""
    child = f"{deferring.table}_child"
    await deferring.run(
        f"CREATE TABLE {child} (name TEXT REFERENCES {deferring.table} (name) DEFERRABLE INITIALLY DEFERRED)"
    )
    problems: list[Exception] = []

    async def body(db: Any) -> AsyncGenerator[str]:
        try:
            yield str(await db.select_value("SELECT 1"))
        except IntegrityError as error:
            problems.append(error)
            if not swallowed:
                raise
            yield "nothing happened"

    def conflict(request: Request, error: Exception) -> Response:
        return PlainTextResponse("conflict", status_code=409)

    shop = Shop(deferring, middleware, body)
    shop.app.exception_handlers[IntegrityError] = conflict

    async def work(request: Request) -> Response:
        db = shop.plugin.get_session(request)
        await db.execute(f"INSERT INTO {child} (name) VALUES ('nobody')")
        return StreamingResponse(body(db), status_code=201)

    shop.app.router.routes[:] = [Route("/", work, methods=["POST"])]
    response = await shop.post()
    await deferring.run(f"DROP TABLE {child}")
    assert (response.status, response.text) == (409, "conflict")
    if middleware == HOLDING["base"]:  # whether GZip holds a start back depends on its version
        assert len(problems) == 1


@held
async def test_hooks_may_use_the_session(backend: Backend, middleware: list[Middleware]) -> None:  # S9 W16
    """Also when the outcome is brought about by the body."""

    async def body(db: Any) -> AsyncGenerator[str]:
        yield ",".join(await db.select(backend.select, schema_type=str))

    shop = Shop(backend, middleware, body)

    async def work(request: Request) -> Response:
        db = shop.plugin.get_session(request)
        await db.execute(backend.insert, "request")
        db.on_commit(lambda: db.execute(backend.insert, "hook"))
        return StreamingResponse(body(db), status_code=201)

    shop.app.router.routes[:] = [Route("/", work, methods=["POST"])]
    response = await shop.post()
    assert response.error is None
    assert await backend.rows() == ["hook", "request"]


@held
async def test_a_sync_body_in_a_thread(sqlite: Backend, middleware: list[Middleware]) -> None:  # W20 W16
    """It waits for the outcome, which is brought about beside it."""

    def body(db: Any) -> Iterator[str]:
        db.execute(sqlite.insert, "body")
        yield str(db.select_value("SELECT 1"))

    def work(request: Request) -> Response:
        db = plugin.get_session(request)
        db.execute(sqlite.insert, "request")
        return StreamingResponse(body(db), status_code=404)

    spec = SQLSpec()
    options = {"starlette": {"commit_mode": "autocommit"}}
    spec.add_config(SqliteConfig(pool_config={"database": str(sqlite.path)}, extension_config=options))
    app = Starlette(routes=[Route("/", work, methods=["POST"])], middleware=list(middleware))
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client, asyncio.timeout(8):
        response = await client.post("/")
    assert (response.status, response.text, response.error) == (404, "1", None)
    assert await sqlite.rows() == ["body"]


# What else middleware may do with a request


async def test_the_status_of_a_middleware_decides_where_the_body_did_nothing(backend: Backend) -> None:  # W11
    """A start that nobody has relied on is of no account: the one that reaches the server decides."""

    async def refuse(request: Request, call_next: Any) -> Response:
        await call_next(request)
        return PlainTextResponse("no", status_code=403)

    async def body(db: Any) -> AsyncGenerator[str]:
        yield "x"

    response = await Shop(backend, [Middleware(BaseHTTPMiddleware, dispatch=refuse)], body).post()
    assert (response.status, response.text) == (403, "no")
    assert await backend.rows() == []


class Again:
    """Calls the app once more when it fails, or answers 503; in the same scope, or in a copy of it."""

    def __init__(self, app: Any, copy: bool = False) -> None:
        self.app = app
        self.copy = copy

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        held_back: list[Any] = []

        async def keep(message: Any) -> None:
            held_back.append(message)

        for _ in range(2):
            held_back.clear()
            try:
                await self.app(dict(scope) if self.copy else scope, receive, keep)
            except ValueError:
                continue
            if held_back[0]["status"] != 503:
                break
        for message in held_back:
            await send(message)


def counting(backend: Backend, outcomes: list[Any]) -> Callable[[Any], Any]:
    """Each call inserts two rows of its own number, and ends as the next of the outcomes says."""
    calls: list[int] = []

    async def work(db: Any) -> Response:
        calls.append(len(calls))
        outcome = outcomes[len(calls) - 1]
        await db.execute(backend.insert, f"{len(calls)}a")
        if isinstance(outcome, Exception):
            raise outcome
        await db.execute(backend.insert, f"{len(calls)}b")
        return Response(status_code=outcome)

    return work


@pytest.mark.parametrize("copy", [False, True])
@pytest.mark.parametrize("first", [ValueError("again"), 503], ids=["error", "503"])
async def test_a_second_run_outside_of_the_plugin(backend: Backend, copy: bool, first: Any) -> None:  # W13 W8
    """It is a request of its own, with a session of its own: what the first has done is gone."""
    work = counting(backend, [first, 201])

    async def route(request: Request) -> Response:
        response: Response = await work(plugin.get_session(request))
        return response

    app = Starlette(routes=[Route("/", route, methods=["POST"])])
    spec = SQLSpec()
    spec.add_config(backend.config(commit_mode="autocommit", pool_size=1))
    plugin = SQLSpecPlugin(spec, app)
    app.add_middleware(Again, copy=copy)
    async with serving(app) as client:
        response = await client.post("/")
    assert (response.status, response.error) == (201, None)
    assert await backend.rows() == ["2a", "2b"]


@pytest.mark.parametrize("last", [201, ValueError("broken")], ids=["saved", "lost"])
async def test_a_second_run_inside_of_the_plugin(backend: Backend, last: Any) -> None:  # W11 W13
    """It is the same request, and one transaction: all of it is saved or nothing."""
    work = counting(backend, [503, last])

    async def route(request: Request) -> Response:
        response: Response = await work(plugin.get_session(request))
        return response

    app = Starlette(routes=[Route("/", route, methods=["POST"])], middleware=[Middleware(Again)])
    spec = SQLSpec()
    spec.add_config(backend.config(commit_mode="autocommit", pool_size=1))
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        response = await client.post("/")
    assert response.is_started is (last == 201)  # who swallows the error and answers nothing has answered nothing
    assert await backend.rows() == (["1a", "1b", "2a", "2b"] if last == 201 else [])


class AgainAfterCommit:
    """Calls the app once more when its COMMIT fails: the usual answer to a serialization failure."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except IntegrityError:
            await self.app(scope, receive, send)


@pytest.mark.parametrize(("status", "saved"), [(201, ["2a", "2b"]), (409, [])])
async def test_a_second_run_after_a_failed_commit(deferring: Backend, status: int, saved: list[str]) -> None:  # W14 W9
    """It has a transaction again, whose outcome is that of its own response."""
    child = f"{deferring.table}_child"
    await deferring.run(
        f"CREATE TABLE {child} (name TEXT REFERENCES {deferring.table} (name) DEFERRABLE INITIALLY DEFERRED)"
    )
    work = counting(deferring, [201, status])
    runs: list[int] = []

    async def route(request: Request) -> Response:
        db = plugin.get_session(request)
        runs.append(1)
        if len(runs) == 1:
            await db.execute(f"INSERT INTO {child} (name) VALUES ('nobody')")
        response: Response = await work(db)
        return response

    app = Starlette(routes=[Route("/", route, methods=["POST"])], middleware=[Middleware(AgainAfterCommit)])
    spec = SQLSpec()
    spec.add_config(deferring.config(commit_mode="autocommit", pool_size=1))
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        response = await client.post("/")
    await deferring.run(f"DROP TABLE {child}")
    assert (response.status, response.error) == (status, None)
    assert await deferring.rows() == saved
