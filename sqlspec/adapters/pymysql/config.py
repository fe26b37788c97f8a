"""A MySQL or MariaDB database reached by PyMySQL, through our own pool: PyMySQL has none."""

from __future__ import annotations

import socket
from typing import Any

import pymysql
from typing_extensions import Unpack

from sqlspec.adapters._mysql._sync.config import SyncMysqlConfig
from sqlspec.adapters._mysql.options import KEYS, MysqlPoolConfig, kinds_of, port_of
from sqlspec.adapters.pymysql.driver import PyMysqlDriver, PyMysqlWire
from sqlspec.core.options import ConfigOptions

__all__ = ("PyMysqlConfig", "PyMysqlPoolConfig")


class PyMysqlPoolConfig(MysqlPoolConfig, total=False):
    """``pool_config``: what ``pymysql.connect`` takes, and the sizes of the pool."""

    read_timeout: float | None
    """Seconds that the server may be silent while a statement runs; default None, no limit."""
    write_timeout: float | None
    """Seconds that sending may be stuck; default None, no limit."""


class PyMysqlConfig(SyncMysqlConfig[PyMysqlDriver]):
    """MySQL or MariaDB by PyMySQL.

    Arguments as in ``SyncDatabaseConfig``; ``pool_config`` as in ``PyMysqlPoolConfig``. Without ``ssl`` in
    it, the connection is encrypted if the server can do that.
    """

    adapter = "pymysql"
    driver_type = PyMysqlDriver
    pool_keys = KEYS | {"read_timeout", "write_timeout"}
    pool_kinds = kinds_of(pool_keys)

    def __init__(self, *, pool_config: PyMysqlPoolConfig | None = None, **options: Unpack[ConfigOptions]) -> None:
        super().__init__(pool_config=pool_config, **options)

    def make_wire(self) -> PyMysqlWire:
        """PyMySQL's primitives."""
        return PyMysqlWire(self.stop)

    def open_connection(self, seconds: float, silence: float | None) -> Any:
        """PyMySQL's own ``connect_timeout`` ends with the TCP connection; the greeting takes time too."""
        connect: Any = pymysql.Connection
        connection = connect(
            **self.place.family_arguments(),
            database=self.place.database,
            ssl=self.place.ssl or None,
            ssl_disabled=self.place.ssl is False or None,
            connect_timeout=seconds,
            read_timeout=seconds,
            write_timeout=self.place.write_timeout,
            defer_connect=True,
        )
        path: str | None = connection.unix_socket
        if path is not None:
            connection._secure = True  # as PyMySQL has it: the password need not be hidden there
        connection.connect(None if path is None else _socket_file(path, seconds))
        connection._read_timeout = silence
        return connection

    def socket_port(self, connection: Any) -> int:
        """Our end."""
        return port_of(connection._sock.getsockname())


def _socket_file(path: str, seconds: float) -> socket.socket:
    """PyMySQL would leave it open if there is nobody at its other end."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(seconds)
        made.connect(path)
    except BaseException:
        made.close()
        raise
    return made
