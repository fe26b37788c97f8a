"""What a database's values become on their way into a field of a given type.

msgspec checks types in C and strictly: text is never a number. It takes what a driver gives where a database has the
type, and reads dates, times, UUIDs and Decimals from text, which serves databases without them. What it leaves open is
done here, for the values that it refused only: 0 and 1 for bool, JSON text for containers, other spellings of dates
and times, unions that it can't describe.

This module knows types and single values, neither rows nor columns nor schema types as a whole.
"""

from __future__ import annotations

import collections.abc
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import msgspec
from typing_extensions import TypeAliasType, is_typeddict

__all__ = (
    "BYTES",
    "Change",
    "Conversion",
    "conversion_for",
    "is_container",
    "is_pydantic",
    "json_value",
    "only_bytes",
    "takes_json",
    "takes_time_of_day",
    "time_of_day",
    "type_name",
)

Change = Callable[[Any], Any]

BYTES = (bytes, bytearray, memoryview)
"""For msgspec's ``builtin_types``: bytes are bytes, text is not taken for base64."""

_LEAVES: frozenset[Any] = frozenset(
    {bool, int, float, str, Decimal, UUID, datetime, date, time, timedelta, NoneType, Any}
)
_ABSTRACT = (collections.abc.Mapping, collections.abc.Collection, collections.abc.Sequence)
_CONTAINERS = (list, tuple, set, frozenset, dict)
_JSON_STARTS = ("[", "{", b"[", b"{")
_DATE_LENGTH = len("2024-01-31")


class Conversion:
    """How values become values of one type.

    Attributes:
        wire: The type as msgspec is to check it; Any where it can't describe the type.
        prepare: Applied before the check where the check alone refuses a value; None if nothing can help.
        always: ``prepare`` makes the whole check, for every value.
        holds_bytes: ``wire`` has to be checked with ``builtin_types=BYTES``.
    """

    __slots__ = ("always", "holds_bytes", "prepare", "wire")

    def __init__(self, wire: Any, prepare: Change | None, *, always: bool = False, holds_bytes: bool = True) -> None:
        self.wire = wire
        self.prepare = prepare
        self.always = always
        self.holds_bytes = holds_bytes

    def __call__(self, value: Any) -> Any:
        """Return the value as the type wants it, or raise ValueError (msgspec.ValidationError) or TypeError."""
        if self.prepare is None or (not self.always and self.accepts(value)):
            return self._strict(value)
        return self._strict(self.prepare(value))

    def accepts(self, value: Any) -> bool:
        """Return whether the check takes the value without preparation."""
        try:
            self._strict(value)
        except (ValueError, TypeError):
            return False
        return True

    def _strict(self, value: Any) -> Any:
        return msgspec.convert(value, self.wire, builtin_types=BYTES)


@lru_cache(maxsize=2048)
def conversion_for(wanted: Any) -> Conversion:
    """Return how values become values of the type ``wanted``."""
    if not _is_describable(wanted):
        return Conversion(Any, _judge(wanted), always=True)
    changes = _changes(wanted)
    leaf = all(_is_leaf(member) for member in _members(wanted))
    return Conversion(wanted, _by_type(changes) if changes else None, holds_bytes=not leaf)


def only_bytes(wanted: Any) -> frozenset[type]:
    """Return the types of values that fit a field of bytes, or of bytes and None; nothing for all other fields."""
    members: frozenset[type] = frozenset(_members(wanted))
    return members if bytes in members and members <= {bytes, NoneType} else frozenset()


def _is_describable(wanted: Any) -> bool:
    """Return whether msgspec knows the type (it knows any class by isinstance, and refuses some unions)."""
    if getattr(wanted, "_is_protocol", False):
        return False
    try:
        msgspec.json.Decoder(wanted)
    except TypeError:
        return False
    return True


def _by_type(changes: dict[type, Change]) -> Change:
    find = changes.get

    def prepare(value: Any) -> Any:
        change = find(value.__class__)
        return value if change is None else change(value)

    return prepare


# What a type is made of


