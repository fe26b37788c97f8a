"""What psqlpy alone needs seen on a real server: values that it would spoil, statements that nobody stops, its ends."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from sqlspec.adapters.psqlpy import PsqlpyConfig, PsqlpyDriver
from sqlspec.adapters.psqlpy.driver import PIPELINE
from sqlspec.exceptions import DatabaseError, DataError, UndefinedTableError, UniqueViolationError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

U = UUID("12345678-1234-5678-1234-567812345678")


@pytest.fixture
async def config(postgres_dsn: str) -> AsyncIterator[PsqlpyConfig]:
    """With a name that the server knows it by, and a schema of its own."""
    name = f"test_{uuid4().hex[:12]}"
    config = PsqlpyConfig(
        pool_config={"dsn": postgres_dsn, "application_name": name, "options": f"-c search_path={name}", "max_size": 3}
    )
    async with config.provide_session() as db:
        await db.execute(f"CREATE SCHEMA {name}")
    yield config
    async with config.provide_session() as db:
        await db.execute(f"SET client_min_messages = error; DROP SCHEMA {name} CASCADE".split(";")[1])
    await config.close()


@pytest.fixture
async def db(config: PsqlpyConfig) -> AsyncIterator[PsqlpyDriver]:
    """A session."""
    async with config.provide_session() as db:
        yield db


# Values


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("numeric", Decimal("123456789012345678901234567890.123456789012345678901234567890")),
        ("numeric", Decimal("0.1234567890123456789012345678901")),
        ("numeric", Decimal("1E-30")),
        ("numeric[]", [Decimal("1.5"), None]),
        ("interval", dt.timedelta(days=400, microseconds=7)),
        ("inet", ipaddress.ip_interface("10.0.0.1/8")),
        ("char(3)", "abc"),
        ("uuid", U),
        ("text", str(U)),
        ("text", "sixteen letters!"),
        ("text[]", [str(U)]),
        ("uuid[]", [U, None]),
        ("int[]", [[1, None], [2, 3]]),
        ("bytea[]", [b"\0", b""]),
        ("jsonb", {"big": 2**70, "id": str(U)}),
        ("jsonb", [[1], [2]]),
        ("jsonb", str(U)),
        ("json", {"b": 1, "a": [None]}),
        ("bool", None),
    ],
)
async def test_what_psqlpy_would_spoil_comes_back_equal(db: PsqlpyDriver, kind: str, value: Any) -> None:
    """Also behind NULLs, and beside a column of the same name."""  # P5 R5
    statement = f"SELECT NULL::{kind} AS it UNION ALL SELECT CAST(? AS {kind})"
    assert await db.select(statement, (value,)) == [{"it": None}, {"it": value}]
    twice = f"SELECT ?::{kind} AS it, 5 AS other, 'x'::char(2) AS padded"
    assert await db.select(twice, (value,), schema_type=tuple) == [(value, 5, "x ")]


@pytest.mark.parametrize("value", [U, str(U), {"a": 1}, [1, 2], Decimal(1) / 3, dt.timedelta(days=500)])
async def test_columns_of_one_name(db: PsqlpyDriver, value: Any) -> None:
    """Bytes are had by name, values by place. What can't be told apart is an error."""  # R5
    kind = {UUID: "uuid", str: "text", dict: "jsonb", list: "int[]", Decimal: "numeric", dt.timedelta: "interval"}
    statement = f"SELECT 5 AS it, ?::{kind[type(value)]} AS it, 'x'::text AS \"It\", 7 AS it"
    assert await db.select(statement, (value,), schema_type=tuple) == [(5, value, "x", 7)]
    with pytest.raises(DataError, match="Cast it"):
        await db.select("SELECT 5 AS it, 'x'::char(2) AS it", schema_type=tuple)


async def test_numbers_of_any_kind_fit_numeric(db: PsqlpyDriver) -> None:
    """psqlpy sends an int in the format of int4."""  # P5
    await db.execute("CREATE TABLE prices (it numeric)")
    await db.execute_many("INSERT INTO prices VALUES (?)", [(5,), (2.5,), (Decimal("1E+3"),), (2**80,)])
    assert await db.select("SELECT it FROM prices ORDER BY 1", schema_type=Decimal) == [
        Decimal("2.5"),
        5,
        1000,
        2**80,
    ]


