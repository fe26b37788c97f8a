"""The same fault is the same class on every adapter, and says what is known: E1 E2 E4 E5."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from sqlspec import exceptions as e
from sqlspec.testing.compliance.adapter import Database, where

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase

pytestmark = pytest.mark.usefixtures("tables")


@pytest_asyncio.fixture(loop_scope="function")
async def tables(database: Database) -> None:
    await database.run(
        f"CREATE TABLE users (id INTEGER PRIMARY KEY, email {database.type_of('name')} NOT NULL, age INTEGER,"
        " CONSTRAINT users_email_key UNIQUE (email), CONSTRAINT adult CHECK (age >= 18))",
        "CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER,"
        " CONSTRAINT posts_author_fkey FOREIGN KEY (author) REFERENCES users (id))",
        "INSERT INTO users VALUES (1, 'geheim@example.org', 30)",
        "INSERT INTO posts VALUES (1, 1)",
    )


FAULTS: list[tuple[str, type[e.DatabaseError], str, tuple[Any, ...]]] = [
    ("unique", e.UniqueViolationError, "INSERT INTO users VALUES (2, ?, 30)", ("geheim@example.org",)),
    ("primary key", e.UniqueViolationError, "INSERT INTO users VALUES (?, 'b', 30)", (1,)),
    ("foreign key", e.ForeignKeyViolationError, "INSERT INTO posts VALUES (2, ?)", (99,)),
    ("still referenced", e.ForeignKeyViolationError, "DELETE FROM users WHERE id = ?", (1,)),
    ("not null", e.NotNullViolationError, "INSERT INTO users VALUES (3, ?, 30)", (None,)),
    ("check", e.CheckViolationError, "INSERT INTO users VALUES (4, 'c', ?)", (7,)),
    ("table", e.UndefinedTableError, "SELECT * FROM nowhere WHERE id = ?", (1,)),
    ("column", e.UndefinedColumnError, "SELECT missing FROM users WHERE id = ?", (1,)),
    ("column of insert", e.UndefinedColumnError, "INSERT INTO users (id, missing) VALUES (?, 1)", (5,)),
    ("syntax", e.SQLSyntaxError, "SELEC * FROM users WHERE id = ?", (1,)),
    ("syntax inside", e.SQLSyntaxError, "SELECT * FROM users WHERE WHERE id = ?", (1,)),
    ("syntax at the end", e.SQLSyntaxError, "SELECT * FROM users WHERE id = ? AND (", (1,)),
    ("ddl", e.ProgrammingError, "CREATE TABLE users (id INTEGER)", ()),
]


@pytest.mark.parametrize(
    ("kind", "statement", "parameters"), [(k, s, p) for _, k, s, p in FAULTS], ids=[f[0] for f in FAULTS]
)
async def test_a_fault_is_the_same_class_everywhere(
    database: Database,
    db: AsyncDriverAdapterBase,
    kind: type[e.DatabaseError],
    statement: str,
    parameters: tuple[Any, ...],
) -> None:
    """By every method; the driver's exception is the cause, the statement is the user's own text."""  # E1 E2
    for run in (db.execute, db.select, db.select_one, db.select_value):
        with pytest.raises(kind) as failed:
            await run(statement, *parameters)
        assert type(failed.value) is kind
        assert failed.value.statement == statement
        assert failed.value.__cause__ is not None
        assert not isinstance(failed.value.__cause__, e.SQLSpecError)
        assert statement in str(failed.value)
    is_refused = kind is e.ProgrammingError and not database.can("transactional_ddl")  # DDL, in a transaction
    with pytest.raises(e.ImplicitCommitError if is_refused else kind):
        async with db.transaction():
            await db.execute(statement, *parameters)
    if parameters:
        with pytest.raises(kind):
            await db.execute_many(statement, [parameters])
    with pytest.raises(kind):
        async with db.select_stream(statement, *parameters) as rows:
            async for _ in rows:
                pass
    assert await db.select_value("SELECT count(*) FROM users") == 1


async def test_values_are_in_no_error(db: AsyncDriverAdapterBase) -> None:
    """Nor in its attributes: messages and DETAIL of the databases show them."""  # E5
    with pytest.raises(e.UniqueViolationError) as failed:
        await db.execute("INSERT INTO users VALUES (2, ?, 30)", "geheim@example.org")
    assert "geheim" not in f"{failed.value!r} {failed.value} {failed.value.__dict__}"
    with pytest.raises(e.CheckViolationError) as failed_check:
        await db.execute("INSERT INTO users VALUES (2, ?, ?)", "geheim", -4711)
    shown = f"{failed_check.value!r} {failed_check.value} {failed_check.value.__dict__}"
    assert "geheim" not in shown
    assert "4711" not in shown


@where("sqlstate", "dollar_quotes")
@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("SELECT ?::int", ('geheim"es',)),
        ("SELECT ?::uuid", ("geheim",)),
        ("SELECT ?::timestamptz", ("geheim",)),
        ("SELECT (? || '')::int", ('geheim"es',)),
        ("SELECT (? || '')::timestamptz", ("geheim",)),
        ("SELECT (? || '')::jsonb", ('"geheim',)),
        ("SELECT (?::text)::numeric(3)", ("4711",)),
        ("INSERT INTO users (id) VALUES (?)", (47114711471147,)),
    ],
)
async def test_values_that_do_not_fit_are_not_shown(
    db: AsyncDriverAdapterBase, statement: str, values: tuple[Any, ...]
) -> None:
    """Neither those that the driver refuses, nor those that the server does."""  # E5
    with pytest.raises(e.DataError) as failed:
        await db.execute(statement, *values)
    shown = f"{failed.value!r} {failed.value} {failed.value.__dict__}"
    assert "geheim" not in shown
    assert "4711" not in shown
    assert failed.value.sqlstate is not None


@where("constraints")
async def test_attributes_tell_what_the_database_told(database: Database, db: AsyncDriverAdapterBase) -> None:
    """constraint, table, column, code and sqlstate."""  # E1
    named = database.can("constraint_names")
    tells_all = database.dialect != "mysql"  # which tells no table for a key or a NULL, and one state for all of them
    with pytest.raises(e.UniqueViolationError) as unique:
        await db.execute("INSERT INTO users VALUES (2, 'geheim@example.org', 30)")
    if database.dialect == "sqlite" or (tells_all and database.can("sqlstate")):  # else the message is all there is
        assert unique.value.table == "users"
    assert unique.value.code is not None
    if named:
        assert unique.value.constraint == "users_email_key"
        assert unique.value.sqlstate == ("23505" if tells_all else "23000")
    else:
        assert unique.value.column == "email"
    with pytest.raises(e.NotNullViolationError) as null:
        await db.execute("INSERT INTO users VALUES (2, NULL, 30)")
    assert null.value.table == "users" or not tells_all
    assert null.value.column == "email"
    with pytest.raises(e.CheckViolationError) as check:
        await db.execute("INSERT INTO users VALUES (2, 'b', 3)")
    if database.dialect == "duckdb":  # which tells the table and the expression
        assert check.value.table == "users"
    else:
        assert check.value.constraint == "adult"
    if named:
        with pytest.raises(e.ForeignKeyViolationError) as foreign:
            await db.execute("INSERT INTO posts VALUES (2, 99)")
        assert (foreign.value.constraint, foreign.value.table) == ("posts_author_fkey", "posts")


async def test_errors_can_be_pickled(db: AsyncDriverAdapterBase) -> None:
    """Workers send them to each other."""  # E1
    with pytest.raises(e.UniqueViolationError) as failed:
        await db.execute("INSERT INTO users VALUES (1, 'b', 30)")
    again = pickle.loads(pickle.dumps(failed.value))
    assert type(again) is e.UniqueViolationError
    assert str(again) == str(failed.value)
    assert again.__dict__ == failed.value.__dict__


@where("error_place")
@pytest.mark.parametrize(
    ("statement", "parameters", "place"),
    [
        ("SELECT id,\n       missing\nFROM users", (), "(line 2, column 8)"),
        ("SELECT id, :a AS a,\n :b AS b, missing\nFROM users", ({"a": "x", "b": "y"},), "(line 2, column 11)"),
        (
            "SELECT *\nFROM users\nWHERE id = ? AND id IN (?)\n  AND missing = ?",
            (1, [1, 2, 3], 4),
            "(line 4, column 7)",
        ),
        ("-- ümläut 🐘\nSELECT 'ü🐘', missing FROM users", (), "(line 2, column 14)"),
        ("SELECT *\nFROM nowhere", (), "(line 2, column 6)"),
    ],
)
async def test_the_place_is_in_the_users_text(
    database: Database, db: AsyncDriverAdapterBase, statement: str, parameters: tuple[Any, ...], place: str
) -> None:
    """Line and column, though the driver saw another text."""  # E4
    with pytest.raises(e.ProgrammingError) as failed:
        await db.execute(statement, *parameters)
    assert place in str(failed.value)


@where("lock_timeout")
async def test_a_locked_row_is_a_lock_timeout(database: Database) -> None:
    """Another transaction holds the lock longer than we want to wait."""  # E2
    waiting = database.new_config(database.adapter.lock_options)
    async with database.session() as holder, database.session(waiting) as db:
        if "lock_timeout" in database.adapter.sql:
            await db.execute(database.phrase("lock_timeout"))
        await holder.begin()
        await holder.execute("UPDATE users SET age = 31 WHERE id = 1")
        with pytest.raises(e.LockTimeoutError):
            await db.execute("UPDATE users SET age = 32 WHERE id = 1")
        if database.can("file"):  # and the whole of it is locked
            with pytest.raises(e.LockTimeoutError):
                await db.begin()
            with pytest.raises(e.LockTimeoutError):
                async with db.transaction():
                    pass
        await holder.rollback()
        await db.execute("UPDATE users SET age = 33 WHERE id = 1")
    assert await database.value("SELECT age FROM users") == 33


@where("serializable")
async def test_a_serialization_failure(database: Database) -> None:
    """Two serializable transactions that write what the other read."""  # E2
    async with database.session() as first, database.session() as second:
        for db in (first, second):
            await db.begin(isolation="serializable")
            await db.select("SELECT * FROM users")
        await first.execute("UPDATE users SET age = 40 WHERE id = 1")
        await second.execute("INSERT INTO users VALUES (2, 'b', 40)")
        await first.commit()
        with pytest.raises(e.SerializationError):
            await second.commit()
        assert await second.select_value("SELECT count(*) FROM users") == 1
