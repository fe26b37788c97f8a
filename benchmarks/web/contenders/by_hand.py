"""A pool of asyncpg by hand, with the promises that the plugin makes.

What a careful programmer writes once: a transaction around each endpoint that needs one; COMMIT for 2xx, else ROLLBACK;
done, and the connection back in the pool, before the response's start is sent.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

Endpoint = Callable[["Request", Any], Awaitable[Response]]


def in_transaction(endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def served(request: Request) -> Response:
        async with request.app.state.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                response = await endpoint(request, connection)
            except BaseException:
                await transaction.rollback()
                raise
            if 200 <= response.status_code < 300:
                await transaction.commit()
            else:
                await transaction.rollback()
        return response

    return served


async def plain(request: Request) -> Response:
    return PlainTextResponse("ok")


@in_transaction
async def row(request: Request, connection: Any) -> Response:
    found = await connection.fetchrow("SELECT id, name, price FROM item WHERE id = $1", 1)
    return JSONResponse(dict(found))


@in_transaction
async def add(request: Request, connection: Any) -> Response:
    await connection.execute("INSERT INTO saved (name, price) VALUES ($1, $2)", "new", 7)
    return JSONResponse({"created": True}, status_code=201)


@in_transaction
async def refuse(request: Request, connection: Any) -> Response:
    await connection.execute("INSERT INTO saved (name, price) VALUES ($1, $2)", "new", 7)
    return JSONResponse({"created": False}, status_code=409)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None]:
    async with asyncpg.create_pool(os.environ["DSN"], min_size=1, max_size=10) as pool:
        app.state.pool = pool
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
