"""When things happen in a request: before the start, in the body, after it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.adapters.asyncmy import AsyncmyConfig
from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.adapters.psycopg import PsycopgAsyncConfig
from sqlspec.exceptions import ConnectionFailedError, SessionClosedError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.apps import app_with
from tests.web.client import Message, serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.requests import Request

    from tests.web.backends import AsyncConfig
    from tests.web.conftest import Backend


async def test_the_row_is_there_when_the_start_is(backend: Backend) -> None:  # W11
    """Whoever has the status line has the data: another connection sees it at that instant."""
    seen: list[tuple[str, list[str]]] = []

    async def watch(message: Message) -> None:
        seen.append((message["type"], await backend.rows()))

    async def insert(request: Request, db: Any) -> Response:
        await db.execute(backend.insert, "a")
        return PlainTextResponse("done")

    async with serving(app_with(backend, insert, commit_mode="autocommit")) as client:
        await client.post("/items/a", watch=watch)
    assert seen == [("http.response.start", ["a"]), ("http.response.body", ["a"])]


@pytest.mark.parametrize("mode", ["autocommit", "manual"])
async def test_the_connection_is_free_when_the_start_is(backend: Backend, mode: str) -> None:  # W11
    """A pool of one serves others while this response is on its way, whatever became of its work."""
    taken: list[int] = []

    async def work(request: Request, db: Any) -> Response:
        await db.execute(backend.insert, request.path_params["name"])
        return StreamingResponse(_chunks("a", "b"))

    spec = SQLSpec()
    config = spec.add_config(backend.config(pool_size=1, commit_mode=mode))

    async def route(request: Request) -> Response:
        return await work(request, plugin.get_session(request))

    app = Starlette(routes=[Route("/items/{name}", route, methods=["POST"])])
    plugin = SQLSpecPlugin(spec, app)

    async def watch(message: Message) -> None:
        async with asyncio.timeout(2), spec.provide_session(config) as db:
            taken.append(await db.select_value("SELECT 1"))

    async with serving(app) as client:
        response = await client.post("/items/a", watch=watch)
    assert (response.error, taken) == (None, [1, 1, 1, 1])


async def _chunks(*texts: str) -> AsyncGenerator[str]:
    for text in texts:
        yield text


@pytest.mark.parametrize("kind", [AsyncpgConfig, PsycopgAsyncConfig, AsyncmyConfig])
async def test_routes_without_database_work_touch_no_pool(kind: Callable[..., AsyncConfig]) -> None:  # W1 W8
    """Health checks answer, with the session in hand, and unknown paths are 404, while the server is unreachable."""
    spec = SQLSpec()
    scheme = "mysql" if kind is AsyncmyConfig else "postgresql"
    unreachable = kind(pool_config={"dsn": f"{scheme}://127.0.0.1:1/nowhere", "min_size": 0})
    spec.add_config(unreachable)

    async def health(request: Request) -> Response:
        assert plugin.get_session(request) is request.state.db_session
        assert plugin.get_connection(request) is request.state.db_connection
        return PlainTextResponse("well")

    async def work(request: Request) -> Response:
        await plugin.get_session(request).select_value("SELECT 1")
        return Response()

    app = Starlette(routes=[Route("/health", health), Route("/work", work)])
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        assert (await client.get("/health")).text == "well"
        assert (await client.get("/nothing")).status == 404
        assert (await client.post("/health")).status == 405
        assert unreachable.connections.holders == []
        assert isinstance((await client.get("/work")).error, ConnectionFailedError)


async def test_a_session_is_one_object_in_one_request(sqlite: Backend) -> None:  # W5
    """get_session, request.state and every key of its give the same session; the next request gets another."""
    seen: list[object] = []

    async def look(request: Request, db: Any) -> Response:
        assert request.state.db is db
        assert request.app.state.pool is spec_pool(request)
        seen.append(db)
        return Response()

    def spec_pool(request: Request) -> object:
        pool: object = request.app.state.pool
        return pool

    async with serving(app_with(sqlite, look, session_key="db", pool_key="pool")) as client:
        await client.get("/items/a")
        await client.get("/items/a")
    assert seen[0] is not seen[1]


# The body


async def test_a_body_reads_and_writes_statement_by_statement(backend: Backend) -> None:  # W16
    """After the start each statement commits by itself, also in a request whose status rolls back."""
    seen: list[list[str]] = []

    async def work(request: Request, db: Any) -> Response:
        await db.execute(backend.insert, "lost")

        async def body() -> AsyncGenerator[str]:
            for name in ("a", "b"):
                await db.execute(backend.insert, name)
                seen.append(await backend.rows())
                yield ",".join(await db.select(backend.select, schema_type=str)) + ";"

        return StreamingResponse(body(), status_code=404)

    async with serving(app_with(backend, work, commit_mode="autocommit")) as client:
        response = await client.post("/items/a")
    assert response.error is None
    assert response.text == "a;a,b;"
    assert seen == [["a"], ["a", "b"]]


async def test_two_streaming_bodies_share_a_pool_of_one(backend: Backend) -> None:  # W16
    """Nothing is held between statements, so twenty bodies that wait for each other need one connection."""
    count = 20
    both = asyncio.Barrier(count)

    async def work(request: Request, db: Any) -> Response:
        async def body() -> AsyncGenerator[str]:
            for _ in range(2):
                yield str(await db.select_value("SELECT 1"))
                await both.wait()

        return StreamingResponse(body())

    async with serving(app_with(backend, work, pool_size=1)) as client:
        async with asyncio.timeout(10):
            responses = await asyncio.gather(*(client.get("/items/a") for _ in range(count)))
    assert [response.text for response in responses] == ["11"] * count


async def test_a_stream_of_rows_in_the_body(backend: Backend) -> None:  # W16
    """An open select_stream holds a connection until its end, and gives it back."""

    async def work(request: Request, db: Any) -> Response:
        async def body() -> AsyncGenerator[str]:
            async with db.select_stream("SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3", chunk_size=1) as rows:
                async for row in rows:
                    yield str(row["n"])
            yield str(await db.select_value("SELECT 4"))

        return StreamingResponse(body())

    async with serving(app_with(backend, work, pool_size=1)) as client:
        assert (await client.get("/items/a")).text == "1234"


async def test_a_stream_that_was_opened_before_the_start_is_closed(backend: Backend) -> None:  # W16
    """Its next row raises, and says to open it inside the body."""
    problems: list[str] = []

    async def work(request: Request, db: Any) -> Response:
        stream = db.select_stream("SELECT 1 AS n UNION ALL SELECT 2", chunk_size=1)
        rows = await stream.__aenter__()
        assert (await rows.__anext__())["n"] == 1

        async def body() -> AsyncGenerator[str]:
            try:
                await rows.__anext__()
            except SessionClosedError as error:
                problems.append(str(error))
            yield "done"

        return StreamingResponse(body())

    async with serving(app_with(backend, work, pool_size=1, commit_mode="autocommit")) as client:
        assert (await client.get("/items/a")).text == "done"
    [problem] = problems
    assert "the response has started" in problem
    assert "inside the body" in problem


async def test_a_transaction_in_the_body(backend: Backend) -> None:  # W16
    """A block there is one of its own: it commits at its end, and is rolled back by an exception."""

    async def work(request: Request, db: Any) -> Response:
        async def body() -> AsyncGenerator[str]:
            async with db.transaction():
                await db.execute(backend.insert, "saved")
            yield str(await backend.rows())
            async with db.transaction():
                await db.execute(backend.insert, "lost")
                raise ValueError

        return StreamingResponse(body())

    async with serving(app_with(backend, work)) as client:
        response = await client.get("/items/a")
    assert response.text == "['saved']"
    assert await backend.rows() == ["saved"]


async def test_an_error_in_a_body_cuts_the_response(backend: Backend) -> None:  # W17
    """The very exception reaches the server, no final message is made up, and what was committed stays."""
    problem = ValueError("broken")
    sessions: list[Any] = []

    async def work(request: Request, db: Any) -> Response:
        sessions.append(db)
        await db.execute(backend.insert, "a")

        async def body() -> AsyncGenerator[str]:
            yield "first"
            raise problem

        return StreamingResponse(body())

    async with serving(app_with(backend, work, commit_mode="autocommit")) as client:
        response = await client.post("/items/a")
    assert problem in getattr(response.error, "exceptions", (response.error,))  # Starlette 0.40 shows its task group
    assert (response.status, response.text, response.is_complete) == (200, "first", False)
    assert await backend.rows() == ["a"]
    with pytest.raises(SessionClosedError):
        await sessions[0].select_value("SELECT 1")


# The end


async def test_after_the_response_the_session_is_closed(backend: Backend) -> None:  # W17 S8
    """A background task that was handed the request's session is told why, and how to get its own."""
    problems: list[str] = []

    async def late(db: Any) -> None:
        try:
            await db.execute(backend.insert, "late")
        except SessionClosedError as error:
            problems.append(str(error))

    async def work(request: Request, db: Any) -> Response:
        return PlainTextResponse("done", background=BackgroundTask(late, db))

    async with serving(app_with(backend, work, commit_mode="autocommit")) as client:
        await client.post("/items/a")
    [problem] = problems
    assert "This session is closed: its request is over" in problem
    assert "provide_session(config)" in problem
    assert await backend.rows() == []