@pytest.mark.parametrize(
    "statement", ["SELECT int4range(1, 5) AS it", "SELECT '20000-01-01'::date AS it", "SELECT 'a'::tsvector AS it"]
)
async def test_what_can_not_be_read_is_a_data_error(db: PsqlpyDriver, statement: str) -> None:
    """It names the column, and the transaction goes on."""  # E2 E4
    async with db.transaction():
        with pytest.raises(DataError, match=r"column it .*Cast it"):
            await db.select(statement)
        assert await db.select_value("SELECT 1") == 1


async def test_what_can_not_be_sent_is_a_data_error(db: PsqlpyDriver) -> None:
    """It says how to write it; psqlpy would send other bytes, or end the connection."""  # E2 E4
    async with db.transaction():
        with pytest.raises(DataError, match=r"\$1::text::tsvector"):
            await db.execute("SELECT ?::tsvector", "geheim")
        with pytest.raises(DataError, match="the server wants text, got list"):
            await db.execute("SELECT ?::text", (["geheim"],))
        with pytest.raises(DataError, match="the server wants int8, got Decimal"):
            await db.execute("SELECT ?::bigint", Decimal("0.00"))
        assert await db.select_value("SELECT ?::text::tsvector::text", "a") == "'a'"


async def test_domains_and_enums(db: PsqlpyDriver) -> None:
    """A domain is written as what it is made of, an enum as a text."""  # P5
    await db.execute("CREATE DOMAIN positive AS integer CHECK (value > 0)")
    await db.execute("CREATE TYPE mood AS ENUM ('fine', 'sad')")
    await db.execute("CREATE TABLE kept (a positive, b mood, c mood[])")
    await db.execute("INSERT INTO kept VALUES (?, ?, ?)", 5, "sad", ["sad", "fine"])
    assert await db.select_one("SELECT a, b::text, c::text[] FROM kept") == {"a": 5, "b": "sad", "c": ["sad", "fine"]}
    with pytest.raises(DataError):
        await db.execute("INSERT INTO kept (b) VALUES (?)", "angry")


# Statements


async def test_prepared_statements_follow_the_tables(config: PsqlpyConfig) -> None:
    """Outside a transaction nobody notices; inside one it fails once. DEALLOCATE costs nothing either."""  # F5
    async with config.provide_session() as db, config.provide_session() as other:
        await db.execute("CREATE TABLE items (id integer)")
        await db.execute("INSERT INTO items VALUES (?)", 1)
        assert await db.select("SELECT * FROM items WHERE id = ?", 1) == [{"id": 1}]
        await other.execute("ALTER TABLE items ADD COLUMN name text DEFAULT 'x'")
        assert await db.select("SELECT * FROM items WHERE id = ?", 1) == [{"id": 1, "name": "x"}]
        await other.execute("ALTER TABLE items ALTER COLUMN name DROP DEFAULT, ALTER COLUMN name TYPE integer USING 5")
        await db.begin()
        with pytest.raises(DatabaseError, match="cached plan"):
            await db.select("SELECT * FROM items WHERE id = ?", 1)
        await db.rollback()
        async with db.transaction():
            assert await db.select("SELECT * FROM items WHERE id = ?", 1) == [{"id": 1, "name": 5}]
        await db.execute("DEALLOCATE ALL")
        assert await db.select("SELECT * FROM items WHERE id = ?", 1) == [{"id": 1, "name": 5}]


async def test_a_text_that_psqlpy_would_change_is_refused(db: PsqlpyDriver) -> None:
    """It would put $1 into the string."""  # P3
    for parameters in ((), (5,)):
        with pytest.raises(DataError, match="a placeholder of its own"):
            await db.select("SELECT '$(name)p'" + ", ?" * len(parameters), *parameters)
    await db.execute("CREATE TABLE kept (it text DEFAULT '$(name)p')")
    await db.execute("INSERT INTO kept DEFAULT VALUES")
    assert await db.select_value("SELECT it FROM kept") == "$(name)p"


