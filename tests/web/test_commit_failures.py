"""What a client, a background task and the other databases see of a COMMIT that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.exceptions import IntegrityError, PartialCommitError, TransactionAbortedError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.apps import app_with
from tests.web.client import Client, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from tests.web.conftest import Backend


@pytest.fixture
def backend(deferring: Backend) -> Backend:
    """In this file: those that can fail at COMMIT."""
    return deferring


@pytest.fixture
async def orphans(backend: Backend) -> AsyncIterator[str]:
    """A statement that only fails at COMMIT."""
    table = f"{backend.table}_child"
    await backend.run(
        f"CREATE TABLE {table} (name TEXT REFERENCES {backend.table} (name) DEFERRABLE INITIALLY DEFERRED)"
    )
    yield f"INSERT INTO {table} (name) VALUES ('nobody')"
    await backend.run(f"DROP TABLE {table}")


def failing_app(backend: Backend, orphans: str, ran: list[str], **app_options: Any) -> Starlette:
    async def background() -> None:
        ran.append("background")

    async def work(request: Request) -> Response:
        db = plugin.get_session(request)
        await db.execute(backend.insert, "a")
        await db.execute(orphans)
        return PlainTextResponse("saved", status_code=201, background=BackgroundTask(background))

    app = Starlette(routes=[Route("/", work, methods=["POST"])], **app_options)
    spec = SQLSpec()
    spec.add_config(backend.config(commit_mode="autocommit", pool_size=1))
    plugin = SQLSpecPlugin(spec, app)
    return app


async def test_a_failing_commit_is_never_a_success(backend: Backend, orphans: str) -> None:  # W14
    """The client gets 500, the server the database's own error, no background task runs, nothing is saved."""
    ran: list[str] = []
    async with serving(failing_app(backend, orphans, ran)) as client:
        response = await client.post("/")
        again = await client.post("/")
    assert (response.status, again.status) == (500, 500)
    assert isinstance(response.error, IntegrityError)
    assert response.error.__cause__ is not None
    assert ran == []
    assert await backend.rows() == []


