"""A request that is cancelled from outside leaves no open transaction and no held connection."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.exceptions import SQLSpecError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.apps import app_with
from tests.web.client import Client, serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from starlette.requests import Request

    from tests.web.conftest import Backend


async def by_asyncio(request: Any, reached: asyncio.Event) -> None:
    task = asyncio.ensure_future(request)
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_anyio(request: Any, reached: asyncio.Event) -> None:
    """Here every await is cancelled again until the scope is left."""
    scope = anyio.CancelScope()

    async def cancel() -> None:
        await reached.wait()
        scope.cancel()

    cancelling = asyncio.ensure_future(cancel())
    with scope:
        await request
    assert scope.cancelled_caught
    await cancelling


async def settled(client: Client) -> None:
    """The only connection of the pool serves again, outside any transaction."""
    async with asyncio.timeout(4):
        assert (await client.post("/items/next")).error is None


async def app_and_client(backend: Backend, first: Callable[[Any], Awaitable[Response]]) -> Any:
    async def work(request: Request, db: Any) -> Response:
        if request.path_params["name"] == "next":
            await db.execute(backend.insert, "next")
            return Response()
        return await first(db)

    return app_with(backend, work, commit_mode="autocommit", pool_size=1)


@pytest.mark.parametrize("cancel", [by_asyncio, by_anyio])
async def test_between_statements(backend: Backend, cancel: Any) -> None:  # W19
    """The transaction is rolled back and the connection serves the next request."""
    reached = asyncio.Event()

    async def first(db: Any) -> Response:
        await db.execute(backend.insert, "lost")
        reached.set()
        await asyncio.Event().wait()
        return Response()

    async with serving(await app_and_client(backend, first)) as client:
        begun = time.monotonic()
        await cancel(client.post("/items/first"), reached)
        assert time.monotonic() - begun < 1
        await settled(client)
    assert await backend.rows() == ["next"]


@pytest.mark.parametrize("cancel", [by_asyncio, by_anyio])
async def test_inside_a_statement(backend: Backend, cancel: Any) -> None:  # W19 F1
    """Also when the database is at work on it."""
    reached = asyncio.Event()

    async def first(db: Any) -> Response:
        await db.execute(backend.insert, "lost")
        asyncio.get_running_loop().call_later(0.1, reached.set)
        await db.execute(backend.slow)
        return Response()

    async with serving(await app_and_client(backend, first)) as client:
        begun = time.monotonic()
        await cancel(client.post("/items/first"), reached)
        assert time.monotonic() - begun < 1
        await settled(client)
    assert await backend.rows() == ["next"]


@pytest.mark.parametrize("cancel", [by_asyncio, by_anyio])
async def test_while_another_task_is_in_a_statement(backend: Backend, cancel: Any) -> None:  # W19
    """The request does not wait for it: its connection is settled in the background, and the task is told."""
    reached = asyncio.Event()
    tasks: list[asyncio.Future[Any]] = []

    async def first(db: Any) -> Response:
        await db.execute(backend.insert, "lost")
        tasks.append(asyncio.ensure_future(db.execute(backend.slow)))
        asyncio.get_running_loop().call_later(0.1, reached.set)
        await asyncio.Event().wait()
        return Response()

    async with serving(await app_and_client(backend, first)) as client:
        begun = time.monotonic()
        await cancel(client.post("/items/first"), reached)
        assert time.monotonic() - begun < 1.2
        await settled(client)
        await asyncio.wait(tasks, timeout=1)
        assert isinstance(tasks[0].exception(), SQLSpecError)
    assert await backend.rows() == ["next"]


@pytest.mark.parametrize("cancel", [by_asyncio, by_anyio])
async def test_in_a_body(backend: Backend, cancel: Any) -> None:  # W17 W19
    """What was committed stays, the open stream gives its connection back."""
    reached = asyncio.Event()

    async def first(db: Any) -> Response:
        await db.execute(backend.insert, "saved")

        async def body() -> AsyncGenerator[str]:
            async with db.select_stream("SELECT 1 AS n UNION ALL SELECT 2", chunk_size=1) as rows:
                async for row in rows:
                    yield str(row)
                    reached.set()
                    await asyncio.Event().wait()

        return StreamingResponse(body())

    async with serving(await app_and_client(backend, first)) as client:
        await cancel(client.post("/items/first"), reached)
        await settled(client)
    assert await backend.rows() == ["next", "saved"]


@pytest.mark.parametrize("cancel", [by_asyncio, by_anyio])
async def test_with_two_databases(sqlite: Backend, postgres: Backend, cancel: Any) -> None:  # W19
    """Both are rolled back and free again, though closing the first was cancelled itself."""
    reached = asyncio.Event()

    async def work(request: Request) -> Response:
        for key, database in (("one", sqlite), ("two", postgres)):
            await plugin.get_session(request, key).execute(database.insert, request.path_params["name"])
        if request.path_params["name"] == "first":
            reached.set()
            await asyncio.Event().wait()
        return Response()

    app = Starlette(routes=[Route("/items/{name}", work, methods=["POST"])])
    spec = SQLSpec()
    for key, database in (("one", sqlite), ("two", postgres)):
        spec.add_config(database.config(session_key=key, commit_mode="autocommit", pool_size=1))
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        await cancel(client.post("/items/first"), reached)
        await settled(client)
    assert (await sqlite.rows(), await postgres.rows()) == (["next"], ["next"])


@pytest.mark.parametrize("cancel", [by_asyncio, by_anyio])
async def test_a_sync_session(sqlite: Backend, cancel: Any) -> None:  # W19 W20
    """Its rollback runs in a thread, which no cancellation keeps from beginning or ending."""
    reached = asyncio.Event()

    async def work(request: Request) -> Response:
        plugin.get_session(request, config).execute(sqlite.insert, "lost")
        reached.set()
        await asyncio.Event().wait()
        return Response()

    spec = SQLSpec()
    config = spec.add_config(SqliteConfig(pool_config={"database": str(sqlite.path)}))
    app = Starlette(routes=[Route("/", work, methods=["POST"])])
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        await cancel(client.post("/"), reached)
        assert config.connections.holders == []
        await sqlite.run(f"INSERT INTO {sqlite.table} (name) VALUES ('next')")
    assert await sqlite.rows() == ["next"]


@pytest.mark.parametrize("times", range(1, 40, 3))
async def test_at_any_await(backend: Backend, times: int) -> None:  # F1 W19
    """Cancelled after so long, wherever that is: all of it is saved or nothing, and nothing is held."""

    async def first(db: Any) -> Response:
        await db.execute(backend.insert, "first")
        await db.execute(backend.insert, "second")
        return Response()

    async with serving(await app_and_client(backend, first)) as client:
        task = asyncio.ensure_future(client.post("/items/first"))
        for _ in range(times):
            await asyncio.sleep(0.0002)
        task.cancel()
        await asyncio.wait((task,))
        await settled(client)
    assert await backend.rows() in (["next"], ["first", "next", "second"])
