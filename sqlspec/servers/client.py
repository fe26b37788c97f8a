"""What the small clients of PostgreSQL and MySQL share: addresses, refusals, and the life of a connection.

Both are blocking, hold one connection per statement and read text; whoever wants more takes a driver.
"""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

__all__ = ("Address", "Connection", "Row", "Scheme", "ServerRefusedError", "with_database")

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
            port = parts.port or int(query.get("port", scheme.port))
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
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{quote(database, safe='')}"))


class Connection(ABC):
    """A logged-in connection, until the end of the ``with``.

    Args:
        address: Where to, and who.
        timeout: Seconds that each answer may take.
        socket_file: Where the server listens if the host is a path.
    """

    def __init__(self, address: Address, timeout: float, *, socket_file: str) -> None:
        self._socket = _connected(address, timeout, socket_file)
        try:
            self._log_in(address)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._log_out()
        except OSError:
            pass  # it went first
        self._socket.close()

    @abstractmethod
    def _log_in(self, address: Address) -> None: ...

    @abstractmethod
    def _log_out(self) -> None: ...

    def _exactly(self, count: int) -> bytes:
        """So many bytes.

        Raises:
            ConnectionError: The server closed the connection before.
        """
        data = bytearray()
        while len(data) < count:
            part = self._socket.recv(min(count - len(data), 1 << 20))
            if not part:
                message = "the server closed the connection"
                raise ConnectionError(message)
            data += part
        return bytes(data)


def _connected(address: Address, timeout: float, socket_file: str) -> socket.socket:
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
