"""Other middleware around and below the plugin, mounted apps, and several plugins."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.exceptions import ForeignKeyViolationError, ImproperConfigurationError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.client import Message, serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

    from tests.web.conftest import Backend


class Writing:
    """An app that writes one row and answers with the status in its query."""

    def __init__(self, backend: Backend, **options: Any) -> None:
        self.backend = backend
        self.spec = SQLSpec()
        self.spec.add_config(backend.config(commit_mode="autocommit", pool_size=1, **options))
        self.plugin = SQLSpecPlugin(self.spec)
        self.seen: list[tuple[str, list[str]]] = []

    async def work(self, request: Request) -> Response:
        db = self.plugin.get_session(request)
        assert request.state.db_session is db
        await db.execute(self.backend.insert, request.path_params["name"])
        status = int(request.query_params.get("status", "200"))

        async def body() -> AsyncGenerator[str]:
            yield "saved " * 200
            yield str(await db.select_value("SELECT 1"))

        return StreamingResponse(body(), status_code=status)

    def app(self, **options: Any) -> Starlette:
        return Starlette(routes=[Route("/{name}", self.work, methods=["POST"])], **options)

    async def watch(self, message: Message) -> None:
        self.seen.append((message["type"], await self.backend.rows()))

    async def check(self, app: Starlette, prefix: str = "", **options: Any) -> None:
        """A success commits before its start; a conflict leaves nothing."""
        async with serving(app) as client:
            response = await client.post(f"{prefix}/a", watch=self.watch, **options)
            assert (response.status, response.error) == (200, None)
            assert self.seen[0] == ("http.response.start", ["a"])
            text = response.body if "headers" not in options else gzip.decompress(response.body)
            assert text == b"saved " * 200 + b"1"
            assert (await client.post(f"{prefix}/b?status=409")).status == 409
        assert await self.backend.rows() == ["a"]


async def passing(request: Request, call_next: Any) -> Response:
    response: Response = await call_next(request)
    return response


@pytest.mark.parametrize("inside", [True, False])
async def test_with_base_http_middleware(backend: Backend, inside: bool) -> None:  # W11
    """Whether it is around the plugin or between it and the app."""
    writing = Writing(backend)
    app = writing.app(middleware=[Middleware(BaseHTTPMiddleware, dispatch=passing)] if inside else [])
    writing.plugin.init_app(app)
    if not inside:
        app.add_middleware(BaseHTTPMiddleware, dispatch=passing)
    await writing.check(app)


@pytest.mark.parametrize("inside", [True, False])
async def test_with_gzip(backend: Backend, inside: bool) -> None:  # W11
    """GZip holds the start back until it has seen some body: around the plugin the outcome still comes first."""
    writing = Writing(backend)
    app = writing.app(middleware=[Middleware(GZipMiddleware)] if inside else [])
    writing.plugin.init_app(app)
    if not inside:
        app.add_middleware(GZipMiddleware)
    await writing.check(app, headers={"accept-encoding": "gzip"})


async def test_an_inner_middleware_has_the_session(sqlite: Backend) -> None:  # W5
    """What a middleware of the app writes shares the request's transaction and its fate."""

    async def audit(request: Request, call_next: Any) -> Response:
        await writing.plugin.get_session(request).execute(sqlite.insert, "audit")
        return await passing(request, call_next)

    writing = Writing(sqlite)
    app = writing.app(middleware=[Middleware(BaseHTTPMiddleware, dispatch=audit)])
    writing.plugin.init_app(app)
    async with serving(app) as client:
        await client.post("/a?status=409")
        assert await sqlite.rows() == []
        await client.post("/a")
    assert await sqlite.rows() == ["a", "audit"]


async def test_state_of_outer_middleware_is_kept(sqlite: Backend) -> None:  # W5
    """It is one dict for all: what either side puts in, the other finds, also afterwards."""
    seen: list[object] = []

    async def outer(request: Request, call_next: Any) -> Response:
        request.state.user = "me"
        response = await passing(request, call_next)
        seen.extend([request.state.inner, request.state.db_session])
        return response

    async def work(request: Request) -> Response:
        request.state.inner = request.state.user
        seen.append(request.state.db_session)
        return Response()

    spec = SQLSpec()
    spec.add_config(sqlite.config())
    app = Starlette(routes=[Route("/", work)])
    SQLSpecPlugin(spec, app)
    app.add_middleware(BaseHTTPMiddleware, dispatch=outer)
    async with serving(app) as client:
        assert (await client.get("/")).error is None
    assert seen == [seen[0], "me", seen[0]]


# Mounted apps


async def test_in_a_mounted_app(backend: Backend) -> None:  # W8
    """The parent's plugin serves it: request.app is the child there, which matters nothing."""
    writing = Writing(backend)
    app = Starlette(routes=[Mount("/child", app=writing.app())])
    writing.plugin.init_app(app)
    await writing.check(app, "/child")


async def test_one_plugin_on_parent_and_child(backend: Backend) -> None:  # W8
    """It acts once: one session for both, one outcome."""
    writing = Writing(backend)
    child = writing.app()
    app = Starlette(routes=[Mount("/child", app=child)])
    writing.plugin.init_app(child)
    writing.plugin.init_app(app)
    await writing.check(app, "/child")


async def test_two_plugins_of_one_registry(backend: Backend) -> None:  # W8
    """They serve the same configs, so the outer one does it for both."""
    writing = Writing(backend)
    child = writing.app()
    app = Starlette(routes=[Mount("/child", app=child)])
    SQLSpecPlugin(writing.spec, child)
    writing.plugin.init_app(app)
    await writing.check(app, "/child")


