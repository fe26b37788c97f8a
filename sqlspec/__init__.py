"""SQLSpec runs the SQL that people write, on the driver that they choose, and gives back typed rows."""

from sqlspec.core.result import SQLResult
from sqlspec.registry import SQLSpec

__version__ = "0.1.0"

__all__ = ("SQLResult", "SQLSpec", "__version__")