async def test_background_tasks_run_when_the_connection_is_free(backend: Backend) -> None:  # W11
    """A long task behind a response does not starve a pool of one."""
    going = asyncio.Event()
    enough = asyncio.Event()

    async def task() -> None:
        going.set()
        await enough.wait()

    async def work(request: Request, db: Any) -> Response:
        count = await db.select_value("SELECT 1")
        background = BackgroundTask(task) if request.path_params["name"] == "slow" else None
        return PlainTextResponse(str(count), background=background)

    async with serving(app_with(backend, work, pool_size=1)) as client, asyncio.TaskGroup() as tasks:
        tasks.create_task(client.get("/items/slow"))
        await going.wait()
        async with asyncio.timeout(2):
            assert (await client.get("/items/fast")).text == "1"
        enough.set()


class Sent(Response):
    """A response whose content is left to the server."""

    def __init__(self, message: Message, background: BackgroundTask) -> None:
        super().__init__(background=background)
        self.message = message

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send(self.message)
        assert self.background is not None
        await self.background()


@pytest.mark.parametrize(
    "message",
    [
        {"type": "http.response.pathsend", "path": "/some/file"},
        {"type": "http.response.zerocopysend", "file": 3},
        {"type": "http.response.body"},
    ],
)
async def test_a_file_ends_the_session(backend: Backend, message: Message) -> None:  # W17
    """pathsend and zerocopysend may be the last message of a response, as a final body is."""
    sessions: list[Any] = []
    closed: list[bool] = []

    async def after() -> None:
        try:
            await sessions[0].select_value("SELECT 1")
        except SessionClosedError:
            closed.append(True)

    async def work(request: Request, db: Any) -> Response:
        sessions.append(db)
        await db.execute(backend.insert, "a")
        return Sent(message, BackgroundTask(after))

    async with serving(app_with(backend, work, commit_mode="autocommit")) as client:
        response = await client.post("/items/a")
    assert response.messages[-1] is message
    assert closed == [True]
    assert await backend.rows() == ["a"]


