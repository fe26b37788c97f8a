"""Temporary database servers: found on this machine, or started on free ports and stopped.

For tests, demos and checks. Standard library only; no driver, no pool, no session.

    with find_or_start_postgres() as server:        # a server that is there, else one of our own
        with server.temporary_database() as dsn:    # a database with a random name, dropped at the end
            ...

    with temporary_postgres() as server: ...        # always one of our own: for whoever wants to restart or kill it

The same for MariaDB: ``find_or_start_mariadb()``, ``temporary_mariadb()``; and for MySQL 9:
``find_or_start_mysql9()``. ``postgres_client.run_sql(dsn, sql)`` and
``mysql_client.run_sql(dsn, sql)`` run statements without a driver. ``python -m sqlspec.servers`` tells where the
databases would come from on this machine.
"""

from __future__ import annotations

from sqlspec.servers.mariadb import MariaDBServer, find_or_start_mariadb, temporary_mariadb
from sqlspec.servers.mysql9 import find_or_start_mysql9
from sqlspec.servers.postgres import PostgresServer, find_or_start_postgres, temporary_postgres
from sqlspec.servers.process import ServerUnavailableError

__all__ = (
    "MariaDBServer",
    "PostgresServer",
    "ServerUnavailableError",
    "find_or_start_mariadb",
    "find_or_start_mysql9",
    "find_or_start_postgres",
    "temporary_mariadb",
    "temporary_postgres",
)
