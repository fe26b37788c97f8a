"""Which SQLSTATE a message of PostgreSQL's has, where only the text is known."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec import exceptions as e
from sqlspec.dialects.postgres import POSTGRES
from sqlspec.dialects.postgres_messages import read_report


@pytest.mark.parametrize(
    ("message", "kind", "attributes"),
    [
        (
            'ERROR: duplicate key value violates unique constraint "t_pkey"\nDETAIL: Key (id)=(geheim) already exists.',
            e.UniqueViolationError,
            {"constraint": "t_pkey", "sqlstate": "23505"},
        ),
        (
            'ERROR: null value in column "name" of relation "t" violates not-null constraint\nDETAIL: Failing (geheim)',
            e.NotNullViolationError,
            {"table": "t", "column": "name"},
        ),
        (
            'ERROR: update or delete on table "a" violates foreign key constraint "b_fkey" on table "b"',
            e.ForeignKeyViolationError,
            {"table": "a", "constraint": "b_fkey"},
        ),
        ('ERROR: syntax error at or near "selec"', e.SQLSyntaxError, {"near": "selec"}),
        ("ERROR: syntax error at end of input", e.SQLSyntaxError, {}),
        ('ERROR: relation "x.nope" does not exist', e.UndefinedTableError, {"near": "nope"}),
        ("ERROR: column a.nope does not exist", e.UndefinedColumnError, {"near": "nope"}),
        ("ERROR: permission denied for table t", e.PermissionDeniedError, {}),
        ("ERROR: cannot execute INSERT in a read-only transaction", e.PermissionDeniedError, {}),
        (
            "ERROR: could not serialize access due to concurrent update",
            e.SerializationError,
            {},
        ),
        ("ERROR: deadlock detected\nDETAIL: Process 1 waits", e.DeadlockError, {}),
        ("ERROR: canceling statement due to lock timeout", e.LockTimeoutError, {}),
        ("ERROR: canceling statement due to user request", e.StatementTimeoutError, {}),
        ("ERROR: division by zero", e.DataError, {"sqlstate": "22012"}),
        ('ERROR: invalid input syntax for type integer: "geheim"', e.DataError, {}),
        ("ERROR: integer out of range", e.DataError, {}),
        ("ERROR: function nope(integer) does not exist\nHINT: No function", e.ProgrammingError, {}),
        ("ERROR: operator does not exist: integer + text", e.ProgrammingError, {}),
        ('ERROR: a function of the user says "geheim"', e.DatabaseError, {"sqlstate": None}),
        ("FATAL: terminating connection due to administrator command", e.ConnectionLostError, {}),
        ("FATAL: the database system is shutting down", e.ConnectionFailedError, {}),
        ('FATAL: password authentication failed for user "x"', e.ConnectionFailedError, {}),
        ('FATAL: role "x" does not exist', e.ConnectionFailedError, {}),
        ('FATAL: database "x" does not exist', e.ConnectionFailedError, {}),
        ("FATAL: sorry, too many clients already", e.ConnectionFailedError, {}),
    ],
)
def test_the_message_tells_the_class(message: str, kind: type, attributes: dict[str, Any]) -> None:
    """And no value."""  # E2 E5
    facts = read_report(message)
    assert POSTGRES.classify(facts) is kind
    assert {name: getattr(facts, name) for name in attributes} == attributes
    assert facts.message == message.partition(": ")[2].partition("\n")[0] or "…" in facts.message
    assert "geheim" not in facts.message


@pytest.mark.parametrize(
    ("message", "state"),
    [
        ("cached plan must not change result type", "0A000"),
        ('prepared statement "s1" does not exist', "26000"),
        ("current transaction is aborted, commands ignored until end of transaction block", "25P02"),
    ],
)
def test_states_that_drivers_act_upon(message: str, state: str) -> None:
    """Prepared statements that heal, streams in aborted transactions."""  # F5 S6
    assert read_report(f"ERROR: {message}").sqlstate == state


def test_what_ends_a_connection_is_a_loss() -> None:
    """Whatever the table says: nothing that is FATAL leaves the connection."""  # E2
    assert read_report("FATAL: canceling statement due to conflict with recovery").sqlstate == "08006"
    assert read_report("FATAL: terminating connection due to idle-in-transaction timeout").sqlstate == "08006"
