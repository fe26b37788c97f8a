"""What values from a database become for a field's type: ``sqlspec.core.row_values``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any, Literal, NamedTuple, NewType, Protocol
from uuid import UUID

import attrs
import msgspec
import pytest
from asyncpg.pgproto.pgproto import UUID as DriverUUID
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from typing_extensions import TypedDict

from sqlspec.core.row_values import conversion_for, type_name

KEY = UUID("12345678-1234-5678-1234-567812345678")
DAY = date(2024, 2, 29)
NOON = datetime(2024, 2, 29, 12, 0)
HOUR = timedelta(hours=1)
UserId = NewType("UserId", int)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 0
    HIGH = 1


class Odd(Enum):
    HALF = 0.5
    NAMED = "half"


class Address(msgspec.Struct):
    street: str
    photo: bytes = b""


@dataclass
class Point:
    x: int
    y: int = 0


class Place(TypedDict):
    x: int


class Pair(NamedTuple):
    x: int
    y: int


@attrs.define
class Box:
    x: int


class Model(BaseModel):
    x: int


class Sized(Protocol):
    def size(self) -> int: ...


FITS: list[tuple[Any, Any, Any]] = [
    # (type of the field, value from the driver, value in the object); what a database with the type gives
    (int, 5, 5),
    (int, 2**80, 2**80),
    (bool, True, True),
    (str, "x", "x"),
    (bytes, b"x", b"x"),
    (UUID, KEY, KEY),
    (UUID, DriverUUID(str(KEY)), DriverUUID(str(KEY))),
    (Decimal, Decimal("1.50"), Decimal("1.50")),
    (datetime, NOON, NOON),
    (date, DAY, DAY),
    (time, time(12), time(12)),
    (timedelta, HOUR, HOUR),
    (Any, KEY, KEY),
    (object, KEY, KEY),
    (IPv4Address, IPv4Address("10.0.0.1"), IPv4Address("10.0.0.1")),
    (IPv4Address | None, None, None),
    (list[int], [1, 2], [1, 2]),
    (tuple[int, ...], [1, 2], (1, 2)),
    (set[int], [1, 2], {1, 2}),
    (list[UUID], [KEY], [KEY]),
    (list[bytes], [b"x"], [b"x"]),
    (dict[str, Any], {"a": [1]}, {"a": [1]}),
    (UserId, 5, 5),
    (Annotated[int, "doc"], 5, 5),
    (Literal["a", "b"], "a", "a"),
    (Colour, Colour.RED, Colour.RED),
    # numbers of another kind
    (float, 5, 5.0),
    (float, Decimal("1.5"), 1.5),
    (Decimal, 5, Decimal(5)),
    (Decimal, 0.1, Decimal("0.1")),
    # databases without the type
    (bool, 0, False),
    (bool, 1, True),
    (bool | None, 1, True),
    (UUID, str(KEY), KEY),
    (Decimal, "1.50", Decimal("1.50")),
    (date, "2024-02-29", DAY),
    (datetime, "2024-02-29T12:00:00", NOON),
    (datetime, "2024-02-29 12:00:00", NOON),
    (datetime, "2024-02-29 12:00", NOON),
    (datetime, "2024-02-29 12:00:00Z", NOON.replace(tzinfo=UTC)),
    (datetime, "2024-02-29 12:00:00+00", NOON.replace(tzinfo=UTC)),
    (datetime, "2024-02-29 12:00:00+02:00", NOON.replace(tzinfo=timezone(2 * HOUR))),
    (datetime, "2024-02-29 12:00:00.000001", NOON.replace(microsecond=1)),
    (time, "12:00:00", time(12)),
    (time, "12:00", time(12)),
    (time, timedelta(hours=12), time(12)),
    (timedelta, "PT1H", HOUR),
    (bytes, memoryview(b"x"), b"x"),
    (bytes, bytearray(b"x"), b"x"),
    (Colour, "red", Colour.RED),
    (Level, 1, Level.HIGH),
    (Odd, 0.5, Odd.HALF),
    (Odd, "half", Odd.NAMED),
    # JSON: text, bytes, or decoded already
    (list[int], "[1, 2]", [1, 2]),
    (list[int], b"[1, 2]", [1, 2]),
    (list[int] | None, memoryview(b" [1, 2]"), [1, 2]),
    (dict[str, Any], '{"a": [1]}', {"a": [1]}),
    (dict[int, int], '{"1": 2}', {1: 2}),
    (dict[int, int], {"1": 2}, {1: 2}),
    (dict[str, Decimal], '{"a": 1.10}', {"a": Decimal("1.10")}),
    (dict[str, Any] | list[Any], "[1]", [1]),
    (Mapping[str, int], '{"a": 1}', {"a": 1}),
    (Sequence[int], "[1]", [1]),
    (set[str], '["a"]', {"a"}),
    (tuple[int, str], '[1, "a"]', (1, "a")),
    (frozenset[date], '["2024-02-29"]', frozenset({DAY})),
    (Address, '{"street": "a", "photo": "eA=="}', Address("a", b"x")),
    (Address, {"street": "a", "photo": "eA=="}, Address("a", b"x")),
    (Address | None, None, None),
    (list[Address], '[{"street": "a"}]', [Address("a")]),
    (Point, '{"x": 1}', Point(1)),
    (Point, {"x": 1}, Point(1)),
    (Place, '{"x": 1}', {"x": 1}),
    (Pair, "[1, 2]", Pair(1, 2)),
    (Box, '{"x": 1}', Box(1)),
    (Model, '{"x": 1}', Model(x=1)),
    (Model, {"x": 1}, Model(x=1)),
    (list[Model], '[{"x": 1}]', [Model(x=1)]),
    # unions: what a value is comes first, what it can become after that
    (int | str, "5", "5"),
    (bool | int, 1, 1),
    (bool | str, 1, True),
    (str | dict[str, Any], '{"a": 1}', '{"a": 1}'),
    (UUID | dict[str, Any], '{"a": 1}', {"a": 1}),
    (date | datetime, DAY, DAY),
    (date | datetime, NOON, NOON),
    (date | datetime | None, None, None),
    (datetime | date, "2024-02-29", DAY),
    (date | datetime | str, "2024-02-29", "2024-02-29"),
    (IPv4Address | IPv6Address, IPv4Address("10.0.0.1"), IPv4Address("10.0.0.1")),
    (IPv4Address | bool, 1, True),
    (Point | Address, '{"street": "a"}', Address("a")),
    (list[date | datetime], [DAY, NOON], [DAY, NOON]),
    (list[date | datetime], "[]", []),
    (Sized, 5, 5),  # what can't be judged is not judged
]

REFUSED: list[tuple[Any, Any]] = [
    (int, None),
    (int, "5"),
    (int, 5.0),
    (int, True),
    (int, Decimal(5)),
    (int | None, "5"),
    (float, "1.5"),
    (float, True),
    (bool, 2),
    (bool, 1.0),
    (bool, "true"),
    (bool | None, 2),
    (str, 5),
    (str, KEY),
    (str, b"x"),
    (str, None),
    (bytes, "eA=="),
    (bytes | None, "eA=="),
    (Decimal, "abc"),
    (Decimal, True),
    (UUID, "abc"),
    (date, NOON),
    (date, "2024-02-29 00:00:00"),
    (datetime, DAY),
    (datetime, "2024-02-29"),
    (datetime, "yesterday at noon"),
    (datetime, 5),
    (time, "12"),
    (time, timedelta(days=1)),
    (time, timedelta(seconds=-1)),
    (timedelta, 5),
    (timedelta, "1 day"),
    (Colour, "green"),
    (Level, True),
    (Odd, 1.5),
    (Odd, None),
    (Literal["a"], "b"),
    (list[int], "5"),
    (list[int], "[1"),
    (list[int], '["a"]'),
    (list[int], None),
    (list[int], {"a": 1}),
    (dict[str, Any], "null"),
    (Point, '{"x": "1"}'),
    (Point, "{}"),
    (Model, '{"x": "a"}'),
    (IPv4Address, "10.0.0.1"),
    (date | datetime, 5),
    (date | datetime, "5"),
    (list[date | datetime], 5),
]


@pytest.mark.parametrize(("wanted", "value", "expected"), FITS, ids=repr)
def test_a_value_fits(wanted: Any, value: Any, expected: Any) -> None:  # P5
    result = conversion_for(wanted)(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(("wanted", "value"), REFUSED, ids=repr)
def test_a_value_is_refused(wanted: Any, value: Any) -> None:  # R4
    with pytest.raises((ValueError, TypeError)):
        conversion_for(wanted)(value)


@pytest.mark.parametrize(("wanted", "value", "expected"), FITS, ids=repr)
def test_preparing_never_changes_what_fits_as_it_is(wanted: Any, value: Any, expected: Any) -> None:
    """A column that is prepared may hold values that need nothing: they come out the same either way."""
    conversion = conversion_for(wanted)
    if conversion.prepare is not None and conversion.accepts(value):
        prepared = msgspec.convert(conversion.prepare(value), conversion.wire, builtin_types=(bytes, bytearray))
        assert prepared == expected
        assert type(prepared) is type(expected)


@given(st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(-HOUR))), st.sampled_from([" ", "T"]))
def test_datetimes_come_back_from_iso_text(moment: datetime, separator: str) -> None:  # P5
    assert conversion_for(datetime)(moment.isoformat(separator)) == moment


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_come_back_from_text(number: Decimal) -> None:  # P5
    assert str(conversion_for(Decimal)(str(number))) == str(number)


@given(st.timedeltas(timedelta(days=-10_000), timedelta(days=10_000)))
def test_durations_come_back_from_iso_text(duration: timedelta) -> None:  # P5
    assert conversion_for(timedelta)(msgspec.to_builtins(duration)) == duration


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ).filter(lambda value: isinstance(value, (list, dict)))
)
def test_json_comes_back_from_text(value: Any) -> None:  # P5
    assert conversion_for(dict[str, Any] | list[Any])(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (int, "int"),
        (int | None, "int | None"),
        (list[UUID], "list[UUID]"),
        (dict[str, Any], "dict[str, Any]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (Annotated[int, "doc"], "int"),
        (Literal["a", 1], "Literal['a', 1]"),
        (UserId, "UserId"),
        (Point, "Point"),
        (None, "None"),
    ],
    ids=repr,
)
def test_types_have_names_for_readers(wanted: Any, name: str) -> None:  # E4
    assert type_name(wanted) == name
