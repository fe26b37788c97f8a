"""SQLite files that can only be read."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sqlspec.exceptions import ConnectionFailedError, PermissionDeniedError, StatementTimeoutError
from tests.compliance.targets import BY_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from sqlspec.testing.compliance import Database

pytestmark = pytest.mark.parametrize("database", [BY_NAME["sqlite"], BY_NAME["aiosqlite"]], indirect=True, ids=str)


@pytest.mark.parametrize("option", ["mode=ro", "immutable=1", "cache=private&mode=ro"])
async def test_a_file_opened_for_reading_is_left_as_it_is(database: Database, tmp_path: Path, option: str) -> None:
    """It is no file in WAL mode, and can't be made one: it is read all the same."""  # C1
    path = tmp_path / "archive.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript("CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (7)")
    before = path.read_bytes()
    config = database.new_config({"database": f"file:{path}?{option}"})
    async with database.session(config) as db:
        assert await db.select_value("SELECT id FROM t") == 7
        assert await db.select_value("PRAGMA journal_mode") == "delete"
        assert await db.select_value("PRAGMA foreign_keys") == 1
        with pytest.raises(PermissionDeniedError):
            await db.execute("INSERT INTO t VALUES (8)")
    assert path.read_bytes() == before


async def test_a_time_limit_holds_for_a_statement_that_waits_for_a_lock(database: Database, tmp_path: Path) -> None:
    """It does not wait for the lock as long as others may, and others may afterwards."""  # C3
    path = tmp_path / "locked.db"
    config = database.new_config({"database": path, "timeout": 20})
    async with database.session(config) as db:
        await db.execute("CREATE TABLE t (id INTEGER)")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE").close()
            started = time.monotonic()
            with pytest.raises(StatementTimeoutError, match=r"0\.2 s"):
                await db.execute("INSERT INTO t VALUES (1)", timeout=0.2)
            assert time.monotonic() - started < 10
            other.execute("ROLLBACK").close()
        assert await db.select_value("PRAGMA busy_timeout") == 20_000
        assert await db.select_value("SELECT count(*) FROM t", timeout=5) == 0


async def test_pragmas_end_with_their_session(database: Database) -> None:
    """Foreign keys are on again for the next user, and he may write."""  # F1 S15
    config = database.new_config({"max_size": 1})
    async with database.session(config) as db:
        await db.execute("PRAGMA foreign_keys = OFF")
        await db.execute("PRAGMA query_only = ON")
    async with database.session(config) as db:
        assert await db.select_value("PRAGMA foreign_keys") == 1
        await db.execute("CREATE TABLE writable (id INTEGER)")


async def test_writing_where_only_reading_is_allowed(database: Database) -> None:
    """A PermissionDeniedError."""  # E2
    await database.run("CREATE TABLE kept (id INTEGER)")
    config = database.new_config({"pragmas": {"query_only": True}})
    async with database.session(config) as db:
        with pytest.raises(PermissionDeniedError):
            await db.execute("DELETE FROM kept")


async def test_a_database_that_is_none(database: Database, tmp_path: Path) -> None:
    """A folder that does not exist and a file that is no database: ConnectionFailedError, again and again."""  # E2
    (tmp_path / "text.db").write_text("this is no database, whatever its name says " * 100)
    for name in ("missing/x.db", "text.db"):
        config = database.new_config({"database": str(tmp_path / name), "max_size": 1})
        for _ in range(3):
            with pytest.raises(ConnectionFailedError, match=name):
                async with database.session(config) as db:
                    await db.select_value("SELECT count(*) FROM sqlite_master")
