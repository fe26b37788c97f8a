"""Sessions on a database that commits before DDL, and whose locks are the connection's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import ImplicitCommitError
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
