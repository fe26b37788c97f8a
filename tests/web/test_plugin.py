"""Attaching the plugin, keys, and where sessions can be had."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, assert_type

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec._async.handle import AsyncConnectionHandle
from sqlspec.adapters.aiosqlite import AiosqliteConfig, AiosqliteDriver
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.client import Client, Lifespan, serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request
    from starlette.websockets import WebSocket


def config(**options: Any) -> AiosqliteConfig:
    return AiosqliteConfig(pool_config={"database": ":memory:"}, extension_config={"starlette": options})


def app_of(spec: SQLSpec, endpoint: Any) -> Starlette:
    app = Starlette(routes=[Route("/", endpoint)])
    SQLSpecPlugin(spec, app)
    return app


# Options


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"comit_mode": "autocommit"}, "Did you mean 'commit_mode'"),
        ({"commit_mode": "auto"}, "'auto'.* is not a mode"),
        ({"extra_commit_statuses": {409}, "extra_rollback_statuses": {409}}, "409 in extra_commit_statuses and"),
    ],
)
def test_options_are_checked_when_the_plugin_is_attached(options: dict[str, Any], problem: str) -> None:  # W2
    """By the constructor with an app, by init_app, and by add_config for those that come later."""
    spec = SQLSpec()
    spec.add_config(config(**options))
    with pytest.raises(ImproperConfigurationError, match=problem):
        SQLSpecPlugin(spec, Starlette())
    plugin = SQLSpecPlugin(spec)
    with pytest.raises(ImproperConfigurationError, match=problem):
        plugin.init_app(Starlette())

    later = SQLSpec()
    SQLSpecPlugin(later, Starlette())
    with pytest.raises(ImproperConfigurationError, match=problem):
        later.add_config(config(**options))
    assert later.configs == ()


def test_keys_are_checked_with_every_config() -> None:  # W3
    """Configs of one plugin can't share a key, whenever they come."""
    spec = SQLSpec()
    spec.add_config(config(session_key="db"))
    plugin = SQLSpecPlugin(spec)
    plugin.init_app(Starlette())
    with pytest.raises(ImproperConfigurationError, match="Duplicate state keys found: 'db'"):
        spec.add_config(config(session_key="db"))
    with pytest.raises(ImproperConfigurationError, match="No config is named 'db2'"):
        spec.get_config("db2")
    spec.add_config(config(session_key="db2"))


# Order of things


async def test_configs_and_routes_may_come_after_the_plugin() -> None:  # S1 W4
    """Everything until start-up is seen: plugin first, then the config, then the route."""
    spec = SQLSpec()
    plugin = SQLSpecPlugin(spec)
    app = Starlette()
    plugin.init_app(app)
    spec.add_config(config(session_key="first"))
    spec.add_config(config(), name="second")

    async def look(request: Request) -> Response:
        value = await plugin.get_session(request, "second").select_value("SELECT 1")
        assert plugin.get_session(request) is request.state.first
        return PlainTextResponse(str(value))

    app.add_route("/", look)
    async with serving(app) as client:
        assert (await client.get("/")).text == "1"


async def test_a_config_may_come_after_the_start() -> None:  # S1
    """It takes part from the next request on, and its pool is closed with the others."""
    spec = SQLSpec()
    spec.add_config(config())
    plugin = SQLSpecPlugin(spec)

    async def look(request: Request) -> Response:
        return PlainTextResponse(str(await plugin.get_session(request, late).select_value("SELECT 2")))

    app = Starlette(routes=[Route("/", look)])
    plugin.init_app(app)
    async with serving(app) as client:
        late = spec.add_config(config(), name="late")
        assert (await client.get("/")).text == "2"
        with pytest.raises(ImproperConfigurationError, match="'db_connection'"):
            spec.add_config(config(session_key="x", connection_key="db_connection"))
    assert not late.is_open


def test_an_app_that_has_started_is_refused() -> None:
    """Its middleware is built: an attached plugin would do nothing."""
    app = Starlette()
    app.middleware_stack = app.build_middleware_stack()
    with pytest.raises(ImproperConfigurationError, match="has started"):
        SQLSpecPlugin(SQLSpec(), app)


async def test_attaching_twice_acts_once() -> None:  # W8
    """One middleware and its inner part, one start: by constructor and init_app, as in the guide; after the start."""
    spec = SQLSpec()
    spec.add_config(config())
    app = Starlette()
    plugin = SQLSpecPlugin(spec, app)
    plugin.init_app(app)
    assert len(app.user_middleware) == 2
    async with serving(app):
        plugin.init_app(app)


# Keys


