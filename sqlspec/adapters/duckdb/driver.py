"""The primitives of DuckDB: an own connection (a cursor of the config's anchor), used by one thread at a time.

A statement is parsed once per plan and kept as DuckDB's ``Statement``, which saves 40 % of a short query; it knows no
connection and no table, so that threads share it and DDL does not age it. A connection has one result at a time: the
next statement would end an open one in silence, which is why a stream keeps its connection to itself. ``abort()`` of
a result whose statement wrote (``nextval``) dooms the transaction, so that inside one a result is run to its end.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb

from sqlspec._sync.driver import SyncDriverAdapterBase
from sqlspec._sync.wire import SyncWire
from sqlspec.adapters.duckdb.values import FACTS, Columns, Json
from sqlspec.core.facts import ErrorFacts, ParameterStyle
from sqlspec.core.transaction import OpenTransactions
from sqlspec.dialects.duckdb import read_message
from sqlspec.dialects.duckdb_bulk import in_bulk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.core.rows import Shape

__all__ = ("DuckDBDriver", "DuckDBWire")

_COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
_REFUSED = (OverflowError, BufferError)
"""What DuckDB raises besides its own, of values that can't be sent."""
_UNREADABLE = "Conversion Error: a value of bytes was refused"
"""Instead of a message that is not UTF-8, since it quotes bytes."""


class DuckDBWire(SyncWire[duckdb.DuckDBPyConnection]):
    """DuckDB, called in the thread that calls."""

    dialect = FACTS
    style = ParameterStyle.DOLLAR
    errors = (duckdb.Error, UnicodeDecodeError, *_REFUSED)
    streams_block = True

    def __init__(self, open_transactions: OpenTransactions) -> None:
        self.open_transactions = open_transactions

    def run(self, connection: duckdb.DuckDBPyConnection, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement. The next one ends a result that was not read to its end."""
        if plan.controls_transaction:
            self.command(connection, sql)
            return None, (), None, None
        learned = plan.learned
        statement = learned[1] if learned is not None and learned[0] is sql else _parsed(connection, plan, sql)
        connection.execute(statement, args)
        if not plan.returns_rows:
            return None, (), connection.rowcount if plan.verb in _COUNTED else None, None
        shape = _shape(connection, plan)
        if limit is None or plan.is_write:
            rows = connection.fetchall()
        else:
            rows = connection.fetchmany(limit)
            if len(rows) == limit:
                self.end_result(connection, plan)
        if shape.key.json:
            rows = shape.key.decoded(rows)
        return shape, rows, len(rows) if plan.verb in _COUNTED else None, None

    def run_many(self, connection: duckdb.DuckDBPyConnection, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        """Run one statement for every row."""
        if plan.returns_rows:
            counts = [self.run(connection, plan, sql, row, None)[2] for row in rows]
            return None if None in counts else sum(count or 0 for count in counts)
        if plan.verb == "INSERT":
            inserted = _insert_in_bulk(connection, sql, rows)
            if inserted is not None:
                return inserted
        connection.executemany(_parsed(connection, plan, sql), rows)
        return connection.rowcount if plan.verb in _COUNTED else None

    def command(self, connection: duckdb.DuckDBPyConnection, sql: str) -> str | None:
        """COMMIT of an aborted transaction is answered like any other, and saves nothing: so DuckDB is asked before."""
        if sql == "COMMIT" and _is_aborted(connection):
            sql = "ROLLBACK"
        try:
            connection.execute(sql)
        except duckdb.Error:
            if not _is_aborted(connection):  # it is over: a COMMIT that fails rolls back
                self.open_transactions.forget(connection)
            raise
        self.open_transactions.note(connection, sql)
        return sql

    def open_stream(
        self, connection: duckdb.DuckDBPyConnection, plan: Plan, sql: str, args: Any, chunk_size: int
    ) -> _Rows:
        """DuckDB computes rows as they are fetched, some of them ahead."""
        connection.execute(_parsed(connection, plan, sql), args)
        return _Rows(self, connection, plan)

    def end_result(self, connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
        """Leave the rows of a result unread. What may have written is run to its end."""
        if plan.is_write or self.in_transaction(connection):
            connection.complete()
        else:
            connection.abort()

    def in_transaction(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """As the statements say that were sent: DuckDB does not tell."""
        return self.open_transactions.is_open(connection)

    def is_usable(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """False once it was closed."""
        try:
            connection.query_progress()
        except duckdb.ConnectionException:
            return False
        return True

    def interrupt(self, connection: duckdb.DuckDBPyConnection) -> None:
        """May be called from another thread."""
        connection.interrupt()

    def recover(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Nothing runs: the thread that would run it is here. A database that broke makes no connection usable."""
        if self.in_transaction(connection):
            self.command(connection, "ROLLBACK")
        connection.execute("SELECT 1").fetchall()

    def read_error(self, error: BaseException) -> ErrorFacts:
        """What DuckDB's message tells."""
        facts = read_message(_UNREADABLE if isinstance(error, UnicodeDecodeError) else str(error))
        return replace(facts, code="Conversion", from_client=True) if isinstance(error, _REFUSED) else facts


def _parsed(connection: duckdb.DuckDBPyConnection, plan: Plan, sql: str) -> duckdb.Statement | str:
    """The statement, parsed, unless it is one that DuckDB makes several of."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        return sql
    plan.learned = (sql, statements[0])
    return statements[0]


def _insert_in_bulk(connection: duckdb.DuckDBPyConnection, sql: str, rows: list[Any]) -> int | None:
    """Gives how many rows; None if they have to be inserted one by one, and nothing was done."""
    bulk = in_bulk(sql, rows, Json)
    if bulk is None or connection.execute(bulk.is_special).fetchall() != [(False,)]:
        return None
    return sum(connection.execute(statement, lists).rowcount for statement, lists in bulk.chunks)


def _is_aborted(connection: duckdb.DuckDBPyConnection) -> bool:
    """Asked with what costs least and reads no table."""
    try:
        connection.get_table_names("SELECT 1")
    except duckdb.TransactionException:
        return True
    return False


def _shape(connection: duckdb.DuckDBPyConnection, plan: Plan) -> Shape:
    """The columns of the result; types change under a text whose names do not."""
    description = connection.description
    shape = plan.shape
    if shape is None or shape.key.description != description:
        shape = plan.learn(tuple([column[0] for column in description]), Columns(description))
    return shape


class _Rows:
    """An open result."""

    __slots__ = ("_connection", "_plan", "_wire", "shape")

    def __init__(self, wire: DuckDBWire, connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
        self._wire = wire
        self._connection = connection
        self._plan = plan
        self.shape = _shape(connection, plan)

    def fetch(self, count: int) -> Sequence[Any]:
        rows = self._connection.fetchmany(count)
        return self.shape.key.decoded(rows) if self.shape.key.json else rows

    def close(self) -> None:
        self._wire.end_result(self._connection, self._plan)


class DuckDBDriver(SyncDriverAdapterBase):
    """A session on DuckDB."""

    def _prepare_raw(self, plan: Plan | None = None) -> duckdb.DuckDBPyConnection:
        """What is done on the driver's own connection is not seen by us, so nobody else gets it afterwards."""
        connection: duckdb.DuckDBPyConnection = super()._prepare_raw(plan)
        if self._checkout is not None:
            self._checkout.changed = True
        return connection
