"""What only DuckDB has: one database per config, transactions that can't be asked for, forks."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import textwrap
import threading
import time
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from sqlspec import exceptions as e
from sqlspec.adapters.duckdb import DuckDBConfig
from sqlspec.adapters.duckdb.opening import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlspec.adapters.duckdb import DuckDBDriver


@pytest.fixture
def config() -> Iterator[DuckDBConfig]:
    config = DuckDBConfig()
    yield config
    config.close()


@pytest.fixture
def db(config: DuckDBConfig) -> Iterator[DuckDBDriver]:
    with config.provide_session() as db:
        yield db


# The database


@pytest.mark.parametrize(
    ("named", "path"),
    [
        (":memory:", ":memory:"),
        ("duckdb://", ":memory:"),
        ("duckdb:///:memory:", ":memory:"),
        ("duckdb://:memory:", ":memory:"),
        ("x.db", "x.db"),
        ("duckdb:///x.db", "x.db"),
        ("duckdb:////tmp/a%20b.db", "/tmp/a b.db"),
        ("duckdb:x.db", "x.db"),
    ],
)
def test_paths_and_urls(named: str, path: str) -> None:
    """A path, or a URL of one."""  # C1
    assert path_of(named) == path


@pytest.mark.parametrize("named", ["postgresql://u:geheim@h/d", "duckdb://host/x.db", "", "s3://geheim/x.db"])
def test_what_names_no_database(named: str) -> None:
    """An error that does not show it."""  # C1 E5
    with pytest.raises(e.ImproperConfigurationError) as failed:
        DuckDBConfig(pool_config={"database": named})
    assert "geheim" not in str(failed.value)


@pytest.mark.parametrize(
    "options",
    [
        {"read_only": True},
        {"databse": "x"},
        {"pool_size": 1, "max_size": 1},
        {"config": 1},
        {"read_only": "yes"},
        {"min_size": -1},
    ],
)
def test_options_that_are_none(options: Any) -> None:
    """Unknown keys, an alias beside its original, other kinds of values."""  # C1
    with pytest.raises(e.ImproperConfigurationError):
        DuckDBConfig(pool_config=options)


def test_a_database_in_memory_is_one_per_config_until_its_pool_is_closed(config: DuckDBConfig) -> None:
    """All sessions share it, no other config does; a session that is still open keeps it for itself."""  # S12 S16
    other = DuckDBConfig()
    with config.provide_session() as first, config.provide_session() as second, other.provide_session() as stranger:
        first.execute("CREATE TABLE t (i INTEGER)")
        assert second.select_value("SELECT count(*) FROM t") == 0
        with pytest.raises(e.UndefinedTableError):
            stranger.execute("SELECT * FROM t")
        config.close()
        assert first.select_value("SELECT count(*) FROM t") == 0
        with config.provide_session() as again, pytest.raises(e.UndefinedTableError):
            again.execute("SELECT * FROM t")
    other.close()


def test_a_file_opened_with_other_settings_is_a_clear_error(tmp_path: Path) -> None:
    """One process opens a file with one set of them. Several configs that agree share it."""  # E2
    path = tmp_path / "x.db"
    first, same = (DuckDBConfig(pool_config={"database": path}) for _ in range(2))
    other = DuckDBConfig(pool_config={"database": path, "config": {"threads": 1}})
    with first.provide_session() as db:
        db.execute("CREATE TABLE t (i INTEGER)")
        with same.provide_session() as shared:
            assert shared.select_value("SELECT count(*) FROM t") == 0
        refusal = pytest.raises(e.ConnectionFailedError, match=r"x\.db: Can't open .* different configuration")
        with refusal, other.provide_session() as refused:
            refused.select_value("SELECT 1")
    for each in (first, same):
        each.close()
    with other.provide_session() as db:
        assert db.select_value("SELECT current_setting('threads')") == 1
    other.close()


def test_a_file_of_another_process_is_locked(tmp_path: Path) -> None:
    """DuckDB writes a file from one process only."""  # E2
    path = tmp_path / "x.db"
    config = DuckDBConfig(pool_config={"database": path})
    with duckdb.connect(path):
        script = f"""
            from sqlspec.adapters.duckdb import DuckDBConfig
            from sqlspec.exceptions import ConnectionFailedError
            config = DuckDBConfig(pool_config={{"database": {str(path)!r}}})
            try:
                with config.provide_session() as db:
                    db.select_value("SELECT 1")
            except ConnectionFailedError as error:
                print("lock" in str(error))
        """
        assert _run(script) == "True\n"
    config.close()


def test_a_file_that_is_only_read(tmp_path: Path) -> None:
    """Writing is a PermissionDeniedError; a file that does not exist is not made."""  # E2
    path = tmp_path / "x.db"
    config = DuckDBConfig(pool_config={"database": path, "read_only": True})
    for _ in range(2):
        with pytest.raises(e.ConnectionFailedError, match=r"x\.db"), config.provide_session() as db:
            db.select_value("SELECT 1")
    with duckdb.connect(path) as raw:
        raw.execute("CREATE TABLE t (i INTEGER)")
    with config.provide_session() as db:
        with pytest.raises(e.PermissionDeniedError):
            db.execute("INSERT INTO t VALUES (1)")
        assert db.select_value("SELECT count(*) FROM t") == 0
    config.close()


def test_settings(tmp_path: Path) -> None:
    """Those of the database, and the time zone, which is UTC unless it is named."""
    for zone, hours in ((None, 0), ("Asia/Tokyo", 9)):
        settings: dict[str, Any] = {"threads": 2} | ({"timezone": zone} if zone else {})
        config = DuckDBConfig(pool_config={"config": settings})
        with config.provide_session() as db:
            assert db.select_value("SELECT current_setting('threads')") == 2
            found = db.select_value("SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00'")
            assert found == dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
            assert found.utcoffset() == dt.timedelta(hours=hours)
        config.close()
    config = DuckDBConfig(pool_config={"config": {"nope": 1}})
    with pytest.raises(e.ConnectionFailedError, match="nope"), config.provide_session() as db:
        db.select_value("SELECT 1")


def test_a_database_that_broke_is_opened_anew(tmp_path: Path) -> None:
    """A fatal fault closes it for all who have it open; their connections are lost, and the next ones work."""  # F2
    config = DuckDBConfig(pool_config={"database": tmp_path / "x.db"})
    with config.provide_session() as db, config.provide_session() as other:
        db.execute("CREATE TABLE t AS SELECT 1 AS i")
        assert other.select_value("SELECT i FROM t") == 1
        db.execute("SET debug_checkpoint_abort = 'before_header'")
        with pytest.raises(e.ConnectionLostError):
            db.execute("CHECKPOINT")
        with pytest.raises(e.ConnectionLostError):
            other.select_value("SELECT i FROM t")
        assert other.select_value("SELECT i FROM t") == 1
    config.close()


# Connections


@pytest.mark.parametrize(
    ("change", "look"),
    [
        ("SET TimeZone = 'Asia/Tokyo'", "SELECT current_setting('TimeZone') = 'UTC'"),
        ("SET VARIABLE x = 1", "SELECT getvariable('x') IS NULL"),
        ("USE other", "SELECT current_schema() = 'main'"),
        ("CREATE TEMP TABLE mine (i INTEGER)", "SELECT count(*) = 0 FROM duckdb_tables() WHERE table_name = 'mine'"),
        ("PREPARE p AS SELECT 1", "SELECT count(*) = 0 FROM duckdb_prepared_statements()"),
    ],
)
def test_what_a_session_changed_is_not_met_by_the_next(change: str, look: str) -> None:
    """One connection at most, so the next session would get the same one."""  # S15
    config = DuckDBConfig(pool_config={"max_size": 1})
    with config.provide_session() as db:
        db.execute("CREATE SCHEMA other")
        db.execute(change)
    with config.provide_session() as db:
        assert db.select_value(look) is True
    config.close()


def test_a_connection_that_nobody_changed_is_kept(config: DuckDBConfig) -> None:
    """And one whose driver's own connection somebody had is not."""  # S5 S15
    numbers: list[int] = []
    for changes in (False, True, False):
        with config.provide_session() as db:
            numbers.append(db.select_value("SELECT current_connection_id()"))
            if changes:
                raw: Any = db.acquire_connection()
                raw.execute("BEGIN")
                raw.execute("CREATE TABLE t (i INTEGER)")
    assert numbers[0] == numbers[1] != numbers[2]
    with config.provide_connection() as connection:
        assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE t (i INTEGER)")
    with config.provide_session() as db:
        assert db.select_value("SELECT count(*) FROM duckdb_tables()") == 0


