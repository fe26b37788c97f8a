"""What the web plugin promises holds on every adapter, sync ones too, over a pool of one.

Each test is written once, as a coroutine that works with a session. An async adapter's runs in an ``async def``
endpoint; a sync adapter's in a ``def`` endpoint, in a thread of the framework, where awaiting never waits.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from sqlspec import SQLSpec
from sqlspec.exceptions import CommitOutcomeUnknownError, ConnectionLostError, IntegrityError, TransactionAbortedError
from sqlspec.extensions.starlette import SQLSpecPlugin
from sqlspec.testing.compliance.fixtures import database, pytest_generate_tests
from tests.compliance.targets import ADAPTERS
from tests.web.client import serving
from tests.web.test_sockets import Socket

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from sqlspec.testing.compliance import Database
    from tests.web.client import Client, Message

__all__ = ("database", "pytest_generate_tests")  # fixture and hook: they run each test once per adapter

T = TypeVar("T")
Work = Callable[[Request, Any], Coroutine[Any, Any, Response]]

INSERT = "INSERT INTO items (name) VALUES (?)"
SELECT = "SELECT name FROM items ORDER BY name"
AUTOCOMMIT = {"commit_mode": "autocommit"}


# One code for both colours


class Awaited:
    """A sync session whose methods are awaited; they run at once, in the calling thread."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        method = getattr(self._session, name)

        async def call(*args: Any, **options: Any) -> Any:
            return method(*args, **options)

        return call


def ended(work: Any) -> Any:
    """What a coroutine comes to that works with a sync session: it ends without an event loop, since it never waits."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("It waits for something.")


def stepped(body: AsyncGenerator[str]) -> Iterator[str]:
    """The same for a body: Starlette takes each step of it in a thread."""
    while True:
        try:
            yield ended(anext(body))
        except StopAsyncIteration:
            return


class App:
    """An app on a pool of one, and a database beside it.

    Args:
        beside: The database.
        options: Of ``extension_config["starlette"]``.

    Attributes:
        config: The app's.
        seen: The messages that reached the server, and what a second connection saw at that instant.
    """

    def __init__(self, beside: Database, options: dict[str, Any]) -> None:
        self.beside = beside
        self.config = beside.new_config({"max_size": 1}, extension_config={"starlette": options}, acquire_timeout=5)
        self.spec = SQLSpec()
        self.spec.add_config(self.config)
        self.asgi = Starlette()
        self.plugin = SQLSpecPlugin(self.spec, self.asgi)
        self.seen: list[tuple[str, list[str]]] = []

    def add_route(self, work: Work) -> None:
        """``POST /<name>`` runs ``work`` in an endpoint of the adapter's colour."""

        async def route(request: Request) -> Response:
            return await work(request, self.plugin.get_session(request))

        def sync_route(request: Request) -> Response:
            response: Response = ended(work(request, Awaited(self.plugin.get_session(request))))
            return response

        endpoint = route if self.beside.is_async else sync_route
        self.asgi.routes.append(Route("/{name}", endpoint, methods=["POST"]))

    def add_socket(self, answer: Callable[[str, Any], Coroutine[Any, Any, str]]) -> None:
        """A WebSocket that answers each text. Its endpoint is always async: sync work is sent into a thread."""

        async def endpoint(websocket: WebSocket) -> None:
            session = self.plugin.get_session(websocket)
            await websocket.accept()
            async for text in websocket.iter_text():
                if self.beside.is_async:
                    await websocket.send_text(await answer(text, session))
                else:
                    await websocket.send_text(await run_in_threadpool(ended, answer(text, Awaited(session))))

        self.asgi.routes.append(WebSocketRoute("/", endpoint))

    def streaming(self, body: AsyncGenerator[str], status: int) -> Response:
        """A response whose body works with the session."""
        return StreamingResponse(body if self.beside.is_async else stepped(body), status_code=status)

    async def rows(self) -> list[str]:
        """What a second connection sees."""
        async with self.beside.session() as db:
            return await db.select(SELECT, schema_type=str)

    async def watch(self, message: Message) -> None:
        """Keep what a second connection sees at the instant of this message, when nobody holds the first one."""
        assert self.holders == []
        self.seen.append((message["type"].rpartition(".")[2], await self.rows()))

    @property
    def holders(self) -> list[Any]:
        """Who holds a connection of the app's pool."""
        return list(self.config.connections.holders)


@asynccontextmanager
async def serving_app(app: App) -> AsyncGenerator[Client]:
    """The app with its pool open, and at the end nobody holds its connection."""
    await app.beside.run(f"CREATE TABLE items (name {app.beside.type_of('name')} PRIMARY KEY)")
    async with serving(app.asgi) as client:
        yield client
        assert app.holders == []


# Outcomes


async def test_a_success_is_saved_before_its_start(database: Database) -> None:  # W11 W12
    """A second connection sees the row at the instant the status line is sent; a conflict leaves nothing."""
    app = App(database, AUTOCOMMIT)

    async def work(request: Request, db: Any) -> Response:
        name = request.path_params["name"]
        await db.execute(INSERT, name)
        assert await db.select_value("SELECT count(*) FROM items WHERE name = ?", name) == 1
        return Response(status_code=int(name))

    app.add_route(work)
    async with serving_app(app) as client:
        for name in ("409", "201", "404"):
            response = await client.post(f"/{name}", watch=app.watch)
            assert (response.status, response.error) == (int(name), None)
    starts = [rows for message, rows in app.seen if message == "start"]
    assert starts == [[], ["201"], ["201"]]


