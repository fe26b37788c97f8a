"""What the figures depend on, besides the code."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

__all__ = ("facts", "load")

_PACKAGES = (
    *("adbc-driver-manager", "aiomysql", "aiosqlite", "asyncmy", "asyncpg", "duckdb", "msgspec"),
    *("mysql-connector-python", "psqlpy", "psycopg", "pymysql"),
)


def facts() -> dict[str, str]:
    """Interpreter, machine, packages."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "machine": f"{platform.system()} {platform.machine()}, {cores} cores",
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
        "garbage collection": "before every batch; off during it",
    }


def load() -> str:
    """How busy the machine is now."""
    try:
        return " ".join(f"{average:.2f}" for average in os.getloadavg())
    except OSError:
        return "unknown"
