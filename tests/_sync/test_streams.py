"""GENERATED from tests/_async/test_streams.py by tools/unasync.py: do not edit. Streams and what ends them: S8 S14, W16, R4. What drivers do differently is in the compliance suite."""

from __future__ import annotations

import pytest

from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import MappingError, SessionClosedError
from tests.support.configs import SyncSqlite, SyncSqliteDriver

ALL = "SELECT id FROM items ORDER BY id"


@pytest.fixture
def five(config: SyncSqlite) -> None:
    """Rows 0 to 4."""
    with config.provide_session() as db:
        db.execute_many("INSERT INTO items VALUES (?, ?)", [(n, "x") for n in range(5)])


@pytest.mark.usefixtures("five")
def test_a_stream_after_its_sessions_end_says_why(config: SyncSqlite) -> None:
    """The reason of the session is that of its streams."""  # S8
    db = config.create_session()
    with db.select_stream(ALL, schema_type=int, chunk_size=2) as rows:
        for _ in rows:
            break
        db.close("the shop is shut")
        with pytest.raises(SessionClosedError, match="This stream is closed: the shop is shut"):
            [row for row in rows]
    assert config.connections.holders == []


@pytest.mark.usefixtures("five")
def test_a_stream_ends_with_the_rollback_of_its_transaction(db: SyncSqliteDriver) -> None:
    """Its next row says so."""  # S8
    db.begin()
    with db.select_stream(ALL, schema_type=int, chunk_size=2) as rows:
        for _ in rows:
            break
        db.rollback()
        with pytest.raises(SessionClosedError, match="rolled back"):
            [row for row in rows]
    db.execute("DROP TABLE items")


@pytest.mark.usefixtures("five")
def test_rows_that_were_fetched_before_are_not_given_after_the_end(config: SyncSqlite) -> None:
    """The very next row raises, also where the driver had handed over more of them."""  # W16
    db = config.create_session(implicit=BeginOptions())
    with db.select_stream(ALL, schema_type=int, chunk_size=5) as rows:
        for row in rows:
            assert row == 0
            break
        db.settle(commit=True, reason="open it inside the body")
        more: list[int] = []
        with pytest.raises(SessionClosedError, match="open it inside the body"):
            for row in rows:
                more.append(row)  # noqa: PERF401 (what came before the error counts)
        assert more == []
    db.close()


@pytest.mark.usefixtures("five")
def test_a_stream_that_came_to_its_end_gives_nothing_more(db: SyncSqliteDriver) -> None:
    """It ended well: that is no error, inside its block and after it."""  # S8
    with db.select_stream(ALL, schema_type=int, chunk_size=2) as rows:
        assert [row for row in rows] == [0, 1, 2, 3, 4]
        assert [row for row in rows] == []
    assert [row for row in rows] == []


@pytest.mark.usefixtures("five")
def test_the_number_of_a_row_counts_all_chunks(db: SyncSqliteDriver) -> None:
    """The error names the row of the result, not of the chunk."""  # R4
    db.execute("UPDATE items SET name = NULL WHERE id = 3")
    seen: list[str] = []
    with pytest.raises(MappingError) as failed:
        with db.select_stream("SELECT name FROM items ORDER BY id", schema_type=str, chunk_size=2) as rows:
            for row in rows:
                seen.append(row)  # noqa: PERF401 (what came before the error counts)
    assert failed.value.row == 3
    assert seen == ["x", "x"]
