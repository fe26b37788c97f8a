"""The adapters of MySQL and MariaDB. A database is one of its own on this run's server."""

from __future__ import annotations

import os
import ssl
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from sqlspec.adapters import load_config
from sqlspec.servers.mysql_client import run_sql
from sqlspec.testing.compliance import Adapter
from tests.support.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

__all__ = ("ADAPTERS", "BROKEN", "CAN", "CANNOT", "SQL", "TYPES", "empty_database")

TYPES = {
    "key": "BIGINT AUTO_INCREMENT PRIMARY KEY",
    "bigint": "BIGINT",
    "float": "DOUBLE",
    "bool": "BOOLEAN",
    "decimal": "DECIMAL(38, 10)",
    "text": "LONGTEXT",
    "name": "VARCHAR(100)",
    "bytes": "LONGBLOB",
    "uuid": "CHAR(36)",
    "date": "DATE",
    "time": "TIME(6)",
    "naive": "DATETIME(6)",
    "aware": "VARCHAR(40)",
    "timedelta": "VARCHAR(40)",
    "json": "JSON",
}
"""No column knows an offset, and a TIME ends at 838 hours: both are kept as text."""

SQL = {
    "slow": "SELECT SLEEP(30)",
    "connection": "SELECT CONNECTION_ID()",
    "kill": "KILL :id",
    "lock_timeout": "SET innodb_lock_wait_timeout = 1",
    "fails_at_5": "18446744073709551615 + (id = 5)",
    "text_of": "CONCAT('sec', 'ret')",
}

CAN = frozenset(
    {
        *("inserted_id", "count", "count_many", "many_statements", "multiple_results"),
        *("triggers", "temporary_tables", "microseconds_as_they_are", "savepoints", "isolation", "read_only"),
        *("server_cursors", "sqlstate", "constraint_names", "constraints", "error_place", "lock_timeout"),
        *("time_limits", "kill", "server"),
    }
)
"""What MySQL and MariaDB can."""
ONLY_MARIADB = frozenset[str]() if os.environ.get("SQLSPEC_TEST_MYSQL") == "mysql9" else frozenset({"returning"})

CANNOT = {
    "transactional_ddl": "MySQL and MariaDB commit before DDL: it is refused in a transaction",
    "update_returning": "MariaDB has RETURNING for INSERT, REPLACE and DELETE only, MySQL for none",
    "serializable": "serializable transactions wait for each other's locks instead of failing at COMMIT",
    "streams_beside": "the rows of a stream are on the wire: nothing else can run there until they are read",
    "infinity": "there are none: such floats are refused before anything is sent",
    "types": "UUIDs, durations, zones and JSON have no type that tells them from text",
}


def place(dsn: str, **parts: str) -> str:
    """The DSN with other parts."""
    return urlunsplit(urlsplit(dsn)._replace(**parts))


@contextmanager
def empty_database(folder: Path, more: dict[str, Any] | None = None) -> Generator[dict[str, Any]]:
    """A database until the end of the block."""
    name = f"test_{uuid4().hex[:12]}"
    run_sql(SERVERS.mariadb_dsn, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        yield {"dsn": place(SERVERS.mariadb_dsn, path=f"/{name}"), "max_size": 4, **(more or {})}
    finally:
        run_sql(SERVERS.mariadb_dsn, f"DROP DATABASE {name}")


def _as(account: str, dsn: str) -> str:
    host = urlsplit(dsn).netloc.rpartition("@")[2]
    return place(dsn, netloc=f"{account}@{host}")


BROKEN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "down": lambda _: {"dsn": "mysql://someone:geheim@127.0.0.1:1/app"},
    "database": lambda given: {"dsn": place(given["dsn"], path="/no_such_database")},
    "password": lambda given: {"dsn": _as("nobody_here:wrong-geheim", given["dsn"])},
    "tls": lambda _: {"ssl": ssl.create_default_context()},  # MySQL has it, with a certificate that nobody signed
}


def _declared(name: str, *more: str) -> Adapter:
    return Adapter(
        name,
        config=partial(load_config, name),
        database=empty_database,
        types=TYPES,
        sql=SQL,
        can=CAN | ONLY_MARIADB | set(more),
        broken=BROKEN,
        cannot=CANNOT,
    )


ADAPTERS = [
    _declared("asyncmy", "async"),
    _declared("aiomysql", "async"),
    _declared("pymysql"),
    _declared("mysqlconnector", "async"),
    _declared("mysqlconnector_sync"),
]
