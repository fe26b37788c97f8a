"""PostgreSQL by psycopg (3.2 and newer), async and sync, on our own pool."""

from sqlspec.core.versions import require

require("psycopg", "psycopg", "3.2", extra="psycopg")

from sqlspec.adapters.psycopg._async.config import PsycopgAsyncConfig
from sqlspec.adapters.psycopg._async.driver import PsycopgAsyncDriver
from sqlspec.adapters.psycopg._sync.config import PsycopgSyncConfig
from sqlspec.adapters.psycopg._sync.driver import PsycopgSyncDriver
from sqlspec.adapters.psycopg.options import PsycopgPoolConfig

__all__ = (
    "PsycopgAsyncConfig",
    "PsycopgAsyncDriver",
    "PsycopgPoolConfig",
    "PsycopgSyncConfig",
    "PsycopgSyncDriver",
)