async def test_a_connection_that_keeps_too_many_statements_is_replaced(
    config: PsqlpyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """psqlpy never forgets one."""  # S5
    monkeypatch.setattr("sqlspec.adapters.psqlpy.config.STATEMENTS_KEPT", 3)
    async with config.provide_session() as db:
        first = await db.select_value("SELECT pg_backend_pid()")
        for number in range(3):
            await db.select_value(f"SELECT {number}")
    async with config.provide_session() as db:
        assert await db.select_value("SELECT pg_backend_pid()") != first


@pytest.mark.parametrize("in_transaction", [False, True])
async def test_many_rows_are_all_or_nothing(db: PsqlpyDriver, in_transaction: bool) -> None:
    """psqlpy's own execute_many would commit a transaction that it does not know of."""  # P7
    await db.execute("CREATE TABLE items (id integer PRIMARY KEY)")
    rows = [(number,) for number in range(PIPELINE + 20)]
    if in_transaction:
        await db.begin()
        await db.execute_many("INSERT INTO items VALUES (?)", rows)
        assert await db.select_value("SELECT count(*) FROM items") == len(rows)
        await db.rollback()
        await db.begin()
    with pytest.raises(UniqueViolationError, match="items_pkey"):
        await db.execute_many("INSERT INTO items VALUES (?)", [*rows, (5,), *rows])
    await db.rollback()
    assert await db.select_value("SELECT count(*) FROM items") == 0


async def test_a_stream_of_what_no_cursor_can_give(db: PsqlpyDriver) -> None:
    """INSERT … RETURNING runs at once."""  # R3
    await db.execute("CREATE TABLE items (id integer)")
    async with db.select_stream("INSERT INTO items SELECT generate_series(1, 5) RETURNING id", chunk_size=2) as rows:
        assert [row["id"] async for row in rows] == [1, 2, 3, 4, 5]
    assert await db.select_value("SELECT count(*) FROM items") == 5


# Ends


async def test_what_is_cancelled_is_stopped_on_the_server(config: PsqlpyConfig) -> None:
    """An await that is cancelled tells psqlpy nothing, and psqlpy the server nothing."""  # F1
    async with config.provide_session() as db:
        pid = await db.select_value("SELECT pg_backend_pid()")
        task = asyncio.ensure_future(db.execute("SELECT pg_sleep(20)"))
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait((task,))
    async with config.provide_session() as db:
        for _ in range(100):
            state = await db.select_value_or_none("SELECT state FROM pg_stat_activity WHERE pid = ?", pid)
            if state != "active" or pid == await db.select_value("SELECT pg_backend_pid()"):
                return
            await asyncio.sleep(0.01)
    pytest.fail("it still runs")


async def test_twenty_cancellations(config: PsqlpyConfig) -> None:
    """Nobody reads another's row, and no transaction stays open."""  # F1
    wrong: list[object] = []

    async def work(number: int) -> None:
        async with config.provide_session() as db, db.transaction():
            await db.execute("INSERT INTO items VALUES (?)", number)
            found = await db.select_value("SELECT ?::int FROM pg_sleep(0.01)", number)
            wrong.extend([found] if found != number else [])
            await db.execute_many("INSERT INTO items VALUES (?)", [(number,)] * 50)

    async with config.provide_session() as db:
        await db.execute("CREATE TABLE items (id integer)")
    for number in range(20):
        tasks = [asyncio.create_task(work(number * 3 + each)) for each in range(3)]
        await asyncio.sleep(random.uniform(0, 0.03))
        tasks[0].cancel()
        await asyncio.wait(tasks)
        assert not any(task.exception() for task in tasks if not task.cancelled())
    assert wrong == []
    async with config.provide_session() as db:
        for _ in range(200):
            if not await db.select_value(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name')"
                " AND pid <> pg_backend_pid() AND state <> 'idle'"
            ):
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("a connection did not come to rest")
        assert {row["n"] for row in await db.select("SELECT count(*) AS n FROM items GROUP BY id")} == {51}


async def test_a_server_of_another_language_is_asked_for_english(config: PsqlpyConfig) -> None:
    """Faults are known by their texts. Asked again after a reset, which brings back what the server had."""  # E2
    language = await _foreign(config)
    options = f"{config.pool_config['options']} -c lc_messages={language}"
    alone: Any = {**config.pool_config, "options": options, "max_size": 1}
    foreign = PsqlpyConfig(pool_config=alone)
    for _ in range(2):
        async with foreign.provide_session() as db:
            assert await db.select_value("SELECT reset_val FROM pg_settings WHERE name = 'lc_messages'") == language
            assert await db.select_value("SELECT current_setting('lc_messages')") == "C"
            with pytest.raises(UndefinedTableError):
                await db.execute("SELECT * FROM no_such_table")
    await foreign.close()


async def _foreign(config: PsqlpyConfig) -> str:
    """A locale of the server's machine whose name is not one of English: German if it is there, else a C of its own."""
    for language in ("de_DE.UTF-8", "de_DE.utf8", "C.UTF-8", "C.utf8"):
        async with config.provide_session() as db:
            try:
                await db.execute(f"SET lc_messages = '{language}'")
            except DatabaseError:
                continue
            return language
    pytest.fail("the server's machine has no locale but C, POSIX and English ones")
