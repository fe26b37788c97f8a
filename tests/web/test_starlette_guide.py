"""Every block of the Starlette guide, run as written and held to what the guide says of it.

With asyncpg, as it stands there, and with the two adapters that it names instead.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.adapters import load_config
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.config import AsyncDatabaseConfig, StarletteConfig
from sqlspec.exceptions import SQLSpecError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.support.servers import SERVERS
from tests.web.client import Client, serving
from tests.web.guides.reading import ADAPTERS, Guide
from tests.web.test_sockets import Socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from sqlspec.driver import AsyncDriverAdapterBase
    from sqlspec.servers import MariaDBServer, PostgresServer

SCHEMA = """
CREATE TABLE users (id SERIAL PRIMARY KEY, email TEXT NOT NULL);
CREATE TABLE email_log (email TEXT, sent_at TIMESTAMP);
CREATE TABLE messages (content TEXT);
"""


@pytest.fixture(params=ADAPTERS)
def guide(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guide]:
    server = SERVERS.mariadb if request.param == "asyncmy" else SERVERS.postgres
    with server.temporary_database("sqlspec_guide") as dsn:
        yield Guide("starlette", dsn, tmp_path, request.param)


def config_of(guide: Guide, **options: Any) -> Any:
    """A config of the guide's adapter for its database."""
    return load_config(guide.adapter)(pool_config={"dsn": guide.dsn, "max_size": 2}, **options)


@pytest.fixture
async def database(guide: Guide) -> AsyncIterator[Any]:
    """The guide's database, with its tables, seen from outside the app."""
    spec = SQLSpec()
    config: AsyncDatabaseConfig[Any, Any, AsyncDriverAdapterBase] = spec.add_config(config_of(guide))
    async with spec.provide_session(config) as db:
        await db.execute_script(SCHEMA)
    yield config
    await spec.close_all_pools()


async def emails(database: Any) -> list[str]:
    async with database.provide_session() as db:
        found: list[str] = await db.select("SELECT email FROM users ORDER BY id", schema_type=str)
        return found


async def add_user(database: Any, email: str) -> None:
    async with database.provide_session() as db:
        await db.execute("INSERT INTO users (email) VALUES ($1)", email)


def imported(**names: Any) -> dict[str, Any]:
    """What a reader of the guide has imported and made by the time of a later block."""
    return {
        "AiosqliteConfig": AiosqliteConfig,
        **{name: load_config(adapter) for adapter, name in ADAPTERS.items()},
        "JSONResponse": JSONResponse,
        "RedirectResponse": RedirectResponse,
        "Route": Route,
        "SQLSpec": SQLSpec,
        "SQLSpecPlugin": SQLSpecPlugin,
        "Starlette": Starlette,
        "asynccontextmanager": asynccontextmanager,
        **names,
    }


def app_in(guide: Guide, **options: Any) -> dict[str, Any]:
    """``app``, ``sqlspec``, ``config`` and ``db_ext``, as the blocks in the middle of the guide suppose them."""
    sqlspec = SQLSpec()
    config = config_of(guide, extension_config={"starlette": {"commit_mode": "autocommit", **options}})
    sqlspec.add_config(config)
    app = Starlette()
    return imported(sqlspec=sqlspec, config=config, app=app, db_ext=SQLSpecPlugin(sqlspec, app))


async def test_quick_start(guide: Guide, database: Any) -> None:
    """The route after the plugin, get_session without a key, rows as JSON."""
    await add_user(database, "a@example.com")
    [code] = guide.blocks("Quick Start")
    async with serving(guide.run(code, {})["app"]) as client:
        assert (await client.get("/users")).json() == {"users": [{"id": 1, "email": "a@example.com"}]}


async def test_configuration(guide: Guide, database: Any) -> None:
    """StarletteConfig's keywords are the options: 202 commits, 409 does not."""
    [code] = guide.blocks("Configuration")
    names = guide.run(code, imported())
    options = names["config"].extension_config["starlette"]
    assert set(options) == set(StarletteConfig.__optional_keys__)

    async def work(request: Request) -> JSONResponse:
        await request.state.db.execute("INSERT INTO users (email) VALUES ($1)", request.path_params["status"])
        assert request.state.db_connection is plugin.get_connection(request)
        assert request.app.state.db_pool is spec.get_pool(names["config"])
        return JSONResponse({}, status_code=int(request.path_params["status"]))

    spec = SQLSpec()
    spec.add_config(names["config"])
    app = Starlette(routes=[Route("/{status}", work)])
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        for status in (202, 409, 404):
            assert (await client.get(f"/{status}")).status == status
    assert await emails(database) == ["202"]


async def test_two_servers(postgres_server: PostgresServer, mariadb_server: MariaDBServer, tmp_path: Path) -> None:
    """PostgreSQL and MariaDB in one request, each with its own session, transaction and pool."""
    with (
        postgres_server.temporary_database("sqlspec_guide") as dsn,
        mariadb_server.temporary_database("sqlspec_guide") as mysql_dsn,
    ):
        guide = Guide("starlette", dsn, tmp_path, mysql_dsn=mysql_dsn)
        [code] = guide.blocks("Multi-Database Configuration", 1)
        names = guide.run(code, imported())
        spec = names["sqlspec"]
        async with spec.provide_session("postgres") as pg, spec.provide_session("mysql") as mysql:
            await pg.execute_script("CREATE TABLE users (id INTEGER); INSERT INTO users VALUES (1), (2)")
            await mysql.execute_script("CREATE TABLE events (id INTEGER); INSERT INTO events VALUES (1), (2), (3)")
        async with serving(names["app"]) as client:
            assert (await client.get("/dashboard")).json() == {"users": 2, "events": 3}


