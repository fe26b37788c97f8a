"""Who answers a request whose COMMIT failed: the app's own exception handlers, with the original error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from sqlspec import SQLSpec
from sqlspec.exceptions import (
    DatabaseError,
    IntegrityError,
    NotFoundError,
    PartialCommitError,
    SerializationError,
    SQLSpecError,
)
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.client import serving

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from starlette.requests import Request

    from tests.web.backends import Backend


@pytest.fixture
async def orphans(deferring: Backend) -> AsyncIterator[str]:
    """A statement that only fails at COMMIT."""
    table = f"{deferring.table}_child"
    await deferring.run(
        f"CREATE TABLE {table} (name TEXT REFERENCES {deferring.table} (name) DEFERRABLE INITIALLY DEFERRED)"
    )
    yield f"INSERT INTO {table} (name) VALUES ('nobody')"
    await deferring.run(f"DROP TABLE {table}")


class Shop:
    """An app whose one route saves a row and one that fails at COMMIT, then answers 201 with a background task."""

    def __init__(self, database: Backend, orphans: str) -> None:
        self.database = database
        self.orphans = orphans
        self.ran: list[str] = []
        self.spec = SQLSpec()
        self.spec.add_config(database.config(commit_mode="autocommit", pool_size=1))
        self.plugin = SQLSpecPlugin(self.spec)

    async def work(self, request: Request) -> Response:
        db = self.plugin.get_session(request)
        await db.execute(self.database.insert, "lost")
        await db.execute(self.orphans)
        db.on_commit(lambda: self.ran.append("hook"))
        task = BackgroundTask(self.ran.append, "background")
        return PlainTextResponse("saved", status_code=201, headers={"location": "/1"}, background=task)

    def app(self, handlers: dict[Any, Any] | None = None, **options: Any) -> Starlette:
        routes = [Route("/", self.work, methods=["POST"])]
        return Starlette(routes=routes, exception_handlers=handlers or {}, **options)

    def handler(self, name: str, status: int = 409) -> Callable[[Request, Exception], Any]:
        """An async handler that tells of being called."""

        async def handle(request: Request, error: Exception) -> Response:
            self.ran.append(f"{name}: {type(error).__name__}")
            return PlainTextResponse(name, status_code=status)

        return handle

    async def check(self, app: Starlette, status: int, text: str, ran: list[str], path: str = "/") -> Any:
        """What the client gets, who was called, and that nothing is saved or held. Gives what the app raised."""
        self.plugin.init_app(app)
        async with serving(app) as client:
            response = await client.post(path)
            assert (response.status, response.text) == (status, text)
            assert b"location" not in dict(response.messages[0]["headers"])
            assert [message["type"] for message in response.messages].count("http.response.start") == 1
            assert all(config.connections.holders == [] for config in self.spec.configs)
        assert self.ran == ran
        assert await self.database.rows() == []
        return response.error


@pytest.fixture
def shop(deferring: Backend, orphans: str) -> Shop:
    return Shop(deferring, orphans)


@pytest.mark.parametrize("kind", [IntegrityError, DatabaseError, SQLSpecError])
async def test_a_handler_of_its_class_or_a_base_answers(shop: Shop, kind: type[Exception]) -> None:  # W14
    """409 in place of 201, nothing of which is sent; no background task, no hook, nothing saved, nothing raised."""
    error = await shop.check(
        shop.app({kind: shop.handler("mapped")}), 409, "mapped", ["mapped: ForeignKeyViolationError"]
    )
    assert error is None


async def test_the_nearest_class_counts(shop: Shop) -> None:  # W14
    """As for any error of an endpoint."""
    handlers = {SQLSpecError: shop.handler("far"), IntegrityError: shop.handler("near")}
    await shop.check(shop.app(handlers), 409, "near", ["near: ForeignKeyViolationError"])


async def test_a_plain_function_as_a_handler(shop: Shop) -> None:  # W14
    """It runs in a thread, and gets the original error: ours, whose cause is the driver's."""
    seen: list[Exception] = []

    def handle(request: Request, error: Exception) -> Response:
        seen.append(error)
        return PlainTextResponse(request.url.path, status_code=409)

    await shop.check(shop.app({IntegrityError: handle}), 409, "/", [])
    assert isinstance(seen[0], IntegrityError)
    assert seen[0].__cause__ is not None


