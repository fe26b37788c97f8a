"""DuckDB's types, in and out, and many rows in bulk: there they must come out as they do alone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from sqlspec import exceptions as e
from sqlspec.adapters.duckdb import DuckDBConfig
from sqlspec.adapters.duckdb.driver import _insert_in_bulk  # pyright: ignore[reportPrivateUsage]

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlspec.adapters.duckdb import DuckDBDriver


@pytest.fixture
def db() -> Iterator[DuckDBDriver]:
    config = DuckDBConfig()
    with config.provide_session() as db:
        yield db
    config.close()


VALUES: list[tuple[str, Any]] = [
    ("HUGEINT", 2**100),
    ("UHUGEINT", 2**128 - 1),
    ("BIGINT", 2**63 - 1),
    ("DOUBLE", float("inf")),
    ("DECIMAL(38, 10)", Decimal("1234567890123456789012345678.1234567890")),
    ("TIMESTAMPTZ", dt.datetime(2024, 2, 29, 12, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))),
    ("TIMESTAMP", dt.datetime(1, 1, 1)),
    ("TIMETZ", dt.time(12, 30, tzinfo=dt.timezone(dt.timedelta(hours=-3)))),
    ("INTERVAL", dt.timedelta(days=-400, microseconds=1)),
    ("VARCHAR", "a\0🐘"),
    ("BLOB", b""),
    ("UUID", UUID(int=5)),
    ("INTEGER[]", [1, None, 3]),
    ("INTEGER[][]", [[1], [], [2, 3]]),
    ("VARCHAR[]", ["a\n\"b'", "null", "", None, "\\n"]),
    ("DOUBLE[]", [1, 2.5]),
    ("FLOAT[3]", (1.0, 2.5, 0.0)),
    ("STRUCT(a INTEGER, b VARCHAR)", {"a": 1, "b": 'x"\n\\é🐘\t'}),
    ("STRUCT(a INTEGER, b VARCHAR)[]", [{"a": 1, "b": "\n"}, {"a": None, "b": "'"}]),
    ("MAP(VARCHAR, INTEGER)", {"a": 1, "b": None}),
    ("JSON", {"a": [1, {"b": None}], "c": "\n🐘"}),
    ("JSON", [1, "two", None, {"three": 3.5}]),
    ("JSON", [1, 2, 3]),
    ("JSON", [True, 5]),
    ("JSON", [2**60 + 1, 0.5]),
    ("JSON", ['a"b\\c\n\t🐘', "", None]),
    ("JSON", []),
    ("JSON", {}),
    ("JSON[]", [{"a": 1}, [2]]),
    ("STRUCT(j JSON, t VARCHAR)", {"j": {"a": [1, None]}, "t": "[1]"}),
    ("MAP(VARCHAR, JSON[])", {"a": [{"b": 1}, None]}),
]


@pytest.mark.parametrize(("declared", "value"), VALUES)
def test_values_come_back_equal(db: DuckDBDriver, declared: str, value: Any) -> None:
    """Sent alone, in a row of many, and in bulk."""  # P5
    db.execute(f"CREATE TABLE t (it {declared})")
    db.execute("INSERT INTO t VALUES (?)", (value,))
    db.execute_many("INSERT INTO t VALUES (?)", [(value,), (None,)])
    db.execute_many("INSERT INTO t VALUES (?)", [(value,)] * 10)
    found = db.select("SELECT it FROM t", schema_type=tuple[Any])
    assert found == [(value,), (value,), (None,), *[(value,)] * 10]
    assert [type(row[0]) for row in found[:1]] == [type(value)]


@pytest.mark.parametrize("text", ["1E-40", "1." + "1" * 38])
def test_decimals_that_do_not_fit_are_refused(db: DuckDBDriver, text: str) -> None:
    """DuckDB's package would make floats of them."""  # P5
    with pytest.raises(e.ParameterError, match="38 digits"):
        db.select_value("SELECT ?", Decimal(text))


def test_json_that_is_none_stays_text(db: DuckDBDriver) -> None:
    """DuckDB writes an infinite float in its own way."""
    assert db.select_value("SELECT to_json(['inf'::DOUBLE])") == "[Infinity]"


