"""SQLSpec runs the SQL that people write, on any of a dozen drivers, and gives back typed rows."""

from sqlspec.core.result import SQLResult
from sqlspec.registry import SQLSpec

__version__ = "0.1.0"

__all__ = ("SQLResult", "SQLSpec", "__version__")
