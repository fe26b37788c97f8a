"""What DuckDB's messages (of version 2.0) tell: the class, the names, the place; and no value. E1 E2 E4 E5."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest

from sqlspec import exceptions as e
from sqlspec.core.facts import BeginOptions, ParameterStyle
from sqlspec.core.faults import describe_fault
from sqlspec.core.plan import Plan
from sqlspec.dialects.duckdb import DUCKDB, begin_sql, classify, decimal_value, is_array, list_value, read_message

MESSAGES: list[tuple[str, type[e.DatabaseError]]] = [
    ('Constraint Error: Duplicate key "id: 1" violates primary key constraint.', e.UniqueViolationError),
    ("Constraint Error: Data contains duplicates on indexed column(s)", e.UniqueViolationError),
    (
        'TransactionContext Error: Failed to commit: PRIMARY KEY or UNIQUE constraint violation: duplicate key "77"',
        e.UniqueViolationError,
    ),
    (
        'Constraint Error: Violates foreign key constraint because key "id: 99" does not exist in the referenced table',
        e.ForeignKeyViolationError,
    ),
    ("Constraint Error: NOT NULL constraint failed: users.email", e.NotNullViolationError),
    (
        'Constraint Error: CHECK constraint failed on table "users" with expression CHECK((age >= 18))',
        e.CheckViolationError,
    ),
    ("Constraint Error: something new", e.IntegrityError),
    ("Catalog Error: Table with name nowhere does not exist!", e.UndefinedTableError),
    ('Catalog Error: Table with name "a.b" does not exist because schema "a" does not exist.', e.UndefinedTableError),
    ('Binder Error: Referenced table "x" not found!', e.UndefinedTableError),
    ('Catalog Error: Table with name "users" already exists!', e.ProgrammingError),
    ("Catalog Error: Scalar Function with name f does not exist!", e.ProgrammingError),
    ('Binder Error: Referenced column "x" not found in FROM clause!', e.UndefinedColumnError),
    ('Binder Error: Referenced column "x" was not found because the FROM clause is missing', e.UndefinedColumnError),
    ("Binder Error: Referenced update column x not found in table!", e.UndefinedColumnError),
    ('Binder Error: Table "users" does not have a column with name "x"', e.UndefinedColumnError),
    ('Binder Error: Table "u" does not have a column named "x"', e.UndefinedColumnError),
    ('Binder Error: Column "x" does not exist on left side of join!', e.UndefinedColumnError),
    ('Binder Error: table "users" has 14 columns but 1 values were supplied', e.ProgrammingError),
    ('Parser Error: syntax error at or near "SELEC"', e.SQLSyntaxError),
    ("Conversion Error: Could not convert string 'x' to INT32", e.DataError),
    ("Out of Range Error: Overflow in addition of INT32 (1 + 2)!", e.DataError),
    ("Invalid Input Error: Division by zero", e.DataError),
    (
        (
            'Invalid Input Error: Cannot execute statement of type "INSERT" on database "x" which is attached in'
            " read-only mode!"
        ),
        e.PermissionDeniedError,
    ),
    (
        'TransactionContext Error: Cannot write to database ""x"" - transaction is launched in read-only mode',
        e.PermissionDeniedError,
    ),
    ("Permission Error: File system LocalFileSystem has been disabled by configuration", e.PermissionDeniedError),
    ("TransactionContext Error: Conflict on update!", e.SerializationError),
    ("TransactionContext Error: Conflict on tuple deletion!", e.SerializationError),
    ('TransactionContext Error: Catalog write-write conflict on create with "x"', e.SerializationError),
    ("TransactionContext Error: Transaction conflict: attempting to insert into table", e.SerializationError),
    ("TransactionContext Error: cannot start a transaction within a transaction", e.ProgrammingError),
    ("TransactionContext Error: cannot commit - no transaction is active", e.ProgrammingError),
    ("TransactionContext Error: Current transaction is aborted (please ROLLBACK)", e.OperationalError),
    ("INTERRUPT Error: Interrupted!", e.StatementTimeoutError),
    ("IO Error: Could not set lock on file", e.ConnectionFailedError),
    ("IO Error: No files found that match the pattern", e.OperationalError),
    (
        (
            "Connection Error: Can't open a connection to same database file with a different configuration than"
            " existing connections"
        ),
        e.ConnectionFailedError,
    ),
    ("Connection Error: Connection already closed!", e.ConnectionLostError),
    ("FATAL Error: Failed: database has been invalidated", e.ConnectionLostError),
    ("Not implemented Error: Unable to transform python value of type 'x'", e.DataError),
    ("Not implemented Error: Unsupported join type", e.ProgrammingError),
    ("An error without a kind", e.DatabaseError),
]


@pytest.mark.parametrize(("message", "kind"), MESSAGES)
def test_a_message_is_one_of_our_exceptions(message: str, kind: type[e.DatabaseError]) -> None:
    """By its first words, and some by what follows."""  # E2
    assert classify(read_message(message)) is kind


@pytest.mark.parametrize(
    ("message", "table", "column"),
    [
        ("Constraint Error: NOT NULL constraint failed: users.email", "users", "email"),
        ('Constraint Error: Duplicate key "email: a, b: c" violates unique constraint.', None, "email"),
        (
            'Constraint Error: CHECK constraint failed on table "users" with expression CHECK((age >= 18))',
            "users",
            None,
        ),
        ("Constraint Error: something new", None, None),
    ],
)
def test_names_are_told(message: str, table: str | None, column: str | None) -> None:
    """The constraint's own name never is."""  # E1
    facts = read_message(message)
    assert (facts.code, facts.table, facts.column, facts.constraint) == ("Constraint", table, column, None)


