"""The package ``databases`` on asyncpg, a transaction in each endpoint; it lives in the environment of the peers."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

databases: Any = import_module("databases")  # not a package of ours: the type checkers don't find it
database = databases.Database(os.environ["DSN"], min_size=1, max_size=10)


async def plain(request: Request) -> Response:
    return PlainTextResponse("ok")


async def row(request: Request) -> Response:
    async with database.transaction():
        found = await database.fetch_one("SELECT id, name, price FROM item WHERE id = :id", {"id": 1})
    return JSONResponse(dict(found))


async def add(request: Request) -> Response:
    async with database.transaction():
        await database.execute("INSERT INTO saved (name, price) VALUES (:name, :price)", {"name": "new", "price": 7})
    return JSONResponse({"created": True}, status_code=201)


async def refuse(request: Request) -> Response:
    async with database.transaction():
        await database.execute("INSERT INTO saved (name, price) VALUES (:name, :price)", {"name": "new", "price": 7})
        raise HTTPException(409)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None]:
    async with database:
        yield


app = Starlette(
    routes=[
        Route("/plain", plain),
        Route("/row", row),
        Route("/rows", add, methods=["POST"]),
        Route("/refused", refuse, methods=["POST"]),
    ],
    lifespan=lifespan,
)
