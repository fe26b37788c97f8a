"""Results mean the same on every adapter: R1 R2 R6 R7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from sqlspec.exceptions import ImproperConfigurationError, MultipleResultsFoundError, NotFoundError
from sqlspec.testing.compliance.adapter import Database, where

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase

pytestmark = pytest.mark.usefixtures("items")

ALL = "SELECT id, name FROM items ORDER BY id"
NONE = "SELECT id, name FROM items WHERE id > 100"


@dataclass
class Wide:
    id: int
    name: str
    extra: str | None
    more: str | None


@pytest_asyncio.fixture(autouse=True, loop_scope="function")
async def rows(items: None, database: Database) -> None:
    async with database.session() as db:
        await db.execute_many("INSERT INTO items VALUES (?, ?)", [(1, "a"), (2, "b"), (3, "c")])


async def test_a_result_outlives_its_session(database: Database) -> None:
    """All rows were fetched."""  # R1
    async with database.session() as db:
        result = await db.execute(ALL)
    assert len(result) == 3
    assert [row["name"] for row in result] == ["a", "b", "c"]
    assert result[1] == {"id": 2, "name": "b"}
    assert result[-1:] == [{"id": 3, "name": "c"}]
    assert result.all(schema_type=tuple[int, str]) == [(1, "a"), (2, "b"), (3, "c")]
    assert result.get_first() == {"id": 1, "name": "a"}
    assert result.column_names == ["id", "name"]


async def test_one_row_is_wanted(db: AsyncDriverAdapterBase) -> None:
    """None and several are the same exceptions on the session and on the result."""  # R2 R7
    none, several = await db.execute(NONE), await db.execute(ALL)
    wanted: tuple[Any, ...] = (db.select_one, db.select_value)
    for call in wanted:
        with pytest.raises(NotFoundError):
            await call(NONE)
        with pytest.raises(MultipleResultsFoundError):
            await call(ALL)
    wanted = (db.select_one_or_none, db.select_value_or_none)
    for call in wanted:
        assert await call(NONE) is None
        with pytest.raises(MultipleResultsFoundError):
            await call(ALL)
    for method in ("one", "scalar"):
        with pytest.raises(NotFoundError):
            getattr(none, method)()
        with pytest.raises(MultipleResultsFoundError):
            getattr(several, method)()
    assert none.get_first() is None
    assert none.one_or_none() is None


async def test_names_of_an_empty_result(db: AsyncDriverAdapterBase) -> None:
    """The columns are known though no row came; also after the table has changed."""  # R6
    for _ in range(2):
        assert (await db.execute(NONE)).column_names == ["id", "name"]
    assert (await db.execute("SELECT id AS number FROM items WHERE id = ?", 100)).column_names == ["number"]
    star = "SELECT * FROM items WHERE id > 100"
    assert (await db.execute(star)).column_names == ["id", "name"]
    await db.execute("ALTER TABLE items ADD COLUMN extra TEXT")
    assert (await db.execute("SELECT * FROM items WHERE id > 101")).column_names == ["id", "name", "extra"]
    assert await db.select(ALL, schema_type=tuple) == [(1, "a"), (2, "b"), (3, "c")]


async def test_names_of_an_empty_result_follow_the_table(db: AsyncDriverAdapterBase) -> None:
    """The same statement, after a column was added: no stale names."""  # R6 F5
    star = "SELECT * FROM items WHERE id > 100"
    assert (await db.execute(star)).column_names == ["id", "name"]
    await db.execute("ALTER TABLE items ADD COLUMN extra TEXT")
    assert (await db.execute(star)).column_names == ["id", "name", "extra"]
    await db.execute("ALTER TABLE items ADD COLUMN more TEXT")
    assert await db.select(star, schema_type=Wide) == []
    assert await db.select_one_or_none("SELECT *, 1 AS one FROM items WHERE id > 100", schema_type=Wide) is None


async def test_rows_follow_the_table(database: Database, db: AsyncDriverAdapterBase) -> None:
    """A star after DDL from elsewhere gives the new columns, outside a transaction without any error."""  # F5
    star = "SELECT * FROM items ORDER BY id"
    assert (await db.select(star))[0] == {"id": 1, "name": "a"}
    await database.run("ALTER TABLE items ADD COLUMN extra TEXT")
    assert (await db.select(star))[0] == {"id": 1, "name": "a", "extra": None}


@where("count")
async def test_rows_affected(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Changed rows are counted, with RETURNING too; a SELECT and DDL change none that could be told."""  # R7
    assert (await db.execute("UPDATE items SET name = 'x' WHERE id > ?", 1)).rows_affected == 2
    assert (await db.execute("DELETE FROM items WHERE id = 99")).rows_affected == 0
    if database.can("update_returning"):
        result = await db.execute("UPDATE items SET name = 'y' WHERE id > ? RETURNING id", 1)
        assert result.rows_affected == 2
        assert sorted(result.all(schema_type=int)) == [2, 3]
    assert (await db.execute("INSERT INTO items VALUES (?, ?), (?, ?)", 7, "a", 8, "b")).rows_affected == 2
    assert (await db.execute(ALL)).rows_affected is None
    assert (await db.execute("CREATE TABLE more (id INTEGER)")).rows_affected is None
    if database.dialect != "mysql":  # which has it the other way round
        inserted = await db.execute("WITH new AS (SELECT 20 AS id) INSERT INTO items SELECT id, 'w' FROM new")
        assert inserted.rows_affected == 1


