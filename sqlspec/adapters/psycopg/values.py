"""What psycopg makes of values, so that they mean on psycopg what they mean on asyncpg.

psycopg gives a parameter the type of its Python value: ``5`` goes as a smallint, ``0.1`` as a double precision, a list
of ints as ``smallint[]``. Then ``json_column = 5`` and ``int_array && [1]`` fail, ``price * 0.1`` with a numeric price
is inexact, and which function is called depends on the size of a number. asyncpg lets the server infer. So do we:

    numbers, JSON, lists of them     no type, as text: the server infers what their place in the statement wants
    everything else                  psycopg's own type; texts have none there, too

Tried for numbers: int8 for all fails in ``repeat('a', $1)`` and ``round(x, $1)``; the smallest of int4, int8, numeric
(what a literal is) fails for JSON and smallint arguments; no type never fails where asyncpg works. But where nothing
but text is wanted (``SELECT $1``), a number without a type would come back as a text. Therefore the parameter types of
a statement that gets numbers, texts or lists are asked for once per plan (``describe``: one round trip, nothing runs):
a number in the place of a text goes with the type of a literal, a text or a list in the place of JSON goes as JSON, and
a number that does not fit an integer is refused before it is sent, so that the transaction goes on.

Results: timestamptz is aware, in UTC. ``infinity`` is the last and ``-infinity`` the first date or datetime, both ways.
Arrays of types that users made (enums) come back as texts, since psycopg knows only the arrays that it was told of:
``configure`` may tell it, with ``psycopg.types.TypeInfo``. As parameters they are lists like others.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import psycopg
from psycopg.adapt import AdaptersMap, Dumper, Loader, PyFormat
from psycopg.errors import error_from_result
from psycopg.generators import execute
from psycopg.pq import ExecStatus, Format
from psycopg.types.datetime import DateDumper, DatetimeDumper, DatetimeNoTzDumper
from psycopg.types.numeric import Float8, Int4, Int8, IntNumeric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from psycopg.abc import AdaptContext, PQGen
    from psycopg.pq.abc import PGconn, PGresult

    Change = Callable[[Any], Any]
    Changes = tuple[Change | None, ...]

__all__ = ("ASKED_FOR", "Adapters", "changes", "describe", "fitted", "json_writer")

_NUMBERS: tuple[type[Any], ...] = (int, float, Decimal)
_LISTS: tuple[type[Any], ...] = (list, tuple, set, frozenset)
ASKED_FOR = frozenset({bool, str, *_NUMBERS, *_LISTS})
"""Values of these types go as the statement's parameter types want them."""

_FIRM: tuple[tuple[type[Any], int, int], ...] = (  # without and with a zone
    (dt.datetime, 1114, 1184),
    (dt.date, 1082, 1082),
    (dt.time, 1083, 1266),
    (dt.timedelta, 1186, 1186),
    (UUID, 2950, 2950),
    (bytes, 17, 17),
)
_BITS = {21: 15, 23: 31, 20: 63}  # smallint, integer, bigint
_BITS_OF_ITEMS = {1005: 15, 1007: 31, 1016: 63}
_JSON = frozenset({114, 3802})
_JSON_ARRAYS = frozenset({199, 3807})
_TEXTS = frozenset({25, 1043, 1042, 19, 705})  # text, varchar, char(n), name, unknown


# What a connection is told --------------------------------------------------------------------------------------------


class Adapters:
    """What psycopg knows, changed as this file says: for our statements, not for what users run on its connections.

    Args:
        features: ``json_serializer`` and ``json_deserializer``, if the user wants others than msgspec's.
    """

    __slots__ = ("_dumpers", "_loaders")

    def __init__(self, features: Mapping[str, Any]) -> None:
        write_json = staticmethod(json_writer(features))
        self._dumpers: dict[type[Any], Any] = {
            **dict.fromkeys(_NUMBERS, _NumberDumper),
            Numeric: psycopg.adapters.get_dumper(Decimal, PyFormat.AUTO),
            Enum: _EnumDumper,
            dict: type("JsonDumper", (_JsonDumper,), {"write": write_json}),
            dt.date: _DateDumper,
            dt.datetime: _DatetimeDumper,
        }
        read_json = _json_loader(features.get("json_deserializer"))
        self._loaders: dict[str, type[Loader]] = {
            "date": _loader_with_ends("date", _FIRST_DATE, _LAST_DATE),
            "timestamp": _loader_with_ends("timestamp", _FIRST_NAIVE, _LAST_NAIVE),
            "timestamptz": _loader_with_ends("timestamptz", _FIRST, _LAST),
            "json": read_json,
            "jsonb": read_json,
        }

    def beside(self, known: AdaptersMap) -> AdaptersMap:
        """All that a connection knows, changed; what ``configure`` told it included."""
        ours = AdaptersMap(known)
        for kind, dumper in self._dumpers.items():
            ours.register_dumper(kind, dumper)
        for name, loader in self._loaders.items():
            ours.register_loader(name, loader)
        return ours


