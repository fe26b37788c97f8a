"""Every block of the FastAPI guide, run as written and held to what the guide says of it."""

from __future__ import annotations

import re
from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import BackgroundTasks, Depends
from fastapi.responses import StreamingResponse

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.driver import AsyncDriverAdapterBase
from sqlspec.exceptions import NotFoundError, SessionClosedError, UndefinedTableError, UniqueViolationError
from sqlspec.utils.logging import get_logger
from tests.web.client import Client, serving
from tests.web.guides.reading import Guide

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

    from sqlspec.servers import PostgresServer

SCHEMA = """
CREATE TABLE users (id SERIAL PRIMARY KEY, email TEXT NOT NULL UNIQUE);
CREATE TABLE events (id SERIAL PRIMARY KEY);
INSERT INTO events DEFAULT VALUES;
INSERT INTO events DEFAULT VALUES;
"""

JSON = {"content-type": "application/json"}

SCOPES = [None, *(("function", "request") if "scope" in signature(Depends).parameters else ())]
"""What each ``Depends(...)`` of the guide is told. There it is told nothing; FastAPI knows scopes from 0.121 on."""

in_each_scope = pytest.mark.parametrize("scope", SCOPES)


@pytest.fixture
def guide(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Guide]:
    with postgres_server.temporary_database("sqlspec_guide") as dsn:
        yield Guide("fastapi", dsn, tmp_path)


async def app_of(guide: Guide, scope: str | None = None) -> dict[str, Any]:
    """The whole guide's module, on a database with its tables."""
    names: dict[str, Any] = {}
    for heading in ("Application Setup", "CRUD Handlers", "Multiple Databases"):
        [code] = guide.blocks(heading)
        guide.run(re.sub(r"\bDepends\((\w+)\)", rf"Depends(\1, scope={scope!r})" if scope else r"\g<0>", code), names)
    async with names["spec"].provide_session(names["db_config"]) as db:
        await db.execute_script(SCHEMA)
    return names


@in_each_scope
async def test_crud(guide: Guide, scope: str | None) -> None:
    """Created in an explicit transaction, read without one."""
    names = await app_of(guide, scope)
    async with serving(names["app"]) as client:
        created = await client.post("/users", json={"email": "a@example.com"}, headers=JSON)
        assert (created.status, created.json()) == (201, {"id": 1, "email": "a@example.com"})
        assert (await client.get("/users/1")).json() == {"id": 1, "email": "a@example.com"}
        assert isinstance((await client.get("/users/2")).error, NotFoundError)


@in_each_scope
async def test_an_error_rolls_back_and_propagates(guide: Guide, scope: str | None) -> None:
    """The handler's rollback() and raise: a 500, nothing saved, and the session serves the next request."""
    names = await app_of(guide, scope)
    async with serving(names["app"]) as client:
        for email in ("a", "a", "b"):
            response = await client.post("/users", json={"email": email}, headers=JSON)
            assert isinstance(response.error, UniqueViolationError) is (response.status == 500)
        assert (await client.get("/dashboard")).json() == {"users": 2, "events": 2}


@in_each_scope
async def test_several_databases(guide: Guide, scope: str | None) -> None:
    """One dependency for each, each with a session of its own."""
    names = await app_of(guide, scope)
    assert names["analytics_config"] is not names["db_config"]
    async with serving(names["app"]) as client:
        assert (await client.get("/dashboard")).json() == {"users": 0, "events": 2}
        pools = [names["spec"].get_pool(config) for config in names["spec"].configs]
    assert len(set(map(id, pools))) == 2
    assert all(pool.is_closing() for pool in pools)  # close_all_pools() in the lifespan


async def test_overrides(guide: Guide) -> None:
    """A test replaces the database by one in memory, seeded through a session."""
    names = await app_of(guide)
    spec = SQLSpec()
    memory = spec.add_config(AiosqliteConfig(pool_config={"database": ":memory:"}))
    async with spec.provide_session(memory) as db:
        await db.execute_script("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)")
        await db.execute("INSERT INTO users (email) VALUES ($1)", "memory@example.com")

        async def override() -> AsyncGenerator[AsyncDriverAdapterBase]:
            async with spec.provide_session(memory) as session:
                yield session

        names["app"].dependency_overrides[names["get_session"]] = override
        async with serving(names["app"]) as client:
            assert (await client.get("/users/1")).json() == {"id": 1, "email": "memory@example.com"}
            created = await client.post("/users", json={"email": "b@example.com"}, headers=JSON)
            assert created.json() == {"id": 2, "email": "b@example.com"}
    await spec.close_all_pools()


@in_each_scope
async def test_the_dependency_ends_its_session(guide: Guide, scope: str | None) -> None:
    """After the request nothing is held, also when the handler raised."""
    names = await app_of(guide, scope)
    async with serving(names["app"]) as client:
        await client.get("/users/7")
        assert names["db_config"].connections.holders == []


@in_each_scope
async def test_a_stream_outlives_its_dependency_or_not(guide: Guide, scope: str | None) -> None:  # W23 S8
    """As the FastAPI in use has it: rows to the end, or an error that says what happened; nothing is held after."""
    names = await app_of(guide, scope)
    options: dict[str, Any] = {"scope": scope} if scope else {}
    session: Any = Depends(names["get_session"], **options)

    async def stream(db: Any = session) -> StreamingResponse:
        async def lines() -> AsyncGenerator[str]:
            for number in await db.select("SELECT id FROM events ORDER BY id", schema_type=int):
                yield f"{number}\n"

        return StreamingResponse(lines())

    names["app"].add_api_route("/stream", stream, response_model=None)
    async with serving(names["app"]) as client:
        answer = await client.get("/stream")
        assert names["db_config"].connections.holders == []
    [error] = getattr(answer.error, "exceptions", [answer.error])  # Starlette 0.40 raises a group of one
    if error is None:
        assert (answer.text, answer.is_complete) == ("1\n2\n", True)
        assert scope != "function"
    else:
        assert isinstance(error, SessionClosedError)
        assert "This session is closed: " in str(error)


async def test_background_tasks_open_a_session_of_their_own(guide: Guide) -> None:
    """With provide_session in the task's body."""
    names = await app_of(guide)
    counted: list[int] = []

    async def count() -> None:
        async with names["spec"].provide_session(names["db_config"]) as db:
            counted.append(await db.select_value("SELECT COUNT(*) FROM users"))

    async def start(background: BackgroundTasks) -> dict[str, str]:
        background.add_task(count)
        return {}

    names["app"].post("/start")(start)
    async with serving(names["app"]) as client:
        assert (await client.post("/start")).status == 200
    assert counted == [0]


async def test_operational_recommendations(guide: Guide) -> None:
    """get_pool gives the driver's pool, get_logger a standard logger, and an unknown table its own error."""
    names = await app_of(guide)
    assert names["spec"].get_pool(names["db_config"]).get_max_size() >= 1
    assert get_logger("app").name == "sqlspec.app"
    async with names["spec"].provide_session(names["db_config"]) as db:
        with pytest.raises(UndefinedTableError):
            await db.execute("SELECT * FROM nothing")
    await names["spec"].close_all_pools()
    await names["spec"].close_all_pools()


async def test_without_a_lifespan(guide: Guide) -> None:
    """Pools open with the first statement; closing them is the test's teardown, as the guide says."""
    names = await app_of(guide)
    assert (await Client(names["app"]).get("/dashboard")).json() == {"users": 0, "events": 2}
    await names["spec"].close_all_pools()
