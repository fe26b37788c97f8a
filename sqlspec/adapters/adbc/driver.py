"""The primitives of ADBC, on the driver manager's own statements: its DB-API cursors take four times as long.

What the drivers differ in is overridden beside this file, one file per database. A connection is ``dbapi.Connection``
in autocommit mode, so that whoever asks for the driver's own object can have Arrow tables from it. Every driver takes
parameters as a record batch and gives rows as a stream of them; what it reports while that is read comes as pyarrow's
exceptions, without code and SQLSTATE.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import adbc_driver_manager as adbc
from adbc_driver_manager import dbapi

from sqlspec._sync.driver import SyncDriverAdapterBase
from sqlspec._sync.wire import SyncWire
from sqlspec.adapters.adbc.arrow import MisfitError, Reading, batch, pa
from sqlspec.core.transaction import OpenTransactions
from sqlspec.exceptions import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlspec.adapters.adbc.place import Handle
    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.core.rows import Shape

__all__ = ("COUNTED", "AdbcDriver", "AdbcWire", "Connection", "Rows", "told")

COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})


class Connection(dbapi.Connection):
    """A connection that knows what runs on it and which streams are open: both must be known from outside."""

    def __init__(self, handle: Handle, options: Mapping[str, Any]) -> None:
        database: Any = handle.get()
        try:
            connection = adbc.AdbcConnection(database.opened, **options)
        except BaseException:
            database.close()
            raise
        super().__init__(database, connection, autocommit=True)
        self._database = database
        self._handle = handle
        self._options = options
        self.is_open = True
        self.streams: set[Rows] = set()
        self._running: Any = None
        self._guard = threading.Lock()

    def begin_statement(self, sql: str, options: Mapping[str, Any]) -> Any:
        """A statement that ``cancel`` stops, until ``end_statement``."""
        statement: Any = adbc.AdbcStatement(self.adbc_connection)
        try:
            if options:
                statement.set_options(**options)
            statement.set_sql_query(sql)
        except BaseException:
            statement.close()
            raise
        self._running = statement
        return statement

    def end_statement(self, statement: Any) -> None:
        """Close it, and never while it is being cancelled."""
        with self._guard:
            self._running = None
            statement.close()

    def cancel(self) -> None:
        """Stop what runs; from any thread. The Flight SQL driver cancels statements, but not connections."""
        with self._guard:
            if self._running is not None:
                with suppress(adbc.Error):  # it does not run yet, or no more: whoever wants it to stop asks again
                    self._running.cancel()

    def close_streams(self) -> None:
        """End what is still being read: an open statement keeps its connection from being closed."""
        while self.streams:
            self.streams.pop().end()

    @property
    def adbc_database(self) -> adbc.AdbcDatabase:
        """The driver's handle on the database, which all connections share."""
        opened: adbc.AdbcDatabase = self._database.opened
        return opened

    def adbc_clone(self) -> dbapi.Connection:
        """Another connection, beside the pool."""
        return Connection(self._handle, self._options)

    def close(self) -> None:
        """Close it, with all that is open on it."""
        self.is_open = False
        self.close_streams()
        super().close()

    def __del__(self) -> None:
        if getattr(self, "is_open", False):
            self.close()  # silently: a forgotten pool warns once, not once per connection


class Rows:
    """An open stream of record batches."""

    def __init__(self, connection: Connection, statement: Any, reading: Reading, learn: Any) -> None:
        self._connection = connection
        self._statement = statement
        self._reading = reading
        self._reader = pa.RecordBatchReader.from_stream(statement.execute_query()[0])
        self._rows: list[tuple[Any, ...]] = []
        self._next = 0
        self.shape: Shape = learn(tuple(self._reader.schema.names))

    def fetch(self, count: int) -> Sequence[Any]:
        """The next rows; a batch of the driver's is read when the one before it is used up."""
        while self._next >= len(self._rows):
            try:
                self._rows = self._reading.rows(self._reader.read_next_batch())
            except StopIteration:
                return ()
            self._next = 0
        found = self._rows[self._next : self._next + count]
        self._next += count
        return found

    def close(self) -> None:
        """Stop reading."""
        self._connection.streams.discard(self)
        self.end()

    def end(self) -> None:
        """Let go of stream and statement."""
        self._reader.close()
        self._connection.end_statement(self._statement)