async def test_handlers_of_other_classes_are_not_asked(shop: Shop) -> None:  # W14
    """Without one for its class the error reaches the server as itself, and the client gets 500."""
    error = await shop.check(shop.app({NotFoundError: shop.handler("other")}), 500, "Internal Server Error", [])
    assert isinstance(error, IntegrityError)
    assert error.__context__ is None or not isinstance(error.__context__, RuntimeError)


@pytest.mark.parametrize("kind", [Exception, 500])
async def test_handlers_for_everything_stay_with_the_server_error_middleware(shop: Shop, kind: Any) -> None:  # W14
    """Called once, and the error goes on to the server, which logs it."""
    app = shop.app({kind: shop.handler("all", 500)})
    error = await shop.check(app, 500, "all", ["all: ForeignKeyViolationError"])
    assert isinstance(error, IntegrityError)


# Mounted apps


async def test_the_inner_app_is_asked_first(shop: Shop) -> None:  # W14
    """Its own handler, though the app of the plugin has one too."""
    child = shop.app({DatabaseError: shop.handler("inner")})
    app = Starlette(routes=[Mount("/child", app=child)], exception_handlers={IntegrityError: shop.handler("outer")})
    await shop.check(app, 409, "inner", ["inner: ForeignKeyViolationError"], "/child/")


async def test_then_the_app_of_the_plugin(shop: Shop) -> None:  # W14
    """Where the inner one has none."""
    child = shop.app({NotFoundError: shop.handler("inner")})
    app = Starlette(routes=[Mount("/child", app=child)], exception_handlers={IntegrityError: shop.handler("outer")})
    await shop.check(app, 409, "outer", ["outer: ForeignKeyViolationError"], "/child/")


async def test_handlers_for_everything_of_an_inner_app(shop: Shop) -> None:  # W14
    """It is called, as Starlette does at every level, but takes its response for started: the outermost answers."""
    child = shop.app({Exception: shop.handler("inner", 500)})
    app = Starlette(routes=[Mount("/child", app=child)], exception_handlers={Exception: shop.handler("outer", 500)})
    ran = ["inner: ForeignKeyViolationError", "outer: ForeignKeyViolationError"]
    error = await shop.check(app, 500, "outer", ran, "/child/")
    assert isinstance(error, IntegrityError)


