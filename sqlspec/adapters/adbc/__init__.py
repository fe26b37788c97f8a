"""Databases by ADBC (Arrow Database Connectivity), sync, on our own pool: SQLite, PostgreSQL, DuckDB, Flight SQL."""

from sqlspec.core.versions import require

require("adbc_driver_manager", "adbc-driver-manager", "1.6", extra="adbc")
require("pyarrow", "pyarrow", "18", extra="adbc")

from sqlspec.adapters.adbc.config import AdbcConfig, AdbcPoolConfig
from sqlspec.adapters.adbc.driver import AdbcDriver

__all__ = ("AdbcConfig", "AdbcDriver", "AdbcPoolConfig")
