"""SQLite by aiosqlite, async: every connection has a thread of its own."""

from importlib.util import find_spec

from sqlspec.exceptions import MissingDependencyError

if find_spec("aiosqlite") is None:
    raise MissingDependencyError("aiosqlite", "aiosqlite")

from sqlspec.adapters.aiosqlite.config import AiosqliteConfig
from sqlspec.adapters.aiosqlite.driver import AiosqliteDriver
from sqlspec.adapters.sqlite.opening import SqlitePoolConfig as AiosqlitePoolConfig

__all__ = ("AiosqliteConfig", "AiosqliteDriver", "AiosqlitePoolConfig")
