"""MariaDB (or MySQL, which speaks the same protocol): found on this machine, or started and stopped.

Ways to have one, in the order in which they are tried; ``SQLSPEC_SERVERS_WITHOUT=env,running`` switches ways off:

    env        the server that SQLSPEC_TEST_MARIADB_DSN names; if it does not answer, that is an error
    running    a server on this machine's standard port that lets us in without a password
    local      programs installed here, started on a free port in a temporary folder
    packages   Debian's packages, installed with apt-get if this is root, else unpacked beside the system, then as
               ``local``
"""

from __future__ import annotations

import os
import platform
import shutil
from functools import partial
from typing import TYPE_CHECKING

from sqlspec.servers.client import ServerRefusedError, with_database
from sqlspec.servers.mariadb_programs import find_programs, launch, programs_in
from sqlspec.servers.mysql_client import MYSQL, run_sql
from sqlspec.servers.process import after_two_seconds, to_stderr
from sqlspec.servers.server import DatabaseServer
from sqlspec.servers.unpacked import is_possible_here, unpacked
from sqlspec.servers.ways import NotToBeHad, Offer, Ways, apt_get, listening, named, own_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlspec.servers.mariadb_programs import Programs
    from sqlspec.servers.server import Launch, Place

__all__ = ("MARIADB_WAYS", "MariaDBServer", "find_or_start_mariadb", "temporary_mariadb")

DSN_VARIABLE = "SQLSPEC_TEST_MARIADB_DSN"
PACKAGE = "mariadb-server-core"
OLDEST = {"MariaDB": (10, 6), "MySQL": (8, 0)}
NO_SUCH_CONNECTION = "error 1094"


class MariaDBServer(DatabaseServer):
    """A server of MariaDB or MySQL. Use it with ``with``, or call ``stop()``.

    Attributes:
        dsn: How to log in, as a user who may create databases.
        version: As the server tells it.
        way: How it was had: one of ``MARIADB_WAYS``.
    """

    scheme = MYSQL

    @property
    def product(self) -> str:
        """Which of the two it is."""
        return _product(self.version)

    @property
    def name(self) -> str:
        """Product and version."""
        return f"{self.product} {self.version.partition('-')[0]}"

    def create_database(self, name: str) -> str:
        """Make an empty database, the same on every server (UTF-8, compared and sorted by code point). Its DSN."""
        sql = f"CREATE DATABASE {_quoted(name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        run_sql(self.dsn, sql, timeout=60)
        return with_database(self.dsn, name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        for number, *_ in self._connections_to(name):
            try:
                run_sql(self.dsn, f"KILL {number}")
            except ServerRefusedError as error:
                if NO_SUCH_CONNECTION not in str(error):  # it has just ended by itself
                    raise
        run_sql(self.dsn, f"SET lock_wait_timeout = 50; DROP DATABASE IF EXISTS {_quoted(name)}", timeout=60)

    def _connections_to(self, database: str) -> list[tuple[str | None, ...]]:
        rows = run_sql(self.dsn, "SHOW PROCESSLIST")  # id, user, host, database, …
        return [row for row in rows if row[3] == database]

    @classmethod
    def _login(cls, dsn: str, timeout: float) -> str:
        """Log in and ask what matters: new enough, and allowed to create databases? The version."""
        sql = (
            "SELECT version(), current_user(), count(*) FROM information_schema.user_privileges WHERE "
            "privilege_type = 'CREATE' AND grantee = concat('''', replace(current_user(), '@', '''@'''), '''')"
        )
        version, user, may_create = run_sql(dsn, sql, timeout=timeout)[0]
        version = version or ""
        product = _product(version)
        oldest = OLDEST[product]
        if tuple(map(int, version.split(".")[:2])) < oldest:
            message = f"{product} {version} is too old, {'.'.join(map(str, oldest))} is the oldest that will do"
            raise ServerRefusedError(message)
        if may_create == "0":
            message = f"user {user} may not create databases"
            raise ServerRefusedError(message)
        return version

    @classmethod
    def _data_folder(cls, dsn: str) -> str:
        return run_sql(dsn, "SELECT @@datadir", timeout=5)[0][0] or ""


def find_or_start_mariadb(*, say: Callable[[str], None] = to_stderr) -> MariaDBServer:
    """A server that is there, else one started for us. Use it with ``with``, or call ``stop()``.

    Args:
        say: Is told what takes longer than two seconds.

    Raises:
        ServerUnavailableError: There is no way; the message tells of each.
    """
    return MARIADB_WAYS.take(say)


def temporary_mariadb(*, say: Callable[[str], None] = to_stderr) -> MariaDBServer:
    """A server of our own, whatever else runs on this machine. Use it with ``with``, or call ``stop()``.

    Args:
        say: Is told what takes longer than two seconds.

    Raises:
        ServerUnavailableError: There is no way; the message tells of each.
    """
    return MARIADB_WAYS.start(say)


# The ways


def _look_in_environment() -> Offer[MariaDBServer]:
    return named(DSN_VARIABLE, MariaDBServer)


def _look_at_standard_port() -> Offer[MariaDBServer]:
    port = os.environ.get("MYSQL_TCP_PORT", "3306")
    dsns = [f"mysql://{user}@127.0.0.1:{port}/" for user in ("root", own_name("root"))]
    return listening(port, dsns, MariaDBServer)


def _look_for_local_programs() -> Offer[MariaDBServer]:
    programs = find_programs()
    return Offer(f"program {programs.command[-1]}", partial(start, programs, "local"))


def _look_for_packages() -> Offer[MariaDBServer]:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        return Offer(f"apt-get install {PACKAGE}, then its program", _install)
    is_possible_here()
    return Offer(f"Debian's {PACKAGE}, unpacked beside the system", partial(start_unpacked, PACKAGE, _suite()))


def _install(say: Callable[[str], None]) -> MariaDBServer:
    say("Installing Debian's MariaDB (about a minute) ...")
    try:
        apt_get(PACKAGE)
    except NotToBeHad as error:  # the machine may be locked down
        say(f"{error}\nUnpacking it beside the system instead ...")
        is_possible_here()
        return start_unpacked(PACKAGE, _suite(), say)
    return _look_for_local_programs().take(say)


def _suite() -> str:
    """What this machine's Debian is called."""
    try:
        return platform.freedesktop_os_release().get("VERSION_CODENAME", "stable")
    except OSError:  # it does not say
        return "stable"


MARIADB_WAYS = Ways(
    "MariaDB",
    {
        "env": _look_in_environment,
        "running": _look_at_standard_port,
        "local": _look_for_local_programs,
        "packages": _look_for_packages,
    },
    f"set {DSN_VARIABLE} (MySQL will do, too), or install MariaDB (its programs are enough, nothing has to run)",
)


def start(programs: Programs, way: str, say: Callable[[str], None]) -> MariaDBServer:
    """A server of our own from programs that are installed."""
    remind = after_two_seconds(say, f"Starting {programs.product} ({way}: {programs.command[-1]}) ...")
    return MariaDBServer.started(way, partial(launch, programs), remind)


def start_unpacked(package: str, suite: str, say: Callable[[str], None]) -> MariaDBServer:
    """A server of our own from a package that is not installed."""
    files = unpacked(package, suite, say)
    remind = after_two_seconds(say, f"Starting {package} of Debian {suite} ...")

    def launch_there(place: Place) -> Launch:
        return launch(programs_in(files.reachable(place.folder, place.account)), place)

    return MariaDBServer.started("packages", launch_there, remind)


def _product(version: str) -> str:
    return "MariaDB" if "MariaDB" in version else "MySQL"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
