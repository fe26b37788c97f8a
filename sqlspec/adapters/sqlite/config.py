"""A SQLite database reached by sqlite3."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from typing_extensions import Unpack

from sqlspec._sync.pooled import SyncPooledConfig
from sqlspec.adapters.sqlite.driver import SqliteDriver, SqliteWire
from sqlspec.adapters.sqlite.opening import ALIASES, KEYS, KINDS, Opener, SqlitePoolConfig
from sqlspec.core.options import ConfigOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("SqliteConfig", "SqlitePoolConfig")


class SqliteConfig(SyncPooledConfig[sqlite3.Connection, SqliteDriver]):
    """SQLite by sqlite3, sync. Arguments as in ``SyncDatabaseConfig``; ``pool_config`` as in ``SqlitePoolConfig``."""

    adapter = "sqlite"
    driver_type = SqliteDriver
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

    def make_wire(self) -> SqliteWire:
        """sqlite3's primitives."""
        return SqliteWire()

    def connect(self) -> sqlite3.Connection:
        """Open a connection beside the pool."""
        return self._opener.connect()

    def close_connection(self, connection: sqlite3.Connection) -> None:
        """Close it."""
        connection.close()

    def forget(self) -> None:
        """A database in memory ends with the last pool."""
        self._opener.forget()
