"""The messages of Arrow Flight SQL that the server of the tests reads and writes: protocol buffers, by hand.

Fields are known by their numbers, as in FlightSql.proto; every message travels wrapped in an ``Any`` that names it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ("SQL_INFO", "Fields", "fields_of", "message", "pa", "sql_info", "unwrapped", "wrapped")

pa: Any = import_module("pyarrow")
"""It has no types."""

PREFIX = "type.googleapis.com/arrow.flight.protocol.sql."

Fields = dict[int, list[Any]]
"""Number of the field -> its values: numbers, or bytes."""


def fields_of(body: bytes) -> Fields:
    """Read a message."""
    fields: Fields = {}
    at = 0
    while at < len(body):
        tag, at = _number(body, at)
        value: Any
        if tag & 7 == 0:
            value, at = _number(body, at)
        elif tag & 7 == 2:
            size, at = _number(body, at)
            value, at = body[at : at + size], at + size
        else:
            raise ValueError(f"no message of Flight SQL has a field of wire type {tag & 7}")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def message(*values: bytes | int) -> bytes:
    """Write a message: fields 1, 2, …"""
    body = b""
    for field, value in enumerate(values, 1):
        if isinstance(value, bytes):
            body += _varint(field << 3 | 2) + _varint(len(value)) + value
        else:
            body += _varint(field << 3) + _varint(value % (1 << 64))  # negative ones are written as 64 bits
    return body


def wrapped(name: str, body: bytes) -> bytes:
    """An ``Any``."""
    return message((PREFIX + name).encode(), body)


def unwrapped(body: bytes) -> tuple[str, Fields]:
    """The name and the fields of what is in an ``Any``."""
    fields = fields_of(body)
    return fields[1][0].decode().removeprefix(PREFIX), fields_of(fields.get(2, [b""])[0])


def _number(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if byte < 0x80:
            return value, at


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


# CommandGetSqlInfo: what the server is and can do. Each value is in one arm of a union.

TEXT, YES_NO, NUMBER = 0, 1, 3
SQL_INFO: dict[int, tuple[int, Any]] = {
    0: (TEXT, "flightsql of SQLSpec's tests, on DuckDB"),
    1: (TEXT, "1"),
    2: (TEXT, pa.__version__),
    3: (YES_NO, False),  # read only
    4: (YES_NO, True),  # SQL
    5: (YES_NO, False),  # Substrait
    8: (NUMBER, 1),  # transactions, without savepoints
    9: (YES_NO, False),  # cancelling by action; whoever hangs up cancels
}


def sql_info(request: Fields) -> Any:
    """The answer: a table."""
    wanted = [number for value in request.get(1, []) for number in _numbers(value)]
    names = [name for name in wanted or SQL_INFO if name in SQL_INFO]
    arms: list[list[Any]] = [[], [], [], []]
    kinds, offsets = list[int](), list[int]()
    for name in names:
        kind, value = SQL_INFO[name]
        kinds.append(kind)
        offsets.append(len(arms[kind]))
        arms[kind].append(value)
    types = (pa.string(), pa.bool_(), pa.int64(), pa.int32())
    children: list[Any] = [pa.array(values, kind) for values, kind in zip(arms, types, strict=True)]
    children += [pa.array([], pa.list_(pa.string())), pa.array([], pa.map_(pa.int32(), pa.list_(pa.int32())))]
    union = pa.UnionArray.from_dense(
        pa.array(kinds, pa.int8()),
        pa.array(offsets, pa.int32()),
        children,
        ["string_value", "bool_value", "bigint_value", "int32_bitmask", "string_list", "int32_to_int32_list_map"],
    )
    return pa.Table.from_arrays([pa.array(names, pa.uint32()), union], ["info_name", "value"])


def _numbers(packed: bytes | int) -> list[int]:
    if isinstance(packed, int):
        return [packed]
    numbers, at = list[int](), 0
    while at < len(packed):
        number, at = _number(packed, at)
        numbers.append(number)
    return numbers