async def test_two_databases(guide: Guide, database: Any) -> None:
    """One autocommit and one manual, in one request; the default is the first. The import of Request is ours."""
    await add_user(database, "a@example.com")
    [code] = guide.blocks("Multi-Database Configuration")
    names = guide.run(code, {"Request": Request})
    [_, analytics] = names["sqlspec"].configs
    async with names["sqlspec"].provide_session(analytics) as db:
        await db.execute("CREATE TABLE page_views (path TEXT)")
    async with serving(names["app"]) as client:
        assert (await client.get("/reports")).json() == {"users": 1}
        async with names["sqlspec"].provide_session(analytics) as db:
            assert await db.select("SELECT path FROM page_views", schema_type=str) == ["/reports"]
        assert names["app"].state.primary_pool is names["sqlspec"].get_pool(names["sqlspec"].configs[0])


@pytest.mark.parametrize(
    ("heading", "status"), [("Manual Mode", 201), ("Autocommit Mode", 201), ("Autocommit with Redirects", 303)]
)
async def test_commit_modes(guide: Guide, database: Any, heading: str, status: int) -> None:
    """Each block saves its user."""
    [code] = guide.blocks(heading)
    names = guide.run(code, imported(sqlspec=SQLSpec(), app=Starlette()))
    async with serving(names["app"]) as client:
        assert (await client.post("/users", json={"email": "a@example.com"})).status == status
        assert await emails(database) == ["a@example.com"]


async def test_session_caching(guide: Guide, database: Any) -> None:
    """Two calls, one session, one transaction."""
    [code] = guide.blocks("Session Caching")
    async with serving(guide.run(code, app_in(guide))["app"]) as client:
        assert (await client.get("/example")).json() == {"user": {"id": 1, "email": "test@example.com"}}
    assert await emails(database) == ["test@example.com"]


async def test_connection_access(guide: Guide) -> None:
    """A cursor, also on a driver whose connections have none like it."""
    [code] = guide.blocks("Connection Access")
    async with serving(guide.run(code, app_in(guide))["app"]) as client:
        assert (await client.get("/raw")).json() == {"result": [1]}


@pytest.mark.parametrize("block", [0, 1])
async def test_lifecycle(guide: Guide, block: int) -> None:
    """By the plugin alone, and by hand together with init_app: open in between, closed after."""
    names = imported(sqlspec=SQLSpec())
    config = names["sqlspec"].add_config(config_of(guide))
    guide.run(guide.blocks("Lifecycle Management")[block], names)
    async with serving(names["app"]):
        pool = names["app"].state.db_pool
        assert pool is names["sqlspec"].get_pool(config)
        assert config.is_open
    assert not config.is_open


@pytest.mark.filterwarnings("ignore:Using .httpx.")
def test_testing(guide: Guide) -> None:
    """The guide's own test passes: TestClient, a database in memory, init_app a second time."""
    [code] = guide.blocks("Testing")
    guide.run(code, imported())["test_users_endpoint"]()


async def test_background_tasks(guide: Guide, database: Any) -> None:
    """The task opens a session of its own, after the user was saved."""
    [code] = guide.blocks("Background Tasks")
    async with serving(guide.run(code, app_in(guide))["app"]) as client:
        assert (await client.post("/signup", json={"email": "a@example.com"})).status == 201
    async with database.provide_session() as db:
        logged = await db.select("SELECT email, sent_at FROM email_log")
    assert [row["email"] for row in logged] == await emails(database) == ["a@example.com"]


async def test_websockets(guide: Guide, database: Any) -> None:
    """@app.websocket_route, and provide_session inside the socket."""
    async with database.provide_session() as db:
        await db.execute("INSERT INTO messages VALUES ('hello there'), ('good bye')")
    [code] = guide.blocks("WebSocket Support")
    async with serving(guide.run(code, app_in(guide))["app"]) as client:
        socket = Socket(client.app, "/ws")
        assert await socket.ask("there") == '{"messages":[{"content":"hello there"}]}'
        await socket.leave()


async def test_error_handling(guide: Guide, database: Any) -> None:
    """The ValueError is a 500 and takes the INSERT back."""
    [code] = guide.blocks("Error Handling")
    async with serving(guide.run(code, app_in(guide))["app"]) as client:
        refused = await client.post("/users", json={"email": "a@example.com"})
        assert (refused.status, str(refused.error)) == (500, "Email must be verified")
        assert await emails(database) == []
        assert (await client.post("/users", json={"email": "b@example.com", "verified": True})).status == 201
    assert await emails(database) == ["b@example.com"]


@pytest.mark.parametrize("block", [0, 1])
async def test_migration(guide: Guide, database: Any, block: int) -> None:
    """The pattern before and the pattern after give the same answer."""
    await add_user(database, "a@example.com")
    names = guide.run(guide.blocks("Migration to Plugin")[block], imported())
    async with serving(names["app"]) as client:
        assert (await client.get("/users")).json() == {"users": [{"id": 1, "email": "a@example.com"}]}


async def test_troubleshooting(guide: Guide) -> None:
    """Both messages that the guide names are ours, word for word."""
    assert '"Duplicate state keys found"' in guide.text
    assert '"No configuration found for key"' in guide.text
    names = app_in(guide)
    with pytest.raises(SQLSpecError, match="Duplicate state keys found"):
        names["sqlspec"].add_config(
            config_of(guide, extension_config={"starlette": StarletteConfig(session_key="db_session")})
        )

    async def work(request: Request) -> None:
        names["db_ext"].get_session(request, "misspelt")

    names["app"].add_route("/", work)
    error = (await Client(names["app"]).get("/")).error
    assert "No configuration found for key" in str(error)
