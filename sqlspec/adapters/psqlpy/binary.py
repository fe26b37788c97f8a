"""PostgreSQL's binary formats, by the number of a type: parameters are written and columns read with them.

psqlpy has converters of its own, which are not asked where they may be wrong. Measured with 0.13.1: a Decimal for a
bigint column is sent in numeric's format and stored as another number, an int for a numeric one is refused by the
server, a text for a text[] column ends the connection; numeric is rounded to 28 digits, inet loses its mask, a UUID
comes as text, an array that holds NULL not at all. Bytes go through it as they are, both ways.

What raises here is a value that does not fit; the error's text may show it and goes nowhere.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import struct
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

import msgspec

__all__ = ("ARRAY", "DECODERS", "ENCODERS", "JSON", "JSONB", "Decoder", "Encoder", "array_encoder", "read_array")

Encoder = Callable[[Any], bytes]
Decoder = Callable[[bytes], Any]

BOOL, BYTEA, NAME, INT8, INT2, INT4, TEXT, OID, JSON = 16, 17, 19, 20, 21, 23, 25, 26, 114
XML, CIDR, FLOAT4, FLOAT8, INET, BPCHAR, VARCHAR = 142, 650, 700, 701, 869, 1042, 1043
DATE, TIME, TIMESTAMP, TIMESTAMPTZ, INTERVAL, TIMETZ, NUMERIC = 1082, 1083, 1114, 1184, 1186, 1266, 1700
UUID_TYPE, JSONB = 2950, 3802
ARRAY = -1
"""No number of a type: arrays tell their own."""

_DAY = dt.date(2000, 1, 1).toordinal()
_UTC_MOMENT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MOMENT = _UTC_MOMENT.replace(tzinfo=None)
_FIRST = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
_LAST = dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_LEAST, _MOST = -(2**63), 2**63 - 1


# Numbers --------------------------------------------------------------------------------------------------------------


def _write_bool(value: Any) -> bytes:
    if not isinstance(value, bool):
        raise TypeError
    return b"\1" if value else b"\0"


def _write_numeric(value: Any) -> bytes:
    """Groups of four digits, the weight of the first, the sign, and how many digits are shown behind the point."""
    number = value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)
    sign, digits, exponent = number.as_tuple()
    if isinstance(exponent, str):
        code = {"F": 0xF000 if sign else 0xD000}.get(exponent, 0xC000)
        return struct.pack("!HhHH", 0, 0, code, 0)
    if number.adjusted() >= 131072 or exponent < -16383:
        raise OverflowError
    scale = max(0, -exponent)
    text = "".join(map(str, digits)) + "0" * max(0, exponent) + "0" * (-scale % 4)
    text = text.zfill(len(text) + -len(text) % 4)
    groups = [int(text[place : place + 4]) for place in range(0, len(text), 4)]
    weight = len(groups) - (scale + 3) // 4 - 1
    while groups and not groups[0]:
        del groups[0]
        weight -= 1
    while groups and not groups[-1]:
        groups.pop()
    if not groups:
        weight, sign = 0, 0
    return struct.pack(f"!HhHH{len(groups)}H", len(groups), weight, 0x4000 if sign else 0, scale, *groups)


def _read_numeric(data: bytes) -> Decimal:
    count, weight, sign, scale = struct.unpack_from("!HhHH", data)
    if sign & 0x8000:
        return Decimal({0xC000: "NaN", 0xD000: "Infinity"}.get(sign, "-Infinity"))
    number = 0
    for group in struct.unpack_from(f"!{count}H", data, 8):
        number = number * 10000 + group
    shift = scale + 4 * (weight - count + 1)
    number = number * 10**shift if shift >= 0 else number // 10**-shift
    return Decimal(f"{'-' if sign else ''}{number}E-{scale}")


# Texts and bytes ------------------------------------------------------------------------------------------------------


def _write_bytes(value: Any) -> bytes:
    return memoryview(value).tobytes()


def _write_uuid(value: Any) -> bytes:
    return (value if isinstance(value, UUID) else UUID(value)).bytes


def _read_uuid(data: bytes) -> UUID:
    return UUID(bytes=data)


def _write_inet(value: Any) -> bytes:
    return _address(ipaddress.ip_interface(value), is_network=False)


def _write_cidr(value: Any) -> bytes:
    return _address(ipaddress.ip_network(value), is_network=True)


def _address(value: Any, *, is_network: bool) -> bytes:
    network = value if is_network else value.network
    packed: bytes = (value.network_address if is_network else value.ip).packed
    family = 2 if value.version == 4 else 3
    return bytes((family, network.prefixlen, is_network, len(packed))) + packed


def _read_inet(data: bytes) -> Any:
    address = ipaddress.ip_address(data[4:])
    return address if data[1] == address.max_prefixlen else ipaddress.ip_interface((address, data[1]))


def _read_cidr(data: bytes) -> Any:
    return ipaddress.ip_network((data[4:], data[1]))


# Dates and times: infinity is the last (or first) of its type --------------------------------------------------------


def _write_date(value: Any) -> bytes:
    return struct.pack("!i", dt.date.toordinal(value) - _DAY)


def _read_date(data: bytes) -> dt.date:
    (days,) = struct.unpack("!i", data)
    if days in (-(2**31), 2**31 - 1):
        return dt.date.max if days > 0 else dt.date.min
    return dt.date.fromordinal(days + _DAY)


def _write_timestamp(value: Any) -> bytes:
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    return struct.pack("!q", (moment - _MOMENT) // _MICROSECOND)


def _read_timestamp(data: bytes) -> dt.datetime:
    return _read_timestamptz(data).replace(tzinfo=None)


def _write_timestamptz(value: Any) -> bytes:
    """A moment without a zone is one of this machine's, as with the other drivers of PostgreSQL."""
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    return struct.pack("!q", (moment.astimezone(dt.UTC) - _UTC_MOMENT) // _MICROSECOND)


def _read_timestamptz(data: bytes) -> dt.datetime:
    ticks: int = struct.unpack("!q", data)[0]
    if ticks in (_LEAST, _MOST):
        return _LAST if ticks > 0 else _FIRST
    return _UTC_MOMENT + ticks * _MICROSECOND


def _since_midnight(value: dt.time) -> int:
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond


def _write_time(value: Any) -> bytes:
    if not isinstance(value, dt.time):
        raise TypeError
    return struct.pack("!q", _since_midnight(value))


def _read_time(data: bytes) -> dt.time:
    ticks: int = struct.unpack_from("!q", data)[0]
    return (_MOMENT + ticks * _MICROSECOND).time()  # 24:00 is midnight


def _write_timetz(value: Any) -> bytes:
    offset = dt.time.utcoffset(value)
    if offset is None:
        raise TypeError
    return struct.pack("!qi", _since_midnight(value), -(offset // dt.timedelta(seconds=1)))


def _read_timetz(data: bytes) -> dt.time:
    (west,) = struct.unpack_from("!i", data, 8)
    return _read_time(data).replace(tzinfo=dt.timezone(dt.timedelta(seconds=-west)))


def _write_interval(value: Any) -> bytes:
    if not isinstance(value, dt.timedelta):
        raise TypeError
    return struct.pack("!qii", value.seconds * 1_000_000 + value.microseconds, value.days, 0)


def _read_interval(data: bytes) -> dt.timedelta:
    """A month has 30 days and a year 365, as with the other drivers of PostgreSQL."""
    ticks, days, months = struct.unpack("!qii", data)
    years = int(months / 12)
    return dt.timedelta(days=days + years * 365 + (months - years * 12) * 30, microseconds=ticks)


# Arrays ---------------------------------------------------------------------------------------------------------------


def _is_list(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, (str, bytes, bytearray, memoryview, dict))


def array_encoder(item: int, write: Encoder) -> Encoder:
    """Writes lists of lists of items.

    Args:
        item: The number of the items' type.
        write: Writes one of them.
    """

    def write_array(value: Any) -> bytes:
        if not _is_list(value):
            raise TypeError
        sizes: list[int] = []
        level: list[Any] = [value]
        while level and all(map(_is_list, level)):
            sizes.append(len(level[0]))
            if any(len(part) != sizes[-1] for part in level):
                raise ValueError
            level = [inner for part in level for inner in part]
        if not level:
            return struct.pack("!iiI", 0, 0, item)
        items = [None if inner is None else write(inner) for inner in level]
        head = struct.pack("!iiI", len(sizes), None in items, item)
        bounds = b"".join(struct.pack("!ii", size, 1) for size in sizes)
        return head + bounds + b"".join(map(_with_length, items))

    return write_array


def _with_length(item: bytes | None) -> bytes:
    return b"\xff\xff\xff\xff" if item is None else struct.pack("!i", len(item)) + item


def read_array(data: bytes, decoders: dict[int, Decoder]) -> list[Any]:
    """Lists of lists of items. KeyError: a type that nobody here reads."""
    depth, _, item = struct.unpack_from("!iiI", data)
    read = decoders[item]
    sizes = [struct.unpack_from("!i", data, 12 + 8 * level)[0] for level in range(depth)]
    place = 12 + 8 * depth
    items: list[Any] = []
    while place < len(data):
        (length,) = struct.unpack_from("!i", data, place)
        place += 4
        items.append(None if length < 0 else read(data[place : place + length]))
        place += max(0, length)
    for size in reversed(sizes[1:]):
        items = [items[first : first + size] for first in range(0, len(items), size)]
    return items


# All of them ----------------------------------------------------------------------------------------------------------


def _packs(form: str) -> Encoder:
    return struct.Struct(form).pack


def _unpacks(form: str) -> Decoder:
    unpack = struct.Struct(form).unpack
    return lambda data: unpack(data)[0]


_read_text = cast("Decoder", bytes.decode)

ENCODERS: dict[int, Encoder] = {
    **dict.fromkeys((TEXT, VARCHAR, BPCHAR, NAME, XML), str.encode),
    OID: _packs("!I"),
    BOOL: _write_bool,
    BYTEA: _write_bytes,
    INT2: _packs("!h"),
    INT4: _packs("!i"),
    INT8: _packs("!q"),
    FLOAT4: _packs("!f"),
    FLOAT8: _packs("!d"),
    NUMERIC: _write_numeric,
    UUID_TYPE: _write_uuid,
    INET: _write_inet,
    CIDR: _write_cidr,
    DATE: _write_date,
    TIME: _write_time,
    TIMETZ: _write_timetz,
    TIMESTAMP: _write_timestamp,
    TIMESTAMPTZ: _write_timestamptz,
    INTERVAL: _write_interval,
}
"""json and jsonb are the config's."""

DECODERS: dict[int, Decoder] = {
    **dict.fromkeys((TEXT, VARCHAR, BPCHAR, NAME, XML), _read_text),
    OID: _unpacks("!I"),
    BOOL: _unpacks("!?"),
    BYTEA: bytes,
    INT2: _unpacks("!h"),
    INT4: _unpacks("!i"),
    INT8: _unpacks("!q"),
    FLOAT4: _unpacks("!f"),
    FLOAT8: _unpacks("!d"),
    NUMERIC: _read_numeric,
    UUID_TYPE: _read_uuid,
    INET: _read_inet,
    CIDR: _read_cidr,
    DATE: _read_date,
    TIME: _read_time,
    TIMETZ: _read_timetz,
    TIMESTAMP: _read_timestamp,
    TIMESTAMPTZ: _read_timestamptz,
    INTERVAL: _read_interval,
    JSON: msgspec.json.decode,
    JSONB: lambda data: msgspec.json.decode(data[1:]),
}
