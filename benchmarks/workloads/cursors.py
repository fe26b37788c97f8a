"""Drivers by hand whose statements go through cursors (PEP 249), in both colours, and what their rows become.

How a cursor is had, and what it takes for a transaction, differs from driver to driver: that is handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.data import KEY, Inputs, Item, ItemStruct, as_dict, as_dicts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ("BOOLS_AS_INTEGERS", "TYPED", "AsyncCursors", "Makers", "SyncCursors")


@dataclass(frozen=True, slots=True)
class Makers:
    """What a careful programmer makes of a row, and of many."""

    item: Callable[[Any], Item]
    items: Callable[[Any], list[Item]]
    struct: Callable[[Any], ItemStruct]
    structs: Callable[[Any], list[ItemStruct]]


TYPED = Makers(
    lambda row: Item(*row),
    lambda rows: [Item(*row) for row in rows],
    lambda row: ItemStruct(*row),
    lambda rows: [ItemStruct(*row) for row in rows],
)
"""Where the driver gives every value as its field has it."""


def _item(row: Any) -> Item:
    id_, name, price, active, day, payload, note, data = row
    return Item(id_, name, price, active != 0, day, payload, note, data)


def _struct(row: Any) -> ItemStruct:
    id_, name, price, active, day, payload, note, data = row
    return ItemStruct(id_, name, price, active != 0, day, payload, note, data)


BOOLS_AS_INTEGERS = Makers(
    _item,
    lambda rows: [
        Item(id_, name, price, active != 0, day, payload, note, data)
        for id_, name, price, active, day, payload, note, data in rows
    ],
    _struct,
    lambda rows: [
        ItemStruct(id_, name, price, active != 0, day, payload, note, data)
        for id_, name, price, active, day, payload, note, data in rows
    ],
)
"""MySQL."""


class SyncCursors:
    """One connection in autocommit mode.

    Args:
        connection: The driver's.
        inputs: Statements and rows.
        makers: What rows become.
        cursor: Opens one.
        close: Closes it.
    """

    def __init__(
        self,
        connection: Any,
        inputs: Inputs,
        makers: Makers,
        cursor: Callable[[Any], Any] = lambda c: c.cursor(),
        close: Callable[[Any], None] = lambda c: c.close(),
    ) -> None:
        self._close = close
        self._connection = connection
        self._inputs = inputs
        self._makers = makers
        self._cursor = cursor
        self._idle = [connection]

    def _run(self, sql: str, values: Sequence[Any] = ()) -> None:
        cursor = self._cursor(self._connection)
        cursor.execute(sql, values) if values else cursor.execute(sql)
        self._close(cursor)

    def _one(self, sql: str) -> Any:
        cursor = self._cursor(self._connection)
        cursor.execute(sql, (KEY,))
        row = cursor.fetchone()
        self._close(cursor)
        return row

    def _all(self) -> Any:
        cursor = self._cursor(self._connection)
        cursor.execute(self._inputs.all)
        rows = cursor.fetchall()
        self._close(cursor)
        return rows

    def _many(self, sql: str, rows: Sequence[Any]) -> None:
        cursor = self._cursor(self._connection)
        cursor.execute("BEGIN")
        cursor.executemany(sql, rows)
        cursor.execute("COMMIT")
        self._close(cursor)

    def fill(self) -> None:
        for statement in self._inputs.schema:
            self._run(statement)
        self._many(self._inputs.fill, self._inputs.stored)

    def one_dict(self) -> dict[str, Any]:
        return as_dict(self._one(self._inputs.one))

    def one_dataclass(self) -> Item:
        return self._makers.item(self._one(self._inputs.one))

    def one_struct(self) -> ItemStruct:
        return self._makers.struct(self._one(self._inputs.one))

    def scalar(self) -> object:
        value: object = self._one(self._inputs.scalar)[0]
        return value

    def all_dicts(self) -> list[dict[str, Any]]:
        return as_dicts(self._all())

    def all_dataclasses(self) -> list[Item]:
        return self._makers.items(self._all())

    def all_structs(self) -> list[ItemStruct]:
        return self._makers.structs(self._all())

    def insert(self) -> None:
        self._run(self._inputs.insert, self._inputs.row)

    def clear(self) -> None:
        self._run(self._inputs.clear)

    def insert_many(self) -> None:
        self._many(self._inputs.insert_many, self._inputs.rows)

    def never_seen(self) -> dict[str, Any]:
        return as_dict(self._one(self._inputs.never_seen))

    def session(self) -> dict[str, Any]:
        self._connection = self._idle.pop()
        try:
            return as_dict(self._one(self._inputs.one))
        finally:
            self._idle.append(self._connection)


class AsyncCursors:
    """The async sibling.

    Args:
        connection: The driver's.
        inputs: Statements and rows.
        makers: What rows become.
        cursor: Opens one.
        close: Closes it.
    """

    def __init__(
        self,
        connection: Any,
        inputs: Inputs,
        makers: Makers,
        cursor: Callable[[Any], Awaitable[Any]],
        close: Callable[[Any], Awaitable[Any]],
    ) -> None:
        self._connection = connection
        self._inputs = inputs
        self._makers = makers
        self._cursor = cursor
        self._close = close
        self._idle = [connection]

    async def _run(self, sql: str, values: Sequence[Any] = ()) -> None:
        cursor = await self._cursor(self._connection)
        await (cursor.execute(sql, values) if values else cursor.execute(sql))
        await self._close(cursor)

    async def _one(self, sql: str) -> Any:
        cursor = await self._cursor(self._connection)
        await cursor.execute(sql, (KEY,))
        row = await cursor.fetchone()
        await self._close(cursor)
        return row

    async def _all(self) -> Any:
        cursor = await self._cursor(self._connection)
        await cursor.execute(self._inputs.all)
        rows = await cursor.fetchall()
        await self._close(cursor)
        return rows

    async def _many(self, sql: str, rows: Sequence[Any]) -> None:
        cursor = await self._cursor(self._connection)
        await cursor.execute("BEGIN")
        await cursor.executemany(sql, rows)
        await cursor.execute("COMMIT")
        await self._close(cursor)

    async def fill(self) -> None:
        for statement in self._inputs.schema:
            await self._run(statement)
        await self._many(self._inputs.fill, self._inputs.stored)

    async def one_dict(self) -> dict[str, Any]:
        return as_dict(await self._one(self._inputs.one))

    async def one_dataclass(self) -> Item:
        return self._makers.item(await self._one(self._inputs.one))

    async def one_struct(self) -> ItemStruct:
        return self._makers.struct(await self._one(self._inputs.one))

    async def scalar(self) -> object:
        value: object = (await self._one(self._inputs.scalar))[0]
        return value

    async def all_dicts(self) -> list[dict[str, Any]]:
        return as_dicts(await self._all())

    async def all_dataclasses(self) -> list[Item]:
        return self._makers.items(await self._all())

    async def all_structs(self) -> list[ItemStruct]:
        return self._makers.structs(await self._all())

    async def insert(self) -> None:
        await self._run(self._inputs.insert, self._inputs.row)

    async def clear(self) -> None:
        await self._run(self._inputs.clear)

    async def insert_many(self) -> None:
        await self._many(self._inputs.insert_many, self._inputs.rows)

    async def never_seen(self) -> dict[str, Any]:
        return as_dict(await self._one(self._inputs.never_seen))

    async def session(self) -> dict[str, Any]:
        self._connection = self._idle.pop()
        try:
            return as_dict(await self._one(self._inputs.one))
        finally:
            self._idle.append(self._connection)
