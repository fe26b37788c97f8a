"""What the tests of the suite ask for, and how they are spread over the adapters.

A folder of tests takes part when its ``conftest.py`` imports all of this: every test in it that asks for ``database``
runs once per adapter that declares what the test needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sqlspec.testing.compliance.adapter import Adapter, Database
from sqlspec.testing.compliance.plugin import adapters_of, leave_out

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlspec.driver import AsyncDriverAdapterBase

__all__ = ("database", "db", "items", "pytest_collection_modifyitems", "pytest_generate_tests")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once per adapter, unless the test names its adapters itself."""
    named = any("database" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "database" in metafunc.fixturenames and not named:
        metafunc.parametrize("database", adapters_of(metafunc.config), indirect=True, ids=str)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what an adapter does not declare."""
    leave_out(config, items)


@pytest.fixture
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database; the test runs once per adapter."""
    adapter: Adapter = request.param
    with adapter.database(tmp_path) as pool_config:
        database = Database(adapter, pool_config)
        try:
            yield database
        finally:
            await database.close()


@pytest.fixture
async def db(database: Database) -> AsyncIterator[AsyncDriverAdapterBase]:
    """A session on it."""
    async with database.session() as session:
        yield session


@pytest.fixture
async def items(database: Database) -> None:
    """A table ``items`` (id, name) with nothing in it."""
    await database.run(f"CREATE TABLE items (id INTEGER PRIMARY KEY, name {database.type_of('text')})")
