"""What FastAPI makes of errors and responses, and what becomes of a request's work then.

No ``from __future__ import annotations``: FastAPI could not find the names of a test's own functions.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from importlib.util import find_spec
from inspect import signature
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import ResponseValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

from sqlspec import SQLSpec
from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.driver import AsyncDriverAdapterBase, SyncDriverAdapterBase
from sqlspec.exceptions import IntegrityError, SessionClosedError
from sqlspec.extensions.fastapi import SQLSpecPlugin
from tests.web.backends import Backend
from tests.web.client import Message, serving

NAMED_SCOPES = ["function", "request"] if "scope" in signature(Depends).parameters else []
"""When a dependency that yields ends, as ``Depends`` is told from FastAPI 0.121 on."""
SCOPES = [pytest.param({}, id="default"), *(pytest.param({"scope": scope}, id=scope) for scope in NAMED_SCOPES)]

BODIES = ["response", *(["generator"] if find_spec("fastapi.sse") else [])]
"""How an endpoint streams: newer FastAPIs also take endpoints that are generators."""


class Item(BaseModel):
    name: str


def app_with(config: Any) -> tuple[FastAPI, SQLSpecPlugin]:
    spec = SQLSpec()
    spec.add_config(config)
    app = FastAPI()
    return app, SQLSpecPlugin(spec, app)


# Responses that are no success


async def test_a_404_after_an_insert_rolls_back(backend: Backend) -> None:  # W12
    """HTTPException is answered by FastAPI's own handler; the status decides."""
    app, plugin = app_with(backend.config(commit_mode="autocommit"))

    @app.post("/{name}")
    async def add(name: str, db: Annotated[Any, Depends(plugin.provide_session())]) -> str:
        await db.execute(backend.insert, name)
        if name == "lost":
            raise HTTPException(404, "no")
        return name

    async with serving(app) as client:
        responses = [await client.post(f"/{name}") for name in ("lost", "kept")]
    assert [(response.status, response.error) for response in responses] == [(404, None), (200, None)]
    assert await backend.rows() == ["kept"]


async def test_a_response_that_is_not_of_its_model_rolls_back(backend: Backend) -> None:  # W13
    """It is checked after the endpoint and before the start: 500, and nothing is saved."""
    app, plugin = app_with(backend.config(commit_mode="autocommit"))

    @app.post("/", response_model=Item)
    async def add(db: Annotated[Any, Depends(plugin.provide_session())]) -> dict[str, str]:
        await db.execute(backend.insert, "lost")
        return {"nmae": "lost"}

    async with serving(app) as client:
        response = await client.post("/")
    assert isinstance(response.error, ResponseValidationError)
    assert response.status == 500
    assert await backend.rows() == []


async def test_a_request_that_is_not_valid_touches_no_pool() -> None:  # W8 W23
    """422, with the database out of reach; the endpoint, and so the session's first statement, never runs."""
    unreachable = AsyncpgConfig(
        pool_config={"dsn": "postgresql://nobody@127.0.0.1:1/nothing", "min_size": 0},
        extension_config={"fastapi": {"commit_mode": "autocommit"}},
    )
    app, plugin = app_with(unreachable)

    @app.post("/")
    async def add(item: Item, db: Annotated[Any, Depends(plugin.provide_session())]) -> None:
        await db.execute("SELECT 1")

    async with serving(app) as client:
        refused = await client.post("/", json={"nmae": "x"}, headers={"content-type": "application/json"})
        reached = await client.post("/", json={"name": "x"}, headers={"content-type": "application/json"})
    assert (refused.status, refused.error) == (422, None)
    assert (reached.status, type(reached.error).__name__) == (500, "ConnectionFailedError")


