"""Which database a config of ADBC means, and what it shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sqlspec.adapters.adbc import AdbcConfig
from sqlspec.exceptions import ImproperConfigurationError


@pytest.mark.parametrize(
    ("pool_config", "target"),
    [
        ({"driver_name": "adbc_driver_sqlite"}, "sqlite://:memory:"),
        ({"driver_name": "sqlite", "database": "some.db"}, "sqlite:///some.db"),
        ({"uri": "sqlite:////tmp/some.db"}, "sqlite:////tmp/some.db"),
        ({"dsn": "postgresql://me:geheim@host:5433/app"}, "postgresql://me@host:5433/app"),
        ({"driver_name": "adbc_driver_postgresql", "uri": "postgres://host/app"}, "postgresql://host/app"),
        ({"uri": "postgresql://host/app", "database": "other"}, "postgresql://host/other"),
        ({"driver_name": "DuckDB"}, "duckdb://:memory:"),
        ({"driver_name": "adbc_driver_duckdb.dbapi.connect", "uri": "duckdb:///a%20b.db"}, "duckdb:///a b.db"),
        ({"driver_name": "duckdb", "database": "some.db"}, "duckdb:///some.db"),
        ({"driver_name": "duckdb", "db_kwargs": {"motherduck_token": "geheim"}}, "duckdb://:memory:"),
        ({"uri": "grpc://h:1", "conn_kwargs": {"adbc.flight.sql.rpc.call_header.x-key": "geheim"}}, "grpc://h:1/"),
        ({"driver_name": "duckdb", "database": Path("some.db")}, "duckdb:///some.db"),
        ({"driver_name": "sqlite", "database": Path("some.db")}, "sqlite:///some.db"),
        ({"uri": "grpc://me:geheim@host:31337"}, "grpc://me@host:31337/"),
        ({"uri": "grpc+tls://host:31337", "db_kwargs": {"password": "geheim"}}, "grpc+tls://host:31337/"),
    ],
)
def test_driver_name_or_url_say_which(pool_config: Any, target: str) -> None:
    """Under the names that drivers and packages have."""  # C1
    config = AdbcConfig(pool_config=pool_config)
    assert config.target == target
    assert "geheim" not in repr(config)
    if "geheim" in str(pool_config):
        assert config.redact("it said geheim") == "it said ***"


@pytest.mark.parametrize(
    ("pool_config", "match"),
    [
        ({}, "Which driver"),
        ({"driver_name": "snowflake"}, "Known: sqlite"),
        ({"driver_name": "postgresq"}, "Did you mean 'postgresql'"),
        ({"driver_name": "sqlite", "uri": "postgresql://me:geheim@h/d"}, "contradict"),
        ({"uri": "mysql://me:geheim@h/d"}, "Which driver"),
        ({"driver_name": "postgresql"}, "needs a uri"),
        ({"driver_name": "postgresql", "uri": "host=h password=geheim"}, "must be a URL"),
        ({"uri": "postgresql://me:ge/heim@h/d"}, "can't be read"),
        ({"uri": "duckdb://host/some.db"}, "no DuckDB URL"),
        ({"uri": "duckdb:///a.db", "database": "b.db"}, "Keep one of them"),
        ({"uri": "grpc://h:1", "database": "d"}, "no 'database'"),
        ({"uri": "sqlite:///a.db", "dsn": "sqlite:///b.db"}, "mean the same"),
        ({"driver_name": "sqlite", "db_kwargs": "x"}, "db_kwargs"),
        ({"driver_name": "sqlite", "drivername": "x"}, "Did you mean 'driver_name'"),
    ],
)
def test_what_can_not_be_meant_is_refused(pool_config: Any, match: str) -> None:
    """And no secret is shown."""  # C1 E5
    with pytest.raises(ImproperConfigurationError, match=match) as refused:
        AdbcConfig(pool_config=pool_config)
    assert "heim" not in str(refused.value)


def test_the_dialect_of_a_server_is_told_for_flight_sql_only() -> None:
    """Every other database has its own."""
    config = AdbcConfig(pool_config={"uri": "grpc://h:1"}, driver_features={"dialect": "duckdb"})
    assert config.wire.dialect.name == "duckdb"
    assert AdbcConfig(pool_config={"uri": "grpc://h:1"}).wire.dialect.name == "flightsql"
    with pytest.raises(ImproperConfigurationError, match="Flight SQL"):
        AdbcConfig(pool_config={"driver_name": "sqlite"}, driver_features={"dialect": "duckdb"})


@pytest.mark.parametrize("name", ["sqlite", "duckdb"])
def test_a_database_in_memory_is_one_for_all_sessions(name: str) -> None:
    """Until the pool is closed."""  # S12
    config = AdbcConfig(pool_config={"driver_name": name})
    with config.provide_session() as one, config.provide_session() as two:
        one.execute("CREATE TABLE kept (id INTEGER)")
        one.execute("INSERT INTO kept VALUES (?)", 7)
        assert two.select_value("SELECT id FROM kept") == 7
    config.close()
    with config.provide_session() as db, pytest.raises(Exception, match="kept"):
        db.select_value("SELECT id FROM kept")
    config.close()
