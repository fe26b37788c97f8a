"""SQLite by aiosqlite, async: every connection has a thread of its own."""

from sqlspec.core.versions import require

require("aiosqlite", "aiosqlite", "0.22", extra="aiosqlite")

from sqlspec.adapters.aiosqlite.config import AiosqliteConfig
from sqlspec.adapters.aiosqlite.driver import AiosqliteDriver
from sqlspec.adapters.sqlite.opening import SqlitePoolConfig as AiosqlitePoolConfig

__all__ = ("AiosqliteConfig", "AiosqliteDriver", "AiosqlitePoolConfig")
