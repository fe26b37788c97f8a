"""Values as SQL literals, and names of columns without them: P5 E5."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from sqlspec.adapters._mysql.literals import UnsendableError, literals
from sqlspec.adapters._mysql.names import without_values


class Name(str):
    """A text of another class."""

    __slots__ = ()


LITERALS: list[tuple[Any, str]] = [
    (None, "NULL"),
    (True, "TRUE"),
    (False, "FALSE"),
    (5, "5"),
    (-(2**70), str(-(2**70))),
    (0.1, "0.1e0"),
    (1e300, "1e+300"),
    (Decimal("1E-20"), "0.00000000000000000001"),
    (Decimal("1E+5"), "100000"),
    (Decimal("-0.10"), "-0.10"),
    (b"", "_binary X''"),
    (b"a'\\\xff", "_binary X'61275cff'"),
    ("", "''"),
    ("plain 🐘 %s", "'plain 🐘 %s'"),
    (Name("a'b"), "'a''b'"),
    (dt.date(2024, 2, 29), "'2024-02-29'"),
    (dt.datetime(2024, 2, 29, 1, 2, 3, 4), "'2024-02-29 01:02:03.000004'"),
    (dt.datetime(1, 1, 1), "'0001-01-01 00:00:00'"),
]


@pytest.mark.parametrize(("value", "written"), LITERALS, ids=[repr(v)[:20] for v, _ in LITERALS])
@pytest.mark.parametrize("plain", [True, False])
def test_a_value_is_one_literal(value: object, written: str, plain: bool) -> None:
    """Whatever a backslash means."""  # P5
    assert literals([value], "SELECT", plain=plain) == [written]


def test_backslashes_and_quotes() -> None:
    """No backslash is sent where hex will do; elsewhere it is doubled if the server says that it escapes."""  # P8
    value = "it's \\' \0"
    for plain in (True, False):
        assert literals([value], "SELECT", plain=plain) == ["_utf8mb4 X'69742773205c272000'"]
        assert literals(["it's \0"], "SELECT", plain=plain) == ["'it''s \0'"]
    assert literals([value], "SHOW", plain=False) == ["'it''s \\\\'' \0'"]
    assert literals([value], "SHOW", plain=True) == ["'it''s \\'' \0'"]


def hostile(value: Any) -> Any:
    """The same value, of a class that writes itself as something else."""

    def lie(*_: object) -> str:
        return "0', 'injected"

    names = ("__str__", "__repr__", "__format__", "isoformat", "hex", "replace", "encode", "isascii")
    base: Any = value.__class__
    made: Any = type("Hostile", (base,), dict.fromkeys(names, lie))
    if isinstance(value, dt.datetime):
        return made.fromtimestamp(value.timestamp())
    return made.fromordinal(value.toordinal()) if isinstance(value, dt.date) else made(value)


@pytest.mark.parametrize(
    "value",
    ["a'b\\", "geh€im", b"a'b", 5, 0.5, Decimal("2.5"), dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 1, 2, 3)],
    ids=repr,
)
@pytest.mark.parametrize("plain", [True, False])
def test_a_value_is_written_by_what_it_is(value: object, plain: bool) -> None:
    """Not by what its class makes of it, which has no reason to be a literal."""  # P8
    assert literals([hostile(value)], "SELECT", plain=plain) == literals([value], "SELECT", plain=plain)


@pytest.mark.parametrize(
    "value",
    ["geheim \ud800", object(), memoryview(b"geheim"), {1, 2}, 10**5000],
    ids=["text", "object", "view", "set", "int"],
)
def test_what_has_no_literal(value: object) -> None:
    """An error that does not show it."""  # E2 E5
    with pytest.raises(UnsendableError) as failed:
        literals([1, value], "SELECT", plain=False)
    assert "geheim" not in str(failed.value)
    assert failed.value.__cause__ is None


NAMES: list[tuple[str, tuple[Any, ...], str, str]] = [
    ("SELECT %s", ("geheim",), "geheim", "?"),
    ("SELECT %s", ("ge'heim",), "ge'heim", "?"),
    ("SELECT %s", ("  geheim",), "geheim", "?"),
    ("SELECT %s", ("geheim" * 20,), ("geheim" * 20)[:64], "?"),
    ("SELECT %s + 1", (4711,), "4711 + 1", "? + 1"),
    ("SELECT 7 %% %s, 1", (3,), "7 % 3", "7 % ?"),
    ("SELECT CONCAT('a%%', %s, 'b', %s)", ("x", "y"), "CONCAT('a%', 'x', 'b', 'y')", "CONCAT('a%', ?, 'b', ?)"),
    ("SELECT f(%s)", (b"ge",), "f(_binary X'6765')", "f(?)"),
    ("SELECT %s AS it", ("geheim",), "it", "it"),
    ("SELECT %s", ("e",), "e", "?"),
    ("SELECT %s AS it", ("with it",), "it", "it"),
    ("SELECT user FROM t WHERE a = %s", ("user",), "User", "User"),
    ("SELECT * FROM t WHERE a = %s", ("geheim",), "name", "name"),
    ("SHOW VARIABLES LIKE %s", ("geheim",), "Variable_name", "Variable_name"),
]


@pytest.mark.parametrize(("sql", "values", "given", "wanted"), NAMES, ids=[f"{n[0]} {n[2]}"[:60] for n in NAMES])
def test_a_column_is_not_called_like_a_value(sql: str, values: tuple[Any, ...], given: str, wanted: str) -> None:
    """What was a value in its name is a question mark; names of columns and aliases are as they are."""  # E5 R1
    text = sql.replace("%s", "?").replace("%%", "%")
    assert without_values([given], text, sql, literals(values, "SELECT", plain=False), values) == [wanted]


def test_names_that_stand_in_the_statement_cost_nothing() -> None:
    """And one that depends on values does not change the others."""  # R1
    sql, values = "SELECT id, name AS n, %s FROM t", ("geheim",)
    sent = literals(values, "SELECT", plain=False)
    assert without_values(["id", "n", "geheim"], sql.replace("%s", "?"), sql, sent, values) == ["id", "n", "?"]
