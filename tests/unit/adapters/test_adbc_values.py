"""Values between Python and Arrow."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest

from sqlspec.adapters.adbc.arrow import TEXT, MisfitError, Reading, batch
from sqlspec.adapters.adbc.duckdb import READING

pa: Any = import_module("pyarrow")

NUMERIC = pa.opaque(pa.string(), "numeric", "PostgreSQL")
EAST = dt.timezone(dt.timedelta(hours=5, minutes=30))
ONE = UUID(int=1)


def through(value: Any, wanted: Any = None) -> tuple[str, Any]:
    """The Arrow type that a value gets, and what is read back."""
    (column,) = batch([[value], [None]], None if wanted is None else [wanted]).columns
    kept, nothing = Reading({"numeric": Decimal}).values(column)
    assert nothing is None
    return str(column.type), kept


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "bool"),
        (2**63 - 1, "int64"),
        (1.5, "double"),
        ("ü", "string"),
        (b"\0", "binary"),
        (ONE, "extension<arrow.uuid>"),
        (Decimal("1.50"), "decimal128(3, 2)"),
        (Decimal("-1E-20"), "decimal128(20, 20)"),
        (Decimal("1E+3"), "decimal128(4, 0)"),
        (Decimal("1E+50"), "decimal256(51, 0)"),
        (dt.date(1, 1, 1), "date32[day]"),
        (dt.time(23, 59, 59, 123456), "time64[us]"),
        (dt.datetime(9999, 12, 31, 23, 59, 59, 999999), "timestamp[us]"),
        (dt.datetime(2024, 2, 29, 12, 30, tzinfo=EAST), "timestamp[us, tz=UTC]"),
        (dt.timedelta(days=400, seconds=1, microseconds=7), "month_day_nano_interval"),
        (-dt.timedelta(seconds=90), "month_day_nano_interval"),
        ([1, 2], "list<item: int64>"),
        ([1, 2.5], "list<item: double>"),
        ([], "list<item: null>"),
        ([[1], [2, 3]], "list<item: list<item: int64>>"),
        ([ONE, None], "list<item: extension<arrow.uuid>>"),
        ([dt.timedelta(1)], "list<item: month_day_nano_interval>"),
    ],
)
def test_a_value_gets_its_own_type_and_comes_back(value: Any, kind: str) -> None:
    """By its class alone, where the database does not say what it wants."""
    assert through(value) == (kind, value)


def test_moments_come_back_in_utc() -> None:
    """Whatever zone the database names."""
    found = Reading({}).values(pa.array([0], pa.timestamp("ms", "Europe/Berlin")))
    assert found == [dt.datetime(1970, 1, 1, tzinfo=dt.UTC)]
    assert found[0].tzinfo is dt.UTC


WANTED: list[tuple[Any, Any, tuple[str, Any]]] = [
    (5, NUMERIC, ("decimal128(1, 0)", Decimal(5))),
    (1.25, NUMERIC, ("decimal128(3, 2)", Decimal("1.25"))),
    (Decimal("Infinity"), NUMERIC, ("double", float("inf"))),
    (5, pa.float64(), ("double", 5.0)),
    (str(ONE), pa.uuid(), ("extension<arrow.uuid>", ONE)),
    ({"a": [ONE]}, pa.json_(), ("extension<arrow.json>", f'{{"a":["{ONE}"]}}')),
    ("x", pa.json_(), ("extension<arrow.json>", '"x"')),
    (5, TEXT, ("string", "5")),
    ([], pa.list_(NUMERIC), ("list<item: decimal128(38, 0)>", [])),
    ([1, Decimal("1.5")], pa.list_(NUMERIC), ("list<item: decimal128(2, 1)>", [Decimal("1.0"), Decimal("1.5")])),
    (["a", None], pa.list_(TEXT), ("list<item: string>", ["a", None])),
]


@pytest.mark.parametrize(("value", "wanted", "found"), WANTED)
def test_a_value_gets_the_type_that_is_wanted(value: Any, wanted: Any, found: tuple[str, Any]) -> None:
    """Where that loses nothing."""
    assert through(value, wanted) == found


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (1.5, pa.int32()),
        (True, pa.int32()),
        (2**40, pa.int32()),
        (2**63, None),
        ("1", pa.int64()),
        (1, pa.bool_()),
        (1, pa.string()),
        ("x", pa.binary()),
        (b"x", pa.string()),
        (dt.datetime(2024, 1, 1), pa.date32()),
        (dt.datetime(2024, 1, 1), pa.timestamp("us", "UTC")),
        (dt.datetime(2024, 1, 1, tzinfo=dt.UTC), pa.timestamp("us")),
        ("geheim", pa.uuid()),
        ("geheim", NUMERIC),
        ("geheim \ud800", None),
        (["geheim"], TEXT),
        (memoryview(b"geheim")[::2], None),
        ([1, "geheim"], None),
        (object(), None),
        ({"geheim"}, None),
    ],
)
def test_what_would_be_changed_is_refused(value: Any, wanted: Any) -> None:
    """pyarrow itself takes some of these and cuts them. The reason does not show the value."""  # E5
    with pytest.raises(MisfitError) as refused:
        batch([["a", value]], [None, wanted])
    assert refused.value.column == 1
    assert "geheim" not in str(refused.value)


def test_the_values_of_a_parameter_are_of_one_type() -> None:
    """Else they are not sent in one batch: an integer must not become a float by its neighbour."""
    with pytest.raises(MisfitError):
        batch([[1], [1.5]])
    with pytest.raises(MisfitError):
        batch([[Decimal(1)], [Decimal("NaN")]])


def test_values_inside_others_are_read() -> None:
    """Of lists, structs and maps; DuckDB's own types by the names that it gives them."""
    huge = pa.ExtensionArray.from_storage(
        pa.opaque(pa.binary(16), "hugeint", "DuckDB"),
        pa.array([(-5).to_bytes(16, "little", signed=True)], pa.binary(16)),
    )
    lists = pa.ListArray.from_arrays(pa.array([0, 1], pa.int32()), huge)
    assert READING.values(lists) == [[-5]]
    assert READING.values(pa.StructArray.from_arrays([huge, pa.array(["x"])], ["a", "b"])) == [{"a": -5, "b": "x"}]
    assert READING.values(pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))) == [{"a": 1}]
    assert READING.values(pa.array([[({"a": 1}, 5)]], pa.map_(pa.struct({"a": pa.int64()}), pa.int64()))) == [
        {"key": [{"a": 1}], "value": [5]}  # as DuckDB's package gives it, where Python can't have a dict
    ]
    fine = pa.array([[("a", 1_500)]], pa.map_(pa.string(), pa.timestamp("ns")))
    assert READING.values(fine) == [{"a": dt.datetime(1970, 1, 1, microsecond=1)}]
    assert READING.values(pa.array([1_500], pa.duration("ns"))) == [dt.timedelta(microseconds=1)]
