"""What mysql.connector does differently in its two colours, in pairs: sockets, TLS, opening, interrupting.

Always the pure Python connection. The C extension has another interface, which the twin of the async leaf could not
drive, and it is not to be had everywhere: that of the 26.10 wheel needs OpenSSL 3.2, and does not load on Debian 12.
Where it loads (9.2) it reads 50,000 rows in a third of the driver's pure time, of which ``columns`` saves half; single
statements take as long.
"""

from __future__ import annotations

import asyncio
import select
import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from mysql.connector import aio
from mysql.connector.aio.charsets import charsets
from mysql.connector.connection import MySQLConnection
from mysql.connector.constants import ClientFlag
from mysql.connector.errors import Error, InterfaceError
from mysql.connector.network import MySQLSocket, MySQLTCPSocket, MySQLUnixSocket

from sqlspec.adapters._mysql._async.wire import GOODBYE

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

__all__ = (
    "AsyncBase",
    "Limits",
    "SyncBase",
    "async_interrupt",
    "async_name",
    "async_open",
    "async_runs_on",
    "sync_interrupt",
    "sync_name",
    "sync_open",
    "sync_runs_on",
)

async_name = "mysqlconnector"
sync_name = "mysqlconnector_sync"


class AsyncBase(aio.MySQLConnection):
    """A connection of mysql.connector.aio that keeps all of the server's flags, can be cut, and takes an SSLContext."""

    server_status = 0
    context: ssl.SSLContext | None = None
    _socket: Any

    def _handle_server_status(self, flags: int) -> None:
        self.server_status = flags
        super()._handle_server_status(flags)

    async def _do_handshake(self) -> None:
        await super()._do_handshake()
        if self.context is not None:
            _insist(self, self.context)
        if self._socket is not None:
            self._socket.switch_to_ssl = partial(_switch, self._socket, self._host)

    async def _post_connection(self) -> None:
        # The driver keeps in one place for all connections of which server's character sets it speaks: that of whoever
        # shook hands last. One of MySQL 9 that connects beside one of MariaDB would not find its own.
        if self._server_info is not None:
            charsets.set_mysql_major_version(self._server_info.version_tuple[0])
        await super()._post_connection()
        if not self._ssl_active:  # 26.10 goes on to read the cipher of a socket that has none, and fails
            self._ssl_disabled = True

    async def send(self, sql: str) -> Any:
        """Send a statement, and read what comes before its rows."""
        return await self.cmd_query(sql.encode())

    async def read_packet(self) -> Any:
        """The next packet."""
        return await self._socket.read(self._read_timeout)

    @property
    def is_open(self) -> bool:
        """False once either side has closed it: between statements the server has nothing to say but goodbye."""
        wire: Any = self._socket
        if wire is None or not wire.is_connected() or wire._reader is None or wire._reader.at_eof():
            return False
        return self.unread_result or self.have_next_result or not wire._reader._buffer

    @property
    def port_here(self) -> int:
        """Our end of the connection; 0 for a socket file."""
        return _port(self._socket._writer.get_extra_info("sockname"))

    def say_goodbye(self) -> None:
        """Not by the driver's own method, which waits. Compressed, the packet looks different: then without."""
        if self._socket is not None and not self._client_flags & ClientFlag.COMPRESS:
            self._socket._writer.write(GOODBYE)

    def hang_up(self) -> None:
        """Cut the socket, without a word to the server. Does not wait."""
        if self._socket is None:
            return
        self._socket._is_connected = False
        if self._socket._writer is not None:
            self._socket._writer.transport.abort()


async def _switch(wire: Any, host: str, context: ssl.SSLContext) -> None:
    """The driver does not tell the name that the certificate must have."""
    await wire._writer.start_tls(context, server_hostname=host)


class _TCPSocket(MySQLTCPSocket):
    def __del__(self) -> None:
        """Only here: the driver's cuts the connection, the parent process' one too when a forked one forgets it."""
        self.close_connection()


class _FileSocket(MySQLUnixSocket):
    def __del__(self) -> None:
        self.close_connection()