VALUED = [
    'Constraint Error: Duplicate key "email: {}" violates unique constraint.',
    'Constraint Error: Violates foreign key constraint because key "id: {}" does not exist in the referenced table',
    'TransactionContext Error: Failed to commit: PRIMARY KEY or UNIQUE constraint violation: duplicate key "{}"',
    "Conversion Error: Could not convert string '{}' to INT32 when casting from source column name",
    "Conversion Error: Could not convert string '{}' to INT32 when casting from source column UNNEST(['{}', '{}'])",
    'Conversion Error: invalid date field format: "{}", expected format is (YYYY-MM-DD)',
    "Conversion Error: Type INT32 with value {} can't be cast because the value is out of range",
    "Conversion Error: Could not cast value {} to DECIMAL(5,2)",
    'Conversion Error: Casting value "{}" to type DECIMAL(3,2) failed: value is out of range!',
    'Conversion Error: Malformed JSON at byte 0 of input: unexpected character.  Input: "{}"',
    'Conversion Error: extract specifier "{}" not recognized',
    'Invalid Input Error: Could not parse string "{}" according to format specifier "%Y"\n{}\n^\nError: Wrong',
    "Invalid Input Error: missing ): ({}",
    "Invalid Input Error: Python integer too large for 128-bit integer type: {}",
    "Parser Error: Unexpected quote in the middle of a qualified name component! (input: {})",
]


@pytest.mark.parametrize("message", VALUED)
@pytest.mark.parametrize("value", ["geheim", "geheim \"4711\" 'x' y", "ge\n\nheim", "geheim\n\nLINE 1: x\n        ^"])
def test_values_are_not_told(message: str, value: str) -> None:
    """Whatever quotes and lines they hold; what else the message says is kept."""  # E5
    whole = message.replace("{}", value) + "\n\nLINE 1: SELECT something\n               ^^^^^^^^^"
    facts = read_message(whole)
    assert not any(part in facts.message for part in ("geheim", "4711", "heim", "LINE"))
    assert facts.message.split()[0] == message.partition("Error: ")[2].split()[0]


@pytest.mark.parametrize("value", ["4711", "-4711.5e3"])
def test_numbers_are_not_told(value: str) -> None:
    """Where a message of the data kinds shows them."""  # E5
    facts = read_message(f"Out of Range Error: Overflow in addition of INT32 (2147483647 + {value})!")
    assert facts.message == "Overflow in addition of INT32 (… + …)!"
    assert read_message(f"Conversion Error: Date out of range: {value}").message == "Date out of range: …"


def test_suggestions_are_kept() -> None:
    """They are names, which the database has and the statement has not."""  # E4
    told = read_message(
        'Catalog Error: Table with name user does not exist!\nDid you mean "users"?\n\nLINE 1: x\n        ^'
    )
    assert told.message == 'Table with name "user" does not exist! Did you mean users?'


def _placed(statement: str, message: str) -> str:
    plan = Plan(statement, DUCKDB, ParameterStyle.DOLLAR)
    sql, _ = plan.bind(()) if "?" not in statement else plan.bind((1,) * statement.count("?"))
    text = str(describe_fault(read_message(message), DUCKDB, plan, sql)).rpartition("\nStatement:")[0]
    return text[text.index("(line") :] if "(line" in text else ""


