"""What psqlpy's results become.

psqlpy converts by itself and tells no column's type. Measured with 0.13.1: a UUID comes as text, numeric is rounded to
28 digits, inet loses its mask, a large number in JSON becomes a float; an array that holds NULL, char(n), a numeric
that is too long for it and an infinite date are refused, all rows with them. So the bytes are asked for of a column
whose class is one of these, or that was refused, and together they tell its type. Nothing is remembered from one result
to the next, in which a column may have become something else.

What can't be told apart stays as psqlpy has it: money as a number of cents, an oid from 2**31 on as a negative one.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

from sqlspec.dialects.postgres_binary import read_column, unreadable

if TYPE_CHECKING:
    from psqlpy import QueryResult

    from sqlspec.dialects.postgres_binary import Decoder, Formats

__all__ = ("read_rows",)

_DOUBTFUL = frozenset({str, list, dict, Decimal, dt.timedelta, IPv4Address, IPv6Address})
_LONG = len("12345678-1234-5678-1234-567812345678")
"""Texts of this length may be UUIDs."""
_REFUSED = re.compile(r"python type: (?:Cannot convert (?:PostgreSQL type )?)?(\w+)")


def read_rows(result: QueryResult, columns: tuple[str, ...], formats: Formats) -> list[tuple[Any, ...]]:
    """All rows of a result.

    Raises:
        MisfitError: A column can't be read.
    """
    refused: dict[str, Decoder] = {}
    try:
        rows = result.result(as_tuple=True)
    except BaseException as error:  # noqa: BLE001 (a panic of Rust is one)
        _pass_on(error)
        refused = _refused(result, [column.lower() for column in columns], formats)
        rows = result.result(as_tuple=True, custom_decoders=dict.fromkeys(refused, bytes))
    if not rows:
        return rows
    doubtful: dict[int, Any] = {}
    for place, value in enumerate(rows[0]):
        first = _first(rows, place) if value is None else value
        if type(first) in _DOUBTFUL and (type(first) is not str or len(first) == _LONG):
            doubtful[place] = first
    if not doubtful and not refused:
        return rows
    names = [column.lower() for column in columns]
    doubtful |= {names.index(name): None for name in refused}
    raw = result.result(as_tuple=True, custom_decoders=dict.fromkeys([names[place] for place in doubtful], bytes))
    by_column: list[Any] = list(zip(*rows, strict=True))
    for place, value in doubtful.items():
        read = refused.get(names[place]) or formats.reader_by_sample(value, _first(raw, place))
        if read is not None:
            by_column[place] = read_column(read, [row[place] for row in raw], names[place])
    return list(zip(*by_column, strict=True))


def _first(rows: list[tuple[Any, ...]], place: int) -> Any:
    return next((row[place] for row in rows if row[place] is not None), None)


def _refused(result: QueryResult, names: list[str], formats: Formats) -> dict[str, Decoder]:
    """The columns that psqlpy refuses, each found by asking for the others' bytes, and what reads them."""
    found: dict[str, Decoder] = {}
    for name in set(names):
        try:
            result.result(as_tuple=True, custom_decoders=dict.fromkeys(set(names) - {name}, bytes))
        except BaseException as error:  # noqa: BLE001
            _pass_on(error)
            told = _REFUSED.search(str(error))
            kind = told[1] if told else "" if isinstance(error, Exception) else "numeric"
            read = formats.reader(kind)
            if read is None or names.count(name) > 1:  # bytes are had by name only: of all of them, or of none
                raise unreadable(f"{name} of type {kind}") from None
            found[name] = read
    return found


def _pass_on(error: BaseException) -> None:
    """What comes from Python itself; a panic of Rust is no Exception."""
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        raise error
