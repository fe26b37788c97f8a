"""What PsqlpyConfig takes, and what psqlpy's texts tell: no server."""

from __future__ import annotations

from typing import Any

import pytest
from psqlpy import SslMode
from psqlpy.exceptions import ConnectionExecuteError

from sqlspec import exceptions as e
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.adapters.psqlpy.config import connect_options
from sqlspec.core.address import NO_URL, read_url
from sqlspec.dialects.postgres import POSTGRES
from sqlspec.dialects.postgres_binary import MisfitError
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
    assert told("postgresql:///app?host=/run/postgresql&port=5433") == {
        "db_name": "app",
        "hosts": ["/run/postgresql"],
        "ports": [5433],
    }
    assert connect_options({}, NO_URL) == {"hosts": ["localhost"]}


def test_the_password_is_never_shown() -> None:
    """Neither in the target nor in the repr."""  # E5
    made = config({"dsn": f"postgresql://u:{SECRET}@h:1/d", "max_size": 3})
    assert made.target == "postgresql://u@h:1/d"
    assert SECRET not in repr(made)
    assert made.redact(f"x {SECRET} y") == "x *** y"
    assert (made.min_size, made.max_size) == (1, 3)


def test_verified_certificates_need_some_to_do_it_with(tmp_path: Any) -> None:
    """psqlpy would connect without TLS."""  # E5
    file = str(tmp_path / "ca.pem")
    assert told("postgresql://h/d?sslmode=verify-full&sslrootcert=" + file)["ssl_mode"] == SslMode.VerifyFull
    assert told("postgresql://h/d", ssl_mode=SslMode.VerifyCa, ca_file=file)["ca_file"] == file
    with pytest.raises(ImproperConfigurationError, match="need ca_file"):
        told("postgresql://h/d?sslmode=verify-ca")


# What errors tell


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("Cannot execute query, error - db error: ERROR: division by zero", e.DataError, "division by zero"),
        (
            "Cannot prepare statement, error - db error: FATAL: terminating connection due to administrator command",
            e.ConnectionLostError,
            "terminating connection due to administrator command",
        ),
        ("Cannot execute query, error - connection closed", e.ConnectionLostError, None),
        ("Underlying connection is returned to the pool", e.ConnectionLostError, None),
        (
            "Database engine pool exception: Error occurred while creating a new object: error connecting to server: x",
            e.ConnectionFailedError,
            "error connecting to server: x",
        ),
        ("error performing TLS handshake: server does not support TLS", e.ConnectionFailedError, None),
        ("something else", e.DatabaseError, None),
    ],
)
def test_what_the_text_tells(text: str, kind: type, message: str | None) -> None:
    """Whether the server spoke or psqlpy did."""  # E2 E4
    facts = config({}).wire.read_error(ConnectionExecuteError(text))
    assert POSTGRES.classify(facts) is kind
    assert facts.message == (message or text)


def test_what_does_not_fit_was_not_sent() -> None:
    """The transaction goes on."""  # E2
    misfit = config({}).wire.read_error(MisfitError("the value of $1 does not fit"))
    assert (POSTGRES.classify(misfit), misfit.from_client) == (e.DataError, True)
