"""SQLAlchemy Core on asyncpg: ``engine.begin()`` in each endpoint, whose block ends before the response is sent."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, insert, select
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

metadata = MetaData()
item = Table("item", metadata, Column("id", Integer, primary_key=True), Column("name", Text), Column("price", Integer))
saved = Table("saved", metadata, Column("name", Text), Column("price", Integer))
one_item = select(item).where(item.c.id == bindparam("key"))
engine = create_async_engine(
    os.environ["DSN"].replace("postgresql:", "postgresql+asyncpg:", 1), pool_size=10, max_overflow=0
)


async def plain(request: Request) -> Response:
    return PlainTextResponse("ok")


async def row(request: Request) -> Response:
    async with engine.begin() as connection:
        found = (await connection.execute(one_item, {"key": 1})).mappings().one()
    return JSONResponse(dict(found))


async def add(request: Request) -> Response:
    async with engine.begin() as connection:
        await connection.execute(insert(saved), {"name": "new", "price": 7})
    return JSONResponse({"created": True}, status_code=201)


async def refuse(request: Request) -> Response:
    async with engine.begin() as connection:
        await connection.execute(insert(saved), {"name": "new", "price": 7})
        raise HTTPException(409)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None]:
    yield
    await engine.dispose()


app = Starlette(
    routes=[
        Route("/plain", plain),
        Route("/row", row),
        Route("/rows", add, methods=["POST"]),
        Route("/refused", refuse, methods=["POST"]),
    ],
    lifespan=lifespan,
)
