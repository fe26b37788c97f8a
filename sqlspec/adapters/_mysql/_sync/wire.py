"""GENERATED from sqlspec/adapters/_mysql/_async/wire.py by tools/unasync.py: do not edit. The primitives of the PyMySQL family, on connections in autocommit mode.

A connection of these drivers has ``query``, ``next_result``, ``ping`` and ``thread_id``, the last answer in ``_result``
and the server's flags in ``server_status``. Cursors are used for streams only: they add nothing to a plain statement
but a second one that asks for warnings and prints them, values and all.

A failed statement does not tell the server's flags, and a deadlock's victim has lost its transaction: so the flags are
asked for, by one ping, after an error in a transaction. A statement that was interrupted still runs on the server:
the connection is noted here, and whoever closes it ends the statement too.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakSet

from sqlspec._sync.wire import SyncWire
from sqlspec.adapters._mysql.literals import UnsendableError, literals
from sqlspec.adapters._mysql.names import without_values
from sqlspec.core.facts import ErrorFacts, ParameterStyle
from sqlspec.dialects.mysql import MYSQL, read_message
from sqlspec.exceptions import TransactionError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlspec.concurrency import SyncResult
    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.core.rows import Shape

__all__ = ("GOODBYE", "SyncMysqlWire")

IN_TRANSACTION = 1
AUTOCOMMIT = 2
NO_BACKSLASH_ESCAPES = 512

GOODBYE = b"\x01\x00\x00\x00\x01"
"""COM_QUIT, as a packet."""

INTERRUPTED = 1317
"""What a statement answers that was stopped."""

DRAINED_ROWS = 2000
"""Rows of a stream that nobody wants are read up to here; more are stopped on the server."""

BATCH_LENGTH = 250_000
"""Characters of an INSERT of many rows: at most 1 MB, which every server takes."""

_COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD"})
_INSERTS = frozenset({"INSERT", "REPLACE"})
_VALUES = re.compile(
    r"(\s*(?:INSERT|REPLACE)\b.+\bVALUES?\s*)"
    r"(\((?=[^%]*%s)(?:[^()'\"`#%-]|%s|\((?:[^()'\"`#%-]|%s)*\))*\))"
    r"(\s*(?:(?:AS|ON\s+DUPLICATE)\b.*)?)\s*;?\s*\Z",
    re.IGNORECASE | re.DOTALL,
)
"""An INSERT of one row: before it, the row (functions of values may stand in it, no strings and comments), after it."""


class SyncMysqlWire(SyncWire[Any]):
    """What these drivers can do with a connection.

    Args:
        stop: Stops what runs on a connection, by a connection beside it; False if nothing was stopped.
    """

    dialect = MYSQL
    style = ParameterStyle.FORMAT
    streams_block = True
    stream_cursor: ClassVar[type[Any]]
    """The driver's class of unbuffered cursors."""

    def __init__(self, stop: Callable[[Any], SyncResult[bool]]) -> None:
        self.stop = stop
        self.interrupted: WeakSet[Any] = WeakSet()
        """Connections on which a statement may still run that nobody waits for."""

    def run(self, connection: Any, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement. Of several results (CALL) the first counts, all are read."""
        sent: list[str] = []
        try:
            if args:
                sent = self.written(connection, plan, args)
            connection.query(sql if sql is plan.text and not args else sql % tuple(sent))
            result = connection._result
            if result.has_next:
                self.read_on(connection)
        except BaseException as error:
            self.failed(connection, error)
            raise
        description = result.description
        if description is None:
            if not self.flags(connection) & (AUTOCOMMIT | IN_TRANSACTION):
                self._refuse(connection)
            inserted = (result.insert_id or None) if plan.verb in _INSERTS else None
            return None, (), result.affected_rows if plan.verb in _COUNTED else None, inserted
        shape = plan.shape
        if shape is None or not (plan.names_are_fixed or shape.key == description):
            shape = _learn(plan, result, description, sql, sent, args)
        rows = result.rows
        return shape, rows, len(rows) if plan.verb in _COUNTED else None, None

    def _refuse(self, connection: Any) -> None:
        """Autocommit was switched off: what follows would be lost at the end, without a word."""
        self.command(connection, "SET autocommit = 1")
        message = "autocommit stays on: every statement commits by itself. Use begin() or transaction() for several."
        raise TransactionError(message)

    def written(self, connection: Any, plan: Plan, values: Sequence[Any]) -> list[str]:
        """The values as they stand in the statement."""
        return literals(values, plan.verb, plain=connection.server_status & NO_BACKSLASH_ESCAPES != 0)

    def read_on(self, connection: Any) -> None:
        """Read what follows the first result: what is left would be the next statement's."""
        while connection._result.has_next:
            connection.next_result()

    def run_many(self, connection: Any, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        """INSERTs are joined to statements of many rows; all others run one by one."""
        try:
            parts = _VALUES.fullmatch(sql)
            if parts is None or "%s" in parts[1] or "%s" in parts[3]:
                return self._run_one_by_one(connection, plan, sql, rows)
            return self._run_joined(connection, plan, parts, rows)
        except BaseException as error:
            self.failed(connection, error)
            raise

    def _run_one_by_one(self, connection: Any, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        total = 0
        for row in rows:
            values = self.written(connection, plan, row)
            connection.query(sql if sql is plan.text and not row else sql % tuple(values))
            result = connection._result
            total += result.affected_rows if result.description is None else len(result.rows)
            self.read_on(connection)
        return total if plan.verb in _COUNTED else None

    def _run_joined(self, connection: Any, plan: Plan, parts: re.Match[str], rows: list[Any]) -> int:
        before, after = parts[1] % (), parts[3] % ()
        total, length, batch = 0, 0, list[str]()
        for row in rows:
            values = parts[2] % tuple(self.written(connection, plan, row))
            if batch and length + len(values) > BATCH_LENGTH:
                total += self._insert(connection, before + ",".join(batch) + after)
                length, batch = 0, []
            batch.append(values)
            length += len(values)
        return total + self._insert(connection, before + ",".join(batch) + after)

    def _insert(self, connection: Any, sql: str) -> int:
        connection.query(sql)
        affected: int = connection._result.affected_rows
        return affected

    def command(self, connection: Any, sql: str) -> str | None:
        """The server tells no command tag."""
        try:
            connection.query(sql)
        except BaseException as error:
            self.failed(connection, error)
            raise
        return None

    def open_stream(self, connection: Any, plan: Plan, sql: str, args: Any, chunk_size: int) -> SyncMysqlRows:
        """Leave the rows in the socket: nothing else can run until they are read."""
        sent: list[str] = []
        try:
            if args:
                sent = self.written(connection, plan, args)
            text = sql if sql is plan.text and not args else sql % tuple(sent)
            cursor = self.open_cursor(connection, text)
        except BaseException as error:
            self.failed(connection, error)
            raise
        shape = _learn(plan, connection._result, cursor.description or (), sql, sent, args)
        return SyncMysqlRows(self, connection, cursor, shape)

    def open_cursor(self, connection: Any, sql: str) -> Any:
        """Run a statement and leave its rows in the socket: an object with ``description`` and ``fetchmany``."""
        cursor = connection.cursor(self.stream_cursor)
        cursor.execute(sql)
        return cursor

    def failed(self, connection: Any, error: BaseException) -> None:
        """Note what became of the connection; for an error of the server's, ask what became of the transaction."""
        if not isinstance(error, self.errors):
            self.interrupted.add(connection)
            self.hang_up(connection)
        elif self.in_transaction(connection) and self.is_usable(connection) and not isinstance(error, UnsendableError):
            self.ask(connection)

    def ask(self, connection: Any) -> None:
        """Ask for the server's flags. A connection that does not answer is closed: its next user must not be asked."""
        try:
            connection.ping(reconnect=False)
        except BaseException as error:
            self.hang_up(connection)
            if not isinstance(error, self.errors):
                raise

    def flags(self, connection: Any) -> int:
        """What the server said with the last answer that was no rows."""
        status: int = connection.server_status
        return status

    def in_transaction(self, connection: Any) -> bool:
        """As the server said last."""
        status: int = connection.server_status
        return status & IN_TRANSACTION != 0

    def has_news(self, connection: Any) -> bool:
        """Whether the server has hung up on an idle connection, and the driver does not know yet."""
        return False

    def hold_back(self, connection: Any) -> None:
        """Between two fetches of a stream: read nothing ahead, where the driver would."""

    def let_come(self, connection: Any) -> None:
        """Read again."""

    @abstractmethod
    def say_goodbye(self, connection: Any) -> None:
        """Tell the server that nothing more will come. Never waits."""

    @abstractmethod
    def hang_up(self, connection: Any) -> None:
        """Close the socket at once, without a word to the server. Repeatable."""

    def interrupt(self, connection: Any) -> None:
        """Cancellation interrupts; what still runs on the server then is stopped when the connection is closed."""

    def recover(self, connection: Any) -> None:
        """Nobody knows what is still on its way: never used again. The server rolls back."""
        self.interrupted.add(connection)
        self.hang_up(connection)

    def was_interrupted(self, connection: Any) -> bool:
        """Whether a statement may run on for it; the async drivers note when a cancellation made them close."""
        return connection in self.interrupted or getattr(connection, "_close_reason", None) is not None

    def read_error(self, error: BaseException) -> ErrorFacts:
        """What the driver's exception tells: number, text and (from some versions on) SQLSTATE."""
        if isinstance(error, UnsendableError):
            return ErrorFacts(str(error), sqlstate="22000", from_client=True)
        told = error.args
        if len(told) > 1 and isinstance(told[0], int):
            code = told[0] or 2006  # the drivers' InterfaceError (0, ...): the connection is closed
            return read_message(str(told[1]) or "the connection is closed", code, getattr(error, "sqlstate", None))
        return ErrorFacts(str(error), sqlstate="08003" if not told or "onnect" in str(error) else None)


def _learn(plan: Plan, result: Any, description: Any, sql: str, sent: list[str], args: Any) -> Shape:
    """The names of the columns: those of tables as they are, those of expressions without values."""
    names: list[str] = [column[0] for column in description]
    if args and names:
        fields: Sequence[Any] = getattr(result, "fields", None) or ()  # mysql.connector does not tell
        in_tables = {name for name, field in zip(names, fields, strict=False) if field.org_table}
        made = iter(without_values([name for name in names if name not in in_tables], plan.text, sql, sent, args))
        names = [name if name in in_tables else next(made) for name in names]
    return plan.learn(tuple(names), description)


class SyncMysqlRows:
    """Rows that are still on their way.

    Args:
        wire: Of the connection.
        connection: It is taken until these rows are read or closed.
        cursor: The driver's.
        shape: Their columns.
    """

    __slots__ = ("_connection", "_cursor", "_ended", "_wire", "shape")

    def __init__(self, wire: SyncMysqlWire, connection: Any, cursor: Any, shape: Shape) -> None:
        self._wire = wire
        self._connection = connection
        self._cursor = cursor
        self._ended = cursor.description is None
        self.shape = shape
        if not self._ended:
            wire.hold_back(connection)

    def fetch(self, count: int) -> Sequence[Any]:
        """The next rows."""
        if self._ended:
            return ()
        wire, connection = self._wire, self._connection
        wire.let_come(connection)
        try:
            rows: Sequence[Any] = self._cursor.fetchmany(count)
            if len(rows) < count:
                self._ended = True
                wire.read_on(connection)
        except BaseException as error:
            self._ended = True
            wire.failed(connection, error)
            raise
        if not self._ended:
            wire.hold_back(connection)
        return rows

    def close(self) -> None:
        """Read a few more rows; if that is not all, stop the statement, and read what was sent already."""
        left = DRAINED_ROWS
        while not self._ended and left > 0:
            left -= len(self.fetch(500))
        if not self._ended:
            self._wire.stop(self._connection)
        try:
            while not self._ended:
                self.fetch(500)
        except self._wire.errors as error:
            if self._wire.read_error(error).code != INTERRUPTED:
                raise
