"""docs/errors.md says what is raised: every row is provoked on the real thing, on every adapter where it can happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sqlspec.exceptions import SQLSpecError
from tests.compliance.targets import BY_NAME
from tests.docs import provoke_configs, provoke_sessions, provoke_statements, provoke_web
from tests.docs.error_table import PROVOKERS, ROWS, Stage

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ("provoke_configs", "provoke_sessions", "provoke_statements", "provoke_web")

USERS = "CREATE TABLE users (id BIGINT PRIMARY KEY, email {name} NOT NULL UNIQUE, name TEXT, CHECK (id > 0))"


CASES = [(row, adapter) for row, provoker in PROVOKERS.items() for adapter in provoker.adapters]


def test_every_row_has_a_provoker_and_every_provoker_a_row() -> None:
    """What is written is proven, what is proven is written."""  # E4
    assert set(PROVOKERS) == set(ROWS)


def test_every_row_says_what_to_do() -> None:
    """No cell is empty."""  # E4
    for row in ROWS.values():
        assert row.kind, row
        assert row.sentences, row
        assert row.advice, row


@pytest.mark.parametrize(("row", "adapter"), CASES)
async def test_the_error_is_as_the_table_says(row: str, adapter: str, tmp_path: Path) -> None:
    """Class and sentence are those of the table, and the connection is back in the pool."""  # E1 E2 E4
    with BY_NAME[adapter].database(tmp_path) as place:
        await check(row, Stage(BY_NAME[adapter], {**place, "max_size": 1}))


async def check(name: str, stage: Stage) -> None:
    row = ROWS[name]
    try:
        await stage.run(USERS.format(name=stage.type_of("name")))
        with pytest.raises(SQLSpecError) as raised:
            await PROVOKERS[name].provoke(stage)
        text, _, _ = str(raised.value).partition("\nStatement: ")
        assert type(raised.value).__name__ == row.kind, text
        assert row.says(text, stage.dialect), text
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
