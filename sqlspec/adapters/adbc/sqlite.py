"""SQLite by ADBC: a file or a database in memory, set up as the sqlite adapter does it.

The driver brings a SQLite of its own, and the locks of two SQLites in one process do not see each other: a file must
not be open by this adapter and by sqlite3 in the same process.

What its driver can't do (1.13, measured): stop a running statement (``cancel`` is NOT_IMPLEMENTED), so that time limits
are refused, and nobody waits for a lock longer than 5 seconds; tell an error's code, which is read off its message;
give a column values of several types (Arrow has none such: the driver chooses the widest type and writes numbers as
text; a stream, of which it saw 1,024 rows when it chose, fails at the first value that does not fit); tell whether a
transaction is open (a BEGIN is refused then, which tells it).
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import adbc_driver_manager as adbc

from sqlspec.adapters.adbc.arrow import Reading
from sqlspec.adapters.adbc.driver import AdbcWire, Connection, told
from sqlspec.adapters.adbc.place import Place, driver
from sqlspec.adapters.sqlite.opening import Opener
from sqlspec.core.facts import ErrorFacts, ParameterStyle
from sqlspec.dialects.sqlite import SQLITE, read_message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer

__all__ = ("AdbcSqliteWire", "place")

_BUSY_MS = 5000
_BATCH_ROWS = "adbc.sqlite.query.batch_rows"
_MOST_ROWS = {_BATCH_ROWS: str(2**16)}
"""The driver takes the types of the columns from so many rows, not from 1,024: that costs nothing."""
_ALL_ROWS = {_BATCH_ROWS: str(2**30)}
"""This costs every statement 60 µs, so it is left to those that need it."""

_CODES = (
    (r"UNIQUE constraint failed", 2067),
    (r"NOT NULL constraint failed", 1299),
    (r"FOREIGN KEY constraint failed", 787),
    (r"CHECK constraint failed", 275),
    (r"constraint failed", 19),
    (r"database (?:table |schema )?is locked", 5),
    (r"readonly database", 8),
    (r"interrupted", 9),
    (r"disk I/O error", 10),
    (r"disk image is malformed", 11),
    (r"database or disk is full", 13),
    (r"failed to open|unable to open database", 14),
    (r"string or blob too big", 18),
    (r"datatype mismatch|integer overflow|Type mismatch in column", 20),
    (r"file is not a database", 26),
)
"""SQLite's own texts for its result codes: https://www.sqlite.org/rescode.html."""
_AROUND = re.compile(
    r"(?:\[SQLite\] )?(?:[Ff]ailed to (?:prepare|execute|step) query: )?(.*?)(?:\nquery: .*)?", re.DOTALL
)
_NOT_OPENED = re.compile(r"failed to open '.*?'(?:: failed to allocate memory)?", re.DOTALL)


def place(options: Mapping[str, Any]) -> Place:
    """What the options name, read and set up as by the sqlite adapter."""
    opener = Opener({key: options[key] for key in ("database", "uri") if key in options})
    module = driver("adbc_driver_sqlite", "adbc-driver-sqlite", "adbc-sqlite")

    def open_database() -> adbc.AdbcDatabase:
        database: adbc.AdbcDatabase = module.connect(opener.database)
        database.set_options(**options.get("db_kwargs", {}))
        return database

    pragmas = [f"PRAGMA {name} = {value}" for name, value in opener.pragmas.items()]
    return Place(opener.target, (), open_database, [f"PRAGMA busy_timeout = {_BUSY_MS}", *pragmas])


class AdbcSqliteWire(AdbcWire):
    """SQLite."""

    dialect = SQLITE
    style = ParameterStyle.QMARK
    stops_statements = False
    reading = Reading({})
    statement_options = _MOST_ROWS

    def set_up(self, connection: Connection, statements: Sequence[str]) -> None:
        """Switching to WAL does not wait for other processes' locks by itself."""
        deadline = time.monotonic() + _BUSY_MS / 1000
        for statement in statements:
            while True:
                try:
                    self.rows(connection, statement)
                    break
                except adbc.Error as error:
                    if "is locked" not in str(error) or time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)

    def inserted(self, connection: Connection, plan: Plan) -> int | None:
        """The last row's key."""
        if plan.verb not in ("INSERT", "REPLACE"):
            return None
        found: int = self.rows(connection, "SELECT last_insert_rowid()")[0][0]
        return found

    def in_transaction(self, connection: Connection) -> bool:
        """Asked: BEGIN is refused inside a transaction, and takes no lock outside of one."""
        try:
            self.send(connection, "BEGIN DEFERRED")
        except adbc.Error:
            return True
        self.send(connection, "COMMIT")
        return False

    def run(self, connection: Connection, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """The driver counts the columns before SQLite notices that another connection changed the table."""
        if plan.returns_rows and not plan.names_are_fixed and not plan.controls_transaction:
            self.send(connection, "SELECT 1 FROM sqlite_schema LIMIT 0")
        try:
            return super().run(connection, plan, sql, args, limit)
        except OSError as error:  # while rows were read
            if plan.is_write or "Type mismatch" not in str(error):
                raise
            return _WHOLE.run(connection, plan, sql, args, limit)

    def interrupt(self, connection: Connection) -> None:
        """The driver can't, which is why time limits are refused."""

    def read_error(self, error: BaseException) -> ErrorFacts:
        """The code is told by SQLite's own text."""
        found = _AROUND.fullmatch(told(error))
        message = found[1] if found else told(error)
        code = next((code for text, code in _CODES if re.search(text, message)), 1)
        return replace(read_message(_NOT_OPENED.sub("unable to open database file", message), code), code=code)


class _WholeResults(AdbcSqliteWire):
    """For results whose columns turn out to be of another type late: all rows are looked at first."""

    statement_options = _ALL_ROWS


_WHOLE = _WholeResults()
