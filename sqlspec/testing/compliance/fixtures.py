"""What the tests of the suite ask for, and how they are spread over the adapters.

A folder of tests takes part when its ``conftest.py`` imports all of this: every test in it that asks for ``database``
runs once per adapter that declares what the test needs. The suite is run in other people's projects, so nothing here
leans on a setting of pytest-asyncio: its strict mode will do.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from sqlspec.testing.compliance.adapter import Adapter, Database
from sqlspec.testing.compliance.plugin import adapters_of, leave_out

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlspec.driver import AsyncDriverAdapterBase

__all__ = ("database", "db", "items", "pytest_collection_modifyitems", "pytest_generate_tests", "silence")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once per adapter, unless the test names its adapters itself."""
    named = any("database" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if "database" in metafunc.fixturenames and not named:
        metafunc.parametrize("database", adapters_of(metafunc.config), indirect=True, ids=str)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what an adapter does not declare."""
    leave_out(config, items)


@pytest_asyncio.fixture(loop_scope="function")
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database; the test runs once per adapter."""
    adapter: Adapter = request.param
    with adapter.database(tmp_path) as pool_config:
        database = Database(adapter, pool_config)
        try:
            yield database
        finally:
            await database.close()


@pytest_asyncio.fixture(loop_scope="function")
async def db(database: Database) -> AsyncIterator[AsyncDriverAdapterBase]:
    """A session on it."""
    async with database.session() as session:
        yield session


@pytest_asyncio.fixture(loop_scope="function")
async def items(database: Database) -> None:
    """A table ``items`` (id, name) with nothing in it."""
    await database.run(f"CREATE TABLE items (id INTEGER PRIMARY KEY, name {database.type_of('text')})")


@pytest_asyncio.fixture(loop_scope="function")
async def silence(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Nothing may be said behind the test's back: no forgotten task, no exception that nobody retrieved."""
    heard: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    yield
    await asyncio.sleep(0)
    gc.collect()
    await asyncio.sleep(0)
    assert heard == []
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
