"""What sessions, registries and pools are for mypy and pyright (both strict). The asserts run as a test, too."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type
from uuid import UUID

import aiosqlite
import asyncpg
import pytest
from asyncpg.pool import PoolConnectionProxy

from sqlspec import SQLResult, SQLSpec
from sqlspec._async.pool import AsyncPool
from sqlspec._async.stream import AsyncRowStream
from sqlspec._sync.pool import SyncPool
from sqlspec._sync.stream import SyncRowStream
from sqlspec.adapters.aiosqlite import AiosqliteConfig, AiosqliteDriver
from sqlspec.adapters.asyncpg import AsyncpgConfig, AsyncpgDriver
from sqlspec.adapters.sqlite import SqliteConfig, SqliteDriver
from sqlspec.config import AsyncDatabaseConfig, SyncDatabaseConfig
from sqlspec.driver import AsyncDriverAdapterBase, SyncDriverAdapterBase
from sqlspec.exceptions import ImproperConfigurationError

if TYPE_CHECKING:  # at run time asyncpg's classes take no arguments
    AsyncpgPool = asyncpg.Pool[asyncpg.Record]
    AsyncpgConnectionScope = AbstractAsyncContextManager[PoolConnectionProxy[asyncpg.Record]]

USERS = "SELECT 1 AS id, 'a' AS name"


@dataclass
class User:
    id: int
    name: str


async def test_async_sessions(tmp_path: Path) -> None:
    """provide_session() of a config is its own driver; a schema type is what comes back."""  # X3 R3
    spec = SQLSpec()
    config = assert_type(spec.add_config(AiosqliteConfig(pool_config={"database": tmp_path / "x.db"})), AiosqliteConfig)
    async with spec.provide_session(config) as db:
        assert_type(db, AiosqliteDriver)
        assert_type(await db.execute(USERS), SQLResult)
        assert_type(await db.execute_many("SELECT ?", [(1,)]), SQLResult)
        assert_type(await db.select(USERS), list[dict[str, Any]])
        assert_type(await db.select(USERS, schema_type=User), list[User])
        assert_type(await db.select_one(USERS), dict[str, Any])
        assert_type(await db.select_one(USERS, schema_type=User), User)
        assert_type(await db.select_one_or_none(USERS), dict[str, Any] | None)
        assert_type(await db.select_one_or_none(USERS, schema_type=User), User | None)
        assert_type(await db.select_value(USERS), Any)
        assert_type(await db.select_value(USERS, schema_type=int), int)
        assert_type(await db.select_value_or_none(USERS, schema_type=int), int | None)
        assert await db.select_value(USERS, schema_type=int | None) == 1
        async with assert_type(db.select_stream(USERS, schema_type=User), AsyncRowStream[User]) as rows:
            async for row in rows:
                assert_type(row, User)
        async with db.select_stream(USERS) as dicts:
            async for each in dicts:
                assert_type(each, dict[str, Any])
        async with db.transaction():
            pass
    async with spec.provide_connection(config) as connection:
        assert_type(connection, aiosqlite.Connection)
    assert_type(spec.get_pool(config), AsyncPool[aiosqlite.Connection])
    await spec.close_all_pools()


def test_sync_sessions() -> None:
    """The same for the other colour, by ``with``."""  # X3 R3
    with SQLSpec() as spec:
        config = assert_type(spec.add_config(SqliteConfig()), SqliteConfig)
        with spec.provide_session(config) as db:
            assert_type(db, SqliteDriver)
            assert_type(db.execute(USERS), SQLResult)
            assert_type(db.select(USERS, schema_type=User), list[User])
            assert_type(db.select_one(USERS), dict[str, Any])
            assert_type(db.select_one(USERS, schema_type=User), User)
            assert_type(db.select_one_or_none(USERS, schema_type=User), User | None)
            assert_type(db.select_value(USERS, schema_type=int), int)
            assert_type(db.select_value_or_none("SELECT 1 WHERE 0", schema_type=UUID), UUID | None)
            with assert_type(db.select_stream(USERS, schema_type=User), SyncRowStream[User]) as rows:
                for row in rows:
                    assert_type(row, User)
            with db.transaction():
                pass
        with spec.provide_connection(config) as connection:
            assert_type(connection, sqlite3.Connection)
        assert_type(spec.get_pool(config), SyncPool[sqlite3.Connection])


async def test_a_name_gives_the_base_class(tmp_path: Path) -> None:
    """``async with`` gives the async base, ``with`` the sync one: which it is only the config knows."""  # X3
    spec = SQLSpec()
    spec.add_config(AiosqliteConfig(pool_config={"database": tmp_path / "x.db"}), name="main")
    spec.add_config(SqliteConfig(), name="other")
    async with spec.provide_session("main") as db:
        assert_type(db, AsyncDriverAdapterBase)
        assert_type(await db.select_one(USERS, schema_type=User), User)
    with spec.provide_session("other") as sync_db:
        assert_type(sync_db, SyncDriverAdapterBase)
        assert_type(sync_db.select_one(USERS, schema_type=User), User)
    assert_type(spec.get_pool("main"), Any)
    await spec.close_all_pools()


async def test_asyncpg() -> None:
    """Its own pool and its own connection. Nothing is contacted."""  # X3 S10
    spec = SQLSpec()
    config = assert_type(
        spec.add_config(AsyncpgConfig(pool_config={"dsn": "postgresql://nobody@127.0.0.1:1/x", "min_size": 0})),
        AsyncpgConfig,
    )
    async with spec.provide_session(config) as db:
        assert_type(db, AsyncpgDriver)
    assert_type(spec.get_pool(config), "AsyncpgPool")
    assert_type(spec.provide_connection(config), "AsyncpgConnectionScope")
    await spec.close_all_pools()


def annotated(
    config: AsyncDatabaseConfig[Any, Any, AsyncpgDriver],
    other: SyncDatabaseConfig[Any, Any, Any],
    db: AsyncDriverAdapterBase,
) -> None:
    """Functions that take any config, or any session without type arguments."""
    assert_type(config.create_session(), AsyncpgDriver)
    assert_type(db.is_rollback_only, bool)
    assert_type(other.max_size, int)


def test_unknown_keys_are_found_by_the_checkers_and_by_us() -> None:
    """``pool_config`` is a TypedDict: the comments below are errors if the checkers do not complain."""  # C1
    with pytest.raises(ImproperConfigurationError):
        SqliteConfig(pool_config={"databse": "x.db"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError):
        SqliteConfig(nonsense=1)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
