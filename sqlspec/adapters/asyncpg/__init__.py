"""PostgreSQL by asyncpg, async, on its own pool."""

from sqlspec.exceptions import MissingDependencyError

try:
    import asyncpg as _driver  # noqa: F401
except ImportError as error:
    raise MissingDependencyError("asyncpg", "asyncpg") from error

from sqlspec.adapters.asyncpg.config import AsyncpgConfig, AsyncpgPoolConfig
from sqlspec.adapters.asyncpg.driver import AsyncpgDriver

__all__ = ("AsyncpgConfig", "AsyncpgDriver", "AsyncpgPoolConfig")
