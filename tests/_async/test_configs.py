"""Configs and the registry: C1-C4, S1, S2, S10, S16."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sqlspec import SQLSpec
from sqlspec.driver import AsyncDriverAdapterBase
from sqlspec.exceptions import ImproperConfigurationError, LockTimeoutError, ParameterError
from tests.support.configs import AsyncSqlite


def make(pool_config: Any = None, **options: Any) -> AsyncSqlite:
    """A config with keys that the type checkers would refuse."""
    return AsyncSqlite(pool_config=pool_config, **options)


@pytest.mark.parametrize(
    ("pool_config", "told"),
    [
        ({"databse": "x.db"}, "Did you mean 'database'"),
        ({"pool_size": 3, "max_size": 3}, "pool_size"),
        ({"max_size": 0}, "max_size >= 1"),
        ({"min_size": 4, "max_size": 3}, "min_size <= max_size"),
        ({"min_size": -1}, "min_size"),
        ({"max_size": "3"}, "max_size"),
        ({"database": ""}, "private temporary database"),
        ({"database": "x.db", "uri": "sqlite:///y.db"}, "Keep one"),
        ({"uri": "postgresql://x"}, "no SQLite URL"),
        ({"pragmas": {"a; DROP TABLE x": 1}}, "pragma"),
        ({"pragmas": {"cache_size": "1; DROP TABLE x"}}, "pragma"),
        ({"pragmas": {1: 2}}, "'pragmas' in pool_config of .* is a mapping"),
        ({"pragmas": ["x"]}, "'pragmas' in pool_config of .* is a mapping .*; not a value of type list"),
        ({"database": None}, "'database' in pool_config of .*; not a value of type NoneType"),
        ({"database": 5}, "'database' in .*; not a value of type int"),
        ({"database": b"x"}, "'database' in .*; not a value of type bytes"),
        ({"uri": 5}, "'uri' in .*; not a value of type int"),
        ({"uri": None}, "'uri' in .*; not a value of type NoneType"),
        ({"timeout": "5"}, "'timeout' in .* is a number of seconds, .*; not a value of type str"),
        ({"timeout": -5}, "'timeout' in .*; not -5"),
        ({"timeout": float("inf")}, "'timeout' in .*; not inf"),
        ({"cached_statements": "x"}, "'cached_statements' in .* is a whole number"),
        ({"pool_size": "x"}, "'pool_size' in .* is a whole number"),
        ({"max_size": True}, "'max_size' in .* is a whole number"),
        (["database"], "pool_config of .* is a mapping .*; not a value of type list"),
        ({1: 2}, "pool_config of .* is a mapping with texts as keys"),
        ("postgresql://u:s3cr3t@h/db", "pool_config of .*; not a URL with the scheme 'postgresql'"),
        ({"uri": "postgresql://u:s3cr3t@h/db"}, "uri is no SQLite URL but one with the scheme 'postgresql'"),
        ({"uri": "postgresql://u:[s3cr3t]@h/db"}, "uri is no SQLite URL"),
        ({"uri": "sqlite://u:s3cr3t@h/db"}, "uri is no SQLite URL"),
        ({"uri": "sqlite:///x#s3cr3t"}, "uri is no SQLite URL"),
        ({"uri": "s3cr3t"}, "uri is no SQLite URL"),
        ({"database": "postgresql://u:s3cr3t@h/db"}, "database is no SQLite URL but one with the scheme 'postgresql'"),
        ({"database": "file://u:s3cr3t@h/db"}, "database is no SQLite URL"),
    ],
)
def test_a_wrong_pool_config_is_an_error_at_once(pool_config: Any, told: str) -> None:
    """It names the key and what to do."""  # C1
    with pytest.raises(ImproperConfigurationError, match=told) as refused:
        make(pool_config)
    assert "s3cr3t" not in f"{refused.value} {refused.value.__context__}"  # E5


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"driver_features": ["x"]}, "driver_features of .* is a mapping .*; not a value of type list"),
        ({"migration_config": "x"}, "migration_config of .* is a mapping .*; not a value of type str"),
        ({"extension_config": "starlette"}, "extension_config of .* is a mapping .*; not a value of type str"),
        (
            {"extension_config": {"starlette": None}},
            "extension_config.'starlette'. of .*; not a value of type NoneType",
        ),
        ({"extension_config": {"starlette": "autocommit"}}, "extension_config.'starlette'. of .* is a mapping"),
        ({"extension_config": []}, "extension_config of .* is a mapping"),
        ({"pooler": ["transaction"]}, "pooler .*; not a value of type list"),
        ({"acquire_timeout": True}, "acquire_timeout is a number of seconds above 0"),
    ],
)
def test_a_wrong_option_is_an_error_at_once(options: Any, told: str) -> None:
    """It names the option, what is wanted and the type that was given."""  # C3
    with pytest.raises(ImproperConfigurationError, match=told):
        make(**options)


async def test_waiting_for_ever_may_be_said_in_two_ways() -> None:
    """Infinity is no limit."""  # C3
    config = make(acquire_timeout=float("inf"), statement_timeout=float("inf"))
    assert (config.acquire_timeout, config.statement_timeout) == (None, None)
    async with config.provide_session() as db:
        assert await db.select_value("SELECT 1") == 1
    await config.close()


def test_a_target_shows_no_query() -> None:
    """A key may stand there."""  # E5
    for place in ({"uri": "sqlite:///x.db?key=s3cr3t"}, {"database": "file:x.db?key=s3cr3t"}):
        assert make(place).target == "sqlite:///x.db"


@pytest.mark.parametrize(
    "place",
    [
        {"database": "file::memory:"},
        {"database": "file::memory:?cache=private"},
        {"database": "file:x?mode=memory"},
        {"uri": "file::memory:"},
        {"uri": "sqlite:///x?mode=memory"},
        {"uri": "sqlite:///:memory:?a=b"},
        {"uri": "sqlite://"},
    ],
)
async def test_every_way_to_say_memory_is_one_database(place: dict[str, Any]) -> None:
    """For all sessions of the config."""  # S12
    config = make(place)
    async with config.provide_session() as one, config.provide_session() as two:
        await one.execute("CREATE TABLE t (n INTEGER)")
        assert await two.select_value("SELECT count(*) FROM t") == 0
    await config.close()


async def test_a_scope_is_entered_once_at_a_time(config: AsyncSqlite) -> None:
    """A second one inside it is an error that harms nobody; one after the other may be."""  # S2
    scope = config.provide_session()
    async with scope as db:
        assert await db.select_value("SELECT 1") == 1
        with pytest.raises(ImproperConfigurationError, match=r"Call provide_session\(\) for each use"):
            await scope.__aenter__()
        assert await db.select_value("SELECT 2") == 2
    raw = config.provide_connection()
    async with raw as connection:
        with pytest.raises(ImproperConfigurationError, match=r"Call provide_connection\(\) for each use"):
            await raw.__aenter__()
        await connection.execute("SELECT 1")
    assert config.connections.holders == []
    async with scope as db, raw as connection:
        assert await db.select_value("SELECT 3") == 3
    assert config.connections.holders == []


async def test_a_locked_file_is_a_lock_time_out(tmp_path: Path) -> None:
    """Also while it is opened."""  # E2
    path = tmp_path / "x.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    for min_size in (0, 1):
        config = make({"database": path, "timeout": 0.05, "min_size": min_size})
        with pytest.raises(LockTimeoutError, match=r"Could not connect to sqlite:.*locked") as failed:
            async with config.provide_session() as db:
                await db.select_value("SELECT 1")
        assert isinstance(failed.value.__cause__, sqlite3.OperationalError)
        await config.close()
    holder.close()


@pytest.mark.parametrize("name", ["acquire_timeout", "max_lifetime", "leak_threshold", "statement_timeout"])
@pytest.mark.parametrize("value", [0, -1, "3"])
def test_wrong_seconds_are_an_error(name: str, value: Any) -> None:
    """Limits are numbers above zero, or None."""  # C3
    with pytest.raises(ImproperConfigurationError, match=name):
        make(**{name: value})
    make(**{name: None})


def test_unknown_options_are_errors() -> None:
    """A pooler and driver features that this adapter does not have."""  # C3
    with pytest.raises(ImproperConfigurationError, match="pooler"):
        make(pooler="transaction")
    with pytest.raises(ImproperConfigurationError, match="driver_features"):
        make(driver_features={"json": 1})
    with pytest.raises(TypeError):
        make(nonsense=1)


async def test_aliases_and_ways_to_name_a_file(tmp_path: Path) -> None:
    """``pool_size`` is ``max_size``; paths, URLs and file URIs mean one file."""  # C1
    path = tmp_path / "a b.db"
    ways: list[dict[str, Any]] = [
        {"database": path},
        {"database": str(path)},
        {"uri": f"sqlite:///{str(path).replace(' ', '%20')}"},
        {"uri": f"file:{str(path).replace(' ', '%20')}"},
        {"database": f"file:{str(path).replace(' ', '%20')}", "uri": True},
    ]
    for number, way in enumerate(ways):
        config = make({**way, "pool_size": 2})
        assert (config.min_size, config.max_size) == (1, 2)
        async with config.provide_session() as db:
            await db.execute("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
            await db.execute("INSERT INTO t VALUES (?)", number)
            assert await db.select_value("SELECT count(*) FROM t") == number + 1
        await config.close()


async def test_pragmas(tmp_path: Path) -> None:
    """Foreign keys and WAL by default; what is given wins, None leaves one away."""  # C1
    config = make({"database": tmp_path / "x.db"})
    async with config.provide_session() as db:
        assert await db.select_value("PRAGMA foreign_keys") == 1
        assert await db.select_value("PRAGMA journal_mode") == "wal"
    await config.close()
    config = make({"database": tmp_path / "y.db", "pragmas": {"foreign_keys": None, "journal_mode": "DELETE"}})
    async with config.provide_session() as db:
        assert await db.select_value("PRAGMA foreign_keys") == 0
        assert await db.select_value("PRAGMA journal_mode") == "delete"
    await config.close()


def test_defaults() -> None:
    """``min_size`` is at most ``max_size``; no framework section, no limit but for waiting."""  # C2 C4
    config = make({"max_size": 1})
    assert (config.min_size, config.max_size, config.acquire_timeout) == (1, 1, 30.0)
    assert (config.extension_config, config.migration_config, config.statement_timeout) == ({}, {}, None)
    assert make({"max_size": 7}).min_size == 1


async def test_options_are_copied(tmp_path: Path) -> None:
    """What the user does to his dicts later changes nothing."""  # C1
    given: dict[str, Any] = {"database": tmp_path / "x.db"}
    section = {"commit_mode": "manual"}
    config = make(given, extension_config={"starlette": section})
    given["database"] = "/nowhere/y.db"
    section["commit_mode"] = "autocommit"
    assert config.extension_config["starlette"] == {"commit_mode": "manual"}
    async with config.provide_session() as db:
        assert await db.select_value("SELECT 1") == 1
    await config.close()


# The registry


async def test_a_config_is_asked_for_by_itself_or_by_name(config: AsyncSqlite) -> None:
    """``add_config`` gives it back."""  # S1 S2
    spec = SQLSpec()
    assert spec.add_config(config, name="main") is config
    assert spec.get_config("main") is spec.get_config(config) is config
    async with spec.provide_session(config) as db:
        assert isinstance(db, AsyncDriverAdapterBase)
        assert await db.select_value("SELECT count(*) FROM items") == 0
    async with spec.provide_session("main") as by_name:
        assert await by_name.select_value("SELECT count(*) FROM items") == 0
    async with spec.provide_connection(config) as connection:
        await connection.execute("INSERT INTO items VALUES (1, 'raw')")
    async with spec.provide_connection("main") as connection:
        await connection.execute("BEGIN")
        await connection.execute("INSERT INTO items VALUES (2, 'lost')")
    async with spec.provide_session(config) as db:
        assert await db.select("SELECT id FROM items", schema_type=int) == [1]
    assert config.connections.holders == []


def test_wrong_names_are_errors() -> None:
    """Unknown ones with the nearest known one; taken ones; a config twice."""  # S1
    spec = SQLSpec()
    config = spec.add_config(make(), name="reports")
    with pytest.raises(ImproperConfigurationError, match="Did you mean 'reports'"):
        spec.provide_session("report")
    with pytest.raises(ImproperConfigurationError, match="not registered"):
        spec.provide_session(make())
    with pytest.raises(ImproperConfigurationError, match="taken"):
        spec.add_config(make(), name="reports")
    with pytest.raises(ImproperConfigurationError, match="registered already"):
        spec.add_config(config)
    assert spec.configs == (config,)


def test_equal_settings_are_two_configs() -> None:
    """Identity counts."""  # S1
    spec = SQLSpec()
    one, two = spec.add_config(make()), spec.add_config(make())
    assert one != two
    assert spec.get_config(two) is two
    assert spec.configs == (one, two)


def test_listeners_see_later_configs_and_may_refuse() -> None:
    """A refused config is not registered and keeps its name."""  # S1
    spec = SQLSpec()
    seen: list[Any] = []
    spec.on_add(seen.append)
    config = spec.add_config(make(), name="one")
    assert seen == [config]

    def refuse(_: object) -> None:
        raise ImproperConfigurationError("no")

    spec.on_add(refuse)
    other = make()
    with pytest.raises(ImproperConfigurationError, match="no"):
        spec.add_config(other, name="two")
    assert spec.configs == (config,)
    assert other.name is None


async def test_pools(config: AsyncSqlite) -> None:
    """``get_pool`` needs no await; closing is repeatable and not final; ``with SQLSpec()`` closes."""  # S10 S16
    async with SQLSpec() as spec:
        spec.add_config(config, name="main")
        pool = spec.get_pool(config)
        assert pool is spec.get_pool("main")
        async with spec.provide_session(config) as db:
            await db.select_value("SELECT 1")
        assert (pool.size, config.is_open) == (1, True)
    assert (pool.size, config.is_open) == (0, False)
    async with config.provide_session() as db:
        assert await db.select_value("SELECT 1") == 1
    assert config.connections.pool is not pool


async def test_a_session_that_outlives_its_pool_ends_well(config: AsyncSqlite) -> None:
    """Its connection is closed when it comes back, and a new session uses a new pool."""  # S10 S16
    async with config.provide_session() as db:
        await db.execute("INSERT INTO items VALUES (1, 'a')")
        old = config.connections.pool
        await config.close()
        async with config.provide_session() as other:
            assert await other.select_value("SELECT count(*) FROM items") == 1
        assert await db.select_value("SELECT count(*) FROM items") == 1
    assert old.size == 0


async def test_opening_opens_min_size(tmp_path: Path) -> None:
    """Exactly so many, and no more than ``max_size`` ever."""  # C2
    for size in (0, 1, 3):
        config = make({"database": tmp_path / "x.db", "min_size": size, "max_size": 3})
        await config.open()
        assert (config.connections.pool.size, config.connections.pool.idle) == (size, size)
        await config.close()


async def test_a_statement_is_a_text(config: AsyncSqlite) -> None:
    """And not a blank one."""  # P2
    async with config.provide_session() as db:
        wrong: Any
        for wrong in (None, 3, b"SELECT 1", "", "  \n"):
            with pytest.raises(ParameterError):
                await db.execute(wrong)
