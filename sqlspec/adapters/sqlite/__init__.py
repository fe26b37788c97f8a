"""SQLite by the standard library's sqlite3, sync."""

from sqlspec.adapters.sqlite.config import SqliteConfig, SqlitePoolConfig
from sqlspec.adapters.sqlite.driver import SqliteDriver

__all__ = ("SqliteConfig", "SqliteDriver", "SqlitePoolConfig")
