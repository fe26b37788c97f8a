"""Statements and parameters mean the same on every adapter: P1-P4, P6, P7."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.exceptions import (
    DataError,
    ParameterError,
    TransactionAbortedError,
    TransactionError,
    UniqueViolationError,
)
from sqlspec.testing.compliance.adapter import Database, where

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase

pytestmark = pytest.mark.usefixtures("items")

STYLES: list[tuple[str, tuple[Any, ...]]] = [
    ("INSERT INTO items (id, name) VALUES (?, ?)", (1, "a")),
    ("INSERT INTO items (id, name) VALUES ($1, $2)", (1, "a")),
    ("INSERT INTO items (id, name) VALUES ($2, $1)", ("a", 1)),
    ("INSERT INTO items (id, name) VALUES (:1, :2)", (1, "a")),
    ("INSERT INTO items (id, name) VALUES (%s, %s)", (1, "a")),
    ("INSERT INTO items (id, name) VALUES (:id, :name)", ({"id": 1, "name": "a"},)),
    ("INSERT INTO items (id, name) VALUES (:id,:name)", ({"id": 1, "name": "a"},)),
    ("INSERT INTO items (id, name) VALUES (%(id)s, %(name)s)", ({"id": 1, "name": "a"},)),
    ("INSERT INTO items (id, name) VALUES (?, ?)", ((1, "a"),)),
    ("INSERT INTO items (id, name) VALUES (?, ?)", ([1, "a"],)),
]


@pytest.mark.parametrize(("statement", "parameters"), STYLES)
async def test_every_style_of_placeholder_works(
    db: AsyncDriverAdapterBase, statement: str, parameters: tuple[Any, ...]
) -> None:
    """The row arrives, by execute() and by execute_many()."""  # P1 P2
    await db.execute(statement, *parameters)
    assert await db.select("SELECT id, name FROM items") == [{"id": 1, "name": "a"}]
    await db.execute("DELETE FROM items")
    await db.execute_many(statement, [parameters] if len(parameters) > 1 else parameters)
    assert await db.select("SELECT id, name FROM items") == [{"id": 1, "name": "a"}]


async def test_at_names_are_placeholders_where_they_are_no_variables(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """``@name`` with a mapping that has it; on MySQL and MariaDB it is the database's own variable."""  # P1
    statement = "INSERT INTO items (id, name) VALUES (@id, @name)"
    if database.dialect == "mysql":
        assert await db.select_value("SELECT @nobody_set_this") is None
        with pytest.raises(ParameterError):
            await db.execute(statement, {"id": 1, "name": "a"})
        return
    await db.execute(statement, {"id": 1, "name": "a"})
    assert await db.select("SELECT id, name FROM items") == [{"id": 1, "name": "a"}]


async def test_one_name_may_stand_twice(db: AsyncDriverAdapterBase) -> None:
    """The value is bound for both places."""  # P1
    await db.execute("INSERT INTO items (id, name) VALUES (:id, 'a')", {"id": 7})
    found = await db.select_one("SELECT id FROM items WHERE id = :id OR id = :id + 1", {"id": 7})
    assert found == {"id": 7}


