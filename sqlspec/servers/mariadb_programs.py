"""The programs of MariaDB and MySQL: where they are, and how they serve data that nobody will miss."""

from __future__ import annotations

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlspec.servers.server import Launch
from sqlspec.servers.ways import NotToBeHad, folders_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlspec.servers.server import Place
    from sqlspec.servers.unpacked import Unpacked

__all__ = ("Programs", "find_programs", "launch", "programs_in")

NAMES = ("mariadbd", "mysqld")
INSTALLED = (  # where installers put the programs, beside PATH
    "/usr/sbin",  # Debian
    "/usr/libexec",  # Red Hat
    "/opt/homebrew/opt/mariadb*/bin",
    "/usr/local/opt/mariadb*/bin",
    "/opt/homebrew/opt/mysql*/bin",
    "/usr/local/opt/mysql*/bin",
    "/usr/local/mysql*/bin",  # Oracle's installer
)
SYSTEM_TABLES = (
    *("{}_system_tables.sql", "{}_performance_tables.sql", "{}_system_tables_data.sql"),
    "maria_add_gis_sp_bootstrap.sql",
)
"""The scripts that mariadb-install-db feeds to the server, without those that fill the help and the sys schema."""
LAYOUTS = ("mysql", "mariadb")
"""What the folder below ``share`` and its scripts are called."""

QUICK = (
    *("--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-buffer-pool-size=64M"),
    "--innodb-use-native-aio=0",  # a machine has few of those, and other servers
)
SERVED = (
    *QUICK,
    *("--innodb-fast-shutdown=2", "--skip-log-bin", "--bind-address=127.0.0.1", "--max-connections=300"),
    "--character-set-server=utf8mb4",
)
ONLY_MARIADB = ("--skip-name-resolve", "--innodb-log-file-size=8M")
ONLY_MYSQL = ("--mysqlx=OFF", "--secure-file-priv=NULL")


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the programs of a server are, and how they are run.

    Attributes:
        command: The server program, with what has to stand before it.
        prefix: Below it are ``share`` and ``bin``.
        options: What the server has to be told of where it is.
    """

    command: tuple[str, ...]
    prefix: Path
    options: tuple[str, ...] = ()

    @property
    def product(self) -> str:
        """MariaDB or MySQL, as the program tells it."""
        version = subprocess.run([*self.command, "--no-defaults", "--version"], capture_output=True, check=False)
        return "MariaDB" if b"MariaDB" in version.stdout else "MySQL"


def find_programs() -> Programs:
    """Those that are installed on this machine.

    Raises:
        NotToBeHad: There are none.
    """
    for name in NAMES:
        for folder in folders_of(name, INSTALLED):
            if os.access(folder / name, os.X_OK):
                return Programs((str(folder / name),), folder.parent)
    message = f"no program {' or '.join(NAMES)} in PATH or where installers put them"
    raise NotToBeHad(message)


def programs_in(files: Unpacked) -> Programs:
    """Those of packages that were unpacked beside the system.

    Raises:
        NotToBeHad: There are none.
    """
    prefix = files.root / "usr"
    name = "mariadbd" if (prefix / "sbin" / "mariadbd").exists() else "mysqld"
    shares = [prefix / "share" / name for name in LAYOUTS]
    share = next((folder for folder in shares if (folder / "charsets").is_dir()), shares[0])
    options = (f"--basedir={prefix}", f"--lc-messages-dir={share}", f"--character-sets-dir={share}/charsets")
    return Programs(files.program(name), prefix, (*options, f"--plugin-dir={prefix}/lib/mysql/plugin"))


def launch(programs: Programs, place: Place) -> Launch:
    """How to start a server from them. Its user root logs in over TCP, without a password."""
    prepare, own = _mariadb(programs, place.folder) if programs.product == "MariaDB" else _mysql(programs, place.folder)
    return Launch(
        prepare=prepare,
        serve=[
            *_server(programs, place.folder),
            *SERVED,
            *own,
            f"--port={place.port}",
            f"--socket={place.folder}/socket",
            f"--pid-file={place.folder}/pid",
        ],
        dsn=f"mysql://root@127.0.0.1:{place.port}/",
        stop=signal.SIGTERM,
    )


def _server(programs: Programs, folder: Path) -> list[str]:
    return [*programs.command, "--no-defaults", *programs.options, f"--datadir={folder}/data"]


def _mysql(programs: Programs, folder: Path) -> tuple[list[str], Sequence[str]]:
    return [*_server(programs, folder), *QUICK, "--initialize-insecure", *ONLY_MYSQL], ONLY_MYSQL


def _mariadb(programs: Programs, folder: Path) -> tuple[list[str], Sequence[str]]:
    tables = _system_tables(programs.prefix)
    if tables is None:  # another layout: the distribution's own script, which is slower
        tool = ["mariadb-install-db", "--no-defaults", f"--basedir={programs.prefix}", f"--datadir={folder}/data"]
        return [*tool, "--auth-root-authentication-method=normal", "--skip-test-db"], ONLY_MARIADB
    (folder / "tables.sql").write_bytes(tables)
    (folder / "tables.sql").chmod(0o644)
    server = [*_server(programs, folder), *QUICK, *ONLY_MARIADB, "--bootstrap"]
    return ["sh", "-c", 'mkdir data && exec "$@" <tables.sql', "sh", *server], ONLY_MARIADB


def _system_tables(prefix: Path) -> bytes | None:
    """What makes an empty folder a data folder."""
    for name in LAYOUTS:
        parts = [prefix / "share" / name / part.format(name) for part in SYSTEM_TABLES]
        if all(part.is_file() for part in parts):
            return b"CREATE DATABASE mysql;\nUSE mysql;\n" + b"\n".join(part.read_bytes() for part in parts)
    return None
