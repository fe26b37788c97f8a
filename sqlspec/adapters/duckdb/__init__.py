"""DuckDB by its own Python package, sync."""

from sqlspec.core.versions import require

require("duckdb", "duckdb", "2.0", extra="duckdb")

from sqlspec.adapters.duckdb.config import DuckDBConfig, DuckDBPoolConfig
from sqlspec.adapters.duckdb.driver import DuckDBDriver

__all__ = ("DuckDBConfig", "DuckDBDriver", "DuckDBPoolConfig")
