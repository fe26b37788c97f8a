"""The rules under a real server, over real sockets: outcomes, sockets that idle, the life of the app."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from websockets.asyncio.client import connect

from sqlspec.adapters.asyncpg import AsyncpgConfig
from tests.web.apps import app_with
from tests.web.client import serving
from tests.web.uvicorn_server import DidNotStartError, app_of, uvicorn_running, uvicorn_serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from tests.web.client import ASGIApp
    from tests.web.conftest import Backend

    Post = Callable[[str], Awaitable[Any]]


# The same by every way


@asynccontextmanager
async def by_test_client(app: ASGIApp) -> AsyncGenerator[Post]:
    """Starlette's own: the app has an event loop of its own, in another thread."""
    client = TestClient(app, raise_server_exceptions=False)
    await asyncio.to_thread(client.__enter__)
    try:
        yield lambda path: asyncio.to_thread(client.post, path)
    finally:
        await asyncio.to_thread(client.__exit__)


@asynccontextmanager
async def by_transport(app: ASGIApp) -> AsyncGenerator[Post]:
    """httpx, without a server: nobody runs the app's lifespan but the test."""
    async with serving(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client.post


@asynccontextmanager
async def by_uvicorn(app: ASGIApp) -> AsyncGenerator[Post]:
    async with uvicorn_serving(app) as client:
        yield client.post


@pytest.mark.filterwarnings("ignore:Using .httpx.")  # TestClient is told so where httpx2 is not installed
@pytest.mark.parametrize("way", [by_test_client, by_transport, by_uvicorn])
async def test_outcomes_by_every_way_of_sending(backend: Backend, way: Any) -> None:  # W11 W12 W13
    """A success is there for all to see when it is answered; a conflict and an exception leave nothing."""
    seen: list[tuple[int, list[str]]] = []

    async def work(request: Request, db: Any) -> Response:
        name = request.path_params["name"]
        await db.execute(backend.insert, name)
        if name == "broken":
            raise ValueError(name)
        return PlainTextResponse(name, status_code=409 if name == "conflict" else 201)

    async with way(app_with(backend, work, commit_mode="autocommit", pool_size=1)) as post:
        for name in ("conflict", "a", "broken", "b"):
            response = await post(f"/items/{name}")
            seen.append((response.status_code, await backend.rows()))
    assert seen == [(409, []), (201, ["a"]), (500, ["a"]), (201, ["a", "b"])]


async def test_the_row_is_there_when_the_status_line_is(backend: Backend) -> None:  # W11
    """The rest of the response is still to come, and needs no connection."""
    config = backend.config(commit_mode="autocommit", pool_size=1)
    looked = asyncio.Event()

    async def endpoint(request: Request) -> Response:
        await request.state.db_session.execute(backend.insert, "a")

        async def body() -> AsyncGenerator[str]:
            await looked.wait()
            yield "done"

        return StreamingResponse(body(), status_code=201)

    app = app_of([Route("/", endpoint, methods=["POST"])], config)
    async with uvicorn_serving(app) as client, client.stream("POST", "/") as response:
        assert response.status_code == 201
        assert await backend.rows() == ["a"]
        assert config.connections.holders == []
        looked.set()
        assert await response.aread() == b"done"


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


# WebSockets


async def test_idle_sockets_hold_nothing(backend: Backend) -> None:  # W18
    """Twenty open sockets and an ordinary request share a pool of one, also when the clients have just gone."""
    config = backend.config(pool_size=1, commit_mode="autocommit")

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        db = websocket.state.db_session
        async for name in websocket.iter_text():
            await db.execute(backend.insert, name)
            await websocket.send_text(",".join(await db.select(backend.select, schema_type=str)))

    async def save(request: Request) -> Response:
        await request.state.db_session.execute(backend.insert, request.path_params["name"])
        return Response(status_code=201)

    app = app_of([WebSocketRoute("/", socket), Route("/{name}", save, methods=["POST"])], config)
    names = [f"{number:02}" for number in range(20)]
    async with uvicorn_serving(app) as client, AsyncExitStack() as stack:
        url = str(client.base_url).replace("http", "ws")
        sockets = [await stack.enter_async_context(connect(url, proxy=None)) for _ in names]
        for place, (name, websocket) in enumerate(zip(names, sockets, strict=True)):
            await websocket.send(name)
            assert await websocket.recv() == ",".join(names[: place + 1])
            assert config.connections.holders == []
        async with asyncio.timeout(2):
            assert (await client.post("/while")).status_code == 201
        for websocket in sockets:
            websocket.transport.abort()
        async with asyncio.timeout(2):
            assert (await client.post("/x")).status_code == 201
        assert config.connections.holders == []
    assert await backend.rows() == [*names, "while", "x"]


# The life of the app


async def test_it_does_not_start_without_one_of_its_databases(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:  # W21 E5
    """uvicorn serves nobody, its log names the database, and the pool that was open is closed."""
    away = "postgresql://someone:geheim@127.0.0.1:1/nowhere"
    good = backend.config()
    bad = AsyncpgConfig(pool_config={"dsn": away}, extension_config={"starlette": {"session_key": "accounts"}})
    opened = good.connections
    with pytest.raises(DidNotStartError):
        async with uvicorn_running(app_of([], good, bad)):
            raise AssertionError
    assert "the pool of 'accounts' can't be opened" in caplog.text
    assert "geheim" not in caplog.text
    assert opened.closed
    assert not good.is_open


async def test_it_starts_again(backend: Backend) -> None:  # W21 S16
    """The same app, with new pools: what was saved stays, and nothing of the first life is used in the second."""
    config = backend.config(commit_mode="autocommit", pool_size=1)
    pools: list[Any] = []

    async def save(request: Request) -> Response:
        await request.state.db_session.execute(backend.insert, request.path_params["name"])
        return Response(status_code=201)

    app = app_of([Route("/{name}", save, methods=["POST"])], config)
    for name in ("a", "b"):
        async with uvicorn_serving(app) as client:
            assert (await client.post(f"/{name}")).status_code == 201
            pools.append(config.connections.pool)
        assert not config.is_open
    assert pools[0] is not pools[1]
    assert await backend.rows() == ["a", "b"]


async def test_a_shutdown_that_does_not_wait(backend: Backend) -> None:  # W19 W21 S10
    """uvicorn cancels a request that is in a statement, and closes the app at once: nothing of it is saved or held."""
    config = backend.config(commit_mode="autocommit", pool_size=1)
    reached = asyncio.Event()

    async def endpoint(request: Request) -> Response:
        db = request.state.db_session
        await db.execute(backend.insert, "a")
        reached.set()
        await db.select(backend.slow)
        return Response(status_code=201)

    app = app_of([Route("/", endpoint, methods=["POST"])], config)
    async with asyncio.timeout(8), uvicorn_running(app, patience=1) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\n\r\n")
        await reached.wait()
    writer.transport.abort()
    assert not config.is_open
    async with asyncio.timeout(3):
        await backend.run(f"INSERT INTO {backend.table} (name) VALUES ('a')")
    assert await backend.rows() == ["a"]
