"""The primitives of sqlite3: plain functions on a connection in autocommit mode, and the sync wire made of them.

The aiosqlite adapter calls the same functions in its connection's thread.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlspec._sync.driver import SyncDriverAdapterBase
from sqlspec._sync.wire import SyncWire
from sqlspec.adapters.sqlite.opening import Connection
from sqlspec.core.facts import ErrorFacts, ParameterStyle
from sqlspec.dialects.sqlite import SQLITE, read_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.core.rows import Shape

__all__ = ("ERRORS", "Rows", "SqliteDriver", "SqliteWire", "is_usable", "read_error", "run", "run_many")

_COUNTED = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE"})

_REFUSED = (OverflowError, UnicodeEncodeError, BufferError)
"""What sqlite3 raises besides its own, of values that can't be sent."""
ERRORS = (sqlite3.Error, *_REFUSED)


def run(connection: sqlite3.Connection, plan: Plan, sql: str, args: Sequence[Any], limit: int | None) -> Answer:
    """Run one statement and fetch its rows."""
    cursor = connection.execute(sql, args)
    description = cursor.description
    if description is None:
        inserted = cursor.lastrowid if plan.verb in ("INSERT", "REPLACE") else None
        return None, (), _count(connection, plan, cursor), inserted
    shape = plan.shape
    if shape is None or not (plan.names_are_fixed or shape.key == description):
        shape = plan.learn(tuple([column[0] for column in description]), description)
    if plan.is_write:  # every row has to be stepped through, or not all is written
        rows = cursor.fetchall()
        return shape, rows, len(rows), cursor.lastrowid if plan.verb in ("INSERT", "REPLACE") else None
    rows = cursor.fetchall() if limit is None else cursor.fetchmany(limit)
    cursor.close()  # ends the read that the statement is
    return shape, rows, None, None


def _count(connection: sqlite3.Connection, plan: Plan, cursor: sqlite3.Cursor) -> int | None:
    """sqlite3 looks at the first word only, and does not count what stands behind a WITH."""
    if cursor.rowcount >= 0:
        return cursor.rowcount
    if plan.verb not in _COUNTED:
        return None
    counted: int = connection.execute("SELECT changes()").fetchone()[0]
    return counted


def run_many(connection: sqlite3.Connection, plan: Plan, sql: str, rows: list[Any]) -> int | None:
    """Run one statement for every row."""
    is_plain = plan.verb in _COUNTED and plan.verb.startswith(plan.text.lstrip()[:4].upper())
    if plan.returns_rows or not is_plain:
        return _run_one_by_one(connection, plan, sql, rows)
    count = connection.executemany(sql, rows).rowcount
    return count if count >= 0 else None


def _run_one_by_one(connection: sqlite3.Connection, plan: Plan, sql: str, rows: list[Any]) -> int | None:
    """``executemany`` refuses what does not begin like an INSERT, UPDATE or DELETE; from 3.12 on RETURNING too."""
    counts = [run(connection, plan, sql, row, None)[2] for row in rows]
    return None if None in counts else sum(count or 0 for count in counts)


def read_error(error: BaseException) -> ErrorFacts:
    """What sqlite3's exception tells."""
    if isinstance(error, UnicodeEncodeError):  # its own message shows the text
        return ErrorFacts("a text can't be encoded as UTF-8: surrogates not allowed", from_client=True)
    code = getattr(error, "sqlite_errorcode", None)
    facts = read_message(str(error), code)
    refused = isinstance(error, _REFUSED) or (code is None and "rror binding parameter" in facts.message)
    return replace(facts, from_client=True) if refused else facts


def is_usable(connection: sqlite3.Connection) -> bool:
    """sqlite3 has no closed flag; a closed connection refuses to count."""
    try:
        return connection.total_changes >= 0
    except sqlite3.ProgrammingError:
        return False


class Rows:
    """An open cursor."""

    __slots__ = ("_open", "cursor", "shape")

    def __init__(self, connection: sqlite3.Connection, plan: Plan, sql: str, args: Sequence[Any]) -> None:
        self.cursor = connection.execute(sql, args)
        self._open = connection.open_cursors if isinstance(connection, Connection) else set[sqlite3.Cursor]()
        self._open.add(self.cursor)
        self.shape: Shape = plan.learn(tuple([column[0] for column in self.cursor.description or ()]))

    def fetch(self, count: int) -> Sequence[Any]:
        """The next rows."""
        return self.cursor.fetchmany(count)

    def close(self) -> None:
        """End the read."""
        self._open.discard(self.cursor)
        self.cursor.close()


def recover(connection: sqlite3.Connection) -> None:
    """Bring a connection to rest on which nothing runs any more."""
    if isinstance(connection, Connection):
        connection.close_cursors()
    if connection.in_transaction:
        connection.rollback()


class SqliteWire(SyncWire[sqlite3.Connection]):
    """sqlite3, called in the thread that calls."""

    dialect = SQLITE
    style = ParameterStyle.QMARK
    errors = ERRORS

    def run(self, connection: sqlite3.Connection, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement."""
        return run(connection, plan, sql, args, limit)

    def run_many(self, connection: sqlite3.Connection, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        """Run one statement for every row."""
        return run_many(connection, plan, sql, rows)

    def command(self, connection: sqlite3.Connection, sql: str) -> str | None:
        """SQLite tells no command tag."""
        connection.execute(sql).close()
        return None

    def open_stream(self, connection: sqlite3.Connection, plan: Plan, sql: str, args: Any, chunk_size: int) -> Rows:
        """SQLite computes rows as they are fetched."""
        return Rows(connection, plan, sql, args)

    def in_transaction(self, connection: sqlite3.Connection) -> bool:
        """SQLite's own autocommit flag."""
        return connection.in_transaction

    def is_usable(self, connection: sqlite3.Connection) -> bool:
        """False once it was closed."""
        return is_usable(connection)

    def interrupt(self, connection: sqlite3.Connection) -> None:
        """May be called from another thread."""
        connection.interrupt()

    def cap_lock_wait(self, connection: sqlite3.Connection, seconds: float | None) -> None:
        """SQLite's wait for a lock does not hear an interruption."""
        if isinstance(connection, Connection):
            connection.cap_lock_wait(seconds)

    def recover(self, connection: sqlite3.Connection) -> None:
        """Nothing runs: the thread that would run it is here."""
        recover(connection)

    def read_error(self, error: BaseException) -> ErrorFacts:
        """What sqlite3's exception tells."""
        return read_error(error)


class SqliteDriver(SyncDriverAdapterBase):
    """A session on SQLite by sqlite3."""
