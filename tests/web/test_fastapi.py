"""Dependencies for FastAPI: what they give, and to whom.

No ``from __future__ import annotations``: FastAPI could not find the names of a test's own functions.
"""

import asyncio
import functools
from collections.abc import AsyncGenerator
from typing import Annotated, Any

import fastapi
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, WebSocket
from packaging.version import Version

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.driver import AsyncDriverAdapterBase, SyncDriverAdapterBase
from sqlspec.exceptions import ImproperConfigurationError, SessionClosedError
from sqlspec.extensions.fastapi import SQLSpecPlugin
from tests.web.client import Client, serving
from tests.web.test_sockets import Socket


def memory(**options: Any) -> AiosqliteConfig:
    return AiosqliteConfig(pool_config={"database": ":memory:"}, extension_config={"fastapi": options})


def sync_memory(**options: Any) -> SqliteConfig:
    return SqliteConfig(pool_config={"database": ":memory:"}, extension_config={"fastapi": options})


def app_with(*configs: Any) -> tuple[FastAPI, SQLSpecPlugin]:
    """An app and its plugin; the configs are named ``main`` and ``other``."""
    spec = SQLSpec()
    for config, name in zip(configs, ("main", "other"), strict=False):
        spec.add_config(config, name=name)
    app = FastAPI()
    return app, SQLSpecPlugin(spec, app)


async def answer(app: FastAPI, path: str = "/") -> Any:
    async with serving(app) as client:
        response = await client.get(path)
    if response.error is not None:
        raise response.error
    return response.json()


async def error_of(app: FastAPI) -> ImproperConfigurationError:
    async with serving(app) as client:
        error = (await client.get("/")).error
    assert isinstance(error, ImproperConfigurationError)
    return error


# Options


@pytest.mark.parametrize(
    ("sections", "key"),
    [
        ({}, "db_session"),
        ({"fastapi": {"session_key": "mine"}}, "mine"),
        ({"starlette": {"session_key": "theirs"}}, "theirs"),
        ({"fastapi": {"session_key": "mine"}, "starlette": {"session_key": "theirs"}}, "mine"),
        ({"fastapi": {}, "starlette": {"session_key": "theirs"}}, "db_session"),
    ],
)
async def test_its_own_section_comes_before_starlettes(sections: dict[str, dict[str, Any]], key: str) -> None:  # W2
    """One of them counts, as a whole."""
    app, plugin = app_with(AiosqliteConfig(pool_config={"database": ":memory:"}, extension_config=sections))

    @app.get("/")
    async def look(request: Request) -> bool:
        return getattr(request.state, key) is plugin.get_session(request)

    assert await answer(app) is True


@pytest.mark.parametrize(
    ("sections", "problem"),
    [
        ({"fastapi": {"comit_mode": "autocommit"}}, r"extension_config\['fastapi'\].*Did you mean 'commit_mode'"),
        ({"fastpai": {"commit_mode": "autocommit"}}, "Did you mean 'fastapi'"),
        ({"starlete": {"commit_mode": "autocommit"}}, "Did you mean 'starlette'"),
        ({"fastapi": {"commit_mode": "automatic"}}, "is not a mode"),
    ],
)
def test_a_typo_is_an_error_when_the_plugin_is_attached(sections: dict[str, Any], problem: str) -> None:  # W2
    """In an option and in the section's name: it must not silently mean manual mode."""
    with pytest.raises(ImproperConfigurationError, match=problem):
        app_with(AiosqliteConfig(pool_config={"database": ":memory:"}, extension_config=sections))


# What they give


