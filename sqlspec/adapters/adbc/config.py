"""Databases reached by ADBC: one config class for all of them; driver name or URL say which."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from typing_extensions import Unpack

from sqlspec._sync.pooled import SyncPooledConfig
from sqlspec.adapters.adbc import duckdb, flightsql, postgres, sqlite
from sqlspec.adapters.adbc.driver import AdbcDriver, AdbcWire, Connection
from sqlspec.adapters.adbc.place import Handle, Place
from sqlspec.core.options import COUNT, MAPPING, NONE, TEXT, ConfigOptions, Kind, did_you_mean, one_of
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.logging import get_logger

__all__ = ("AdbcConfig", "AdbcPoolConfig")

_logger = get_logger("pool")

ALIASES = {"dsn": "uri", "pool_size": "max_size"}


class AdbcPoolConfig(TypedDict, total=False):
    """``pool_config``; ``uri`` or ``driver_name`` must be there."""

    driver_name: str
    """``"sqlite"``, ``"postgresql"``, ``"duckdb"``, ``"flightsql"``, or the name of the package that brings the driver
    (``"adbc_driver_sqlite"``). May be left out where ``uri`` has a scheme that tells it."""
    uri: str
    """``sqlite:///path``, ``postgresql://user:password@host:port/database``, ``duckdb:///path``, ``grpc://host:port``,
    ``grpc+tls://host:port``. Without a path SQLite and DuckDB are in memory: one database for the whole config."""
    dsn: str
    """The same as ``uri``."""
    database: str | os.PathLike[str]
    """A file, or ``":memory:"``, for SQLite and DuckDB; the name of the database for PostgreSQL."""
    db_kwargs: Mapping[str, Any]
    """Options of the driver's database object: ``{"username": …, "password": …}``; for DuckDB its settings."""
    conn_kwargs: Mapping[str, Any]
    """Options of the driver's connection objects."""
    pool_size: int
    """The same as ``max_size``."""
    max_size: int
    """Connections at most; default 10."""
    min_size: int
    """Connections opened at start-up; default 1."""


KINDS: dict[str, Kind] = {
    "driver_name": TEXT,
    "uri": TEXT,
    "database": Kind("a path", lambda value: isinstance(value, os.PathLike)) | TEXT,
    "db_kwargs": MAPPING,
    "conn_kwargs": MAPPING,
    "max_size": COUNT,
    "min_size": COUNT,
}

_SECRET = re.compile(r"password|secret|token|authorization|call_header|private_key", re.IGNORECASE)

FEATURE_KINDS: dict[str, Kind] = {"dialect": one_of("duckdb") | NONE}

_DATABASES: dict[str, tuple[Callable[[Mapping[str, Any]], Place], type[AdbcWire]]] = {
    "sqlite": (sqlite.place, sqlite.AdbcSqliteWire),
    "postgresql": (postgres.place, postgres.AdbcPostgresWire),
    "duckdb": (duckdb.place, duckdb.AdbcDuckdbWire),
    "flightsql": (flightsql.place, flightsql.AdbcFlightWire),
}
_ALSO = {
    "postgres": "postgresql",
    "file": "sqlite",
    "grpc": "flightsql",
    "flight_sql": "flightsql",
    "flight": "flightsql",
}


class AdbcConfig(SyncPooledConfig[Connection, AdbcDriver]):
    """Any database that has an ADBC driver, sync, on our own pool.

    Arguments as in ``SyncDatabaseConfig``; ``pool_config`` as in ``AdbcPoolConfig``. ``driver_features``: ``dialect``,
    for a Flight SQL server that is DuckDB inside: ``"duckdb"``.
    """

    adapter = "adbc"
    driver_type = AdbcDriver
    pool_keys = frozenset(AdbcPoolConfig.__annotations__) - set(ALIASES)
    pool_aliases = ALIASES
    pool_kinds = KINDS
    feature_keys = frozenset({"dialect"})
    feature_kinds = FEATURE_KINDS
    wire: AdbcWire

    def __init__(self, *, pool_config: AdbcPoolConfig | None = None, **options: Unpack[ConfigOptions]) -> None:
        super().__init__(pool_config=pool_config, **options)
        self._place = _DATABASES[self.database_kind][0](self.pool_config)
        self._handle = Handle(self._place)

    @property
    def database_kind(self) -> str:
        """Which one it is: ``"sqlite"``, ``"postgresql"``, ``"duckdb"``, ``"flightsql"``."""
        return _database_of(self.pool_config)

    @property
    def target(self) -> str:
        """The database as a URL, without password."""
        return self._place.target

    @property
    def secrets(self) -> tuple[str, ...]:
        """The passwords and tokens, in the URL and among the driver's options."""
        options: dict[str, Any] = {**self.pool_config.get("conn_kwargs", {}), **self.pool_config.get("db_kwargs", {})}
        return (*self._place.secrets, *[str(options[name]) for name in options if _SECRET.search(name)])

    def make_wire(self) -> AdbcWire:
        """The primitives for this database."""
        kind = self.database_kind
        if self.driver_features.get("dialect") is None:
            return _DATABASES[kind][1]()
        if kind != "flightsql":
            message = f"driver_features has a 'dialect', which {kind} has by itself: it is for Flight SQL servers."
            raise ImproperConfigurationError(message)
        return flightsql.AdbcFlightDuckdbWire()

    def connect(self) -> Connection:
        """Open a connection beside the pool."""
        connection = Connection(self._handle, self.pool_config.get("conn_kwargs", {}))
        try:
            self.wire.set_up(connection, self._place.setup)
        except BaseException:
            connection.close()
            raise
        return connection

    def close_connection(self, connection: Connection) -> None:
        """Close it."""
        self.wire.transactions.forget(connection)
        try:
            connection.close()
        except RuntimeError as error:  # "Cannot close AdbcConnection with open AdbcStatement"
            _logger.warning("a connection of %r stays open: %s", self, error)

    def reset(self, connection: Connection) -> None:
        """Undo what a session can set."""
        self.wire.clean(connection)

    def forget(self) -> None:
        """A database in memory ends with the last pool."""
        self._handle.close()


def _database_of(options: Mapping[str, Any]) -> str:
    """Which database is meant.

    Raises:
        ImproperConfigurationError: Nobody knows, or driver and URL contradict each other.
    """
    given: str = options.get("driver_name", "")
    scheme = re.match(r"\s*([A-Za-z]\w*)[+\w]*:", options.get("uri", ""))
    by_scheme = _known(scheme[1].lower()) if scheme else None
    by_name = _known(re.sub(r"^adbc_driver_|\.dbapi\.connect$|\.connect$", "", given.lower().replace("-", "_")))
    if given and by_name is None:
        message = (
            f"driver_name={given!r} is not known.{did_you_mean(given, _DATABASES)} Known: {', '.join(_DATABASES)}."
        )
        raise ImproperConfigurationError(message)
    if by_name and by_scheme and by_name != by_scheme:
        message = f"driver_name={given!r} and a uri of {by_scheme} contradict each other."
        raise ImproperConfigurationError(message)
    found = by_name or by_scheme
    if found is None:
        message = f"Which driver? Give driver_name ({', '.join(_DATABASES)}), or a uri whose scheme tells it."
        raise ImproperConfigurationError(message)
    return found


def _known(name: str) -> str | None:
    name = _ALSO.get(name, name)
    return name if name in _DATABASES else None
