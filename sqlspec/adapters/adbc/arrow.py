"""Values between Python and Arrow. Pure: knows no database and sends nothing.

In, a column takes values of the classes named here and no others: pyarrow itself would cut 1.5 to 1, a datetime to its
date and a moment's offset off. Out, every value is one of Python's own: moments are in UTC, intervals are timedeltas
(a month of 30 days, a year of 365, as asyncpg counts them), nanoseconds are cut off.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from importlib import import_module
from itertools import chain
from typing import Any
from uuid import UUID

from sqlspec.core.values import json_text
from sqlspec.exceptions import DataError

__all__ = ("INTERVAL", "TEXT", "MisfitError", "Reading", "batch", "is_vague", "pa")

pa: Any = import_module("pyarrow")  # it has no types
kinds: Any = import_module("pyarrow.types")

Change = Callable[[Any], Any]

MOMENT = pa.timestamp("us", "UTC")
NAIVE = pa.timestamp("us")
INTERVAL = pa.month_day_nano_interval()
_UUID = pa.uuid()
_JSON = pa.json_()
_NULL = pa.null().id
_REFUSALS = (pa.ArrowException, OverflowError, UnicodeError, TypeError, ValueError)


TEXT = pa.opaque(pa.string(), "text", "SQLSpec")
"""A column that takes whatever has a text, and is sent as that."""


class MisfitError(Exception):
    """A value that a column can't take: why, without the value; its column, from 0."""

    def __init__(self, reason: str, column: int = -1) -> None:
        super().__init__(reason)
        self.column = column


# In -------------------------------------------------------------------------------------------------------------------

_NATURAL: dict[type, Any] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    bytearray: pa.binary(),
    memoryview: pa.binary(),
    UUID: _UUID,
    dt.date: pa.date32(),
    dt.time: pa.time64("us"),
    dt.timedelta: INTERVAL,
}
"""The Arrow type of a column for values of a class, where nothing better is known; the rest is told by the values."""

_BYTES = (bytes, bytearray, memoryview)
_NO_TEXT: tuple[type, ...] = (*_BYTES, list, tuple, dict)
_TAKES: tuple[tuple[Callable[[Any], bool], tuple[type, ...]], ...] = (
    (kinds.is_boolean, (bool,)),
    (kinds.is_integer, (int,)),
    (kinds.is_floating, (float, int, Decimal)),
    (lambda wanted: kinds.is_string(wanted) or kinds.is_large_string(wanted), (str,)),
    (lambda wanted: kinds.is_binary(wanted) or kinds.is_large_binary(wanted), _BYTES),
    (kinds.is_decimal, (Decimal, int, float)),
    (kinds.is_timestamp, (dt.datetime,)),
    (kinds.is_date, (dt.date,)),
    (kinds.is_time, (dt.time,)),
    (lambda wanted: wanted == INTERVAL, (dt.timedelta,)),
    (lambda wanted: wanted == _UUID, (UUID, str)),
    (lambda wanted: kinds.is_list(wanted) or kinds.is_large_list(wanted), (list, tuple)),
)


def batch(rows: Sequence[Sequence[Any]], wanted: Sequence[Any] | None = None) -> Any:
    """A record batch with the parameters of so many executions.

    Args:
        rows: The parameters of each.
        wanted: The Arrow type of each parameter, None where it is not known.

    Raises:
        MisfitError: A value does not fit into its column, or the values of one are of several kinds.
    """
    columns: list[Any] = []
    for values in zip(*rows, strict=True):
        place = len(columns)
        try:
            columns.append(column(values, wanted[place] if wanted else None))
        except MisfitError as misfit:
            misfit.column = place
            raise
        except _REFUSALS as error:
            raise MisfitError(_reason(error), place) from None
    return pa.RecordBatch.from_arrays(columns, [str(number) for number in range(len(columns))])


def _reason(error: BaseException) -> str:
    if isinstance(error, UnicodeError):
        return "a text can't be encoded as UTF-8: surrogates not allowed"
    if isinstance(error, OverflowError) or "too large" in str(error) or "range" in str(error):
        return "it is out of range"
    return "it does not fit"


def column(values: Sequence[Any], wanted: Any) -> Any:
    """One parameter of every row. ``wanted`` None and ``null`` are told by the values themselves."""
    present = [value for value in values if value is not None]
    if not present:
        return pa.nulls(len(values))
    if wanted is None or wanted.id == _NULL:
        wanted = _natural(present)
        if wanted is None:
            found = pa.array(values)
            if kinds.is_nested(found.type):
                raise MisfitError(f"there is no type for {type(present[0]).__name__}")
            return found
    elif wanted != TEXT and wanted != _JSON:
        wanted = _checked(present, wanted)
    if isinstance(wanted, pa.BaseExtensionType):
        return _extended(values, wanted)
    if kinds.is_list(wanted) or kinds.is_large_list(wanted):
        return _lists(values, wanted.value_type)
    change = _CHANGES.get(wanted.id)
    return pa.array(values if change is None else _each(values, change), wanted)


