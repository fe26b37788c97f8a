"""sqlite3 by hand, and both sides opened: files in a temporary folder, with the same pragmas."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.data import KEY, ROWS_WITH_DATES, SCHEMA, SQLITE, Item, ItemStruct, Row, as_dict, as_dicts
from benchmarks.workloads import Bench, workloads_with_dates
from benchmarks.workloads.ours import SyncOurs
from sqlspec.adapters.sqlite import SqliteConfig

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

__all__ = ("make_item", "make_items", "make_struct", "make_structs", "open_bench", "with_text_dates")


class Raw:
    """One connection in autocommit mode."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._idle = [connection]

    def fill(self) -> None:
        for statement in SCHEMA:
            self._connection.execute(statement)
        self._connection.executemany(SQLITE.fill, SQLITE.stored)

    def one_dict(self) -> dict[str, Any]:
        return as_dict(self._connection.execute(SQLITE.one, (KEY,)).fetchone())

    def one_dataclass(self) -> Item:
        return make_item(self._connection.execute(SQLITE.one, (KEY,)).fetchone())

    def one_struct(self) -> ItemStruct:
        return make_struct(self._connection.execute(SQLITE.one, (KEY,)).fetchone())

    def scalar(self) -> object:
        value: object = self._connection.execute(SQLITE.scalar, (KEY,)).fetchone()[0]
        return value

    def all_dicts(self) -> list[dict[str, Any]]:
        return as_dicts(self._connection.execute(SQLITE.all).fetchall())

    def all_dataclasses(self) -> list[Item]:
        return make_items(self._connection.execute(SQLITE.all).fetchall())

    def all_structs(self) -> list[ItemStruct]:
        return make_structs(self._connection.execute(SQLITE.all).fetchall())

    def insert(self) -> None:
        self._connection.execute(SQLITE.insert, SQLITE.row)

    def clear(self) -> None:
        self._connection.execute(SQLITE.clear)

    def insert_many(self) -> None:
        self._in_transaction(SQLITE.rows)

    def insert_many_dates(self) -> None:
        self._in_transaction(with_text_dates(ROWS_WITH_DATES))

    def _in_transaction(self, rows: list[Row]) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany(SQLITE.insert_many, rows)
        self._connection.execute("COMMIT")

    def never_seen(self) -> dict[str, Any]:
        return as_dict(self._connection.execute(SQLITE.never_seen, (KEY,)).fetchone())

    def session(self) -> dict[str, Any]:
        connection = self._idle.pop()
        try:
            return as_dict(connection.execute(SQLITE.one, (KEY,)).fetchone())
        finally:
            if connection.in_transaction:
                connection.rollback()
            self._idle.append(connection)


# SQLite has neither booleans nor dates: whoever wants them makes them.


def make_item(row: Any) -> Item:
    id_, name, price, active, day, payload, note, data = row
    return Item(id_, name, price, active != 0, date.fromisoformat(day), payload, note, data)


def make_items(rows: Any) -> list[Item]:
    iso = date.fromisoformat
    return [
        Item(id_, name, price, active != 0, iso(day), payload, note, data)
        for id_, name, price, active, day, payload, note, data in rows
    ]


def make_struct(row: Any) -> ItemStruct:
    id_, name, price, active, day, payload, note, data = row
    return ItemStruct(id_, name, price, active != 0, date.fromisoformat(day), payload, note, data)


def make_structs(rows: Any) -> list[ItemStruct]:
    iso = date.fromisoformat
    return [
        ItemStruct(id_, name, price, active != 0, iso(day), payload, note, data)
        for id_, name, price, active, day, payload, note, data in rows
    ]


def with_text_dates(rows: list[Row]) -> list[Row]:
    return [
        (id_, name, price, active, day.isoformat(), payload, note, data)
        for id_, name, price, active, day, payload, note, data in rows
    ]


def _connect(path: Path, pragmas: Mapping[str, str]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for name, value in pragmas.items():
        connection.execute(f"PRAGMA {name} = {value}")
    return connection


@asynccontextmanager
async def open_bench() -> AsyncGenerator[Bench]:
    """Both sides, each on a file of its own."""
    with TemporaryDirectory() as folder:
        config = SqliteConfig(pool_config={"database": str(Path(folder, "ours.db"))})
        try:
            with (
                closing(_connect(Path(folder, "raw.db"), config.pragmas)) as connection,
                config.provide_session() as session,
            ):
                ours, raw = SyncOurs(config, session, SQLITE), Raw(connection)
                ours.fill()
                raw.fill()
                yield Bench(f"SQLite {sqlite3.sqlite_version}", workloads_with_dates(ours, raw), ours.empty_session)
        finally:
            config.close()
