"""Configs of psycopg, of both colours: keys, aliases, the place that is shown, and what connect() is told."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec.adapters import load_config
from sqlspec.adapters.psycopg import PsycopgAsyncConfig, PsycopgSyncConfig
from sqlspec.adapters.psycopg.faults import read_error
from sqlspec.adapters.psycopg.options import connect_options, with_time_limit
from sqlspec.exceptions import ImproperConfigurationError

SECRET = "s3cr3t-pa55"


@pytest.fixture(params=[PsycopgAsyncConfig, PsycopgSyncConfig])
def make(request: pytest.FixtureRequest) -> Any:
    """A config class."""
    return request.param


def told(**pool_config: Any) -> dict[str, Any]:
    """What connect() would be told, but for what it is always told."""
    options = connect_options(pool_config, "pool_config")
    assert options.pop("client_encoding") == "UTF8"
    return options


def test_both_colours_have_a_name() -> None:
    """As in ``load_config``."""
    assert load_config("psycopg") is PsycopgAsyncConfig
    assert load_config("psycopg_sync") is PsycopgSyncConfig
    assert (PsycopgAsyncConfig.adapter, PsycopgSyncConfig.adapter) == ("psycopg", "psycopg_sync")


@pytest.mark.parametrize(
    ("pool_config", "target"),
    [
        ({}, "postgresql://localhost/"),
        ({"dsn": f"postgresql://ann:{SECRET}@db:5433/app"}, "postgresql://ann@db:5433/app"),
        ({"conninfo": f"postgres://ann@db/app?password={SECRET}&port=5433"}, "postgresql://ann@db:5433/app"),
        ({"conninfo": f"host=db port=5433 user=ann password='{SECRET}' dbname=app"}, "postgresql://ann@db:5433/app"),
        ({"conninfo": "postgresql://a,b:1/app"}, "postgresql://a,b:1/app"),
        ({"host": ["a", "b"], "port": [1, 2], "dbname": "app"}, "postgresql://a:1,b:2/app"),
        ({"dsn": "postgresql://db/app", "database": "other", "user": "bob"}, "postgresql://bob@db/other"),
        ({"host": "/run/postgresql", "password": SECRET}, "postgresql:///run/postgresql/"),
        ({"hostaddr": "127.0.0.1"}, "postgresql://127.0.0.1/"),
        ({"host": "db", "kwargs": {"password": SECRET, "dbname": "app"}}, "postgresql://db/app"),
    ],
)
def test_the_place_is_shown_without_its_password(make: Any, pool_config: dict[str, Any], target: str) -> None:
    """However it was given; and the password is known as a secret."""  # E5
    config = make(pool_config=pool_config)
    assert config.target == target
    assert SECRET not in repr(config)
    if SECRET in str(pool_config):
        assert SECRET in config.secrets
        assert SECRET not in config.redact(f"no password {SECRET} will do")


def test_all_ways_to_say_it_are_libpqs_words_in_the_end() -> None:
    """Keys win over conninfo, aliases are resolved, lists are joined."""  # C1
    assert told(conninfo="postgresql://ann@db/app", host=["a", "b"], port=[1, 2], max_size=3, timeout=5) == {
        "user": "ann",
        "dbname": "app",
        "host": "a,b",
        "port": "1,2",
    }
    assert told(conninfo="dbname=app", kwargs={"sslcompression": "0", "database": "other"}) == {
        "dbname": "other",
        "sslcompression": "0",
    }
    assert told(prepare_threshold=None, keepalives=1) == {"prepare_threshold": None, "keepalives": 1}


@pytest.mark.parametrize(
    ("pool_config", "match"),
    [
        ({"hots": "x"}, "Did you mean 'host'"),
        ({"max_idle": 5}, "Unknown key 'max_idle'"),
        ({"client_encoding": "LATIN1"}, "Unknown key 'client_encoding'"),
        ({"dsn": "postgresql://x", "conninfo": "host=x"}, "mean the same"),
        ({"database": "x", "dbname": "x"}, "mean the same"),
        ({"host": "x", "kwargs": {"host": "y"}}, "both have 'host'"),
        ({"kwargs": {"hots": "x"}}, "'kwargs' in pool_config"),
        ({"kwargs": {"replication": "database"}}, "Unknown key 'replication'"),
        ({"kwargs": {"port": "x"}}, "'port' in 'kwargs'"),
        ({"host": f"postgresql://x:{SECRET}@y"}, "a URL belongs into dsn"),
        ({"host": None}, "'host' in pool_config"),
        ({"port": 70000}, "70000"),
        ({"sslmode": "yes"}, "'sslmode'"),
        ({"min_size": 5, "max_size": 2}, "min_size"),
        ({"conninfo": f"mysql://x:{SECRET}@y/z"}, "scheme 'mysql'"),
        ({"conninfo": f"postgresql://x:{SECRET}@y:z/z"}, "can't be read"),
        ({"conninfo": f"postgresql://x:{SECRET}@y/z?hots=1"}, "can't be read"),
        ({"conninfo": f"host=x password={SECRET} and more"}, "can't be read"),
        ({"timeout": 0}, "'timeout'"),
        ({"configure": "x"}, "'configure'"),
    ],
)
def test_what_nobody_can_mean_is_refused(make: Any, pool_config: dict[str, Any], match: str) -> None:
    """By key, with what is wanted, without the value."""  # C1 E4 E5
    with pytest.raises(ImproperConfigurationError, match=match) as failed:
        make(pool_config=pool_config)
    assert SECRET not in f"{failed.value} {failed.value.__cause__} {failed.value.__context__}"


def test_psycopg_pools_names_for_our_limits(make: Any) -> None:
    """``timeout`` is its word for acquire_timeout; both together are an error."""  # C1 C3
    config = make(pool_config={"timeout": 3, "max_lifetime": 60})
    assert (config.acquire_timeout, config.max_lifetime) == (3, 60)
    assert make(acquire_timeout=4).acquire_timeout == 4
    with pytest.raises(ImproperConfigurationError, match="the same as acquire_timeout"):
        make(pool_config={"timeout": 3}, acquire_timeout=3)
    with pytest.raises(ImproperConfigurationError, match="the same as max_lifetime"):
        make(pool_config={"max_lifetime": 3}, max_lifetime=None)


def test_connecting_takes_no_longer_than_waiting_for_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the user, or the environment, says how long."""  # E2 F4
    monkeypatch.delenv("PGCONNECT_TIMEOUT", raising=False)
    assert with_time_limit({}, 4.2) == {"connect_timeout": 5}
    assert with_time_limit({}, 0.1) == {"connect_timeout": 2}
    assert with_time_limit({}, None) == {}
    assert with_time_limit({"connect_timeout": 9}, 4) == {"connect_timeout": 9}
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "7")
    assert with_time_limit({}, 4) == {}


def test_a_pooler_turns_prepared_statements_off(make: Any) -> None:
    """And nothing else is known as one."""  # F6
    with pytest.raises(ImproperConfigurationError, match="transaction"):
        make(pooler="session")
    with pytest.raises(ImproperConfigurationError, match="prepare_threshold"):
        make(pool_config={"prepare_threshold": 1}, pooler="transaction")
    assert make(pooler="transaction").pooler == "transaction"


def test_errors_that_python_raises_show_no_value() -> None:
    """A text that has no UTF-8, a buffer with holes."""  # E2 E5
    with pytest.raises(UnicodeEncodeError) as failed:
        "geheim \ud800".encode()
    facts = read_error(failed.value)
    assert (facts.sqlstate, facts.from_client) == ("22000", True)
    assert "geheim" not in facts.message
    assert read_error(ConnectionResetError(104, "reset")).sqlstate == "08006"
