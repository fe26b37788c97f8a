"""What PsqlpyConfig takes, which errors psqlpy's texts are, and PostgreSQL's binary formats: no server."""

from __future__ import annotations

import datetime as dt
import struct
from decimal import Decimal
from typing import Any

import pytest
from psqlpy import SslMode
from psqlpy.exceptions import ConnectionExecuteError, DatabaseError, PyToRustValueMappingError

from sqlspec import exceptions as e
from sqlspec.adapters.psqlpy import PsqlpyConfig, binary
from sqlspec.adapters.psqlpy.errors import is_lost, is_stale, read_error
from sqlspec.adapters.psqlpy.options import connect_options
from sqlspec.adapters.psqlpy.statements import Prepared
from sqlspec.core.address import NO_URL, read_url
from sqlspec.dialects.postgres import POSTGRES
from sqlspec.exceptions import ImproperConfigurationError

SECRET = "s3cr3t-pa55"


def config(pool_config: Any, **options: Any) -> PsqlpyConfig:
    """A config whose keys are not known to the type checker."""
    return PsqlpyConfig(pool_config=pool_config, **options)


def told(dsn: str, **keys: Any) -> dict[str, Any]:
    """The arguments of psqlpy.connect."""
    return connect_options(config({"dsn": dsn, **keys}).pool_config, read_url(dsn, "dsn", ("postgresql",)))


# What is taken


@pytest.mark.parametrize(
    ("pool_config", "message"),
    [
        ({"hosst": "a"}, "Did you mean 'host'"),
        ({"db_name": "a", "database": "b"}, "mean the same"),
        ({"max_db_pool_size": 2, "max_size": 3}, "mean the same"),
        ({"host": f"postgresql://u:{SECRET}@h/d"}, "a URL belongs into dsn"),
        ({"dsn": f"mysql://u:{SECRET}@h/d"}, "scheme 'mysql'"),
        ({"dsn": f"postgresql://u:{SECRET}@h/d?sslmode=sometimes"}, "one of 'disable'"),
        ({"dsn": f"postgresql://u:{SECRET}@h/d?ssl_mode=require"}, "Unknown key 'ssl_mode'"),
        ({"dsn": f"postgresql://u:{SECRET}@h/d?connect_timeout=soon"}, "a whole number"),
        ({"ssl_mode": "verify-full", "password": SECRET}, "need ca_file"),
        ({"password": 5}, "a text"),
        ({"min_size": 5, "max_size": 2}, "min_size <= max_size"),
        ({"conn_recycling_method": 1}, "Unknown key"),
    ],
)
def test_what_can_not_be_is_refused_at_once(pool_config: dict[str, Any], message: str) -> None:
    """With the key's name, and without the password."""  # C1 E5
    with pytest.raises(ImproperConfigurationError, match=message) as refused:
        config(pool_config)
    assert SECRET not in str(refused.value)


def test_keys_win_over_the_url() -> None:
    """psqlpy itself ignores them beside a dsn."""  # C1
    options = told(
        f"postgresql://u%40:{SECRET}%2F@one:1,two:2/app%20x?sslmode=require&connect_timeout=3&options=-c%20a%3Db",
        db_name="other",
        ssl_mode="disable",
    )
    assert options["ssl_mode"] == SslMode.Disable
    del options["ssl_mode"]
    assert options == {
        "username": "u@",
        "password": f"{SECRET}/",
        "hosts": ["one", "two"],
        "ports": [1, 2],
        "db_name": "other",
        "connect_timeout_sec": 3,
        "options": "-c a=b",
    }
    assert told("postgresql://one:1/app", host=["a", "b"], port=[3, 4])["ports"] == [3, 4]
    assert told("postgresql://[::1]:7/app")["hosts"] == ["::1"]
    assert connect_options({}, NO_URL) == {"hosts": ["localhost"]}


def test_the_password_is_never_shown() -> None:
    """Neither in the target nor in the repr."""  # E5
    made = config({"dsn": f"postgresql://u:{SECRET}@h:1/d", "max_size": 3})
    assert made.target == "postgresql://u@h:1/d"
    assert SECRET not in repr(made)
    assert made.redact(f"x {SECRET} y") == "x *** y"
    assert (made.min_size, made.max_size) == (1, 3)


