"""Many rows of which one is refused, in an open transaction: whether others were sent by then differs by driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sqlspec.exceptions import DataError, TransactionAbortedError
from tests.compliance.targets import ADAPTERS, BY_NAME

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase
    from sqlspec.testing.compliance import Database

ABORTING = {adapter.name for adapter in ADAPTERS if adapter.fits(("error_aborts",))}
LOOK_FIRST = {"psqlpy", "adbc_postgresql"}
"""Those that convert every row before they send one. The others send as they convert, or let the server refuse."""
SEND_FIRST = ABORTING - LOOK_FIRST
INSERT = "INSERT INTO items VALUES (?, ?)"
ROWS = [*((n, "x" * 1000) for n in range(1000)), ("a", "b")]


def by(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("database", [BY_NAME[name] for name in sorted(names)], indirect=True, ids=str)


@by(*SEND_FIRST)
async def test_what_was_sent_aborts_the_transaction(
    items: None, database: Database, db: AsyncDriverAdapterBase
) -> None:
    """Nothing of it can be saved, and commit() says so."""  # P7 S6
    await db.begin()
    await db.execute(INSERT, 5000, "before")
    with pytest.raises(DataError):
        await db.execute_many(INSERT, ROWS)
    with pytest.raises(TransactionAbortedError):
        await db.commit()
    assert await database.value("SELECT count(*) FROM items") == 0


@by(*LOOK_FIRST)
async def test_what_was_not_sent_aborts_nothing(items: None, database: Database, db: AsyncDriverAdapterBase) -> None:
    """The transaction is as good as before."""  # P7 S14
    await db.begin()
    await db.execute(INSERT, 5000, "before")
    with pytest.raises(DataError):
        await db.execute_many(INSERT, ROWS)
    await db.commit()
    assert await database.value("SELECT count(*) FROM items") == 1
