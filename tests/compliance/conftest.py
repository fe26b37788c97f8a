"""One empty database per test and adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import pytest

from tests.compliance.adapters import ADAPTERS, Adapter, Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlspec.driver import AsyncDriverAdapterBase


@pytest.fixture(params=ADAPTERS, ids=str)
async def database(request: pytest.FixtureRequest, postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database; the test runs once per adapter."""
    adapter: Adapter = request.param
    if adapter.dialect == "sqlite":
        async for database in _opened(adapter, {"database": str(tmp_path / "test.db")}):
            yield database
        return
    schema = f"test_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(postgres_dsn)
    try:
        await connection.execute(f"CREATE SCHEMA {schema}; SET client_min_messages = error")
        place = {"dsn": postgres_dsn, "server_settings": {"search_path": schema}}
        async for database in _opened(adapter, place):
            yield database
        await connection.execute(f"DROP SCHEMA {schema} CASCADE")
    finally:
        await connection.close()


async def _opened(adapter: Adapter, place: dict[str, Any]) -> AsyncIterator[Database]:
    database = Database(adapter, {**place, "max_size": 4})
    yield database
    await database.close()


@pytest.fixture
async def db(database: Database) -> AsyncIterator[AsyncDriverAdapterBase]:
    """A session on it."""
    async with database.session() as session:
        yield session


@pytest.fixture
async def items(database: Database) -> None:
    """A table ``items`` (id, name) with nothing in it."""
    await database.run("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
