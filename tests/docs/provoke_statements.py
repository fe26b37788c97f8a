"""Provokers of errors in statements, parameters, results and what the database refuses."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.docs.error_table import POSTGRES, SQLITE, provokes

if TYPE_CHECKING:
    from tests.docs.error_table import Stage

INSERT = "INSERT INTO users (id, email, name) VALUES (?, ?, ?)"


@dataclass
class User:
    id: int
    name: str


async def run(on: Stage, statement: str, *parameters: Any) -> None:
    async with on.session() as db:
        await db.execute(statement, *parameters)


async def read(on: Stage, statement: str, schema_type: Any) -> None:
    await run(on, INSERT, 1, "ada@example.org", None)
    async with on.session() as db:
        await db.select(statement, schema_type=schema_type)


# Parameters: nothing is sent ------------------------------------------------------------------------------------------


@provokes("too-few")
async def too_few(on: Stage) -> None:
    await run(on, "SELECT * FROM users WHERE id = ? AND email = ?", 1)


@provokes("too-many")
async def too_many(on: Stage) -> None:
    await run(on, "SELECT * FROM users WHERE id = $1", 1, 2)


@provokes("none-given")
async def none_given(on: Stage) -> None:
    await run(on, "SELECT * FROM users WHERE id = :id")


@provokes("none-wanted")
async def none_wanted(on: Stage) -> None:
    await run(on, "SELECT * FROM users", 1)


@provokes("operator-or-placeholder", POSTGRES)
async def operator_or_placeholder(on: Stage) -> None:
    await run(on, "SELECT * FROM users WHERE '{}'::jsonb ? name AND id = ?", 1)


@provokes("wrong-names")
async def wrong_names(on: Stage) -> None:
    await run(on, "SELECT * FROM users WHERE email = :email AND name = :name", {"emial": "x", "name": "x"})


@provokes("values-for-names")
async def values_for_names(on: Stage) -> None:
    await run(on, "SELECT * FROM users WHERE email = :email", "x")


@provokes("names-for-places")
async def names_for_places(on: Stage) -> None:
    await run(on, "SELECT * FROM users WHERE email = ?", {"email": "x"})


@provokes("mixed-styles")
async def mixed_styles(on: Stage) -> None:
    await run(on, "SELECT * FROM users WHERE id = %s AND email = :email", {"email": "x"})


@provokes("number-left-out")
async def number_left_out(on: Stage) -> None:
    await run(on, "SELECT * FROM users WHERE id = $1 AND email = $3", 1, 2, 3)


@provokes("row-of-many")
async def row_of_many(on: Stage) -> None:
    async with on.session() as db:
        await db.execute_many(INSERT, [(1, "a", "A"), (2, "b")])


@provokes("kind-of-row")
async def kind_of_row(on: Stage) -> None:
    async with on.session() as db:
        await db.execute_many(INSERT, [(1, "a", "A"), {"id": 2}])


@provokes("no-rows-given")
async def no_rows_given(on: Stage) -> None:
    rows: Any = None
    async with on.session() as db:
        await db.execute_many(INSERT, rows)


@provokes("many-transactions")
async def many_transactions(on: Stage) -> None:
    async with on.session() as db, db.transaction():
        await db.execute_many("ROLLBACK", [()])


@provokes("value-without-form", SQLITE)
async def value_without_form(on: Stage) -> None:
    await run(on, "INSERT INTO users (name) VALUES (?)", ({"key": object()},))


@provokes("several-statements")
async def several_statements(on: Stage) -> None:
    await run(on, "DELETE FROM users; SELECT 1")


@provokes("blank-statement")
async def blank_statement(on: Stage) -> None:
    await run(on, " ; -- SELECT 1")


@provokes("nul-character")
async def nul_character(on: Stage) -> None:
    await run(on, "SELECT *\nFROM users -- a\0b")


@provokes("half-a-character")
async def half_a_character(on: Stage) -> None:
    await run(on, "SELECT * FROM users WHERE name = '\ud83d'")


@provokes("no-text")
async def no_text(on: Stage) -> None:
    statement: Any = 42
    await run(on, statement)


# Rows ----------------------------------------------------------------------------------------------------------------


@provokes("no-row")
async def no_row(on: Stage) -> None:
    async with on.session() as db:
        await db.select_one("SELECT * FROM users WHERE id = ?", 1)


@provokes("no-row-returned")
async def no_row_returned(on: Stage) -> None:
    async with on.session() as db:
        await db.select_value(INSERT, 1, "a", "A")


@provokes("more-rows")
async def more_rows(on: Stage) -> None:
    async with on.session() as db:
        await db.execute_many(INSERT, [(1, "a", "A"), (2, "b", "B")])
        await db.select_one("SELECT * FROM users")


@provokes("null-field")
async def null_field(on: Stage) -> None:
    await read(on, "SELECT id, name FROM users", User)


@provokes("wrong-type")
async def wrong_type(on: Stage) -> None:
    await read(on, "SELECT email AS id, email AS name FROM users", User)


@provokes("missing-field")
async def missing_field(on: Stage) -> None:
    await read(on, "SELECT id, email FROM users", User)


@provokes("too-wide")
async def too_wide(on: Stage) -> None:
    await read(on, "SELECT id, email FROM users", int)


@provokes("no-column", POSTGRES)
async def no_column(on: Stage) -> None:
    async with on.session() as db:
        await db.select_value("SELECT")


@provokes("duplicate-columns")
async def duplicate_columns(on: Stage) -> None:
    await read(on, "SELECT a.id, b.id FROM users AS a, users AS b", None)


# What the database refuses -------------------------------------------------------------------------------------------


@provokes("unique")
async def unique(on: Stage) -> None:
    await run(on, INSERT, 1, "ada@example.org", "Ada")
    await run(on, INSERT, 2, "ada@example.org", "Ada")


@provokes("foreign-key")
async def foreign_key(on: Stage) -> None:
    await on.run("CREATE TABLE notes (user_id INTEGER REFERENCES users (id))")
    await run(on, "INSERT INTO notes (user_id) VALUES (?)", 99)


@provokes("not-null")
async def not_null(on: Stage) -> None:
    await run(on, INSERT, 1, None, "Ada")


@provokes("check")
async def check(on: Stage) -> None:
    await run(on, INSERT, -1, "ada@example.org", "Ada")


@provokes("no-such-table")
async def no_such_table(on: Stage) -> None:
    await run(on, "SELECT * FROM usres")


@provokes("no-such-column")
async def no_such_column(on: Stage) -> None:
    await run(on, "SELECT emial FROM users")


@provokes("syntax")
async def syntax(on: Stage) -> None:
    await run(on, "SELECT *\nFORM users")


@provokes("read-only")
async def read_only(on: Stage) -> None:
    if on.dialect == "postgres":
        async with on.session() as db, db.transaction(read_only=True):
            await db.execute("DELETE FROM users")
        return
    config = on.new_config({"pragmas": {"query_only": True}})
    async with on.session(config) as db:
        await db.execute("DELETE FROM users")


@provokes("outside-transactions")
async def outside_transactions(on: Stage) -> None:
    async with on.session() as db, db.transaction():
        await db.execute("VACUUM")


@provokes("value-out-of-range")
async def value_out_of_range(on: Stage) -> None:
    await run(on, INSERT, 2**80, "ada@example.org", "Ada")


@provokes("wrong-value-type", POSTGRES)
async def wrong_value_type(on: Stage) -> None:
    await run(on, INSERT, "one", "ada@example.org", "Ada")


@provokes("statement-timeout")
async def statement_timeout(on: Stage) -> None:
    slow = {
        "postgres": "SELECT pg_sleep(10)",
        "sqlite": "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
    }
    async with on.session() as db:
        await db.execute(slow[on.dialect], timeout=0.1)


@provokes("locked")
async def locked(on: Stage) -> None:
    await run(on, INSERT, 1, "ada@example.org", "Ada")
    options: dict[str, Any] = {"timeout": 0.1}
    if on.dialect == "postgres":
        options = {"server_settings": {**on.config.pool_config["server_settings"], "lock_timeout": "100ms"}}
    impatient = on.new_config(options)
    async with on.session() as db, on.session(impatient) as other, db.transaction():
        await db.execute("UPDATE users SET name = 'x'")
        await other.execute("UPDATE users SET name = 'y'")


@provokes("serialization", POSTGRES)
async def serialization(on: Stage) -> None:
    await run(on, INSERT, 1, "ada@example.org", "Ada")
    async with on.session() as db, on.session(on.new_config()) as other:
        await db.begin(isolation="repeatable read")
        await db.select("SELECT * FROM users")
        await other.execute("UPDATE users SET name = 'x'")
        await db.execute("UPDATE users SET name = 'y'")


@provokes("deadlock", POSTGRES)
async def deadlock(on: Stage) -> None:
    update = "UPDATE users SET name = 'x' WHERE id = ?"
    async with on.session() as setup:
        await setup.execute_many(INSERT, [(1, "a", "A"), (2, "b", "B")])
    async with on.session() as db, on.session(on.new_config()) as other:
        await db.begin()
        await other.begin()
        await db.execute(update, 1)
        await other.execute(update, 2)
        answers = await asyncio.gather(db.execute(update, 2), other.execute(update, 1), return_exceptions=True)
        raise next(answer for answer in answers if isinstance(answer, Exception))
