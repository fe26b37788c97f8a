"""Our own adapters, as they are declared to the compliance suite: by dialect, one file each."""

from __future__ import annotations

from tests.compliance.targets import adbc, duckdb, mysql, postgres, sqlite

__all__ = ("ADAPTERS", "BY_NAME", "SERVER_OF")

ADAPTERS = [*postgres.ADAPTERS, *mysql.ADAPTERS, *sqlite.ADAPTERS, *duckdb.ADAPTERS, *adbc.ADAPTERS]
BY_NAME = {adapter.name: adapter for adapter in ADAPTERS}
SERVER_OF = {
    **{adapter.name: "postgres" for adapter in postgres.ADAPTERS},
    "adbc_postgresql": "postgres",
    "adbc_flightsql": "flightsql",
    **{adapter.name: "mariadb" for adapter in mysql.ADAPTERS},
}
"""Which server an adapter needs."""
