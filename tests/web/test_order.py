"""In what order things are done at the end of a request: those that roll back first, sessions closed before the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.core.observe import Event, TransactionEvent
from sqlspec.exceptions import SessionClosedError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.apps import app_with, warnings_of
from tests.web.client import Message, serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.web.conftest import Backend


class Ends:
    """An observer that keeps in which order transactions end."""

    def __init__(self, key: str, ends: list[str]) -> None:
        self.key = key
        self.ends = ends

    def started(self, event: Event) -> None: ...

    def ended(self, event: Event, error: BaseException | None) -> None:
        if isinstance(event, TransactionEvent) and event.step != "begin":
            self.ends.append(self.key)


@pytest.mark.parametrize("losers", [["two"], ["one"], ["one", "three"]], ids=" ".join)
async def test_what_must_roll_back_does_so_before_anything_commits(  # W15
    sqlite: Backend, postgres: Backend, backend: Backend, losers: list[str]
) -> None:
    """Wherever it stands in the order of registration; the others commit in that order. Hooks run after all of it."""
    ends: list[str] = []
    databases = {"one": sqlite, "two": postgres, "three": backend}

    async def work(request: Request) -> Response:
        for key, database in databases.items():
            db = plugin.get_session(request, key)
            await db.execute(database.insert, key)
            db.on_commit(lambda key=key: ends.append(f"{key} was saved"))
            db.on_rollback(lambda key=key: ends.append(f"{key} was undone"))
            if key in losers:
                db.set_rollback_only()
        return Response()

    app = Starlette(routes=[Route("/", work, methods=["POST"])])
    spec = SQLSpec()
    for key, database in databases.items():
        config = spec.add_config(database.config(session_key=key, commit_mode="autocommit"))
        config.observers.append(Ends(key, ends))
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        response = await client.post("/")
    assert (response.status, response.error) == (200, None)
    winners = [key for key in databases if key not in losers]
    fates = [f"{key} was {'undone' if key in losers else 'saved'}" for key in databases]
    assert ends == [*losers, *winners, *fates]


async def test_a_discarded_write_is_told_by_its_route(  # W12
    sqlite: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the framework says which one it is: the same warning for all its requests, and no client's text in it."""

    async def work(request: Request) -> Response:
        await request.state.db_session.execute(sqlite.insert, request.path_params["name"])
        return Response()

    app = FastAPI()
    app.post("/items/{name}/state")(work)
    spec = SQLSpec()
    spec.add_config(sqlite.config())
    SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        assert (await client.post("/items/geheim/state")).status == 200
    [warning] = warnings_of(caplog)
    assert "'/items/{name}/state'" in warning
    assert "geheim" not in warning


async def test_the_session_is_closed_before_the_last_message_is_on_its_way(backend: Backend) -> None:  # W17
    """Not while the body is sent, but before its end is: whoever has the whole response has nothing left behind it."""
    sessions: list[Any] = []
    seen: list[tuple[bytes, bool]] = []

    async def body() -> AsyncGenerator[str]:
        yield "first"
        yield "second"

    async def work(request: Request, db: Any) -> Response:
        sessions.append(db)
        return StreamingResponse(body())

    async def watch(message: Message) -> None:
        if message["type"] == "http.response.body":
            seen.append((message["body"], await is_closed(sessions[0])))

    async with serving(app_with(backend, work)) as client:
        assert (await client.get("/items/a", watch=watch)).text == "firstsecond"
    assert seen == [(b"first", False), (b"second", False), (b"", True)]


async def test_the_session_is_closed_before_an_only_message_is_on_its_way(backend: Backend) -> None:  # W17
    """A body in one piece is its own end."""
    sessions: list[Any] = []
    seen: list[tuple[str, bool]] = []

    async def work(request: Request, db: Any) -> Response:
        sessions.append(db)
        return PlainTextResponse("all")

    async def watch(message: Message) -> None:
        seen.append((message["type"], await is_closed(sessions[0])))

    async with serving(app_with(backend, work)) as client:
        await client.get("/items/a", watch=watch)
    assert seen == [("http.response.start", False), ("http.response.body", True)]


async def is_closed(db: Any) -> bool:
    try:
        await db.select_value("SELECT 1")
    except SessionClosedError:
        return True
    return False
