"""A SQLite database reached by aiosqlite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiosqlite
from typing_extensions import Unpack

from sqlspec._async.pooled import AsyncPooledConfig
from sqlspec.adapters.aiosqlite.driver import AiosqliteDriver, AiosqliteWire, connect
from sqlspec.adapters.sqlite.opening import ALIASES, KEYS, KINDS, Opener, SqlitePoolConfig
from sqlspec.core.options import ConfigOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("AiosqliteConfig",)


class AiosqliteConfig(AsyncPooledConfig[aiosqlite.Connection, AiosqliteDriver]):
    """SQLite by aiosqlite. Arguments as in ``AsyncDatabaseConfig``, ``pool_config`` as in ``SqlitePoolConfig``."""

    adapter = "aiosqlite"
    driver_type = AiosqliteDriver
    pool_keys = KEYS
    pool_kinds = KINDS
    pool_aliases = ALIASES

    def __init__(self, *, pool_config: SqlitePoolConfig | None = None, **options: Unpack[ConfigOptions]) -> None:
        super().__init__(pool_config=pool_config, **options)
        self._opener = Opener(self.pool_config)

    @property
    def target(self) -> str:
        """The database as a URL."""
        return self._opener.target

    @property
    def pragmas(self) -> Mapping[str, str]:
        """What is set on every connection."""
        return self._opener.pragmas

    def make_wire(self) -> AiosqliteWire:
        """sqlite3's primitives, in a thread."""
        return AiosqliteWire()

    async def connect(self) -> aiosqlite.Connection:
        """Open a connection beside the pool."""
        return await connect(self._opener.connect)

    async def close_connection(self, connection: aiosqlite.Connection) -> None:
        """Close it."""
        await connection.close()

    def forget(self) -> None:
        """A database in memory ends with the last pool."""
        self._opener.forget()
