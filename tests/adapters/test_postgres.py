"""The adapters of PostgreSQL, one by one: where their drivers differ, and a program must not."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.exceptions import DatabaseError, DataError, ProgrammingError
from tests.compliance.targets import BY_NAME

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase
    from sqlspec.testing.compliance import Database

NAMES = ("asyncpg", "psycopg", "psycopg_sync", "adbc_postgresql")
every = pytest.mark.parametrize("database", [BY_NAME[name] for name in NAMES], indirect=True, ids=str)
by_asyncpg = pytest.mark.parametrize("database", [BY_NAME["asyncpg"]], indirect=True, ids=str)


@every
@pytest.mark.parametrize("value", [1.5, Decimal("1.5"), 2.0])
async def test_a_number_with_a_point_is_no_integer(db: AsyncDriverAdapterBase, value: Any) -> None:
    """asyncpg would cut it; a filter would find other rows, without a word."""
    for _ in range(2):
        with pytest.raises(DataError, match=r"\$1|Parameter 1|integer"):
            await db.select("SELECT 1 WHERE 1 = ?", (value,))
        with pytest.raises(DataError):
            await db.select("SELECT 1 WHERE 1 IN (:ids)", {"ids": [3, value]})
    await db.execute("CREATE TABLE kept (it integer)")
    with pytest.raises(DataError):
        await db.execute_many("INSERT INTO kept VALUES (?)", [(1,), (value,)])
    async with db.transaction():
        with pytest.raises(DataError):
            await db.execute("INSERT INTO kept VALUES (?)", (value,))
        assert await db.select_value("SELECT count(*) FROM kept") == 0
    await db.execute("ALTER TABLE kept ALTER it TYPE double precision")
    await db.execute("INSERT INTO kept VALUES (?)", (value,))
    assert await db.select_value("SELECT it FROM kept") == value


@every
async def test_a_float_is_the_number_that_was_written(db: AsyncDriverAdapterBase) -> None:
    """And not the 55 digits behind it: ``price = 0.1`` must find something."""
    assert await db.select_value("SELECT ?::numeric", (0.1,)) == Decimal("0.1")
    assert await db.select_value("SELECT ?::numeric[]", ([0.1, None],)) == [Decimal("0.1"), None]
    assert await db.select_value("SELECT 0.1 IN (:prices)", {"prices": [0.1]}) is True
    await db.execute("CREATE TABLE kept (it numeric)")
    await db.execute_many("INSERT INTO kept VALUES (?)", [(0.1,), (None,), (Decimal("0.1"),)])
    assert await db.select_value("SELECT count(*) FROM kept WHERE it = 0.1") == 2


@every
@pytest.mark.parametrize("kind", ["json", "jsonb"])
async def test_a_text_is_a_json_text(db: AsyncDriverAdapterBase, kind: str) -> None:
    """Never JSON that somebody else wrote: that would be another value, depending on what it holds."""
    for value in ("x", '{"a": 1}', "5", ""):
        assert await db.select_value(f"SELECT ?::{kind}", (value,)) == value
    await db.execute(f"CREATE TABLE kept (id int, it {kind}, made interval)")
    await db.execute_many("INSERT INTO kept (id, it) VALUES (?, ?)", [(1, "a"), (2, None), (3, {"b": 1}), (4, [1])])
    assert await db.select("SELECT it FROM kept ORDER BY id", schema_type=tuple[Any]) == [
        ("a",),
        (None,),
        ({"b": 1},),
        ([1],),
    ]


@every
async def test_lists_of_several_types_are_refused(db: AsyncDriverAdapterBase) -> None:
    async with db.transaction():
        for ids in ([1, "2"], ["a", 1]):
            with pytest.raises(DataError):
                await db.select("SELECT 1 WHERE '1' IN (:ids)", {"ids": ids})
        assert await db.select_value("SELECT 1") == 1


@every
async def test_values_that_python_has_no_type_for(db: AsyncDriverAdapterBase) -> None:
    """The session goes on, and so does a transaction."""
    async with db.transaction():
        for value in ("date '0044-03-15 BC'", "timestamp '294276-01-01'"):
            with pytest.raises(DataError, match=r"[Cc]ast|too|outside"):
                await db.select(f"SELECT {value}")
            with pytest.raises(DataError):
                async with db.select_stream(f"SELECT {value}") as rows:
                    [row async for row in rows]
        assert await db.select_value("SELECT 1") == 1


@every
@pytest.mark.parametrize(
    "statement",
    ["COPY kept FROM STDIN", "COPY kept TO STDOUT", "COPY kept FROM /* here */ STDIN", "COPY (SELECT 1) TO\nSTDOUT"],
)
async def test_copy_to_the_client_is_refused(db: AsyncDriverAdapterBase, statement: str) -> None:
    """asyncpg would wait for ever, or lose the rows."""
    await db.execute("CREATE TABLE kept (it int)")
    async with db.transaction():
        with pytest.raises(ProgrammingError, match="provide_connection"):
            await db.execute(statement, timeout=5)
        with pytest.raises(ProgrammingError, match="provide_connection"):
            await db.execute_many(statement, [(), ()])
        with pytest.raises(ProgrammingError, match="provide_connection"):
            async with db.select_stream(statement):
                pass
        assert await db.select_value("SELECT 'COPY kept FROM STDIN'") == "COPY kept FROM STDIN"


@every
@pytest.mark.parametrize("statement", ["DISCARD ALL", "DEALLOCATE ALL"])
async def test_statements_that_the_server_forgot(database: Database, statement: str) -> None:
    async with database.session() as db:
        for _ in range(7):
            assert await db.select_value("SELECT ?::int", (1,)) == 1
        await db.execute(statement)
        assert await db.select_value("SELECT ?::int", (1,)) == 1
    async with database.session() as db:
        assert await db.select_value("SELECT ?::int", (1,)) == 1


@by_asyncpg
async def test_json_inside_of_composites(db: AsyncDriverAdapterBase) -> None:
    await db.execute("CREATE TYPE pair AS (number int, extra jsonb)")
    found = await db.select_value("SELECT ROW(1, '{\"a\": [1]}')::pair")
    assert tuple(found) == (1, {"a": [1]})


@every
async def test_statements_that_were_prepared_for_other_types(database: Database) -> None:
    """One error in a transaction, none outside, none after."""  # F5
    insert, select = "INSERT INTO kept VALUES (?)", "SELECT count(*) FROM kept WHERE it = ?"
    kinds = (("jsonb", 5), ("integer", 5), ("bigint", 5), ("jsonb", 5), ("numeric", 5))
    async with database.session() as db, database.session() as other:
        await db.begin()
        await db.rollback()
        for kind, value in kinds:
            await other.execute("DROP TABLE IF EXISTS kept")
            await other.execute(f"CREATE TABLE kept (it {kind})")
            for attempt in range(2):
                try:
                    await db.execute_many(insert, [(value,), (None,), (value,)])
                    break
                except DatabaseError:
                    assert attempt == 0
            for _ in range(8):
                await db.execute(insert, (value,))
            assert await db.select_value(select, (value,)) == 10
