"""SQLite by aiosqlite, async: every connection has a thread of its own."""

from sqlspec.exceptions import MissingDependencyError

try:
    import aiosqlite as _driver  # noqa: F401
except ImportError as error:
    raise MissingDependencyError("aiosqlite", "aiosqlite") from error

from sqlspec.adapters.aiosqlite.config import AiosqliteConfig
from sqlspec.adapters.aiosqlite.driver import AiosqliteDriver
from sqlspec.adapters.sqlite.opening import SqlitePoolConfig as AiosqlitePoolConfig

__all__ = ("AiosqliteConfig", "AiosqliteDriver", "AiosqlitePoolConfig")
