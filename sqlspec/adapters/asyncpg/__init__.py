"""PostgreSQL by asyncpg, async, on its own pool."""

from importlib.util import find_spec

from sqlspec.exceptions import MissingDependencyError

if find_spec("asyncpg") is None:
    raise MissingDependencyError("asyncpg", "asyncpg")

from sqlspec.adapters.asyncpg.config import AsyncpgConfig, AsyncpgPoolConfig
from sqlspec.adapters.asyncpg.driver import AsyncpgDriver

__all__ = ("AsyncpgConfig", "AsyncpgDriver", "AsyncpgPoolConfig")