def _each(values: Sequence[Any], change: Change) -> list[Any]:
    return [None if value is None else change(value) for value in values]


def _extended(values: Sequence[Any], wanted: Any) -> Any:
    if wanted == TEXT:
        return pa.array(_each(values, _text), pa.string())
    if wanted == _JSON:
        return pa.array(_each(values, json_text), wanted)
    return pa.array(_each(values, _uuid) if wanted == _UUID else values, wanted)


def _uuid(value: UUID | str) -> UUID:
    return UUID(value) if isinstance(value, str) else value


def _month_day_nano(value: dt.timedelta) -> Any:
    return pa.MonthDayNano([0, value.days, (value.seconds * 1_000_000 + value.microseconds) * 1000])


def _decimal_of(value: Decimal | float) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


_CHANGES: dict[int, Change] = {
    INTERVAL.id: _month_day_nano,
    pa.float16().id: float,
    pa.float32().id: float,
    pa.float64().id: float,
    pa.decimal128(1).id: _decimal_of,
    pa.decimal256(1).id: _decimal_of,
}
"""What pyarrow does not do to values by itself, by the number of the Arrow type."""


def _text(value: Any) -> str:
    if isinstance(value, _NO_TEXT) or type(value) is object:
        raise MisfitError(f"a text is wanted, not {type(value).__name__}")
    return str(value)


def _natural(present: Sequence[Any]) -> Any:
    """The Arrow type of values by their own class, which must be one."""
    classes: set[type] = set(map(type, present))
    if len(classes) > 1:
        raise MisfitError("the values of one parameter are of several types")
    (kind,) = classes
    for base in kind.__mro__:
        if base is dt.datetime:
            return _zone_of(present)
        if base is Decimal:
            return _decimal(present)
        if base is memoryview and not all(value.c_contiguous for value in present):
            raise MisfitError("the memory is not contiguous")
        if base in _NATURAL:
            return _NATURAL[base]
        if base in (list, tuple):
            inner = [each for value in present for each in value if each is not None]
            return pa.list_(_element(inner))
    return None


def _element(present: Sequence[Any]) -> Any:
    """The Arrow type of what stands in lists; whole and broken numbers may stand in one."""
    if {type(value) for value in present} == {int, float}:
        return pa.float64()
    return (_natural(present) or pa.array(present).type) if present else pa.null()


def _checked(present: Sequence[Any], wanted: Any) -> Any:
    """The type itself, or a better one, if all these values may go in."""
    if kinds.is_timestamp(wanted) and all(isinstance(value, dt.datetime) for value in present):
        if _zone_of(present) == (MOMENT if wanted.tz else NAIVE):
            return wanted
        raise MisfitError(f"a datetime {'with' if wanted.tz else 'without'} a time zone is wanted")
    if is_vague(wanted):
        if not all(isinstance(value, (Decimal, int, float)) for value in present):
            raise _wanted(wanted, present)
        return _decimal([_decimal_of(value) for value in present])
    for fits, classes in _TAKES:
        if fits(wanted):
            if all(_is_one(value, classes) for value in present):
                return wanted
            raise _wanted(wanted, present)
    return wanted


def is_vague(wanted: Any) -> bool:
    """PostgreSQL's numeric: the scale is that of the value."""
    return isinstance(wanted, pa.OpaqueType) and wanted.type_name == "numeric"


def _is_one(value: Any, classes: tuple[type, ...]) -> bool:
    """A bool is no number here, and a datetime no date."""
    if isinstance(value, bool):
        return bool in classes
    return isinstance(value, classes) and not (isinstance(value, dt.datetime) and dt.date in classes)


def _wanted(wanted: Any, present: Sequence[Any]) -> MisfitError:
    found = " or ".join(sorted({type(value).__name__ for value in present}))
    name = wanted.type_name if isinstance(wanted, pa.OpaqueType) else str(wanted)
    return MisfitError(f"{name} is wanted, not {found}")


def _zone_of(present: Sequence[dt.datetime]) -> Any:
    aware = {value.tzinfo is not None for value in present}
    if len(aware) > 1:
        raise MisfitError("datetimes with and without a time zone are mixed")
    return MOMENT if aware.pop() else NAIVE


def _decimal(present: Sequence[Decimal]) -> Any:
    """A decimal type that holds all of them exactly; NaN and infinity are floats."""
    if not all(value.is_finite() for value in present):
        if any(value.is_finite() for value in present):
            raise MisfitError("numbers and NaN are mixed")
        return pa.float64()
    parts = [value.as_tuple() for value in present]
    scale = max(0, *[-part.exponent for part in parts if isinstance(part.exponent, int)], 0)
    whole = max(len(part.digits) + part.exponent for part in parts if isinstance(part.exponent, int))
    precision = max(1, scale, whole + scale)
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


