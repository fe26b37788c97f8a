"""Every adapter's session is its own driver for mypy and pyright (both strict). The asserts run as a test, too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_type

import pytest

from sqlspec import SQLSpec
from sqlspec.adapters.adbc import AdbcConfig, AdbcDriver
from sqlspec.adapters.aiomysql import AiomysqlConfig, AiomysqlDriver
from sqlspec.adapters.asyncmy import AsyncmyConfig, AsyncmyDriver
from sqlspec.adapters.duckdb import DuckDBConfig, DuckDBDriver
from sqlspec.adapters.mysqlconnector import (
    MysqlConnectorAsyncConfig,
    MysqlConnectorAsyncDriver,
    MysqlConnectorSyncConfig,
    MysqlConnectorSyncDriver,
)
from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.adapters.psycopg import PsycopgAsyncConfig, PsycopgAsyncDriver, PsycopgSyncConfig, PsycopgSyncDriver
from sqlspec.adapters.pymysql import PyMysqlConfig, PyMysqlDriver
from sqlspec.exceptions import ImproperConfigurationError


@dataclass
class User:
    id: int


async def test_async_adapters() -> None:
    """Nothing is contacted before the first statement."""  # X3 S2
    async with SQLSpec() as spec:
        async with spec.provide_session(spec.add_config(PsycopgAsyncConfig())) as psycopg:
            assert_type(psycopg, PsycopgAsyncDriver)
        async with spec.provide_session(spec.add_config(PsqlpyConfig())) as psqlpy:
            assert_type(psqlpy, PsqlpyDriver)
        async with spec.provide_session(spec.add_config(AsyncmyConfig())) as asyncmy:
            assert_type(asyncmy, AsyncmyDriver)
        async with spec.provide_session(spec.add_config(AiomysqlConfig())) as aiomysql:
            assert_type(aiomysql, AiomysqlDriver)
        async with spec.provide_session(spec.add_config(MysqlConnectorAsyncConfig())) as mysqlconnector:
            assert_type(mysqlconnector, MysqlConnectorAsyncDriver)


def test_sync_adapters() -> None:
    """And what a session gives is of the schema type."""  # X3 R3
    with SQLSpec() as spec:
        with spec.provide_session(spec.add_config(PsycopgSyncConfig())) as psycopg:
            assert_type(psycopg, PsycopgSyncDriver)
        with spec.provide_session(spec.add_config(PyMysqlConfig())) as pymysql:
            assert_type(pymysql, PyMysqlDriver)
        with spec.provide_session(spec.add_config(MysqlConnectorSyncConfig())) as mysqlconnector:
            assert_type(mysqlconnector, MysqlConnectorSyncDriver)
        with spec.provide_session(spec.add_config(AdbcConfig(pool_config={"driver_name": "sqlite"}))) as adbc:
            assert_type(adbc, AdbcDriver)
        config = spec.add_config(DuckDBConfig())
        with spec.provide_session(config) as duckdb:
            assert_type(duckdb, DuckDBDriver)
            assert_type(duckdb.select_one("SELECT 1 AS id", schema_type=User), User)


def test_unknown_keys_are_found_by_the_checkers_and_by_us() -> None:
    """Each ``pool_config`` is a TypedDict."""  # C1
    with pytest.raises(ImproperConfigurationError):
        PsycopgAsyncConfig(pool_config={"databse": "x"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(ImproperConfigurationError):
        PyMysqlConfig(pool_config={"databse": "x"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(ImproperConfigurationError):
        DuckDBConfig(pool_config={"databse": "x"})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
