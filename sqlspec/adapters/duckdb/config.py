"""A DuckDB database reached by the duckdb package, with our own pool: the package has none.

A connection is closed instead of given back when a session changed it, or had the driver's own connection in its hands:
DuckDB tells neither what was set nor whether a transaction is open.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import ClassVar, TypedDict

import duckdb
from typing_extensions import Unpack

from sqlspec._sync.config import SyncConnectionScope
from sqlspec._sync.pooled import SyncPooledConfig
from sqlspec.adapters.duckdb.driver import DuckDBDriver, DuckDBWire
from sqlspec.adapters.duckdb.opening import MEMORY, Opener
from sqlspec.core.options import COUNT, FLAG, MAPPING, TEXT, ConfigOptions, Kind
from sqlspec.core.transaction import OpenTransactions

__all__ = ("DuckDBConfig", "DuckDBPoolConfig")


class DuckDBPoolConfig(TypedDict, total=False):
    """``pool_config`` of the adapter; all may be left out."""

    database: str | os.PathLike[str]
    """A path, a URL like ``duckdb:///path``, or ``":memory:"`` (default: one database for the whole config)."""
    read_only: bool
    """Open the file for reading only; several processes may do so at once."""
    config: Mapping[str, str | int | float | bool | list[str]]
    """DuckDB's settings, set when the database is opened. One process opens a file with one set of them.

    ``TimeZone`` is set on every connection, and is UTC unless it is named here."""
    pool_size: int
    """The same as ``max_size``."""
    max_size: int
    """Connections at most; default 10."""
    min_size: int
    """Connections opened at start-up; default 1."""


class DuckDBConfig(SyncPooledConfig[duckdb.DuckDBPyConnection, DuckDBDriver]):
    """DuckDB, sync. Arguments as in ``SyncDatabaseConfig``; ``pool_config`` as in ``DuckDBPoolConfig``."""

    adapter = "duckdb"
    driver_type = DuckDBDriver
    pool_keys = frozenset(DuckDBPoolConfig.__annotations__) - {"pool_size"}
    pool_aliases: ClassVar[Mapping[str, str]] = {"pool_size": "max_size"}
    pool_kinds: ClassVar[Mapping[str, Kind]] = {
        "database": Kind("a path", lambda value: isinstance(value, os.PathLike)) | TEXT,
        "read_only": FLAG,
        "config": MAPPING,
        "max_size": COUNT,
        "min_size": COUNT,
    }

    def __init__(self, *, pool_config: DuckDBPoolConfig | None = None, **options: Unpack[ConfigOptions]) -> None:
        self._open_transactions = OpenTransactions()
        super().__init__(pool_config=pool_config, **options)
        self._opener = Opener(self.pool_config)

    @property
    def target(self) -> str:
        """The database as a URL."""
        database = self._opener.database
        return f"duckdb://{database}" if database == MEMORY else f"duckdb:///{database}"

    def make_wire(self) -> DuckDBWire:
        """The primitives."""
        return DuckDBWire(self._open_transactions)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Open a connection beside the pool; the first one opens the database."""
        return self._opener.connect()

    def close_connection(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Close it, which rolls back and drops what was its own."""
        self._open_transactions.forget(connection)
        connection.close()

    def provide_connection(self) -> SyncConnectionScope[duckdb.DuckDBPyConnection]:
        """A context manager of a connection that is closed at its end, with whatever was left open on it."""
        return _OwnConnection(self)

    def forget(self) -> None:
        """A database in memory ends with the last pool."""
        self._opener.forget()


class _OwnConnection(SyncConnectionScope[duckdb.DuckDBPyConnection]):
    """A connection that nobody else gets afterwards."""

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        connection = super().__enter__()
        self._checkout.changed = True
        return connection
