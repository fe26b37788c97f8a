"""What a statement's words tell: the main verb behind a WITH, the ends of transactions, what stays in a connection."""

from __future__ import annotations

from time import perf_counter

import pytest

from sqlspec.core.facts import DialectFacts, ParameterStyle
from sqlspec.core.plan import Plan
from sqlspec.core.traits import traits_of
from sqlspec.dialects import mysql, postgres, sqlite
from sqlspec.exceptions import DatabaseError

POSTGRES = DialectFacts("pg", lambda _: (), lambda _: DatabaseError, lexical=postgres.LEXICAL)
SQLITE = DialectFacts("lite", lambda _: (), lambda _: DatabaseError, lexical=sqlite.LEXICAL)
MYSQL = DialectFacts("my", lambda _: (), lambda _: DatabaseError, lexical=mysql.LEXICAL)


def plan(text: str, facts: DialectFacts = POSTGRES) -> Plan:
    return Plan(text, facts, ParameterStyle.DOLLAR)


@pytest.mark.parametrize(
    ("text", "verb", "returns_rows", "is_write"),
    [
        *[
            (f"WITH {name} AS (SELECT 1 AS a) SELECT a FROM {name}", "SELECT", True, False)
            for name in ("merge", "update", "insert", "delete", "replace", "values", "Update(a)", "values(a)")
        ],
        ("WITH a AS (SELECT 1), merge (b, c) AS MATERIALIZED (SELECT (1), 2) SELECT 1", "SELECT", True, False),
        ("WITH a AS (SELECT (SELECT 1))SELECT 1", "SELECT", True, False),
        ("WITH a AS (SELECT 1) /* ) */ ((SELECT 1) UNION SELECT 2)", "SELECT", True, False),
        ("(WITH update AS (SELECT 1) SELECT 1)", "SELECT", True, False),
        ("WITH a AS (SELECT 1) UPDATE t SET x = (SELECT 1)", "UPDATE", False, True),
        ("WITH a AS (SELECT 1) REPLACE INTO t SELECT 1", "REPLACE", False, True),
        ("WITH a AS (SELECT 1) FROM a", "FROM", True, False),
        ("WITH a(x) AS (SELECT 1) SEARCH DEPTH FIRST BY x SET o SELECT x FROM a", "SELECT", True, False),
        ("WITH a(x) AS (SELECT 1) SEARCH BREADTH FIRST BY x SET o, merge AS (SELECT 1) TABLE a", "TABLE", True, False),
        ("WITH a(x) AS (SELECT 1) CYCLE x SET c TO 'Y' DEFAULT 'N' USING p DELETE FROM t", "DELETE", False, True),
        ("WITH a AS (SELECT 1", "WITH", True, True),
        ("WITH a AS (SELECT 1) SOMETHING NEW", "WITH", True, True),
        (";SELECT 1 AS a", "SELECT", True, False),
        (" ; /* ; */ ; (WITH x AS (SELECT 1 AS a) SELECT a FROM x)", "SELECT", True, False),
        ("PRAGMA user_version(3)", "PRAGMA", True, True),
        ("PRAGMA table_info(t)", "PRAGMA", True, False),
    ],
)
def test_main_verb(text: str, verb: str, returns_rows: bool, is_write: bool) -> None:
    """No name of a common table expression, and no leading semicolon, is taken for the verb."""  # R1
    made = plan(text)
    assert (made.verb, made.returns_rows, made.is_write) == (verb, returns_rows, is_write)


@pytest.mark.parametrize(
    "text",
    [
        "COMMIT", "commit and chain", "END;", "; -- x\nEND WORK", "ABORT", "ROLLBACK", "ROLLBACK WORK",
        "rollback transaction and no chain", "PREPARE TRANSACTION 'a'", "prepare /* */ transaction $$a$$",
    ],
)  # fmt: skip
def test_what_ends_the_transaction(text: str) -> None:
    """Also if a new one begins at once."""  # S14
    made = plan(text)
    assert (made.ends_transaction, made.controls_transaction, made.is_write) == (True, True, False)
    assert not made.changes_session


@pytest.mark.parametrize(
    "text",
    [
        "BEGIN", "START TRANSACTION", "SAVEPOINT a", "RELEASE a", "ROLLBACK TO a", "rollback work to savepoint a",
        "ROLLBACK TRANSACTION TO SAVEPOINT a", "COMMIT PREPARED 'a'", "ROLLBACK PREPARED 'a'",
    ],
)  # fmt: skip
def test_what_does_not_end_the_transaction(text: str) -> None:
    """Savepoints and transactions that were prepared before leave the open one as it is."""  # S14
    made = plan(text)
    assert (made.ends_transaction, made.controls_transaction) == (False, True)


