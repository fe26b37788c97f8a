"""Provokers of errors in the web plugin: at its attachment, in requests and at start-up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.docs.error_table import provokes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.docs.error_table import Stage

    Handler = Callable[[SQLSpecPlugin, Request], Awaitable[object]]


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
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://app") as client:
        async with plugin.lifespan(app):
            if not restarted:
                await client.get("/")
        if restarted:
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


@provokes("unknown-mode")
async def unknown_mode(on: Stage) -> None:
    attach(on, {"commit_mode": "auto_commit"})


@provokes("no-key")
async def no_key(on: Stage) -> None:
    attach(on, {"session_key": ""})


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
    found: Any = plugin.get_session(request).select_value("SELECT count(*) FROM users")
    if not isinstance(found, int):
        await found


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
