"""GENERATED from tests/_async/test_handles.py by tools/unasync.py: do not edit. The connection handle of a session and its DB-API cursors: W6, S4 S14."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec._sync.handle import SyncConnectionHandle
from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import ProgrammingError, SessionClosedError, TransactionError, UniqueViolationError
from tests.support.configs import SyncSqlite, SyncSqliteDriver

INSERT = "INSERT INTO items VALUES (?, ?)"
COUNT = "SELECT count(*) FROM items"


@pytest.fixture
def conn(db: SyncSqliteDriver) -> SyncConnectionHandle:
    return SyncConnectionHandle(db)


def test_the_drivers_own_object(db: SyncSqliteDriver, conn: SyncConnectionHandle, config: SyncSqlite) -> None:
    """It is acquired when it is asked for, and is what the session uses."""  # W6
    assert conn.raw is None
    assert config.connections.holders == []
    own = conn.acquire()
    assert conn.raw is own
    assert config.connections.holders[0].connection is own
    assert conn.acquire() is own
    assert db.select_value(COUNT) == 0


def test_methods_of_the_driver_and_of_the_session_know_of_each_other(
    db: SyncSqliteDriver, conn: SyncConnectionHandle, config: SyncSqlite
) -> None:
    """BEGIN by the driver is a transaction of the session, and the other way round."""  # W6 S4
    conn.execute("BEGIN")
    with pytest.raises(TransactionError):
        db.begin()
    db.execute(INSERT, 1, "a")
    conn.rollback()
    assert db.select_value(COUNT) == 0
    db.begin()
    conn.execute("INSERT INTO items VALUES (2, 'b')")
    conn.commit()
    with conn.transaction():
        conn.execute("INSERT INTO items VALUES (3, 'c')")
    db.rollback()
    with config.provide_session() as other:
        assert other.select_value(COUNT) == 2


def test_the_drivers_exceptions_are_the_drivers(db: SyncSqliteDriver, conn: SyncConnectionHandle) -> None:
    """Whoever calls the driver gets the driver's; the session works on."""  # W6
    with pytest.raises(Exception, match="nowhere") as failed:
        conn.execute("SELECT * FROM nowhere")
    assert type(failed.value).__module__ == "sqlite3"
    with pytest.raises(AttributeError):
        conn.no_such_method()
    assert not hasattr(conn, "_private")
    assert db.select_value(COUNT) == 0


def test_a_cursor(conn: SyncConnectionHandle) -> None:
    """PEP 249: execute, executemany, fetch*, iteration, description, rowcount, lastrowid."""  # W6
    cursor = conn.cursor()
    assert cursor.acquire() is cursor
    cursor.execute(INSERT, (1, "a"))
    assert (cursor.rowcount, cursor.lastrowid, cursor.description) == (1, 1, None)
    cursor.executemany(INSERT, [(n, "x") for n in range(2, 8)])
    assert cursor.rowcount == 6
    cursor.execute("SELECT id, name FROM items WHERE id > :least ORDER BY id", {"least": 0})
    assert [column[0] for column in cursor.description or ()] == ["id", "name"]
    assert cursor.fetchone() == (1, "a")
    assert cursor.fetchmany() == [(2, "x")]
    assert cursor.fetchmany(2) == [(3, "x"), (4, "x")]
    rows: list[Any] = []
    for row in cursor:
        rows.append(row)
        break
    assert rows == [(5, "x")]
    assert cursor.fetchall() == [(6, "x"), (7, "x")]
    assert cursor.fetchone() is None
    assert cursor.fetchall() == []
    cursor.execute("SELECT id FROM items WHERE id > 100")
    assert cursor.fetchall() == []
    assert cursor.rowcount == 0


def test_a_cursor_without_rows_says_so(conn: SyncConnectionHandle) -> None:
    """Before execute(), after a statement without rows, after close()."""  # W6
    with conn.cursor() as cursor:
        with pytest.raises(ProgrammingError, match="no rows to fetch"):
            cursor.fetchone()
        cursor.execute(INSERT, (1, "a"))
        with pytest.raises(ProgrammingError, match="no rows to fetch"):
            cursor.fetchall()
        cursor.execute("SELECT 1")
    with pytest.raises(ProgrammingError):
        cursor.fetchone()


def test_a_cursor_is_part_of_the_sessions_transaction(db: SyncSqliteDriver, conn: SyncConnectionHandle) -> None:
    """Its statements are the session's, and its errors ours."""  # W6
    db.begin()
    cursor = conn.cursor()
    cursor.execute(INSERT, (1, "a"))
    with pytest.raises(UniqueViolationError):
        cursor.execute(INSERT, (1, "b"))
    conn.rollback()
    assert db.select_value(COUNT) == 0


def test_a_handle_of_a_request_begins_its_transaction(config: SyncSqlite) -> None:
    """The driver's own methods run in the transaction that the request begins by itself."""  # W6 W9
    session = config.create_session(implicit=BeginOptions())
    conn = SyncConnectionHandle(session)
    conn.execute("INSERT INTO items VALUES (1, 'a')")
    session.settle(commit=False, reason="done")
    session.start_body()
    with pytest.raises(TransactionError, match="provide_connection"):
        conn.execute("INSERT INTO items VALUES (2, 'b')")
    session.close()
    with pytest.raises(SessionClosedError):
        conn.execute("SELECT 1")
    with config.provide_session() as other:
        assert other.select_value(COUNT) == 0