class SyncBase(MySQLConnection):
    """A connection of mysql.connector that keeps all of the server's flags, can be cut, and takes an SSLContext."""

    server_status = 0
    context: ssl.SSLContext | None = None
    _socket: Any

    def _handle_server_status(self, flags: int) -> None:
        self.server_status = flags
        super()._handle_server_status(flags)

    def _get_connection(self) -> MySQLSocket:
        wire = super()._get_connection()
        kept: Any = wire
        kept.__class__ = _FileSocket if isinstance(wire, MySQLUnixSocket) else _TCPSocket
        return wire

    def _do_handshake(self) -> None:
        super()._do_handshake()
        if self.context is not None:
            _insist(self, self.context)

    def send(self, sql: str) -> Any:
        """Send a statement, and read what comes before its rows."""
        driver: Any = self  # what its decorators give has no type
        return driver.cmd_query(sql.encode())

    def read_packet(self) -> Any:
        """The next packet."""
        return self._socket.recv(self._read_timeout)

    @property
    def is_open(self) -> bool:
        """False once either side has closed it: between statements the server has nothing to say but goodbye."""
        wire: socket.socket | None = None if self._socket is None else self._socket.sock
        if wire is None or wire.fileno() < 0:
            return False
        return self.unread_result or self.have_next_result or not _has_news(wire)

    @property
    def port_here(self) -> int:
        """Our end of the connection; 0 for a socket file."""
        return _port(self._socket.sock.getsockname())

    def say_goodbye(self) -> None:
        """The driver's own method does not wait for an answer."""
        with suppress(Error):
            self.cmd_quit()

    def hang_up(self) -> None:
        """Cut the socket, without a word to the server. The driver's own method leaves it open if that has gone."""
        wire: socket.socket | None = None if self._socket is None else self._socket.sock
        if wire is not None:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()


def _port(name: Any) -> int:
    port: int = 0 if isinstance(name, str) else name[1]
    return port


def _has_news(wire: socket.socket) -> bool:
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([wire], [], [], 0)[0])
    poll = select.poll()
    poll.register(wire, select.POLLIN)
    return bool(poll.poll(0))


def _insist(connection: Any, context: ssl.SSLContext) -> None:
    """Encrypted by this context, or not at all: the driver would go on without if the server has no TLS."""
    if not connection._client_flags & ClientFlag.SSL:
        raise InterfaceError("SSL is required but the server doesn't support it", errno=2026)

    def ours(**_: Any) -> ssl.SSLContext:
        return context

    connection._socket.build_ssl_context = ours


class Limits(NamedTuple):
    """What is said anew for each connection."""

    seconds: float
    """How long connecting may take."""
    silence: int | None
    """How long the server may be silent later on, in whole seconds; None for ever."""
    context: ssl.SSLContext | None
    """How to encrypt; None as the driver does."""


def _own(options: Mapping[str, Any]) -> dict[str, Any]:
    """The driver writes into the attributes that it is given, and into its default."""
    return {**options, "conn_attrs": dict(options.get("conn_attrs", {}))}


# Opening and interrupting ---------------------------------------------------------------------------------------------


async def async_open(make: Callable[..., Any], limits: Limits, options: Mapping[str, Any]) -> Any:
    """Connect. The driver's own limit ends with the TCP connection, and a socket whose opening is cancelled is lost."""
    connection = make(**_own(options), read_timeout=limits.silence)
    connection.context = limits.context
    try:
        async with asyncio.timeout(limits.seconds):
            await connection.connect()
    except BaseException:
        connection.hang_up()
        raise
    return connection


def sync_open(make: Callable[..., Any], limits: Limits, options: Mapping[str, Any]) -> Any:
    """Connect; the limit holds for each step."""
    connection = make()
    connection.context = limits.context
    try:
        connection.connect(**_own(options), connection_timeout=limits.seconds, read_timeout=limits.silence)
    except BaseException:
        connection.hang_up()
        raise
    return connection


def async_interrupt(stop: Callable[[Any], object], connection: Any) -> None:
    """Its caller is cancelled."""


def sync_interrupt(stop: Callable[[Any], object], connection: Any) -> None:
    """In another thread: stop the statement; if the server can't be reached for that, stop waiting for it."""
    if not stop(connection):
        with suppress(OSError, AttributeError):  # it was closed meanwhile
            connection._socket.sock.shutdown(socket.SHUT_RDWR)


async_runs_on = True
"""A statement whose caller was cancelled runs on."""
sync_runs_on = False
"""The thread that ran it is here."""