class Numeric(Decimal):
    """A Decimal that goes as ``numeric``."""


class _NumberDumper(Dumper):
    """Without a type; one for all, so that they may be mixed in a list."""

    def dump(self, obj: Any) -> bytes:
        if isinstance(obj, int):
            return int.__repr__(obj).encode()
        return (float.__repr__(obj) if isinstance(obj, float) else str(obj)).encode()


class _EnumDumper(Dumper):
    """By value, without a type; psycopg would send the name. Alone they come as their value: this is for lists."""

    def dump(self, obj: Enum) -> bytes:
        return str(obj.value).encode()


# JSON


def json_writer(features: Mapping[str, Any]) -> Callable[[Any], str]:
    """A function that writes JSON, and whose failure is the driver's own DataError that shows no value."""
    serialize: Callable[[Any], str] = features.get("json_serializer", _to_json)

    def write(value: Any) -> str:
        try:
            return serialize(value)
        except Exception as error:  # noqa: BLE001 (whatever the user's function raises)
            reason = str(error) if isinstance(error, TypeError) else type(error).__name__
            message = f"a value of type {type(value).__name__} has no JSON form: {reason}"
            raise psycopg.DataError(message) from None

    return write


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


class _JsonDumper(Dumper):
    """Without a type: json and jsonb both take it."""

    write: Callable[[Any], str]

    def dump(self, obj: Any) -> bytes:
        return self.write(obj).encode()


def _json_loader(deserialize: Callable[[str], Any] | None) -> type[Loader]:
    class JsonLoader(Loader):
        def load(self, data: Any) -> Any:
            return msgspec.json.decode(data) if deserialize is None else deserialize(bytes(data).decode())

    return JsonLoader


# Dates

_FIRST_DATE, _LAST_DATE = dt.date.min, dt.date.max
_FIRST_NAIVE, _LAST_NAIVE = dt.datetime.min, dt.datetime.max  # noqa: DTZ901 (both kinds are meant)
_FIRST, _LAST = _FIRST_NAIVE.replace(tzinfo=dt.UTC), _LAST_NAIVE.replace(tzinfo=dt.UTC)
_ENDS = {_FIRST_DATE: b"-infinity", _LAST_DATE: b"infinity"}
_NAIVE_ENDS = {_FIRST_NAIVE: b"-infinity", _LAST_NAIVE: b"infinity"}
_AWARE_ENDS = {_FIRST: b"-infinity", _LAST: b"infinity"}


class _DateDumper(DateDumper):
    def dump(self, obj: dt.date) -> Any:
        return _ENDS.get(obj) or super().dump(obj)


class _DatetimeDumper(DatetimeDumper):
    """Aware ones."""

    def dump(self, obj: dt.datetime) -> Any:
        return _AWARE_ENDS.get(obj) or super().dump(obj)

    def upgrade(self, obj: dt.datetime, format: PyFormat) -> Dumper:
        return self if obj.tzinfo else _NaiveDumper(self.cls)


class _NaiveDumper(DatetimeNoTzDumper):
    def dump(self, obj: dt.datetime) -> Any:
        return _NAIVE_ENDS.get(obj) or super().dump(obj)


def _loader_with_ends(name: str, first: dt.date, last: dt.date) -> type[Loader]:
    """The driver's own loader, but for infinity, which it refuses, and for the zone, which is the session's there."""
    plain: Any = psycopg.adapters.get_loader(psycopg.adapters.types[name].oid, Format.TEXT)
    to_utc = name == "timestamptz"

    class DateLoader(Loader):
        def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
            super().__init__(oid, context)
            self._load = plain(oid, context).load

        def load(self, data: Any) -> Any:
            try:
                value = self._load(data)
            except psycopg.DataError:
                if bytes(data) == b"infinity":
                    return last
                if bytes(data) == b"-infinity":
                    return first
                raise
            return value.astimezone(dt.UTC) if to_utc else value

    return DateLoader


