"""Shapes: the columns of a result, and the row makers that belong to them.

A plan keeps the shape of its last answer, so that a statement that runs again finds its makers by one dict lookup.
Makers depend on columns and schema type alone: equal ones are shared between statements, and what they have learned or
compiled with them. This module knows no statements and no drivers; ``key`` is the adapter's own.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from sqlspec.core.row_makers import RowMaker, make_maker, make_value_maker
from sqlspec.core.row_types import schema_of
from sqlspec.exceptions import ImproperConfigurationError

__all__ = ("RowMaker", "Shape", "check_schema_type")

_MAKERS_PER_SHAPE = 64


class Shape:
    """The columns of a result.

    Attributes:
        columns: Their names, in order.
        key: What the adapter compares to know that the columns are still the same.
    """

    __slots__ = ("_makers", "_value_makers", "columns", "key")

    def __init__(self, columns: tuple[str, ...], key: Any = None) -> None:
        self.columns = columns
        self.key = key
        self._makers: dict[Any, RowMaker[Any]] = {}
        self._value_makers: dict[Any, RowMaker[Any]] = {}

    def __repr__(self) -> str:
        return f"Shape({', '.join(self.columns)})"

    def maker(self, schema_type: Any) -> RowMaker[Any]:
        """Return what makes objects of the type from rows. None means ``dict[str, Any]``.

        Raises:
            MappingError: The columns do not fit the type.
            ImproperConfigurationError: It is no type that a row can become.
        """
        try:
            return self._makers[schema_type]
        except (KeyError, TypeError):
            _check_hashable(schema_type)
        return _kept(self._makers, schema_type, _maker_for(self.columns, schema_type))

    def value_maker(self, schema_type: Any) -> RowMaker[Any]:
        """Return what makes a value of the type from the first column of a row, whatever the others are."""
        try:
            return self._value_makers[schema_type]
        except (KeyError, TypeError):
            _check_hashable(schema_type)
        return _kept(self._value_makers, schema_type, _value_maker_for(self.columns, schema_type))


def check_schema_type(schema_type: Any) -> None:
    """Refuse what no row can become, before a statement is sent for nothing.

    Raises:
        ImproperConfigurationError: It is no type that a row can become.
    """
    try:
        schema_of(schema_type)
    except TypeError:
        _check_hashable(schema_type)
        raise


_maker_for = lru_cache(maxsize=1024)(make_maker)
_value_maker_for = lru_cache(maxsize=1024)(make_value_maker)


def _kept(makers: dict[Any, RowMaker[Any]], schema_type: Any, maker: RowMaker[Any]) -> RowMaker[Any]:
    if len(makers) >= _MAKERS_PER_SHAPE:  # types made per request must not fill the memory
        makers.clear()
    makers[schema_type] = maker
    return maker


def _check_hashable(schema_type: Any) -> None:
    try:
        hash(schema_type)
    except TypeError:
        found = type(schema_type).__name__
        raise ImproperConfigurationError(f"schema_type must be a type, and a value of type {found} is none.") from None
