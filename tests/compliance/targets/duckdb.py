"""The adapter of DuckDB. A database is a file in the test's folder, with a sequence for keys: there is no IDENTITY."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlspec.adapters import load_config
from sqlspec.testing.compliance import Adapter

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ("ADAPTERS", "CAN", "SQL", "TYPES", "new_database")

TYPES = {
    "key": "BIGINT PRIMARY KEY DEFAULT nextval('keys')",
    "bigint": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "decimal": "DECIMAL(38, 10)",
    "text": "VARCHAR",
    "name": "VARCHAR",
    "bytes": "BLOB",
    "uuid": "UUID",
    "date": "DATE",
    "time": "TIME",
    "naive": "TIMESTAMP",
    "aware": "TIMESTAMPTZ",
    "timedelta": "INTERVAL",
    "json": "JSON",
}

SQL = {
    "slow": "SELECT count(*) FROM range(10000000) a(i), range(10000000) b(j) WHERE (i * j) % 7 = 3",
    "connection": "SELECT current_connection_id()",
    "fails_at_5": "CAST(CASE id WHEN 5 THEN 'x' ELSE '1' END AS INTEGER)",
    "text_of": "'sec' || 'ret'",
}

CAN = frozenset(
    {
        *("returning", "update_returning", "count", "count_many", "many_statements", "temporary_tables", "types"),
        *("arrays", "matrices", "infinity", "microseconds_as_they_are", "error_aborts", "transactional_ddl"),
        *("read_only", "commit_tag", "server_cursors", "constraints", "error_place", "time_limits", "file"),
    }
)


@contextmanager
def new_database(folder: Path) -> Generator[Path]:
    """A file with an empty database."""
    import duckdb

    path = folder / "test.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("CREATE SEQUENCE keys")
    yield path


@contextmanager
def _pool_config(folder: Path) -> Generator[dict[str, Any]]:
    with new_database(folder) as path:
        yield {"database": str(path), "max_size": 4}


ADAPTERS = [
    Adapter(
        "duckdb",
        config=partial(load_config, "duckdb"),
        database=_pool_config,
        types=TYPES,
        sql=SQL,
        can=CAN,
        broken={"down": lambda works: {"database": works["database"].replace("test.duckdb", "no/such.duckdb")}},
        cannot={
            "savepoints": "DuckDB has none: a nested block that fails takes the whole transaction along",
            "streams_beside": "a connection has one result at a time, and the next statement ends it in silence",
            "isolation": "a transaction always reads from a snapshot",
            "inserted_id": "DuckDB does not tell it: use RETURNING",
            "constraint_names": "DuckDB's messages name table and column, not the constraint",
            "lock_timeout": "nobody waits for locks: the second writer of a row fails at once",
        },
    )
]
