"""psqlpy by hand, and both sides opened: two temporary databases of one PostgreSQL server, found or started.

The raw side takes rows as psqlpy gives them, dicts, and its values as it converts them, which are right for the columns
measured here. Its pool opens a connection at the first use and keeps it, as ours does. ``synchronous_commit`` is off on
both: waiting for the disk would hide what is to be seen.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import psqlpy

from benchmarks.data import KEY, POSTGRES, SCHEMA, Item, ItemStruct
from benchmarks.workloads import Bench, workloads
from benchmarks.workloads.ours import AsyncOurs
from sqlspec.adapters.psqlpy import PsqlpyConfig
from sqlspec.servers import find_or_start_postgres

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ("open_bench",)

_SETTINGS = "-c synchronous_commit=off"


class Raw:
    """One connection of psqlpy's pool."""

    def __init__(self, pool: psqlpy.ConnectionPool, connection: psqlpy.Connection) -> None:
        self._pool = pool
        self._connection = connection

    async def fill(self) -> None:
        for statement in SCHEMA:
            await self._connection.execute(statement)
        await self._connection.execute_many(POSTGRES.fill, [list(row) for row in POSTGRES.stored])

    async def one_dict(self) -> dict[str, Any]:
        result = await self._connection.fetch(POSTGRES.one, [KEY])
        return result.result()[0]

    async def one_dataclass(self) -> Item:
        result = await self._connection.fetch(POSTGRES.one, [KEY])
        return result.as_class(Item)[0]

    async def one_struct(self) -> ItemStruct:
        result = await self._connection.fetch(POSTGRES.one, [KEY])
        return result.as_class(ItemStruct)[0]

    async def scalar(self) -> object:
        value: object = await self._connection.fetch_val(POSTGRES.scalar, [KEY])
        return value

    async def all_dicts(self) -> list[dict[str, Any]]:
        result = await self._connection.fetch(POSTGRES.all)
        return result.result()

    async def all_dataclasses(self) -> list[Item]:
        result = await self._connection.fetch(POSTGRES.all)
        return [Item(*row) for row in result.result(as_tuple=True)]

    async def all_structs(self) -> list[ItemStruct]:
        result = await self._connection.fetch(POSTGRES.all)
        return [ItemStruct(*row) for row in result.result(as_tuple=True)]

    async def insert(self) -> None:
        await self._connection.execute(POSTGRES.insert, POSTGRES.row)

    async def clear(self) -> None:
        await self._connection.execute(POSTGRES.clear)

    async def insert_many(self) -> None:
        rows: list[Any] = POSTGRES.rows
        await self._connection.execute_many(POSTGRES.insert_many, rows)  # one transaction by itself

    async def never_seen(self) -> dict[str, Any]:
        result = await self._connection.fetch(POSTGRES.never_seen, [KEY])
        return result.result()[0]

    async def session(self) -> dict[str, Any]:
        async with self._pool.acquire() as connection:
            result = await connection.fetch(POSTGRES.one, [KEY])
            return result.result()[0]


@asynccontextmanager
async def open_bench() -> AsyncGenerator[Bench]:
    """Both sides, each on a database of its own, dropped at the end."""
    with (
        find_or_start_postgres() as server,
        server.temporary_database("sqlspec_bench_ours") as ours_dsn,
        server.temporary_database("sqlspec_bench_raw") as raw_dsn,
    ):
        config = PsqlpyConfig(pool_config={"dsn": ours_dsn, "options": _SETTINGS})
        pool = psqlpy.ConnectionPool(dsn=raw_dsn, options=_SETTINGS)
        try:
            async with pool.acquire() as connection, config.provide_session() as session:
                ours, raw = AsyncOurs(config, session, POSTGRES), Raw(pool, connection)
                await ours.fill()
                await raw.fill()
                yield Bench(f"PostgreSQL {server.version}", workloads(ours, raw), ours.empty_session)
        finally:
            pool.close()
            await config.close()