async def test_two_registries(backend: Backend) -> None:  # W8
    """Each plugin finds its own sessions in a request that both serve."""
    writing = Writing(backend)
    other = SQLSpec()
    inner = AiosqliteConfig(
        pool_config={"database": ":memory:"},
        extension_config={
            "starlette": {"session_key": "inner", "connection_key": "inner_connection", "pool_key": "inner_pool"}
        },
    )
    other.add_config(inner)
    plugin = SQLSpecPlugin(other)

    async def work(request: Request) -> Response:
        assert plugin.get_session(request) is request.state.inner
        assert writing.plugin.get_session(request) is request.state.db_session
        await plugin.get_session(request).select_value("SELECT 1")
        return await writing.work(request)

    child = Starlette(routes=[Route("/{name}", work, methods=["POST"])])
    plugin.init_app(child)
    app = Starlette(routes=[Mount("/child", app=child)])
    writing.plugin.init_app(app)
    await writing.check(app, "/child")
    await other.close_all_pools()


async def test_two_registries_with_one_key(sqlite: Backend) -> None:  # W3
    """The inner one's session would hide the outer one's: an error that names both."""
    specs = [SQLSpec(), SQLSpec()]
    for spec in specs:
        spec.add_config(sqlite.config())

    async def work(request: Request) -> Response:
        return PlainTextResponse("never")

    child = Starlette(routes=[Route("/", work)])
    app = Starlette(routes=[Mount("/child", app=child)])
    SQLSpecPlugin(specs[0], app)
    SQLSpecPlugin(specs[1], child)
    async with serving(app) as client:
        error = (await client.get("/child/")).error
    assert isinstance(error, ImproperConfigurationError)
    assert "Duplicate state keys found: 'db_session'. Two plugins" in str(error)


async def test_two_registries_that_leave_connection_keys_out(sqlite: Backend) -> None:  # W3
    """Session keys of their own are enough: the inner handle is under a key made of its session key."""
    specs = [SQLSpec() for _ in range(3)]
    plugins = [SQLSpecPlugin(spec) for spec in specs]
    for spec, key in zip(specs, "abc", strict=True):
        spec.add_config(sqlite.config(session_key=key))

    async def work(request: Request) -> Response:
        assert [plugin.get_session(request) for plugin in plugins] == [getattr(request.state, key) for key in "abc"]
        handles = [getattr(request.state, key) for key in ("db_connection", "b_connection", "c_connection")]
        assert [plugin.get_connection(request) for plugin in plugins] == handles
        return PlainTextResponse("healthy")

    app = Starlette(routes=[Route("/", work)])
    for plugin in reversed(plugins):
        plugin.init_app(app)
        app = Starlette(routes=[Mount("/child", app=app)])
    async with serving(app) as client:
        response = await client.get("/child/child/child/")
    assert (response.text, response.error) == ("healthy", None)


async def test_registries_commit_one_after_the_other(sqlite: Backend, deferring: Backend) -> None:  # W15
    """What the inner one has saved stays when the outer one fails, which is told by the error of that one."""
    specs = [SQLSpec(), SQLSpec()]
    for spec, database in zip(specs, (deferring, sqlite), strict=True):
        spec.add_config(database.config(session_key=f"db{specs.index(spec)}", commit_mode="autocommit"))
    orphans = f"{deferring.table}_orphans"
    await deferring.run(
        f"CREATE TABLE {orphans} (name TEXT REFERENCES {deferring.table} (name) DEFERRABLE INITIALLY DEFERRED)"
    )

    async def work(request: Request) -> Response:
        await request.state.db1.execute(sqlite.insert, "saved")
        await request.state.db0.execute(f"INSERT INTO {orphans} (name) VALUES ('nobody')")
        return Response(status_code=201)

    child = Starlette(routes=[Route("/", work, methods=["POST"])])
    app = Starlette(routes=[Mount("/child", app=child)])
    SQLSpecPlugin(specs[0], app)
    SQLSpecPlugin(specs[1], child)
    async with serving(app) as client:
        response = await client.post("/child/")
    await specs[1].close_all_pools()
    await deferring.run(f"DROP TABLE {orphans}")
    assert (response.status, type(response.error)) == (500, ForeignKeyViolationError)
    assert await sqlite.rows() == ["saved"]


@pytest.mark.parametrize("inside", [True, False])
async def test_a_middleware_that_tries_again(sqlite: Backend, inside: bool) -> None:  # W11 W13
    """Inside the plugin both attempts are one transaction; outside each is a request of its own."""

    class Retry:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            try:
                await self.app(scope, receive, send)
            except LookupError:
                await self.app(scope, receive, send)

    async def work(request: Request) -> Response:
        attempts.append(f"{len(attempts)}")
        await request.state.db_session.execute(sqlite.insert, attempts[-1])
        if len(attempts) == 1:
            raise LookupError
        return Response(status_code=201)

    attempts: list[str] = []
    spec = SQLSpec()
    spec.add_config(sqlite.config(commit_mode="autocommit"))
    app = Starlette(routes=[Route("/", work, methods=["POST"])], middleware=[Middleware(Retry)] * inside)
    SQLSpecPlugin(spec, app)
    if not inside:
        app.add_middleware(Retry)
    async with serving(app) as client:
        assert (await client.post("/")).status == 201
    assert await sqlite.rows() == (["0", "1"] if inside else ["1"])
