"""docs/errors.md says what is raised: every row is provoked on the real thing, on every adapter where it can happen."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import pytest

from sqlspec.exceptions import SQLSpecError
from tests.compliance.adapters import ADAPTERS
from tests.docs import provoke_configs, provoke_sessions, provoke_statements, provoke_web
from tests.docs.error_table import PROVOKERS, ROWS, Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

__all__ = ("provoke_configs", "provoke_sessions", "provoke_statements", "provoke_web")

USERS = "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, CHECK (id > 0))"
BY_NAME = {adapter.name: adapter for adapter in ADAPTERS}


def cases(dialect: str) -> list[tuple[str, str]]:
    """Row and adapter, for the adapters of one dialect."""
    return [
        (row, adapter)
        for row, provoker in PROVOKERS.items()
        for adapter in provoker.adapters
        if BY_NAME[adapter].dialect == dialect
    ]


@pytest.fixture
async def postgres_schema(postgres_dsn: str) -> AsyncIterator[str]:
    """A schema of the test's own."""
    schema = f"test_{uuid4().hex[:12]}"
    connection = await asyncpg.connect(postgres_dsn)
    try:
        await connection.execute(f"CREATE SCHEMA {schema}; SET client_min_messages = error")
        yield schema
        await connection.execute(f"DROP SCHEMA {schema} CASCADE")
    finally:
        await connection.close()


def test_every_row_has_a_provoker_and_every_provoker_a_row() -> None:
    """What is written is proven, what is proven is written."""  # E4
    assert set(PROVOKERS) == set(ROWS)


def test_every_row_says_what_to_do() -> None:
    """No cell is empty."""  # E4
    for row in ROWS.values():
        assert row.kind, row
        assert row.sentences, row
        assert row.advice, row


@pytest.mark.parametrize(("row", "adapter"), cases("sqlite"))
async def test_on_sqlite(row: str, adapter: str, tmp_path: Path) -> None:
    """Class and sentence are those of the table, and the connection is back in the pool."""  # E1 E2 E4
    await check(row, Stage(BY_NAME[adapter], {"database": str(tmp_path / "test.db"), "max_size": 1}))


@pytest.mark.parametrize(("row", "adapter"), cases("postgres"))
async def test_on_postgres(row: str, adapter: str, postgres_dsn: str, postgres_schema: str) -> None:
    """The same on PostgreSQL."""  # E1 E2 E4
    place = {"dsn": postgres_dsn, "server_settings": {"search_path": postgres_schema}, "max_size": 1}
    await check(row, Stage(BY_NAME[adapter], place))


async def check(name: str, stage: Stage) -> None:
    row = ROWS[name]
    try:
        await stage.run(USERS)
        with pytest.raises(SQLSpecError) as raised:
            await PROVOKERS[name].provoke(stage)
        text, _, _ = str(raised.value).partition("\nStatement: ")
        assert type(raised.value).__name__ == row.kind, text
        assert row.says(text, stage.adapter.dialect), text
        await check_pools(stage)
    finally:
        await stage.close()


async def check_pools(stage: Stage) -> None:
    """Nobody holds a connection, and the stage's only one serves the next session."""
    async with stage.session() as db:
        assert await db.select_value("SELECT 1") == 1
    for config in stage.configs:
        if config.is_open:
            assert config.connections.holders == []
