"""aiosqlite by hand, and both sides opened: files in a temporary folder, with the same pragmas.

``execute_fetchall`` is its only way to a row that costs one hop to the connection's thread; ``async with execute()``
and ``fetchone`` cost three.
"""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import aiosqlite

from benchmarks.data import KEY, ROWS_WITH_DATES, SCHEMA, SQLITE, Item, ItemStruct, Row, as_dict, as_dicts
from benchmarks.workloads import Bench, workloads_with_dates
from benchmarks.workloads.ours import AsyncOurs
from benchmarks.workloads.sqlite import make_item, make_items, make_struct, make_structs, with_text_dates
from sqlspec.adapters.aiosqlite import AiosqliteConfig

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ("open_bench",)


class Raw:
    """One connection in autocommit mode."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._idle = [connection]

    async def fill(self) -> None:
        for statement in SCHEMA:
            await self._connection.execute(statement)
        await self._connection.executemany(SQLITE.fill, SQLITE.stored)

    async def one_dict(self) -> dict[str, Any]:
        (row,) = await self._connection.execute_fetchall(SQLITE.one, (KEY,))
        return as_dict(row)

    async def one_dataclass(self) -> Item:
        (row,) = await self._connection.execute_fetchall(SQLITE.one, (KEY,))
        return make_item(row)

    async def one_struct(self) -> ItemStruct:
        (row,) = await self._connection.execute_fetchall(SQLITE.one, (KEY,))
        return make_struct(row)

    async def scalar(self) -> object:
        ((value,),) = await self._connection.execute_fetchall(SQLITE.scalar, (KEY,))
        return value

    async def all_dicts(self) -> list[dict[str, Any]]:
        return as_dicts(await self._connection.execute_fetchall(SQLITE.all))

    async def all_dataclasses(self) -> list[Item]:
        return make_items(await self._connection.execute_fetchall(SQLITE.all))

    async def all_structs(self) -> list[ItemStruct]:
        return make_structs(await self._connection.execute_fetchall(SQLITE.all))

    async def insert(self) -> None:
        await self._connection.execute_fetchall(SQLITE.insert, SQLITE.row)

    async def clear(self) -> None:
        await self._connection.execute_fetchall(SQLITE.clear)

    async def insert_many(self) -> None:
        await self._in_transaction(SQLITE.rows)

    async def insert_many_dates(self) -> None:
        await self._in_transaction(with_text_dates(ROWS_WITH_DATES))

    async def _in_transaction(self, rows: list[Row]) -> None:
        await self._connection.execute("BEGIN")
        await self._connection.executemany(SQLITE.insert_many, rows)
        await self._connection.commit()

    async def never_seen(self) -> dict[str, Any]:
        (row,) = await self._connection.execute_fetchall(SQLITE.never_seen, (KEY,))
        return as_dict(row)

    async def session(self) -> dict[str, Any]:
        connection = self._idle.pop()
        try:
            (row,) = await connection.execute_fetchall(SQLITE.one, (KEY,))
            return as_dict(row)
        finally:
            if connection.in_transaction:
                await connection.rollback()
            self._idle.append(connection)


@asynccontextmanager
async def open_bench() -> AsyncGenerator[Bench]:
    """Both sides, each on a file of its own."""
    with TemporaryDirectory() as folder:
        config = AiosqliteConfig(pool_config={"database": str(Path(folder, "ours.db"))})
        try:
            async with (
                aiosqlite.connect(Path(folder, "raw.db"), isolation_level=None) as connection,
                config.provide_session() as session,
            ):
                for name, value in config.pragmas.items():
                    await connection.execute(f"PRAGMA {name} = {value}")
                ours, raw = AsyncOurs(config, session, SQLITE), Raw(connection)
                await ours.fill()
                await raw.fill()
                yield Bench(f"SQLite {sqlite3.sqlite_version}", workloads_with_dates(ours, raw), ours.empty_session)
        finally:
            await config.close()
