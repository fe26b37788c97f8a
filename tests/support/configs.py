"""What the tests of ``tests/_async`` and their generated twin name by colour, in pairs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

from sqlspec.adapters.aiosqlite import AiosqliteConfig, AiosqliteDriver
from sqlspec.adapters.sqlite import SqliteConfig, SqliteDriver

__all__ = (
    "AsyncFixture",
    "AsyncSqlite",
    "AsyncSqliteDriver",
    "SyncFixture",
    "SyncSqlite",
    "SyncSqliteDriver",
    "async_like",
    "sync_like",
)

T = TypeVar("T")

AsyncSqlite = AiosqliteConfig
SyncSqlite = SqliteConfig

AsyncSqliteDriver = AiosqliteDriver
SyncSqliteDriver = SqliteDriver

AsyncFixture = AsyncIterator[T]
"""What a fixture with a clean-up is annotated with."""
SyncFixture = Iterator[T]


def async_like(config: AsyncSqlite, **pool_config: Any) -> AsyncSqlite:
    """Another config for the same database, which does not wait long for a connection."""
    changed: Any = {**config.pool_config, **pool_config}
    return AsyncSqlite(pool_config=changed, acquire_timeout=0.05)


def sync_like(config: SyncSqlite, **pool_config: Any) -> SyncSqlite:
    """The same."""
    changed: Any = {**config.pool_config, **pool_config}
    return SyncSqlite(pool_config=changed, acquire_timeout=0.05)
