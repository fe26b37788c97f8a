"""Secrets are shown nowhere: E4 E5."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec import SQLSpec
from sqlspec.exceptions import (
    SQLSpecError,
    UndefinedTableError,
)
from tests.support.postgres import SECRET, assert_shows_no_secret, asyncpg_config

if TYPE_CHECKING:
    from sqlspec.testing.compliance import Database


@pytest.mark.parametrize(
    ("place", "secret"),
    [
        ({"password": SECRET}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"dsn": "postgresql://someone:p%40ss%2Fword@127.0.0.1:1/x"}, "p@ss/word"),
        ({"dsn": "postgresql://someone:p%40ss%2Fword@127.0.0.1:1/x"}, "p%40ss%2Fword"),
        ({"dsn": f"postgresql://someone@127.0.0.1:1/x?password={SECRET}"}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:notaport/x"}, SECRET),
        ({"dsn": f"postgres//someone:{SECRET}@127.0.0.1/x"}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:1/x", "min_size": 5, "max_size": 2}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:1/x", "statement_cache_size": -1}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:1/x", "sslmode": SECRET}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:1/x", "ssl": SECRET}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:1/x", "max_queries": -1}, SECRET),
        ({"dsn": f"postgresql://someone:[{SECRET}]@127.0.0.1:1/x"}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}\u2100@127.0.0.1:1/x"}, SECRET),
        ({"dsn": f"postgresql://someone:[{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"dsn": f"postgresql://someone:a@{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"dsn": f"postgresql://someone:1/{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"dsn": f"postgresql://someone:1?{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"dsn": f"postgresql://someone@127.0.0.1:1/x?application_name=a&sslpassword={SECRET}"}, SECRET),
        ({"dsn": f"host=127.0.0.1 password={SECRET}"}, SECRET),
        ({"host": f"postgresql://someone:{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"host": ["127.0.0.1", f"postgresql://someone:{SECRET}@127.0.0.1:1/x"]}, SECRET),
        ({"host": f"someone:{SECRET}@127.0.0.1"}, SECRET),
        ({"database": f"postgresql://someone:{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"user": f"postgresql://someone:{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"server_settings": SECRET}, SECRET),
        ({"password": [SECRET]}, SECRET),
    ],
)
async def test_a_secret_is_shown_nowhere(place: Any, secret: str, caplog: pytest.LogCaptureFixture) -> None:
    """Not in a repr of the config, its pool's holder or a session; not in a log record; not in an error."""  # E5
    caplog.set_level(logging.DEBUG)
    spec = SQLSpec()
    try:
        config = spec.add_config(asyncpg_config({"host": "127.0.0.1", "port": 1, **place}))
        shown = f"{config!r} {spec!r} {config.target} {config.create_session()!r} {config.connections!r}"
        assert secret not in shown
        async with spec.provide_session(config) as db:
            await db.select_value("SELECT 1")
    except SQLSpecError as error:
        assert_shows_no_secret(error, secret)
    else:
        pytest.fail("nobody listens on port 1")
    await spec.close_all_pools()
    assert secret not in caplog.text
    assert all(secret not in str(record.__dict__) for record in caplog.records)


async def test_a_password_that_is_a_word_mangles_no_statement_error(database: Database) -> None:
    """Only what is said about connecting is searched for secrets."""  # E4
    secret = {"password": "e"} if database.adapter.name == "asyncpg" else {}
    config = database.new_config(secret)
    async with database.session(config) as db:
        with pytest.raises(UndefinedTableError) as failed:
            await db.select("SELECT 1 FROM nowhere_e WHERE 'e' = 'e'")
    assert "nowhere_e" in str(failed.value)
    assert "***" not in str(failed.value)