@pytest.mark.parametrize("key", [None, "main", "db", "conn", "pool", "config"])
async def test_every_key_gives_the_session_of_the_request(key: str | None) -> None:  # W4 W5 W23
    """The object that get_session() gives and that is in request.state; so with the connection."""
    config = memory(session_key="db", connection_key="conn", pool_key="pool")
    app, plugin = app_with(config, memory(session_key="db2"))
    meant: AiosqliteConfig | str | None = config if key == "config" else key

    @app.get("/")
    async def look(
        request: Request,
        db: Annotated[Any, Depends(plugin.provide_session(meant))],
        again: Annotated[Any, Depends(plugin.provide_session(), use_cache=False)],
        connection: Annotated[Any, Depends(plugin.provide_connection(meant))],
    ) -> bool:
        assert db is again is request.state.db is plugin.get_session(request)
        assert connection is request.state.conn is plugin.get_connection(request)
        cursor = await connection.cursor()
        await cursor.execute("SELECT 1")
        row: tuple[int] = await cursor.fetchone()
        return row == (1,)

    assert await answer(app) is True


async def test_each_database_has_dependencies_of_its_own() -> None:  # W4
    """The second is found by its name, its key and its config."""
    other = memory(session_key="second")
    app, plugin = app_with(memory(), other)

    @app.get("/")
    async def look(
        request: Request,
        first: Annotated[Any, Depends(plugin.provide_session())],
        by_name: Annotated[Any, Depends(plugin.provide_session("other"))],
        by_key: Annotated[Any, Depends(plugin.provide_session("second"))],
        by_config: Annotated[Any, Depends(plugin.provide_session(other))],
    ) -> bool:
        return first is not by_name and by_name is by_key is by_config is request.state.second

    assert await answer(app) is True


async def test_an_unknown_key_is_told_with_the_known_ones() -> None:  # W4
    """In the request: configs may come after the endpoint was made."""
    app, plugin = app_with(memory())

    @app.get("/")
    async def look(db: Annotated[Any, Depends(plugin.provide_session("mian"))]) -> None: ...

    error = await error_of(app)
    assert "No configuration found for key: 'mian'. Did you mean 'main'?" in str(error)


async def test_without_the_middleware_the_error_says_what_to_do() -> None:  # W22
    """A plugin that is attached to no app."""
    spec = SQLSpec()
    spec.add_config(memory())
    plugin = SQLSpecPlugin(spec)
    app = FastAPI()

    @app.get("/")
    async def look(db: Annotated[Any, Depends(plugin.provide_session())]) -> None: ...

    error = (await Client(app).get("/")).error
    assert isinstance(error, ImproperConfigurationError)
    assert "init_app(app)" in str(error)


# Who may have which


async def test_a_sync_config_in_a_plain_function() -> None:  # W20 W23
    """Its statements run in the thread of the endpoint; the connection handle is the sync one."""
    config = sync_memory()
    app, plugin = app_with(config)

    @app.get("/")
    def look(
        db: Annotated[SyncDriverAdapterBase, Depends(plugin.provide_session(config))],
        connection: Annotated[Any, Depends(plugin.provide_connection(config))],
    ) -> list[Any]:
        return [db.select_value("SELECT 1"), *connection.cursor().execute("SELECT 2").fetchone()]

    assert await answer(app) == [1, 2]


@pytest.mark.parametrize("kind", ["function", "connection", "partial", "object", "generator"])
async def test_a_plain_function_is_refused_an_async_session(kind: str) -> None:  # W20 W23
    """Before it runs, by a message that names it and says both ways out."""
    app, plugin = app_with(memory())
    ran: list[str] = []
    wanted = plugin.provide_connection() if kind == "connection" else plugin.provide_session("main")

    def look(db: Annotated[Any, Depends(wanted)]) -> None:
        ran.append("function")

    class Look:
        def __call__(self, db: Annotated[Any, Depends(wanted)]) -> None:
            ran.append("object")

    def lines(db: Annotated[Any, Depends(wanted)]) -> Any:
        ran.append("generator")
        yield "line"

    endpoints: dict[str, Any] = {"partial": functools.partial(look), "object": Look(), "generator": lines}
    app.add_api_route("/", endpoints.get(kind, look), response_model=None)
    error = await error_of(app)
    assert "plain `def`" in str(error)
    assert "Write `async def`, or use a sync config" in str(error)
    assert kind in ("partial", "object", "generator") or "endpoint look " in str(error)
    assert ran == []


