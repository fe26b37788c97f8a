"""docs/configs.md lists every key that exists, and no other."""

from __future__ import annotations

import inspect
from typing import Any

import asyncpg
import pytest

from sqlspec._async.config import AsyncDatabaseConfig
from sqlspec.adapters import ADAPTERS, load_config
from sqlspec.adapters.sqlite import SqliteConfig
from tests.docs.markdown import ROOT, table

PAGE = ROOT / "docs" / "configs.md"
SECTIONS = {"sqlite": "sqlite and aiosqlite", "aiosqlite": "sqlite and aiosqlite", "asyncpg": "asyncpg"}


def keys(heading: str, first_column: str) -> dict[str, str]:
    """Key and default of a table below a heading."""
    return {row[0].strip("`"): row[2].strip("`") for row in table(PAGE, first_column, heading)}


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_the_keys_of_pool_config_are_listed(adapter: str) -> None:
    """A new adapter needs its section here; a new key its row."""  # C1
    config: Any = load_config(adapter)
    assert set(keys(SECTIONS[adapter], "Key")) == config.pool_keys | set(config.pool_aliases)


def test_the_features_are_listed() -> None:
    """Of the only adapter that has some."""
    with_features = {name for name in ADAPTERS if load_config(name).feature_keys}
    assert with_features == {"asyncpg"}
    assert set(keys("asyncpg", "Feature")) == load_config("asyncpg").feature_keys


def test_the_arguments_of_every_config_are_listed_with_their_defaults() -> None:
    """As the constructor has them."""  # C3
    listed = keys("What every config takes", "Argument")
    config: Any = AsyncDatabaseConfig
    parameters = inspect.signature(config).parameters
    assert list(listed) == list(parameters)
    for name, parameter in parameters.items():
        wanted = "{}" if name in {"pool_config", "extension_config", "migration_config", "driver_features"} else None
        assert listed[name].startswith(wanted or str(parameter.default)), name


def test_the_defaults_of_asyncpg_are_asyncpgs() -> None:
    """Numbers are compared with asyncpg's own, but for the sizes, which are ours."""  # C2
    listed = keys("asyncpg", "Key")
    known = {**inspect.signature(asyncpg.connect).parameters, **inspect.signature(asyncpg.create_pool).parameters}
    for name, default in listed.items():
        if default[:1].isdigit() and name not in {"min_size", "max_size"}:
            assert float(default) == known[name].default, name
    config: Any = load_config("asyncpg")()
    assert (str(config.min_size), str(config.max_size)) == (listed["min_size"], listed["max_size"])


def test_the_pragmas_are_those_that_are_set() -> None:
    """Names and values, of a file."""
    listed = {name: value.partition("`")[0] for name, value in _pragmas().items()}
    assert listed == dict(SqliteConfig(pool_config={"database": "app.db"}).pragmas)


def _pragmas() -> dict[str, str]:
    return {row[0].strip("`"): row[1].strip("`") for row in table(PAGE, "Pragma", "sqlite and aiosqlite")}
