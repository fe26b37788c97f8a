"""What every adapter is asked: a table of eight columns, the statements, the rows, and what rows become.

Types of columns are written so that SQLite, PostgreSQL and DuckDB take the same text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any

import msgspec

__all__ = (
    "DUCKDB",
    "MYSQL",
    "POSTGRES",
    "PSYCOPG",
    "SCHEMA",
    "SQLITE",
    "Inputs",
    "Item",
    "ItemStruct",
    "Row",
    "as_dict",
    "as_dicts",
)

Row = tuple[Any, ...]

COLUMNS = ("id", "name", "price", "active", "day", "payload", "note", "data")
_TYPES = ("INTEGER", "TEXT", "DOUBLE PRECISION", "BOOLEAN", "DATE", "TEXT", "TEXT", "BYTEA")
_LISTED = ", ".join(COLUMNS)
_TYPED = ", ".join(f"{name} {kind}" for name, kind in zip(COLUMNS, _TYPES, strict=True))

SCHEMA = (
    f"CREATE TABLE items ({_TYPED}, PRIMARY KEY (id))",
    f"CREATE TABLE added ({_TYPED})",
    f"CREATE TABLE bulk ({_TYPED})",
)
MYSQL_SCHEMA = tuple(statement.replace("BYTEA", "BLOB") for statement in SCHEMA)
KEY = 500
STORED = 1_000
MANY = 10_000


@dataclass
class Item:
    """A row as a dataclass."""

    id: int
    name: str
    price: float
    active: bool
    day: date
    payload: str
    note: str | None
    data: bytes


class ItemStruct(msgspec.Struct):
    """A row as a Struct."""

    id: int
    name: str
    price: float
    active: bool
    day: date
    payload: str
    note: str | None
    data: bytes


def as_dict(row: Any) -> dict[str, Any]:
    """The quickest dict of one row that can be written by hand."""
    id_, name, price, active, day, payload, note, data = row
    return {
        "id": id_,
        "name": name,
        "price": price,
        "active": active,
        "day": day,
        "payload": payload,
        "note": note,
        "data": data,
    }


def as_dicts(rows: Any) -> list[dict[str, Any]]:
    """The quickest dicts of many rows that can be written by hand."""
    return [
        {
            "id": id_,
            "name": name,
            "price": price,
            "active": active,
            "day": day,
            "payload": payload,
            "note": note,
            "data": data,
        }
        for id_, name, price, active, day, payload, note, data in rows
    ]


def _row(number: int, dates_as_text: bool) -> Row:
    day = date(2024, 1, 1) + timedelta(days=number % 365)
    note = f"note {number}" if number % 3 else None
    payload = f'{{"tags": ["a", "b"], "number": {number}}}'
    stored_day = day.isoformat() if dates_as_text else day
    return number, f"name {number}", number * 1.25, number % 2 == 0, stored_day, payload, note, b"0123456789abcdef"


class Inputs:
    """Statements in a dialect's own placeholders, and values that its driver takes as they are.

    Args:
        mark: The placeholder; ``{}`` in it is its number.
        dates_as_text: The database has no dates.
        clear: How the table of the many inserts is emptied.
        schema: The tables.
    """

    def __init__(self, mark: str, *, dates_as_text: bool, clear: str, schema: tuple[str, ...] = SCHEMA) -> None:
        self.schema = schema
        marks = ", ".join(mark.format(number) for number in range(1, len(COLUMNS) + 1))
        self.one = f"SELECT {_LISTED} FROM items WHERE id = {mark.format(1)}"
        self.all = f"SELECT {_LISTED} FROM items"
        self.scalar = f"SELECT name FROM items WHERE id = {mark.format(1)}"
        self.insert = f"INSERT INTO added ({_LISTED}) VALUES ({marks})"
        self.insert_many = f"INSERT INTO bulk ({_LISTED}) VALUES ({marks})"
        self.fill = f"INSERT INTO items ({_LISTED}) VALUES ({marks})"
        self.clear = clear
        self.row = _row(1, dates_as_text)
        self.stored = [_row(number, dates_as_text) for number in range(STORED)]
        self.rows = [_row(number, dates_as_text) for number in range(MANY)]
        self._numbers = count()

    @property
    def never_seen(self) -> str:
        """The statement for one row, as a text that nobody has seen before."""
        return f"{self.one} /* request {next(self._numbers):08} */"


SQLITE = Inputs("?", dates_as_text=True, clear="DELETE FROM bulk")
POSTGRES = Inputs("${}", dates_as_text=False, clear="TRUNCATE bulk")
PSYCOPG = Inputs("%s", dates_as_text=False, clear="TRUNCATE bulk")
MYSQL = Inputs("%s", dates_as_text=False, clear="TRUNCATE bulk", schema=MYSQL_SCHEMA)
DUCKDB = Inputs("?", dates_as_text=False, clear="DELETE FROM bulk")
ROWS_WITH_DATES: list[Row] = [_row(number, dates_as_text=False) for number in range(MANY)]
