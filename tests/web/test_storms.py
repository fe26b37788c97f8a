"""Crowds of clients under uvicorn, of whom many leave: what was answered is saved, nothing else is, nothing is held."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sqlspec.adapters.sqlite import SqliteConfig
from tests.web.uvicorn_server import Recorded, app_of, uvicorn_running, uvicorn_serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request

    from tests.web.backends import AsyncConfig, Backend

CLIENTS = 500
AT_ONCE = 50
POOL = 4


# Clients that leave


class Visit:
    """What one kind of client does.

    Args:
        kind: The route that it asks for.
        reads_until: It leaves when it has read this; None: it leaves without reading, some milliseconds after it came.
    """

    def __init__(self, kind: str, reads_until: bytes | None) -> None:
        self.kind = kind
        self._reads_until = reads_until

    async def pay(self, port: int, number: int) -> None:
        """Send one request, and leave without a good-bye."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            head = f"POST /{self.kind}/{number:03} HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\nconnection: close"
            writer.write(f"{head}\r\n\r\n".encode())
            if self._reads_until is None:
                await asyncio.sleep(number % 10 / 50)
            else:
                with suppress(asyncio.IncompleteReadError):  # all of it was an error
                    await reader.readuntil(self._reads_until)
        finally:
            writer.transport.abort()


VISITS = (
    Visit("created", b"created"),
    Visit("rows", b"row"),  # leaves while a stream of rows is open
    Visit("conflict", b"\r\n\r\n"),
    Visit("slow", b"begun"),  # leaves while the body is in a transaction, in a statement that takes its time
    Visit("broken", b"Error"),
    Visit("created", None),  # leaves while the handler is at work, which nobody tells it
    Visit("pair", None),  # leaves whenever it may be: the body is cancelled, perhaps at its COMMIT
)


class Handlers:
    """The routes of the clients.

    Args:
        backend: Where they write.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.routes = [
            Route(f"/{name}/{{name}}", getattr(self, name), methods=["POST"])
            for name in ("created", "conflict", "broken", "rows", "slow", "pair")
        ]

    async def _insert(self, request: Request, more: str = "") -> Any:
        db = request.state.db_session
        await db.execute(self._backend.insert, request.path_params["name"] + more)
        return db

    async def created(self, request: Request) -> Response:
        await self._insert(request)
        await asyncio.sleep(0.002)
        return PlainTextResponse("created", status_code=201)

    async def conflict(self, request: Request) -> Response:
        await self._insert(request)
        return Response(status_code=409)

    async def broken(self, request: Request) -> Response:
        await self._insert(request)
        raise ValueError("broken")

    async def rows(self, request: Request) -> Response:
        db = await self._insert(request)

        async def body() -> AsyncGenerator[str]:
            async with db.select_stream("SELECT 1 AS n UNION ALL SELECT 2", chunk_size=1) as rows:
                async for _ in rows:
                    yield "row"
                    await asyncio.sleep(3600)

        return StreamingResponse(body(), status_code=201)

    async def slow(self, request: Request) -> Response:
        db = await self._insert(request)

        async def body() -> AsyncGenerator[str]:
            yield "begun"
            async with db.transaction():
                await db.execute(self._backend.insert, f"{request.path_params['name']}-lost")
                # A cancel request may come before what it is meant for: then the server ends the statement by itself.
                await db.select(self._backend.slow.replace("(30)", "(3)"))

        return StreamingResponse(body(), status_code=201)

    async def pair(self, request: Request) -> Response:
        await self._insert(request, "-1")
        await self._insert(request, "-2")

        async def body() -> AsyncGenerator[str]:
            yield "pair"

        return StreamingResponse(body(), status_code=201)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred tracebacks of what the handlers raise would hide what a test says."""
    caplog.set_level(logging.CRITICAL, "uvicorn.error")


async def test_five_hundred_clients_of_whom_most_leave(backend: Backend) -> None:  # W11 W17 F1
    """Every 2xx is saved and nothing else, no connection is held, and the server has nothing of ours to undo."""
    config = backend.config(pool_size=POOL, commit_mode="autocommit")
    app = Recorded(app_of(Handlers(backend).routes, config))
    door = asyncio.Semaphore(AT_ONCE)

    async def visit(port: int, number: int) -> None:
        async with door:
            await VISITS[number % len(VISITS)].pay(port, number)

    async with uvicorn_running(app) as port:
        async with asyncio.timeout(15):
            await asyncio.gather(*(visit(port, number) for number in range(CLIENTS)))
        await assert_at_rest(backend, config)
        async with asyncio.timeout(3):
            await Visit("created", b"created").pay(port, CLIENTS)
        assert app.statuses[f"/created/{CLIENTS}"] == 201
    await assert_all_told(backend, app)


