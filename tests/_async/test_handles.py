"""The connection handle of a session and its DB-API cursors: W6, S4 S14."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec._async.handle import AsyncConnectionHandle
from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import ProgrammingError, SessionClosedError, TransactionError, UniqueViolationError
from tests.support.configs import AsyncSqlite, AsyncSqliteDriver

INSERT = "INSERT INTO items VALUES (?, ?)"
COUNT = "SELECT count(*) FROM items"


@pytest.fixture
def conn(db: AsyncSqliteDriver) -> AsyncConnectionHandle:
    return AsyncConnectionHandle(db)


async def test_the_drivers_own_object(db: AsyncSqliteDriver, conn: AsyncConnectionHandle, config: AsyncSqlite) -> None:
    """It is acquired when it is asked for, and is what the session uses."""  # W6
    assert conn.raw is None
    assert config.connections.holders == []
    own = await conn.acquire()
    assert conn.raw is own
    assert config.connections.holders[0].connection is own
    assert await conn.acquire() is own
    assert await db.select_value(COUNT) == 0


async def test_methods_of_the_driver_and_of_the_session_know_of_each_other(
    db: AsyncSqliteDriver, conn: AsyncConnectionHandle, config: AsyncSqlite
) -> None:
    """BEGIN by the driver is a transaction of the session, and the other way round."""  # W6 S4
    await conn.execute("BEGIN")
    with pytest.raises(TransactionError):
        await db.begin()
    await db.execute(INSERT, 1, "a")
    await conn.rollback()
    assert await db.select_value(COUNT) == 0
    await db.begin()
    await conn.execute("INSERT INTO items VALUES (2, 'b')")
    await conn.commit()
    async with conn.transaction():
        await conn.execute("INSERT INTO items VALUES (3, 'c')")
    await db.rollback()
    async with config.provide_session() as other:
        assert await other.select_value(COUNT) == 2


async def test_the_drivers_exceptions_are_the_drivers(db: AsyncSqliteDriver, conn: AsyncConnectionHandle) -> None:
    """Whoever calls the driver gets the driver's; the session works on."""  # W6
    with pytest.raises(Exception, match="nowhere") as failed:
        await conn.execute("SELECT * FROM nowhere")
    assert type(failed.value).__module__ == "sqlite3"
    with pytest.raises(AttributeError):
        await conn.no_such_method()
    assert not hasattr(conn, "_private")
    assert await db.select_value(COUNT) == 0


async def test_a_cursor(conn: AsyncConnectionHandle) -> None:
    """PEP 249: execute, executemany, fetch*, iteration, description, rowcount, lastrowid."""  # W6
    cursor = conn.cursor()
    assert await cursor.acquire() is cursor
    await cursor.execute(INSERT, (1, "a"))
    assert (cursor.rowcount, cursor.lastrowid, cursor.description) == (1, 1, None)
    await cursor.executemany(INSERT, [(n, "x") for n in range(2, 8)])
    assert cursor.rowcount == 6
    await cursor.execute("SELECT id, name FROM items WHERE id > :least ORDER BY id", {"least": 0})
    assert [column[0] for column in cursor.description or ()] == ["id", "name"]
    assert await cursor.fetchone() == (1, "a")
    assert await cursor.fetchmany() == [(2, "x")]
    assert await cursor.fetchmany(2) == [(3, "x"), (4, "x")]
    rows: list[Any] = []
    async for row in cursor:
        rows.append(row)
        break
    assert rows == [(5, "x")]
    assert await cursor.fetchall() == [(6, "x"), (7, "x")]
    assert await cursor.fetchone() is None
    assert await cursor.fetchall() == []
    await cursor.execute("SELECT id FROM items WHERE id > 100")
    assert await cursor.fetchall() == []
    assert cursor.rowcount == 0


async def test_a_cursor_without_rows_says_so(conn: AsyncConnectionHandle) -> None:
    """Before execute(), after a statement without rows, after close()."""  # W6
    async with conn.cursor() as cursor:
        with pytest.raises(ProgrammingError, match="no rows to fetch"):
            await cursor.fetchone()
        await cursor.execute(INSERT, (1, "a"))
        with pytest.raises(ProgrammingError, match="no rows to fetch"):
            await cursor.fetchall()
        await cursor.execute("SELECT 1")
    with pytest.raises(ProgrammingError):
        await cursor.fetchone()


async def test_a_cursor_is_part_of_the_sessions_transaction(db: AsyncSqliteDriver, conn: AsyncConnectionHandle) -> None:
    """Its statements are the session's, and its errors ours."""  # W6
    await db.begin()
    cursor = conn.cursor()
    await cursor.execute(INSERT, (1, "a"))
    with pytest.raises(UniqueViolationError):
        await cursor.execute(INSERT, (1, "b"))
    await conn.rollback()
    assert await db.select_value(COUNT) == 0


async def test_a_handle_of_a_request_begins_its_transaction(config: AsyncSqlite) -> None:
    """The driver's own methods run in the transaction that the request begins by itself."""  # W6 W9
    session = config.create_session(implicit=BeginOptions())
    conn = AsyncConnectionHandle(session)
    await conn.execute("INSERT INTO items VALUES (1, 'a')")
    await session.settle(commit=False, reason="done")
    session.start_body()
    with pytest.raises(TransactionError, match="provide_connection"):
        await conn.execute("INSERT INTO items VALUES (2, 'b')")
    await session.close()
    with pytest.raises(SessionClosedError):
        await conn.execute("SELECT 1")
    async with config.provide_session() as other:
        assert await other.select_value(COUNT) == 0
