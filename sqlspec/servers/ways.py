"""Ways to have a database server, tried in order until one leads somewhere. Knows no database.

A way is a name and a function that looks without starting anything and returns an ``Offer``, or raises ``NotToBeHad``.
``SQLSPEC_SERVERS_WITHOUT=env,running`` switches ways off, whatever the database.
"""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from sqlspec.servers.client import ServerRefusedError
from sqlspec.servers.process import ServerUnavailableError, StartFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlspec.servers.server import DatabaseServer

__all__ = ("AnyWays", "NotToBeHad", "Offer", "Ways", "apt_get", "folders_of", "listening", "named", "own_name")

WITHOUT_VARIABLE = "SQLSPEC_SERVERS_WITHOUT"
SOMEBODY_ELSES = ("env", "running")
"""The ways that lead to servers which nobody starts or stops for us."""

ServerT = TypeVar("ServerT", bound="DatabaseServer")


class NotToBeHad(Exception):  # noqa: N818 (a way that leads nowhere is no error)
    """Why one way does not lead to a server here."""


@dataclass(frozen=True, slots=True)
class Offer(Generic[ServerT]):
    """A way that leads to a server: what it is, and how to take it."""

    description: str
    take: Callable[[Callable[[str], None]], ServerT]


@dataclass(frozen=True, slots=True)
class Ways(Generic[ServerT]):
    """All ways to one database, the best first.

    Attributes:
        database: Its name.
        looks: How to look at each way.
        advice: What to do where none leads anywhere.
    """

    database: str
    looks: Mapping[str, Callable[[], Offer[ServerT]]]
    advice: str

    def __iter__(self) -> Iterator[str]:
        return iter(self.looks)

    def look(self, way: str) -> Offer[ServerT]:
        """What one way offers. Starts nothing.

        Raises:
            NotToBeHad: And why.
            ServerUnavailableError: The environment names a server, and that one can't be used.
        """
        if way in os.environ.get(WITHOUT_VARIABLE, "").split(","):
            message = f"switched off by {WITHOUT_VARIABLE}"
            raise NotToBeHad(message)
        return self.looks[way]()

    def take(self, say: Callable[[str], None]) -> ServerT:
        """A server that is there, else one started for us.

        Raises:
            ServerUnavailableError: There is no way; the message tells of each.
        """
        return self._first(list(self), say)

    def start(self, say: Callable[[str], None]) -> ServerT:
        """A server of our own, whatever else there is.

        Raises:
            ServerUnavailableError: There is no way; the message tells of each.
        """
        return self._first([way for way in self if way not in SOMEBODY_ELSES], say)

    def _first(self, ways: Sequence[str], say: Callable[[str], None]) -> ServerT:
        tried: list[str] = []
        for way in ways:
            try:
                return self.look(way).take(say)
            except (NotToBeHad, StartFailedError, ServerRefusedError, OSError) as error:
                tried.append(f"\n  - {way}: {error}")
        message = f"No {self.database} could be had. Tried:{''.join(tried)}\nWhat to do: {self.advice}"
        raise ServerUnavailableError(message)


AnyWays: TypeAlias = "Ways[Any]"


# Looks that every database has


def named(variable: str, kind: type[ServerT]) -> Offer[ServerT]:
    """The server that a variable of the environment names; if it does not answer, that is an error."""
    dsn = os.environ.get(variable)
    if not dsn:
        message = f"{variable} is not set"
        raise NotToBeHad(message)
    try:
        server = kind.at(dsn, "env")
    except (ServerRefusedError, ValueError, OSError) as error:
        message = f"The server that {variable} names can't be used: {error}. Mend it, or unset the variable."
        raise ServerUnavailableError(message) from error
    return Offer(f"{server.name} at {server.address!r}", partial(_as_it_is, server))


def listening(port: str, dsns: Sequence[str], kind: type[ServerT]) -> Offer[ServerT]:
    """A server on a port of this machine that lets us in without a password."""
    refusals: list[str] = []
    for dsn in dict.fromkeys(dsns):
        try:
            server = kind.at(dsn, "running", timeout=3)
        except (ServerRefusedError, OSError) as error:
            refusals.append(f"{error}")
            continue
        return Offer(f"{server.name}, running on port {port}", partial(_as_it_is, server))
    message = f"no login on 127.0.0.1:{port}: {'; '.join(dict.fromkeys(refusals))}"
    raise NotToBeHad(message)


def _as_it_is(server: ServerT, _: Callable[[str], None]) -> ServerT:
    return server


def folders_of(program: str, patterns: Sequence[str]) -> list[Path]:
    """Folders that may hold a program: where PATH finds it, then where installers put it, the newest version first."""
    on_path = shutil.which(program)
    folders = [Path(on_path).resolve().parent] if on_path else []
    for pattern in patterns:
        folders += [Path(found) for found in sorted(glob.glob(pattern), key=_number_in, reverse=True)]
    return folders


def apt_get(*packages: str) -> None:
    """Install Debian's packages. No service of theirs is started.

    Raises:
        NotToBeHad: They can't be installed.
    """
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # 1: no service is started
    base = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300"]
    for step in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(
            [*base, *step], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            message = f"apt-get {step[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}"
            raise NotToBeHad(message)


def own_name(otherwise: str) -> str:
    """The name of whoever runs this; a container's number may have none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return otherwise


def _number_in(path: str) -> int:
    return int("".join(filter(str.isdigit, path)) or 0)
