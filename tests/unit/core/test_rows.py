"""Shapes and row makers: what all kinds have in common, and what is said when rows do not fit."""

from __future__ import annotations

import sqlite3
import traceback
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import GenericAlias
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from typing_extensions import TypedDict

from sqlspec.core.row_makers import make_maker
from sqlspec.core.rows import Shape
from sqlspec.exceptions import DuplicateColumnError, MappingError


@dataclass
class User:
    id: int
    age: int
    tags: list[str] | None = None


class UserStruct(msgspec.Struct):
    id: int
    age: int
    tags: list[str] | None = None


@attrs.define
class UserAttrs:
    id: int
    age: int
    tags: list[str] | None = None


class UserModel(BaseModel):
    id: int
    age: int
    tags: list[str] | None = None


class UserTuple(NamedTuple):
    id: int
    age: int
    tags: list[str] | None = None


class UserDict(TypedDict, total=False):
    id: int
    age: int
    tags: list[str] | None


KINDS = [User, UserStruct, UserAttrs, UserModel, UserTuple, UserDict]
COLUMNS = ("id", "age", "tags")


def values_of(made: Any) -> list[Any]:
    return [made[name] for name in COLUMNS] if isinstance(made, dict) else [getattr(made, name) for name in COLUMNS]


@pytest.mark.parametrize("kind", KINDS)
def test_null_in_a_field_that_takes_none_is_an_error_for_every_kind(kind: Any) -> None:  # R4
    with pytest.raises(MappingError) as caught:
        Shape(COLUMNS).maker(kind).many([(1, 2, None), (2, 3, None), (3, None, None)])
    error = caught.value
    assert (error.row, error.column, error.field, error.wanted, error.found) == (2, "age", "age", "int", "NoneType")
    start = f"Row 3: column 'age' (NoneType) does not fit field 'age: int' of {kind.__name__}."
    assert str(error).startswith(start)
    assert str(error).endswith("Select a non-NULL value or make the field optional: 'int | None'.")


@pytest.mark.parametrize("kind", KINDS)
def test_columns_are_matched_by_name(kind: Any) -> None:  # R4
    made = Shape(("tags", "extra", "age", "id")).maker(kind).many([('["a"]', 0, 2, 1), (None, 0, 4, 3)])
    assert [values_of(each) for each in made] == [[1, 2, ["a"]], [3, 4, None]]


@pytest.mark.parametrize("kind", [None, dict, *KINDS])
def test_two_columns_of_one_name_are_an_error(kind: Any) -> None:  # R5
    with pytest.raises(DuplicateColumnError) as caught:
        Shape(("id", "age", "id")).maker(kind)
    assert str(caught.value) == (
        "Columns 1 and 3 are both named 'id'. Give one of them another name with AS, "
        "or take the rows as tuples: schema_type=tuple."
    )
    assert caught.value.column == "id"


def test_tuples_keep_two_columns_of_one_name() -> None:  # R5
    assert Shape(("id", "id")).maker(tuple).many([(1, 2)]) == [(1, 2)]
    assert Shape(("id", "id")).maker(tuple[int, str]).one((1, "a")) == (1, "a")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not UserDict])
def test_a_missing_field_is_named_with_the_columns_there_are(kind: Any) -> None:  # R4
    with pytest.raises(MappingError) as caught:
        Shape(("id", "name")).maker(kind)
    assert str(caught.value) == (
        f"{kind.__name__} needs field 'age: int', and no column is named 'age'. Columns: id, name. "
        "Select it, rename a column with AS, or give the field a default."
    )
    assert caught.value.field == "age"


@pytest.mark.parametrize("kind", [None, tuple, *KINDS])
def test_records_of_drivers_are_rows_too(kind: Any) -> None:
    """asyncpg and sqlite3 have row objects that are neither tuples nor lists."""
    with_records = sqlite3.connect(":memory:")
    with_records.row_factory = sqlite3.Row
    rows = with_records.execute("SELECT 1 AS id, 2 AS age, NULL AS tags").fetchall()
    with_records.close()
    maker = Shape(COLUMNS).maker(kind)
    assert [maker.one(rows[0])] == maker.many(rows) == maker.many([(1, 2, None)]) == maker.many(((1, 2, None),))


def test_no_rows_are_an_empty_list() -> None:  # R6
    for kind in (None, tuple, *KINDS):
        assert Shape(COLUMNS).maker(kind).many([]) == []


def test_a_type_of_defaults_only_needs_no_column() -> None:  # R4
    @dataclass
    class Defaults:
        x: int = 1

    assert Shape(("other",)).maker(Defaults).many([(0,), (0,)]) == [Defaults(), Defaults()]


