"""What the small clients of PostgreSQL and MySQL share: addresses, refusals, and reading exactly so many bytes.

Both are blocking, hold one connection per statement and read text; whoever wants more takes a driver.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from typing import Self

__all__ = ("Address", "Row", "Scheme", "ServerRefusedError", "connected", "exactly", "with_database")

Row = tuple[str | None, ...]


class ServerRefusedError(Exception):
    """The server answered with an error: to the login or to the statement."""


class Scheme(NamedTuple):
    """What the DSNs of one kind of server begin with, and what they need not say."""

    names: tuple[str, ...]
    port: int
    user: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is and who logs in: what a DSN says."""

    host: str
    """A path, if it is a Unix socket."""
    port: int
    user: str
    database: str
    password: str = ""

    @classmethod
    def parse(cls, dsn: str, scheme: Scheme) -> Self:
        """Read a URL. Its parts may also stand behind the question mark, as libpq has it.

        Raises:
            ValueError: It is none, or one of another kind of server.
        """
        try:
            parts = urlsplit(dsn)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            port = int(parts.port or query.get("port", scheme.port))
        except ValueError:
            parts, query, port = urlsplit(""), {}, 0
        if parts.scheme not in scheme.names:  # it holds a password: not shown
            message = f"a DSN looks like {scheme.names[0]}://user:password@host:{scheme.port}/database"
            raise ValueError(message)
        socket_file = query.get("unix_socket", "127.0.0.1")  # MySQL's word
        return cls(
            host=unquote(parts.hostname or "") or query.get("host", socket_file),
            port=port,
            user=unquote(parts.username or "") or query.get("user", scheme.user),
            database=unquote(parts.path.lstrip("/")) or query.get("dbname", ""),
            password=unquote(parts.password or "") or query.get("password", ""),
        )

    def __repr__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}/{self.database}"


def with_database(dsn: str, database: str) -> str:
    """The same DSN for another database of the same server."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


def connected(address: Address, timeout: float, *, socket_file: str) -> socket.socket:
    """A connection to where the server listens: over TCP, or to the file if the host is a path.

    Raises:
        OSError: Nobody answers there.
    """
    if not address.host.startswith("/"):
        return socket.create_connection((address.host, address.port), timeout)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect(socket_file)
    except BaseException:
        connection.close()
        raise
    return connection


def exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes.

    Raises:
        ConnectionError: The server closed the connection before.
    """
    data = bytearray()
    while len(data) < count:
        part = connection.recv(min(count - len(data), 1 << 20))
        if not part:
            message = "the server closed the connection"
            raise ConnectionError(message)
        data += part
    return bytes(data)
