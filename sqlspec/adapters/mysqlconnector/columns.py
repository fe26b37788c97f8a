"""Columns of the text protocol as Python values. Pure.

What the driver makes of them depends on their content (a GEOMETRY is a text if it happens to be UTF-8), a SET is a
Python set without order, a zero date None. So it is done here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from mysql.connector.constants import FieldType

__all__ = ("Result",)

Decoder = Callable[[bytes], Any]


class Result:
    """What a statement gave.

    Attributes:
        description: Of its columns; None if it gives no rows.
        rows: As Python values.
        affected_rows: How many rows it changed.
        insert_id: The key of the first inserted row, or 0.
        has_next: Another result follows.
    """

    __slots__ = ("affected_rows", "description", "has_next", "insert_id", "rows")

    def __init__(self, told: Any, rows: Sequence[Any], *, has_next: bool) -> None:
        columns: Sequence[Any] | None = told.get("columns")
        self.description = columns
        self.rows = rows_of(rows, columns) if columns is not None else ()
        self.affected_rows: int = told.get("affected_rows", len(rows))
        self.insert_id: int = told.get("insert_id", 0)
        self.has_next = has_next


def rows_of(rows: Sequence[Any], columns: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Rows as Python values, by the columns' types and character sets."""
    decoders = [_decoder(column[1], column[8]) for column in columns]
    return [
        tuple([None if value is None else decode(value) for value, decode in zip(row, decoders, strict=True)])
        for row in rows
    ]


def _decoder(kind: int, charset: int) -> Decoder:
    known = _DECODERS.get(kind)
    if known is not None:
        return known
    return bytes if charset == _BINARY else bytes.decode


_BINARY = 63


def _decimal(value: bytes) -> Decimal:
    return Decimal(value.decode())


def _datetime(value: bytes) -> dt.datetime | str:
    """Python has no zero dates: they stay the text that they are."""
    text = value.decode()
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return text


def _date(value: bytes) -> dt.date | str:
    text = value.decode()
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return text


def _time(value: bytes) -> dt.timedelta:
    """``-838:59:59.000000``."""
    hours, minutes, seconds = value.lstrip(b"-").split(b":")
    whole, _, fraction = seconds.partition(b".")
    time = dt.timedelta(
        hours=int(hours), minutes=int(minutes), seconds=int(whole), microseconds=int(fraction.ljust(6, b"0"))
    )
    return -time if value.startswith(b"-") else time


_DECODERS: dict[int, Decoder] = {
    **dict.fromkeys(
        (FieldType.TINY, FieldType.SHORT, FieldType.INT24, FieldType.LONG, FieldType.LONGLONG, FieldType.YEAR), int
    ),
    **dict.fromkeys((FieldType.FLOAT, FieldType.DOUBLE), float),
    **dict.fromkeys((FieldType.DECIMAL, FieldType.NEWDECIMAL), _decimal),
    **dict.fromkeys((FieldType.DATETIME, FieldType.TIMESTAMP), _datetime),
    FieldType.DATE: _date,
    FieldType.TIME: _time,
    FieldType.JSON: bytes.decode,
}
