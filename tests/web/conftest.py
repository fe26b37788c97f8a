"""Databases for the web tests: each test gets a table ``items`` of its own, and a connection beside the app's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.adapters.asyncpg import AsyncpgConfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlspec.registry import Config


class Backend:
    """One database, for the app and for the test beside it.

    Args:
        dsn: Of PostgreSQL; None for SQLite.
        path: A file for SQLite.
    """

    def __init__(self, dsn: str | None, path: Path) -> None:
        self.dsn = dsn
        self.path = path
        self.table = f"items_{uuid4().hex[:8]}"
        self.insert = f"INSERT INTO {self.table} (name) VALUES (?)"
        self.select = f"SELECT name FROM {self.table} ORDER BY name"
        self._beside = SQLSpec()
        self._config: Config = self._beside.add_config(self.config(), name="beside")

    def config(self, *, pool_size: int = 2, **options: Any) -> AsyncpgConfig | AiosqliteConfig:
        """A config for the app; ``options`` are those of ``extension_config["starlette"]``."""
        extension_config = {"starlette": options}
        if self.dsn is None:
            return AiosqliteConfig(
                pool_config={"database": str(self.path), "max_size": pool_size, "timeout": 1},
                extension_config=extension_config,
                acquire_timeout=5,
            )
        return AsyncpgConfig(
            pool_config={"dsn": self.dsn, "max_size": pool_size}, extension_config=extension_config, acquire_timeout=5
        )

    async def rows(self) -> list[str]:
        """What another connection sees."""
        async with self._beside.provide_session("beside", hold=False) as db:
            return await db.select(self.select, schema_type=str)

    async def run(self, statement: str) -> None:
        async with self._beside.provide_session("beside", hold=False) as db:
            await db.execute(statement)

    async def close(self) -> None:
        await self.run(f"DROP TABLE {self.table}")
        await self._beside.close_all_pools()


async def _backend(dsn: str | None, path: Path) -> AsyncIterator[Backend]:
    backend = Backend(dsn, path)
    await backend.run(f"CREATE TABLE {backend.table} (name TEXT PRIMARY KEY)")
    yield backend
    await backend.close()


@pytest.fixture(params=["aiosqlite", "asyncpg"])
async def backend(request: pytest.FixtureRequest, postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Backend]:
    """Both databases, one after the other."""
    async for made in _backend(postgres_dsn if request.param == "asyncpg" else None, tmp_path / "app.db"):
        yield made


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Backend]:
    """SQLite in a file."""
    async for made in _backend(None, tmp_path / "sqlite.db"):
        yield made


@pytest.fixture
async def postgres(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Backend]:
    """PostgreSQL."""
    async for made in _backend(postgres_dsn, tmp_path):
        yield made
