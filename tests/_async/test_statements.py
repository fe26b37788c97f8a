"""Statements, values, results and streams through a session in both colours: P4-P7, R1-R7, E1 E2 E4.

What must hold on every database is in ``tests/compliance``; this is the way through the shell.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import msgspec
import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from sqlspec import SQLResult
from sqlspec.exceptions import (
    DuplicateColumnError,
    MappingError,
    MultipleResultsFoundError,
    NotFoundError,
    ParameterError,
    SQLSyntaxError,
    UndefinedTableError,
    UniqueViolationError,
)
from tests.support.configs import AsyncSqlite, AsyncSqliteDriver

INSERT = "INSERT INTO items VALUES (?, ?)"
ALL = "SELECT id, name FROM items ORDER BY id"
COUNT = "SELECT count(*) FROM items"


@dataclass
class DataItem:
    id: int
    name: str | None


class StructItem(msgspec.Struct):
    id: int
    name: str | None


class ModelItem(BaseModel):
    id: int
    name: str | None


@attrs.define
class AttrsItem:
    id: int
    name: str | None


class TypedItem(TypedDict):
    id: int
    name: str | None


class NamedItem(NamedTuple):
    id: int
    name: str | None


class Colour(Enum):
    RED = "red"


@pytest.fixture(autouse=True)
async def rows(db: AsyncSqliteDriver) -> None:
    await db.execute_many(INSERT, [(1, "a"), (2, None)])


@pytest.mark.parametrize(
    "items",
    [
        [DataItem(1, "a"), DataItem(2, None)],
        [StructItem(1, "a"), StructItem(2, None)],
        [ModelItem(id=1, name="a"), ModelItem(id=2, name=None)],
        [AttrsItem(1, "a"), AttrsItem(2, None)],
        [NamedItem(1, "a"), NamedItem(2, None)],
    ],
)
async def test_rows_of_every_kind_of_class(db: AsyncSqliteDriver, items: list[Any]) -> None:
    """By every method that takes a schema type."""  # R3
    kind: Any = items[0].__class__
    assert await db.select(ALL, schema_type=kind) == items
    one = "SELECT id, name FROM items WHERE id = ?"
    assert await db.select_one(one, 1, schema_type=kind) == items[0]
    assert await db.select_one_or_none(one, 2, schema_type=kind) == items[1]
    assert await db.select_one_or_none(one, 3, schema_type=kind) is None
    result = await db.execute(ALL)
    assert result.all(schema_type=kind) == items
    assert result.get_first(schema_type=kind) == items[0]
    async with db.select_stream(ALL, schema_type=kind, chunk_size=1) as stream:
        assert [row async for row in stream] == items


async def test_rows_as_dicts_tuples_and_values(db: AsyncSqliteDriver) -> None:
    """Dicts without a schema type; TypedDict, tuple, and one plain type for one column."""  # R3
    expected = [{"id": 1, "name": "a"}, {"id": 2, "name": None}]
    assert await db.select(ALL) == expected
    assert await db.select(ALL, schema_type=dict) == expected
    assert await db.select(ALL, schema_type=TypedItem) == expected
    assert await db.select(ALL, schema_type=tuple) == [(1, "a"), (2, None)]
    assert await db.select("SELECT id FROM items", schema_type=int) == [1, 2]
    assert await db.select("SELECT name FROM items ORDER BY id", schema_type=str | None) == ["a", None]


async def test_results(db: AsyncSqliteDriver) -> None:
    """Everything that a result tells."""  # R1 R6 R7
    result = await db.execute(ALL)
    assert isinstance(result, SQLResult)
    assert (len(result), result.column_names, result.rows_affected) == (2, ["id", "name"], None)
    assert (await db.execute("SELECT * FROM items WHERE id > 9")).column_names == ["id", "name"]
    assert (await db.execute("UPDATE items SET name = 'x'")).rows_affected == 2
    assert (await db.execute("INSERT INTO items (name) VALUES ('z')")).last_inserted_id == 3
    for call in (result.one, result.one_or_none, result.scalar, result.scalar_or_none):
        with pytest.raises(MultipleResultsFoundError):
            call()


async def test_the_same_failure_is_the_same_exception(db: AsyncSqliteDriver) -> None:
    """On the session and on the result."""  # R2 R4 R5
    none = "SELECT id FROM items WHERE id > 9"
    wanted: tuple[Any, ...] = (db.select_one, db.select_value)
    for call in wanted:
        with pytest.raises(NotFoundError):
            await call(none)
    for call in (*wanted, db.select_one_or_none, db.select_value_or_none):
        with pytest.raises(MultipleResultsFoundError):
            await call(ALL)
    wanted = (db.select, db.select_one, db.select_one_or_none)
    for call in wanted:
        with pytest.raises(DuplicateColumnError):
            await call("SELECT 1 AS x, 2 AS x")
    with pytest.raises(MappingError, match="name"):
        await db.select("SELECT id FROM items", schema_type=DataItem)
    with pytest.raises(MappingError) as null:
        await db.select("SELECT id, name AS id FROM items", schema_type=tuple[int, int])
    assert null.value.statement == "SELECT id, name AS id FROM items"


async def test_null_is_none_where_none_is_allowed(db: AsyncSqliteDriver) -> None:
    """select_value_or_none() takes NULL for no value; select_value() refuses it for a plain type."""  # R4 R7
    null = "SELECT name FROM items WHERE id = 2"
    assert await db.select_value_or_none(null, schema_type=str) is None
    assert await db.select_value(null) is None
    with pytest.raises(MappingError):
        await db.select_value(null, schema_type=str)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (UUID(int=7), UUID),
        (Decimal("123456789012345678901234567890.1234"), Decimal),
        (datetime(2024, 2, 29, 1, 2, 3, 456789, tzinfo=UTC), datetime),
        (datetime(2024, 2, 29, 1, 2, 3, 456789), datetime),
        (date(2024, 2, 29), date),
        (time(1, 2, 3, 4), time),
        (timedelta(days=1, microseconds=1), timedelta),
        (Colour.RED, Colour),
        (b"\x00\xff", bytes),
        (b"", bytes),
        ({"a": [1, None]}, dict[str, Any]),
        ([1, "b"], list[Any]),
        (True, bool),
        (2**63 - 1, int),
        ("🐘", str),
    ],
)
async def test_values_come_back_equal(db: AsyncSqliteDriver, value: Any, kind: Any) -> None:
    """With a schema type where SQLite has no such type."""  # P5
    await db.execute("CREATE TABLE kept (it)")
    await db.execute("INSERT INTO kept VALUES (?)", (value,))
    await db.execute("INSERT INTO kept VALUES (:it)", {"it": value})
    await db.execute_many("INSERT INTO kept VALUES (?)", [(value,)])
    assert await db.select("SELECT it FROM kept", schema_type=tuple[kind]) == [(value,)] * 3
    assert await db.select_value("SELECT it FROM kept LIMIT 1", schema_type=kind) == value


@pytest.mark.parametrize("count", [0, 1, 3, 10_000])
async def test_lists(db: AsyncSqliteDriver, count: int) -> None:
    """IN and NOT IN, by name and by place, in select(), execute() and streams."""  # P4
    ids = list(range(2, 2 + count))
    found = min(count, 1)
    assert await db.select_value(f"{COUNT} WHERE id IN (:ids)", {"ids": ids}) == found
    assert await db.select_value(f"{COUNT} WHERE id NOT IN (?)", (ids,)) == 2 - found
    async with db.select_stream("SELECT id FROM items WHERE id IN (:ids)", {"ids": ids}, schema_type=int) as stream:
        assert [row async for row in stream] == [2] * found
    assert (await db.execute("DELETE FROM items WHERE id IN (:ids)", {"ids": ids})).rows_affected == found


async def test_scripts(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """A trigger is one statement; the first failure ends the script and is counted."""  # P6
    await db.execute_script("""
        CREATE TABLE log (note TEXT);
        CREATE TRIGGER noted AFTER DELETE ON items BEGIN INSERT INTO log VALUES ('gone; ' || OLD.id); END;
        DELETE FROM items WHERE id = 1;
    """)
    assert await db.select_value("SELECT note FROM log") == "gone; 1"
    with pytest.raises(UniqueViolationError) as failed:
        await db.execute_script("INSERT INTO items VALUES (7, 'a'); INSERT INTO items VALUES (7, 'b'); DELETE FROM log")
    assert failed.value.__notes__ == ["This was statement 2 of 3 of a script."]
    async with config.provide_session() as other:
        assert await other.select_value(COUNT) == 2
        assert await other.select_value("SELECT count(*) FROM log") == 1
    await db.execute_script(" -- nothing\n ; ")


async def test_execute_many(db: AsyncSqliteDriver, config: AsyncSqlite) -> None:
    """All or nothing, also of a generator; of nothing nothing; a wrong row is told by its number."""  # P7
    with pytest.raises(UniqueViolationError):
        await db.execute_many(INSERT, [(3, "c"), (1, "again")])
    assert (await db.execute_many(INSERT, ((n, "x") for n in range(10, 20)))).rows_affected == 10
    assert (await db.execute_many(INSERT, [])).rows_affected == 0
    with pytest.raises(ParameterError, match="2"):
        await db.execute_many(INSERT, [(3, "c"), (4,)])
    async with config.provide_session() as other:
        assert await other.select_value(COUNT) == 12


async def test_errors_say_where(db: AsyncSqliteDriver) -> None:
    """Class, line and column; the driver's exception is the cause; a wrong parameter is never sent."""  # E1 E2 E4
    with pytest.raises(UndefinedTableError, match=r"line 2, column 6") as failed:
        await db.execute("SELECT *\nFROM nowhere WHERE id = :id", {"id": 1})
    assert type(failed.value.__cause__).__module__ == "sqlite3"
    with pytest.raises(SQLSyntaxError):
        await db.execute_many("INSER INTO items VALUES (?)", [(1,)])
    with pytest.raises(UndefinedTableError):
        async with db.select_stream("SELECT * FROM nowhere"):
            pass
    with pytest.raises(ParameterError, match="execute_script"):
        await db.execute("DELETE FROM items; DELETE FROM items")
    assert await db.select_value(COUNT) == 2