def _members(wanted: Any) -> Iterator[Any]:
    """Yield the members of a union, however it is wrapped; a type that is no union is its own only member."""
    origin = get_origin(wanted)
    if origin is Annotated:
        yield from _members(get_args(wanted)[0])
    elif origin is Union or origin is UnionType:
        for member in get_args(wanted):
            yield from _members(member)
    elif isinstance(wanted, TypeAliasType):
        yield from _members(wanted.__value__)
    elif hasattr(wanted, "__supertype__"):  # NewType
        yield from _members(wanted.__supertype__)
    else:
        yield wanted


def _class_of(member: Any) -> Any:
    found: Any = get_origin(member) or member
    return found if inspect.isclass(found) else None


def _is_enum(member: Any) -> bool:
    return isinstance(member, type) and issubclass(member, Enum)


def _is_leaf(member: Any) -> bool:
    return get_origin(member) is Literal or member in _LEAVES or _is_enum(member)


def is_pydantic(kind: Any) -> bool:
    """Return whether it is a pydantic model or dataclass (pydantic itself is not imported for that)."""
    return "pydantic" in sys.modules and isinstance(kind, type) and hasattr(kind, "__pydantic_validator__")


def is_container(member: Any) -> bool:
    """Return whether databases without arrays and nested types hold values of the type as JSON."""
    kind = _class_of(member)
    if kind is None:
        return False
    if kind in _CONTAINERS or kind in _ABSTRACT or is_typeddict(kind) or is_pydantic(kind):
        return True
    if kind.__module__ == "collections.abc":
        return issubclass(kind, collections.abc.Iterable)
    return (
        is_dataclass(kind)
        or issubclass(kind, msgspec.Struct)
        or hasattr(kind, "__attrs_attrs__")
        or (hasattr(kind, "_fields") and issubclass(kind, tuple))
    )


def _natives(member: Any) -> frozenset[type]:
    """Return the types of values that msgspec takes for the type by its own rules, and that no change may touch."""
    if get_origin(member) is Literal:
        return frozenset(map(type, get_args(member)))
    if _is_enum(member):
        values: list[object] = [each.value for each in member]
        return frozenset(map(type, values))
    if member is float or member is Decimal:
        return frozenset({int, float, Decimal})
    if member in BYTES:
        return frozenset(BYTES)
    return frozenset({member}) if isinstance(member, type) else frozenset()


def _changes(wanted: Any) -> dict[type, Change]:
    """Return the changes that help values into the type, by the type of the value."""
    members = list(_members(wanted))
    if Any in members or object in members:
        return {}
    natives = frozenset[type]().union(*map(_natives, members))
    changes: dict[type, Change] = {}
    for member in members:
        for source, change in _changes_of(member, wanted).items():
            if source not in natives:
                before = changes.get(source)
                changes[source] = change if before is None else _chain(before, change)
    return changes


def _changes_of(member: Any, wanted: Any) -> dict[type, Change]:
    if member is bool:
        return {int: _bool_of_int}
    if member is datetime:
        return {str: _datetime_of_text}
    if member is time:
        return {str: _time_of_text, timedelta: time_of_day}
    if member is timedelta:
        return {str: _duration_of_text}
    if is_container(member):
        text, nested = _json_change(wanted), _nested_change(wanted)
        return {str: text, bytes: text, bytearray: text, memoryview: text, list: nested, tuple: nested, dict: nested}
    return {}


def _chain(first: Change, second: Change) -> Change:
    def both(value: Any) -> Any:
        changed = first(value)
        return changed if changed is not value else second(value)

    return both


# The changes


def _bool_of_int(value: int) -> Any:
    """0 and 1 are False and True, anything else stays what it is (and is refused after that)."""
    return value == 1 if value in {0, 1} else value


def _datetime_of_text(text: str) -> Any:
    """Read the spellings that msgspec refuses: no seconds, ``+00`` for an offset. A date alone is no datetime."""
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        has_time = text[_DATE_LENGTH : _DATE_LENGTH + 1] in {"T", " "}
        return datetime.fromisoformat(text) if has_time else text


def _time_of_text(text: str) -> Any:
    try:
        return msgspec.convert(text, time)
    except msgspec.ValidationError:
        return time.fromisoformat(text) if ":" in text else text


