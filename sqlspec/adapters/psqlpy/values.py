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
import struct
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

from sqlspec.dialects.postgres_binary import Formats, MisfitError

if TYPE_CHECKING:
    from psqlpy import QueryResult

    from sqlspec.dialects.postgres_binary import Decoder

__all__ = ("read_rows",)

_RIGHT = frozenset({int, float, bool, bytes, dt.date, dt.datetime, dt.time})
_BY_CLASS = {Decimal: "numeric", dt.timedelta: "interval", IPv4Address: "inet", IPv6Address: "inet"}
_DOUBTFUL = frozenset({list, dict, *_BY_CLASS})
_LONG = len("12345678-1234-5678-1234-567812345678")
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
        refused = _refused(result, columns, formats)
        rows = result.result(as_tuple=True, custom_decoders=dict.fromkeys(refused, bytes))
    if not rows or (not refused and _RIGHT.issuperset(map(type, rows[0]))):
        return rows
    names = [column.lower() for column in columns]
    firsts = [_first(rows, place) for place in range(len(names))]
    doubtful = [place for place, name in enumerate(names) if name in refused or _is_doubtful(firsts[place])]
    if not doubtful:
        return rows
    raw = result.result(as_tuple=True, custom_decoders=dict.fromkeys([names[place] for place in doubtful], bytes))
    by_column: list[Any] = list(zip(*rows, strict=True))
    for place in doubtful:
        read = refused.get(names[place]) or _reader(firsts[place], _first(raw, place), formats)
        if read is not None:
            by_column[place] = _converted(read, [row[place] for row in raw], names[place])
    return list(zip(*by_column, strict=True))


def _first(rows: list[tuple[Any, ...]], place: int) -> Any:
    return next((row[place] for row in rows if row[place] is not None), None)


def _is_doubtful(value: object) -> bool:
    return len(value) == _LONG if isinstance(value, str) else type(value) in _DOUBTFUL


def _reader(value: object, data: bytes, formats: Formats) -> Decoder | None:
    """What reads a column, by its first value and the bytes that this came in; None: it is right as it is.

    jsonb begins with its version, 1; an array with the number of its dimensions, and so does a composite.
    """
    if isinstance(value, str):
        return formats.reader("uuid") if len(data) == 16 else None
    if not isinstance(value, (list, dict)):
        return formats.reader(_BY_CLASS[type(value)])
    if data[:1] != b"\0":
        return formats.reader("jsonb" if data[:1] == b"\1" else "json")
    return formats.read_array if isinstance(value, list) else None


def _refused(result: QueryResult, columns: tuple[str, ...], formats: Formats) -> dict[str, Decoder]:
    """The columns that psqlpy refuses, each found by asking for the others' bytes, and what reads them."""
    found: dict[str, Decoder] = {}
    names = [column.lower() for column in columns]
    for name in set(names):
        try:
            result.result(as_tuple=True, custom_decoders=dict.fromkeys(set(names) - {name}, bytes))
        except BaseException as error:  # noqa: BLE001
            _pass_on(error)
            told = _REFUSED.search(str(error))
            kind = told[1] if told else "" if isinstance(error, Exception) else "numeric"
            read = formats.reader(kind)
            if read is None or names.count(name) > 1:  # bytes are had by name only: of all of them, or of none
                raise _unreadable(f"{name} of type {kind}") from None
            found[name] = read
    return found


def _pass_on(error: BaseException) -> None:
    """What comes from Python itself; a panic of Rust is no Exception."""
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        raise error


def _converted(read: Decoder, column: list[Any], name: str) -> list[Any]:
    try:
        return [None if data is None else read(data) for data in column]
    except (ArithmeticError, LookupError, ValueError, struct.error):
        raise _unreadable(name) from None


def _unreadable(column: str) -> MisfitError:
    message = f"column {column} has a value that can't be read. Cast it in the statement, to text for example"
    return MisfitError(message)
