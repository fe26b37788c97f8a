"""Rule P8: identifiers come from allow-lists, values are parameters."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlspec.core.filters import LimitOffset, equal_to, order_by, quote_column, quote_identifier
from sqlspec.dialects.mysql import LEXICAL as MYSQL
from sqlspec.dialects.sqlite import LEXICAL as SQLITE
from sqlspec.exceptions import ParameterError


def test_quoting() -> None:
    """Quotes are doubled, in the dialect's kind of quote."""  # P8
    assert quote_identifier('a"b', SQLITE) == '"a""b"'
    assert quote_identifier("a`b", MYSQL) == "`a``b`"
    assert quote_column("u.name", SQLITE) == '"u"."name"'


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_impossible_identifiers(name: str) -> None:
    """What no database takes is refused."""  # P8
    with pytest.raises(ParameterError):
        quote_identifier(name, SQLITE)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_quoted_names_are_names(name: str) -> None:
    """Any name, once quoted, is that name to a database."""  # P8
    connection = sqlite3.connect(":memory:")
    try:
        cursor = connection.execute(f"SELECT 1 AS {quote_identifier(name, SQLITE)}")
        assert cursor.description[0][0] == name
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("name", 'ORDER BY "name"'), ("-name, id", 'ORDER BY "name" DESC, "id"'), (["-id"], 'ORDER BY "id" DESC'),
        ("", ""), ([], ""), (" , ", ""),
    ],
)  # fmt: skip
def test_order_by(wanted: Any, expected: str) -> None:
    """Allowed names become quoted columns, a minus sorts downwards."""  # P8
    assert order_by(["id", "name"], wanted, SQLITE) == expected


def test_order_by_public_names() -> None:
    """A mapping gives the column that stands behind a public name."""  # P8
    assert order_by({"author": "u.name"}, "-author", MYSQL) == "ORDER BY `u`.`name` DESC"


@pytest.mark.parametrize("wanted", ["nam", "id;DROP TABLE t", "id DESC", "--id", "id,-id"])
def test_order_by_refuses(wanted: str) -> None:
    """Anything not on the list, or twice, is refused; nothing of it is ever written."""  # P8
    with pytest.raises(ParameterError):
        order_by(["id", "name"], wanted, SQLITE)


def test_order_by_hint() -> None:
    """A near miss is told."""  # P8
    with pytest.raises(ParameterError, match=r"'nam' is not among the allowed names: id, name. Did you mean 'name'\?"):
        order_by(["id", "name"], "nam", SQLITE)


def test_equal_to() -> None:
    """Values are parameters; None and lists are written as SQL wants them."""  # P8
    allowed = {"state": "o.state", "id": "id", "gone": "gone"}
    sql, parameters = equal_to(allowed, {"state": "new", "gone": None, "id": [1, 2]}, SQLITE)
    assert sql == '"o"."state" = :equal_1 AND "gone" IS NULL AND "id" IN (:equal_2)'
    assert parameters == {"equal_1": "new", "equal_2": [1, 2]}
    assert equal_to(allowed, {}, SQLITE) == ("", {})
    with pytest.raises(ParameterError, match="not among the allowed names"):
        equal_to(allowed, {"o.state": 1}, SQLITE)


def test_limit_offset() -> None:
    """A page is a clause and its parameters."""  # P8
    assert LimitOffset(20).named() == ("LIMIT :limit OFFSET :offset", {"limit": 20, "offset": 0})
    assert LimitOffset.page(3, 20).positional() == ("LIMIT ? OFFSET ?", (20, 40))


@pytest.mark.parametrize("values", [(-1, 0), (1, -1), ("1", 0), (1, "0"), (True, 0), (1.0, 0), (2**63, 0), (None, 0)])
def test_limit_offset_refuses(values: tuple[Any, Any]) -> None:
    """Only sensible integers."""  # P8
    with pytest.raises(ParameterError):
        LimitOffset(*values)


@pytest.mark.parametrize("values", [(0, 10), (1, 0), ("1", 10), (1, None)])
def test_page_refuses(values: tuple[Any, Any]) -> None:
    """Pages count from one and hold at least one row."""  # P8
    with pytest.raises(ParameterError):
        LimitOffset.page(*values)
