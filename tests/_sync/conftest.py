"""GENERATED from tests/_async/conftest.py by tools/unasync.py: do not edit. A SQLite file per test, reached by the adapter of this folder's colour."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.configs import SyncFixture, SyncSqlite, SyncSqliteDriver


@pytest.fixture
def config(tmp_path: Path) -> SyncFixture[SyncSqlite]:
    """A config with a table ``items`` (id, name)."""
    config = SyncSqlite(pool_config={"database": tmp_path / "test.db", "max_size": 3}, acquire_timeout=2)
    with config.provide_session() as db:
        db.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT)")
    yield config
    config.close()


@pytest.fixture
def db(config: SyncSqlite) -> SyncFixture[SyncSqliteDriver]:
    """A session of it."""
    with config.provide_session() as session:
        yield session
