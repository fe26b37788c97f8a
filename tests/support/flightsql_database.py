"""A DuckDB in memory as a Flight SQL server has it: what clients left in it, and how statements run. Knows no calls."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb

from tests.support.flightsql_protocol import pa

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from duckdb import DuckDBPyConnection

__all__ = ("Database", "Prepared", "Result", "Transaction", "check")

flight: Any = import_module("pyarrow.flight")
"""It has no types: tables, batches, readers and what Flight hands over are Any."""

T = TypeVar("T")

KEPT_RESULTS = 200
"""So many answers that nobody has fetched are kept."""
ROWS_PER_BATCH = 2048


class Prepared:
    """A statement, and the parameters that were bound to it last."""

    def __init__(self, sql: str, names: set[str], transaction: bytes) -> None:
        self.sql = sql
        self.names = names
        self.transaction = transaction
        self.sets: list[Any] | None = None

    def bind(self, table: Any) -> None:
        """Note the sets, by position: the driver has no other way."""
        self.sets = [list(row) for row in zip(*[column.to_pylist() for column in table.columns], strict=True)]


class Transaction:
    """A connection of its own to the database. One statement at a time."""

    def __init__(self, connection: DuckDBPyConnection) -> None:
        self.connection = connection
        self.lock = threading.Lock()
        self.last_used = time.monotonic()
        connection.execute("BEGIN TRANSACTION").fetchall()

    def is_forgotten(self, patience: float) -> bool:
        """Has its client not been heard of for so long?"""
        return not self.lock.locked() and time.monotonic() - self.last_used > patience

    def end(self, verb: str) -> None:
        with self.lock:
            try:
                self.connection.execute(verb).fetchall()
            finally:
                self.connection.close()


class Database:
    """One database, and what clients have left in it.

    Args:
        patience: So many seconds a transaction waits for its next statement. Then whoever comes next rolls it back.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self.connection = duckdb.connect(
            ":memory:", config={"autoinstall_known_extensions": "false", "arrow_lossless_conversion": "true"}
        )
        self.lock = threading.Lock()
        self.statements: dict[bytes, Prepared] = {}
        self.transactions: dict[bytes, Transaction] = {}
        self.results: OrderedDict[bytes, Result] = OrderedDict()
        self._running: list[DuckDBPyConnection] = []

    def close(self) -> None:
        """Forget everything, and interrupt what still runs."""
        end = time.monotonic() + 10
        while self._running and time.monotonic() < end:
            for connection in list(self._running):
                connection.interrupt()
            time.sleep(0.01)
        for result in self.results.values():
            result.close()
        for transaction in self.transactions.values():
            transaction.connection.close()
        self.connection.close()

    def watched(self, context: Any, connection: DuckDBPyConnection, work: Callable[[], T]) -> T:
        """Do it, and interrupt it when the client has gone."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.02):
                if context.is_cancelled():
                    connection.interrupt()

        watcher = threading.Thread(target=watch)
        watcher.start()
        self._running.append(connection)
        try:
            return work()
        finally:
            self._running.remove(connection)
            done.set()
            watcher.join()

    def keep(self, result: Result) -> bytes:
        ticket = secrets.token_bytes(16)
        with self.lock:
            self.results[ticket] = result
            if len(self.results) > KEPT_RESULTS:
                self.results.popitem(last=False)[1].close()
        return ticket

    def end_forgotten(self) -> None:
        """Roll back what clients have begun that are gone: hanging up ends no transaction in this protocol."""
        with self.lock:
            gone = [name for name, transaction in self.transactions.items() if transaction.is_forgotten(self._patience)]
            ended = [self.transactions.pop(name) for name in gone]
        for transaction in ended:
            transaction.end("ROLLBACK")

    @contextmanager
    def using(self, transaction: bytes) -> Generator[DuckDBPyConnection]:
        """The connection of a transaction, or a new one that is closed afterwards."""
        self.end_forgotten()
        if transaction:
            if transaction not in self.transactions:
                raise flight.FlightServerError("there is no such transaction: it has ended")
            found = self.transactions[transaction]
            with found.lock:
                try:
                    yield found.connection
                finally:
                    found.last_used = time.monotonic()
        else:
            with self.connection.cursor() as connection:
                yield connection

    def ask(self, context: Any, sql: str, sets: Sequence[Any] | None, transaction: bytes) -> Result:
        """Run a statement for its rows."""
        check(sql)
        if transaction or (sets is not None and len(sets) != 1):
            tables = self._each(context, sql, sets, transaction)
            table = pa.concat_tables(tables) if tables else pa.table({})
            return Result(table.to_reader(ROWS_PER_BATCH), table.num_rows)
        connection = self.connection.cursor()
        try:
            answer = self.watched(context, connection, partial(run, connection, sql, sets[0] if sets else None))
            return Result(answer, -1, connection)
        except BaseException:
            connection.close()
            raise

    def tell(self, context: Any, sql: str, sets: Sequence[Any] | None, transaction: bytes) -> int:
        """Run a statement for its effect. How many rows it has changed; -1 if that has no meaning."""
        check(sql)
        counts = [changed(table) for table in self._each(context, sql, sets, transaction)]
        return -1 if -1 in counts else sum(counts)

    def _each(self, context: Any, sql: str, sets: Sequence[Any] | None, transaction: bytes) -> list[Any]:
        """A table for each set of parameters."""
        with self.using(transaction) as connection, all_or_none(connection, transaction, sets or ()):
            return [
                self.watched(context, connection, partial(read_all, connection, sql, parameters))
                for parameters in ([None] if sets is None else sets)
            ]

    def schema(self, sql: str, transaction: bytes) -> Any:
        """The columns of a query, without running it; none if that is not known before."""
        statements = duckdb.extract_statements(sql)
        one = statements[0] if len(statements) == 1 else None
        if one is None or one.type != duckdb.StatementType.SELECT or one.named_parameters:
            return pa.schema([])
        with self.using(transaction) as connection:
            relation = connection.sql(sql)
            empty = relation.limit(0).to_arrow_table()
            return empty.rename_columns(relation.columns).schema


class Result:
    """Rows that wait to be fetched, with the connection that they come from; without one, they are all here."""

    def __init__(self, reader: Any, count: int, connection: DuckDBPyConnection | None = None) -> None:
        self.reader = reader
        self.count = count
        self.connection = connection

    def batches(self, database: Database, context: Any) -> Iterator[Any]:
        try:
            while (batch := self._next(database, context)) is not None:
                yield batch
        finally:
            self.close()

    def _next(self, database: Database, context: Any) -> Any:
        if self.connection is None:
            return next(self.reader, None)
        return database.watched(context, self.connection, partial(next, self.reader, None))

    def close(self) -> None:
        self.reader.close()
        if self.connection is not None:
            self.connection.close()


def run(connection: DuckDBPyConnection, sql: str, parameters: Any) -> Any:
    """Run one statement with one set of parameters: a reader of its rows."""
    return connection.sql(sql, params=parameters).to_arrow_reader(ROWS_PER_BATCH)


def read_all(connection: DuckDBPyConnection, sql: str, parameters: Any) -> Any:
    return run(connection, sql, parameters).read_all()


def changed(table: Any) -> int:
    if table.column_names == ["Count"]:
        return int(table.column(0)[0].as_py()) if table.num_rows else -1
    return -1 if table.column_names == ["Success"] else table.num_rows


def check(sql: str) -> set[str]:
    """Refuse what would end the transaction behind the protocol's back. The names of the placeholders."""
    names: set[str] = set()
    for statement in duckdb.extract_statements(sql):
        if statement.type == duckdb.StatementType.TRANSACTION:
            raise flight.FlightServerError("a transaction begins and ends by an action of Flight SQL, not by SQL")
        names |= statement.named_parameters
    return names


@contextmanager
def all_or_none(connection: DuckDBPyConnection, transaction: bytes, sets: Sequence[Any]) -> Generator[None]:
    """Several sets of parameters outside a transaction are a transaction."""
    if transaction or len(sets) < 2:
        yield
        return
    connection.execute("BEGIN TRANSACTION").fetchall()
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK").fetchall()
        raise
    connection.execute("COMMIT").fetchall()