def _lists(values: Sequence[Any], inner: Any) -> Any:
    """A column of lists: pyarrow can't make those of UUIDs, JSON and intervals by itself."""
    flat = column(list(chain.from_iterable(value for value in values if value is not None)), inner)
    ends, offsets = 0, [0]
    for value in values:
        ends += 0 if value is None else len(value)
        offsets.append(ends)
    missing = pa.array([value is None for value in values])
    if kinds.is_null(flat.type):
        flat = flat.cast(pa.decimal128(38, 0) if is_vague(inner) else pa.string() if inner == TEXT else inner)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flat, mask=missing)


# Out ------------------------------------------------------------------------------------------------------------------


class Reading:
    """How columns of one database become Python values.

    Args:
        extensions: What becomes of the stored values of Arrow's extension types, by their name (``arrow.json``), of
            opaque ones by the name that the database gives them.
    """

    def __init__(self, extensions: Mapping[str, Change]) -> None:
        self._extensions = extensions
        self._known: dict[Any, tuple[Any, Change | None]] = {}

    def rows(self, found: Any) -> list[tuple[Any, ...]]:
        """The rows of a record batch."""
        try:
            columns = [self.values(each) for each in found.columns]
        except (OverflowError, ValueError):  # of dates before 1 and after 9999
            raise DataError("A value of the result is outside of what Python's types hold.") from None
        return list(zip(*columns, strict=True)) if columns else [()] * found.num_rows

    def values(self, found: Any) -> list[Any]:
        """The values of a column."""
        wanted = found.type
        try:
            read_as, change = self._known[wanted]
        except KeyError:
            read_as, change = self._known[wanted] = _readable(wanted), self._change(wanted)
        if read_as is not None:
            found = found.cast(read_as, safe=False)
        values: list[Any] = found.to_pylist()
        if change is None:
            return values
        return [None if value is None else change(value) for value in values]

    def _change(self, kind: Any) -> Change | None:
        """What is done to each value that is not NULL, after pyarrow made it one of Python's."""
        if isinstance(kind, pa.BaseExtensionType):
            return self._extensions.get(kind.type_name if isinstance(kind, pa.OpaqueType) else kind.extension_name)
        if kinds.is_timestamp(kind) and kind.tz:
            return _in_utc
        if kind == INTERVAL:
            return _timedelta
        if kinds.is_map(kind):
            return self._map_change(kind)
        if kinds.is_struct(kind):
            return self._struct_change(kind)
        if kinds.is_nested(kind) and hasattr(kind, "value_type"):
            inner = self._change(kind.value_type)
            return inner and (lambda value: [None if each is None else inner(each) for each in value])
        return None

    def _map_change(self, kind: Any) -> Change:
        key, item = self._change(kind.key_type) or _same, self._change(kind.item_type) or _same

        def change(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
            keys = [key(name) for name, _ in pairs]
            values = [None if value is None else item(value) for _, value in pairs]
            try:
                return dict(zip(keys, values, strict=True))
            except TypeError:  # lists and dicts can't be keys
                return {"key": keys, "value": values}

        return change

    def _struct_change(self, kind: Any) -> Change | None:
        changes = {field.name: change for field in kind if (change := self._change(field.type))}
        if not changes:
            return None
        return lambda found: {
            name: value if value is None or name not in changes else changes[name](value)
            for name, value in found.items()
        }


def _same(value: Any) -> Any:
    return value


def _readable(kind: Any) -> Any:
    """The type to read it as, if not as it is: moments in UTC, and nothing finer than microseconds."""
    wanted = _coarse(kind)
    return None if wanted == kind else wanted


def _coarse(kind: Any) -> Any:
    if kinds.is_timestamp(kind):
        return MOMENT if kind.tz else NAIVE
    if kinds.is_time64(kind):
        return pa.time64("us")
    if kinds.is_duration(kind):
        return pa.duration("us")
    if kinds.is_list(kind):
        return pa.list_(kind.value_field.with_type(_coarse(kind.value_type)))
    if kinds.is_map(kind):
        key, item = (field.with_type(_coarse(field.type)) for field in (kind.key_field, kind.item_field))
        return kind if (key, item) == (kind.key_field, kind.item_field) else pa.map_(key, item)
    if kinds.is_struct(kind):
        return pa.struct([field.with_type(_coarse(field.type)) for field in kind])
    return kind


def _in_utc(value: dt.datetime) -> dt.datetime:
    return value.replace(tzinfo=dt.UTC)


def _timedelta(value: Any) -> dt.timedelta:
    years, months = divmod(abs(value.months), 12)
    days = (years * 365 + months * 30) * (1 if value.months >= 0 else -1)
    return dt.timedelta(days=days + value.days, microseconds=value.nanoseconds // 1000)
