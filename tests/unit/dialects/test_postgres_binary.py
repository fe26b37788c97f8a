"""PostgreSQL's binary formats, there and back."""

from __future__ import annotations

import datetime as dt
import ipaddress
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from sqlspec.dialects.postgres_binary import Formats, MisfitError, read_column

FORMATS = Formats({})


def written_as(kind: str, value: Any) -> bytes:
    """The bytes of a parameter."""
    (data,) = FORMATS.parameters([(kind, None, None, kind)]).write([value])
    assert data is not None
    return data


def read_as(kind: str, data: bytes) -> Any:
    """The value of a column."""
    read = FORMATS.reader(kind)
    assert read is not None
    return read(data)


@pytest.mark.parametrize(
    ("number", "data"),
    [
        ("0", "0000000000000000"),
        ("1.50", "0002000000000002 0001 1388"),
        ("-0.0001", "0001ffff40000004 0001"),
        ("12345678", "0002000100000000 04d2 162e"),
        ("1E+4", "0001000100000000 0001"),
        ("NaN", "00000000c0000000"),
        ("-Infinity", "00000000f0000000"),
    ],
)
def test_numeric(number: str, data: str) -> None:
    """As the server's numeric_send writes it, and back."""  # P5
    written = written_as("numeric", Decimal(number))
    assert written == bytes.fromhex(data)
    read = read_as("numeric", written)
    assert str(read) == number if "N" in number or "I" in number else read == Decimal(number)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bool", True),
        ("int2", -5),
        ("int8", 2**63 - 1),
        ("oid", 2**32 - 1),
        ("float8", 0.1),
        ("text", "naïve 🐘"),
        ("bytea", b"\0\xff"),
        ("uuid", UUID(int=7)),
        ("inet", ipaddress.ip_interface("10.0.0.1/8")),
        ("inet", ipaddress.ip_address("::1")),
        ("date", dt.date(1, 1, 1)),
        ("time", dt.time(23, 59, 59, 999999)),
        ("timestamp", dt.datetime(1999, 12, 31, 23, 59)),
        ("timestamptz", dt.datetime(2024, 2, 29, tzinfo=dt.UTC)),
        ("interval", -dt.timedelta(days=400, microseconds=7)),
        ("json", {"a": [1, None]}),
        ("jsonb", [2**70]),
    ],
)
def test_there_and_back(kind: str, value: Any) -> None:
    """By themselves."""  # P5
    assert read_as(kind, written_as(kind, value)) == value


def test_json_as_the_user_wants_it() -> None:
    """Both functions work on texts."""  # P5

    def write(value: object) -> str:
        return f"[{value}]"

    formats = Formats({"json_serializer": write, "json_deserializer": str.upper})
    (data,) = formats.parameters([("jsonb", None, None, "jsonb")]).write(["x"])
    assert data == b"\1[x]"
    read = formats.reader("jsonb")
    assert read is not None
    assert read(data) == "[X]"


@pytest.mark.parametrize(
    ("value", "data", "read"),
    [
        (str(UUID(int=7)), UUID(int=7).bytes, UUID(int=7)),
        ({"a": 1}, b'\1{"a":2}', {"a": 2}),
        ([1], b"[2]", [2]),
        ([None], bytes.fromhex("00000001 00000001 00000017 00000001 00000001 ffffffff"), [None]),
        (Decimal(0), bytes.fromhex("0001000000000000 0007"), Decimal(7)),
    ],
)
def test_a_column_is_known_by_a_value_and_its_bytes(value: Any, data: bytes, read: Any) -> None:
    """Where a driver tells no types."""  # P5
    found = FORMATS.reader_by_sample(value, data)
    assert found is not None
    assert read_column(found, [None, data], "it") == [None, read]


@pytest.mark.parametrize(("value", "data"), [(str(UUID(int=7)), b"0" * 36), ({"a": 1}, bytes(8)), (5, bytes(4))])
def test_what_is_right_as_it_is(value: Any, data: bytes) -> None:
    """Texts, composites, and all that no driver gets wrong."""  # P5
    assert FORMATS.reader_by_sample(value, data) is None


def test_what_can_not_be_read_names_the_column() -> None:
    """And shows no value."""  # E4 E5
    with pytest.raises(MisfitError, match=r"column it .*Cast it") as refused:
        read_column(FORMATS.read_array, [bytes.fromhex("00000001 00000000 0000ffff")], "it")
    assert refused.value.__cause__ is None


def test_types_that_are_not_known() -> None:
    """The message says how to write them; too many and too few values are told too."""  # E4
    parameters = FORMATS.parameters([("tsvector", None, None, "tsvector")])
    with pytest.raises(MisfitError, match=r"\$1::text::tsvector"):
        parameters.write(["geheim"])
    assert parameters.write([None]) == [None]
    with pytest.raises(MisfitError, match="has 1 parameters, not 2"):
        parameters.write([1, 2])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int8", Decimal(0)),
        ("int8", "5"),
        ("int2", 40_000),
        ("text", 5),
        ("text", b"x"),
        ("bool", 1),
        ("bytea", "x"),
        ("bytea", 5),
        ("float4", 1e300),
        ("numeric", "x"),
        ("numeric", Decimal("1E+200000")),
        ("uuid", 5),
        ("date", "2020-01-01"),
        ("timestamp", dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
        ("time", "01:00"),
        ("interval", 5),
    ],
)
def test_values_of_another_type_are_never_written(kind: str, value: Any) -> None:
    """Bytes of another type may be stored as another value."""  # P5
    with pytest.raises(MisfitError, match=r"the value of \$1 does not fit: the server wants it, got \w+$"):
        FORMATS.parameters([(kind, None, None, "it")]).write([value])


@pytest.mark.parametrize("value", [[], [1, None], [[1, 2], [3, None]], [[[1]], [[2]]]])
def test_arrays(value: list[Any]) -> None:
    """Of several dimensions, with NULLs."""  # P5
    (written,) = FORMATS.parameters([("_int4", "int4", 23, "_int4")]).write([value])
    assert written is not None
    assert FORMATS.read_array(written) == value


@pytest.mark.parametrize("value", ["x", 5, [[1], [2, 3]], [1, [2]], {"a": 1}])
def test_what_is_no_array(value: Any) -> None:
    """Ragged lists, and what is no list."""  # P5
    with pytest.raises(MisfitError):
        FORMATS.parameters([("_int4", "int4", 23, "_int4")]).write([value])
