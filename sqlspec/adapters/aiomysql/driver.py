"""The primitives of aiomysql; how a statement runs stands in ``_mysql``.

A cancelled statement leaves its answer on the wire (aiomysql#971), so its connection is always closed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aiomysql import connection as aiomysql_connection  # pyright: ignore[reportMissingTypeStubs]
from aiomysql.cursors import SSCursor  # pyright: ignore[reportMissingTypeStubs]
from pymysql.err import MySQLError, OperationalError

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec.adapters._mysql._async.wire import GOODBYE, AsyncMysqlWire
from sqlspec.adapters._mysql.literals import UnsendableError
from sqlspec.adapters._mysql.news import has_news

if TYPE_CHECKING:
    from sqlspec.core.facts import ErrorFacts

__all__ = ("AiomysqlDriver", "AiomysqlWire", "Connection")

CLIENT_SSL = 2048
UNREACHABLE = 2003
LOST = 2013
TLS_REFUSED = 2026


class Connection(aiomysql_connection.Connection):  # type: ignore[misc]
    """aiomysql's, which would go on in the clear where encryption was wanted and the server has none."""

    _reader: Any

    async def _get_server_information(self) -> None:
        """The greeting; what follows is the password."""
        await super()._get_server_information()
        wanted: object = self._ssl_context  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if wanted and not self.server_capabilities & CLIENT_SSL:
            raise OperationalError(TLS_REFUSED, "TLS is required but the server does not offer it")

    def _read_bytes(self, num_bytes: int) -> Any:
        """Somebody may have closed it between two packets, while another task was in a statement."""
        if self._reader is None:
            raise OperationalError(LOST, "Lost connection to MySQL server during query")
        return super()._read_bytes(num_bytes)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]

    def __del__(self) -> None:
        """The driver's needs the loop, which may be gone when nobody closed the pool."""
        with suppress(RuntimeError):
            super().__del__()  # pyright: ignore[reportUnknownMemberType]


class AiomysqlWire(AsyncMysqlWire):
    """aiomysql."""

    errors = (MySQLError, UnsendableError)
    stream_cursor = SSCursor

    def is_usable(self, connection: Any) -> bool:
        """False once either side has closed it."""
        reader = connection._reader
        return reader is not None and not reader.eof_received and reader.exception() is None

    def has_news(self, connection: Any) -> bool:
        """What the loop has not looked at yet."""
        return has_news(connection._writer.get_extra_info("socket").fileno())

    def say_goodbye(self, connection: Any) -> None:
        """The transport sends it before it closes."""
        connection._writer.write(GOODBYE)
        connection.close()

    def hang_up(self, connection: Any) -> None:
        """Without waiting until what is still to be sent was sent."""
        if connection._writer is not None:
            connection._writer.transport.abort()
        connection.close()

    def read_error(self, error: BaseException) -> ErrorFacts:
        """Why a server can't be reached aiomysql leaves to the exception's cause."""
        facts = super().read_error(error)
        if facts.code != UNREACHABLE or error.__cause__ is None:
            return facts
        return replace(facts, message=f"{facts.message} ({error.__cause__})")


class AiomysqlDriver(AsyncDriverAdapterBase):
    """A session on MySQL or MariaDB by aiomysql."""
