"""Our side of all workloads. Only the statements differ between adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.data import KEY, ROWS_WITH_DATES, Inputs, Item, ItemStruct

if TYPE_CHECKING:
    from sqlspec.config import AsyncDatabaseConfig, SyncDatabaseConfig
    from sqlspec.driver import AsyncDriverAdapterBase, SyncDriverAdapterBase

    AsyncConfig = AsyncDatabaseConfig[Any, Any, Any]
    SyncConfig = SyncDatabaseConfig[Any, Any, Any]

__all__ = ("AsyncOurs", "SyncOurs")


class AsyncOurs:
    """An async session that holds its connection."""

    def __init__(self, config: AsyncConfig, session: AsyncDriverAdapterBase, inputs: Inputs) -> None:
        self._config = config
        self._session = session
        self._inputs = inputs

    async def fill(self) -> None:
        for statement in self._inputs.schema:
            await self._session.execute(statement)
        await self._session.execute_many(self._inputs.fill, self._inputs.stored)

    async def one_dict(self) -> dict[str, Any]:
        return await self._session.select_one(self._inputs.one, KEY)

    async def one_dataclass(self) -> Item:
        return await self._session.select_one(self._inputs.one, KEY, schema_type=Item)

    async def one_struct(self) -> ItemStruct:
        return await self._session.select_one(self._inputs.one, KEY, schema_type=ItemStruct)

    async def scalar(self) -> object:
        value: object = await self._session.select_value(self._inputs.scalar, KEY)
        return value

    async def all_dicts(self) -> list[dict[str, Any]]:
        return await self._session.select(self._inputs.all)

    async def all_dataclasses(self) -> list[Item]:
        return await self._session.select(self._inputs.all, schema_type=Item)

    async def all_structs(self) -> list[ItemStruct]:
        return await self._session.select(self._inputs.all, schema_type=ItemStruct)

    async def insert(self) -> None:
        await self._session.execute(self._inputs.insert, self._inputs.row)

    async def clear(self) -> None:
        await self._session.execute(self._inputs.clear)

    async def insert_many(self) -> None:
        await self._session.execute_many(self._inputs.insert_many, self._inputs.rows)

    async def insert_many_dates(self) -> None:
        await self._session.execute_many(self._inputs.insert_many, ROWS_WITH_DATES)

    async def never_seen(self) -> dict[str, Any]:
        return await self._session.select_one(self._inputs.never_seen, KEY)

    async def session(self) -> dict[str, Any]:
        async with self._config.provide_session() as session:
            row: dict[str, Any] = await session.select_one(self._inputs.one, KEY)
            return row

    async def empty_session(self) -> None:
        async with self._config.provide_session():
            pass


class SyncOurs:
    """A sync session that holds its connection."""

    def __init__(self, config: SyncConfig, session: SyncDriverAdapterBase, inputs: Inputs) -> None:
        self._config = config
        self._session = session
        self._inputs = inputs

    def fill(self) -> None:
        for statement in self._inputs.schema:
            self._session.execute(statement)
        self._session.execute_many(self._inputs.fill, self._inputs.stored)

    def one_dict(self) -> dict[str, Any]:
        return self._session.select_one(self._inputs.one, KEY)

    def one_dataclass(self) -> Item:
        return self._session.select_one(self._inputs.one, KEY, schema_type=Item)

    def one_struct(self) -> ItemStruct:
        return self._session.select_one(self._inputs.one, KEY, schema_type=ItemStruct)

    def scalar(self) -> object:
        value: object = self._session.select_value(self._inputs.scalar, KEY)
        return value

    def all_dicts(self) -> list[dict[str, Any]]:
        return self._session.select(self._inputs.all)

    def all_dataclasses(self) -> list[Item]:
        return self._session.select(self._inputs.all, schema_type=Item)

    def all_structs(self) -> list[ItemStruct]:
        return self._session.select(self._inputs.all, schema_type=ItemStruct)

    def insert(self) -> None:
        self._session.execute(self._inputs.insert, self._inputs.row)

    def clear(self) -> None:
        self._session.execute(self._inputs.clear)

    def insert_many(self) -> None:
        self._session.execute_many(self._inputs.insert_many, self._inputs.rows)

    def insert_many_dates(self) -> None:
        self._session.execute_many(self._inputs.insert_many, ROWS_WITH_DATES)

    def never_seen(self) -> dict[str, Any]:
        return self._session.select_one(self._inputs.never_seen, KEY)

    def session(self) -> dict[str, Any]:
        with self._config.provide_session() as session:
            row: dict[str, Any] = session.select_one(self._inputs.one, KEY)
            return row

    def empty_session(self) -> None:
        with self._config.provide_session():
            pass
