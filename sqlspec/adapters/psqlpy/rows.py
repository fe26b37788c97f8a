"""Rows out of psqlpy's results.

psqlpy converts by itself and tells no column's type. Most of its values are right as they come; those of some classes
may not be (``binary.py`` says why), and there the bytes of the column are asked for, which tell the type for certain
together with that class: a text that looks like a UUID is one if it came in 16 bytes. Nothing is remembered from one
result to the next, in which a column may have become something else.

What can't be told apart stays as psqlpy has it: money as a number of cents, an oid from 2**31 on as a negative one, a
number that is a whole jsonb value as a float if it has more than 64 bits.

A column that psqlpy refuses to convert is found by asking for the others' bytes, and its type by the refusal.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any, cast

from psqlpy.exceptions import RustToPyValueMappingError

from sqlspec.adapters.psqlpy import binary

if TYPE_CHECKING:
    from psqlpy import QueryResult

    from sqlspec.adapters.psqlpy.binary import Decoder

__all__ = ("RowReader",)

_RIGHT = frozenset({int, float, bool, bytes, dt.date, dt.datetime, dt.time})
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_UNREADABLE = re.compile(r"python type: (?:Cannot convert (?:PostgreSQL type )?)?(\w+)")


class RowReader:
    """Reads results.

    Args:
        from_json: Reads JSON; None for the default.
    """

    def __init__(self, from_json: Callable[[str], Any] | None) -> None:
        self._decoders = dict(binary.DECODERS)
        if from_json is not None:
            self._decoders[binary.JSON] = lambda data: from_json(data.decode())
            self._decoders[binary.JSONB] = lambda data: from_json(data[1:].decode())
        self._array: Decoder = partial(binary.read_array, decoders=self._decoders)
        self._by_name: dict[str, Decoder] = {
            **{name: self._decoders[number] for name, number in _NUMBERS.items()},
            "void": lambda _: None,
        }

    def read(self, result: QueryResult, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
        """All rows.

        Raises:
            RustToPyValueMappingError: psqlpy can't read a column, and we neither.
        """
        unreadable: dict[str, Decoder] = {}
        try:
            rows = result.result(as_tuple=True)
        except BaseException as error:  # noqa: BLE001 (a panic of Rust is one)
            _check_refusal(error)
            unreadable = self._unreadable(result, [column.lower() for column in columns])
            rows = result.result(as_tuple=True, custom_decoders=dict.fromkeys(unreadable, bytes))
        if not rows or (not unreadable and _RIGHT.issuperset(map(type, rows[0]))):
            return rows
        return self._corrected(result, rows, [column.lower() for column in columns], unreadable)

    def _corrected(
        self, result: QueryResult, rows: list[tuple[Any, ...]], names: list[str], unreadable: dict[str, Decoder]
    ) -> list[tuple[Any, ...]]:
        """The rows with the columns converted that psqlpy did not convert, or not well."""
        doubtful = [place for place, name in enumerate(names) if name not in unreadable and _is_doubtful(rows, place)]
        if not doubtful and not unreadable:
            return rows
        by_column: list[Any] = list(zip(*rows, strict=True))
        wanted = dict.fromkeys([names[place] for place in doubtful], bytes)
        raw = result.result(as_tuple=True, custom_decoders={**dict.fromkeys(unreadable, bytes), **wanted})
        data = list(zip(*raw, strict=True))
        for place, name in enumerate(names):
            read = unreadable.get(name)
            if read is None and place in doubtful:
                read = self._decoder(_first(by_column[place]), _first(data[place]))
            if read is not None:
                by_column[place] = [None if item is None else _converted(read, item, name) for item in data[place]]
        return list(zip(*by_column, strict=True))

    def _decoder(self, value: object, data: object) -> Decoder | None:
        """What reads a column, by its first value and the bytes that this came in; None: leave it as it is.

        jsonb begins with its version, 1; an array with the number of its dimensions, and so does a composite.
        """
        kind = type(value)
        if not isinstance(data, bytes):
            return None
        if kind is str:
            return self._decoders[binary.UUID_TYPE] if len(data) == 16 else None
        if kind in _BY_CLASS:
            return self._decoders[_BY_CLASS[kind]]
        if data[:1] == b"\1":
            return self._decoders[binary.JSONB]
        if data[:1] != b"\0":
            return self._decoders[binary.JSON]
        is_known = kind is list and int.from_bytes(data[8:12]) in self._decoders
        return self._array if is_known else None

    def _unreadable(self, result: QueryResult, names: list[str]) -> dict[str, Decoder]:
        """The columns that psqlpy refuses, and what reads them."""
        found: dict[str, Decoder] = {}
        for name in set(names):
            others: dict[str, Decoder] = dict.fromkeys(set(names) - {name}, bytes)
            try:
                result.result(as_tuple=True, custom_decoders=others)
            except BaseException as error:  # noqa: BLE001
                _check_refusal(error)
                told = _UNREADABLE.search(str(error))
                kind = told[1] if told else "" if isinstance(error, Exception) else "numeric"
                read = self._array if kind.startswith("_") else self._by_name.get(kind)
                if read is None or names.count(name) > 1:  # bytes are had by name only: of all of them, or of none
                    raise _unread(name, kind) from None
                found[name] = read
        return found


_BY_CLASS = {
    Decimal: binary.NUMERIC,
    dt.timedelta: binary.INTERVAL,
    IPv4Address: binary.INET,
    IPv6Address: binary.INET,
}
_NUMBERS = {
    "bpchar": binary.BPCHAR,
    "numeric": binary.NUMERIC,
    "cidr": binary.CIDR,
    "timetz": binary.TIMETZ,
    "date": binary.DATE,
    "timestamp": binary.TIMESTAMP,
    "timestamptz": binary.TIMESTAMPTZ,
    "interval": binary.INTERVAL,
    "json": binary.JSON,
    "jsonb": binary.JSONB,
    "inet": binary.INET,
}


def _first(values: Iterable[object]) -> object:
    return next((value for value in values if value is not None), None)


def _is_doubtful(rows: list[tuple[Any, ...]], place: int) -> bool:
    """Whether a column may not be what psqlpy made of it, by its first value that is not NULL."""
    value: object = _first(row[place] for row in rows)
    if isinstance(value, str):
        return len(value) == 36 and _UUID.fullmatch(value) is not None
    if isinstance(value, Decimal):  # exact with up to 27 digits; a rounded zero is shown with an E
        return any(row[place] is not None and _may_be_rounded(str(row[place])) for row in rows)
    if isinstance(value, list):
        return not isinstance(_first(cast("list[object]", value)), tuple)  # points
    return isinstance(value, (dict, dt.timedelta, IPv4Address, IPv6Address))


def _may_be_rounded(number: str) -> bool:
    return len(number) > 27 or "E" in number


def _check_refusal(error: BaseException) -> None:
    """A panic of Rust is no Exception; what comes from Python itself goes on."""
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        raise error


def _converted(read: Decoder, data: bytes, name: str) -> Any:
    try:
        return read(data)
    except (ArithmeticError, KeyError, ValueError):
        raise _unread(name) from None


def _unread(name: str, kind: str = "") -> RustToPyValueMappingError:
    what = f"column {name} of type {kind}" if kind else f"column {name}"
    message = f"{what} has a value that can't be read. Cast it in the statement, to text for example"
    return RustToPyValueMappingError(message)
