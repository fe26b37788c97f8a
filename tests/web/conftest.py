"""Databases for the web tests: each test gets a table ``items`` of its own, and a connection beside the app's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.backends import BACKENDS, DEFERRING, Backend, new_backend

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

__all__ = ("Backend",)


@pytest.fixture(params=BACKENDS)
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    """Every database, one after the other."""
    async with new_backend(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=DEFERRING)
async def deferring(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Backend]:
    """Every one that may check a foreign key at COMMIT: MariaDB does at once, always."""
    async with new_backend(request.param, tmp_path) as made:
        yield made


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Backend]:
    """SQLite in a file of its own."""
    folder = tmp_path / "sqlite"
    folder.mkdir()
    async with new_backend("aiosqlite", folder) as made:
        yield made


@pytest.fixture
async def postgres(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Backend]:
    """PostgreSQL by asyncpg."""
    async with new_backend("asyncpg", tmp_path) as made:
        yield made


@pytest.fixture
async def mariadb(mariadb_dsn: str, tmp_path: Path) -> AsyncIterator[Backend]:
    """MariaDB by asyncmy."""
    async with new_backend("asyncmy", tmp_path) as made:
        yield made
