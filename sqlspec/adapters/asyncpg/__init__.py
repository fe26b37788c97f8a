"""PostgreSQL by asyncpg, async, on its own pool."""

from sqlspec.core.versions import require

require("asyncpg", "asyncpg", "0.30", extra="asyncpg")

from sqlspec.adapters.asyncpg.config import AsyncpgConfig, AsyncpgPoolConfig
from sqlspec.adapters.asyncpg.driver import AsyncpgDriver

__all__ = ("AsyncpgConfig", "AsyncpgDriver", "AsyncpgPoolConfig")
