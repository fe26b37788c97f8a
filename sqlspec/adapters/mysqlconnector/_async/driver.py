"""The primitives of mysql.connector; how a statement runs stands in ``_mysql``, for connections like the one here.

Statements are sent by ``cmd_query`` as finished text, and rows are read raw from the connection. The driver's cursors
would put values into every ``%s``, those inside of strings and comments too, leave ``%%`` doubled, send NaN as NULL,
and split the text at semicolons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mysql.connector.errors import Error

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec.adapters._mysql._async.wire import AsyncMysqlWire
from sqlspec.adapters._mysql.literals import UnsendableError
from sqlspec.adapters.mysqlconnector.colours import AsyncBase, async_interrupt, async_runs_on
from sqlspec.adapters.mysqlconnector.columns import Result, rows_of
from sqlspec.core.facts import ErrorFacts
from sqlspec.dialects.mysql import read_message

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("MysqlConnectorAsyncConnection", "MysqlConnectorAsyncDriver", "MysqlConnectorAsyncWire")

LOST = 2006
CLIENT_CODES = range(2000, 3000)
"""Numbers of what the driver says and not the server."""


class MysqlConnectorAsyncConnection(AsyncBase):
    """The driver's connection, with what a connection of the PyMySQL family has."""

    _result = Result({}, (), has_next=False)

    async def query(self, sql: str) -> int:
        """Send one statement, and read its first result."""
        return await self._read(await self.send(sql))

    async def next_result(self) -> int:
        """Read the next result of the same statement."""
        return await self._read(await self._handle_result(await self.read_packet()))

    async def _read(self, told: Any) -> int:
        rows: Sequence[Any] = (await self.get_rows(raw=True))[0] if "columns" in told else ()
        self._result = result = Result(told, rows, has_next=self.have_next_result)
        return result.affected_rows

    async def leave_rows(self, sql: str) -> AsyncRows:
        """Send one statement, and leave its rows where they are."""
        told = await self.send(sql)
        self._result = Result(told, (), has_next=self.have_next_result)
        return AsyncRows(self, self._result)

    def forget_rows(self) -> None:
        """A connection that is not in use holds no rows."""
        self._result = Result({}, (), has_next=False)

    def thread_id(self) -> int | None:
        """The server's number for it."""
        return self.connection_id


class AsyncRows:
    """A result that is still on its way, as a cursor."""

    __slots__ = ("_connection", "_result", "description")

    def __init__(self, connection: MysqlConnectorAsyncConnection, result: Result) -> None:
        self._connection = connection
        self._result = result
        self.description = result.description

    async def fetchmany(self, count: int) -> Sequence[Any]:
        """The next rows."""
        connection = self._connection
        if not connection.unread_result:
            return ()
        rows: Sequence[Any] = (await connection.get_rows(count=count, raw=True))[0]
        self._result.has_next = connection.have_next_result
        return rows_of(rows, self._result.description or ())


class MysqlConnectorAsyncWire(AsyncMysqlWire):
    """mysql.connector, pure Python."""

    errors = (Error, UnsendableError)

    async def open_cursor(self, connection: Any, sql: str) -> Any:
        """Not by a cursor of the driver's."""
        return await connection.leave_rows(sql)

    def is_usable(self, connection: Any) -> bool:
        """False once either side has closed it."""
        usable: bool = connection.is_open
        return usable

    def say_goodbye(self, connection: Any) -> None:
        """Never waits."""
        connection.say_goodbye()

    def hang_up(self, connection: Any) -> None:
        """Repeatable."""
        connection.hang_up()

    def interrupt(self, connection: Any) -> None:
        """Stop what runs."""
        async_interrupt(self.stop, connection)

    async def recover(self, connection: Any) -> None:
        """Nobody knows what is still on its way: never used again."""
        if async_runs_on:
            self.interrupted.add(connection)
        self.hang_up(connection)

    def read_error(self, error: BaseException) -> ErrorFacts:
        """Number, text and SQLSTATE. What the driver says by itself quotes addresses, never values."""
        if not isinstance(error, Error):
            return super().read_error(error)
        told: Any = error
        message, code = str(told.msg), told.errno or -1
        if code < 0:
            return ErrorFacts(message, code=LOST if "not available" in message else None, from_client=True)
        if code in CLIENT_CODES:
            return ErrorFacts(message, code=code, sqlstate=told.sqlstate)
        return read_message(message, code, told.sqlstate)


class MysqlConnectorAsyncDriver(AsyncDriverAdapterBase):
    """A session on MySQL or MariaDB by mysql.connector."""