def test_makers_are_shared_between_equal_shapes() -> None:
    first, second = Shape(("id", "age")), Shape(("id", "age"))
    assert first.maker(User) is first.maker(User) is second.maker(User)
    assert first.maker(None) is not first.maker(User)


def test_types_made_per_request_do_not_fill_the_shape() -> None:
    shape = Shape(("id",))
    for number in range(200):
        shape.maker(msgspec.defstruct(f"Made{number}", [("id", int)]))
    assert shape.maker(int).one((1,)) == 1
    assert len(shape._makers) < 100  # pyright: ignore[reportPrivateUsage]


def test_the_key_is_the_adapters_own() -> None:
    key = object()
    assert Shape(("id",), key).key is key


def test_a_later_part_of_a_result_counts_on() -> None:  # R4
    """A stream maps its rows in parts; the error names the row of the whole result."""
    for kind in (User, UserModel):
        with pytest.raises(MappingError, match="Row 1003: column 'age'") as caught:
            Shape(COLUMNS).maker(kind).many([(1, 2, None), (1, 2, None), (1, None, None)], start=1000)
        assert caught.value.row == 1002


def test_text_is_never_taken_for_the_base64_of_bytes() -> None:  # R4 P5
    maker = Shape(("photo",)).maker(bytes)
    for call in (lambda: maker.one(("eA==",)), lambda: maker.many([("eA==",)])):
        with pytest.raises(MappingError, match="column 'photo' \\(str\\) does not fit bytes"):
            call()


# What is learned from rows


@dataclass
class Item:
    flag: bool
    made: datetime
    meta: dict[str, Any]
    price: Decimal
    key: UUID | None = None


ITEM_COLUMNS = ("flag", "made", "meta", "price", "key")
KEY = UUID(int=5)
TYPED = (True, datetime(2024, 1, 1, 10), {"a": 1}, Decimal("1.5"), KEY)
TEXTUAL = (1, "2024-01-01 10:00", '{"a": 1}', 1.5, str(KEY))


@pytest.mark.parametrize("rows", [[TYPED, TEXTUAL], [TEXTUAL, TYPED], [TYPED] * 3 + [TEXTUAL] * 3, [TEXTUAL]])
def test_rows_of_both_kinds_of_databases_mix(rows: list[Any]) -> None:  # P5
    maker = make_maker(ITEM_COLUMNS, Item)
    for _ in range(3):
        assert maker.many(rows) == [Item(*TYPED)] * len(rows)
        assert [maker.one(row) for row in rows] == [Item(*TYPED)] * len(rows)


def test_an_error_teaches_nothing_wrong() -> None:  # R4
    maker = make_maker(ITEM_COLUMNS, Item)
    bad = (2, *TEXTUAL[1:])
    for _ in range(2):
        with pytest.raises(MappingError, match="Row 2: column 'flag' \\(int\\) does not fit field 'flag: bool'"):
            maker.many([TEXTUAL, bad])
        with pytest.raises(MappingError, match="Row 1: column 'flag' \\(int\\)"):
            maker.one(bad)
        assert maker.many([TEXTUAL, TYPED]) == [Item(*TYPED)] * 2


VALUES = st.one_of(
    st.none(),
    st.integers(-1, 2),
    st.booleans(),
    st.floats(allow_nan=False, width=16),
    st.decimals(-10, 10, places=1),
    st.sampled_from(
        ["", "1", "x", "eA==", "[1]", '{"a": 1}', "[", "2024-01-01", "2024-01-01 10:00", "10:00", str(KEY)]
    ),
    st.sampled_from([b"x", bytearray(b"[1]"), memoryview(b"{}"), KEY, date(2024, 1, 1), datetime(2024, 1, 1)]),
    st.sampled_from([datetime(2024, 1, 1, tzinfo=UTC), [1], ["a"], {"a": 1}, {"1": [True]}, ()]),
)
FIELD_TYPES: list[Any] = [
    int,
    bool,
    str,
    float,
    bytes,
    Decimal,
    UUID,
    date,
    datetime,
    list[int],
    dict[str, Any],
    tuple[int, ...],
    int | None,
    bool | None,
    bool | str,
    dict[str, Any] | None,
    date | datetime,
    list[bytes] | None,
    str | list[int],
    UserStruct,
    Any,
]


class Said(NamedTuple):
    """What an error says, without the number of the row."""

    row: int | None
    rest: tuple[Any, ...]


def outcome(function: Any) -> Any:
    """Return what a call gives, or what it says."""
    try:
        return function()
    except MappingError as error:
        rest = str(error).split(": ", 1)[1]
        return Said(error.row, (rest, error.column, error.field, error.wanted, error.found))


