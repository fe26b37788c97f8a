"""The adapters of SQLite. A database is a file in the test's folder."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlspec.adapters import load_config
from sqlspec.testing.compliance import Adapter

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ("ADAPTERS", "CAN", "SQL", "TYPES")

TYPES = {
    "key": "INTEGER PRIMARY KEY",
    "bigint": "INTEGER",
    "float": "REAL",
    "bool": "INTEGER",
    "decimal": "TEXT",
    "text": "TEXT",
    "name": "TEXT",
    "bytes": "BLOB",
    "uuid": "TEXT",
    "date": "TEXT",
    "time": "TEXT",
    "naive": "TEXT",
    "aware": "TEXT",
    "timedelta": "TEXT",
    "json": "TEXT",
}

SQL = {
    "slow": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 300000000) SELECT max(i) FROM n",
    "fails_at_5": "abs(-9223372036854775807 - (id = 5))",
    "text_of": "'sec' || 'ret'",
}

CAN = frozenset(
    {
        *("returning", "update_returning", "inserted_id", "count", "count_many", "many_statements"),
        *("infers_parameters", "triggers", "temporary_tables", "infinity", "microseconds_as_they_are"),
        *("savepoints", "transactional_ddl", "read_only", "deferred_constraints", "server_cursors", "streams_beside"),
        *("constraints", "error_place", "lock_timeout", "time_limits", "file"),
    }
)


@contextmanager
def _file(folder: Path) -> Generator[dict[str, Any]]:
    yield {"database": str(folder / "test.db"), "max_size": 4}


def _declared(name: str, *more: str) -> Adapter:
    return Adapter(
        name,
        config=partial(load_config, name),
        database=_file,
        types=TYPES,
        sql=SQL,
        can=CAN | set(more),
        lock_options={"timeout": 0.05},
    )


ADAPTERS = [_declared("aiosqlite", "async"), _declared("sqlite")]
