"""What each result code of SQLite is to us: the extended code, then its primary one, then the message. E1 E2."""

from __future__ import annotations

import sqlite3

import pytest

from sqlspec import exceptions as e
from sqlspec.core.facts import ErrorFacts
from sqlspec.dialects.sqlite import classify, read_message

CODES: list[tuple[str, type[e.DatabaseError]]] = [
    ("SQLITE_CONSTRAINT_UNIQUE", e.UniqueViolationError),
    ("SQLITE_CONSTRAINT_PRIMARYKEY", e.UniqueViolationError),
    ("SQLITE_CONSTRAINT_ROWID", e.UniqueViolationError),
    ("SQLITE_CONSTRAINT_FOREIGNKEY", e.ForeignKeyViolationError),
    ("SQLITE_CONSTRAINT_NOTNULL", e.NotNullViolationError),
    ("SQLITE_CONSTRAINT_CHECK", e.CheckViolationError),
    ("SQLITE_CONSTRAINT_TRIGGER", e.IntegrityError),
    ("SQLITE_CONSTRAINT", e.IntegrityError),
    ("SQLITE_PERM", e.PermissionDeniedError),
    ("SQLITE_READONLY", e.PermissionDeniedError),
    ("SQLITE_READONLY_DBMOVED", e.PermissionDeniedError),
    ("SQLITE_AUTH", e.PermissionDeniedError),
    ("SQLITE_BUSY", e.LockTimeoutError),
    ("SQLITE_BUSY_SNAPSHOT", e.LockTimeoutError),
    ("SQLITE_LOCKED", e.LockTimeoutError),
    ("SQLITE_LOCKED_SHAREDCACHE", e.LockTimeoutError),
    ("SQLITE_INTERRUPT", e.StatementTimeoutError),
    ("SQLITE_IOERR", e.OperationalError),
    ("SQLITE_IOERR_READ", e.OperationalError),
    ("SQLITE_CORRUPT", e.OperationalError),
    ("SQLITE_FULL", e.OperationalError),
    ("SQLITE_CANTOPEN", e.ConnectionFailedError),
    ("SQLITE_NOTADB", e.ConnectionFailedError),
    ("SQLITE_TOOBIG", e.DataError),
    ("SQLITE_MISMATCH", e.DataError),
    ("SQLITE_RANGE", e.ProgrammingError),
    ("SQLITE_NOMEM", e.DatabaseError),
]


@pytest.mark.parametrize(("name", "kind"), CODES, ids=[name for name, _ in CODES])
def test_a_result_code_is_one_of_our_exceptions(name: str, kind: type[e.DatabaseError]) -> None:
    """Exactly that class, whatever the message says."""  # E1 E2
    code: int = getattr(sqlite3, name)
    assert classify(ErrorFacts("no such table: syntax error", code=code)) is kind


MESSAGES: list[tuple[str, int | None, type[e.DatabaseError]]] = [
    ("no such table: users", 1, e.UndefinedTableError),
    ("no such view: users", 1, e.UndefinedTableError),
    ("no such column: emial", 1, e.UndefinedColumnError),
    ("table users has no column named emial", 1, e.UndefinedColumnError),
    ('near "FORM": syntax error', 1, e.SQLSyntaxError),
    ('unrecognized token: "#"', 1, e.SQLSyntaxError),
    ("incomplete input", 1, e.SQLSyntaxError),
    ("not authorized to use function: load_extension", 1, e.PermissionDeniedError),
    ("table users already exists", 1, e.ProgrammingError),
    ("integer overflow", 1, e.DataError),
    ("Python int too large to convert to SQLite INTEGER", None, e.DataError),
    ("a text can't be encoded as UTF-8: surrogates not allowed", None, e.DataError),
    ("Error binding parameter 1: type 'object' is not supported", None, e.DataError),
    ("underlying buffer is not C-contiguous", None, e.DataError),
    ("something else", None, e.DatabaseError),
]


@pytest.mark.parametrize(("message", "code", "kind"), MESSAGES, ids=[message for message, _, _ in MESSAGES])
def test_without_a_code_of_its_own_the_message_tells(
    message: str, code: int | None, kind: type[e.DatabaseError]
) -> None:
    """SQLITE_ERROR is everything that has no other code; sqlite3's own exceptions have none."""  # E1 E2
    assert classify(ErrorFacts(message, code=code)) is kind


def test_what_a_message_tells() -> None:
    """Table, column, constraint and the word where it happened."""  # E1
    unique = read_message("UNIQUE constraint failed: users.email", 2067)
    assert (unique.table, unique.column, unique.constraint, unique.near) == ("users", "email", None, None)
    check = read_message("CHECK constraint failed: adult", 275)
    assert (check.table, check.column, check.constraint) == (None, None, "adult")
    assert read_message('near "FORM": syntax error', 1).near == "FORM"
    assert read_message("no such column: emial", 1).near == "emial"
