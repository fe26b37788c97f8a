"""What the web plugins' getters and dependencies give, for mypy and pyright (both strict). The asserts run, too.

No ``from __future__ import annotations``: FastAPI could not find the names of a test's own functions.
"""

from typing import Annotated, Any, assert_type

import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from sqlspec import SQLSpec
from sqlspec._async.handle import AsyncConnectionHandle
from sqlspec._sync.handle import SyncConnectionHandle
from sqlspec.adapters.aiosqlite import AiosqliteConfig, AiosqliteDriver
from sqlspec.adapters.asyncpg import AsyncpgConfig, AsyncpgDriver
from sqlspec.adapters.sqlite import SqliteConfig, SqliteDriver
from sqlspec.config import AsyncDatabaseConfig, SyncDatabaseConfig
from sqlspec.driver import AsyncDriverAdapterBase, SyncDriverAdapterBase
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.extensions import fastapi, starlette
from sqlspec.extensions.fastapi import Dependency


def test_dependencies() -> None:
    """Of a config: its own driver, and the handle of its colour. Of a name: what is annotated."""  # X3 W23
    spec = SQLSpec()
    postgres = spec.add_config(AsyncpgConfig(pool_config={"dsn": "postgresql://nobody@127.0.0.1:1/x"}), name="main")
    sqlite = spec.add_config(SqliteConfig(), name="other")
    plugin = fastapi.SQLSpecPlugin(spec, FastAPI(), request_id_header="x-request-id")
    assert_type(plugin.provide_session(postgres), Dependency[AsyncpgDriver])
    assert_type(plugin.provide_session(sqlite), Dependency[SqliteDriver])
    assert_type(plugin.provide_session(), Dependency[Any])
    assert_type(plugin.provide_session("main"), Dependency[Any])
    assert_type(plugin.provide_connection(postgres), Dependency[AsyncConnectionHandle])
    assert_type(plugin.provide_connection(sqlite), Dependency[SyncConnectionHandle])
    assert_type(plugin.provide_connection(), Dependency[Any])
    assert_type(plugin.provide_connection("main"), Dependency[Any])


def any_config(
    plugin: fastapi.SQLSpecPlugin,
    config: AsyncDatabaseConfig[Any, Any, AsyncDriverAdapterBase],
    sync_config: SyncDatabaseConfig[Any, Any, SyncDriverAdapterBase],
) -> None:
    """A config that is only known by its base gives the base of its sessions."""
    assert_type(plugin.provide_session(config), Dependency[AsyncDriverAdapterBase])
    assert_type(plugin.provide_session(sync_config), Dependency[SyncDriverAdapterBase])
    assert_type(plugin.provide_connection(config), Dependency[AsyncConnectionHandle])
    assert_type(plugin.provide_connection(sync_config), Dependency[SyncConnectionHandle])


async def called(
    plugin: fastapi.SQLSpecPlugin, connection: HTTPConnection, config: AsyncpgConfig, sync_config: SqliteConfig
) -> None:
    """What FastAPI gets when it calls them."""
    assert_type(await plugin.provide_session(config)(connection), AsyncpgDriver)
    assert_type(await plugin.provide_session(sync_config)(connection), SqliteDriver)
    assert_type(await plugin.provide_connection(config)(connection), AsyncConnectionHandle)
    assert_type(await plugin.provide_connection(sync_config)(connection), SyncConnectionHandle)
    assert_type(await plugin.provide_session("main")(connection), Any)


def getters(
    plugin: fastapi.SQLSpecPlugin,
    other: starlette.SQLSpecPlugin,
    request: Request,
    socket: WebSocket,
    config: AsyncpgConfig,
    sync_config: SqliteConfig,
) -> None:
    """Of both plugins, for requests and WebSockets."""
    assert_type(plugin.get_session(request, config), AsyncpgDriver)
    assert_type(plugin.get_session(socket, sync_config), SqliteDriver)
    assert_type(plugin.get_session(request), Any)
    assert_type(plugin.get_connection(socket, config), AsyncConnectionHandle)
    assert_type(plugin.get_connection(request, sync_config), SyncConnectionHandle)
    assert_type(plugin.get_connection(request, "main"), Any)
    assert_type(other.get_session(socket, config), AsyncpgDriver)
    assert_type(other.get_session(request, sync_config), SqliteDriver)
    assert_type(other.get_session(request, "main"), Any)
    assert_type(other.get_connection(request, config), AsyncConnectionHandle)
    assert_type(other.get_connection(socket, sync_config), SyncConnectionHandle)
    assert_type(other.get_connection(request), Any)


def are(*pairs: tuple[object, type]) -> bool:
    """Whether each object is of its type. (Asked directly, the checkers say that it must be.)"""
    return all(isinstance(given, kind) for given, kind in pairs)


def test_endpoints() -> None:
    """An endpoint says the driver's class, and gets an object of it."""  # W23 X3
    spec = SQLSpec()
    config = spec.add_config(AiosqliteConfig(pool_config={"database": ":memory:"}))
    sync_config = spec.add_config(SqliteConfig(), name="sync")
    app = FastAPI()
    plugin = fastapi.SQLSpecPlugin(spec, app)

    @app.get("/async")
    async def look(
        db: Annotated[AiosqliteDriver, Depends(plugin.provide_session(config))],
        connection: Annotated[AsyncConnectionHandle, Depends(plugin.provide_connection(config))],
    ) -> bool:
        assert_type(await db.select_value("SELECT 1", schema_type=int), int)
        return are((db, AiosqliteDriver), (connection, AsyncConnectionHandle))

    @app.get("/sync")
    def look_in_thread(
        db: Annotated[SqliteDriver, Depends(plugin.provide_session(sync_config))],
        connection: Annotated[SyncConnectionHandle, Depends(plugin.provide_connection(sync_config))],
    ) -> bool:
        assert_type(db.select_value("SELECT 1", schema_type=int), int)
        return are((db, SqliteDriver), (connection, SyncConnectionHandle))

    with TestClient(app) as client:
        assert [client.get(path).json() for path in ("/async", "/sync")] == [True, True]


def test_wrong_arguments_are_found_by_the_checkers_and_by_us() -> None:
    """The comments below are errors if the checkers do not complain."""
    spec = SQLSpec()
    spec.add_config(SqliteConfig())
    plugin = fastapi.SQLSpecPlugin(spec, FastAPI())
    request = Request({"type": "http", "headers": []})
    with pytest.raises(ImproperConfigurationError):
        plugin.get_session(request, 1)  # type: ignore[call-overload] # pyright: ignore[reportArgumentType, reportCallIssue]
    plugin.provide_session(1)  # type: ignore[call-overload] # pyright: ignore[reportArgumentType, reportCallIssue]
    plugin.provide_connection(1)  # type: ignore[call-overload] # pyright: ignore[reportArgumentType, reportCallIssue]
    with pytest.raises(TypeError):
        fastapi.SQLSpecPlugin(spec, Starlette(), "x-request-id")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
