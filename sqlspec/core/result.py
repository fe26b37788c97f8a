"""Results: what a statement answered, as rows of the type that is asked for.

An adapter's primitive gives an ``Answer``; the functions here turn it into rows, one row or one value, and say what was
wrong with the statement's text (shortened) at hand. A session's ``select*`` methods call the same functions, so the
same failure is the same exception everywhere. ``SQLResult`` holds an answer that was read completely: it needs neither
its session nor its connection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Any, NoReturn, TypeAlias, overload

from sqlspec.core.rows import Shape
from sqlspec.exceptions import MappingError, MultipleResultsFoundError, NotFoundError
from sqlspec.typing import Row, T

__all__ = (
    "Answer",
    "SQLResult",
    "first_of",
    "one_of",
    "one_or_none_of",
    "rows_of",
    "scalar_of",
    "scalar_or_none_of",
)

Answer: TypeAlias = tuple[Shape | None, Sequence[Row], int | None, Any]
"""Columns (None: the statement can return no rows), rows, rows_affected, last_inserted_id."""

_STATEMENT_LENGTH = 200


# What to take from an answer


def rows_of(answer: Answer, schema_type: Any, statement: str) -> list[Any]:
    """Return all rows as objects of the type; none if the statement returns no rows."""
    shape, rows, _, _ = answer
    if shape is None:
        return []
    try:
        return shape.maker(schema_type).many(rows)
    except MappingError as error:
        error.statement = statement
        raise


def one_of(answer: Answer, schema_type: Any, statement: str) -> Any:
    """Return the only row.

    Raises:
        NotFoundError: There is none.
        MultipleResultsFoundError: There are more.
    """
    shape, rows, _, _ = answer
    if len(rows) != 1 or shape is None:
        _check_one(answer, statement)
        return None
    try:
        return shape.maker(schema_type).one(rows[0])
    except MappingError as error:
        error.statement = statement
        raise


def one_or_none_of(answer: Answer, schema_type: Any, statement: str) -> Any:
    """Return the only row, or None if there is none.

    Raises:
        MultipleResultsFoundError: There are more.
    """
    _check_at_most_one(answer, statement)
    return first_of(answer, schema_type, statement)


def first_of(answer: Answer, schema_type: Any, statement: str) -> Any:
    """Return the first row, or None if there is none. Columns are checked against the type in both cases."""
    shape, rows, _, _ = answer
    if shape is None:
        return None
    try:
        maker = shape.maker(schema_type)
        return maker.one(rows[0]) if rows else None
    except MappingError as error:
        error.statement = statement
        raise


def scalar_of(answer: Answer, schema_type: Any, statement: str) -> Any:
    """Return the first column of the only row; further columns are ignored.

    Raises:
        NotFoundError: There is no row.
        MultipleResultsFoundError: There are more.
    """
    _check_one(answer, statement)
    return _first_value(answer, schema_type, statement)


def scalar_or_none_of(answer: Answer, schema_type: Any, statement: str) -> Any:
    """Return the first column of the only row, or None if there is no row or it is NULL, whatever the type.

    Raises:
        MultipleResultsFoundError: There are more rows.
    """
    _check_at_most_one(answer, statement)
    is_none = not answer[1] or (len(answer[1][0]) > 0 and answer[1][0][0] is None)
    return None if is_none else _first_value(answer, schema_type, statement)


def _first_value(answer: Answer, schema_type: Any, statement: str) -> Any:
    shape, rows, _, _ = answer
    if shape is None or not shape.columns:
        raise MappingError("A value was wanted, and the statement gives no column.", statement=statement)
    if schema_type is None:
        return rows[0][0]
    try:
        return shape.value_maker(schema_type).one(rows[0])
    except MappingError as error:
        error.statement = statement
        raise


def _check_one(answer: Answer, statement: str) -> None:
    shape, rows, _, _ = answer
    if len(rows) == 1:
        return
    if rows:
        _raise_multiple(statement)
    if shape is None:
        returning = "add a RETURNING clause, or read rows_affected"
        raise NotFoundError(f"One row was wanted; the statement returns no rows: {returning}.{_named(statement)}")
    raise NotFoundError(f"One row was wanted, the statement gave none.{_named(statement)}")


def _check_at_most_one(answer: Answer, statement: str) -> None:
    if len(answer[1]) > 1:
        _raise_multiple(statement)


def _raise_multiple(statement: str) -> NoReturn:
    """How many there are is unknown here: a session reads no more than two."""
    message = "One row was wanted, the statement gave more. Narrow it down, or take all rows or the first one."
    raise MultipleResultsFoundError(f"{message}{_named(statement)}")


def _named(statement: str) -> str:
    return f"\nStatement: {_shortened(statement)}"


def _shortened(statement: str) -> str:
    """Return a statement on one line of at most 200 characters."""
    line = " ".join(statement.split())
    return line if len(line) <= _STATEMENT_LENGTH else f"{line[: _STATEMENT_LENGTH - 1]}…"


class SQLResult:
    """The answer to one statement. Rows are dicts unless a method is given a ``schema_type``.

    Attributes:
        statement: The statement as it was written.
        rows_affected: How many rows it changed; None where the driver can't tell.
        last_inserted_id: The key that the database made for the last inserted row; None where it does not say.
    """

    __slots__ = ("_answer", "_dicts", "last_inserted_id", "rows_affected", "statement")

    def __init__(self, statement: str, answer: Answer) -> None:
        self.statement = statement
        self.rows_affected = answer[2]
        self.last_inserted_id = answer[3]
        self._answer = answer
        self._dicts: list[dict[str, Any]] | None = None

    @property
    def column_names(self) -> list[str]:
        """The names of the columns, known without rows too; none if the statement returns no rows."""
        shape = self._answer[0]
        return [] if shape is None else list(shape.columns)

    # All rows

    @overload
    def all(self, *, schema_type: None = None) -> list[dict[str, Any]]: ...
    @overload
    def all(self, *, schema_type: type[T]) -> list[T]: ...
    @overload
    def all(self, *, schema_type: UnionType) -> list[Any]: ...
    def all(self, *, schema_type: Any = None) -> list[Any]:
        """Return all rows.

        Raises:
            MappingError: Columns or values do not fit the type.
        """
        return rows_of(self._answer, schema_type, self.statement)

    def __len__(self) -> int:
        return len(self._answer[1])

    def __bool__(self) -> bool:
        """A result is always true: that it exists says that the statement ran."""
        return True

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self._rows())

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        return self._rows()[index]

    def _rows(self) -> list[dict[str, Any]]:
        if self._dicts is None:
            self._dicts = rows_of(self._answer, None, self.statement)
        return self._dicts

    # One row

    @overload
    def one(self, *, schema_type: None = None) -> dict[str, Any]: ...
    @overload
    def one(self, *, schema_type: type[T]) -> T: ...
    @overload
    def one(self, *, schema_type: UnionType) -> Any: ...
    def one(self, *, schema_type: Any = None) -> Any:
        """Return the only row.

        Raises:
            NotFoundError: There is none.
            MultipleResultsFoundError: There are more.
            MappingError: It does not fit the type.
        """
        return one_of(self._answer, schema_type, self.statement)

    @overload
    def one_or_none(self, *, schema_type: None = None) -> dict[str, Any] | None: ...
    @overload
    def one_or_none(self, *, schema_type: type[T]) -> T | None: ...
    @overload
    def one_or_none(self, *, schema_type: UnionType) -> Any: ...
    def one_or_none(self, *, schema_type: Any = None) -> Any:
        """Return the only row, or None if there is none.

        Raises:
            MultipleResultsFoundError: There are more.
            MappingError: It does not fit the type.
        """
        return one_or_none_of(self._answer, schema_type, self.statement)

    @overload
    def get_first(self, *, schema_type: None = None) -> dict[str, Any] | None: ...
    @overload
    def get_first(self, *, schema_type: type[T]) -> T | None: ...
    @overload
    def get_first(self, *, schema_type: UnionType) -> Any: ...
    def get_first(self, *, schema_type: Any = None) -> Any:
        """Return the first row, or None if there is none; how many follow does not matter.

        Raises:
            MappingError: It does not fit the type.
        """
        return first_of(self._answer, schema_type, self.statement)

    # One value

    @overload
    def scalar(self, *, schema_type: None = None) -> Any: ...
    @overload
    def scalar(self, *, schema_type: type[T]) -> T: ...
    @overload
    def scalar(self, *, schema_type: UnionType) -> Any: ...
    def scalar(self, *, schema_type: Any = None) -> Any:
        """Return the first column of the only row; further columns are ignored.

        Raises:
            NotFoundError: There is no row.
            MultipleResultsFoundError: There are more rows.
            MappingError: The value does not fit the type.
        """
        return scalar_of(self._answer, schema_type, self.statement)

    @overload
    def scalar_or_none(self, *, schema_type: None = None) -> Any: ...
    @overload
    def scalar_or_none(self, *, schema_type: type[T]) -> T | None: ...
    @overload
    def scalar_or_none(self, *, schema_type: UnionType) -> Any: ...
    def scalar_or_none(self, *, schema_type: Any = None) -> Any:
        """Return the first column of the only row, or None if there is no row.

        Raises:
            MultipleResultsFoundError: There are more rows.
            MappingError: The value does not fit the type.
        """
        return scalar_or_none_of(self._answer, schema_type, self.statement)

    def __repr__(self) -> str:
        columns = ", ".join(self.column_names)
        counts = f"rows={len(self)}, rows_affected={self.rows_affected}"
        return f"<SQLResult {_shortened(self.statement)!r} columns=[{columns}] {counts}>"
