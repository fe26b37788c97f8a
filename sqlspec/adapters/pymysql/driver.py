"""The primitives of PyMySQL; how a statement runs stands in ``_mysql``."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

from pymysql.cursors import SSCursor
from pymysql.err import MySQLError

from sqlspec._sync.driver import SyncDriverAdapterBase
from sqlspec.adapters._mysql._sync.wire import SyncMysqlWire
from sqlspec.adapters._mysql.literals import UnsendableError
from sqlspec.adapters._mysql.news import has_news

__all__ = ("PyMysqlDriver", "PyMysqlWire")


class PyMysqlWire(SyncMysqlWire):
    """PyMySQL, called in the thread that calls."""

    errors = (MySQLError, UnsendableError)
    stream_cursor = SSCursor

    def is_usable(self, connection: Any) -> bool:
        """False once either side has closed it: between statements the server has nothing to say but goodbye."""
        return connection.open and (_is_reading(connection) or not has_news(connection._sock.fileno()))

    def say_goodbye(self, connection: Any) -> None:
        """PyMySQL swallows what goes wrong with it."""
        connection.close()

    def hang_up(self, connection: Any) -> None:
        """Without a goodbye. Rows not read yet are forgotten, else PyMySQL looks for them when it is freed."""
        if connection._result is not None:
            connection._result.unbuffered_active = False
        connection._force_close()

    def interrupt(self, connection: Any) -> None:
        """In another thread: stop the statement; if the server can't be reached for that, stop waiting for it."""
        if not self.stop(connection) and connection._sock is not None:
            with suppress(OSError):  # it was closed meanwhile
                connection._sock.shutdown(socket.SHUT_RDWR)

    def recover(self, connection: Any) -> None:
        """The thread that ran the statement is here: it does not run on, unless ``failed`` noted that it was left."""
        self.hang_up(connection)


def _is_reading(connection: Any) -> bool:
    return connection._result is not None and connection._result.unbuffered_active


class PyMysqlDriver(SyncDriverAdapterBase):
    """A session on MySQL or MariaDB by PyMySQL."""
