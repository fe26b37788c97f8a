"""Dependencies for FastAPI as tests and OpenAPI see them: overridden, and not at all.

No ``from __future__ import annotations``: FastAPI could not find the names of a test's own functions.
"""

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Query

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.driver import AsyncDriverAdapterBase, SyncDriverAdapterBase
from sqlspec.extensions.fastapi import SQLSpecPlugin
from tests.web.client import serving


def memory() -> AiosqliteConfig:
    return AiosqliteConfig(pool_config={"database": ":memory:"})


def app_with(*configs: Any) -> tuple[FastAPI, SQLSpecPlugin]:
    """An app and its plugin; the configs are named ``main`` and ``other``."""
    spec = SQLSpec()
    for config, name in zip(configs, ("main", "other"), strict=False):
        spec.add_config(config, name=name)
    app = FastAPI()
    return app, SQLSpecPlugin(spec, app)


# Overrides


KEYS = [None, "main", "db_session", "db_connection", "db_pool", "config"]


@pytest.mark.parametrize("attached", [True, False], ids=["attached", "before-attaching"])
@pytest.mark.parametrize("made_with", KEYS)
async def test_an_override_is_found_whatever_its_key(made_with: str | None, attached: bool) -> None:  # W23
    """By each key that an endpoint may have asked with, also when the plugin knew no config yet; the others stay."""
    config = memory()
    spec = SQLSpec()
    app = FastAPI()
    plugin = SQLSpecPlugin(spec)

    def attach() -> None:
        spec.add_config(config, name="main")
        spec.add_config(memory(), name="other")
        plugin.init_app(app)

    if attached:
        attach()
    key_of: dict[str | None, AiosqliteConfig | str | None] = {**{key: key for key in KEYS}, "config": config}
    app.dependency_overrides[plugin.provide_session(key_of[made_with])] = lambda: "session"
    app.dependency_overrides[plugin.provide_connection(key_of[made_with])] = lambda: "connection"
    for asked_with in KEYS:

        @app.get(f"/{asked_with}")
        async def look(
            db: Annotated[Any, Depends(plugin.provide_session(key_of[asked_with]))],
            connection: Annotated[Any, Depends(plugin.provide_connection(key_of[asked_with]))],
            other: Annotated[Any, Depends(plugin.provide_session("other"))],
        ) -> list[Any]:
            return [db, connection, isinstance(other, AsyncDriverAdapterBase)]

    if not attached:
        attach()
    async with serving(app) as client:
        answers = [(await client.get(f"/{asked_with}")).json() for asked_with in KEYS]
    assert answers == [["session", "connection", True]] * len(KEYS)


async def test_an_override_by_a_generator() -> None:  # W23
    """A session of another registry, as a test would do; the plugin's stays unused."""
    config = memory()
    app, plugin = app_with(config)
    spec = SQLSpec()
    seeded = spec.add_config(memory())

    async def session() -> AsyncGenerator[AsyncDriverAdapterBase]:
        async with spec.provide_session(seeded) as db:
            await db.execute("CREATE TABLE t AS SELECT 7 AS seven")
            yield db

    app.dependency_overrides[plugin.provide_session()] = session

    @app.get("/")
    async def look(db: Annotated[Any, Depends(plugin.provide_session(config))]) -> int:
        value: int = await db.select_value("SELECT seven FROM t")
        return value

    async with serving(app) as client:
        assert (await client.get("/")).json() == 7
    await spec.close_all_pools()


def test_dependencies_of_two_plugins_are_different() -> None:  # W23
    """The same key of another registry is another database; a session is no connection."""
    config = memory()
    _, one = app_with(config)
    _, two = app_with(memory())
    assert one.provide_session() == one.provide_session("main") == one.provide_session(config)
    assert len({one.provide_session(), one.provide_session("main"), one.provide_session("db_session")}) == 1
    assert one.provide_session() != two.provide_session()
    assert one.provide_session() != one.provide_connection()
    assert one.provide_session("nobody") != one.provide_session()
    assert one.provide_session("nobody") == one.provide_session("nobody")
    assert one.provide_session() != "main"


# OpenAPI


async def test_nothing_of_it_is_in_openapi() -> None:  # W23
    """The document is that of the same endpoint without sessions: no parameter, no schema, no 422."""
    config = memory()
    with_sessions, plugin = app_with(config, SqliteConfig())
    without = FastAPI()

    @without.get("/bare")
    @without.get("/named")
    async def look(limit: int = 5) -> list[str]:
        return []

    @with_sessions.get("/named")
    async def look_named(
        db: Annotated[AsyncDriverAdapterBase, Depends(plugin.provide_session(config))],
        other: Annotated[SyncDriverAdapterBase, Depends(plugin.provide_session("other"))],
        connection: Annotated[Any, Depends(plugin.provide_connection())],
        limit: Annotated[int, Query()] = 5,
    ) -> list[str]:
        return []

    @with_sessions.get("/bare", dependencies=[Depends(plugin.provide_session())])
    async def look_bare(db: Annotated[Any, Depends(plugin.provide_session())]) -> list[str]:
        return []

    found, expected = with_sessions.openapi(), without.openapi()
    assert found["paths"]["/named"]["get"]["parameters"] == expected["paths"]["/named"]["get"]["parameters"]
    assert "parameters" not in found["paths"]["/bare"]["get"]
    assert list(found["paths"]["/bare"]["get"]["responses"]) == ["200"]
    assert found["components"] == expected["components"]