OBJECTS = (
    ["object", "partial-object", "wrapper", "partial-wrapper"]
    if Version(fastapi.__version__) >= Version("0.123.5")
    else []
)
"""Before, FastAPI itself took an object with an async call, and a wrapper of an async function, for plain functions."""


@pytest.mark.parametrize("kind", ["partial", *OBJECTS])
async def test_what_is_async_without_being_a_function(kind: str) -> None:  # W23
    """An endpoint may be a partial, an object or a decorated function: it is what it calls that counts."""
    app, plugin = app_with(memory())

    async def look(db: Annotated[Any, Depends(plugin.provide_session())]) -> int:
        value: int = await db.select_value("SELECT 1")
        return value

    class Look:
        async def __call__(self, db: Annotated[Any, Depends(plugin.provide_session())]) -> int:
            return await look(db)

    @functools.wraps(look)
    def wrapper(*args: Any, **options: Any) -> Any:
        return look(*args, **options)

    endpoints: dict[str, Any] = {
        "partial": functools.partial(look),
        "object": Look(),
        "partial-object": functools.partial(Look()),
        "wrapper": wrapper,
        "partial-wrapper": functools.partial(wrapper),
    }
    app.add_api_route("/", endpoints[kind], response_model=None)
    assert await answer(app) == 1


async def test_a_plain_function_may_have_what_an_async_dependency_found() -> None:  # W23
    """It is the dependency that uses the session, and it can await."""
    app, plugin = app_with(memory())

    async def found_by(db: Annotated[Any, Depends(plugin.provide_session())]) -> int:
        value: int = await db.select_value("SELECT 42")
        return value

    @app.get("/", dependencies=[Depends(plugin.provide_session())])
    def look(found: Annotated[int, Depends(found_by)]) -> int:
        return found

    assert await answer(app) == 42


class Repository:
    """A class as a dependency: FastAPI makes it in a thread."""

    def __init__(self, db: AsyncDriverAdapterBase) -> None:
        self.db = db

    async def answer(self) -> int:
        return await self.db.select_value("SELECT 42", schema_type=int)


async def test_a_class_may_depend_on_a_session() -> None:  # W23
    """It keeps it for the endpoint."""
    app, plugin = app_with(memory())

    class Answers(Repository):
        def __init__(self, db: Annotated[AsyncDriverAdapterBase, Depends(plugin.provide_session())]) -> None:
            super().__init__(db)

    @app.get("/")
    async def look(answers: Annotated[Answers, Depends()]) -> int:
        return await answers.answer()

    assert await answer(app) == 42


async def test_a_plain_dependency_may_hand_an_async_session_on() -> None:  # W23
    """One that runs in a thread and calls get_session() itself: what counts is where the session is used."""
    app, plugin = app_with(memory())

    def repository(request: Request) -> Repository:
        return Repository(plugin.get_session(request))

    @app.get("/")
    async def look(answers: Annotated[Repository, Depends(repository)]) -> int:
        return await answers.answer()

    assert await answer(app) == 42


async def test_used_in_a_plain_function_after_all() -> None:  # W20
    """Handed on to it, the first statement raises: nobody could await it."""
    app, plugin = app_with(memory())

    def repository(request: Request) -> Repository:
        return Repository(plugin.get_session(request))

    @app.get("/")
    def look(answers: Annotated[Repository, Depends(repository)]) -> None:
        answers.db.select_value("SELECT 1").close()

    error = await error_of(app)
    assert "without an event loop" in str(error)


