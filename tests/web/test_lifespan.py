"""Pools open and close with the app."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.exceptions import ConnectionFailedError, SessionClosedError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.apps import warnings_of
from tests.web.client import Client, Lifespan, serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request


class Recorded(AiosqliteConfig):
    """A config that writes down when its pool is opened and closed."""

    def __init__(self, log: list[str], label: str, *, fails: bool = False) -> None:
        super().__init__(
            pool_config={"database": ":memory:"},
            extension_config={"starlette": {"session_key": label}},
        )
        self.log = log
        self.label = label
        self.fails = fails

    async def open_pool(self, pool: Any) -> None:
        self.log.append(f"open {self.label}")
        await super().open_pool(pool)

    async def close_pool(self, pool: Any) -> None:
        self.log.append(f"close {self.label}")
        await super().close_pool(pool)
        if self.fails:
            raise OSError(f"closing {self.label} failed")


def recorded(log: list[str], *labels: str) -> tuple[SQLSpec, SQLSpecPlugin]:
    spec = SQLSpec()
    for label in labels:
        spec.add_config(Recorded(log, label), name=label)
    return spec, SQLSpecPlugin(spec)


UNREACHABLE = "postgresql://someone:secret@127.0.0.1:1/nowhere"


async def test_pools_open_in_order_and_are_closed(postgres_dsn: str) -> None:  # W21 C2
    """Start-up opens them, app.state has them, shutdown closes them."""
    spec = SQLSpec()
    config = spec.add_config(AsyncpgConfig(pool_config={"dsn": postgres_dsn, "min_size": 2, "max_size": 3}))
    app = Starlette()
    SQLSpecPlugin(spec, app)
    async with serving(app):
        pool = spec.get_pool(config)
        assert app.state.db_pool is pool
        assert pool.get_size() == 2
    assert pool.is_closing()


async def test_the_users_lifespan_runs_inside(caplog: pytest.LogCaptureFixture) -> None:  # W21
    """Pools are open in it and closed after it; what it yields arrives in request.state."""
    log: list[str] = []
    spec, plugin = recorded(log, "one", "two")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[dict[str, Any]]:
        log.append("start")
        async with spec.provide_session("one") as db:
            log.append(str(await db.select_value("SELECT 1")))
        yield {"greeting": "hello"}
        log.append("stop")

    async def greet(request: Request) -> Response:
        assert await request.state.one.select_value("SELECT 1") == 1
        return PlainTextResponse(request.state.greeting)

    app = Starlette(routes=[Route("/", greet)], lifespan=lifespan)
    plugin.init_app(app)
    async with serving(app) as client:
        assert (await client.get("/")).text == "hello"
    assert log == ["open one", "open two", "start", "1", "stop", "close one", "close two"]
    assert warnings_of(caplog) == []


@pytest.mark.parametrize("order", ["init_app first", "init_app last"])
async def test_by_hand_and_by_the_plugin_opens_once(order: str) -> None:  # W21
    """The guide's manual lifespan together with init_app: one start, one end."""
    log: list[str] = []
    _, plugin = recorded(log, "one")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with plugin.lifespan(app):
            log.append("up")
            yield
        log.append("down")

    app = Starlette(lifespan=lifespan)
    plugin.init_app(app)
    async with serving(app):
        assert app.state.db_pool is not None
    assert log == ["open one", "up", "down", "close one"]


async def test_the_lifespan_alone_opens_and_closes() -> None:  # W21
    """Without init_app it is the whole life, as the only lifespan of an app."""
    log: list[str] = []
    _, plugin = recorded(log, "one")
    async with serving(Starlette(lifespan=plugin.lifespan)):
        assert log == ["open one"]
    assert log == ["open one", "close one"]


async def test_a_pool_that_cannot_open_is_named_and_the_others_closed() -> None:  # W21 E5
    """Start-up fails, with the config's name, and without its password."""
    log: list[str] = []
    spec, plugin = recorded(log, "one")
    spec.add_config(AsyncpgConfig(pool_config={"dsn": UNREACHABLE}), name="accounts")
    spec.add_config(Recorded(log, "three"))
    app = Starlette()
    plugin.init_app(app)
    lifespan = Lifespan(app)
    answer = await lifespan.start()
    assert answer["type"] == "lifespan.startup.failed"
    assert "ConnectionFailedError" in answer["message"]
    assert "the pool of 'accounts' can't be opened" in answer["message"]
    assert "secret" not in answer["message"]
    assert log == ["open one", "close one"]


