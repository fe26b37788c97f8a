"""Statements that no transaction may hold, on every adapter: refused with the way out, and at home outside. W24."""

from __future__ import annotations

from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import ImplicitCommitError, ProgrammingError, TransactionAbortedError
from sqlspec.extensions.starlette import SQLSpecPlugin
from sqlspec.testing.compliance.bridge import AwaitableScope
from tests.compliance.targets import ADAPTERS, BY_NAME, SERVER_OF

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from sqlspec.testing.compliance import Adapter, Database

POSTGRES = (
    "VACUUM items",
    "CREATE INDEX CONCURRENTLY by_name ON items (name)",
    "REINDEX TABLE CONCURRENTLY items",
    "DROP DATABASE IF EXISTS no_such_database",
    "CALL ends()",
)
SQLITE = ("VACUUM", "PRAGMA synchronous = OFF")
DUCKDB = ("CHECKPOINT", "FORCE CHECKPOINT")
MYSQL = ("SET SESSION sql_log_bin = 0",)


def statements_of(adapter: Adapter) -> tuple[str, ...]:
    server = SERVER_OF.get(adapter.name)
    if server == "postgres":
        return POSTGRES
    if server == "mariadb":
        return MYSQL
    return SQLITE if adapter.name.endswith("sqlite") else DUCKDB


CASES = [(adapter, statement) for adapter in ADAPTERS for statement in statements_of(adapter)]
FIRST = [(adapter, statements_of(adapter)[0]) for adapter in ADAPTERS]
each = pytest.mark.parametrize(("database", "statement"), CASES, indirect=["database"], ids=str)
behind_a_pooler = pytest.mark.parametrize(
    ("database", "statement"),
    [(BY_NAME[name], statement) for name in ("asyncpg", "psycopg", "psycopg_sync") for statement in POSTGRES[:-1]],
    indirect=["database"],
    ids=str,
)
first_of_each = pytest.mark.parametrize(("database", "statement"), FIRST, indirect=["database"], ids=str)


@asynccontextmanager
async def request_session(database: Database) -> AsyncGenerator[Any]:
    """A session as a web request has it: a transaction is begun before its first statement."""
    session: Any = database.config.create_session(implicit=BeginOptions())
    if not database.is_async:
        async with AwaitableScope(closing(session)) as db:
            yield db
        return
    try:
        yield session
    finally:
        await session.close()


async def prepare(database: Database, statement: str) -> None:
    await database.run(f"CREATE TABLE items (id INTEGER PRIMARY KEY, name {database.type_of('name')})")
    if statement.startswith("CALL"):
        await database.run("CREATE PROCEDURE ends() LANGUAGE plpgsql AS 'BEGIN COMMIT; END'")


@each
async def test_a_transaction_refuses_it(database: Database, statement: str) -> None:
    """With one class, and the way out; the session is then as after any failed statement."""  # W24 E2 S6 S14
    await prepare(database, statement)
    async with request_session(database) as db:
        await db.execute("INSERT INTO items VALUES (1, 'x')")
        with pytest.raises(ProgrammingError, match=r"\. Run it outside of transactions: .*provide_session\(") as raised:
            await db.execute(statement)
        assert type(raised.value) is ProgrammingError
        assert raised.value.__cause__ is not None
        if database.can("error_aborts"):
            for call in (lambda: db.select("SELECT 1"), db.commit):
                with pytest.raises(TransactionAbortedError) as aborted:
                    await call()
                assert aborted.value.statement == statement
        else:
            await db.commit()
    assert await database.value("SELECT count(*) FROM items") == (0 if database.can("error_aborts") else 1)


@each
async def test_it_runs_where_the_error_sends_it(database: Database, statement: str) -> None:
    """In a session that holds its connection, and in one that borrows."""  # W24 S3 S15
    await prepare(database, statement)
    for hold in (True, False):
        async with database.session(hold=hold) as db:
            await db.execute(statement)
            if "by_name" in statement:
                await db.execute("DROP INDEX by_name")


@behind_a_pooler
async def test_single_statements_behind_a_pooler_are_not_wrapped(database: Database, statement: str) -> None:
    """asyncpg puts a transaction around a statement that gives rows; these give none."""  # W24 F6
    await prepare(database, statement)
    async with database.session(database.new_config(pooler="transaction")) as db:
        await db.execute(statement)


@first_of_each
async def test_a_web_request_says_so(database: Database, statement: str) -> None:
    """As its first statement too, but on DuckDB, which has not begun by then. Nothing of it is stored."""  # W24 W9
    await prepare(database, statement)
    error, sent = (
        (ImplicitCommitError, "CREATE TABLE more (id INTEGER)")
        if database.dialect == "mysql"
        else (ProgrammingError, statement)
    )
    spec = SQLSpec()
    spec.add_config(database.config)
    plugin = SQLSpecPlugin(spec)

    async def endpoint(request: Request) -> Response:
        session: Any = plugin.get_session(request)
        before = ["INSERT INTO items VALUES (1, 'x')"] if "late" in request.query_params else []
        for text in [*before, sent]:
            found = session.execute(text)
            if database.is_async:
                await found
        return Response()

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])
    plugin.init_app(app)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://app")
    async with client, plugin.lifespan(app):
        for path in ("/?late=1",) if database.dialect == "duckdb" else ("/?late=1", "/"):
            with pytest.raises(error, match=r"in a session of provide_session\(config\)"):
                await client.post(path)
    assert await database.value("SELECT count(*) FROM items") == 0
