"""Sessions on a database that commits before DDL, and whose locks are the connection's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import ImplicitCommitError, TransactionAbortedError
from tests.compliance.targets import BY_NAME

if TYPE_CHECKING:
    from sqlspec.testing.compliance import Database

pytestmark = pytest.mark.parametrize("database", [BY_NAME["pymysql"]], indirect=True, ids=str)


async def test_ddl_is_refused_as_the_first_statement_too(database: Database) -> None:
    """Before any BEGIN was sent: the request's outcome could not undo it."""  # W24
    config: Any = database.config
    db = config.create_session(implicit=BeginOptions())
    with pytest.raises(ImplicitCommitError, match="CREATE commits an open transaction"):
        db.execute("CREATE TABLE more (id INTEGER)")
    assert db.select("SHOW TABLES") == []
    db.close()
    await database.run("CREATE TABLE more (id INTEGER)")


async def test_what_many_rows_left_in_the_session_ends_with_it(database: Database) -> None:
    """Locks that execute_many() took: the connection does not go back to the pool."""  # F1 S15
    config = database.new_config({"max_size": 1})
    async with database.session(config) as db:
        await db.execute_many("DO get_lock(?, 0)", [("one",), ("two",)])
        assert await db.select_value("SELECT is_used_lock('two') = connection_id()") == 1
    async with database.session(config) as db:
        assert await db.select_value("SELECT is_free_lock('two')") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "/*!50000 CREATE */ TABLE more (id INTEGER)",
        "/*! CREATE TABLE more (id INTEGER) */",
        "/*M!100100 CREATE */ /*! TABLE */ more (id INTEGER)",
        "CREATE /*! OR REPLACE */ TABLE more (id INTEGER)",
        "/*! TRUNCATE */ items",
        "/*!START*/ /*!50000TRANSACTION*/",
    ],
)
async def test_ddl_in_executable_comments_is_refused(database: Database, statement: str) -> None:
    """The servers execute what stands in them."""  # W24
    async with database.session() as db:
        await db.execute("CREATE TABLE items (id INTEGER)")
        await db.begin()
        await db.execute("INSERT INTO items VALUES (1)")
        with pytest.raises(ImplicitCommitError):
            await db.execute(statement)
        await db.rollback()
        assert await db.select_value("SELECT count(*) FROM items") == 0


async def test_a_commit_in_an_executable_comment_ends_the_transaction(database: Database) -> None:
    """As COMMIT does: what follows is not part of it."""  # S4
    async with database.session() as db:
        await db.execute("CREATE TABLE items (id INTEGER)")
        await db.begin()
        await db.execute("INSERT INTO items VALUES (1)")
        await db.execute("/*! COMMIT */")
        await db.begin()
        await db.rollback()
        assert await db.select_value("SELECT count(*) FROM items") == 1


async def test_a_comment_for_another_server_does_not_hide_a_commit(database: Database) -> None:
    """Read as code the statement is another one; that the transaction is gone is noticed all the same."""  # S14
    async with database.session() as db:
        await db.execute("CREATE TABLE items (id INTEGER)")
        await db.begin()
        await db.execute("INSERT INTO items VALUES (1)")
        await db.execute("/*!999999 SELECT */ CREATE TABLE more (id INTEGER)")
        with pytest.raises(TransactionAbortedError, match="can only be seen in the database"):
            await db.commit()
        await db.rollback()


async def test_placeholders_in_executable_comments(database: Database) -> None:
    """Values go where the server reads them."""  # P1
    async with database.session() as db:
        assert await db.select_value("SELECT 1 /*!50000 + ? */ + ?", 10, 100) == 111
