"""PostgreSQL and MariaDB as the tests of ``sqlspec.servers`` see them: what is called differently, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlspec.servers import (
    find_or_start_mariadb,
    find_or_start_mysql9,
    find_or_start_postgres,
    mysql_client,
    postgres_client,
    temporary_mariadb,
    temporary_postgres,
)
from sqlspec.servers.mariadb import MARIADB_WAYS
from sqlspec.servers.mysql9 import MYSQL9_WAYS
from sqlspec.servers.postgres import POSTGRES_WAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlspec.servers.client import Row
    from sqlspec.servers.server import DatabaseServer
    from sqlspec.servers.ways import AnyWays

__all__ = ("MARIADB", "MYSQL9", "POSTGRES", "Kind", "only")


class Kind(NamedTuple):
    """One kind of server."""

    name: str
    find: Callable[..., DatabaseServer]
    temporary: Callable[..., DatabaseServer]
    run_sql: Callable[..., list[Row]]
    ways: AnyWays
    dsn_variable: str
    port_variable: str
    folder_sql: str
    scheme: str
    root: str
    no_such_table: str
    port_is_taken: str
    thrown_out: str
    sleep_sql: str
    sleepers_sql: str
    databases_sql: str
    reader_sql: str
    encoding_sql: str
    encoding: tuple[str, str]

    def folder_of(self, server: DatabaseServer) -> Path:
        """Where a server of our own runs."""
        return Path(self.run_sql(server.dsn, self.folder_sql)[0][0] or "").parent


POSTGRES = Kind(
    "postgres",
    find_or_start_postgres,
    temporary_postgres,
    postgres_client.run_sql,
    POSTGRES_WAYS,
    "SQLSPEC_TEST_POSTGRES_DSN",
    "PGPORT",
    "SHOW data_directory",
    scheme="postgresql",
    root="postgres",
    no_such_table=r'relation "t" does not exist \(SQLSTATE 42P01\)',
    port_is_taken="could not bind",
    sleep_sql="SELECT pg_sleep(60)",
    thrown_out="terminating connection",
    encoding_sql="SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()",
    encoding=("UTF8", "C"),
    databases_sql="SELECT datname FROM pg_database WHERE datname LIKE 'sqlspec%'",
    sleepers_sql="SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'",
    reader_sql="CREATE ROLE reader LOGIN",
)
MARIADB = Kind(
    "mariadb",
    find_or_start_mariadb,
    temporary_mariadb,
    mysql_client.run_sql,
    MARIADB_WAYS,
    "SQLSPEC_TEST_MARIADB_DSN",
    "MYSQL_TCP_PORT",
    "SELECT @@datadir",
    scheme="mysql",
    root="root",
    no_such_table=r"t' doesn't exist \(error 1146, SQLSTATE 42S02\)",
    port_is_taken="port.*Address already in use",
    sleep_sql="SELECT sleep(60)",
    thrown_out="closed the connection|Connection was killed",
    encoding_sql="SELECT @@character_set_database, @@collation_database",
    encoding=("utf8mb4", "utf8mb4_bin"),
    databases_sql="SHOW DATABASES LIKE 'sqlspec%'",
    sleepers_sql="SELECT count(*) FROM information_schema.processlist WHERE info = 'SELECT sleep(60)'",
    reader_sql="CREATE USER reader",
)
MYSQL9 = MARIADB._replace(
    name="mysql9",
    find=find_or_start_mysql9,
    temporary=find_or_start_mysql9,
    ways=MYSQL9_WAYS,
    dsn_variable="SQLSPEC_TEST_MYSQL_DSN",
)


def only(*ways: str) -> str:
    """What SQLSPEC_SERVERS_WITHOUT is set to, so that only these are left."""
    return ",".join({"env", "running", "local", "wheel", "packages"} - {*ways})