def test_lists_of_texts_are_compared_with_any_type(db: DuckDBDriver) -> None:
    """An array of texts is compared with texts only, so these are expanded; others go as one array."""  # P4
    db.execute("CREATE TABLE t (u UUID, d DATE, i BIGINT)")
    db.execute("INSERT INTO t VALUES (?, ?, ?)", UUID(int=1), dt.date(2024, 1, 1), 7)
    for column, values in {
        "u": [str(UUID(int=1)), str(UUID(int=2))],
        "d": ["2024-01-01"],
        "i": [1, "7"],
    }.items():
        assert db.select_value(f"SELECT count(*) FROM t WHERE {column} IN (:them)", {"them": values}) == 1
    assert db.select_value("SELECT count(*) FROM t WHERE i IN ?", ([1, 7],)) == 1
    assert db.select_value("SELECT count(*) FROM t WHERE i NOT IN (?)", ([],)) == 1


def test_columns_change_under_a_text_whose_names_do_not(db: DuckDBDriver) -> None:
    """A column that becomes JSON is read as JSON."""  # F5
    db.execute("CREATE TABLE t (it VARCHAR)")
    db.execute("INSERT INTO t VALUES ('[1]')")
    assert db.select_value("SELECT it FROM t") == "[1]"
    db.execute("ALTER TABLE t ALTER it TYPE JSON")
    assert db.select_value("SELECT it FROM t") == [1]
    with db.select_stream("SELECT it FROM t") as rows:
        assert list(rows) == [{"it": [1]}]


def test_a_statement_that_duckdb_makes_several_of(db: DuckDBDriver) -> None:
    """PIVOT makes a type first."""
    db.execute("CREATE TABLE t AS SELECT * FROM (VALUES ('a', 1), ('b', 2)) v(k, n)")
    assert db.select("PIVOT t ON k USING sum(n)") == [{"a": 1, "b": 2}]


@pytest.mark.parametrize(
    ("statement", "count"),
    [
        ("INSERT INTO t VALUES (1), (2)", 2),
        ("WITH w AS (SELECT 3 AS i) INSERT INTO t SELECT i FROM w", 1),
        ("UPDATE t SET i = 5 WHERE i < 0", 0),
        ("DELETE FROM t", 1),
        ('INSERT INTO t VALUES (1) RETURNING i AS "Count"', 1),
        ("MERGE INTO t USING (SELECT 9 AS i) s ON t.i = s.i WHEN NOT MATCHED THEN INSERT VALUES (s.i)", 1),
        ("CREATE TABLE x AS SELECT * FROM range(5)", None),
        ('SELECT 7 AS "Count"', None),
        ("SET threads = 1", None),
    ],
)
def test_rows_affected(db: DuckDBDriver, statement: str, count: int | None) -> None:
    """By the statement, not by the name of a column."""  # R7
    db.execute("CREATE TABLE t (i INTEGER)")
    db.execute("INSERT INTO t VALUES (0)")
    assert db.execute(statement).rows_affected == count


def test_a_value_that_duckdb_can_not_even_quote(db: DuckDBDriver) -> None:
    """Its message would be no UTF-8, so its package raises UnicodeDecodeError. The transaction is aborted."""  # E2
    db.execute("CREATE TABLE t (it UUID)")
    db.begin()
    with pytest.raises(e.DataError):
        db.execute("INSERT INTO t VALUES (?)", b"\xff")
    with pytest.raises(e.TransactionAbortedError):
        db.commit()


# Many rows


def _bulk(db: DuckDBDriver, sql: str, rows: list[Any]) -> int | None:
    connection: Any = db.acquire_connection()
    return _insert_in_bulk(connection, sql, rows)


@pytest.mark.parametrize(
    ("sql", "fits"),
    [
        ("INSERT INTO t VALUES ($1, $2)", True),
        (' insert  into main . "t" ( "a" , b )\nvalues ( $1,$2 ) ; ', True),
        ("INSERT INTO t VALUES ($2, $1)", False),
        ("INSERT INTO t VALUES ($1, $1)", False),
        ("INSERT INTO t VALUES ($1, $2) ON CONFLICT DO NOTHING", False),
        ("INSERT INTO t VALUES ($1, $2) RETURNING a", False),
        ("INSERT INTO t VALUES ($1, upper($2))", False),
        ("INSERT OR REPLACE INTO t VALUES ($1, $2)", False),
        ("INSERT INTO t VALUES ($1, $2), ($3, $4)", False),
    ],
)
def test_which_inserts_go_in_bulk(db: DuckDBDriver, sql: str, fits: bool) -> None:
    """Those of placeholders only, in their order."""  # P7
    db.execute("CREATE TABLE t (a INTEGER, b VARCHAR)")
    rows = [(number, "x" if number else None) for number in range(20)]
    assert _bulk(db, sql, rows) == (20 if fits else None)
    assert db.select_value("SELECT count(*) FROM t") == (20 if fits else 0)