async def test_a_start_that_failed_can_be_tried_again(postgres_dsn: str) -> None:  # W21
    """Nothing of the first attempt is left over."""
    log: list[str] = []
    spec, plugin = recorded(log, "one")
    broken = spec.add_config(AsyncpgConfig(pool_config={"dsn": UNREACHABLE}), name="accounts")
    app = Starlette()
    with pytest.raises(ConnectionFailedError):
        await plugin.lifespan(app).__aenter__()
    broken.pool_config["dsn"] = postgres_dsn
    async with plugin.lifespan(app):
        assert log == ["open one", "close one", "open one"]
    assert log[3:] == ["close one"]


async def test_shutdown_closes_all_even_if_one_fails() -> None:  # W21
    """The failure is told at the end."""
    log: list[str] = []
    spec, plugin = recorded(log, "one")
    spec.add_config(Recorded(log, "two", fails=True))
    spec.add_config(Recorded(log, "three"))
    app = Starlette()
    plugin.init_app(app)
    lifespan = Lifespan(app)
    await lifespan.start()
    answer = await lifespan.stop()
    assert answer["type"] == "lifespan.shutdown.failed"
    assert "closing two failed" in answer["message"]
    assert log[3:] == ["close one", "close two", "close three"]


async def test_shutdown_closes_all_even_if_the_users_own_fails() -> None:  # W21 E3
    """The user's error goes out, and ours is a note of it."""
    log: list[str] = []
    spec, plugin = recorded(log, "one")
    spec.add_config(Recorded(log, "two", fails=True))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        yield
        raise LookupError("the user's own")

    app = Starlette(lifespan=lifespan)
    plugin.init_app(app)
    running = Lifespan(app)
    await running.start()
    answer = await running.stop()
    assert "LookupError: the user's own" in answer["message"]
    assert "Closing the pools failed too: closing two failed" in answer["message"]
    assert log[2:] == ["close one", "close two"]


# Starting again, and not at all


def counting_app(plugin: SQLSpecPlugin) -> Starlette:
    async def one(request: Request) -> Response:
        return PlainTextResponse(str(await plugin.get_session(request).select_value("SELECT 1")))

    async def health(request: Request) -> Response:
        return PlainTextResponse("well")

    app = Starlette(routes=[Route("/", one), Route("/health", health)])
    plugin.init_app(app)
    return app


async def test_the_app_can_start_again() -> None:  # W21 S16
    """With new pools each time."""
    log: list[str] = []
    _, plugin = recorded(log, "one")
    app = counting_app(plugin)
    pools: list[object] = []
    for _ in range(2):
        async with serving(app) as client:
            assert (await client.get("/")).text == "1"
            pools.append(app.state.db_pool)
    assert pools[0] is not pools[1]
    assert log == ["open one", "close one"] * 2


async def test_a_request_after_shutdown_is_an_error() -> None:  # W21
    """It does not open a pool that nobody would close; what needs no database is served."""
    log: list[str] = []
    _, plugin = recorded(log, "one")
    app = counting_app(plugin)
    async with serving(app) as client:
        pass
    response = await client.get("/")
    assert isinstance(response.error, SessionClosedError)
    assert "the app was shut down" in str(response.error)
    assert (await client.get("/health")).text == "well"
    assert log == ["open one", "close one"]


async def test_without_a_lifespan_the_pool_opens_late(caplog: pytest.LogCaptureFixture) -> None:  # W21 W8
    """With the first statement, with one warning, and app.state has it then."""
    log: list[str] = []
    spec, plugin = recorded(log, "one")
    app = counting_app(plugin)
    client = Client(app)
    assert (await client.get("/health")).text == "well"
    assert (log, warnings_of(caplog)) == ([], [])
    for _ in range(2):
        assert (await client.get("/")).text == "1"
    [warning] = warnings_of(caplog)
    assert "lifespan did not run" in warning
    assert "one" in warning
    assert app.state.db_pool is spec.get_pool("one")
    await spec.close_all_pools()
    assert log == ["open one", "close one"]


async def test_a_second_app_of_the_plugin_keeps_the_pools_open() -> None:  # W21
    """They close with the last of the loop."""
    log: list[str] = []
    _, plugin = recorded(log, "one")
    first, second = counting_app(plugin), counting_app(plugin)
    async with serving(first) as client:
        async with serving(second):
            pass
        assert (await client.get("/")).text == "1"
        assert log == ["open one"]
    assert log == ["open one", "close one"]
