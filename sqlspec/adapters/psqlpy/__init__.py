"""PostgreSQL by psqlpy (a driver written in Rust), async."""

from sqlspec.core.versions import require

require("psqlpy", "psqlpy", "0.13", extra="psqlpy")  # older ones commit execute_many row by row

from sqlspec.adapters.psqlpy.config import PsqlpyConfig, PsqlpyPoolConfig
from sqlspec.adapters.psqlpy.driver import PsqlpyDriver

__all__ = ("PsqlpyConfig", "PsqlpyDriver", "PsqlpyPoolConfig")
