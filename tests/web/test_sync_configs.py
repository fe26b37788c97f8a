"""Sync configs follow the same rules; what blocks of it runs in worker threads."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.driver import SyncDriverAdapterBase
from sqlspec.exceptions import IntegrityError, SessionClosedError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.client import Message, serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from tests.web.conftest import Backend


def app_with(backend: Backend, work: Callable[[Request, Any], Response], **options: Any) -> Starlette:
    """An app of one route that is a plain function, as it runs in a thread of the framework."""
    spec = SQLSpec()
    config = spec.add_config(
        SqliteConfig(
            pool_config={"database": str(backend.path), "max_size": 2, "timeout": 1},
            extension_config={"starlette": options},
        )
    )

    def route(request: Request) -> Response:
        return work(request, plugin.get_session(request, config))

    app = Starlette(routes=[Route("/items/{name}", route, methods=["GET", "POST"])])
    plugin = SQLSpecPlugin(spec, app)
    return app


@pytest.mark.parametrize(
    ("mode", "status", "saved"),
    [("autocommit", 201, True), ("autocommit", 409, False), ("manual", 201, False)],
)
async def test_the_status_decides(sqlite: Backend, mode: str, status: int, saved: bool) -> None:  # W20 W11
    """COMMIT or ROLLBACK before the start, never in the thread of the event loop."""
    seen: list[list[str]] = []
    threads: list[bool] = []

    def work(request: Request, db: Any) -> Response:
        assert isinstance(db, SyncDriverAdapterBase)
        db.execute(sqlite.insert, "a")
        if saved:
            db.on_commit(lambda: threads.append(threading.current_thread() is threading.main_thread()))
        return Response(status_code=status)

    async def watch(message: Message) -> None:
        seen.append(await sqlite.rows())

    app = app_with(sqlite, work, commit_mode=mode)
    async with serving(app) as client:
        response = await client.post("/items/a", watch=watch)
    assert (response.status, response.error) == (status, None)
    assert seen[0] == (["a"] if saved else [])
    assert threads == ([False] if saved else [])


async def test_manual_commit_by_session_and_connection(sqlite: Backend) -> None:  # W20 W6
    """The sync handle has commit() and cursor() too."""

    def work(request: Request, db: Any) -> Response:
        connection = request.state.db_connection
        db.execute(sqlite.insert, "a")
        connection.commit()
        db.execute(sqlite.insert, "b")
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        return PlainTextResponse(str(cursor.fetchone()))

    app = app_with(sqlite, work)
    async with serving(app) as client:
        assert (await client.post("/items/a")).text == "(1,)"
    assert await sqlite.rows() == ["a"]


async def test_an_exception_rolls_back(sqlite: Backend) -> None:  # W20 W13
    """The same exception goes on, and the session is closed."""
    problem = ValueError("broken")
    sessions: list[Any] = []

    def work(request: Request, db: Any) -> Response:
        sessions.append(db)
        db.execute(sqlite.insert, "a")
        raise problem

    app = app_with(sqlite, work, commit_mode="autocommit")
    async with serving(app) as client:
        assert (await client.post("/items/a")).error is problem
    assert await sqlite.rows() == []
    with pytest.raises(SessionClosedError):
        sessions[0].select_value("SELECT 1")


async def test_a_failing_commit(sqlite: Backend) -> None:  # W20 W14
    """Never a success."""
    await sqlite.run(f"CREATE TABLE child (name TEXT REFERENCES {sqlite.table} (name) DEFERRABLE INITIALLY DEFERRED)")

    def work(request: Request, db: Any) -> Response:
        db.execute("INSERT INTO child (name) VALUES ('nobody')")
        return Response()

    app = app_with(sqlite, work, commit_mode="autocommit")
    async with serving(app) as client:
        response = await client.post("/items/a")
    assert isinstance(response.error, IntegrityError)
    assert response.status == 500


async def test_many_at_once(sqlite: Backend) -> None:  # W20
    """Thirty requests in threads, a pool of two: each has a session of its own, and all are served."""

    def work(request: Request, db: Any) -> Response:
        db.execute(sqlite.insert, request.path_params["name"])
        return Response(status_code=200 if int(request.path_params["name"]) % 2 else 400)

    app = app_with(sqlite, work, commit_mode="autocommit")
    async with serving(app) as client:
        responses = await asyncio.gather(*(client.post(f"/items/{number:02}") for number in range(30)))
    assert [response.error for response in responses] == [None] * 30
    assert await sqlite.rows() == [f"{number:02}" for number in range(1, 30, 2)]


SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000000) SELECT max(i) FROM n"


async def test_cancelled_while_its_thread_works(sqlite: Backend) -> None:  # W20 W19
    """Nobody can stop the thread: it ends its statement. Then all is rolled back, and no lock is left behind."""
    reached = threading.Event()
    ended: list[object] = []

    def work(request: Request, db: Any) -> Response:
        db.execute(sqlite.insert, "lost")
        reached.set()
        ended.append(db.select_value(SLOW))
        return Response()

    app = app_with(sqlite, work, commit_mode="autocommit")
    async with serving(app) as client, asyncio.timeout(20):
        task = asyncio.ensure_future(client.post("/items/a"))
        while not reached.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()
        assert ended == [3000000]
        await sqlite.run(f"INSERT INTO {sqlite.table} (name) VALUES ('next')")
    assert await sqlite.rows() == ["next"]
