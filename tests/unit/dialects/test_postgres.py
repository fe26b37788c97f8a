"""What each SQLSTATE of PostgreSQL is to us: the code first, then its class. E1 E2."""

from __future__ import annotations

import pytest

from sqlspec import exceptions as e
from sqlspec.core.facts import ErrorFacts
from sqlspec.dialects.postgres import classify, error_facts, without_values

CODES: list[tuple[str | None, type[e.DatabaseError], str]] = [
    ("23505", e.UniqueViolationError, "unique_violation"),
    ("23503", e.ForeignKeyViolationError, "foreign_key_violation"),
    ("23502", e.NotNullViolationError, "not_null_violation"),
    ("23514", e.CheckViolationError, "check_violation"),
    ("23P01", e.IntegrityError, "exclusion_violation, by its class"),
    ("42601", e.SQLSyntaxError, "syntax_error"),
    ("42P01", e.UndefinedTableError, "undefined_table"),
    ("42703", e.UndefinedColumnError, "undefined_column"),
    ("42501", e.PermissionDeniedError, "insufficient_privilege"),
    ("25006", e.PermissionDeniedError, "read_only_sql_transaction"),
    ("42804", e.ProgrammingError, "datatype_mismatch, by its class"),
    ("40001", e.SerializationError, "serialization_failure"),
    ("40P01", e.DeadlockError, "deadlock_detected"),
    ("40003", e.OperationalError, "statement_completion_unknown, by its class"),
    ("55P03", e.LockTimeoutError, "lock_not_available"),
    ("55006", e.OperationalError, "object_in_use, by its class"),
    ("57014", e.StatementTimeoutError, "query_canceled"),
    ("57P01", e.ConnectionLostError, "admin_shutdown"),
    ("57P02", e.ConnectionLostError, "crash_shutdown"),
    ("57P03", e.ConnectionFailedError, "cannot_connect_now"),
    ("57P04", e.OperationalError, "database_dropped, by its class"),
    ("57P05", e.ConnectionLostError, "idle_session_timeout"),
    ("08000", e.ConnectionLostError, "connection_exception, by its class"),
    ("08001", e.ConnectionFailedError, "sqlclient_unable_to_establish_sqlconnection"),
    ("08003", e.ConnectionLostError, "connection_does_not_exist, by its class"),
    ("08004", e.ConnectionFailedError, "sqlserver_rejected_establishment_of_sqlconnection"),
    ("08006", e.ConnectionLostError, "connection_failure, by its class"),
    ("28000", e.ConnectionFailedError, "invalid_authorization_specification, by its class"),
    ("28P01", e.ConnectionFailedError, "invalid_password, by its class"),
    ("3D000", e.ConnectionFailedError, "invalid_catalog_name"),
    ("53300", e.ConnectionFailedError, "too_many_connections"),
    ("53100", e.OperationalError, "disk_full, by its class"),
    ("58030", e.OperationalError, "io_error, by its class"),
    ("22P02", e.DataError, "invalid_text_representation, by its class"),
    ("P0001", e.DatabaseError, "raise_exception, which is nobody's"),
    ("XX000", e.DatabaseError, "internal_error"),
    (None, e.DatabaseError, "no code at all"),
]


@pytest.mark.parametrize(("code", "kind", "_"), CODES, ids=[f"{code}-{meaning}" for code, _, meaning in CODES])
def test_a_sqlstate_is_one_of_our_exceptions(code: str | None, kind: type[e.DatabaseError], _: str) -> None:
    """Exactly that class, whatever the message says."""  # E1 E2
    assert classify(ErrorFacts("unique syntax error", code=code, sqlstate=code)) is kind


def test_values_are_taken_out_of_messages_about_data_only() -> None:
    """Class 22 quotes what it was given; others quote names, which stay."""  # E5
    assert without_values('invalid input syntax for type integer: "geh"eim\nes"', "22P02") == (
        'invalid input syntax for type integer: "…"'
    )
    for first, last in ("»«", "«»", "„“", "“”"):
        assert "geheim" not in without_values(f"ungültig: {first}geheim {first}es{last}", "22P02")
    assert without_values('relation "users" does not exist', "42P01") == 'relation "users" does not exist'
    assert without_values('"users"', None) == '"users"'


def test_an_error_is_read_from_its_fields() -> None:
    """Positions count from 1 there, as texts or numbers, and from 0 here."""  # E1 E4 E5
    facts = error_facts('bad value "geheim"', "22P02", constraint="c", table="t", column="d", position="8")
    assert facts == ErrorFacts(
        'bad value "…"', code="22P02", sqlstate="22P02", constraint="c", table="t", column="d", position=7
    )
    assert error_facts("", "42601", position=1).position == 0
    assert error_facts("", "42601", position=None).position is None
