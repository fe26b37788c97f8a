"""P5: what goes in comes back equal, by itself or by the schema type, on every adapter."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, make_dataclass
from decimal import Decimal
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest

from sqlspec.exceptions import DataError, DuplicateColumnError, MappingError, ParameterError
from sqlspec.testing.compliance.adapter import Database, where

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


EAST = dt.timezone(dt.timedelta(hours=5, minutes=30))
FAR_EAST, FAR_WEST = dt.timezone(dt.timedelta(hours=14)), dt.timezone(-dt.timedelta(hours=12))

VALUES: list[tuple[str, Any, Any]] = [
    ("uuid", UUID("12345678-1234-5678-1234-567812345678"), UUID),
    ("decimal", Decimal("12345678901234567890.1234567890"), Decimal),
    ("decimal", Decimal("-0.0000000001"), Decimal),
    ("decimal", Decimal("1E+3"), Decimal),
    ("decimal", Decimal(0), Decimal),
    ("aware", dt.datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=dt.UTC), dt.datetime),
    ("aware", dt.datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=EAST), dt.datetime),
    ("aware", dt.datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=FAR_EAST), dt.datetime),
    ("aware", dt.datetime(1970, 1, 1, tzinfo=FAR_WEST), dt.datetime),
    ("naive", dt.datetime(2024, 2, 29, 23, 59, 59, 123456), dt.datetime),
    ("naive", dt.datetime(9999, 12, 31, 23, 59, 59, 999999), dt.datetime),
    ("naive", dt.datetime(1, 1, 1), dt.datetime),
    ("date", dt.date(2024, 2, 29), dt.date),
    ("date", dt.date(1000, 1, 1), dt.date),
    ("time", dt.time(23, 59, 59, 123456), dt.time),
    ("time", dt.time(0, 0), dt.time),
    ("timedelta", dt.timedelta(days=400, seconds=3601, microseconds=7), dt.timedelta),
    ("timedelta", -dt.timedelta(seconds=90), dt.timedelta),
    ("timedelta", dt.timedelta(0), dt.timedelta),
    ("text", Colour.GREEN, Colour),
    ("bigint", Level.HIGH, Level),
    ("bytes", b"", bytes),
    ("bytes", bytes(range(256)), bytes),
    ("json", {"a": [1, 2.5, None, True], "ü": {"b": "c"}}, dict[str, Any]),
    ("json", {}, dict[str, Any]),
    ("json", [1, "two", {"three": 3}], list[Any]),
    ("json", [], list[Any]),
    ("bool", True, bool),
    ("bool", False, bool),
    ("bigint", 2**63 - 1, int),
    ("bigint", -(2**63), int),
    ("float", 0.1, float),
    ("float", -1.7976931348623157e308, float),
    ("float", 5e-324, float),
    ("text", "naïve 𝄞 🐘 日本\u200d\n\t'\"\\", str),
    ("text", "", str),
    ("text", "x" * 70_000, str),
    ("bytes", b"\0\xff'\\" * 20_000, bytes),
]
IDS = [f"{kind}-{number}" for number, (kind, _, _) in enumerate(VALUES)]


def classes(type_: Any) -> list[Any]:
    """A class of each kind with the fields ``id`` and ``it``."""
    fields: dict[str, Any] = {"id": int, "it": type_ | None}
    required: dict[str, Any] = {name: (kind, ...) for name, kind in fields.items()}
    model: Any = pydantic.create_model("Model", **required)
    return [
        make_dataclass("Data", list(fields.items())),
        make_dataclass("Frozen", list(fields.items()), frozen=True, slots=True),
        msgspec.defstruct("Struct", list(fields.items())),
        attrs.make_class("Attrs", {name: attrs.field(type=kind) for name, kind in fields.items()}),
        NamedTuple("Named", list(fields.items())),
        model,
    ]


@pytest.mark.parametrize(("kind", "value", "type_"), VALUES, ids=IDS)
async def test_values_come_back_equal(
    database: Database, db: AsyncDriverAdapterBase, kind: str, value: Any, type_: Any
) -> None:
    """By execute() and execute_many(), as a value, and as a field of every kind of class; NULL beside it."""  # P5 R3
    await db.execute(f"CREATE TABLE kept (id {database.type_of('key')}, it {database.type_of(kind)})")
    await db.execute("INSERT INTO kept (id, it) VALUES (?, ?)", 1, value)
    await db.execute_many(
        "INSERT INTO kept (id, it) VALUES (:id, :it)", [{"id": 2, "it": value}, {"id": 3, "it": None}]
    )
    everything = "SELECT id, it FROM kept ORDER BY id"
    for kept in classes(type_):
        found = await db.select(everything, schema_type=kept)
        assert [(row.id, row.it) for row in found] == [(1, value), (2, value), (3, None)], kept
        assert {type(row) for row in found} == {kept}
        assert isinstance(found[0].it, type(value))
    typed_dict: Any = TypedDict  # made here, of a type that no checker knows
    keyed: Any = await db.select(everything, schema_type=typed_dict("Keyed", {"id": int, "it": type_ | None}))
    assert keyed == [{"id": 1, "it": value}, {"id": 2, "it": value}, {"id": 3, "it": None}]
    assert await db.select(everything, schema_type=tuple[int, type_ | None]) == [(1, value), (2, value), (3, None)]
    alone = await db.select_value("SELECT it FROM kept WHERE id = :id", {"id": 1}, schema_type=type_)
    assert alone == value
    assert isinstance(alone, type(value))
    assert await db.select_value_or_none("SELECT it FROM kept WHERE id = :id", {"id": 3}, schema_type=type_) is None


@where("infinity")
async def test_infinity_and_not_a_number(database: Database, db: AsyncDriverAdapterBase) -> None:
    """Floats that are no numbers come back as what they are; SQLite, which has few types, keeps NaN as NULL."""  # P5
    await db.execute(f"CREATE TABLE kept (it {database.type_of('float')})")
    for value in (math.inf, -math.inf):
        await db.execute("DELETE FROM kept")
        await db.execute("INSERT INTO kept (it) VALUES (?)", value)
        assert await db.select_value("SELECT it FROM kept", schema_type=float) == value
    await db.execute("DELETE FROM kept")
    await db.execute("INSERT INTO kept (it) VALUES (?)", math.nan)
    kept = await db.select_value("SELECT it FROM kept", schema_type=float | None)
    assert math.isnan(kept) if database.can("types") else kept is None


@where("-infinity")
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, Decimal("NaN")])
async def test_infinity_is_refused_where_it_can_not_be_kept(
    database: Database, db: AsyncDriverAdapterBase, value: Any
) -> None:
    """Before anything is sent: the database would keep something else."""  # P5
    await db.execute(f"CREATE TABLE kept (it {database.type_of('float')})")
    with pytest.raises((ParameterError, DataError)):
        await db.execute("INSERT INTO kept (it) VALUES (?)", value)
    assert await db.select_value("SELECT count(*) FROM kept") == 0


@pytest.mark.parametrize(("kind", "value", "type_"), VALUES, ids=IDS)
async def test_values_are_found_by_themselves(
    database: Database, db: AsyncDriverAdapterBase, kind: str, value: Any, type_: type
) -> None:
    """What was stored is found by ``WHERE it = :it`` and by a list."""  # P5 P4
    await db.execute(f"CREATE TABLE kept (it {database.type_of(kind)})")
    await db.execute("INSERT INTO kept (it) VALUES (:it)", {"it": value})
    if kind == "json" and not database.can("types"):
        return  # two texts of one JSON value need not be equal
    assert await db.select_value("SELECT count(*) FROM kept WHERE it = :it", {"it": value}) == 1
    if kind != "json":  # a list of JSON values can't be told from a JSON list
        assert await db.select_value("SELECT count(*) FROM kept WHERE it IN (:them)", {"them": [value]}) == 1


@where("types")
@pytest.mark.parametrize(
    ("kind", "value"),
    [(kind, value) for kind, value, _ in VALUES if not isinstance(value, Enum)],
)
async def test_typed_databases_give_typed_values_without_a_schema(
    database: Database, db: AsyncDriverAdapterBase, kind: str, value: Any
) -> None:
    """Where the database has the type, the value has it, too."""  # P5
    found = await db.select_one(f"SELECT CAST(? AS {database.type_of(kind)}) AS it", (value,))
    assert found == {"it": value}


@where("arrays")
@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ("int[]", [1, 2, 3]),
        ("int[]", []),
        ("text[]", ["a", None, "🐘"]),
        ("uuid[]", [UUID(int=1), UUID(int=2)]),
        ("timestamptz[]", [dt.datetime(2024, 1, 1, tzinfo=dt.UTC)]),
        ("jsonb[]", [{"a": 1}, {"b": [2]}]),
    ],
)
async def test_arrays(database: Database, db: AsyncDriverAdapterBase, declared: str, value: list[Any]) -> None:
    """A single list is one value: ``([1, 2],)``; inside a mapping it is what the column says."""  # P5 P2
    if database.dialect == "duckdb":
        declared = declared.replace("jsonb", "json")
    await db.execute(f"CREATE TABLE kept (id int, it {declared})")
    await db.execute("INSERT INTO kept (id, it) VALUES ($1, $2)", 1, value)
    await db.execute("INSERT INTO kept (id, it) VALUES (:id, :it)", {"id": 2, "it": value})
    await db.execute_many("INSERT INTO kept (id, it) VALUES (?, ?)", [(3, value)])
    await db.execute("INSERT INTO kept (it) VALUES (?)", (value,))
    assert await db.select("SELECT it FROM kept", schema_type=tuple[list[Any]]) == [(value,)] * 4
    assert await db.select("SELECT it FROM kept") == [{"it": value}] * 4


@where("arrays", "matrices")
async def test_arrays_of_arrays(db: AsyncDriverAdapterBase) -> None:
    """They keep their dimensions."""  # P5
    value = [[1, 2], [3, 4]]
    await db.execute("CREATE TABLE kept (id int, it int[][])")
    await db.execute("INSERT INTO kept (id, it) VALUES ($1, $2)", 1, value)
    await db.execute_many("INSERT INTO kept (id, it) VALUES (?, ?)", [(2, value)])
    assert await db.select("SELECT it FROM kept", schema_type=tuple[list[Any]]) == [(value,)] * 2


async def test_json_values_alone(database: Database, db: AsyncDriverAdapterBase) -> None:
    """A mapping as the only parameter holds names; ``({…},)`` is one JSON value."""  # P2 P5
    await db.execute(f"CREATE TABLE kept (it {database.type_of('json')})")
    await db.execute("INSERT INTO kept (it) VALUES (?)", ({"a": 1},))
    assert await db.select_value("SELECT it FROM kept", schema_type=dict[str, int]) == {"a": 1}


async def test_nested_types_are_read_from_json(database: Database, db: AsyncDriverAdapterBase) -> None:
    """A field that is a class, a list of them, or holds dates and UUIDs inside JSON."""  # P5

    @dataclass
    class Part:
        id: UUID
        made: dt.date

    @dataclass
    class Whole:
        id: int
        parts: list[Part]

    Whole.__annotations__ = {"id": int, "parts": list[Part]}
    Part.__annotations__ = {"id": UUID, "made": dt.date}
    await db.execute(f"CREATE TABLE kept (id INTEGER, parts {database.type_of('json')})")
    parts = [{"id": UUID(int=7), "made": dt.date(2024, 1, 2)}]
    await db.execute("INSERT INTO kept VALUES (?, ?)", 1, parts)
    found = await db.select_one("SELECT * FROM kept", schema_type=Whole)
    assert found == Whole(1, [Part(UUID(int=7), dt.date(2024, 1, 2))])


async def test_a_value_that_does_not_fit_its_field_is_a_mapping_error(
    database: Database, db: AsyncDriverAdapterBase
) -> None:
    """It names the statement, the row, the column, and both types, and shows no value."""  # R4
    statement = "SELECT 1 AS id, 'secret' AS name UNION ALL SELECT 2, NULL ORDER BY id"

    @dataclass
    class User:
        id: int
        name: str

    User.__annotations__ = {"id": int, "name": str}
    with pytest.raises(MappingError) as failed:
        await db.select(statement, schema_type=User)
    error = failed.value
    assert (error.statement, error.row, error.column, error.field) == (statement, 1, "name", "name")
    with pytest.raises(MappingError) as wrong:
        await db.select_value(f"SELECT {database.phrase('text_of')} AS it", schema_type=int)
    assert "secret" not in str(wrong.value)


async def test_two_columns_of_one_name(db: AsyncDriverAdapterBase) -> None:
    """An error that names both places for dicts; tuples keep both."""  # R5
    statement = "SELECT 1 AS id, 2 AS other, 3 AS id"
    with pytest.raises(DuplicateColumnError, match="id"):
        await db.select(statement)
    assert await db.select(statement, schema_type=tuple) == [(1, 2, 3)]
    result = await db.execute(statement)
    assert result.column_names == ["id", "other", "id"]
    assert result.scalar() == 1


async def test_integers_too_large_for_the_database(database: Database, db: AsyncDriverAdapterBase) -> None:
    """A DataError, and the transaction before it is told what became of it."""  # E2
    await db.execute(f"CREATE TABLE kept (it {database.type_of('bigint')})")
    with pytest.raises(DataError):
        await db.execute("INSERT INTO kept (it) VALUES (?)", 2**63)
    assert await db.select_value("SELECT count(*) FROM kept") == 0


async def test_text_that_can_not_be_encoded(database: Database, db: AsyncDriverAdapterBase) -> None:
    """A lone surrogate is a DataError that does not show the text."""  # E2 E5
    await db.execute(f"CREATE TABLE kept (it {database.type_of('text')})")
    with pytest.raises(DataError) as failed:
        await db.execute("INSERT INTO kept (it) VALUES (?)", "geheim \ud800")
    assert "geheim" not in str(failed.value)
    assert await db.select_value("SELECT count(*) FROM kept") == 0
