"""Many rows for one plain INSERT: one statement per 10,000 of them, where that means exactly the same.

``INSERT INTO t (a, b) VALUES ($1, $2)`` becomes ``INSERT INTO t (a, b) SELECT unnest($1), unnest($2)`` with a list per
column: 1 µs a row, 100 µs with DuckDB's ``executemany``. A list has one type, so every column must hold values of one
(or NULL) that come out the same as alone. A table with a foreign key to itself is left to ``executemany``: in one
statement a row does not see the ones before it.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlspec.adapters.duckdb.values import Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

__all__ = ("insert_in_bulk",)

_CHUNK = 10_000
_FEWEST = 8
"""Below, looking for foreign keys costs more than it saves."""

_NAME = r'(?:"(?:[^"]|"")+"|[^\W\d]\w*)'
_PLAIN_INSERT = re.compile(
    rf"\s*(?P<head>INSERT\s+INTO\s+(?:{_NAME}\s*\.\s*)*(?P<table>{_NAME})\s*(?:\(\s*{_NAME}(?:\s*,\s*{_NAME})*\s*\))?)"
    r"\s*VALUES\s*\(\s*(?P<values>\$\d+(?:\s*,\s*\$\d+)*)\s*\)[\s;]*",
    re.IGNORECASE,
)
_REFERS_TO_ITSELF = """
    SELECT count(*) FROM duckdb_constraints()
    WHERE constraint_type = 'FOREIGN KEY' AND lower(table_name) = lower($1) AND lower(referenced_table) = lower($1)
"""
_EXACT = frozenset({str, float, bool, bytes, UUID, dt.date, dt.timedelta})
_MOST = 2**63


def insert_in_bulk(connection: duckdb.DuckDBPyConnection, sql: str, rows: list[Sequence[Any]]) -> int | None:
    """Insert the rows; gives how many, or None if they have to be inserted one by one, and nothing was done."""
    if len(rows) < _FEWEST:
        return None
    form = _form(sql)
    if form is None:
        return None
    head, table, places = form
    chunks = [_columns(rows[at : at + _CHUNK], len(places)) for at in range(0, len(rows), _CHUNK)]
    if not all(chunks) or _refers_to_itself(connection, table):
        return None
    count = 0
    for columns in chunks:
        picked = ", ".join([f"unnest(${at + 1}{cast})" for at, (cast, _) in enumerate(columns or ())])
        connection.execute(f"{head} SELECT {picked}", [values for _, values in columns or ()])
        count += connection.rowcount
    return count


@lru_cache(maxsize=256)
def _form(sql: str) -> tuple[str, str, list[int]] | None:
    """Of a plain INSERT of placeholders in their order: what stands before VALUES, the table's name, the numbers."""
    found = _PLAIN_INSERT.fullmatch(sql)
    if found is None:
        return None
    places = [int(place) for place in re.findall(r"\d+", found["values"])]
    table = found["table"]
    name = table[1:-1].replace('""', '"') if table.startswith('"') else table
    return (found["head"], name, places) if places == list(range(1, len(places) + 1)) else None


def _refers_to_itself(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """In some schema: which one is meant is the search path's secret."""
    found = connection.execute(_REFERS_TO_ITSELF, [table]).fetchone()
    return found is None or bool(found[0])


def _columns(rows: Sequence[Sequence[Any]], count: int) -> list[tuple[str, list[Any]]] | None:
    """For each column what its list is cast to, and the list; None if one of them can't be a list."""
    columns: list[tuple[str, list[Any]]] = []
    for values in zip(*rows, strict=True):
        kinds = set(map(type, values)) - {type(None)}
        kind = kinds.pop() if kinds else str
        if kinds or not _is_exact(kind, values):
            return None
        is_json = kind is Json
        columns.append(("::JSON[]", [value and value.object for value in values]) if is_json else ("", list(values)))
    return columns if len(columns) == count else None


def _is_exact(kind: type[Any], values: tuple[Any, ...]) -> bool:
    """Whether values of this one type come out of a list as they came in."""
    if kind in _EXACT or kind is Json:
        return True
    present = [value for value in values if value is not None]
    if kind is int:
        return bool(min(present) >= -_MOST and max(present) < _MOST)
    if kind is Decimal:  # of several scales the widest is that of all
        return len({value.as_tuple().exponent for value in present}) == 1
    if kind in (dt.datetime, dt.time):
        return len({value.tzinfo is None for value in present}) == 1
    return False
