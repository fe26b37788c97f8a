"""The workloads, and the adapters that they are run on.

A side is an object with one method per workload: ours (``ours.py``, one for all adapters) or a raw driver's (one file
for all drivers with cursors, ``cursors.py``, and one for each other). Methods are plain functions or coroutine
functions. What ``ADAPTERS`` names opens both sides on databases of their own, so that neither fills a cache or takes a
lock of the other's.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from benchmarks.timing import Work, Workload

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from benchmarks.timing import Call

__all__ = ("ADAPTERS", "Bench", "DateSide", "Side", "opener", "workloads", "workloads_with_dates")

ADAPTERS = {
    "sqlite": "sqlite:open_bench",
    "aiosqlite": "aiosqlite:open_bench",
    "asyncpg": "asyncpg:open_bench",
    **{
        name: f"opened:{name}"
        for name in (
            *("psycopg", "psycopg_sync", "asyncmy", "aiomysql", "pymysql", "mysqlconnector", "mysqlconnector_sync"),
            *("duckdb", "adbc_duckdb", "adbc_sqlite", "adbc_postgresql"),
        )
    },
    "psqlpy": "psqlpy:open_bench",
}
"""Which function of which module opens the two sides of an adapter."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One adapter, opened.

    Attributes:
        database: What is behind it, with its version.
        workloads: What can be measured.
        empty_session: Opens and closes one of our sessions that runs nothing.
    """

    database: str
    workloads: list[Workload]
    empty_session: Call


class Side(Protocol):
    """What both sides of every adapter can do."""

    def one_dict(self) -> object: ...
    def one_dataclass(self) -> object: ...
    def one_struct(self) -> object: ...
    def all_dicts(self) -> object: ...
    def all_dataclasses(self) -> object: ...
    def all_structs(self) -> object: ...
    def scalar(self) -> object: ...
    def insert(self) -> object: ...
    def clear(self) -> object: ...
    def insert_many(self) -> object: ...
    def never_seen(self) -> object: ...
    def session(self) -> object: ...


class DateSide(Side, Protocol):
    """What can be measured where the database has no dates."""

    def insert_many_dates(self) -> object: ...


def workloads(ours: Side, raw: Side) -> list[Workload]:
    """What is measured on every adapter."""
    return [
        _pair("one row as dict", ours.one_dict, raw.one_dict),
        _pair("one row as dataclass", ours.one_dataclass, raw.one_dataclass),
        _pair("one row as Struct", ours.one_struct, raw.one_struct),
        _pair("scalar", ours.scalar, raw.scalar),
        _pair("1,000 rows as dicts", ours.all_dicts, raw.all_dicts),
        _pair("1,000 rows as dataclasses", ours.all_dataclasses, raw.all_dataclasses),
        _pair("1,000 rows as Structs", ours.all_structs, raw.all_structs),
        _pair("one insert", ours.insert, raw.insert),
        Workload("10,000 inserts", Work(ours.insert_many, ours.clear), Work(raw.insert_many, raw.clear)),
        _pair("one row, text never seen", ours.never_seen, raw.never_seen),
        _pair("session: open, one row, close", ours.session, raw.session),
    ]


def workloads_with_dates(ours: DateSide, raw: DateSide) -> list[Workload]:
    """Also what has to be changed on its way in."""
    dates = Workload(
        "10,000 inserts, a date in each",
        Work(ours.insert_many_dates, ours.clear),
        Work(raw.insert_many_dates, raw.clear),
    )
    return [*workloads(ours, raw), dates]


def _pair(name: str, ours: Call, raw: Call) -> Workload:
    return Workload(name, Work(ours), Work(raw))


def opener(adapter: str) -> Callable[[], AbstractAsyncContextManager[Bench]]:
    """What opens the two sides of an adapter; its driver is imported then."""
    module, _, function = ADAPTERS[adapter].partition(":")
    opened: Callable[[], AbstractAsyncContextManager[Bench]] = getattr(import_module(f"{__name__}.{module}"), function)
    return opened