async def test_an_app_that_returns_without_a_final_message(sqlite: Backend) -> None:  # W17
    """It counts as an end: the session is closed."""
    sessions: list[Any] = []

    class Unfinished(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"some", "more_body": True})

    async def work(request: Request, db: Any) -> Response:
        sessions.append(db)
        await db.execute(sqlite.insert, "a")
        return Unfinished()

    async with serving(app_with(sqlite, work, commit_mode="autocommit")) as client:
        await client.post("/items/a")
    with pytest.raises(SessionClosedError):
        await sessions[0].select_value("SELECT 1")
    assert await sqlite.rows() == ["a"]


async def test_early_hints_decide_nothing(sqlite: Backend) -> None:  # W11
    """Other messages pass untouched, before the start too."""
    seen: list[tuple[str, list[str]]] = []

    class Hinting(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.early_hint", "links": []})
            await super().__call__(scope, receive, send)

    async def work(request: Request, db: Any) -> Response:
        await db.execute(sqlite.insert, "a")
        return Hinting()

    async def watch(message: Message) -> None:
        seen.append((message["type"], await sqlite.rows()))

    async with serving(app_with(sqlite, work, commit_mode="autocommit")) as client:
        await client.post("/items/a", watch=watch)
    assert seen == [
        ("http.response.early_hint", []),
        ("http.response.start", ["a"]),
        ("http.response.body", ["a"]),
    ]


async def test_concurrent_requests_have_sessions_of_their_own(backend: Backend) -> None:  # W5 S13
    """Twenty requests at once: each sees its own work only, and each commits or rolls back by itself."""

    async def work(request: Request, db: Any) -> Response:
        number = int(request.path_params["name"])
        await db.execute(backend.insert, f"{number:02}")
        await asyncio.sleep(0)
        mine = await db.select(backend.select, schema_type=str)
        assert f"{number:02}" in mine
        return Response(status_code=200 if number % 2 else 400)

    async with serving(app_with(backend, work, commit_mode="autocommit", pool_size=4)) as client:
        responses = await asyncio.gather(*(client.post(f"/items/{number}") for number in range(20)))
    assert [response.error for response in responses] == [None] * 20
    assert await backend.rows() == [f"{number:02}" for number in range(1, 20, 2)]
