"""asyncpg by hand, and both sides opened: two temporary databases of one PostgreSQL server, found or started.

Both sides use a connection of asyncpg's own pool. ``synchronous_commit`` is off on both: waiting for the disk would
hide what is to be seen.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

from benchmarks.data import KEY, POSTGRES, SCHEMA, Item, ItemStruct, as_dict, as_dicts
from benchmarks.workloads import Bench, workloads
from benchmarks.workloads.ours import AsyncOurs
from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.servers import find_or_start_postgres

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from asyncpg.pool import PoolConnectionProxy

__all__ = ("open_bench",)

_SETTINGS = {"synchronous_commit": "off"}


class Raw:
    """One connection of asyncpg's pool."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], connection: PoolConnectionProxy[asyncpg.Record]) -> None:
        self._pool = pool
        self._connection = connection

    async def fill(self) -> None:
        for statement in SCHEMA:
            await self._connection.execute(statement)
        await self._connection.executemany(POSTGRES.fill, POSTGRES.stored)

    async def one_dict(self) -> dict[str, Any]:
        return as_dict(await self._connection.fetchrow(POSTGRES.one, KEY))

    async def one_dataclass(self) -> Item:
        row: Any = await self._connection.fetchrow(POSTGRES.one, KEY)
        return Item(*row)

    async def one_struct(self) -> ItemStruct:
        row: Any = await self._connection.fetchrow(POSTGRES.one, KEY)
        return ItemStruct(*row)

    async def scalar(self) -> object:
        value: object = await self._connection.fetchval(POSTGRES.scalar, KEY)
        return value

    async def all_dicts(self) -> list[dict[str, Any]]:
        return as_dicts(await self._connection.fetch(POSTGRES.all))

    async def all_dataclasses(self) -> list[Item]:
        return [Item(*row) for row in await self._connection.fetch(POSTGRES.all)]

    async def all_structs(self) -> list[ItemStruct]:
        return [ItemStruct(*row) for row in await self._connection.fetch(POSTGRES.all)]

    async def insert(self) -> None:
        await self._connection.execute(POSTGRES.insert, *POSTGRES.row)

    async def clear(self) -> None:
        await self._connection.execute(POSTGRES.clear)

    async def insert_many(self) -> None:
        await self._connection.executemany(POSTGRES.insert_many, POSTGRES.rows)  # one transaction by itself

    async def never_seen(self) -> dict[str, Any]:
        return as_dict(await self._connection.fetchrow(POSTGRES.never_seen, KEY))

    async def session(self) -> dict[str, Any]:
        async with self._pool.acquire() as connection:
            return as_dict(await connection.fetchrow(POSTGRES.one, KEY))


@asynccontextmanager
async def open_bench() -> AsyncGenerator[Bench]:
    """Both sides, each on a database of its own, dropped at the end."""
    with (
        find_or_start_postgres() as server,
        server.temporary_database("sqlspec_bench_ours") as ours_dsn,
        server.temporary_database("sqlspec_bench_raw") as raw_dsn,
    ):
        config = AsyncpgConfig(pool_config={"dsn": ours_dsn, "server_settings": _SETTINGS})
        try:
            async with (
                asyncpg.create_pool(raw_dsn, min_size=1, max_size=10, server_settings=_SETTINGS) as pool,
                pool.acquire() as connection,
                config.provide_session() as session,
            ):
                ours, raw = AsyncOurs(config, session, POSTGRES), Raw(pool, connection)
                await ours.fill()
                await raw.fill()
                yield Bench(f"PostgreSQL {server.version}", workloads(ours, raw), ours.empty_session)
        finally:
            await config.close()