class AdbcWire(SyncWire[Connection]):
    """What holds for every database; see the wires beside this file."""

    errors = (adbc.Error, pa.ArrowException, OSError)
    reading: ClassVar[Reading]
    statement_options: ClassVar[Mapping[str, Any]] = {}
    stream_options: ClassVar[Mapping[str, Any]] = {}
    binds_many: ClassVar[bool] = True
    """A statement takes a batch of many rows."""
    refused: ClassVar[str | None] = None
    """The SQLSTATE of a value that is not even sent."""
    counts: ClassVar[bool] = True
    """It tells how many rows it changed."""

    def __init__(self) -> None:
        self.transactions = OpenTransactions()

    def run(self, connection: Connection, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement."""
        if plan.controls_transaction:
            self.command(connection, sql)
            return None, (), None, None
        statement = connection.begin_statement(sql, self.statement_options)
        try:
            if args:
                statement.bind(self.parameters(connection, plan, sql, statement, args))
            if not plan.returns_rows:
                affected = statement.execute_update()
                return None, (), self.count(plan, affected), self.inserted(connection, plan)
            reader = pa.RecordBatchReader.from_stream(statement.execute_query()[0])
            try:
                return self._answer(plan, reader, None if plan.is_write else limit, connection)
            finally:
                reader.close()
        finally:
            connection.end_statement(statement)

    def _answer(self, plan: Plan, reader: Any, limit: int | None, connection: Connection) -> Answer:
        rows: list[tuple[Any, ...]] = []
        for found in reader:
            rows += self.reading.rows(found if limit is None else found.slice(0, limit - len(rows)))
            if limit is not None and len(rows) >= limit:
                break
        shape = plan.shape
        if shape is None or not plan.names_are_fixed:
            columns = tuple(reader.schema.names)
            if shape is None or shape.columns != columns:
                shape = plan.learn(columns)
        if not shape.columns:
            return (shape if rows else None), rows, None, None
        affected = len(rows) if plan.verb in COUNTED else None
        return shape, rows, affected, self.inserted(connection, plan)

    def run_many(self, connection: Connection, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        """Run one statement for every row: all in one batch, where the driver takes it and the types agree."""
        statement = connection.begin_statement(sql, self.statement_options)
        try:
            total = 0
            for part in self._parts(connection, plan, sql, statement, rows):
                statement.bind(part)
                affected = self._drained(statement) if plan.returns_rows else statement.execute_update()
                total = -1 if affected < 0 or total < 0 else total + affected
            return self.count(plan, total)
        finally:
            connection.end_statement(statement)

    def _parts(self, connection: Connection, plan: Plan, sql: str, statement: Any, rows: list[Any]) -> list[Any]:
        if self.binds_many:
            try:
                return [self.batch(connection, plan, sql, statement, rows)]
            except MisfitError:
                pass  # the types do not agree, or one value does not fit
        parts: list[Any] = []
        for row in rows:
            try:
                parts.append(self.batch(connection, plan, sql, statement, [row]))
            except MisfitError as misfit:
                raise self._unfit(plan, misfit, len(parts) + 1) from None
        return parts

    def _drained(self, statement: Any) -> int:
        with pa.RecordBatchReader.from_stream(statement.execute_query()[0]) as reader:
            return sum(found.num_rows for found in reader)

    def parameters(self, connection: Connection, plan: Plan, sql: str, statement: Any, args: Any) -> Any:
        """What is bound for one execution."""
        try:
            return self.batch(connection, plan, sql, statement, [args])
        except MisfitError as misfit:
            raise self._unfit(plan, misfit) from None

    def _unfit(self, plan: Plan, misfit: MisfitError, row: int | None = None) -> DataError:
        place = f"Parameter {misfit.column + 1}" + (f" of row {row}" if row else "")
        message = f"{place} can't be sent: {misfit}.\nStatement: {plan.text}"
        return DataError(message, code=self.refused, sqlstate=self.refused, statement=plan.text)

    def batch(self, connection: Connection, plan: Plan, sql: str, statement: Any, rows: list[Any]) -> Any:
        """Parameters as a record batch."""
        return batch(rows)

    def count(self, plan: Plan, affected: int) -> int | None:
        """How many rows a statement changed, if it is one that changes rows."""
        return affected if affected >= 0 and self.counts and plan.verb in COUNTED else None

    def inserted(self, connection: Connection, plan: Plan) -> int | None:
        """The key of the row that was just inserted, where the database tells it."""
        return None

    def command(self, connection: Connection, sql: str) -> str | None:
        """ADBC tells no command tag."""
        self.send(connection, sql)
        self.transactions.note(connection, sql)
        return None

    def rows(self, connection: Connection, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query without parameters."""
        statement = connection.begin_statement(sql, self.statement_options)
        try:
            with pa.RecordBatchReader.from_stream(statement.execute_query()[0]) as reader:
                return [row for found in reader for row in self.reading.rows(found)]
        finally:
            connection.end_statement(statement)

    def send(self, connection: Connection, sql: str) -> int:
        """Run a statement without parameters and rows."""
        statement = connection.begin_statement(sql, self.statement_options)
        try:
            affected: int = statement.execute_update()
            return affected
        finally:
            connection.end_statement(statement)

    def open_stream(self, connection: Connection, plan: Plan, sql: str, args: Any, chunk_size: int) -> Any:
        """Rows are computed as they are read, a batch at a time."""
        statement = connection.begin_statement(sql, self.stream_options)
        try:
            if args:
                statement.bind(self.parameters(connection, plan, sql, statement, args))
            rows = Rows(connection, statement, self.reading, plan.learn)
        except BaseException:
            connection.end_statement(statement)
            raise
        connection.streams.add(rows)
        return rows

    def in_transaction(self, connection: Connection) -> bool:
        """As far as what was sent tells."""
        return self.transactions.is_open(connection)

    def set_up(self, connection: Connection, statements: Sequence[str]) -> None:
        """Make a new connection ready."""
        for statement in statements:
            self.send(connection, statement)

    def is_usable(self, connection: Connection) -> bool:
        """False once it was closed."""
        return connection.is_open

    def interrupt(self, connection: Connection) -> None:
        """May be called from another thread."""
        connection.cancel()

    def recover(self, connection: Connection) -> None:
        """Nothing runs: the thread that would run it is here."""
        connection.close_streams()
        if self.in_transaction(connection):
            self.command(connection, "ROLLBACK")

    def clean(self, connection: Connection) -> None:
        """Before somebody else has it: end what was begun past us, by the driver's own connection."""
        connection.close_streams()
        if connection.adbc_connection.get_option("adbc.connection.autocommit") != "true":
            connection.adbc_connection.rollback()
            connection.adbc_connection.set_autocommit(True)


def told(error: BaseException) -> str:
    """What the database said, without what the driver manager put around it."""
    message = str(error)
    if isinstance(error, adbc.Error):
        message = message.removeprefix(f"{error.status_code.name}: ")
        message = message.removesuffix(f". SQLSTATE: {error.sqlstate}") if error.sqlstate else message
        message = message.removesuffix(f". Vendor code: {error.vendor_code}") if error.vendor_code else message
    return message


class AdbcDriver(SyncDriverAdapterBase):
    """A session on a database by ADBC."""