# What a statement wants -----------------------------------------------------------------------------------------------


def describe(pgconn: PGconn, sql: str, values: Sequence[Any]) -> PQGen[list[int]]:
    """The types of a statement's parameters, as the server infers them: a part of the protocol, to be waited for.

    In one round trip, and with one Sync: behind a pooler both halves meet the same server. What psycopg sends with a
    type of its own is said: without it the server may find no operator for it.

    Raises:
        psycopg.Error: The statement is wrong: what running it would have raised.
    """
    text = sql.encode()
    pgconn.enter_pipeline_mode()
    pgconn.send_prepare(b"", text, list(map(_firm, values)))
    pgconn.send_describe_prepared(b"")
    pgconn.pipeline_sync()
    results: list[PGresult] = []
    while True:
        results += (found := (yield from execute(pgconn)))
        if not found or found[-1].status == ExecStatus.PIPELINE_SYNC:
            break
    pgconn.exit_pipeline_mode()
    for result in results:
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)
    described = results[1]
    return [described.param_type(number) for number in range(described.nparams)]


def _firm(value: Any) -> int:
    for kind, plain, with_zone in _FIRM:
        if isinstance(value, kind):
            return with_zone if getattr(value, "tzinfo", None) else plain
    return 0


def changes(oids: Sequence[int], write: Callable[[Any], str]) -> Changes:
    """What each parameter's values go through before they are psycopg's; nothing at all if no value changes.

    Args:
        oids: The parameter types.
        write: Writes JSON.
    """
    found = tuple([_change(oid, write) for oid in oids])
    return found if any(found) else ()


def fitted(changes: Changes, values: Sequence[Any]) -> Sequence[Any]:
    """The values, changed.

    Raises:
        psycopg.DataError: A number does not fit; nothing was sent.
    """
    if len(changes) != len(values):  # nothing changes, or the server knows better what is wrong
        return values
    return [value if change is None else change(value) for change, value in zip(changes, values, strict=False)]


def _change(oid: int, write: Callable[[Any], str]) -> Change | None:
    if oid in _BITS:
        return partial(_whole, 2 ** _BITS[oid])
    if oid in _TEXTS:
        return _as_literal
    if oid in _JSON:
        return lambda value: write(value) if isinstance(value, (str, *_NUMBERS, *_LISTS)) else value
    if oid in _JSON_ARRAYS:
        return lambda value: _json_array(value, write) if isinstance(value, _LISTS) else value
    info = psycopg.adapters.types.get(oid)
    if info is not None and info.array_oid == oid:
        return partial(_items, _BITS_OF_ITEMS.get(oid))
    return None


def _items(bits: int | None, value: Any) -> Any:
    """A list; psycopg takes its items for what the first one is, and fails as it happens."""
    if not isinstance(value, _LISTS):
        return value
    if bits is not None:
        value = [_items(bits, each) if isinstance(each, _LISTS) else _whole(2**bits, each) for each in value]
    kinds: set[Any] = {_NUMBERS if issubclass(kind, _NUMBERS) else kind for kind in set(map(type, value))}
    if len(kinds - {type(None)}) > 1:
        raise psycopg.DataError("a list parameter has values of several types")
    return list(value)


def _whole(limit: int, value: Any) -> Any:
    """The server would refuse these too, and abort the transaction."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        if not -limit <= value < limit:
            raise psycopg.DataError("the value of an integer parameter is out of its range")
    elif isinstance(value, (float, Decimal)):
        message = f"an integer parameter takes no value of type {type(value).__name__}"
        raise psycopg.DataError(message)
    return value


def _as_literal(value: Any) -> Any:
    """A number where a text is wanted, or anything: with the type that it has as a literal in SQL."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return (Int4 if -(2**31) <= value < 2**31 else Int8 if -(2**63) <= value < 2**63 else IntNumeric)(value)
    if isinstance(value, float):
        return Float8(value)
    if isinstance(value, Decimal):
        return Numeric(value)
    return [_as_literal(each) for each in value] if isinstance(value, _LISTS) else value


def _json_array(value: Iterable[Any], write: Callable[[Any], str]) -> list[Any]:
    return [None if each is None else write(each) for each in value]
