"""What is said when rows and a schema type do not fit. Messages name types and columns, never values.

Errors are made here and raised by the caller outside of any ``except`` block: msgspec's and pydantic's own errors quote
values, and would stand in the traceback as the context.
"""

from __future__ import annotations

from traceback import extract_tb
from typing import TYPE_CHECKING

from sqlspec.core.row_values import type_name
from sqlspec.exceptions import DuplicateColumnError, MappingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlspec.core.row_types import Field, Schema

__all__ = ("detail_of", "duplicate_column", "missing_field", "origin_of", "refused_row", "refused_value", "wrong_width")

_SAFE_DETAILS = ("Expected ", "Object missing ", "JSON is malformed", "Input data was truncated")
"""How msgspec's messages begin that hold types, field names and offsets only."""


def duplicate_column(columns: Sequence[str]) -> DuplicateColumnError | None:
    """Return the error for the first name that two columns have, if there is one."""
    for position, name in enumerate(columns):
        first = columns.index(name)
        if first != position:
            message = (
                f"Columns {first + 1} and {position + 1} are both named {name!r}. "
                f"Give one of them another name with AS, or take the rows as tuples: schema_type=tuple."
            )
            return DuplicateColumnError(message, column=name)
    return None


def missing_field(schema: Schema, field: Field, columns: Sequence[str]) -> MappingError:
    """Return the error for a field without a default that no column feeds."""
    wanted = type_name(field.wanted)
    accepted = " or ".join(map(repr, field.columns))
    message = (
        f"{type_name(schema.wanted)} needs field '{field.name}: {wanted}', and no column is named {accepted}. "
        f"Columns: {_listed(columns)}. Select it, rename a column with AS, or give the field a default."
    )
    return MappingError(message, field=field.name, wanted=wanted)


def wrong_width(schema: Schema, columns: Sequence[str]) -> MappingError:
    """Return the error for a plain type or a tuple with another number of places than there are columns."""
    places = len(schema.fields)
    message = (
        f"{type_name(schema.wanted)} takes {places} column{'s'[: places != 1]}, the statement gives {len(columns)}: "
        f"{_listed(columns)}. Select exactly what the type takes, or ask for another schema_type."
    )
    return MappingError(message, wanted=type_name(schema.wanted))


def refused_value(
    schema: Schema, field: Field, value: object, *, row: int, column: str, detail: str = ""
) -> MappingError:
    """Return the error for a value that does not fit its field. ``row`` counts from 0, the message from 1."""
    wanted, found = type_name(field.wanted), type(value).__name__
    is_field = schema.kind not in {"value", "tuple"}
    target = f"field '{field.name}: {wanted}' of {type_name(schema.wanted)}" if is_field else wanted
    if value is None:
        place = "field" if is_field else "type"
        advice = f"Select a non-NULL value or make the {place} optional: '{wanted} | None'."
    else:
        advice = "Convert the column in the statement, or change the type."
    message = f"Row {row + 1}: column {column!r} ({found}) does not fit {target}.{detail} {advice}"
    name = field.name if is_field else None
    return MappingError(message, row=row, column=column, field=name, wanted=wanted, found=found)


def refused_row(schema: Schema, *, row: int, reason: str) -> MappingError:
    """Return the error for a row whose values fit one by one, but not the type's own code."""
    name = type_name(schema.wanted)
    return MappingError(f"Row {row + 1}: {name} refused the values: {reason}.", row=row, wanted=name)


def origin_of(error: BaseException) -> str:
    """Return the class of an error and the line that raised it, without its text."""
    frames = extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def detail_of(error: BaseException) -> str:
    """Return what msgspec says about the inside of a value, where that names types only."""
    text = str(error)
    return f" Inside it: {text}." if " - at `$" in text and text.startswith(_SAFE_DETAILS) else ""


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(columns) or "none"
