"""DuckDB: many rows for one plain INSERT, one statement per 10,000 of them, where that means exactly the same.

``INSERT INTO t (a, b) VALUES ($1, $2)`` becomes ``INSERT INTO t (a, b) SELECT unnest($1), unnest($2)`` with a list per
column: 1 µs a row, where one row after the other costs 100 µs and more. A list has one type, so every column must hold
values of one (or NULL) that come out the same as alone. Some tables are left out: those with a foreign key to
themselves, since in one statement a row does not see the ones before it; those with a UNION, in which a NULL of a type
is not NULL. Knows no driver.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("Bulk", "in_bulk")

_CHUNK = 10_000
_FEWEST = 8
"""Below, looking at the table costs more than it saves."""

_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d]\w*)'
_PLAIN_INSERT = re.compile(
    rf"\s*(?P<head>INSERT\s+INTO\s+(?P<path>(?:{_NAME}\s*\.\s*)*(?P<table>{_NAME}))\s*(?:\(\s*{_NAME}(?:\s*,\s*{_NAME})*\s*\))?)"
    r"\s*VALUES\s*\(\s*(?P<values>\$\d+(?:\s*,\s*\$\d+)*|\?(?:\s*,\s*\?)*)\s*\)[\s;]*",
    re.IGNORECASE,
)
_REFERS_TO_ITSELF = """
    SELECT EXISTS (FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY'
    AND lower(table_name) = lower({name}) AND lower(referenced_table) = lower({name}))
"""
_HAS_UNIONS = "OR EXISTS (FROM pragma_table_info({path}) WHERE type LIKE 'UNION(%')"
_EXACT = frozenset({str, float, bool, bytes, UUID, dt.date, dt.timedelta})
_MOST = 2**63


class Bulk(NamedTuple):
    """How rows go in.

    Attributes:
        is_special: A query that gives True if the table takes these rows one by one only.
        chunks: Statements, each with its parameters: a list per column.
    """

    is_special: str
    chunks: list[tuple[str, list[list[Any]]]]


def in_bulk(sql: str, rows: list[Sequence[Any]], json: type[Any] | None = None) -> Bulk | None:
    """The statements for many rows; None if they have to be inserted one by one.

    Args:
        sql: The statement for one, with placeholders like $1 or ?.
        rows: Their values.
        json: A driver's class of JSON values, which have their text in ``object``.
    """
    form = _form(sql) if len(rows) >= _FEWEST else None
    if form is None:
        return None
    head, path, table, places = form
    has_nulls = False
    chunks: list[tuple[str, list[list[Any]]]] = []
    for at in range(0, len(rows), _CHUNK):
        columns = _columns(rows[at : at + _CHUNK], json)
        if columns is None or len(columns) != len(places):
            return None
        has_nulls = has_nulls or any(None in values for _, values in columns)
        picked = ", ".join([f"unnest({place}{cast})" for place, (cast, _) in zip(places, columns, strict=True)])
        chunks.append((f"{head} SELECT {picked}", [values for _, values in columns]))
    is_special = _REFERS_TO_ITSELF.format(name=_quoted(table))  # in some schema: which is the search path's secret
    return Bulk(is_special + (_HAS_UNIONS.format(path=_quoted(path)) if has_nulls else ""), chunks)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@lru_cache(maxsize=256)
def _form(sql: str) -> tuple[str, str, str, list[str]] | None:
    """Of a plain INSERT of placeholders in order: what stands before VALUES, the table's path and name, places."""
    found = _PLAIN_INSERT.fullmatch(sql)
    if found is None:
        return None
    places = re.findall(r"\$\d+|\?", found["values"])
    if places[0] != "?" and places != [f"${number + 1}" for number in range(len(places))]:
        return None
    table = found["table"]
    name = table[1:-1].replace('""', '"') if table.startswith('"') else table
    return found["head"], ".".join(re.findall(_NAME, found["path"])), name, places


def _columns(rows: Sequence[Sequence[Any]], json: type[Any] | None) -> list[tuple[str, list[Any]]] | None:
    """For each column what its list is cast to, and the list; None if one of them can't be a list."""
    columns: list[tuple[str, list[Any]]] = []
    for values in zip(*rows, strict=True):
        kinds = set(map(type, values)) - {type(None)}
        kind = kinds.pop() if kinds else str
        if kinds or not (kind is json or _is_exact(kind, values)):
            return None
        is_json = kind is json
        columns.append(("::JSON[]", [value and value.object for value in values]) if is_json else ("", list(values)))
    return columns


def _is_exact(kind: type[Any], values: tuple[Any, ...]) -> bool:
    """Whether values of this one type come out of a list as they came in."""
    if kind in _EXACT:
        return True
    present = [value for value in values if value is not None]
    if kind is int:
        return bool(min(present) >= -_MOST and max(present) < _MOST)
    if kind is Decimal:  # of several scales the widest is that of all
        return len({value.as_tuple().exponent for value in present}) == 1
    if kind in (dt.datetime, dt.time):
        return len({value.tzinfo is None for value in present}) == 1
    return False
