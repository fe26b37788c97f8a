"""PostgreSQL's binary formats, for drivers that let bytes through: parameters are written and columns read with them.

A parameter is written in the format of the type that the server infers (``PARAMETER_TYPES`` asks for it), never in the
one of its Python class: bytes of another type may be stored as another value without any complaint.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import struct
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec

__all__ = (
    "PARAMETER_TYPES",
    "Decoder",
    "Format",
    "Formats",
    "MisfitError",
    "Parameters",
    "read_column",
    "unreadable",
)

Encoder = Callable[[Any], bytes]
Decoder = Callable[[bytes], Any]

PARAMETER_TYPES = """
SELECT CASE WHEN kind.typtype = 'e' OR kind.typcategory = 'S' THEN 'text' ELSE kind.typname END::text,
       CASE WHEN item.typtype = 'e' OR item.typcategory = 'S' THEN 'text' ELSE item.typname END::text,
       item.oid::int8,
       kind.typname::text
FROM unnest((
    SELECT parameter_types FROM pg_prepared_statements WHERE statement = $1 ORDER BY prepare_time DESC LIMIT 1
)) WITH ORDINALITY AS given (type, place)
JOIN pg_type AS named ON named.oid = given.type
JOIN pg_type AS kind ON kind.oid = coalesce(nullif(named.typbasetype, 0), named.oid)
LEFT JOIN pg_type AS item ON item.oid = kind.typelem AND kind.typcategory = 'A'
ORDER BY given.place
"""
"""Of a prepared statement, by its text: each one's format, for an array its items' format and type, and its name.

