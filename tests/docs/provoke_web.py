"""Provokers of errors in the web plugin: at its attachment, in requests and at start-up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from inspect import isawaitable
from typing import TYPE_CHECKING, Annotated, Any

import httpx
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.extensions import fastapi
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.docs.error_table import provokes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator

    from tests.docs.error_table import Stage

    Handler = Callable[[SQLSpecPlugin, Request], Awaitable[object]]

ASYNC = ("aiosqlite", "asyncpg")


def attach(on: Stage, *sections: dict[str, Any]) -> SQLSpecPlugin:
    """A plugin for as many configs as there are sections."""
    spec = SQLSpec()
    for options in sections:
        spec.add_config(on.new_config(extension_config={"starlette": options}))
    return SQLSpecPlugin(spec, Starlette())


async def request(on: Stage, handler: Handler, *, attached: bool = True, restarted: bool = False) -> None:
    """Send one request to an app of one route; what the app raises comes out."""
    spec = SQLSpec()
    spec.add_config(on.config)
    plugin = SQLSpecPlugin(spec)

    async def endpoint(request: Request) -> Response:
        await handler(plugin, request)
        return Response()

    app = Starlette(routes=[Route("/", endpoint)])
    if attached:
        plugin.init_app(app)
    async with plugin.lifespan(app):
        if not restarted:
            await get(app)
    if restarted:
        await get(app)


async def get(app: Any) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://app") as client:
        await client.get("/")


@provokes("duplicate-keys")
async def duplicate_keys(on: Stage) -> None:
    attach(on, {"session_key": "db"}, {"session_key": "db"})


@provokes("unknown-option")
async def unknown_option(on: Stage) -> None:
    attach(on, {"comit_mode": "autocommit"})


@provokes("unknown-section")
async def unknown_section(on: Stage) -> None:
    spec = SQLSpec()
    spec.add_config(on.new_config(extension_config={"starlet": {}}))
    SQLSpecPlugin(spec, Starlette())


@provokes("section-of-another-plugin")
async def section_of_another_plugin(on: Stage) -> None:
    spec = SQLSpec()
    spec.add_config(on.new_config(extension_config={"fastapi": {"commit_mode": "autocommit"}}))
    SQLSpecPlugin(spec, Starlette())


@provokes("unknown-mode")
async def unknown_mode(on: Stage) -> None:
    attach(on, {"commit_mode": "auto_commit"})


@provokes("no-key")
async def no_key(on: Stage) -> None:
    attach(on, {"session_key": ""})


@provokes("key-with-underscore")
async def key_with_underscore(on: Stage) -> None:
    attach(on, {"session_key": "_db"})


@provokes("no-statuses")
async def no_statuses(on: Stage) -> None:
    attach(on, {"extra_rollback_statuses": 409})


@provokes("status-in-both")
async def status_in_both(on: Stage) -> None:
    attach(on, {"extra_commit_statuses": {409}, "extra_rollback_statuses": {409}})


@provokes("app-started")
async def app_started(on: Stage) -> None:
    app = Starlette()
    app.middleware_stack = app.build_middleware_stack()
    SQLSpecPlugin(SQLSpec(), app)


@provokes("no-key-of-this-name")
async def no_key_of_this_name(on: Stage) -> None:
    async def handler(plugin: SQLSpecPlugin, request: Request) -> None:
        plugin.get_session(request, "db_sesion")

    await request(on, handler)


@provokes("plugin-not-attached")
async def plugin_not_attached(on: Stage) -> None:
    async def handler(plugin: SQLSpecPlugin, request: Request) -> None:
        plugin.get_session(request)

    await request(on, handler, attached=False)


async def count_users(plugin: SQLSpecPlugin, request: Request) -> None:
    await done(plugin.get_session(request).select_value("SELECT count(*) FROM users"))


async def done(called: Any) -> Any:
    """What a method of a session gave, whatever its colour."""
    return await called if isawaitable(called) else called


@provokes("request-after-shutdown")
async def request_after_shutdown(on: Stage) -> None:
    await request(on, count_users, restarted=True)


@provokes("request-over")
async def request_over(on: Stage) -> None:
    kept: list[tuple[SQLSpecPlugin, Request]] = []

    async def keep(plugin: SQLSpecPlugin, request: Request) -> None:
        kept.append((plugin, request))

    await request(on, keep)
    await count_users(*kept[0])


@provokes("no-start-up")
async def no_start_up(on: Stage) -> None:
    spec = SQLSpec()
    nowhere: dict[str, Any] = {"database": "/nowhere/app.db"}
    if on.dialect == "postgres":
        nowhere = {"dsn": "postgresql://me:secret@127.0.0.1:1/app"}
    spec.add_config(on.new_config(nowhere), name="main")
    app = Starlette()
    async with SQLSpecPlugin(spec, app).lifespan(app):
        pass


@provokes("no-header")
async def no_header(on: Stage) -> None:
    spec = SQLSpec()
    spec.add_config(on.config)
    SQLSpecPlugin(spec, request_id_header="x request id")


@provokes("header-with-a-meaning")
async def header_with_a_meaning(on: Stage) -> None:
    spec = SQLSpec()
    spec.add_config(on.config)
    SQLSpecPlugin(spec, request_id_header="content-length")


@provokes("state-of-the-lifespan")
async def state_of_the_lifespan(on: Stage) -> None:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[dict[str, str]]:
        yield {"db_session": "mine"}

    spec = SQLSpec()
    spec.add_config(on.config)
    app = Starlette(lifespan=lifespan)
    SQLSpecPlugin(spec, app)
    async with app.router.lifespan_context(app):
        pass


# Sessions where they can't be used ------------------------------------------------------------------------------------


@provokes("async-in-a-thread", ASYNC)
async def async_in_a_thread(on: Stage) -> None:
    async def handler(plugin: SQLSpecPlugin, request: Request) -> None:
        db = plugin.get_session(request)
        await asyncio.to_thread(lambda: db.select_value("SELECT 1"))

    await request(on, handler)


@provokes("another-loop", ASYNC)
async def another_loop(on: Stage) -> None:
    async def handler(plugin: SQLSpecPlugin, request: Request) -> None:
        db = plugin.get_session(request)

        async def use() -> None:
            await db.select_value("SELECT 1")

        await asyncio.to_thread(asyncio.run, use())

    await request(on, handler)


@provokes("plain-endpoint", ASYNC)
async def plain_endpoint(on: Stage) -> None:
    spec = SQLSpec()
    spec.add_config(on.config)
    app = FastAPI()
    plugin = fastapi.SQLSpecPlugin(spec, app)

    def users(db: Any) -> None:
        raise AssertionError(db)

    users.__annotations__ = {"db": Annotated[Any, Depends(plugin.provide_session())]}
    app.get("/")(users)
    await get(app)


@provokes("generator-collected")
async def generator_collected(on: Stage) -> None:
    scope: Any = on.config.provide_session()

    async def get_session() -> AsyncIterator[Any]:
        async with scope as db:
            yield db

    def get_sync_session() -> Iterator[Any]:
        with scope as db:
            yield db

    db = await anext(get_session()) if on.is_async else next(get_sync_session())
    for _ in range(1000):  # the loop closes soon what nobody keeps
        await asyncio.sleep(0)
        await done(db.select_value("SELECT 1"))


@provokes("stream-before-start", ASYNC)
async def stream_before_start(on: Stage) -> None:
    spec = SQLSpec()
    spec.add_config(on.config)

    async def endpoint(request: Request) -> Response:
        scope = plugin.get_session(request).select_stream("SELECT email FROM users", schema_type=str)
        rows = await scope.__aenter__()
        return StreamingResponse(rows)

    app = Starlette(routes=[Route("/", endpoint)])
    plugin = SQLSpecPlugin(spec, app)
    await get(app)


# Several databases ----------------------------------------------------------------------------------------------------


@provokes("block-at-the-start")
async def block_at_the_start(on: Stage) -> None:
    await autocommit(on, open_a_block)


async def open_a_block(db: Any) -> None:
    block = db.transaction()
    await done(block.__aenter__() if hasattr(block, "__aenter__") else block.__enter__())


@provokes("closed-by-the-endpoint")
async def closed_by_the_endpoint(on: Stage) -> None:
    await autocommit(on, close_it)


async def close_it(db: Any) -> None:
    await done(db.execute("INSERT INTO users (id, email) VALUES (1, 'ada')"))
    await done(db.close())


async def autocommit(on: Stage, work: Callable[[Any], Awaitable[None]]) -> None:
    """A request whose endpoint does this with its session, then answers 201."""
    spec = SQLSpec()
    spec.add_config(on.new_config({}, extension_config={"starlette": {"commit_mode": "autocommit"}}))

    async def endpoint(request: Request) -> Response:
        await work(plugin.get_session(request))
        return Response(status_code=201)

    app = Starlette(routes=[Route("/", endpoint)])
    plugin = SQLSpecPlugin(spec, app)
    await get(app)


@provokes("partial-commit")
async def partial_commit(on: Stage) -> None:
    spec = SQLSpec()
    elsewhere = {} if on.dialect == "postgres" else {"database": ":memory:"}
    for name, place in (("shop", {}), ("log", elsewhere)):
        web = {"starlette": {"commit_mode": "autocommit", "session_key": name}}
        spec.add_config(on.new_config(place, extension_config=web), name=name)

    async def endpoint(request: Request) -> Response:
        shop, log = plugin.get_session(request, "shop"), plugin.get_session(request, "log")
        await done(shop.execute("INSERT INTO users (id, email) VALUES (1, 'ada')"))
        await done(log.execute("CREATE TABLE days (day BIGINT PRIMARY KEY)"))
        deferred = "day BIGINT REFERENCES days (day) DEFERRABLE INITIALLY DEFERRED"
        await done(log.execute(f"CREATE TABLE lines ({deferred})"))
        await done(log.execute("INSERT INTO lines VALUES (1)"))
        return Response(status_code=201)

    app = Starlette(routes=[Route("/", endpoint)])
    plugin = SQLSpecPlugin(spec, app)
    await get(app)


@provokes("two-plugins")
async def two_plugins(on: Stage) -> None:
    inner, outer = Starlette(), Starlette()
    outer.mount("/", inner)
    for app in (inner, outer):
        spec = SQLSpec()
        spec.add_config(on.new_config())
        SQLSpecPlugin(spec, app)
    await get(outer)