def schema_type_of(kind: int, fields: dict[str, Any]) -> Any:
    """Make a type with these fields: one of those that are built in different ways."""
    make_class: Any = attrs.make_class
    typed_dict: Any = TypedDict
    if kind == 0:
        return msgspec.defstruct("Made", list(fields.items()))
    if kind == 1:
        return typed_dict("Made", fields)
    if kind == 2:
        return GenericAlias(tuple, tuple(fields.values()))
    return make_class("Made", {name: attrs.field(type=wanted) for name, wanted in fields.items()})


@settings(max_examples=400)
@given(st.data(), st.lists(st.sampled_from(FIELD_TYPES), min_size=1, max_size=3), st.integers(0, 3))
def test_one_and_many_give_the_same_for_every_row(data: Any, types: list[Any], kind: int) -> None:
    """Whatever a maker has seen before: a fresh one, one that has learned, one row or many."""
    columns = tuple(f"c{index}" for index in range(len(types)))
    wanted = schema_type_of(kind, dict(zip(columns, types, strict=True)))
    rows = data.draw(st.lists(st.tuples(*[VALUES] * len(types)), min_size=1, max_size=6))
    seasoned = make_maker(columns, wanted)
    singles: list[Any] = []
    for row in rows:
        first = outcome(lambda row=row: make_maker(columns, wanted).one(row))
        # repr tells 1 from True, which == does not
        assert repr(outcome(lambda row=row: seasoned.one(row))) == repr(first)
        assert repr(outcome(lambda row=row: seasoned.many([row])[0])) == repr(first)
        singles.append(first)
    for maker in (seasoned, make_maker(columns, wanted)):
        together = outcome(lambda maker=maker: maker.many(rows))
        if isinstance(together, Said):
            failed = next(index for index, each in enumerate(singles) if isinstance(each, Said))
            assert together == Said(failed, singles[failed].rest)
        else:
            assert repr(together) == repr(singles)


# What messages may hold


class Checked(msgspec.Struct):
    id: int

    def __post_init__(self) -> None:
        if self.id < 0:
            raise ValueError(f"{self.id} is negative")


@attrs.define
class Converted:
    id: int = attrs.field(converter=int)


@pytest.mark.parametrize(("kind", "value"), [(Checked, -12345), (Converted, "s3cret")])
def test_what_the_class_refuses_is_told_by_the_line_that_raised(kind: Any, value: Any) -> None:  # R4
    for call in (lambda: make_maker(("id",), kind).one((value,)), lambda: make_maker(("id",), kind).many([(value,)])):
        with pytest.raises(MappingError, match=rf"Row 1: {kind.__name__} refused the values: ValueError at .*:\d+"):
            call()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, "s3cret"),
        (Decimal, "s3cret"),
        (datetime, "2024-01-01 s3cret"),
        (list[int], '["s3cret"]'),
        (UserStruct, '{"id": "s3cret"}'),
        (UserModel, '{"id": "s3cret"}'),
        (list[UserModel], '[{"id": "s3cret"}]'),
        (date | datetime, "s3cret"),
    ],
)
def test_no_message_and_no_traceback_holds_a_value(kind: Any, value: str) -> None:  # E5
    for wanted in (kind, msgspec.defstruct("Holder", [("n", kind)])):
        with pytest.raises(MappingError) as caught:
            Shape(("n",)).maker(wanted).one((value,))
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        assert "s3cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(("kind", "value"), [(Checked, -12345), (Converted, "s3cret"), (UserModel, "s3cret")])
def test_no_traceback_holds_what_the_class_said_of_a_value(kind: Any, value: Any) -> None:  # E5
    with pytest.raises(MappingError) as caught:
        Shape(("id", "age")).maker(kind).many([(value, value)])
    assert caught.value.__context__ is None
    assert str(value) not in "".join(traceback.format_exception(caught.value))


def test_what_is_wrong_inside_a_value_is_told_by_type_and_place() -> None:  # R4
    with pytest.raises(MappingError) as caught:
        Shape(COLUMNS).maker(User).one((1, 2, '["a", 5]'))
    assert "Inside it: Expected `str`, got `int` - at `$[1]`." in str(caught.value)


# One value


def test_a_value_maker_takes_the_first_column_of_any_width() -> None:  # R7
    shape = Shape(("id", "id", "name"))
    assert shape.value_maker(int).one((1, 2, "a")) == 1
    assert shape.value_maker(dict[str, Any]).one(('{"a": 1}', 2, "a")) == {"a": 1}
    assert shape.value_maker(User).one(('{"id": 1, "age": 2}', 2, "a")) == User(1, 2)
    assert shape.value_maker(UserModel).one(({"id": 1, "age": 2}, 2, "a")) == UserModel(id=1, age=2)
    with pytest.raises(MappingError, match="Row 1: column 'id' \\(str\\) does not fit int"):
        shape.value_maker(int).one(("a", 2, "a"))