@pytest.mark.parametrize(
    ("values", "fits"),
    [
        ([1, None, 3], True),
        ([None], True),
        (["a", None], True),
        ([1, "a"], False),
        ([1, 2.5], False),
        ([True, 1], False),
        ([2**63], False),
        ([Decimal("1.10"), Decimal("2.50")], True),
        ([Decimal("1.10"), Decimal("2.5")], False),
        ([dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=dt.UTC)], False),
        ([dt.datetime(2024, 1, 1)], True),
        ([dt.date(2024, 1, 1), dt.datetime(2024, 1, 1)], False),
        ([[1]], False),
    ],
)
def test_which_values_go_in_bulk(db: DuckDBDriver, values: list[Any], fits: bool) -> None:
    """Those of one type; and in a column of texts all look as they do alone."""  # P7
    db.execute("CREATE TABLE one (it VARCHAR)")
    db.execute("CREATE TABLE many (it VARCHAR)")
    rows = [(value,) for value in values] * 10
    assert _bulk(db, "INSERT INTO many VALUES ($1)", rows) == (len(rows) if fits else None)
    if not fits:
        assert db.execute_many("INSERT INTO many VALUES (?)", rows).rows_affected == len(rows)
    for row in rows:
        db.execute("INSERT INTO one VALUES (?)", row)
    assert db.select("SELECT it FROM many", schema_type=tuple) == db.select("SELECT it FROM one", schema_type=tuple)


@pytest.mark.parametrize("value", [4711 * 10**9, 4711.5, "geheim"])
def test_values_of_many_rows_are_not_told(db: DuckDBDriver, value: Any) -> None:
    """DuckDB shows the whole list; what it wanted is kept."""  # E4 E5
    db.execute("CREATE TABLE t (it UTINYINT)")
    with pytest.raises(e.DataError) as failed:
        db.execute_many("INSERT INTO t VALUES (?)", [(value,)] * 10)
    assert not any(part in str(failed.value) for part in ("4711", "geheim", "UNNEST"))
    assert "INT8" in str(failed.value)


def test_a_null_in_a_union_is_none_of_its_members(db: DuckDBDriver) -> None:
    """A list would give it a type."""  # P7
    db.execute("CREATE TABLE t (it UNION(i INTEGER, s VARCHAR))")
    db.execute_many("INSERT INTO t VALUES (?)", [("a",), (None,)] * 10)
    assert db.select_value("SELECT count(*) FROM t WHERE it IS NULL") == 10


def test_a_table_that_refers_to_itself_takes_rows_one_by_one(db: DuckDBDriver) -> None:
    """In one statement a row would not find the one before it."""  # P7
    db.execute('CREATE TABLE "Tree" (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES "Tree" (id))')
    rows = [(number, number - 1 if number else None) for number in range(30)]
    assert db.execute_many("INSERT INTO tree VALUES (?, ?)", rows).rows_affected == 30


def test_many_chunks_are_all_or_nothing(db: DuckDBDriver) -> None:
    """Of 25,000 rows the last one fails."""  # P7
    db.execute("CREATE TABLE t (i INTEGER PRIMARY KEY)")
    rows = [(number,) for number in range(25_000)]
    with pytest.raises(e.UniqueViolationError):
        db.execute_many("INSERT INTO t VALUES (?)", [*rows, (0,)])
    assert db.select_value("SELECT count(*) FROM t") == 0
    assert db.execute_many("INSERT INTO t VALUES (?)", rows).rows_affected == 25_000
    assert db.execute_many("UPDATE t SET i = -i - 1 WHERE i < ?", [(2,), (3,)]).rows_affected == 5
