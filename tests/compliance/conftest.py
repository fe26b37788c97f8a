"""One empty database per test and adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.compliance.adapters import ADAPTERS, Database, open_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlspec.driver import AsyncDriverAdapterBase


@pytest.fixture(params=ADAPTERS, ids=str)
async def database(request: pytest.FixtureRequest, postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database; the test runs once per adapter."""
    async with open_database(request.param, postgres_dsn, tmp_path) as database:
        yield database


@pytest.fixture
async def db(database: Database) -> AsyncIterator[AsyncDriverAdapterBase]:
    """A session on it."""
    async with database.session() as session:
        yield session


@pytest.fixture
async def items(database: Database) -> None:
    """A table ``items`` (id, name) with nothing in it."""
    await database.run("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