What writes enums and texts of all kinds writes text; a domain is written as what it is made of.
"""


class MisfitError(ValueError):
    """A value that can't be written, or one that can't be read. Its text shows no value."""


class Format(NamedTuple):
    """One type: its number, and the functions for its values, which may raise whatever they like."""

    oid: int
    write: Encoder
    read: Decoder


class Formats:
    """All types that are known here.

    Args:
        features: ``json_serializer`` and ``json_deserializer``, if the user wants others than msgspec's.
    """

    __slots__ = ("_by_name", "_readers")

    def __init__(self, features: Mapping[str, Any]) -> None:
        write: Callable[[Any], str] | None = features.get("json_serializer")
        read: Callable[[str], Any] | None = features.get("json_deserializer")
        to_json = msgspec.json.encode if write is None else _json_writer(write)
        from_json = msgspec.json.decode if read is None else _json_reader(read)
        self._by_name: dict[str, Format] = {
            **_FORMATS,
            "json": Format(114, to_json, from_json),
            "jsonb": _versioned(3802, to_json, from_json),
        }
        self._readers = {each.oid: each.read for each in self._by_name.values()}

    def reader(self, name: str) -> Decoder | None:
        """What reads a type; arrays are called as the server calls them, ``_int4``."""
        if name.startswith("_"):
            return self.read_array
        known = self._by_name.get(name)
        return known.read if known else None

    def reader_by_sample(self, value: object, data: bytes) -> Decoder | None:
        """What reads a column whose type nobody tells; None: the driver has it right, as far as can be seen.

        jsonb begins with its version, 1; an array with the number of its dimensions, and so does a composite.

        Args:
            value: The first of its values, as the driver has it.
            data: The bytes that this came in.
        """
        if isinstance(value, str):
            return self.reader("uuid") if len(data) == 16 else None
        if not isinstance(value, (list, dict)):
            return self.reader(_BY_CLASS.get(type(value), ""))
        if data[:1] != b"\0":
            return self.reader("jsonb" if data[:1] == b"\1" else "json")
        return self.read_array if isinstance(value, list) else None

    def read_array(self, data: bytes) -> list[Any]:
        """Lists of lists of items. KeyError: a type that nobody here reads."""
        depth, _, item = struct.unpack_from("!iiI", data)
        read = self._readers[item]
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

    def parameters(self, types: Iterable[tuple[str, str | None, int | None, str]]) -> Parameters:
        """What writes a statement's parameters.

        Args:
            types: The rows of ``PARAMETER_TYPES``.
        """
        asked = list(types)
        return Parameters([self._writer(*each[:3]) for each in asked], [name for *_, name in asked])

    def _writer(self, name: str, item_name: str | None, item: int | None) -> Encoder | None:
        known = self._by_name.get(item_name or name)
        if known is None or item is None:
            return known.write if known else None
        return _array_writer(item, known.write)


def _versioned(oid: int, write: Encoder, read: Decoder) -> Format:
    """A format that begins with its version, which is 1."""

    def write_versioned(value: Any) -> bytes:
        return b"\1" + write(value)

    def read_versioned(data: bytes) -> Any:
        return read(data[1:])

    return Format(oid, write_versioned, read_versioned)


def _json_writer(write: Callable[[Any], str]) -> Encoder:
    return lambda value: write(value).encode()


def _json_reader(read: Callable[[str], Any]) -> Decoder:
    return lambda data: read(data.decode())


class Parameters:
    """The parameters of one statement.

    Args:
        writers: What writes each; None for types that are not known here.
        names: What the server calls their types.
    """

    __slots__ = ("_names", "_writers")

    def __init__(self, writers: Sequence[Encoder | None], names: Sequence[str]) -> None:
        self._writers = writers
        self._names = names

    def write(self, values: Sequence[Any]) -> list[bytes | None]:
        """The values' bytes.

        Raises:
            MisfitError: One does not fit its place.
        """
        if len(values) != len(self._writers):
            message = f"the statement has {len(self._writers)} parameters, not {len(values)}"
            raise MisfitError(message)
        written: list[bytes | None] = []
        try:
            for write, value in zip(self._writers, values, strict=True):
                written.append(None if value is None else cast("Encoder", write)(value))
        except (TypeError, ValueError, ArithmeticError, AttributeError, RecursionError, struct.error):
            raise self._misfit(len(written), values[len(written)]) from None
        return written

    def _misfit(self, place: int, value: object) -> MisfitError:
        name = self._names[place]
        message = f"the value of ${place + 1} does not fit: the server wants {name}, got {type(value).__name__}"
        if self._writers[place] is None:
            message += f", and that type can't be sent here. Write it as text, ${place + 1}::text::{name}"
        return MisfitError(message)


def read_column(read: Decoder, column: Iterable[bytes | None], name: str) -> list[Any]:
    """The values of a column.

    Raises:
        MisfitError: One can't be read.
    """
    try:
        return [None if data is None else read(data) for data in column]
    except (ArithmeticError, LookupError, ValueError, struct.error):
        raise unreadable(name) from None


def unreadable(column: str) -> MisfitError:
    """What to raise for a column that nobody here reads."""
    return MisfitError(f"column {column} has a value that can't be read. Cast it in the statement, to text for example")


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
    address = ipaddress.ip_interface(value)
    packed = address.packed
    return bytes((2 if address.version == 4 else 3, address.network.prefixlen, 0, len(packed))) + packed


def _read_inet(data: bytes) -> Any:
    address = ipaddress.ip_address(data[4:])
    return address if data[1] == address.max_prefixlen else ipaddress.ip_interface((address, data[1]))


def _read_void(_: bytes) -> None:
    return None


# Dates and times: infinity is the last (or first) of its type ---------------------------------------------------------

_DAY = dt.date(2000, 1, 1).toordinal()
_UTC_MOMENT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_MOMENT = _UTC_MOMENT.replace(tzinfo=None)
_FIRST = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
_LAST = dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_LEAST, _MOST = -(2**63), 2**63 - 1


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


def _write_time(value: Any) -> bytes:
    if not isinstance(value, dt.time):
        raise TypeError
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return struct.pack("!q", seconds * 1_000_000 + value.microsecond)


def _read_time(data: bytes) -> dt.time:
    ticks: int = struct.unpack("!q", data)[0]
    return (_MOMENT + ticks * _MICROSECOND).time()  # 24:00 is midnight


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


def _array_writer(item: int, write: Encoder) -> Encoder:
    """Writes lists of lists of items."""

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


# All of them ----------------------------------------------------------------------------------------------------------


def _packed(oid: int, form: str) -> Format:
    packing = struct.Struct(form)

    def read(data: bytes) -> Any:
        return packing.unpack(data)[0]

    return Format(oid, packing.pack, read)


def _text(oid: int) -> Format:
    return Format(oid, str.encode, cast("Decoder", bytes.decode))


_FORMATS: dict[str, Format] = {
    "text": _text(25),
    "varchar": _text(1043),
    "bpchar": _text(1042),
    "name": _text(19),
    "xml": _text(142),
    "bool": _packed(16, "!?")._replace(write=_write_bool),
    "int2": _packed(21, "!h"),
    "int4": _packed(23, "!i"),
    "int8": _packed(20, "!q"),
    "oid": _packed(26, "!I"),
    "float4": _packed(700, "!f"),
    "float8": _packed(701, "!d"),
    "numeric": Format(1700, _write_numeric, _read_numeric),
    "bytea": Format(17, _write_bytes, bytes),
    "uuid": Format(2950, _write_uuid, _read_uuid),
    "inet": Format(869, _write_inet, _read_inet),
    "date": Format(1082, _write_date, _read_date),
    "time": Format(1083, _write_time, _read_time),
    "timestamp": Format(1114, _write_timestamp, _read_timestamp),
    "timestamptz": Format(1184, _write_timestamptz, _read_timestamptz),
    "interval": Format(1186, _write_interval, _read_interval),
    "void": Format(2278, _write_bytes, _read_void),
}
_BY_CLASS: dict[type, str] = {
    Decimal: "numeric",
    dt.timedelta: "interval",
    ipaddress.IPv4Address: "inet",
    ipaddress.IPv6Address: "inet",
}
