"""What asyncpg can't be told is an error of the config, and its target shows where it leads: C1 E5."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.exceptions import (
    ImproperConfigurationError,
)
from tests.support.postgres import asyncpg_config

if TYPE_CHECKING:
    pass


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ({"dsn": 5}, "'dsn' in pool_config of AsyncpgConfig is a text; not a value of type int"),
        ({"dsn": None}, "'dsn' in .*; not a value of type NoneType"),
        ({"dsn": "postgresql://h:x/db"}, "dsn can't be read"),
        ({"host": 5}, "'host' in .*; not a value of type int"),
        ({"host": []}, "'host' in .*; not a value of type list"),
        ({"port": "x"}, "'port' in .*; not a value of type str"),
        ({"port": 99999}, "'port' in .*; not 99999"),
        ({"database": 5}, "'database' in .*; not a value of type int"),
        ({"database": "postgresql://h/db"}, "'database' in .*; not a URL with the scheme 'postgresql'"),
        ({"ssl": "bogus"}, "'ssl' in .*'verify-full'.*; not a value of type str"),
        ({"server_settings": "x"}, "'server_settings' in .*; not a value of type str"),
        ({"server_settings": {"jit": 1}}, "'server_settings' in .*; not a value of type dict"),
        ({"target_session_attrs": "x"}, "'target_session_attrs' in .*'read-write'"),
        ({"init": 5}, "'init' in .* a function"),
        ({"timeout": "5"}, "'timeout' in .*; not a value of type str"),
    ],
)
def test_a_wrong_value_for_asyncpg_is_an_error_at_once(place: Any, told: str) -> None:
    """Before anything is opened."""  # C1
    with pytest.raises(ImproperConfigurationError, match=told):
        asyncpg_config(place)


async def test_what_only_the_driver_can_refuse_is_an_error_of_the_config() -> None:
    """Not a database that can't be reached."""  # C1
    for place in ({"dsn": "postgresql://127.0.0.1:1/x?sslmode=bogus"}, {"host": "a..b"}):
        config = asyncpg_config(place)
        with pytest.raises(ImproperConfigurationError, match="asyncpg refuses the pool_config of"):
            await config.open()


def test_the_defaults_of_the_driver_may_be_written() -> None:
    """None where that is asyncpg's own default; not for the place: an unset variable must not mean localhost."""  # C1
    unset = ("password", "passfile", "ssl", "server_settings", "command_timeout", "init", "setup", "connect", "reset")
    asyncpg_config(dict.fromkeys(unset))


@pytest.mark.parametrize(
    ("place", "target"),
    [
        ({"dsn": "postgresql://u@h1:5432,h2:5433/db"}, "postgresql://u@h1:5432,h2:5433/db"),
        ({"dsn": "postgresql://u@[::1]:5432,[::2]/db"}, "postgresql://u@[::1]:5432,[::2]/db"),
        ({"dsn": "postgresql://u:p@h/db?application_name=x", "host": "other"}, "postgresql://u@other/db"),
        ({"dsn": "postgresql://h1:1,h2:2/db", "port": 3}, "postgresql://h1:3,h2:3/db"),
        ({"dsn": "postgresql:///db?host=/tmp&port=7&user=me"}, "postgresql://me@/tmp:7/db"),
        ({"host": ["a", "b"], "port": [1, 2], "user": "me", "database": "x"}, "postgresql://me@a:1,b:2/x"),
        ({"host": "::1", "port": "5"}, "postgresql://[::1]:5/"),
        ({}, "postgresql://localhost/"),
    ],
)
def test_the_target_shows_every_host(place: Any, target: str) -> None:
    """Those that are meant, without password and options."""  # C1 E5
    assert asyncpg_config(place).target == target