async def test_an_exception_saves_nothing_and_goes_on(database: Database) -> None:  # W13
    """The server gets the very exception, and the only connection serves the next request."""
    app = App(database, AUTOCOMMIT)
    problem = ValueError("broken")

    async def work(request: Request, db: Any) -> Response:
        await db.execute(INSERT, request.path_params["name"])
        if request.path_params["name"] == "lost":
            raise problem
        return Response(status_code=201)

    app.add_route(work)
    async with serving_app(app) as client:
        assert (await client.post("/lost", watch=app.watch)).error is problem
        assert (await client.post("/saved")).status == 201
        assert await app.rows() == ["saved"]
    assert app.seen[0] == ("start", [])


async def test_manual_mode_saves_what_was_committed(database: Database) -> None:  # W10 W12
    """Whatever the status; what comes after the last commit() is rolled back."""
    app = App(database, {})

    async def work(request: Request, db: Any) -> Response:
        name = request.path_params["name"]
        await db.execute(INSERT, name)
        if name != "lost":
            await db.commit()
            await db.execute(INSERT, f"after {name}")
        return Response(status_code=201)

    app.add_route(work)
    async with serving_app(app) as client:
        for name in ("lost", "saved"):
            assert (await client.post(f"/{name}", watch=app.watch)).status == 201
        assert await app.rows() == ["saved"]
    assert [rows for message, rows in app.seen if message == "start"] == [[], ["saved"]]


async def test_a_swallowed_error_is_no_false_success(database: Database) -> None:  # W14 S6
    """Where a failed statement aborts the transaction, 201 becomes 500; elsewhere the rest of the work is saved."""
    app = App(database, AUTOCOMMIT)

    async def work(request: Request, db: Any) -> Response:
        await db.execute(INSERT, "a")
        with pytest.raises(IntegrityError):
            await db.execute(INSERT, "a")
        return Response(status_code=201)

    app.add_route(work)
    async with serving_app(app) as client:
        response = await client.post("/a", watch=app.watch)
        saved = await app.rows()
    if database.can("error_aborts"):
        assert isinstance(response.error, TransactionAbortedError)
        assert (response.status, saved) == (500, [])
    else:
        assert (response.status, saved, response.error) == (201, ["a"], None)


@pytest.mark.parametrize("database", [adapter for adapter in ADAPTERS if "kill" in adapter.can], indirect=True, ids=str)
async def test_a_connection_that_was_lost_is_no_success(database: Database) -> None:  # W14
    """Ended by the server before COMMIT: 500, nothing is saved, and the next request has a new one."""
    app = App(database, AUTOCOMMIT)

    async def work(request: Request, db: Any) -> Response:
        await db.execute(INSERT, request.path_params["name"])
        if request.path_params["name"] == "lost":
            await database.kill(await db.select_value(database.phrase("connection")))
        return Response(status_code=201)

    app.add_route(work)
    async with serving_app(app) as client:
        response = await client.post("/lost", watch=app.watch)
        assert isinstance(response.error, CommitOutcomeUnknownError | ConnectionLostError)
        assert response.status == 500
        assert (await client.post("/saved")).status == 201
        assert await app.rows() == ["saved"]


# After the start


async def test_a_body_commits_statement_by_statement(database: Database) -> None:  # W16
    """Also in a request whose status rolled back; each row is seen when its chunk is, and nothing is held."""
    app = App(database, AUTOCOMMIT)

    async def work(request: Request, db: Any) -> Response:
        await db.execute(INSERT, "lost")

        async def body() -> AsyncGenerator[str]:
            for name in ("a", "b"):
                await db.execute(INSERT, name)
                yield ",".join(await db.select(SELECT, schema_type=str)) + ";"

        return app.streaming(body(), 404)

    app.add_route(work)
    async with serving_app(app) as client:
        response = await client.post("/a", watch=app.watch)
    assert (response.status, response.text, response.error) == (404, "a;a,b;", None)
    assert app.seen == [("start", []), ("body", ["a"]), ("body", ["a", "b"]), ("body", ["a", "b"])]


async def test_a_socket_commits_statement_by_statement(database: Database) -> None:  # W18
    """What one socket wrote the others see, also by a second connection; open sockets hold nothing."""
    app = App(database, {})

    async def answer(text: str, db: Any) -> str:
        await db.execute(INSERT, text)
        return ",".join(await db.select(SELECT, schema_type=str))

    app.add_socket(answer)
    async with serving_app(app) as client:
        sockets = [Socket(client.app), Socket(client.app)]
        written: list[str] = []
        for name, socket in zip("abcd", sockets * 2, strict=True):
            written.append(name)
            assert await socket.ask(name) == ",".join(written)
            assert (await app.rows(), app.holders) == (written, [])
        for socket in sockets:
            await socket.leave()
