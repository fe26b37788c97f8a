"""The primitives of asyncmy; how a statement runs stands in ``_mysql``."""

from __future__ import annotations

from typing import Any

from asyncmy.cursors import SSCursor
from asyncmy.errors import MySQLError

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec.adapters._mysql._async.wire import GOODBYE, AsyncMysqlWire
from sqlspec.adapters._mysql.literals import UnsendableError
from sqlspec.adapters._mysql.news import has_news

__all__ = ("AsyncmyDriver", "AsyncmyWire")


class AsyncmyWire(AsyncMysqlWire):
    """asyncmy. A connection whose statement was cancelled is closed by the driver itself."""

    errors = (MySQLError, UnsendableError)
    stream_cursor = SSCursor

    def flags(self, connection: Any) -> int:
        """The connection does not keep those that are all off."""
        result = connection._result
        status: int = connection.server_status if result.description is not None else result.server_status
        return status

    def is_usable(self, connection: Any) -> bool:
        """False once either side has closed it."""
        return connection.connected and not connection._stream_broken

    def has_news(self, connection: Any) -> bool:
        """What the loop has not looked at yet."""
        return has_news(connection._transport.get_extra_info("socket").fileno())

    def hold_back(self, connection: Any) -> None:
        """Asyncmy takes all that comes, whoever wants it: 200 MB of rows took 140 MB of memory, now 3."""
        if connection._transport is not None:
            connection._transport.pause_reading()

    def let_come(self, connection: Any) -> None:
        """The next fetch waits for it."""
        if connection._transport is not None:
            connection._transport.resume_reading()

    def say_goodbye(self, connection: Any) -> None:
        """The transport sends it before it closes."""
        connection._transport.write(GOODBYE)
        connection.close()

    def hang_up(self, connection: Any) -> None:
        """Without waiting until what is still to be sent was sent."""
        if connection._transport is not None:
            connection._transport.abort()
        connection.close()


class AsyncmyDriver(AsyncDriverAdapterBase):
    """A session on MySQL or MariaDB by asyncmy."""
