"""The namesake of the public index, as the Starlette guide in its documentation shows it: in an environment of its own.

It has our import name, so the type checkers read ours here. The guide's ``pool_config`` is ``connection_config`` in its
newer documentation, and in the version that is measured.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.extensions.starlette import SQLSpecPlugin

if TYPE_CHECKING:
    from starlette.requests import Request

sqlspec = SQLSpec()
config_class: Any = AsyncpgConfig
config = config_class(
    connection_config={"dsn": os.environ["DSN"], "min_size": 1, "max_size": 10},
    extension_config={"starlette": {"commit_mode": "autocommit"}},
)
sqlspec.add_config(config)
db_ext = SQLSpecPlugin(sqlspec)


async def plain(request: Request) -> Response:
    return PlainTextResponse("ok")


async def row(request: Request) -> Response:
    db = db_ext.get_session(request)
    result = await db.execute("SELECT id, name, price FROM item WHERE id = $1", 1)
    return JSONResponse(dict(result.get_first()))


async def add(request: Request) -> Response:
    db = db_ext.get_session(request)
    await db.execute("INSERT INTO saved (name, price) VALUES ($1, $2)", "new", 7)
    return JSONResponse({"created": True}, status_code=201)


async def refuse(request: Request) -> Response:
    db = db_ext.get_session(request)
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
db_ext.init_app(app)
