"""Results: ``SQLResult`` and the functions that sessions share with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from sqlspec.core.result import SQLResult, first_of, one_of, one_or_none_of, rows_of, scalar_of, scalar_or_none_of
from sqlspec.core.rows import Shape
from sqlspec.exceptions import DuplicateColumnError, MappingError, MultipleResultsFoundError, NotFoundError

SELECT = "SELECT id,\n       name\nFROM users"


@dataclass
class User:
    id: int
    name: str


def result(*rows: tuple[Any, ...], columns: tuple[str, ...] = ("id", "name"), statement: str = SELECT) -> SQLResult:
    return SQLResult(statement, (Shape(columns), list(rows), None, None))


TWO = result((1, "a"), (2, "b"))
ONE = result((1, "a"))
NONE = result()
WRITTEN = SQLResult("UPDATE users SET name = ''", (None, [], 3, 7))


# Rows


def test_rows_are_dicts_unless_a_type_is_asked_for() -> None:  # R1
    assert TWO.all() == [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    assert TWO.all(schema_type=User) == [User(1, "a"), User(2, "b")]
    assert TWO.all(schema_type=tuple) == [(1, "a"), (2, "b")]


def test_a_result_is_a_sequence_of_dicts() -> None:  # R1
    assert len(TWO) == 2
    assert [row["id"] for row in TWO] == [1, 2]
    assert TWO[0] == {"id": 1, "name": "a"}
    assert TWO[-1]["name"] == "b"
    assert TWO[1:3] == [{"id": 2, "name": "b"}]
    assert {"id": 2, "name": "b"} in TWO
    with pytest.raises(IndexError):
        TWO[2]


def test_a_result_is_true_whatever_it_holds() -> None:
    """``result or …`` must not depend on the number of rows."""
    assert TWO
    assert NONE
    assert WRITTEN


def test_changing_the_list_of_all_rows_changes_nothing_else() -> None:
    rows = TWO.all()
    rows.clear()
    assert len(TWO.all()) == 2


def test_column_names_are_known_without_rows() -> None:  # R6
    assert NONE.column_names == ["id", "name"]
    assert WRITTEN.column_names == []


def test_counts_and_keys_are_handed_on() -> None:  # R7
    assert (WRITTEN.rows_affected, WRITTEN.last_inserted_id) == (3, 7)
    assert (ONE.rows_affected, ONE.last_inserted_id) == (None, None)


# One row


def test_exactly_one_row() -> None:  # R1 R2
    assert ONE.one() == {"id": 1, "name": "a"}
    assert ONE.one(schema_type=User) == User(1, "a")
    assert ONE.one_or_none(schema_type=User) == User(1, "a")
    assert NONE.one_or_none() is None
    assert NONE.one_or_none(schema_type=User) is None


@pytest.mark.parametrize("call", [SQLResult.one, SQLResult.scalar])
def test_no_row_is_not_found(call: Any) -> None:  # R2 R7
    with pytest.raises(NotFoundError) as caught:
        call(NONE)
    assert str(caught.value) == "One row was wanted, the statement gave none.\nStatement: SELECT id, name FROM users"


@pytest.mark.parametrize("call", [SQLResult.one, SQLResult.one_or_none, SQLResult.scalar, SQLResult.scalar_or_none])
def test_more_rows_than_one_are_an_error(call: Any) -> None:  # R2 R7
    with pytest.raises(MultipleResultsFoundError) as caught:
        call(TWO)
    assert str(caught.value) == (
        "One row was wanted, the statement gave more. Narrow it down, or take all rows or the first one.\n"
        "Statement: SELECT id, name FROM users"
    )


def test_the_first_row_of_any_number() -> None:  # R7
    assert TWO.get_first() == {"id": 1, "name": "a"}
    assert TWO.get_first(schema_type=User) == User(1, "a")
    assert NONE.get_first() is None
    assert NONE.get_first(schema_type=User) is None


# One value


def test_a_value_is_the_first_column_of_the_only_row() -> None:  # R7
    assert ONE.scalar() == 1
    assert ONE.scalar(schema_type=float) == 1.0
    assert ONE.scalar_or_none(schema_type=int) == 1
    assert NONE.scalar_or_none() is None
    assert result((None, "a")).scalar_or_none(schema_type=int) is None
    assert result((None, "a")).scalar() is None
    assert result((None, "a")).scalar(schema_type=int | None) is None


def test_a_value_is_checked() -> None:  # R4
    with pytest.raises(MappingError, match="Row 1: column 'id' \\(NoneType\\) does not fit int") as caught:
        result((None, "a")).scalar(schema_type=int)
    assert caught.value.statement == SELECT


def test_a_value_does_not_mind_two_columns_of_one_name() -> None:  # R5
    assert result((1, 2), columns=("id", "id")).scalar() == 1
    assert result((1, 2), columns=("id", "id")).scalar(schema_type=int) == 1


def test_a_row_without_columns_has_no_value() -> None:
    """PostgreSQL takes ``SELECT FROM users``."""
    with pytest.raises(MappingError, match="gives no column"):
        result((), columns=()).scalar()


# Statements that return no rows


def test_a_statement_without_rows_has_none() -> None:  # R2
    assert WRITTEN.all() == []
    assert WRITTEN.all(schema_type=User) == []
    assert list(WRITTEN) == []
    assert len(WRITTEN) == 0
    assert WRITTEN.get_first() is None
    assert WRITTEN.one_or_none() is None
    assert WRITTEN.scalar_or_none() is None


@pytest.mark.parametrize("call", [SQLResult.one, SQLResult.scalar])
def test_one_row_of_a_statement_without_rows_is_told(call: Any) -> None:  # R2 E4
    with pytest.raises(NotFoundError, match="returns no rows: add a RETURNING clause") as caught:
        call(WRITTEN)
    assert str(caught.value).endswith("\nStatement: UPDATE users SET name = ''")


# What is said


@pytest.mark.parametrize("call", [rows_of, one_of, one_or_none_of, first_of, scalar_of, scalar_or_none_of])
def test_a_row_that_does_not_fit_names_the_statement(call: Any) -> None:  # R4
    with pytest.raises(MappingError) as caught:
        call((Shape(("id", "name")), [("x", "a")], None, None), User if "scalar" not in call.__name__ else int, SELECT)
    assert caught.value.statement == SELECT
    assert str(caught.value).endswith(f"\nStatement: {SELECT}")


@pytest.mark.parametrize("call", [rows_of, first_of, one_or_none_of])
def test_columns_that_do_not_fit_are_told_without_rows_too(call: Any) -> None:  # R4 R5
    with pytest.raises(DuplicateColumnError, match="Columns 1 and 2") as caught:
        call((Shape(("id", "id")), [], None, None), None, SELECT)
    assert caught.value.statement == SELECT
    with pytest.raises(MappingError, match="User needs field 'name: str'"):
        call((Shape(("id",)), [], None, None), User, SELECT)


def test_long_statements_are_shortened() -> None:
    with pytest.raises(NotFoundError) as caught:
        result(statement=f"SELECT {'x, ' * 1000} 1").one()
    shown = str(caught.value).splitlines()
    assert len(shown) == 2
    assert len(shown[1]) == len("Statement: ") + 200
    assert shown[1].endswith("…")


def test_repr_shows_statement_columns_and_counts_and_no_value() -> None:  # E5
    assert repr(result((1, "s3cret"))) == (
        "<SQLResult 'SELECT id, name FROM users' columns=[id, name] rows=1, rows_affected=None>"
    )