@pytest.mark.parametrize(
    ("statement", "message", "place"),
    [
        (
            "SELECT a,\n  missing\nFROM t",
            'Binder Error: Referenced column "missing" not found\n\nLINE 2:   missing\n          ^^^^^^^',
            "(line 2, column 3)",
        ),
        (  # an indented caret after a comment that is not ASCII is wrong: the name is right
            "-- ümläut 🐘\nSELECT 'ü🐘', missing FROM users",
            (
                'Binder Error: Referenced column "missing" not found in FROM clause!\nCandidate bindings: "id"\n\n'
                "LINE 1: SELECT 'ü🐘', missing FROM users\n                                       ^"
            ),
            "(line 2, column 14)",
        ),
        (  # a line that is too long is shown in part
            "SELECT " + "1, " * 60 + "missing, 2 FROM t",
            'Binder Error: Referenced column "missing" not found\n\n'
            "LINE 1: ..." + "1, " * 10 + "missing, 2 FRO...\n        " + " " * 33 + "^^^^^^^",
            "(line 1, column 188)",
        ),
        ("SELECT id FROM nowhere", "Catalog Error: Table with name nowhere does not exist!", "(line 1, column 16)"),
        (
            "INSERT INTO t (id, missing) VALUES (?, 1)",
            'Binder Error: Table "t" does not have a column with name "missing"\n\nDid you mean: "id"',
            "(line 1, column 20)",
        ),
        (  # where the place can't be told for certain, none is
            "SELECT missing, missing FROM t",
            'Binder Error: Referenced column "missing" not found',
            "",
        ),
        (
            "SELECT missing, missing FROM t",
            (
                'Binder Error: Referenced column "missing" not found\n\nLINE 1: SELECT missing, missing FROM t\n'
                "               ^^^^^^^"
            ),
            "(line 1, column 8)",
        ),
        (
            "SELECT 1 +",
            'Parser Error: syntax error at or near "+"\n\nLINE 1: SELECT 1 +\n                 ^',
            "(line 1, column 10)",
        ),
        ("SELECT 1", "Conversion Error: no place at all", ""),
    ],
)
def test_the_place_is_in_the_users_text(statement: str, message: str, place: str) -> None:
    """DuckDB shows the line and a caret, but neither the line's number nor the caret is always right."""  # E4
    assert _placed(statement, message) == place


def test_transactions_read_from_a_snapshot() -> None:
    """Other levels are refused, with the one that can be had."""  # S4
    assert begin_sql(BeginOptions()) == ("BEGIN TRANSACTION",)
    assert begin_sql(BeginOptions("repeatable read", True)) == ("BEGIN TRANSACTION READ ONLY",)
    for level in ("read uncommitted", "read committed", "serializable"):
        with pytest.raises(e.TransactionError, match=f"'repeatable read'.*'{level}'"):
            begin_sql(BeginOptions(level))


@pytest.mark.parametrize(
    ("statement", "changes"),
    [
        ("SET threads = 1", True),
        ("  -- it\nset variable x = 1", True),
        ("RESET TimeZone", True),
        ("USE other", True),
        ("PRAGMA enable_profiling", True),
        ("PRAGMA threads=4", True),
        ("PRAGMA table_info('t')", False),
        ("PRAGMA show_tables", False),
        ("PRAGMA database_size", False),
        ("CREATE TEMP MACRO m() AS 1", True),
        ("CREATE OR REPLACE TEMPORARY TABLE t (i INT)", True),
        ("ATTACH 'x.db'", True),
        ("LOAD json", True),
        ("PREPARE p AS SELECT 1", True),
        ("UPDATE t SET a = 1", False),
        ("INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = 1", False),
        ("SELECT 'SET x'", False),
        ("CREATE TABLE t (i INT)", False),
    ],
)
def test_what_stays_in_the_connection(statement: str, changes: bool) -> None:
    """Such a connection is closed instead of given back."""  # S15
    assert Plan(statement, DUCKDB, ParameterStyle.DOLLAR).changes_session is changes


class _Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ([], True),
        ([None], True),
        ([1, 2, None], True),
        ([[1], [2, 3], []], True),
        (["a", "b"], True),
        ([1, 2.5], True),
        ([2**53, 0.5], True),
        ([2**53 + 1, 0.5], False),
        ([1, "a"], False),
        ([True, 5], False),
        ([{"a": 1}], False),
        ([[1], ["a"]], False),
        ([Decimal(1), 1], False),
        ([UUID(int=1), UUID(int=2)], True),
        ([dt.date(2024, 1, 1)], True),
    ],
)
def test_lists_that_can_be_a_list(value: list[Any], fits: bool) -> None:
    """DuckDB would make all values of the others alike; those are JSON."""  # P5
    assert is_array(value) is fits
    assert isinstance(list_value(value), list if fits else str)


def test_values_in_lists_are_sent_as_alone() -> None:
    """Enums by their value."""  # P5
    assert list_value([_Colour.RED]) == ["red"]
    assert list_value(({"a": _Colour.RED}, 2)) == '[{"a":"red"},2]'


@pytest.mark.parametrize("text", ["1.5", "1E+37", "1E-38", "9" * 38, "0." + "1" * 38, "NaN", "-Infinity"])
def test_decimals_that_fit(text: str) -> None:
    """38 digits."""  # P5
    value = Decimal(text)
    assert decimal_value(value) is value


@pytest.mark.parametrize("text", ["1E+38", "1E-39", "9" * 39, "1." + "1" * 38])
def test_decimals_that_would_become_floats_are_refused(text: str) -> None:
    """In silence, which loses digits."""  # P5
    with pytest.raises(TypeError, match="38 digits"):
        decimal_value(Decimal(text))
