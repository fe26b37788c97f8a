"""Adapters by name. Nothing is imported before it is asked for.

Third parties register theirs under the entry-point group ``sqlspec.adapters``: ``name = "package.module:ConfigClass"``.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from sqlspec.core.options import did_you_mean
from sqlspec.exceptions import ImproperConfigurationError

__all__ = ("ADAPTERS", "load_config")

ADAPTERS = {
    "adbc": "sqlspec.adapters.adbc:AdbcConfig",
    "aiomysql": "sqlspec.adapters.aiomysql:AiomysqlConfig",
    "aiosqlite": "sqlspec.adapters.aiosqlite:AiosqliteConfig",
    "asyncmy": "sqlspec.adapters.asyncmy:AsyncmyConfig",
    "asyncpg": "sqlspec.adapters.asyncpg:AsyncpgConfig",
    "duckdb": "sqlspec.adapters.duckdb:DuckDBConfig",
    "mysqlconnector": "sqlspec.adapters.mysqlconnector:MysqlConnectorAsyncConfig",
    "mysqlconnector_sync": "sqlspec.adapters.mysqlconnector:MysqlConnectorSyncConfig",
    "psqlpy": "sqlspec.adapters.psqlpy:PsqlpyConfig",
    "psycopg": "sqlspec.adapters.psycopg:PsycopgAsyncConfig",
    "psycopg_sync": "sqlspec.adapters.psycopg:PsycopgSyncConfig",
    "pymysql": "sqlspec.adapters.pymysql:PyMysqlConfig",
    "sqlite": "sqlspec.adapters.sqlite:SqliteConfig",
}


def load_config(name: str) -> Any:
    """The config class of an adapter.

    Raises:
        ImproperConfigurationError: Nobody brings an adapter of this name.
        MissingDependencyError: Its driver is not installed.
    """
    place = ADAPTERS.get(name)
    if place is None:
        found = {entry.name: entry for entry in entry_points(group="sqlspec.adapters")}
        if name not in found:
            known = sorted({*ADAPTERS, *found})
            message = f"There is no adapter {name!r}.{did_you_mean(name, known)} Known adapters: {', '.join(known)}."
            raise ImproperConfigurationError(message)
        return found[name].load()
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)