async def test_what_only_looks_like_a_placeholder_is_left_alone(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Strings, comments, quoted identifiers and % signs reach the server as written."""  # P3
    statement = """SELECT '? :a $1 %s @b %% it''s' AS text, /* :c ? */ 7 % 4 AS "a:b?" -- $9 :d
    WHERE 1 = :one"""
    if database.dialect == "mysql":  # double quotes make strings there
        statement = statement.replace('"', "`")
    assert await db.select_one(statement, {"one": 1}) == {"text": "? :a $1 %s @b %% it's", "a:b?": 3}


async def test_mistakes_are_found_before_anything_is_sent(db: AsyncDriverAdapterBase) -> None:
    """Inside a transaction, none of them harms it."""  # P2
    await db.begin()
    await db.execute("INSERT INTO items VALUES (1, 'a')")
    mistakes: list[tuple[str, tuple[Any, ...]]] = [
        ("SELECT ?", (1, 2)),
        ("SELECT ?, ?", (1,)),
        ("SELECT :a", ({"b": 1},)),
        ("SELECT :a", ({"a": 1, "b": 2},)),
        ("SELECT ?", ({"a": 1},)),
        ("SELECT :a, ?", (1, 2)),
        ("SELECT 1; SELECT 2", ()),
        ("  ", ()),
        ("-- nothing", ()),
        (" ; /* nothing */ ;", ()),
        ("SELECT 'a\0b'", ()),
        ("SELECT '\ud800'", ()),
        ("SELECT ?", ()),
    ]
    for statement, parameters in mistakes:
        with pytest.raises(ParameterError):
            await db.execute(statement, *parameters)
    with pytest.raises(ParameterError):
        await db.execute_many("INSERT INTO items VALUES (?, ?)", [(2, "b"), (3,)])
    for statement in ("ROLLBACK", "COMMIT"):
        with pytest.raises(ParameterError):
            await db.execute_many(statement, [()])
    rows: Any = None
    with pytest.raises(ParameterError):
        await db.execute_many("INSERT INTO items VALUES (?, ?)", rows)
    await db.commit()
    assert await db.select_value("SELECT count(*) FROM items") == 1


@pytest.mark.parametrize("count", [0, 1, 3, 10_000])
@pytest.mark.parametrize("statement", ["IN (:ids)", "IN :ids"])
async def test_lists_expand(db: AsyncDriverAdapterBase, statement: str, count: int) -> None:
    """IN finds those that are listed, NOT IN the others: none and all for an empty list."""  # P4
    await db.execute_many("INSERT INTO items (id, name) VALUES (?, ?)", [(number, "x") for number in range(5)])
    ids = list(range(2, 2 + count))
    inside = await db.select_value(f"SELECT count(*) FROM items WHERE id {statement}", {"ids": ids})
    outside = await db.select_value(f"SELECT count(*) FROM items WHERE id NOT {statement}", {"ids": ids})
    assert inside == min(count, 3)
    assert outside == 5 - inside


async def test_lists_expand_by_place_and_beside_other_values(db: AsyncDriverAdapterBase) -> None:
    """Lists of different lengths, one after the other, of texts too."""  # P4
    await db.execute_many("INSERT INTO items (id, name) VALUES (?, ?)", [(1, "a"), (2, "b"), (3, "c")])
    statement = "SELECT id FROM items WHERE id > ? AND name IN (?) AND id < ? ORDER BY id"
    assert await db.select(statement, 0, ["a", "c"], 9, schema_type=int) == [1, 3]
    assert await db.select(statement, 1, ["a", "b", "c"], 9, schema_type=int) == [2, 3]
    assert await db.select(statement, 1, [], 9, schema_type=int) == []


@where("triggers")
async def test_scripts_with_triggers(database: Database, db: AsyncDriverAdapterBase) -> None:
    """A trigger's body is one statement."""  # P6
    await db.execute_script(f"""
        CREATE TABLE log (note {database.type_of("text")}, id INTEGER); -- one; two
        CREATE TRIGGER noted AFTER INSERT ON items FOR EACH ROW BEGIN
            INSERT INTO log VALUES ('new; ', NEW.id);
            UPDATE log SET note = CASE WHEN NEW.id > 5 THEN 'big' ELSE note END;
        END;
        INSERT INTO items VALUES (1, 'a;b');
    """)
    assert await db.select("SELECT note, id FROM log", schema_type=tuple) == [("new; ", 1)]
    assert await db.select_value("SELECT name FROM items") == "a;b"


async def test_scripts_with_a_delimiter_of_their_own(db: AsyncDriverAdapterBase) -> None:
    """DELIMITER is the script's, and reaches no database."""  # P6
    await db.execute_script("""
        INSERT INTO items VALUES (1, 'a;b');
        DELIMITER //
        INSERT INTO items VALUES (2, 'c;d')//
        INSERT INTO items VALUES (3, 'e')
        //
        DELIMITER ;
        INSERT INTO items VALUES (4, 'f');
    """)
    assert await db.select("SELECT name FROM items ORDER BY id", schema_type=str) == ["a;b", "c;d", "e", "f"]


@where("multiple_results")
async def test_a_procedure_with_several_results(db: AsyncDriverAdapterBase) -> None:
    """The first result is given, all are read: the next statement gets its own rows."""  # R1
    await db.execute_script("""
        CREATE PROCEDURE several() BEGIN
            SELECT id, name FROM items ORDER BY id;
            SELECT 'second' AS other;
        END;
        INSERT INTO items VALUES (1, 'a'), (2, 'b');
    """)
    for _ in range(2):
        assert await db.select("CALL several()") == [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
        assert await db.select_value("SELECT count(*) FROM items") == 2
    async with db.select_stream("CALL several()", schema_type=tuple[int, str]) as rows:
        assert [row async for row in rows] == [(1, "a"), (2, "b")]
    assert await db.select_value("SELECT count(*) FROM items") == 2


@where("dollar_quotes")
async def test_scripts_with_dollar_quotes(db: AsyncDriverAdapterBase) -> None:
    """A function's body is one statement, and so is a DO block."""  # P6
    await db.execute_script("""
        CREATE FUNCTION twice(n integer) RETURNS integer LANGUAGE plpgsql AS $body$
        BEGIN
            -- ; $$
            RETURN 2 * n;
        END;
        $body$;
        DO $$ BEGIN INSERT INTO items VALUES (1, 'a;b'); END; $$;
        INSERT INTO items VALUES (twice(2), 'c')
    """)
    assert await db.select("SELECT id FROM items ORDER BY id", schema_type=int) == [1, 4]


async def test_a_script_ends_at_its_first_failure(database: Database, db: AsyncDriverAdapterBase) -> None:
    """What ran before is committed, what follows did not run, and the error says which statement it was."""  # P6
    with pytest.raises(UniqueViolationError) as failed:
        await db.execute_script(
            "INSERT INTO items VALUES (1, 'a'); INSERT INTO items VALUES (1, 'b'); DROP TABLE items"
        )
    assert "statement 2 of 3" in "".join(failed.value.__notes__)
    assert await database.value("SELECT count(*) FROM items") == 1


async def test_a_script_in_a_transaction_is_part_of_it(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Rolled back with it."""  # P6
    await db.begin()
    await db.execute_script("INSERT INTO items VALUES (1, 'a'); INSERT INTO items VALUES (2, 'b')")
    await db.rollback()
    assert await database.value("SELECT count(*) FROM items") == 0


async def test_a_script_may_hold_its_own_transaction(database: Database, db: AsyncDriverAdapterBase) -> None:
    """BEGIN … COMMIT in it are known to the session."""  # P6
    await db.execute_script("BEGIN; INSERT INTO items VALUES (1, 'a'); COMMIT; INSERT INTO items VALUES (2, 'b')")
    assert await database.value("SELECT count(*) FROM items") == 2
    await db.begin()
    await db.rollback()


async def test_execute_many_is_all_or_nothing(database: Database, db: AsyncDriverAdapterBase) -> None:
    """The third of four rows fails: none is kept, and the session works on."""  # P7
    statement = "INSERT INTO items (id, name) VALUES (?, ?)"
    with pytest.raises(UniqueViolationError):
        await db.execute_many(statement, [(1, "a"), (2, "b"), (1, "c"), (3, "d")])
    assert await database.value("SELECT count(*) FROM items") == 0
    await db.execute_many(statement, [(1, "a"), (2, "b")])
    assert await database.value("SELECT count(*) FROM items") == 2


@where("savepoints")
async def test_execute_many_in_a_transaction_is_part_of_it(database: Database, db: AsyncDriverAdapterBase) -> None:
    """It commits nothing by itself; in a block its failure undoes the block."""  # P7
    statement = "INSERT INTO items (id, name) VALUES (?, ?)"
    async with db.transaction():
        await db.execute_many(statement, [(1, "a")])
        with pytest.raises(UniqueViolationError):
            async with db.transaction():
                await db.execute_many(statement, [(2, "b"), (2, "c")])
        assert await database.value("SELECT count(*) FROM items") == 0
    assert await database.value("SELECT max(id) FROM items") == 1


async def test_execute_many_without_rows_does_nothing(db: AsyncDriverAdapterBase) -> None:
    """Nothing is sent, 0 rows are affected."""  # P7
    assert (await db.execute_many("INSERT INTO nowhere VALUES (?)", [])).rows_affected == 0


async def test_execute_many_takes_any_iterable_of_rows(db: AsyncDriverAdapterBase) -> None:
    """10,000 rows from a generator of mappings."""  # P7
    await db.execute_many(
        "INSERT INTO items (id, name) VALUES (:id, :name)", ({"id": n, "name": str(n)} for n in range(10_000))
    )
    assert await db.select_value("SELECT count(*) FROM items WHERE name = '9999'") == 1
    assert await db.select_value("SELECT count(*) FROM items") == 10_000


async def test_statements_without_parameters_are_untouched(db: AsyncDriverAdapterBase) -> None:
    """Whatever looks like a placeholder is the database's own business then."""  # P1
    assert await db.select_value("SELECT '100% :x ? %s'") == "100% :x ? %s"


@where("dollar_quotes")
async def test_operators_that_look_like_placeholders(db: AsyncDriverAdapterBase) -> None:
    """?, ?| and ?& of jsonb, beside $n, names, and ?? in the question-mark style; casts and slices."""  # P1 P3
    assert await db.select_value("SELECT '{\"a\": 1}'::jsonb ? :key", {"key": "a"}) is True
    assert await db.select_value("SELECT '{\"a\": 1}'::jsonb ?| $1::text[]", (["a", "b"],)) is True
    assert await db.select_value("SELECT '{\"a\": 1}'::jsonb ?? ?", "a") is True
    assert await db.select_value("SELECT (ARRAY[1, 2, 3])[1:2] = :it::int[]", {"it": [1, 2]}) is True
    assert await db.select_value("SELECT $1::int+$2::int", 1, 2) == 3


async def test_a_value_of_an_unknown_type_is_a_data_error(db: AsyncDriverAdapterBase) -> None:
    """A DataError that does not show it; the session works on."""  # E2
    with pytest.raises(DataError):
        await db.execute("INSERT INTO items (id, name) VALUES (?, ?)", 1, object())
    assert await db.select_value("SELECT count(*) FROM items") == 0


@pytest.mark.parametrize("value", ["\ud800", 2**200, memoryview(b"abcdef")[::2], object()])
async def test_a_value_that_the_driver_refuses_does_no_harm(
    database: Database, db: AsyncDriverAdapterBase, value: object
) -> None:
    """A DataError, and the open transaction goes on: nothing was sent."""  # E2 S14
    await db.execute(f"CREATE TABLE things (number BIGINT, name {database.type_of('text')})")
    await db.begin()
    await db.execute("INSERT INTO items VALUES (1, 'a')")
    column = "number" if isinstance(value, int) else "name"
    with pytest.raises(DataError):
        await db.execute(f"INSERT INTO things ({column}) VALUES (?)", value)
    await db.execute("INSERT INTO items VALUES (2, 'b')")
    await db.commit()
    assert await db.select_value("SELECT count(*) FROM items") == 2


@where("error_aborts")
@pytest.mark.parametrize("wrong", [("a", "b"), (2**200, "b"), (1001, object())], ids=["text", "large", "object"])
async def test_many_rows_of_which_the_driver_refuses_one(db: AsyncDriverAdapterBase, wrong: tuple[Any, ...]) -> None:
    """None of them is there. If some were sent, the transaction can't be saved, and says so."""  # P7 S6
    await db.begin()
    await db.execute("INSERT INTO items VALUES (5000, 'before')")
    with pytest.raises(DataError):
        await db.execute_many("INSERT INTO items VALUES (?, ?)", [*((n, "x" * 1000) for n in range(1000)), wrong])
    try:
        assert await db.select_value("SELECT count(*) FROM items") == 1
        kept = 1  # the driver looked at all of them first: nothing was sent
    except TransactionAbortedError:
        kept = 0
    if kept:
        await db.commit()
    else:
        with pytest.raises(TransactionAbortedError):
            await db.commit()
        await db.rollback()
    assert await db.select_value("SELECT count(*) FROM items") == kept


@pytest.mark.parametrize("level", ["serializable; DROP TABLE items; COMMIT; BEGIN", "bogus", 5])
async def test_an_isolation_level_is_no_way_to_send_sql(
    database: Database, db: AsyncDriverAdapterBase, level: Any
) -> None:
    """Only the known levels pass; nothing is sent for another, and the session works on."""  # P8 E2
    with pytest.raises(TransactionError, match="Levels: read uncommitted, read committed"):
        await db.begin(isolation=level)
    with pytest.raises(TransactionError, match="Levels: read uncommitted, read committed"):
        async with db.transaction(isolation=level):
            pass
    assert await db.select_value("SELECT count(*) FROM items") == 0
    await db.begin(isolation="repeatable read" if database.dialect == "duckdb" else "serializable")
    await db.rollback()


@pytest.mark.parametrize("name", ["merge", "replace", "x"])
@pytest.mark.parametrize("before", ["", ";", " ; /* ; */"])
async def test_names_of_common_table_expressions_are_no_verbs(
    database: Database, db: AsyncDriverAdapterBase, name: str, before: str
) -> None:
    """The rows arrive whatever the name, also behind a semicolon."""  # R1
    if database.dialect == "mysql":  # which takes no empty statement, and reserves the word
        before, name = "", name.replace("replace", "`replace`")
    assert await db.select(f"{before}WITH {name} AS (SELECT 1 AS a) SELECT a FROM {name}") == [{"a": 1}]
    assert await db.select(f"{before}SELECT 1 AS a") == [{"a": 1}]


@where("dollar_quotes")
@pytest.mark.parametrize("name", ["update", "insert", "delete", "values"])
async def test_names_that_only_postgres_allows_are_no_verbs(db: AsyncDriverAdapterBase, name: str) -> None:
    """SQLite reserves these words; SEARCH and CYCLE stand between the expression and the verb."""  # R1
    assert await db.select(f"WITH {name}(a) AS (SELECT 1) SELECT a FROM {name}") == [{"a": 1}]
    tree = f"WITH RECURSIVE {name}(a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM {name} WHERE a < 2)"
    assert await db.select(f"{tree} SEARCH DEPTH FIRST BY a SET o SELECT a FROM {name}") == [{"a": 1}, {"a": 2}]
    assert await db.select(f"{tree} CYCLE a SET c USING p (SELECT a FROM {name})") == [{"a": 1}, {"a": 2}]


@where("many_statements", "returning")
async def test_execute_many_takes_whatever_execute_takes(database: Database, db: AsyncDriverAdapterBase) -> None:
    """INSERT behind a WITH, with RETURNING, and even what only reads."""  # P7
    new = "WITH new AS (SELECT 1)"
    insert = f"{new} INSERT INTO items (id, name) SELECT ?, 'w' FROM new"
    if database.dialect == "mysql":  # which has it the other way round
        insert = f"INSERT INTO items (id, name) {new} SELECT ?, 'w' FROM new"
    await db.execute_many(insert, [(1,), (2,)])
    await db.execute_many("INSERT INTO items (id, name) VALUES (?, ?) RETURNING id", [(3, "a"), (4, "b")])
    await db.execute_many("SELECT id FROM items WHERE id = ?", [(1,), (2,)])
    assert await db.select_value("SELECT count(*) FROM items") == 4