@where("update_returning")
async def test_returning_one_row_changes_all(db: AsyncDriverAdapterBase) -> None:
    """select_value() of a statement that writes still writes every row."""  # R2
    with pytest.raises(MultipleResultsFoundError):
        await db.select_value("UPDATE items SET name = 'z' RETURNING id")
    assert await db.select_value("SELECT count(*) FROM items WHERE name = 'z'") == 3


@where("count_many")
async def test_rows_affected_by_many(db: AsyncDriverAdapterBase) -> None:
    """The sum over all parameter sets."""  # R7
    result = await db.execute_many("UPDATE items SET name = ? WHERE id >= ?", [("x", 2), ("y", 3)])
    assert result.rows_affected == 3


@where("-count_many")
async def test_rows_affected_by_many_can_not_be_told(db: AsyncDriverAdapterBase) -> None:
    """None, and not a wrong number."""  # R7
    result = await db.execute_many("UPDATE items SET name = ? WHERE id >= ?", [("x", 2), ("y", 3)])
    assert result.rows_affected is None


async def test_the_key_of_an_inserted_row(database: Database, db: AsyncDriverAdapterBase) -> None:
    """``last_inserted_id`` where the driver tells it, else None; RETURNING everywhere."""  # R1 R7
    await db.execute(f"CREATE TABLE made (id {database.type_of('key')}, name {database.type_of('text')})")
    first = await db.execute("INSERT INTO made (name) VALUES (?)", "a")
    assert first.last_inserted_id == (1 if database.can("inserted_id") else None)
    if database.can("returning"):
        assert await db.select_value("INSERT INTO made (name) VALUES (?) RETURNING id", "b") == 2
    assert (await db.execute("UPDATE made SET name = 'c'")).last_inserted_id is None
    assert (await db.execute("SELECT * FROM made")).last_inserted_id is None


async def test_a_statement_without_rows_gives_none(db: AsyncDriverAdapterBase) -> None:
    """``all()`` is empty, ``one()`` says that no rows can come."""  # R1
    result = await db.execute("UPDATE items SET name = 'x'")
    assert result.all() == []
    assert result.column_names == []
    assert len(result) == 0
    with pytest.raises(NotFoundError, match="RETURNING"):
        result.one()


async def test_a_column_is_not_called_like_a_value(db: AsyncDriverAdapterBase) -> None:
    """One without an alias is called the same whatever the values are, and tells none of them."""  # R1 E5
    seen = {tuple((await db.execute("SELECT CAST(? AS CHAR(6))", it)).column_names) for it in ("geheim", "it's")}
    assert len(seen) == 1
    assert "geheim" not in str(seen)


@pytest.mark.parametrize("schema_type", [5, "Wide", [int], object(), print])
async def test_a_type_that_nobody_knows_is_refused_before_anything_is_sent(
    db: AsyncDriverAdapterBase, schema_type: Any
) -> None:
    """Nothing was written for a row that can't be given."""  # R3 E4
    insert = "INSERT INTO items VALUES (9, 'z') RETURNING id"
    for select in (db.select, db.select_one, db.select_one_or_none):
        with pytest.raises(ImproperConfigurationError, match=r"schema_type|schema type"):
            await select(insert, schema_type=schema_type)
    with pytest.raises(ImproperConfigurationError, match=r"schema_type|schema type"):
        async with db.select_stream(insert, schema_type=schema_type):
            pass
    assert await db.select_value("SELECT count(*) FROM items") == 3
