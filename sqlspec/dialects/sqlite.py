"""SQLite: how it writes, begins, what its result codes mean, and how it stores the types that it does not have.

Codes: https://www.sqlite.org/rescode.html. UUID, Decimal, dates, times, durations and JSON are stored as text.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlspec import exceptions as e
from sqlspec.core import values
from sqlspec.core.facts import NATIVE_TYPES, BeginOptions, DialectFacts, ErrorFacts, LexicalFacts

if TYPE_CHECKING:
    from sqlspec.exceptions import DatabaseError

__all__ = ("LEXICAL", "SQLITE", "begin_sql", "classify", "read_message", "refuses_transactions")

LEXICAL = LexicalFacts(backtick_identifiers=True, bracket_identifiers=True)

_BY_CODE: dict[int, type[DatabaseError]] = {
    2067: e.UniqueViolationError,  # SQLITE_CONSTRAINT_UNIQUE
    1555: e.UniqueViolationError,  # SQLITE_CONSTRAINT_PRIMARYKEY
    2579: e.UniqueViolationError,  # SQLITE_CONSTRAINT_ROWID
    787: e.ForeignKeyViolationError,
    1299: e.NotNullViolationError,
    275: e.CheckViolationError,
}

_BY_PRIMARY_CODE: dict[int, type[DatabaseError]] = {
    3: e.PermissionDeniedError,  # SQLITE_PERM
    5: e.LockTimeoutError,  # SQLITE_BUSY
    6: e.LockTimeoutError,  # SQLITE_LOCKED
    8: e.PermissionDeniedError,  # SQLITE_READONLY
    9: e.StatementTimeoutError,  # SQLITE_INTERRUPT: nobody but our time limit interrupts
    10: e.OperationalError,  # SQLITE_IOERR
    11: e.OperationalError,  # SQLITE_CORRUPT
    13: e.OperationalError,  # SQLITE_FULL
    14: e.ConnectionFailedError,  # SQLITE_CANTOPEN
    18: e.DataError,  # SQLITE_TOOBIG
    19: e.IntegrityError,  # SQLITE_CONSTRAINT
    20: e.DataError,  # SQLITE_MISMATCH
    23: e.PermissionDeniedError,  # SQLITE_AUTH
    25: e.ProgrammingError,  # SQLITE_RANGE
    26: e.ConnectionFailedError,  # SQLITE_NOTADB
}

_MESSAGES: tuple[tuple[str, type[DatabaseError]], ...] = (
    (r"no such table|no such view", e.UndefinedTableError),
    (r"no such column|has no column named", e.UndefinedColumnError),
    (r"syntax error|unrecognized token|incomplete input", e.SQLSyntaxError),
    (r"not authorized", e.PermissionDeniedError),
    (r"\Ainteger overflow\Z", e.DataError),
    (  # sqlite3's own, no code
        r"too large to convert|surrogates not allowed|not C-contiguous|[Ee]rror binding parameter",
        e.DataError,
    ),
)

_CONSTRAINED = re.compile(r"(?:UNIQUE|NOT NULL) constraint failed: (\w+)\.(\w+)")
_NAMED_CHECK = re.compile(r"CHECK constraint failed: (.+)")
_NEAR = re.compile(r'near "(.*)": syntax error|no such (?:column|table): (\S+)', re.DOTALL)


def begin_sql(options: BeginOptions) -> tuple[str, ...]:
    """IMMEDIATE, since a deferred transaction that later writes fails at once despite the busy time-out."""
    if options.isolation not in (None, "serializable"):
        message = f"SQLite transactions are always serializable; isolation={options.isolation!r} can't be had."
        raise e.TransactionError(message)
    return ("BEGIN DEFERRED",) if options.read_only or options.deferred else ("BEGIN IMMEDIATE",)


def read_message(message: str, code: int | None) -> ErrorFacts:
    """What SQLite's message tells about table, column, constraint and place."""
    constrained, check, near = _CONSTRAINED.search(message), _NAMED_CHECK.search(message), _NEAR.search(message)
    return ErrorFacts(
        message=message,
        code=code,
        table=constrained[1] if constrained else None,
        column=constrained[2] if constrained else None,
        constraint=check[1] if check else None,
        near=(near[1] or near[2]) if near else None,
    )


def classify(error: ErrorFacts) -> type[DatabaseError]:
    """Which of our exceptions a result code is; SQLITE_ERROR (1) is told apart by its message."""
    code = error.code if isinstance(error.code, int) else None
    if code is not None and code != 1:
        return _BY_CODE.get(code) or _BY_PRIMARY_CODE.get(code & 0xFF) or e.DatabaseError
    for pattern, kind in _MESSAGES:
        if re.search(pattern, error.message):
            return kind
    return e.ProgrammingError if code == 1 else e.DatabaseError


def refuses_transactions(error: ErrorFacts) -> bool:
    """Whether VACUUM, ATTACH or a PRAGMA must not be in a transaction. That of a second BEGIN is another fault."""
    return error.code == 1 and _OUTSIDE_ONLY.fullmatch(error.message) is not None


_OUTSIDE_ONLY = re.compile(
    r"cannot (?:VACUUM|change (?:into|out of) wal mode) from within a transaction"
    r"|cannot (?:ATTACH|DETACH) database within transaction"
    r"|(?:Safety level may not be changed inside|temporary storage cannot be changed from within) a transaction"
)


SQLITE = DialectFacts(
    name="sqlite",
    begin_sql=begin_sql,
    classify=classify,
    lexical=LEXICAL,
    refuses_transactions=refuses_transactions,
    empty_list_sql="",
    native_types=NATIVE_TYPES | {bool},
    encoders={
        UUID: values.uuid_text,
        Decimal: values.decimal_text,
        dt.datetime: values.iso_datetime,
        dt.date: values.iso_date,
        dt.time: values.iso_time,
        dt.timedelta: values.iso_duration,
        dict: values.json_text,
        list: values.json_text,
        tuple: values.json_text,
        Enum: values.enum_value,
    },
)
