"""Bodies, files and background work: what they hold of a pool of one, and what a client sees of it when they fail."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sqlspec.exceptions import SessionClosedError, UniqueViolationError
from tests.web.client import serving
from tests.web.uvicorn_server import Recorded, app_of, uvicorn_serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from starlette.requests import Request

    from tests.web.backends import Backend
    from tests.web.client import Message

STREAMS = 20


# Streams beside each other


async def test_twenty_event_streams_and_a_pool_of_one(backend: Backend) -> None:  # W16
    """Each runs queries while all others are open; between them nothing is held, and others are served."""
    config = backend.config(pool_size=1, commit_mode="autocommit")
    go_on = asyncio.Event()

    async def events(request: Request) -> Response:
        db = request.state.db_session
        name = request.path_params["name"]

        async def body() -> AsyncGenerator[str]:
            yield f"data: {await db.select_value('SELECT 1')}\n\n"
            await go_on.wait()
            await db.execute(backend.insert, name)
            async with db.select_stream(f"SELECT name FROM {backend.table} WHERE name = ?", name) as rows:
                async for row in rows:
                    yield f"data: {row['name']}\n\n"

        return StreamingResponse(body(), media_type="text/event-stream")

    async def save(request: Request) -> Response:
        await request.state.db_session.execute(backend.insert, request.path_params["name"])
        return Response(status_code=201)

    routes = [Route("/events/{name}", events), Route("/{name}", save, methods=["POST"])]
    names = [f"{number:02}" for number in range(STREAMS)]
    async with uvicorn_serving(app_of(routes, config)) as client, AsyncExitStack() as stack, asyncio.timeout(9):
        streams = [await stack.enter_async_context(client.stream("GET", f"/events/{name}")) for name in names]
        lines = [stream.aiter_lines() for stream in streams]
        assert [await anext(line) for line in lines] == ["data: 1"] * STREAMS
        assert config.connections.holders == []
        assert (await client.post("/while")).status_code == 201
        assert await backend.rows() == ["while"]
        go_on.set()
        assert await asyncio.gather(*map(rest_of, lines)) == [["", f"data: {name}", ""] for name in names]
    assert config.connections.holders == []
    assert await backend.rows() == [*names, "while"]


async def rest_of(lines: Any) -> list[str]:
    return [line async for line in lines]


# A body that fails


@pytest.mark.parametrize("headers", [{}, {"content-length": "100"}], ids=["chunked", "length"])
@pytest.mark.parametrize("chunks", [0, 1])
async def test_an_error_in_a_body_is_a_cut_response(
    backend: Backend, chunks: int, headers: dict[str, str]
) -> None:  # W17 W16
    """Before the first chunk or after it: never a clean end. What the status told is saved, nothing of the block is."""
    config = backend.config(pool_size=1, commit_mode="autocommit")
    sessions: list[Any] = []

    async def endpoint(request: Request) -> Response:
        db = request.state.db_session
        sessions.append(db)
        await db.execute(backend.insert, "told")

        async def body() -> AsyncGenerator[str]:
            for _ in range(chunks):
                yield "chunk"
            await db.execute(backend.insert, "alone")
            async with db.transaction():
                await db.execute(backend.insert, "half")
                await db.execute(backend.insert, "told")

        return StreamingResponse(body(), status_code=201, headers=headers)

    app = Recorded(app_of([Route("/", endpoint, methods=["POST"])], config))
    heard = b""
    async with uvicorn_serving(app) as client, client.stream("POST", "/") as response:
        assert response.status_code == 201
        with pytest.raises(httpx.RemoteProtocolError):
            async for part in response.aiter_raw():
                heard += part
    assert heard == b"chunk" * chunks
    [error] = app.errors.values()
    [raised] = getattr(error, "exceptions", (error,))  # Starlette 0.40 shows its task group
    assert isinstance(raised, UniqueViolationError)
    assert config.connections.holders == []
    with pytest.raises(SessionClosedError):
        await sessions[0].select_value("SELECT 1")
    assert await backend.rows() == ["alone", "told"]


# Files


async def test_a_file_over_http(backend: Backend, tmp_path: Path) -> None:  # W11 W17
    """The work is saved, the connection is free, and the file arrives."""
    file = tmp_path / "export.txt"
    file.write_text("x" * 300_000)
    config = backend.config(pool_size=1, commit_mode="autocommit")
    app = app_of([Route("/{name}", _saving_file(backend, file), methods=["POST"])], config)
    async with uvicorn_serving(app) as client, client.stream("POST", "/a") as response:
        assert await backend.rows() == ["a"]
        assert config.connections.holders == []
        assert (await client.post("/b")).text == file.read_text()
        assert (await response.aread()).decode() == file.read_text()
    assert await backend.rows() == ["a", "b"]


async def test_a_file_that_the_server_sends_itself(backend: Backend, tmp_path: Path) -> None:  # W11 W17
    """Only its path is sent, which ends the session; all is saved by then."""
    file = tmp_path / "export.txt"
    file.write_text("x")
    config = backend.config(pool_size=1, commit_mode="autocommit")
    sessions: list[Any] = []

    class PathResponse(Response):
        """Like a FileResponse of the newer Starlettes under a server that can."""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.pathsend", "path": str(file)})

    async def endpoint(request: Request) -> Response:
        db = request.state.db_session
        sessions.append(db)
        await db.execute(backend.insert, request.path_params["name"])
        return PathResponse()

    app = app_of([Route("/{name}", endpoint, methods=["POST"])], config)
    ends: list[str] = []

    async def watch(message: Message) -> None:
        ends.append(message["type"])
        assert await backend.rows() == ["a"]
        if message["type"] == "http.response.pathsend":
            with pytest.raises(SessionClosedError):
                await sessions[0].select_value("SELECT 1")

    async with serving(app) as client:
        response = await client.post("/a", watch=watch)
    assert (response.status, response.error) == (200, None)
    assert ends == ["http.response.start", "http.response.pathsend"]


def _saving_file(backend: Backend, file: Path) -> Any:
    async def endpoint(request: Request) -> Response:
        db = request.state.db_session
        await db.execute(backend.insert, request.path_params["name"])
        return FileResponse(file)

    return endpoint


# Background work


async def test_a_background_task_that_writes(backend: Backend) -> None:  # W11
    """It has the only connection when the response is out, while the next request waits its turn; all is saved."""
    config = backend.config(pool_size=1, commit_mode="autocommit")
    answered = asyncio.Event()

    async def log(name: str) -> None:
        await answered.wait()
        async with config.provide_session() as db, db.transaction():
            await db.execute(backend.insert, f"{name}-logged")
            await asyncio.sleep(0.05)
            await db.execute(backend.insert, f"{name}-logged-too")

    async def endpoint(request: Request) -> Response:
        name = request.path_params["name"]
        await request.state.db_session.execute(backend.insert, name)
        return PlainTextResponse(name, status_code=201, background=BackgroundTask(log, name))

    async with uvicorn_serving(app_of([Route("/{name}", endpoint, methods=["POST"])], config)) as client:
        assert (await client.post("/a")).status_code == 201
        assert await backend.rows() == ["a"]
        answered.set()
        async with asyncio.timeout(5):
            assert [(await client.post(f"/{name}")).status_code for name in "bc"] == [201, 201]
    assert config.connections.holders == []
    assert await backend.rows() == [f"{name}{more}" for name in "abc" for more in ("", "-logged", "-logged-too")]