async def assert_all_told(backend: Backend, app: Recorded) -> None:
    """Saved is what was answered with 201. Whoever left during COMMIT heard nothing: there it is all or none."""
    saved = set(await backend.rows())
    assert not [name for name in saved if name.endswith("-lost")]
    pairs = {name for name in saved if "-" in name}
    assert {name.replace("-1", "-2") for name in pairs} == {name for name in pairs if name.endswith("-2")}
    assert {name.replace("-2", "-1") for name in pairs} == {name for name in pairs if name.endswith("-1")}
    answered = {path: path.rpartition("/")[2] for path, status in app.statuses.items() if status == 201}
    assert saved - pairs == {name for path, name in answered.items() if not path.startswith("/pair/")}
    assert {f"{name}-1" for path, name in answered.items() if path.startswith("/pair/")} <= pairs
    kinds = {path.split("/")[1] for path in answered}
    assert kinds - {"pair"} == {"created", "rows", "slow"}


# What is left on the server

POSTGRES = (
    """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()""",
    """SELECT (SELECT count(*) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle')
            + (SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database
               WHERE datname = current_database() AND pid <> pg_backend_pid())""",
)
MARIADB = (
    """SELECT count(*) FROM information_schema.processlist WHERE db = database() AND id <> connection_id()""",
    """SELECT count(*) FROM information_schema.innodb_trx
       JOIN information_schema.processlist ON id = trx_mysql_thread_id
       WHERE db = database() AND id <> connection_id()""",
)
LEFT = {"asyncpg": POSTGRES, "psycopg": POSTGRES, "asyncmy": MARIADB}
"""How to ask a server for its connections, and for the statements, transactions and locks that are open on it."""


async def left(backend: Backend, config: AsyncConfig) -> tuple[int, int, int]:
    """Connections that somebody holds, that the server has beyond the pool's, and what is open on the server."""
    connections, open_ = size_of(config), 0
    if backend.name in LEFT:
        connections, open_ = [int(await backend.value(statement)) for statement in LEFT[backend.name]]
    return len(config.connections.holders), connections - size_of(config), open_


async def assert_at_rest(backend: Backend, config: AsyncConfig) -> None:
    """Soon nobody holds a connection, the server has those of the pool and nothing is open, and all can be had."""
    end = time.monotonic() + 5
    while (seen := await left(backend, config)) != (0, 0, 0) and time.monotonic() < end:
        await asyncio.sleep(0.02)
    assert seen == (0, 0, 0)
    async with asyncio.timeout(3), AsyncExitStack() as stack:
        for _ in range(POOL):
            db = await stack.enter_async_context(config.provide_session())
            assert await db.select_value("SELECT 1") == 1
    assert size_of(config) == POOL


def size_of(config: AsyncConfig) -> int:
    """How many connections are open, by the pool of asyncpg or by ours."""
    pool: Any = config.connections.pool
    size: int = pool.get_size() if hasattr(pool, "get_size") else pool.size
    return size


# Sync sessions


@pytest.mark.parametrize("colour", ["def", "async def"])
async def test_fifty_sync_requests_of_whom_half_fail(sqlite: Backend, colour: str) -> None:  # W20
    """A pool of four serves them all, from threads or from the event loop itself: the rows of the 2xx are there."""
    patience = 5 if colour == "def" else 1  # on the loop nobody else gets on while one waits
    config = SqliteConfig(
        pool_config={"database": str(sqlite.path), "max_size": POOL, "timeout": patience},
        extension_config={"starlette": {"commit_mode": "autocommit"}},
        acquire_timeout=patience,
    )

    def save(request: Request) -> Response:
        number = int(request.path_params["name"])
        request.state.db_session.execute(sqlite.insert, request.path_params["name"])
        if number % 4 == 1:
            raise ValueError(number)
        return Response(status_code=409 if number % 4 == 3 else 201)

    async def save_on_the_loop(request: Request) -> Response:
        return save(request)

    endpoint = save if colour == "def" else save_on_the_loop
    app = Recorded(app_of([Route("/{name}", endpoint, methods=["POST"])], config))
    names = [f"{number:02}" for number in range(50)]
    async with uvicorn_serving(app) as client, asyncio.timeout(15):
        responses = await asyncio.gather(*(client.post(f"/{name}") for name in names))
        assert config.connections.holders == []
    assert [response.status_code for response in responses] == [(201, 500, 201, 409)[int(name) % 4] for name in names]
    assert {type(error) for error in app.errors.values()} == {ValueError}
    assert await sqlite.rows() == names[::2]
