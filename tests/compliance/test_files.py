"""SQLite files that can only be read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sqlspec.exceptions import PermissionDeniedError
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
