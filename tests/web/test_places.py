"""Where a request's session may be used: an async one in the loop of its request, a sync one in a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteDriver
from sqlspec.adapters.sqlite import SqliteConfig, SqliteDriver
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.apps import warnings_of
from tests.web.client import Client, serving
from tests.web.test_sockets import Socket

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from tests.web.backends import Backend

# Async sessions


def use_from_def(backend: Backend, use: Callable[[Request, Any], object]) -> Starlette:
    """An app whose endpoint is a plain function, which answers 201 whatever it does with its async session."""

    def endpoint(request: Request) -> Response:
        use(request, plugin.get_session(request))
        return Response(status_code=201)

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])
    spec = SQLSpec()
    spec.add_config(backend.config(commit_mode="autocommit"))
    plugin = SQLSpecPlugin(spec, app)
    return app


USES: dict[str, Callable[[Request, Any], object]] = {
    "execute": lambda request, db: db.execute("SELECT 1"),
    "execute_many": lambda request, db: db.execute_many("SELECT ?", [(1,)]),
    "execute_script": lambda request, db: db.execute_script("SELECT 1"),
    "select": lambda request, db: db.select("SELECT 1"),
    "select_one": lambda request, db: db.select_one("SELECT 1"),
    "select_one_or_none": lambda request, db: db.select_one_or_none("SELECT 1"),
    "select_value": lambda request, db: db.select_value("SELECT 1"),
    "select_value_or_none": lambda request, db: db.select_value_or_none("SELECT 1"),
    "select_stream": lambda request, db: db.select_stream("SELECT 1"),
    "begin": lambda request, db: db.begin(),
    "commit": lambda request, db: db.commit(),
    "rollback": lambda request, db: db.rollback(),
    "transaction": lambda request, db: db.transaction(),
    "by request.state": lambda request, db: request.state.db_session.execute("SELECT 1"),
    "conn.commit": lambda request, db: request.state.db_connection.commit(),
    "conn.cursor": lambda request, db: request.state.db_connection.cursor(),
    "conn.method": lambda request, db: request.state.db_connection.execute("SELECT 1"),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_an_async_session_in_a_def_endpoint(
    sqlite: Backend, use: Callable[[Request, Any], object]
) -> None:  # W20
    """It raises in place of making a coroutine that nobody awaits: no 201 for what was never sent."""
    async with serving(use_from_def(sqlite, use)) as client:
        response = await client.post("/")
    assert isinstance(response.error, ImproperConfigurationError)
    assert "`def` endpoint" in str(response.error)
    assert "`async def`" in str(response.error)
    assert response.status == 500


async def test_an_async_session_in_another_loop(backend: Backend) -> None:  # W20
    """asyncio.run() in a thread: the session's connection belongs to the request's loop."""

    def use(request: Request, db: Any) -> None:
        async def insert() -> None:
            await db.execute(backend.insert, "a")

        asyncio.run(insert())

    async with serving(use_from_def(backend, use)) as client:
        response = await client.post("/")
    assert isinstance(response.error, ImproperConfigurationError)
    assert "belongs to the event loop of its request" in str(response.error)
    assert await backend.rows() == []


async def test_a_thread_may_ask_the_loop_to_do_it(backend: Backend) -> None:  # W20
    """By anyio's from_thread: the method is called where the session belongs."""

    def use(request: Request, db: Any) -> None:
        anyio.from_thread.run(db.execute, backend.insert, "a")

    async with serving(use_from_def(backend, use)) as client:
        assert (await client.post("/")).error is None
    assert await backend.rows() == ["a"]


async def test_a_session_is_of_its_drivers_class(sqlite: Backend) -> None:  # W5
    """With its name and its docstring."""
    seen: list[Any] = []

    async def endpoint(request: Request) -> Response:
        seen.append(plugin.get_session(request))
        return Response()

    app = Starlette(routes=[Route("/", endpoint)])
    spec = SQLSpec()
    spec.add_config(sqlite.config())
    plugin = SQLSpecPlugin(spec, app)
    await Client(app).get("/")
    assert isinstance(seen[0], AiosqliteDriver)
    assert type(seen[0]).__qualname__ == "AiosqliteDriver"
    assert type(seen[0]).execute.__doc__ == AiosqliteDriver.execute.__doc__


# Sync sessions


class Shop:
    """An app with a sync config, and endpoints of both kinds."""

    def __init__(self, database: Backend) -> None:
        self.database = database
        self.spec = SQLSpec()
        self.config = self.spec.add_config(
            SqliteConfig(
                pool_config={"database": str(database.path), "max_size": 2, "timeout": 5},
                extension_config={"starlette": {"commit_mode": "autocommit"}},
            )
        )
        self.plugin = SQLSpecPlugin(self.spec)
        self.app = Starlette(
            routes=[
                Route("/plain/{name}", self.plain, methods=["POST"]),
                Route("/async/{name}", self.blocking, methods=["POST"]),
                Mount("/mounted", routes=[Route("/{name}", self.blocking, methods=["POST"])]),
                WebSocketRoute("/socket", self.socket),
            ]
        )
        self.plugin.init_app(self.app)

    def insert(self, request: Request | WebSocket) -> SqliteDriver:
        db = self.plugin.get_session(request, self.config)
        assert isinstance(db, SqliteDriver)
        db.execute(self.database.insert, request.path_params["name"])
        return db

    def plain(self, request: Request) -> Response:
        self.insert(request)
        return Response(status_code=201)

    async def blocking(self, request: Request) -> Response:
        await asyncio.sleep(0)
        db = self.insert(request)
        return PlainTextResponse(str(db.select_value("SELECT 1")), status_code=201)

    async def socket(self, websocket: WebSocket) -> None:
        await websocket.accept()
        db = self.plugin.get_session(websocket, self.config)
        async for _ in websocket.iter_text():
            await websocket.send_text(str(db.select_value("SELECT 1")))


async def test_a_sync_session_on_the_loop_is_told_once_per_route(  # W20
    sqlite: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    """However many statements and requests; by its route, with nothing of the client's in it. Threads are silent."""
    shop = Shop(sqlite)
    async with serving(shop.app) as client:
        for name in ("a", "b"):
            assert (await client.post(f"/plain/{name}")).status == 201
        assert warnings_of(caplog) == []
        for name in ("geheim1", "geheim2"):
            assert (await client.post(f"/async/{name}")).status == 201
        [warning] = warnings_of(caplog)
        assert "uses a sync session in the thread of the event loop" in warning
        assert "AiosqliteConfig" in warning
        assert "geheim" not in warning
        assert "/async/{name}" in warning or "blocking" in warning  # Starlette tells the template since 1.0
        socket = Socket(client.app, "/socket")
        await socket.ask("a")
        await socket.ask("b")
        await socket.leave()
        assert len(warnings_of(caplog)) == 2
        assert warnings_of(caplog)[1].startswith("WebSocket ")


async def test_requests_that_block_the_loop_do_not_block_each_other(sqlite: Backend) -> None:  # W20
    """A COMMIT is under way before the next handler can block the loop while it waits for the same lock."""
    shop = Shop(sqlite)
    names = [f"{number:02}" for number in range(50)]
    async with serving(shop.app) as client, asyncio.timeout(10):
        responses = await asyncio.gather(*(client.post(f"/async/{name}") for name in names))
    assert [(response.status, response.error) for response in responses] == [(201, None)] * 50
    assert await sqlite.rows() == names