# What errors tell


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
@pytest.mark.parametrize("prefix", ["", "Cannot execute query, error - "])
def test_the_servers_message_tells_the_class(prefix: str, message: str, kind: type, attributes: dict[str, Any]) -> None:
    """And no value."""  # E2 E5
    facts = read_error(ConnectionExecuteError(f"{prefix}db error: {message}"))
    assert POSTGRES.classify(facts) is kind
    assert {name: getattr(facts, name) for name in attributes} == attributes
    assert "geheim" not in facts.message
    assert is_lost(ConnectionExecuteError(f"db error: {message}")) is message.startswith("FATAL")


def test_what_the_client_says() -> None:
    """Lost, refused, does not fit."""  # E2
    lost = DatabaseError("connection closed")
    assert is_lost(lost)
    assert POSTGRES.classify(read_error(lost)) is e.ConnectionLostError
    misfit = read_error(PyToRustValueMappingError("the value of $1 does not fit"))
    assert (POSTGRES.classify(misfit), misfit.from_client) == (e.DataError, True)
    assert is_stale(ConnectionExecuteError("x - db error: ERROR: cached plan must not change result type"))
    assert not is_stale(lost)


# Binary formats


@pytest.mark.parametrize(
    ("number", "data"),
    [
        ("0", "0000000000000000"),
        ("1.50", "0002000000000002 0001 1388"),
        ("-0.0001", "0001ffff40000004 0001"),
        ("12345678", "0002000100000000 04d2 162e"),
        ("1E+4", "0001000100000000 0001"),
        ("NaN", "00000000c0000000"),
        ("-Infinity", "00000000f0000000"),
    ],
)
def test_numeric(number: str, data: str) -> None:
    """As the server's numeric_send writes it, and back."""  # P5
    written = binary.ENCODERS[binary.NUMERIC](Decimal(number))
    assert written == bytes.fromhex(data)
    read = binary.DECODERS[binary.NUMERIC](written)
    assert str(read) == number if "N" in number or "I" in number else read == Decimal(number)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (binary.INT8, Decimal(0)),
        (binary.INT8, "5"),
        (binary.INT2, 40_000),
        (binary.TEXT, 5),
        (binary.TEXT, b"x"),
        (binary.BOOL, 1),
        (binary.BYTEA, "x"),
        (binary.BYTEA, 5),
        (binary.FLOAT4, 1e300),
        (binary.NUMERIC, "x"),
        (binary.NUMERIC, Decimal("1E+200000")),
        (binary.UUID_TYPE, 5),
        (binary.DATE, "2020-01-01"),
        (binary.TIMESTAMP, dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
        (binary.TIMETZ, dt.time(1)),
        (binary.INTERVAL, 5),
    ],
)
def test_values_of_another_type_are_never_written(kind: int, value: Any) -> None:
    """psqlpy stores Decimal("0.00") as 2 in a bigint column."""  # P5
    with pytest.raises(
        PyToRustValueMappingError, match=r"the value of \$1 does not fit: the server wants it, got \w+$"
    ):
        Prepared("SELECT $1", (), [binary.ENCODERS[kind]], ["it"]).encode([value])


@pytest.mark.parametrize("value", [[], [1, None], [[1, 2], [3, None]], [[[1]], [[2]]]])
def test_arrays(value: list[Any]) -> None:
    """Of several dimensions, with NULLs."""  # P5
    written = binary.array_encoder(binary.INT4, binary.ENCODERS[binary.INT4])(value)
    assert binary.read_array(written, binary.DECODERS) == value


@pytest.mark.parametrize("value", ["x", 5, [[1], [2, 3]], [1, [2]], {"a": 1}])
def test_what_is_no_array(value: Any) -> None:
    """Ragged lists, and what is no list."""  # P5
    with pytest.raises((TypeError, ValueError, struct.error)):
        binary.array_encoder(binary.INT4, binary.ENCODERS[binary.INT4])(value)