# Between the plugin and the handlers


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("middleware", ["base", "gzip"])
async def test_through_other_middleware(shop: Shop, inside: bool, middleware: str) -> None:  # W14
    """Whether it is around the plugin or between it and the app."""

    async def dispatch(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        return response

    other: Any = (BaseHTTPMiddleware, {"dispatch": dispatch}) if middleware == "base" else (GZipMiddleware, {})
    app = shop.app({IntegrityError: shop.handler("mapped")}, middleware=[Middleware(other[0], **other[1])] * inside)
    shop.plugin.init_app(app)
    if not inside:
        app.add_middleware(other[0], **other[1])
    await shop.check(app, 409, "mapped", ["mapped: ForeignKeyViolationError"])


# What a handler may do


@pytest.mark.parametrize(("status", "saved"), [(200, ["audit"]), (409, ["by itself"])])
async def test_what_a_handler_writes_has_the_outcome_of_its_answer(  # W13 W14
    shop: Shop, deferring: Backend, status: int, saved: list[str]
) -> None:
    """As for any other error: its status decides, and what must be kept whatever that is, it commits itself."""

    async def handle(request: Request, error: Exception) -> Response:
        db = shop.plugin.get_session(request)
        if status != 200:
            await db.execute(deferring.insert, "by itself")
            await db.commit()
        await db.execute(deferring.insert, "audit")
        return PlainTextResponse("noted", status_code=status)

    app = shop.app({IntegrityError: handle})
    shop.plugin.init_app(app)
    async with serving(app) as client:
        response = await client.post("/")
        assert (response.status, response.text, response.error) == (status, "noted", None)
        assert all(config.connections.holders == [] for config in shop.spec.configs)
    assert await deferring.rows() == saved


async def test_a_handler_whose_own_work_can_not_be_saved(shop: Shop, deferring: Backend) -> None:  # W14
    """It is no success either: the error of its COMMIT goes out, and nobody is asked once more."""
    asked: list[Exception] = []

    async def handle(request: Request, error: Exception) -> Response:
        asked.append(error)
        await shop.plugin.get_session(request).execute(shop.orphans)
        return PlainTextResponse("noted", status_code=200)

    error = await shop.check(shop.app({IntegrityError: handle}), 500, "Internal Server Error", [])
    assert isinstance(error, IntegrityError)
    assert len(asked) == 1


async def test_a_handlers_response_is_one_like_any_other(shop: Shop) -> None:  # W14 W17
    """It may stream, with a background task of its own; the session is closed before that runs."""

    async def handle(request: Request, error: Exception) -> Response:
        async def body() -> AsyncGenerator[str]:
            yield "one "
            yield str(await shop.plugin.get_session(request).select_value("SELECT 2"))

        task = BackgroundTask(shop.ran.append, "its own")
        return StreamingResponse(body(), status_code=409, background=task)

    await shop.check(shop.app({IntegrityError: handle}), 409, "one 2", ["its own"])


async def test_a_handler_that_fails(shop: Shop) -> None:  # W14
    """Its own error goes on: 500."""
    problem = ValueError("broken")

    async def handle(request: Request, error: Exception) -> Response:
        raise problem

    assert await shop.check(shop.app({IntegrityError: handle}), 500, "Internal Server Error", []) is problem


async def test_a_handler_that_answers_nothing(shop: Shop) -> None:  # W14
    """Then nobody has answered, and the error goes on."""

    async def handle(request: Request, error: Exception) -> None:
        shop.ran.append("asked")

    error = await shop.check(shop.app({IntegrityError: handle}), 500, "Internal Server Error", ["asked"])
    assert isinstance(error, IntegrityError)


async def test_a_handler_can_not_read_the_body_again(shop: Shop) -> None:  # W14
    """A clear error in place of waiting for a message that never comes."""

    async def handle(request: Request, error: Exception) -> Response:
        return PlainTextResponse(await request.body())

    error = await shop.check(shop.app({IntegrityError: handle}), 500, "Internal Server Error", [])
    assert isinstance(error, RuntimeError)
    assert "can't be read by the handler of an error that COMMIT raised" in str(error)


# A handler that raises


def raising(error: Exception) -> Any:
    async def handle(request: Request, caught: Exception) -> Response:
        raise error

    return handle


async def test_an_http_exception_of_a_handler_is_answered(shop: Shop) -> None:  # W14
    """As for a statement's error: by Starlette's own handler, 409."""
    error = await shop.check(shop.app({IntegrityError: raising(HTTPException(409, "exists"))}), 409, "exists", [])
    assert error is None


@pytest.mark.parametrize("kind", [409, HTTPException])
async def test_it_is_answered_by_the_apps_handler_for_it(shop: Shop, kind: Any) -> None:  # W14
    """By the one for its status, or for its class."""
    handlers = {IntegrityError: raising(HTTPException(409)), kind: shop.handler("second")}
    await shop.check(shop.app(handlers), 409, "second", ["second: HTTPException"])


async def test_the_handler_for_the_status_comes_first(shop: Shop) -> None:  # W14
    """Before the one for the class."""
    handlers = {409: shop.handler("status"), HTTPException: shop.handler("class")}
    app = shop.app({IntegrityError: raising(HTTPException(409)), **handlers})
    await shop.check(app, 409, "status", ["status: HTTPException"])


async def test_the_inner_app_answers_what_its_handler_raises(shop: Shop) -> None:  # W14
    """As for a statement's error: the inner app has a handler for every HTTPException, so the outer is not asked."""
    child = shop.app({IntegrityError: raising(HTTPException(409))})
    app = Starlette(routes=[Mount("/child", app=child)], exception_handlers={409: shop.handler("outer")})
    await shop.check(app, 409, "Conflict", [], "/child/")


async def test_a_handler_that_raises_the_same_error_is_asked_once(shop: Shop) -> None:  # W14
    """The error goes on to the server."""

    async def handle(request: Request, error: Exception) -> Response:
        shop.ran.append("asked")
        raise error

    error = await shop.check(shop.app({IntegrityError: handle}), 500, "Internal Server Error", ["asked"])
    assert isinstance(error, IntegrityError)


async def test_an_error_of_another_class_is_answered_by_its_handler(shop: Shop) -> None:  # W14
    """Once: what that raises goes on to the server."""
    second = LookupError("second")
    handlers = {IntegrityError: raising(KeyError("first")), LookupError: raising(second)}
    error = await shop.check(shop.app(handlers), 500, "Internal Server Error", [])
    assert error is second
    assert isinstance(error.__context__, KeyError)


# Other failures of COMMIT


async def test_a_serialization_failure(postgres: Backend) -> None:  # W14
    """Two transactions, each of which read what the other wrote: the second to commit is refused, and mapped."""
    other = SQLSpec()
    beside = other.add_config(postgres.config())

    async def work(request: Request) -> Response:
        db = plugin.get_session(request)
        await db.begin(isolation="serializable")
        async with other.provide_session(beside) as competitor:
            await competitor.begin(isolation="serializable")
            for session in (db, competitor):
                await session.select(postgres.select)
            await db.execute(postgres.insert, "mine")
            await competitor.execute(postgres.insert, "theirs")
            await competitor.commit()
        return Response(status_code=201)

    def again(request: Request, error: Exception) -> Response:
        return PlainTextResponse("again", status_code=409)

    spec = SQLSpec()
    spec.add_config(postgres.config(commit_mode="autocommit"))
    app = Starlette(routes=[Route("/", work, methods=["POST"])], exception_handlers={SerializationError: again})
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        response = await client.post("/")
    await other.close_all_pools()
    assert (response.status, response.text, response.error) == (409, "again", None)
    assert await postgres.rows() == ["theirs"]


async def test_a_partial_commit_is_not_what_its_cause_is(  # W14 W15
    mariadb: Backend, deferring: Backend, orphans: str
) -> None:
    """A handler for the second database's error would tell a lie: PartialCommitError is asked for, and has its own."""
    asked: list[str] = []

    async def work(request: Request) -> Response:
        await plugin.get_session(request, "one").execute(mariadb.insert, "saved")
        await plugin.get_session(request, "two").execute(orphans)
        return Response(status_code=201)

    async def conflict(request: Request, error: Exception) -> Response:
        asked.append("conflict")
        return Response(status_code=409)

    async def partly(request: Request, error: Exception) -> Response:
        assert isinstance(error, PartialCommitError)
        assert isinstance(error.__cause__, IntegrityError)
        asked.append(f"{error.committed} {error.failed}")
        return Response(status_code=500)

    handlers: dict[Any, Any] = {IntegrityError: conflict, PartialCommitError: partly}
    app = Starlette(routes=[Route("/", work, methods=["POST"])], exception_handlers=handlers)
    spec = SQLSpec()
    spec.add_config(mariadb.config(session_key="one", commit_mode="autocommit"))
    spec.add_config(deferring.config(session_key="two", commit_mode="autocommit"))
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        response = await client.post("/")
    assert (response.status, response.error, asked) == (500, None, ["('one',) two"])
    assert await mariadb.rows() == ["saved"]
