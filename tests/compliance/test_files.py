"""SQLite files that can only be read."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sqlspec.exceptions import PermissionDeniedError, StatementTimeoutError
from tests.compliance.adapters import Database, where

if TYPE_CHECKING:
    from pathlib import Path


@where("file")
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


@where("file")
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