async def test_through_base_http_middleware(backend: Backend, orphans: str) -> None:  # W14
    """A middleware between the app and the plugin changes nothing of it."""

    async def dispatch(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        return response

    ran: list[str] = []
    middleware = [Middleware(BaseHTTPMiddleware, dispatch=dispatch)]
    async with serving(failing_app(backend, orphans, ran, middleware=middleware)) as client:
        response = await client.post("/")
    assert isinstance(response.error, IntegrityError)
    assert response.status == 500
    assert ran == []


class Swallowing:
    """A middleware that answers every error itself, or not at all."""

    def __init__(self, app: Any, answer: Response | None) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except IntegrityError:
            if self.answer is not None:
                await self.answer(scope, receive, send)


async def test_an_inner_layer_may_answer_instead(backend: Backend, orphans: str) -> None:  # W14
    """The first start was never forwarded, so the second is the first that the server sees."""
    answer = PlainTextResponse("conflict", status_code=409)
    middleware = [Middleware(Swallowing, answer=answer)]
    async with serving(failing_app(backend, orphans, [], middleware=middleware)) as client:
        response = await client.post("/")
    assert (response.status, response.text, response.error) == (409, "conflict", None)


async def test_an_inner_layer_cannot_hide_it(backend: Backend, orphans: str) -> None:  # W14
    """Who swallows the error and answers nothing leaves the failure, not silence."""
    middleware = [Middleware(Swallowing, answer=None)]
    async with serving(failing_app(backend, orphans, [], middleware=middleware)) as client:
        response = await client.post("/")
    assert isinstance(response.error, IntegrityError)
    assert response.status == 500


async def test_a_body_without_its_start_is_stopped(backend: Backend, orphans: str) -> None:  # W14
    """An app that goes on sending after the failing start is told again; none of it reaches the server."""

    async def stubborn(scope: Any, receive: Any, send: Any) -> None:
        await scope["state"]["db_session"].execute(orphans)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        except IntegrityError:
            await send({"type": "http.response.body", "body": b"saved"})

    app = Starlette()
    spec = SQLSpec()
    config = spec.add_config(backend.config(commit_mode="autocommit"))
    SQLSpecPlugin(spec, app)
    app.router.default = stubborn
    response = await Client(app).post("/")
    await spec.close_pool(config)
    assert isinstance(response.error, IntegrityError)
    assert (response.status, b"saved" in response.body) == (500, False)


async def test_a_swallowed_statement_error_is_no_success(postgres: Backend) -> None:  # W14 S6
    """PostgreSQL answers COMMIT of an aborted transaction with a quiet ROLLBACK."""

    async def work(request: Request, db: Any) -> Response:
        await db.execute(postgres.insert, "a")
        try:
            await db.execute(postgres.insert, "a")
        except IntegrityError:
            pass
        return PlainTextResponse("saved")

    async with serving(app_with(postgres, work, commit_mode="autocommit")) as client:
        response = await client.post("/items/a")
    assert isinstance(response.error, TransactionAbortedError)
    assert response.status == 500
    assert await postgres.rows() == []


# Several databases


def two_databases(first: Backend, second: Backend, spoil: str, mode: str = "autocommit") -> Starlette:
    """One request that writes into both; ``spoil`` is one more statement for the second."""

    async def work(request: Request) -> Response:
        one, two = plugin.get_session(request, "one"), plugin.get_session(request, "two")
        await one.execute(first.insert, "a")
        await two.execute(second.insert, "a")
        if spoil:
            await two.execute(spoil)
        return Response(status_code=int(request.query_params.get("status", "200")))

    app = Starlette(routes=[Route("/", work, methods=["POST"])])
    spec = SQLSpec()
    spec.add_config(first.config(session_key="one", commit_mode="autocommit"), name="first")
    spec.add_config(second.config(session_key="two", commit_mode=mode), name="second")
    plugin = SQLSpecPlugin(spec, app)
    return app


async def test_databases_commit_in_order(sqlite: Backend, postgres: Backend) -> None:  # W15
    """Both are saved, or by the status neither."""
    async with serving(two_databases(sqlite, postgres, "")) as client:
        assert (await client.post("/?status=404")).status == 404
        assert (await sqlite.rows(), await postgres.rows()) == ([], [])
        assert (await client.post("/")).status == 200
    assert (await sqlite.rows(), await postgres.rows()) == (["a"], ["a"])


async def test_each_database_has_a_mode_of_its_own(sqlite: Backend, postgres: Backend) -> None:  # W15
    """A manual one never commits because another is autocommit."""
    async with serving(two_databases(sqlite, postgres, "", "manual")) as client:
        assert (await client.post("/")).status == 200
    assert (await sqlite.rows(), await postgres.rows()) == (["a"], [])


async def test_a_second_commit_that_fails_names_who_was_saved(  # W15
    sqlite: Backend, backend: Backend, orphans: str
) -> None:
    """500, and PartialCommitError says what is saved where, with the database's own error as its cause."""
    async with serving(two_databases(sqlite, backend, orphans)) as client:
        response = await client.post("/")
    error = response.error
    assert isinstance(error, PartialCommitError)
    assert (error.committed, error.failed, error.rolled_back) == (("first",), "second", ())
    assert isinstance(error.__cause__, IntegrityError)
    assert response.status == 500
    assert await sqlite.rows() == ["a"]


async def test_a_first_commit_that_fails_rolls_back_the_rest(  # W15
    sqlite: Backend, backend: Backend, orphans: str
) -> None:
    """Nothing is saved anywhere, so the error is the database's own."""

    async def work(request: Request) -> Response:
        await plugin.get_session(request, "one").execute(orphans)
        await plugin.get_session(request, "two").execute(sqlite.insert, "a")
        return Response()

    app = Starlette(routes=[Route("/", work, methods=["POST"])])
    spec = SQLSpec()
    spec.add_config(backend.config(session_key="one", commit_mode="autocommit"))
    spec.add_config(sqlite.config(session_key="two", commit_mode="autocommit"))
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        response = await client.post("/")
    assert isinstance(response.error, IntegrityError)
    assert await sqlite.rows() == []


async def test_a_database_that_only_read_was_not_saved(sqlite: Backend, backend: Backend, orphans: str) -> None:  # W15
    """Committing a transaction without writes is nothing that could be half done."""

    async def work(request: Request) -> Response:
        await plugin.get_session(request, "one").select(sqlite.select)
        await plugin.get_session(request, "two").execute(orphans)
        return Response()

    app = Starlette(routes=[Route("/", work, methods=["POST"])])
    spec = SQLSpec()
    spec.add_config(sqlite.config(session_key="one", commit_mode="autocommit"))
    spec.add_config(backend.config(session_key="two", commit_mode="autocommit"))
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        response = await client.post("/")
    assert isinstance(response.error, IntegrityError)


async def test_what_comes_after_a_failed_commit_is_rolled_back_and_named(  # W15
    sqlite: Backend, backend: Backend, postgres: Backend, orphans: str
) -> None:
    """Three databases: the first is saved, the second fails, the third is undone; the error says all of it."""
    ends: list[str] = []

    async def work(request: Request) -> Response:
        one, two, three = (plugin.get_session(request, key) for key in ("one", "two", "three"))
        await one.execute(sqlite.insert, "a")
        await two.execute(orphans)
        await three.execute(postgres.insert, "a")
        three.on_commit(lambda: ends.append("commit"))
        three.on_rollback(lambda: ends.append("rollback"))
        return Response()

    app = Starlette(routes=[Route("/", work, methods=["POST"])])
    spec = SQLSpec()
    for key, database in (("one", sqlite), ("two", backend), ("three", postgres)):
        spec.add_config(database.config(session_key=key, commit_mode="autocommit"))
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        error = (await client.post("/")).error
    assert isinstance(error, PartialCommitError)
    assert (error.committed, error.failed, error.rolled_back) == (("one",), "two", ("three",))
    assert (await sqlite.rows(), await postgres.rows(), ends) == (["a"], [], ["rollback"])