async def test_every_name_of_a_config_finds_its_session() -> None:  # W4 W5
    """Session key, connection key, pool key, the config's name, and the config itself."""
    spec = SQLSpec()
    spec.add_config(config(session_key="other"))
    main = spec.add_config(config(session_key="db", connection_key="conn", pool_key="pool"), name="main")
    plugin = SQLSpecPlugin(spec)

    async def look(request: Request) -> Response:
        session = request.state.db
        assert all(plugin.get_session(request, key) is session for key in ("db", "conn", "pool", "main"))
        assert assert_type(plugin.get_session(request, main), AiosqliteDriver) is session
        assert assert_type(plugin.get_connection(request, main), AsyncConnectionHandle) is request.state.conn
        assert plugin.get_connection(request, "db") is request.state.conn
        assert plugin.get_session(request) is request.state.other
        assert request.app.state.pool is spec.get_pool(main)
        with pytest.raises(ImproperConfigurationError, match="No configuration found for key: 'nope'"):
            plugin.get_session(request, "nope")
        return Response()

    app = Starlette(routes=[Route("/", look)])
    plugin.init_app(app)
    async with serving(app) as client:
        assert (await client.get("/")).error is None


@pytest.mark.parametrize("key", ["db_session", "db_connection"])
async def test_state_of_the_apps_lifespan_under_a_key_is_refused(key: str) -> None:  # W5 W21
    """When the app starts: in every request a session would hide it."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[dict[str, Any]]:
        yield {key: "mine"}

    spec = SQLSpec()
    added = spec.add_config(config())
    app = Starlette(lifespan=lifespan)
    SQLSpecPlugin(spec, app)
    answer = await Lifespan(app).start()
    assert answer["type"] == "lifespan.startup.failed"
    assert f"Duplicate state keys found: '{key}'. The app's lifespan yields" in answer["message"]
    assert not added.is_open


@pytest.mark.parametrize("key", [["db_session"], {}, 0])
async def test_what_is_no_key_is_told_so(key: Any) -> None:  # W4
    """By both getters, in the words for an unknown key."""
    spec = SQLSpec()
    spec.add_config(config())
    plugin = SQLSpecPlugin(spec)

    async def look(request: Request) -> Response:
        for get in (plugin.get_session, plugin.get_connection):
            with pytest.raises(ImproperConfigurationError, match="No configuration found for key: "):
                get(request, key)
        return Response()

    app = Starlette(routes=[Route("/", look)])
    plugin.init_app(app)
    assert (await Client(app).get("/")).error is None


# Where the middleware has not run


async def test_without_the_middleware_the_error_says_what_to_do() -> None:  # W22
    """Both getters name init_app and provide_session."""
    spec = SQLSpec()
    spec.add_config(config())
    plugin = SQLSpecPlugin(spec)

    async def session(request: Request) -> Response:
        plugin.get_session(request)
        return Response()

    async def connection(request: Request) -> Response:
        plugin.get_connection(request)
        return Response()

    client = Client(Starlette(routes=[Route("/session", session), Route("/connection", connection)]))
    for path in ("/session", "/connection"):
        error = (await client.get(path)).error
        assert isinstance(error, ImproperConfigurationError)
        assert "init_app(app)" in str(error)
        assert "provide_session(config)" in str(error)


# Decorators that Starlette 1.0 removed


@pytest.mark.parametrize("make", [Starlette, FastAPI])
async def test_route_decorators_are_there(make: Any) -> None:  # W7
    """On the instance, with the arguments that they always took; nothing is changed globally."""
    spec = SQLSpec()
    spec.add_config(config())
    app: Any = make()
    had = hasattr(Starlette, "route")
    SQLSpecPlugin(spec, app)
    assert hasattr(Starlette, "route") is had

    async def hello(request: Request) -> Response:
        return PlainTextResponse("hello")

    async def socket(websocket: WebSocket) -> None: ...

    assert app.route("/hello", methods=["POST"], name="greet")(hello) is hello
    assert app.websocket_route("/ws", name="socket")(socket) is socket
    assert (app.url_path_for("greet"), app.url_path_for("socket")) == ("/hello", "/ws")
    async with serving(app) as client:
        assert (await client.post("/hello")).text == "hello"
        assert (await client.get("/hello")).status == 405


def test_a_decorator_of_the_apps_own_is_left_alone() -> None:  # W7
    """What a subclass defines is its own."""

    class App(Starlette):
        def route(self, path: str) -> str:
            return f"mine: {path}"

    app = App()
    SQLSpecPlugin(SQLSpec(), app)
    assert app.route("/x") == "mine: /x"
