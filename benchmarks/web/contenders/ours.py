"""Ours: the plugin, one database, ``autocommit``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.extensions.starlette import SQLSpecPlugin

if TYPE_CHECKING:
    from starlette.requests import Request

sqlspec = SQLSpec()
config = AsyncpgConfig(
    pool_config={"dsn": os.environ["DSN"], "min_size": 1, "max_size": 10},
    extension_config={"starlette": {"commit_mode": "autocommit"}},
)
sqlspec.add_config(config)
plugin = SQLSpecPlugin(sqlspec)


async def plain(request: Request) -> Response:
    return PlainTextResponse("ok")


async def row(request: Request) -> Response:
    db = plugin.get_session(request, config)
    return JSONResponse(await db.select_one("SELECT id, name, price FROM item WHERE id = $1", 1))


async def add(request: Request) -> Response:
    db = plugin.get_session(request, config)
    await db.execute("INSERT INTO saved (name, price) VALUES ($1, $2)", "new", 7)
    return JSONResponse({"created": True}, status_code=201)


async def refuse(request: Request) -> Response:
    db = plugin.get_session(request, config)
    await db.execute("INSERT INTO saved (name, price) VALUES ($1, $2)", "new", 7)
    return JSONResponse({"created": False}, status_code=409)


app = Starlette(
    routes=[
        Route("/plain", plain),
        Route("/row", row),
        Route("/rows", add, methods=["POST"]),
        Route("/refused", refuse, methods=["POST"]),
    ]
)
plugin.init_app(app)
