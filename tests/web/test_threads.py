"""Where a sync driver is called from: never from the thread of the event loop, unless a handler does it itself."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.client import serving

if TYPE_CHECKING:
    from starlette.requests import Request

    from tests.web.conftest import Backend

THREADS = 16
"""How many of ours there are for COMMIT, and how many for hooks."""


class ToldConfig(SqliteConfig):
    """SQLite that keeps who called it: what was done, and in which thread."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.calls: list[tuple[str, int]] = []

    def note(self, call: str) -> None:
        self.calls.append((call, threading.get_ident()))

    def threads_of(self, call: str) -> set[int]:
        found = {thread for done, thread in self.calls if done == call}
        assert found, f"{call} was never done: {self.calls}"
        return found

    def open_pool(self, pool: Any) -> None:
        self.note("open")
        super().open_pool(pool)

    def take(self, pool: Any, timeout: float | None) -> sqlite3.Connection:
        connection = super().take(pool, timeout)
        connection.set_trace_callback(self.note)  # sqlite3 calls it in the thread that runs the statement
        return connection

    def give(self, pool: Any, connection: sqlite3.Connection) -> None:
        self.note("give")
        super().give(pool, connection)

    def discard(self, pool: Any, connection: sqlite3.Connection) -> None:
        self.note("discard")
        super().discard(pool, connection)


@pytest.mark.parametrize(
    ("answer", "end"),
    [(200, "COMMIT"), (404, "ROLLBACK"), (None, "ROLLBACK")],
    ids=["success", "error", "exception"],
)
async def test_what_blocks_runs_beside_the_event_loop(sqlite: Backend, answer: int | None, end: str) -> None:  # W20
    """The pool is opened, and the session is ended and its connection given back, in worker threads."""
    problem = ValueError("broken")
    workers: list[int] = []

    def work(request: Request) -> Response:
        workers.append(threading.get_ident())
        plugin.get_session(request, config).execute(sqlite.insert, "a")
        if answer is None:
            raise problem
        return Response(status_code=answer)

    spec = SQLSpec()
    config = spec.add_config(
        ToldConfig(
            pool_config={"database": str(sqlite.path), "max_size": 2},
            extension_config={"starlette": {"commit_mode": "autocommit"}},
        )
    )
    app = Starlette(routes=[Route("/", work, methods=["POST"])])
    plugin = SQLSpecPlugin(spec, app)
    loop = threading.get_ident()
    async with serving(app) as client:
        assert loop not in config.threads_of("open")
        response = await client.post("/")
    assert response.error is (problem if answer is None else None)
    assert workers != [loop]
    for call in ("BEGIN IMMEDIATE", end, "give"):
        assert loop not in config.threads_of(call), call


@pytest.mark.parametrize("outcome", ["commit", "rollback"])
async def test_hooks_that_wait_keep_nobody_from_committing(sqlite: Backend, outcome: str) -> None:  # W20
    """More of them than there are threads for COMMIT: another request is saved and answered all the same."""
    waiting = 20
    begun = threading.Semaphore(0)
    go_on = threading.Event()

    def wait() -> None:
        begun.release()
        go_on.wait()

    def work(request: Request) -> Response:
        db = plugin.get_session(request, config)
        if request.method == "GET":
            db.begin()
            getattr(db, f"on_{outcome}")(wait)
            if outcome == "rollback":
                raise ValueError
        else:
            db.execute(sqlite.insert, "a")
        return Response()

    spec = SQLSpec()
    config = spec.add_config(
        SqliteConfig(
            pool_config={"database": str(sqlite.path), "max_size": 2},
            extension_config={"starlette": {"commit_mode": "autocommit"}},
        )
    )
    app = Starlette(routes=[Route("/", work, methods=["GET", "POST"])])
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client, asyncio.TaskGroup() as group:
        try:
            reading = [group.create_task(client.get("/")) for _ in range(waiting)]
            async with asyncio.timeout(5):
                for _ in range(THREADS):
                    while not begun.acquire(blocking=False):
                        await asyncio.sleep(0.001)
                assert (await client.post("/")).status == 200
                assert await sqlite.rows() == ["a"]
                while config.connections.holders:  # those whose hooks have no thread yet
                    await asyncio.sleep(0.001)
        finally:
            go_on.set()
    assert [task.result().status for task in reading] == [200 if outcome == "commit" else 500] * waiting