@pytest.mark.parametrize(("name", "status"), [("kept", 201), ("lost", 409)])
async def test_plain_functions_on_a_sync_config(sqlite: Backend, name: str, status: int) -> None:  # W20 W11
    """The same rules: what the client reads in the status is in the database, or is not, when it comes."""
    config = SqliteConfig(
        pool_config={"database": str(sqlite.path)}, extension_config={"fastapi": {"commit_mode": "autocommit"}}
    )
    app, plugin = app_with(config)
    seen: list[list[str]] = []

    @app.post("/{name}", status_code=201)
    def add(name: str, db: Annotated[SyncDriverAdapterBase, Depends(plugin.provide_session(config))]) -> None:
        db.execute(sqlite.insert, name)
        if name == "lost":
            raise HTTPException(409)

    async def look(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.append(await sqlite.rows())

    async with serving(app) as client:
        response = await client.post(f"/{name}", watch=look)
    assert (response.status, seen) == (status, [["kept"] if status == 201 else []])


# COMMIT fails


@pytest.fixture
async def orphans(deferring: Backend) -> AsyncIterator[str]:
    """A statement that only fails at COMMIT."""
    table = f"{deferring.table}_child"
    await deferring.run(
        f"CREATE TABLE {table} (name TEXT REFERENCES {deferring.table} (name) DEFERRABLE INITIALLY DEFERRED)"
    )
    yield f"INSERT INTO {table} (name) VALUES ('nobody')"
    await deferring.run(f"DROP TABLE {table}")


def failing_app(backend: Backend, orphans: str, ran: list[str], *beside: Any) -> FastAPI:
    """Its endpoint would be a 201 with a background task, and has other dependencies ``beside``."""
    app, plugin = app_with(backend.config(commit_mode="autocommit", pool_size=1))

    @app.post("/", status_code=201, dependencies=beside)
    async def add(db: Annotated[Any, Depends(plugin.provide_session())], tasks: BackgroundTasks) -> str:
        await db.execute(backend.insert, "a")
        await db.execute(orphans)
        tasks.add_task(ran.append, "background")
        return "saved"

    return app


async def conflict(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": type(error).__name__, "path": request.url.path}, status_code=409)


def conflict_in_thread(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": type(error).__name__, "path": request.url.path}, status_code=409)


async def test_a_failing_commit_is_a_500(deferring: Backend, orphans: str) -> None:  # W14
    """No byte of the 201, no background task, nothing saved; the server sees the database's own error."""
    ran: list[str] = []
    async with serving(failing_app(deferring, orphans, ran)) as client:
        responses = [await client.post("/") for _ in range(2)]
    for response in responses:
        assert isinstance(response.error, IntegrityError)
        assert (response.status, b"saved" in response.body) == (500, False)
    assert (ran, await deferring.rows()) == ([], [])


@pytest.mark.parametrize("handler", [conflict, conflict_in_thread], ids=["async", "sync"])
async def test_the_apps_handler_answers_a_failing_commit(  # W14
    deferring: Backend, orphans: str, handler: Any
) -> None:
    """It gets the request and the error as for a statement that fails in the endpoint."""
    ran: list[str] = []
    app = failing_app(deferring, orphans, ran)
    app.exception_handler(IntegrityError)(handler)
    async with serving(app) as client:
        response = await client.post("/")
    assert (response.status, response.error) == (409, None)
    assert response.json() == {"error": "ForeignKeyViolationError", "path": "/"}
    assert (ran, await deferring.rows()) == ([], [])


@pytest.mark.parametrize(("of_child", "answer"), [(True, "child"), (False, "parent")], ids=["child", "parent"])
async def test_the_handlers_of_a_mounted_app_come_first(  # W14
    deferring: Backend, orphans: str, of_child: bool, answer: str
) -> None:
    """Then those of the app that the plugin is attached to."""
    app, plugin = app_with(deferring.config(commit_mode="autocommit"))
    child = FastAPI()

    @child.post("/")
    async def add(db: Annotated[Any, Depends(plugin.provide_session())]) -> None:
        await db.execute(orphans)

    def say(text: str) -> Any:
        async def handler(request: Request, error: Exception) -> JSONResponse:
            return JSONResponse(text, status_code=409)

        return handler

    app.exception_handler(IntegrityError)(say("parent"))
    if of_child:
        child.exception_handler(IntegrityError)(say("child"))
    app.mount("/child", child)
    async with serving(app) as client:
        response = await client.post("/child/")
    assert (response.status, response.json(), response.error) == (409, answer, None)


@pytest.mark.parametrize("registered", [Exception, 500])
async def test_a_handler_for_everything_is_called_once(  # W14
    deferring: Backend, orphans: str, registered: Any
) -> None:
    """It answers 500, and the error goes on to the server, as with any error of an endpoint."""
    calls: list[Exception] = []
    app = failing_app(deferring, orphans, [])

    @app.exception_handler(registered)
    async def answer(request: Request, error: Exception) -> JSONResponse:
        calls.append(error)
        return JSONResponse({"error": "ours"}, status_code=500)

    async with serving(app) as client:
        response = await client.post("/")
    assert (response.status, response.json()) == (500, {"error": "ours"})
    assert calls == [response.error]
    assert isinstance(response.error, IntegrityError)


@pytest.mark.parametrize("handled", [False, True], ids=["unhandled", "handled"])
@pytest.mark.parametrize("on_error", ["raise", "swallow", "replace"])
@pytest.mark.parametrize("options", SCOPES)
async def test_dependencies_that_yield_change_nothing_of_it(  # W14 W23
    deferring: Backend, orphans: str, options: dict[str, Any], on_error: str, handled: bool
) -> None:
    """Whether it ends before the COMMIT or sees it fail, and whatever it does then: 500, or what the handler says."""
    ran: list[str] = []
    ended: list[str] = []

    async def beside() -> AsyncIterator[str]:
        try:
            yield "ours"
        except IntegrityError as error:
            if on_error == "raise":
                raise
            if on_error == "replace":
                raise HTTPException(418) from error
        finally:
            ended.append("ended")

    app = failing_app(deferring, orphans, ran, Depends(beside, **options))
    if handled:
        app.exception_handler(IntegrityError)(conflict)
    async with serving(app) as client:
        response = await client.post("/")
    assert response.status == (409 if handled else 500)
    assert isinstance(response.error, IntegrityError) is not handled
    assert (ran, ended, await deferring.rows()) == ([], ["ended"], [])


# After the endpoint


async def test_background_tasks_run_after_the_commit(backend: Backend) -> None:  # W11 W14
    """Of the endpoint and of a dependency; the request's session is closed by then, and says so."""
    app, plugin = app_with(backend.config(commit_mode="autocommit", pool_size=1))
    seen: list[Any] = []

    async def look(db: Any) -> None:
        seen.append(await backend.rows())
        try:
            await db.execute(backend.insert, "late")
        except SessionClosedError as error:
            seen.append(str(error))

    async def start(tasks: BackgroundTasks, db: Annotated[Any, Depends(plugin.provide_session())]) -> None:
        tasks.add_task(look, db)

    @app.post("/", dependencies=[Depends(start)])
    async def add(db: Annotated[Any, Depends(plugin.provide_session())]) -> None:
        await db.execute(backend.insert, "a")

    async with serving(app) as client:
        assert (await client.post("/")).error is None
    [rows, problem] = seen
    assert rows == ["a"]
    assert "provide_session(config)" in problem
    assert await backend.rows() == ["a"]


@pytest.mark.parametrize("options", SCOPES)
async def test_what_a_dependency_writes_at_its_end(sqlite: Backend, options: dict[str, Any]) -> None:  # W17 W23
    """Before the start it is saved with the rest; FastAPIs that end it after the response get an error."""
    app, plugin = app_with(sqlite.config(commit_mode="autocommit", pool_size=1))

    async def audited(db: Annotated[Any, Depends(plugin.provide_session())]) -> AsyncIterator[Any]:
        yield db
        await db.execute(sqlite.insert, "at the end")

    @app.post("/")
    async def add(db: Annotated[Any, Depends(audited, **options)]) -> None:
        await db.execute(sqlite.insert, "a")

    async with serving(app) as client:
        response = await client.post("/")
    told = isinstance(response.error, SessionClosedError)
    assert response.status == 200
    assert await sqlite.rows() == (["a"] if told else ["a", "at the end"])
    assert not (told and options.get("scope") == "function")


@pytest.mark.parametrize("body", BODIES)
async def test_a_stream_in_the_body(backend: Backend, body: str) -> None:  # W16 W17
    """Opened inside it: what was written before is there, and all is given back at its end."""
    config = backend.config(commit_mode="autocommit", pool_size=1)
    app, plugin = app_with(config)
    sessions: list[Any] = []

    async def lines(db: Any) -> AsyncIterator[str]:
        async with db.select_stream(backend.select, schema_type=str) as names:
            async for name in names:
                yield f"{name}\n"

    async def write(db: Annotated[Any, Depends(plugin.provide_session())]) -> Any:
        sessions.append(db)
        await db.execute_many(backend.insert, [("a",), ("b",), ("c",)])
        return db

    async def response(db: Annotated[Any, Depends(write)]) -> StreamingResponse:
        return StreamingResponse(lines(db))

    async def generator(
        db: Annotated[Any, Depends(plugin.provide_session())], written: Annotated[Any, Depends(write)]
    ) -> AsyncGenerator[str]:
        async for line in lines(db):
            yield line

    endpoint: Any = generator if body == "generator" else response
    app.add_api_route("/", endpoint, methods=["POST"], response_class=StreamingResponse, response_model=None)
    async with serving(app) as client:
        answer = await client.post("/")
        assert (answer.error, answer.text) == (None, "a\nb\nc\n")
        assert config.connections.holders == []
    with pytest.raises(SessionClosedError):
        await sessions[0].select(backend.select)


async def test_a_stream_of_a_plain_function(sqlite: Backend) -> None:  # W16 W20
    """Each row may be asked for in another thread, one at a time."""
    config = SqliteConfig(pool_config={"database": str(sqlite.path), "max_size": 1})
    app, plugin = app_with(config)
    await sqlite.run(f"INSERT INTO {sqlite.table} (name) VALUES ('a'), ('b'), ('c')")

    @app.get("/", response_model=None)
    def stream(db: Annotated[SyncDriverAdapterBase, Depends(plugin.provide_session(config))]) -> StreamingResponse:
        def lines() -> Iterator[str]:
            with db.select_stream(sqlite.select, schema_type=str, chunk_size=1) as names:
                for name in names:
                    yield f"{name}\n"

        return StreamingResponse(lines())

    async with serving(app) as client:
        answers = [await client.get("/") for _ in range(2)]
    assert [(answer.error, answer.text) for answer in answers] == [(None, "a\nb\nc\n")] * 2


async def test_a_stream_opened_before_the_body_is_told(sqlite: Backend) -> None:  # W16
    """Its next row raises: a cut response, never a clean end."""
    app, plugin = app_with(sqlite.config(pool_size=1))
    await sqlite.run(f"INSERT INTO {sqlite.table} (name) VALUES ('a'), ('b')")

    @app.get("/", response_model=None)
    async def stream(
        db: Annotated[AsyncDriverAdapterBase, Depends(plugin.provide_session())],
    ) -> StreamingResponse:
        names = await db.select_stream(sqlite.select, schema_type=str, chunk_size=1).__aenter__()
        return StreamingResponse(f"{name}\n" async for name in names)

    async with serving(app) as client:
        answer = await client.get("/")
    [error] = getattr(answer.error, "exceptions", [answer.error])  # Starlette 0.40 raises a group of one
    assert "Open the stream inside the body" in str(error)
    assert [message["type"] for message in answer.messages] == ["http.response.start"]