def test_from_reads_no_python_variables(db: DuckDBDriver) -> None:
    """Not even those of our own frames."""  # E2
    for name in ("sql", "args", "plan", "rows", "connection"):
        with pytest.raises(e.UndefinedTableError):
            db.execute(f"SELECT * FROM {name}")


def test_sessions_in_threads(config: DuckDBConfig) -> None:
    """They share plans and the parsed statements in them."""  # X2
    with config.provide_session() as db:
        db.execute("CREATE TABLE t AS SELECT i FROM range(1000) r(i)")
    wrong: list[Any] = []

    def work(first: int) -> None:
        with config.provide_session() as db:
            for number in range(first, 1000, 4):
                found = db.select_value("SELECT i FROM t WHERE i = ?", number)
                if found != number:
                    wrong.append((number, found))

    threads = [threading.Thread(target=work, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# Transactions


def test_two_writers_of_one_row_conflict(config: DuckDBConfig) -> None:
    """The second one fails at once; its transaction is aborted and saves nothing."""  # E2 S6
    with config.provide_session() as first, config.provide_session() as second:
        first.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)")
        first.execute("INSERT INTO t VALUES (1, 0)")
        first.begin()
        second.begin()
        second.execute("INSERT INTO t VALUES (2, 0)")
        first.execute("UPDATE t SET n = 1")
        with pytest.raises(e.SerializationError):
            second.execute("UPDATE t SET n = 2 WHERE id = 1")
        first.commit()
        with pytest.raises(e.TransactionAbortedError):
            second.commit()
        assert second.select("SELECT * FROM t", schema_type=tuple) == [(1, 1)]


def test_one_key_of_two_writers_is_found_at_commit(config: DuckDBConfig) -> None:
    """A UniqueViolationError by COMMIT, after which nothing is open."""  # E2 S6
    with config.provide_session() as first, config.provide_session() as second:
        first.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
        for db in (first, second):
            db.begin()
            db.execute("INSERT INTO t VALUES (4711)")
        first.commit()
        with pytest.raises(e.UniqueViolationError) as failed:
            second.commit()
        assert "4711" not in str(failed.value)
        second.begin()
        second.rollback()


@pytest.mark.parametrize("statement", ["SELEC", "SELECT nope", "SELECT 1 / 'x'", "BEGIN"])
def test_any_error_aborts_the_transaction(config: DuckDBConfig, statement: str) -> None:
    """The parser's too; and COMMIT knows although the failure was behind our back."""  # S6
    with config.provide_session() as db:
        db.execute("CREATE TABLE t (i INTEGER)")
        db.begin()
        db.execute("INSERT INTO t VALUES (1)")
        raw: Any = db.acquire_connection()
        with pytest.raises(duckdb.Error):
            raw.execute(statement).fetchall()
        with pytest.raises(e.TransactionAbortedError):
            db.commit()
        assert db.select_value("SELECT count(*) FROM t") == 0
        db.execute("INSERT INTO t VALUES (2)")
    with config.provide_session() as db:
        assert db.select_value("SELECT count(*) FROM t") == 1


@pytest.mark.parametrize("value", [object(), 2**200, "\ud800", memoryview(b"abcdef")[::2]])
def test_what_the_driver_refuses_aborts_nothing(db: DuckDBDriver, value: object) -> None:
    """Nothing was sent."""  # E2 S14
    db.execute("CREATE TABLE t (i INTEGER)")
    db.begin()
    db.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(e.DataError):
        db.execute("SELECT ?", (value,))
    db.commit()
    assert db.select_value("SELECT count(*) FROM t") == 1


def test_rows_left_unread_do_not_spoil_the_transaction(db: DuckDBDriver) -> None:
    """DuckDB's own way to leave them dooms it when the statement has written: nextval()."""  # S6
    db.execute("CREATE SEQUENCE s")
    db.execute("CREATE TABLE t (i INTEGER)")
    db.begin()
    db.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(e.MultipleResultsFoundError):
        db.select_one("SELECT nextval('s') FROM range(100000)")
    with db.select_stream("SELECT nextval('s') FROM range(100000)") as rows:
        next(iter(rows))
    db.commit()
    assert db.select_value("SELECT count(*) FROM t") == 1
    assert db.select_value("SELECT nextval('s')") == 200_001


def test_a_streamed_write_is_done_although_nobody_reads_it(db: DuckDBDriver) -> None:
    """Outside a transaction, too."""  # P7
    db.execute("CREATE TABLE t (i INTEGER)")
    with db.select_stream("INSERT INTO t SELECT * FROM range(100000) RETURNING i", chunk_size=1) as rows:
        next(iter(rows))
    assert db.select_value("SELECT count(*) FROM t") == 100_000


def test_a_time_limit_stops_the_statement(db: DuckDBDriver) -> None:
    """While it computes its first rows, its last ones, and in a stream."""  # C3
    db.execute("CREATE TABLE t (i INTEGER)")
    slow = "SELECT count(*) FROM range(10000000) a(i), range(10000000) b(j) WHERE (i * j) % 7 = 3"
    for _ in range(2):
        started = time.monotonic()
        with pytest.raises(e.StatementTimeoutError):
            db.execute(slow, timeout=0.1)
        assert time.monotonic() - started < 5
    with pytest.raises(e.StatementTimeoutError):
        db.execute("INSERT INTO t SELECT 1 FROM range(100000000000)", timeout=0.1)
    assert db.select_value("SELECT count(*) FROM t") == 0


# Processes


def _run(script: str, *args: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(script), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_adapter_opens_nothing() -> None:
    """DuckDB's package opens a database of its own when it is asked for a type, and starts threads."""
    script = """
        import os
        import sqlspec.adapters.duckdb
        print(len(os.listdir("/proc/self/task")))
    """
    if os.path.exists("/proc/self/task"):
        assert _run(script) == "1\n"


def test_a_forked_process_leaves_its_parents_database_alone(tmp_path: Path) -> None:
    """It may not open the file, does not touch it when it ends, and makes a database in memory of its own."""  # X2
    script = """
        import os, sys
        from pathlib import Path
        from sqlspec.adapters.duckdb import DuckDBConfig
        from sqlspec.exceptions import ConnectionFailedError

        file, memory = DuckDBConfig(pool_config={"database": sys.argv[1]}), DuckDBConfig()
        for config in (file, memory):
            with config.provide_session() as db:
                db.execute("CREATE TABLE t (i INTEGER)")
        before = [path.read_bytes() for path in sorted(Path(sys.argv[1]).parent.iterdir())]
        child = os.fork()
        if child == 0:
            try:
                with file.provide_session() as db:
                    db.execute("INSERT INTO t VALUES (1)")
            except ConnectionFailedError as error:
                assert "forked" in str(error)
            else:
                os._exit(1)
            with memory.provide_session() as db:
                db.execute("CREATE TABLE t AS SELECT * FROM range(1000000)")
            memory.close()
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert before == [path.read_bytes() for path in sorted(Path(sys.argv[1]).parent.iterdir())]
        for config in (file, memory):
            with config.provide_session() as db:
                db.execute("INSERT INTO t VALUES (1)")
                assert db.select_value("SELECT count(*) FROM t") == 1
            config.close()
        print("well")
    """
    assert _run(script, str(tmp_path / "x.db")) == "well\n"
