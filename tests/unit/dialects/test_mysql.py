"""MySQL and MariaDB: what error numbers are to us, what messages tell, what commits by itself. E1 E2 E5 W24."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from sqlspec import exceptions as e
from sqlspec.core.facts import BeginOptions, ErrorFacts, ParameterStyle
from sqlspec.core.faults import describe_fault
from sqlspec.core.plan import Plan
from sqlspec.core.values import encode
from sqlspec.dialects.mysql import MYSQL, begin_sql, classify, read_message

if TYPE_CHECKING:
    from sqlspec.core.facts import IsolationLevel

CODES: list[tuple[int, type[e.DatabaseError]]] = [
    (1062, e.UniqueViolationError),
    (1451, e.ForeignKeyViolationError),
    (1452, e.ForeignKeyViolationError),
    (1216, e.ForeignKeyViolationError),
    (1217, e.ForeignKeyViolationError),
    (1048, e.NotNullViolationError),
    (1364, e.NotNullViolationError),
    (1263, e.NotNullViolationError),
    (3819, e.CheckViolationError),
    (4025, e.CheckViolationError),
    (1146, e.UndefinedTableError),
    (1051, e.UndefinedTableError),
    (1054, e.UndefinedColumnError),
    (1064, e.SQLSyntaxError),
    (1149, e.SQLSyntaxError),
    (1142, e.PermissionDeniedError),
    (1143, e.PermissionDeniedError),
    (1044, e.PermissionDeniedError),
    (1227, e.PermissionDeniedError),
    (1370, e.PermissionDeniedError),
    (1792, e.PermissionDeniedError),
    (1290, e.PermissionDeniedError),
    (4166, e.PermissionDeniedError),
    (1213, e.DeadlockError),
    (1205, e.LockTimeoutError),
    (3572, e.LockTimeoutError),
    (1020, e.SerializationError),
    (1317, e.StatementTimeoutError),
    (1969, e.StatementTimeoutError),
    (3024, e.StatementTimeoutError),
    (2006, e.ConnectionLostError),
    (2013, e.ConnectionLostError),
    (2014, e.ConnectionLostError),
    (2055, e.ConnectionLostError),
    (1927, e.ConnectionLostError),
    (1153, e.ConnectionLostError),
    (2002, e.ConnectionFailedError),
    (2003, e.ConnectionFailedError),
    (2005, e.ConnectionFailedError),
    (1040, e.ConnectionFailedError),
    (1049, e.ConnectionFailedError),
    (1264, e.DataError),
    (1265, e.DataError),
    (1292, e.DataError),
    (1366, e.DataError),
    (1406, e.DataError),
    (1690, e.DataError),
    (1050, e.ProgrammingError),
    (1136, e.ProgrammingError),
    (1305, e.ProgrammingError),
    (1114, e.OperationalError),
    (65535, e.DatabaseError),
]


@pytest.mark.parametrize(("code", "kind"), CODES)
def test_an_error_number_is_one_of_our_exceptions(code: int, kind: type[e.DatabaseError]) -> None:
    """Exactly that class, whatever the SQLSTATE says."""  # E2
    assert classify(ErrorFacts("", code=code, sqlstate="HY000")) is kind


def test_an_unknown_number_is_read_by_its_state() -> None:
    """Its first two characters."""  # E2
    states = {
        "22007": e.DataError,
        "23000": e.IntegrityError,
        "42000": e.ProgrammingError,
        "08S01": e.ConnectionLostError,
    }
    for state, kind in states.items():
        assert classify(ErrorFacts("", code=65535, sqlstate=state)) is kind
    assert classify(ErrorFacts("", sqlstate="45000")) is e.DatabaseError


MESSAGES: list[tuple[int, str, str, dict[str, str]]] = [
    (1062, "Duplicate entry 'it's a secret' for key 'users_email_key'", "for key", {"constraint": "users_email_key"}),
    (1062, "Duplicate entry 'secret' for key 'users.email'", "", {"constraint": "email", "table": "users"}),
    (1062, "Duplicate entry 'a for key 'secret' for key 'PRIMARY'", "for key", {"constraint": "PRIMARY"}),
    (
        1452,
        "… a foreign key constraint fails (`app`.`posts`, CONSTRAINT `author_fk` FOREIGN KEY (`a`) REFERENCES `users`)",
        "`users`",
        {"constraint": "author_fk", "table": "posts"},
    ),
    (1048, "Column 'email' cannot be null", "'email'", {"column": "email"}),
    (1364, "Field 'email' doesn't have a default value", "'email'", {"column": "email"}),
    (4025, "CONSTRAINT `adult` failed for `app`.`users`", "adult", {"constraint": "adult", "table": "users"}),
    (3819, "Check constraint 'adult' is violated.", "'adult'", {"constraint": "adult"}),
    (1146, "Table 'app.nowhere' doesn't exist", "'app.nowhere'", {"table": "nowhere", "near": "nowhere"}),
    (1054, "Unknown column 'u.emial' in 'field list'", "'u.emial'", {"column": "emial", "near": "emial"}),
    (1366, "Incorrect integer value: 'secret' for column `app`.`t`.`n` at row 1", "`n`", {"table": "t", "column": "n"}),
    (1366, "Incorrect integer value: 'x' for column 'secret' for column 'n' at row 1", "'n'", {"column": "n"}),
    (1406, "Data too long for column 'name' at row 1", "'name'", {"column": "name"}),
    (1292, "Truncated incorrect DOUBLE value: 'secret'", "DOUBLE", {}),
    (1292, "Truncated incorrect DOUBLE value: 'secret with ' in it'", "DOUBLE", {}),
    (1690, "BIGINT value is out of range in '(9223372036854775807 + 'secret')'", "BIGINT", {}),
    (1105, "XPATH syntax error: 'secret", "XPATH", {}),
    (1007, "Can't create database 'secret'; database exists", "Can't create", {}),
    (
        1064,
        "You have an error …: to use near 'FORM t WHERE a = 'secret'' at line 1",
        "FORM t",
        {"near": "FORM t WHERE a ="},
    ),
    (1064, "You have an error …: to use near '4711 AND b' at line 1", "…' at line 1", {}),
    (1064, "You have an error …: to use near '' at line 1", "at line 1", {}),
    (2003, "Can't connect to MySQL server on 'db.example' (refused)", "'db.example'", {}),
    (1644, "the author wrote 'this'", "'this'", {}),
    (1193, "Unknown system variable 'sql_mod'", "'sql_mod'", {}),
    (1526, "Table has no partition for value secret", "no partition for value …", {}),
    (
        1231,
        "Variable 'sql_mode' can't be set to the value of 'secret'",
        "'sql_mode' can't be set to the value of …",
        {},
    ),
]


@pytest.mark.parametrize(("code", "message", "kept", "told"), MESSAGES, ids=[m[1][:30] for m in MESSAGES])
def test_a_message_tells_names_and_no_values(code: int, message: str, kept: str, told: dict[str, str]) -> None:
    """The parts that are names; a value that the server quotes is nowhere, even if it looks like a name."""  # E1 E5
    facts = read_message(message, code, "23000")
    found = {name: getattr(facts, name) for name in ("constraint", "table", "column", "near")}
    assert {name: value for name, value in found.items() if value is not None} == told
    assert (facts.code, facts.sqlstate) == (code, "23000")
    assert kept in facts.message
    assert "secret" not in facts.message
    assert "4711" not in facts.message


def test_the_place_of_a_mistake_is_found_in_the_users_text() -> None:
    """Though the server saw values, and tells a line at most."""  # E4
    plan = Plan("SELECT *\nFORM users WHERE id = :id", MYSQL, ParameterStyle.FORMAT)
    sql, _ = plan.bind(({"id": 5},))
    facts = read_message("… near 'FORM users WHERE id = 5' at line 2", 1064, "42000")
    error = describe_fault(facts, MYSQL, plan, sql)
    assert type(error) is e.SQLSyntaxError
    assert "(line 2, column 1)" in str(error)
    assert "5" not in str(error).partition("\n")[0].replace("1064", "")


BEGINS: list[tuple[IsolationLevel | None, bool, tuple[str, ...]]] = [
    (None, False, ("BEGIN",)),
    (None, True, ("START TRANSACTION READ ONLY",)),
    ("serializable", False, ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "BEGIN")),
    (
        "read committed",
        True,
        ("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "START TRANSACTION READ ONLY"),
    ),
]


@pytest.mark.parametrize(("level", "read_only", "statements"), BEGINS)
def test_what_begins_a_transaction(level: IsolationLevel | None, read_only: bool, statements: tuple[str, ...]) -> None:
    """The level is set before, for the next transaction only."""  # S4
    assert begin_sql(BeginOptions(isolation=level, read_only=read_only)) == statements


def plan_of(text: str) -> Plan:
    return Plan(text, MYSQL, ParameterStyle.FORMAT)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE t (id INT)",
        "/* a */ create or replace view v as select 1",
        "ALTER TABLE t ADD x INT",
        "DROP TABLE t",
        "TRUNCATE t",
        "RENAME TABLE a TO b",
        "GRANT ALL ON a.* TO b",
        "ANALYZE LOCAL TABLE t",
        "LOCK TABLES t WRITE",
        "FLUSH PRIVILEGES",
        "SET PASSWORD = 'x'",
        "START TRANSACTION",
        "BEGIN",
        "SET DEFAULT ROLE NONE",
        "SET @a = 1, @@session.autocommit = 1",
        "SET STATEMENT max_statement_time=5 FOR CREATE TABLE t (id INT)",
        "CREATE TEMPORARY SEQUENCE s",
    ],
)
def test_what_commits_by_itself(statement: str) -> None:
    """DDL and its like, and another BEGIN."""  # W24
    assert plan_of(statement).commits_implicitly


@pytest.mark.parametrize(
    "statement",
    [
        "SET STATEMENT max_statement_time=5 FOR SELECT 1 FOR UPDATE",
        "CREATE TEMPORARY TABLE t (id INT)",
        "CREATE OR REPLACE TEMPORARY TABLE t (id INT)",
        "DROP TEMPORARY TABLE t",
        "DROP PREPARE p",
        "SELECT 'CREATE TABLE'",
        "INSERT INTO t VALUES (1) -- DROP TABLE t",
        "ANALYZE SELECT 1",
        "CHECKSUM TABLE t",
        "LOAD DATA INFILE 'x' INTO TABLE t",
        "BEGIN NOT ATOMIC SELECT 1; END",
        "COMMIT",
        "REPLACE INTO t VALUES (1)",
    ],
)
def test_what_does_not_commit(statement: str) -> None:
    """Temporary tables, and what only looks like DDL."""  # W24
    assert not plan_of(statement).commits_implicitly


CHANGES = [
    "SET @a = 1",
    "/* a */ SET NAMES latin1",
    "USE other",
    "SELECT GET_LOCK('a', 1)",
    "SELECT @a := 1",
    "SELECT id INTO @a FROM t",
    "LOCK TABLES t READ",
    "CALL p(@out)",
    "CALL p(?)",
    "CREATE TEMPORARY TABLE t (id INT)",
    "PREPARE p FROM 'SELECT 1'",
    "EXECUTE IMMEDIATE 'SET @a = 1'",
    "BEGIN NOT ATOMIC SET @a = 1; END",
]
KEEPS = [
    "UPDATE t SET a = 1 WHERE b = ':=' AND c = 'GET_LOCK('",
    "SELECT @@version",
    "SET STATEMENT max_statement_time=1 FOR SELECT 1",
    "SELECT RELEASE_LOCK('a')",
    "INSERT INTO t SET a = 1",
]


@pytest.mark.parametrize(("statement", "changes"), [*((s, True) for s in CHANGES), *((s, False) for s in KEEPS)])
def test_what_stays_in_the_connection(statement: str, changes: bool) -> None:
    """Variables, locks and the chosen database: such a connection has no next user."""  # F1
    assert plan_of(statement).changes_session is changes


EAST = dt.timezone(dt.timedelta(hours=5, minutes=30))
VALUES: list[tuple[Any, Any]] = [
    (dt.datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=EAST), "2024-02-29 18:29:59.123456+00:00"),
    (dt.datetime(2024, 2, 29, 23, 59), dt.datetime(2024, 2, 29, 23, 59)),
    (dt.timedelta(days=400, seconds=3601, microseconds=7), "9601:00:01.000007"),
    (-dt.timedelta(seconds=90), "-00:01:30.000000"),
    (dt.time(23, 59, 59, 5), "23:59:59.000005"),
    (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    ({"a": [1]}, '{"a":[1]}'),
    (bytearray(b"ab"), b"ab"),
    (Decimal("1E-20"), Decimal("1E-20")),
    (1.5, 1.5),
]


@pytest.mark.parametrize(("value", "sent"), VALUES)
def test_what_has_no_type_is_sent_as_text(value: object, sent: object) -> None:
    """Aware datetimes in UTC, durations as clock text, UUIDs, JSON."""  # P5
    assert encode([value], MYSQL) == [sent]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_number_is_refused(value: object) -> None:
    """Before anything is sent: some drivers would send NULL."""  # P5
    with pytest.raises(e.ParameterError, match="no infinity and no NaN"):
        encode([value], MYSQL)


@pytest.mark.parametrize("value", [Decimal("1E+81"), Decimal("-1E+999999999"), Decimal("1E-999999999")])
def test_a_decimal_that_no_server_keeps_is_refused(value: Decimal) -> None:
    """Instead of 65 nines, or of a literal of a gigabyte."""  # P5
    with pytest.raises(e.ParameterError, match="more than 80 digits"):
        encode([value], MYSQL)