@pytest.mark.parametrize("text", ["PREPARE q AS SELECT 1", "PREPARE transaction AS SELECT 1", "SELECT commit FROM end"])
def test_what_only_looks_like_transaction_control(text: str) -> None:
    """A prepared statement of any name, and columns."""  # S14
    made = plan(text)
    assert (made.ends_transaction, made.controls_transaction) == (False, False)


def test_a_compound_statement_is_no_begin() -> None:
    """MariaDB's BEGIN NOT ATOMIC runs statements; no transaction is open after it."""  # S14
    made = plan("BEGIN NOT ATOMIC DELETE FROM t; END", MYSQL)
    assert (made.controls_transaction, made.is_write) == (False, True)


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TEMP TABLE t (a int)", "create local temporary table t (a int)", "CREATE GLOBAL TEMP TABLE t (a int)",
        "CREATE OR REPLACE TEMP VIEW v AS SELECT 1", "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
        "CREATE TABLE temp.t (a int)", "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql RETURN 1",
        "SELECT 1 INTO TEMP t", "select a into local temporary table t from u", "SELECT 1 INTO TEMP 'x'",
        "WITH x AS (SELECT 1) SELECT * INTO TEMPORARY t FROM x", "SELECT 1 INTO pg_temp.t",
        "PREPARE q AS SELECT 1", "ATTACH 'x' AS y", ";DETACH y", "LOAD 'x'",
        "SET ROLE x", "SET SESSION ROLE x", "SET LOCAL ROLE x", "SET role = x", "set session authorization x",
        "SET SESSION SESSION AUTHORIZATION x", "SET LOCAL SESSION AUTHORIZATION x", "SET session_authorization TO x",
        "PRAGMA foreign_keys = 0", "PRAGMA foreign_keys(0)", "PRAGMA main.journal_mode=WAL", "PRAGMA query_only(1)",
    ],
)  # fmt: skip
def test_what_stays_in_the_connection(text: str) -> None:
    """A later user of the connection must not meet it."""  # S15
    assert plan(text, SQLITE).changes_session
    assert plan(f"/* a */ {text.swapcase()};", SQLITE).changes_session


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE temp (a int)", "CREATE TABLE t (temp int)", "CREATE TABLE template (a int)",
        "CREATE TABLE t (a int) /* TEMP */", "CREATE VIEW v AS SELECT t.temp FROM t", "SELECT 'INTO TEMP t'",
        "SELECT a INTO t FROM temp", "INSERT INTO temp VALUES (1)", "SELECT 1",
        "SET timezone = 'UTC'", "SET LOCAL lock_timeout = 1", "RESET ROLE", "DROP TABLE t",
        "PRAGMA foreign_keys", "PRAGMA table_info(t)", "PRAGMA main.table_xinfo('t')", 'PRAGMA "main".index_list(t)',
        "PRAGMA index_info = x", "PRAGMA index_xinfo(x)", "PRAGMA foreign_key_list(t)", "PRAGMA foreign_key_check(t)",
        "PRAGMA integrity_check(5)", "PRAGMA quick_check(5)", "PRAGMA table_list(t)",
    ],
)  # fmt: skip
def test_what_leaves_the_connection_as_it_was(text: str) -> None:
    """Or is taken back by the pool's reset."""  # S15
    assert not plan(text, SQLITE).changes_session


@pytest.mark.parametrize(
    "piece",
    [
        "WITH a AS (SELECT 1) SEARCH ", "CREATE temp ", "CREATE a ", "SELECT into ", "WITH (", "(", ") ", ";",
        "PRAGMA a", "INSERT returning", "SELECT INTO TEMP ", "EXPLAIN ANALYZE CREATE ", "ROLLBACK ",
    ],
)  # fmt: skip
def test_time_is_linear(piece: str) -> None:
    """A long text is no way to keep the loop busy: 400,000 characters of odd pieces and blanks."""
    for text in (piece * (400_000 // len(piece)), piece + " " * 400_000, piece + "(" * 200_000 + ")" * 200_000):
        start = perf_counter()
        traits_of(text)
        assert perf_counter() - start < 1