async def test_asyncio_run_in_a_plain_function_is_refused() -> None:  # W20 W23
    """The connection belongs to the loop of the request; the error names provide_session(config)."""
    app, plugin = app_with(memory())

    def repository(request: Request) -> Repository:
        return Repository(plugin.get_session(request))

    @app.get("/")
    def look(answers: Annotated[Repository, Depends(repository)]) -> int:
        return asyncio.run(answers.answer())

    error = await error_of(app)
    assert "used in another one" in str(error)
    assert "provide_session(config)" in str(error)


# Routers, mounted apps, WebSockets


async def test_routers_in_routers() -> None:  # W23
    """Dependencies of routers, of routes and of arguments are one session; a plain function is refused there, too."""
    app, plugin = app_with(memory())
    seen: list[Any] = []

    async def note(db: Annotated[Any, Depends(plugin.provide_session())]) -> None:
        seen.append(db)

    inner = APIRouter(prefix="/inner", dependencies=[Depends(note)])
    outer = APIRouter(prefix="/outer", dependencies=[Depends(plugin.provide_session("main"))])

    @inner.get("/{name}")
    async def look(name: str, db: Annotated[Any, Depends(plugin.provide_session())]) -> bool:
        return db is seen[0]

    @inner.post("/{name}")
    def refused(name: str, db: Annotated[Any, Depends(plugin.provide_session())]) -> None: ...

    outer.include_router(inner)
    app.include_router(outer)
    async with serving(app) as client:
        assert (await client.get("/outer/inner/x")).json() is True
        assert "endpoint refused is a plain `def`" in str((await client.post("/outer/inner/x")).error)


@pytest.mark.parametrize("twice", [False, True], ids=["parent", "parent-and-child"])
async def test_a_mounted_app(twice: bool) -> None:  # W8 W23
    """Its endpoints get the sessions of the parent's plugin, also if that is attached to it as well."""
    app, plugin = app_with(memory())
    child = FastAPI()
    if twice:
        plugin.init_app(child)

    @child.get("/look")
    async def look(request: Request, db: Annotated[Any, Depends(plugin.provide_session())]) -> list[Any]:
        return [db is request.state.db_session, await db.select_value("SELECT 1")]

    app.mount("/child", child)
    assert await answer(app, "/child/look") == [True, 1]


async def test_a_websocket() -> None:  # W18 W23
    """Its dependencies give its session, which holds nothing between two statements."""
    config = memory()
    app, plugin = app_with(config)

    @app.websocket("/")
    async def talk(socket: WebSocket, db: Annotated[Any, Depends(plugin.provide_session(config))]) -> None:
        assert db is socket.state.db_session is plugin.get_session(socket)
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(await db.select_value("SELECT upper(?)", text))

    async with serving(app) as client:
        socket = Socket(client.app)
        assert await socket.ask("hello") == "HELLO"
        assert config.connections.holders == []
        await socket.leave()


# A generator that nobody keeps


async def test_a_session_whose_generator_was_dropped_says_so() -> None:  # W23 S8
    """``await get_session().__anext__()`` in a WebSocket keeps the session and not what it lives in."""
    spec = SQLSpec()
    config = spec.add_config(memory())
    app = FastAPI()

    async def get_session() -> AsyncGenerator[AsyncDriverAdapterBase]:
        async with spec.provide_session(config) as db:
            yield db

    @app.websocket("/")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        db = await get_session().__anext__()
        kept = get_session()
        lasting = await anext(kept)
        try:
            async with asyncio.timeout(5):
                while True:  # the event loop ends the generator when it comes to it
                    await db.select_value("SELECT 1")
        except SessionClosedError as error:
            await socket.send_text(f"{error} {await lasting.select_value('SELECT 2')}")
        await kept.aclose()

    async with serving(app) as client:
        socket = Socket(client.app)
        text = await socket.answer()
        await socket.leave()
    assert "garbage-collected" in text
    assert "provide_session(config)" in text
    assert text.endswith(" 2")
    await spec.close_all_pools()
