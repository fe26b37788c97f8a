"""A SQLite file per test, reached by the adapter of this folder's colour."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.configs import AsyncFixture, AsyncSqlite, AsyncSqliteDriver


@pytest.fixture
async def config(tmp_path: Path) -> AsyncFixture[AsyncSqlite]:
    """A config with a table ``items`` (id, name)."""
    config = AsyncSqlite(pool_config={"database": tmp_path / "test.db", "max_size": 3}, acquire_timeout=2)
    async with config.provide_session() as db:
        await db.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
    yield config
    await config.close()


@pytest.fixture
async def db(config: AsyncSqlite) -> AsyncFixture[AsyncSqliteDriver]:
    """A session of it."""
    async with config.provide_session() as session:
        yield session
