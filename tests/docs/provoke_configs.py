"""Provokers of errors in configs, the registry and what is installed."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sqlspec import SQLSpec, exceptions
from sqlspec.adapters import load_config
from tests.docs.error_table import POSTGRES, SQLITE, provokes

if TYPE_CHECKING:
    from tests.docs.error_table import Stage


def config(on: Stage, pool_config: dict[str, Any] | None = None, **options: Any) -> None:
    on.new_config(pool_config, **options)


@provokes("unknown-key")
async def unknown_key(on: Stage) -> None:
    config(on, {"max_sise": 5})


@provokes("alias-and-original", SQLITE)
async def alias_and_original(on: Stage) -> None:
    config(on, {"pool_size": 5})  # beside the max_size of the stage


@provokes("sizes")
async def sizes(on: Stage) -> None:
    config(on, {"min_size": 5, "max_size": 2})


@provokes("wrong-kind")
async def wrong_kind(on: Stage) -> None:
    config(on, {"timeout": "5"})


@provokes("no-mapping")
async def no_mapping(on: Stage) -> None:
    config(on, extension_config={"starlette": "autocommit"})


@provokes("scope-entered-twice")
async def scope_entered_twice(on: Stage) -> None:
    scope = on.session()
    async with scope, scope:
        pass


@provokes("locked-at-opening", SQLITE)
async def locked_at_opening(on: Stage) -> None:
    path = on.config.pool_config["database"]
    await on.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        async with on.session(on.new_config({"timeout": 0.01})) as db:
            await db.execute("SELECT 1")


@provokes("no-answer", POSTGRES)
async def no_answer(on: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = {"dsn": "postgresql://localhost/app", "host": "127.0.0.1", "port": server.getsockname()[1]}
        async with on.session(on.new_config(place, acquire_timeout=0.1)) as db:
            await db.execute("SELECT 1")


@provokes("unknown-feature")
async def unknown_feature(on: Stage) -> None:
    config(on, driver_features={"json_serialiser": str})


@provokes("no-seconds")
async def no_seconds(on: Stage) -> None:
    config(on, acquire_timeout=0)


@provokes("unknown-pooler")
async def unknown_pooler(on: Stage) -> None:
    config(on, pooler="session")


@provokes("pooler-and-cache", POSTGRES)
async def pooler_and_cache(on: Stage) -> None:
    config(on, {"statement_cache_size": 100}, pooler="transaction")


@provokes("other-scheme", POSTGRES)
async def other_scheme(on: Stage) -> None:
    config(on, {"dsn": "mysql://localhost/app"})


@provokes("unreadable-dsn", POSTGRES)
async def unreadable_dsn(on: Stage) -> None:
    config(on, {"dsn": "postgresql://me:pass:word@localhost:x/app"})


@provokes("refused-by-driver", POSTGRES)
async def refused_by_driver(on: Stage) -> None:
    async with on.session(on.new_config({"host": ["a", "b", "c"], "port": [1, 2]})) as db:
        await db.execute("SELECT 1")


@provokes("database-twice", SQLITE)
async def database_twice(on: Stage) -> None:
    config(on, {"uri": "sqlite:///app.db"})  # beside the database of the stage


@provokes("no-sqlite-url", SQLITE)
async def no_sqlite_url(on: Stage) -> None:
    load_config(on.adapter.name)(pool_config={"uri": "sqlite://app.db"})


@provokes("url-of-another", SQLITE)
async def url_of_another(on: Stage) -> None:
    config(on, {"database": "postgresql://me:secret@localhost/app"})


@provokes("empty-name", SQLITE)
async def empty_name(on: Stage) -> None:
    config(on, {"database": ""})


@provokes("no-pragma", SQLITE)
async def no_pragma(on: Stage) -> None:
    config(on, {"pragmas": {"foreign_keys": "on; DROP TABLE users"}})


@provokes("missing-extra", ("aiosqlite", "asyncpg"))
async def missing_extra(on: Stage) -> None:
    """In a process of its own, which has no such package."""
    name = on.adapter.name
    program = (
        f"import sys; sys.modules[{name!r}] = None\n"
        "from sqlspec.exceptions import SQLSpecError\n"
        f"try: import sqlspec.adapters.{name}\n"
        "except SQLSpecError as error: print(type(error).__name__, error.package, error.extra, error, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    kind, package, extra, text = done.stdout.splitlines()
    error = getattr(exceptions, kind)(package, extra)
    assert str(error) == text
    raise error


@provokes("unknown-adapter")
async def unknown_adapter(on: Stage) -> None:
    load_config(f"{on.adapter.name}2")


@provokes("unknown-name")
async def unknown_name(on: Stage) -> None:
    spec = SQLSpec()
    spec.add_config(on.config, name="main")
    spec.provide_session("mian")


@provokes("not-registered")
async def not_registered(on: Stage) -> None:
    SQLSpec().get_pool(on.config)


@provokes("registered-twice")
async def registered_twice(on: Stage) -> None:
    spec = SQLSpec()
    spec.add_config(on.config)
    spec.add_config(on.config)


@provokes("name-taken")
async def name_taken(on: Stage) -> None:
    spec = SQLSpec()
    spec.add_config(on.config, name="main")
    spec.add_config(on.new_config(), name="main")


@provokes("pool-without-loop", ("aiosqlite", "asyncpg"))
async def pool_without_loop(on: Stage) -> None:
    spec = SQLSpec()
    spec.add_config(on.config)
    raised: list[Exception] = []

    def ask() -> None:
        try:
            spec.get_pool(on.config)
        except exceptions.SQLSpecError as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    raise raised[0]
