"""The database servers of a test run: found or started when first asked for, stopped at the end of the run.

One per process, since tests of every folder share them. ``SERVERS.postgres_dsn`` and ``SERVERS.mariadb_dsn`` are
databases of this run's own, dropped at its end.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlspec import servers
from sqlspec.servers.postgres_client import run_sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlspec.servers import MariaDBServer, PostgresServer
    from tests.support.flightsql import FlightSQLServer

__all__ = ("SERVERS", "Servers")


class Servers:
    """The servers of this run."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._had: dict[str, Any] = {}
        self.say: Callable[[str], None] = print

    def start(self, name: str) -> Any:
        """The server of this name: ``postgres``, ``mariadb`` or ``flightsql``.

        Raises:
            ServerUnavailableError: It can't be had.
        """
        if name not in self._had:
            known: dict[str, Callable[..., Any]] = {
                "postgres": servers.find_or_start_postgres,
                "mariadb": _find_mariadb,
                "flightsql": _start_flightsql,
            }
            self._had[name] = server = known[name](say=self.say)
            self._stack.callback(server.stop)
        return self._had[name]

    @property
    def postgres(self) -> PostgresServer:
        """PostgreSQL."""
        server: PostgresServer = self.start("postgres")
        return server

    @property
    def mariadb(self) -> MariaDBServer:
        """MariaDB; with SQLSPEC_TEST_MYSQL=mysql9 MySQL 9."""
        server: MariaDBServer = self.start("mariadb")
        return server

    @property
    def flightsql(self) -> FlightSQLServer:
        """Flight SQL over DuckDB: the tests' own."""
        server: FlightSQLServer = self.start("flightsql")
        return server

    @property
    def postgres_dsn(self) -> str:
        """An empty database of this run's own."""
        return self._database("postgres")

    @property
    def mariadb_dsn(self) -> str:
        """An empty database of this run's own."""
        return self._database("mariadb")

    @property
    def strict_postgres_dsn(self) -> str:
        """A server of our own that wants the password ``right`` of the user ``strict``, and has no TLS."""
        if "strict" not in self._had:
            server = servers.temporary_postgres(say=self.say)
            self._stack.callback(server.stop)
            run_sql(server.dsn, "CREATE ROLE strict LOGIN PASSWORD 'right'")
            ((file,),) = run_sql(server.dsn, "SHOW hba_file")
            rules = Path(file or "")
            rules.write_text(f"host all strict 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
            run_sql(server.dsn, "SELECT pg_reload_conf()")
            place = urlsplit(server.dsn)
            self._had["strict"] = f"postgresql://strict:right@{place.hostname}:{place.port}/postgres"
        dsn: str = self._had["strict"]
        return dsn

    def _database(self, name: str) -> str:
        if f"{name} database" not in self._had:
            made = self.start(name).temporary_database("sqlspec_test")
            self._had[f"{name} database"] = self._stack.enter_context(made)
        dsn: str = self._had[f"{name} database"]
        return dsn

    def stop(self) -> None:
        """Stop what was started."""
        self._had.clear()
        self._stack.close()


def _find_mariadb(say: Callable[[str], None]) -> MariaDBServer:
    find = servers.find_or_start_mysql9 if os.environ.get("SQLSPEC_TEST_MYSQL") == "mysql9" else None
    return (find or servers.find_or_start_mariadb)(say=say)


def _start_flightsql(say: Callable[[str], None]) -> FlightSQLServer:
    from tests.support.flightsql import temporary_flightsql  # imports pyarrow's Flight

    say("Flight SQL: started for this run")
    return temporary_flightsql()


SERVERS = Servers()
