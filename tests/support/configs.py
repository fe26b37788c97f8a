"""What the tests of ``tests/_async`` and their generated twin name by colour, in pairs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TypeVar

from sqlspec.adapters.aiosqlite import AiosqliteConfig, AiosqliteDriver
from sqlspec.adapters.sqlite import SqliteConfig, SqliteDriver

__all__ = ("AsyncFixture", "AsyncSqlite", "AsyncSqliteDriver", "SyncFixture", "SyncSqlite", "SyncSqliteDriver")

T = TypeVar("T")

AsyncSqlite = AiosqliteConfig
SyncSqlite = SqliteConfig

AsyncSqliteDriver = AiosqliteDriver
SyncSqliteDriver = SqliteDriver

AsyncFixture = AsyncIterator[T]
"""What a fixture with a clean-up is annotated with."""
SyncFixture = Iterator[T]