def time_of_day(value: timedelta) -> Any:
    """Read a time of day as MySQL's drivers give it."""
    return (datetime.combine(date.min, time.min) + value).time() if timedelta() <= value < timedelta(days=1) else value


_CLOCK = re.compile(r"(-?)(\d+):(\d\d):(\d\d(?:\.\d{1,6})?)")


def _duration_of_text(text: str) -> Any:
    """Read ISO 8601, which msgspec takes too, and clock text (``-100:30:00.5``), as MySQL writes durations."""
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        return text
    sign, hours, minutes, seconds = clock.groups()
    whole, _, fraction = seconds.partition(".")
    microseconds = int(fraction.ljust(6, "0") or 0)
    value = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(whole), microseconds=microseconds)
    return -value if sign else value


def json_value(text: Any, decode: Change = msgspec.json.decode) -> Any:
    """Decode text or bytes that hold a JSON array or object; anything else stays as it is."""
    data: Any = text if isinstance(text, (str, bytes)) else bytes(text)
    return decode(data) if data.lstrip()[:1] in _JSON_STARTS else text


def takes_time_of_day(wanted: Any) -> bool:
    """Return whether a duration in a field of the type can only be a time of day."""
    members = list(_members(wanted))
    return time in members and not any(each in members for each in (timedelta, Any, object))


def takes_json(wanted: Any) -> bool:
    """Return whether text in a field of the type can only be JSON."""
    members = list(_members(wanted))
    return any(map(is_container, members)) and not any(each in members for each in (str, *BYTES, Any, object))


def _json_change(wanted: Any) -> Change:
    decode = msgspec.json.Decoder(wanted, dec_hook=_nested_hook).decode
    return lambda text: json_value(text, decode)


def _nested_change(wanted: Any) -> Change:
    """Read decoded JSON once more as JSON: keys are text there, bytes are base64, models are objects."""
    return lambda value: msgspec.convert(value, wanted, str_keys=True, dec_hook=_nested_hook)


def _nested_hook(wanted: Any, value: Any) -> Any:
    """Return a value of a class that msgspec does not know; it checks afterwards that it is one."""
    if is_pydantic(wanted) and not isinstance(value, wanted):
        from pydantic import TypeAdapter

        return TypeAdapter[Any](wanted).validate_python(value)
    return value


# Types that msgspec can't describe


def _judge(wanted: Any) -> Change:
    """Return a function that checks a value by itself: it returns the value to use, or raises ValueError."""
    members = list(_members(wanted))
    if len(members) > 1:
        return _judge_union([conversion_for(member) for member in members])
    kind = _class_of(members[0])
    if kind is None or getattr(kind, "_is_protocol", False):
        return _untouched
    if _is_enum(kind):
        member_of: Change = kind
        return member_of
    return _judge_instance(kind, is_container(kind))


def _untouched(value: Any) -> Any:
    return value


def _judge_union(members: list[Conversion]) -> Change:
    """Take the member that a value fits as it is, else the first one that it can be changed into."""

    def judge(value: Any) -> Any:
        changed: list[Any] = []
        for member in members:
            try:
                result = member(value)
            except (ValueError, TypeError):
                continue
            if result.__class__ is value.__class__:
                return result
            changed.append(result)
        if not changed:
            raise ValueError("no member of the union takes the value")
        return changed[0]

    return judge


def _judge_instance(kind: type, may_be_json: bool) -> Change:
    def judge(value: Any) -> Any:
        if may_be_json and isinstance(value, (str, *BYTES)):
            value = json_value(value)
        if not isinstance(value, kind):
            raise TypeError("the value is of another type")
        return value

    return judge


# Names for messages


def type_name(kind: Any) -> str:
    """Return a type as a reader would write it: ``int | None``, ``list[UUID]``."""
    if kind is None or kind is NoneType:
        return "None"
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return type_name(arguments[0])
    if origin is Union or origin is UnionType:
        return " | ".join(map(type_name, arguments))
    if origin is not None and origin is not Literal:
        return f"{type_name(origin)}[{', '.join('...' if each is ... else type_name(each) for each in arguments)}]"
    if isinstance(kind, type) or hasattr(kind, "__supertype__"):
        return str(kind.__name__)
    return repr(kind).replace("typing.", "")
