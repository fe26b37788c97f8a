"""Rule P5, the way in: values become what the driver takes."""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlspec.core import values
from sqlspec.core.facts import NATIVE_TYPES, DialectFacts, ParameterStyle
from sqlspec.core.plan import Plan
from sqlspec.core.values import encode, encoder_for
from sqlspec.exceptions import DatabaseError, ParameterError

FACTS = DialectFacts(
    "x",
    lambda _: (),
    lambda _: DatabaseError,
    native_types=NATIVE_TYPES | {bool},
    encoders={
        UUID: values.uuid_text,
        Decimal: values.decimal_text,
        dt.datetime: values.iso_datetime,
        dt.date: values.iso_date,
        dt.time: values.iso_time,
        dt.timedelta: values.iso_duration,
        dict: values.json_text,
        list: values.json_text,
        Enum: values.enum_value,
    },
)


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    BIG = 3


class Price(Enum):
    LOW = Decimal("1.50")


class Text(str):
    __slots__ = ()


class Unknown:
    pass


FORMS: list[tuple[Any, Any]] = [
    (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (Decimal("1.10"), "1.10"),
    (dt.date(2024, 2, 29), "2024-02-29"),
    (dt.time(12, 30, 0, 5), "12:30:00.000005"),
    (dt.datetime(2024, 2, 29, 12, 30), "2024-02-29 12:30:00"),
    (dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC), "2024-02-29 12:30:00+00:00"),
    (dt.timedelta(days=1, seconds=2, microseconds=500000), "P1DT2.5S"),
    ({"a": [1, UUID(int=5)]}, '{"a":[1,"00000000-0000-0000-0000-000000000005"]}'),
    ([1, None, "x"], '[1,null,"x"]'),
    (OrderedDict(a=1), '{"a":1}'),
    (Colour.RED, "red"),
    (Size.BIG, 3),
    (Price.LOW, "1.50"),
]


@pytest.mark.parametrize(("value", "expected"), FORMS)
def test_encoded(value: Any, expected: Any) -> None:
    """Each type has its form; subclasses share it; enums go by their value, whatever they also are."""  # P5
    (encoded,) = encode([value], FACTS)
    assert encoded == expected
    assert type(encoded) is type(expected)


@pytest.mark.parametrize("value", [1, 1.5, "x", b"x", None, True, Text("x"), Unknown(), {1}])
def test_untouched(value: Any) -> None:
    """Native values, their subclasses and types that nobody knows pass as they are."""  # P5
    (encoded,) = encode([value], FACTS)
    assert encoded is value


@given(st.timedeltas(), st.decimals(allow_nan=False), st.uuids(), st.datetimes(), st.times())
def test_forms_read_back(
    duration: dt.timedelta, number: Decimal, uuid: UUID, moment: dt.datetime, time: dt.time
) -> None:
    """The texts read back equal."""  # P5
    texts = encode([duration, number, uuid, moment, time], FACTS)
    assert msgspec.convert(texts[0], dt.timedelta) == duration
    assert (Decimal(texts[1]), UUID(texts[2])) == (number, uuid)
    assert (dt.datetime.fromisoformat(texts[3]), dt.time.fromisoformat(texts[4])) == (moment, time)


def test_encoder_for_follows_the_facts() -> None:
    """The same type has another encoder under other facts."""
    other = DialectFacts("y", lambda _: (), lambda _: DatabaseError)
    assert encoder_for(UUID, FACTS) is values.uuid_text
    assert encoder_for(UUID, other) is None
    assert encoder_for(dt.datetime, FACTS) is values.iso_datetime
    assert encoder_for(int, FACTS) is None


def test_types_made_at_run_time_do_not_pile_up() -> None:
    """Thousands of types are looked up, few are remembered."""
    for number in range(3000):
        assert encoder_for(type(f"T{number}", (UUID,), {}), FACTS) is values.uuid_text
    assert len(values.known_encoders[FACTS]) <= 1000


def test_refused_value() -> None:
    """A value that has no form is an error that tells place and type, and the statement."""  # P5 E5
    plan = Plan("INSERT INTO t VALUES (?, ?)", FACTS, ParameterStyle.QMARK)
    with pytest.raises(ParameterError, match="Parameter 2 of type dict can't be sent") as caught:
        plan.bind((1, {"secret": Unknown()}))
    assert caught.value.statement == plan.text
    assert "secret" not in str(caught.value)
    with pytest.raises(ParameterError, match=r"Row 1 \(counted from 0\): Parameter 1 of type list"):
        plan.bind_many([(1, 2), ([Unknown()], 3)])


def test_bound_values_are_encoded() -> None:
    """Binding encodes, for one execution, in lists and for many rows."""  # P5
    plan = Plan("SELECT a IN (:ids), :x", FACTS, ParameterStyle.QMARK)
    one = UUID(int=1)
    assert plan.bind(({"ids": [one], "x": one},))[1] == [str(one), str(one)]
    plan = Plan("INSERT INTO t VALUES (?, ?)", FACTS, ParameterStyle.QMARK)
    assert plan.bind((one, [1])) == (plan.text, [str(one), "[1]"])
    assert [list(row) for row in plan.bind_many([(one, 1), (2, 3)])[1]] == [[str(one), 1], [2, 3]]
