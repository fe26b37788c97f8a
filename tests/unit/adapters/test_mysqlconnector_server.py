"""What mysql.connector alone needs seen on a real server: values in texts, what its cursors leave, forks."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.adapters import load_config
from sqlspec.testing.compliance.bridge import AwaitableScope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NASTY = ["\\", "\\'", "'", "it's \\\\' OR 1=1 -- ", '\0\x1a\n\r"%s %% ?', "é\U0001f418", ""]


@pytest.fixture(params=["mysqlconnector", "mysqlconnector_sync"])
async def config(request: pytest.FixtureRequest, mariadb_dsn: str) -> AsyncIterator[Any]:
    """Of either colour, with one connection."""
    config = load_config(request.param)(pool_config={"dsn": mariadb_dsn, "max_size": 1}, acquire_timeout=5)
    yield config
    closing = config.close()
    if closing is not None:
        await closing


def session(config: Any) -> Any:
    return AwaitableScope(config.provide_session()) if config.adapter.endswith("sync") else config.provide_session()


async def test_values_stay_values_in_every_mode(config: Any) -> None:
    """The server's last answer says what a backslash means; the driver asks once, and believes it for ever."""  # P5
    async with session(config) as db:
        for mode in ("", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"):
            await db.execute(f"SET sql_mode = '{mode}'")
            for value in NASTY:
                assert await db.select_value("SELECT ?", value) == value
                assert await db.select_value("SELECT ?", value.encode()) == value.encode()


async def test_only_placeholders_are_rewritten(config: Any) -> None:
    """Not what looks like one in strings, names and comments; with values, without, and with an empty list."""  # P3 P4
    text = "SELECT '100%' a, '%s' b, '%%' c, 5%3 d, 1 AS `%s` /* %s ? :x */ FROM (SELECT 1 AS one) t WHERE {} -- %s ?"
    row = {"a": "100%", "b": "%s", "c": "%%", "d": 2, "%s": 1}
    async with session(config) as db:
        assert await db.select(text.format("1 = 1")) == [row]
        assert await db.select(text.format("one = ?"), 1) == [row]
        assert await db.select(text.format("one NOT IN (:ids)"), {"ids": []}) == [row]


async def test_what_a_raw_cursor_left_is_nobodys(config: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Its connection is closed: the next user gets one without a stranger's rows."""  # S5 F1
    async with session(config) as db:
        first = await db.select_value("SELECT CONNECTION_ID()")
    if config.adapter.endswith("sync"):
        with config.provide_connection() as connection:
            connection.cursor().execute("SELECT 1 UNION SELECT 2")
    else:
        async with config.provide_connection() as connection:
            await (await connection.cursor()).execute("SELECT 1 UNION SELECT 2")
    async with session(config) as db:
        assert await db.select_value("SELECT 3") == 3
        assert await db.select_value("SELECT CONNECTION_ID()") != first
    assert "left rows behind" in caplog.text


async def test_large_rows_and_values_pass(config: Any) -> None:
    """Packets end at 16 MB: rows go on in the next."""  # P5
    async with session(config) as db:
        row = await db.select_one("SELECT REPEAT('x', 9000000) AS a, REPEAT('y', 9000000) AS b, 7 AS c")
        assert (len(row["a"]), len(row["b"]), row["c"]) == (9_000_000, 9_000_000, 7)
        value = bytes(range(256)) * 4096
        assert await db.select_value("SELECT ?", value) == value


FORK = """
import gc, os, sys
from sqlspec.adapters import load_config
config = load_config("mysqlconnector_sync")(pool_config={"dsn": sys.argv[1], "max_size": 1})
with config.provide_session() as db:
    first = db.select_value("SELECT CONNECTION_ID()")
if not (child := os.fork()):
    del config, db
    gc.collect()
    os._exit(0)
os.waitpid(child, 0)
with config.provide_session() as db:
    assert db.select_value("SELECT CONNECTION_ID()") == first
config.close()
"""


def test_a_forked_process_that_forgets_the_pool_does_not_cut_it(mariadb_dsn: str) -> None:
    """The driver shuts a socket down that is collected: its parent's, too."""  # X2
    subprocess.run([sys.executable, "-c", FORK, mariadb_dsn], check=True, timeout=30)
