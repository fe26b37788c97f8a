"""A few of the rules under a real server, over a real socket."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from tests.web.apps import app_with

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

    from tests.web.client import ASGIApp
    from tests.web.conftest import Backend


@asynccontextmanager
async def uvicorn_serving(app: ASGIApp) -> AsyncGenerator[httpx.AsyncClient]:
    """The app behind uvicorn on a free port of this machine."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            yield client
    finally:
        server.should_exit = True
        await task


async def test_outcomes_over_http(backend: Backend) -> None:  # W11 W12 W13
    """A success is saved when its status line is here; a conflict and an exception leave nothing."""

    async def work(request: Request, db: Any) -> Response:
        name = request.path_params["name"]
        await db.execute(backend.insert, name)
        if name == "broken":
            raise ValueError(name)
        return PlainTextResponse(name, status_code=409 if name == "conflict" else 201)

    async with uvicorn_serving(app_with(backend, work, commit_mode="autocommit")) as client:
        statuses = [(await client.post(f"/items/{name}")).status_code for name in ("conflict", "broken")]
        async with client.stream("POST", "/items/good") as response:
            statuses.append(response.status_code)
            assert await backend.rows() == ["good"]
    assert statuses == [409, 500, 201]
    assert await backend.rows() == ["good"]


async def test_a_client_that_leaves_a_streaming_body(backend: Backend) -> None:  # W17
    """uvicorn cancels the body: the open stream gives back the only connection, and others are served."""

    async def work(request: Request, db: Any) -> Response:
        if request.path_params["name"] == "next":
            return PlainTextResponse(str(await db.select_value("SELECT 1")))

        async def body() -> AsyncGenerator[str]:
            async with db.select_stream("SELECT 1 AS n UNION ALL SELECT 2", chunk_size=1) as rows:
                async for row in rows:
                    yield str(row)
                    await asyncio.sleep(3600)

        return StreamingResponse(body())

    async with uvicorn_serving(app_with(backend, work, pool_size=1)) as client:
        async with client.stream("GET", "/items/stream") as response:
            async for _ in response.aiter_bytes():
                break
        async with asyncio.timeout(4):
            assert (await client.get("/items/next")).text == "1"
