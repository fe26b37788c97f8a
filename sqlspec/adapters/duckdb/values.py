"""JSON on its way in and out: the one type for which DuckDB's package has no Python value.

In: dicts, and lists that are no LIST, go as JSON and not as text: a JSON column takes both, but STRUCT, MAP and LIST
read all escapes only in JSON. Out: a JSON column comes as text, and is decoded here.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import duckdb
import msgspec
from duckdb.value.constant import Value

from sqlspec.core.values import json_text
from sqlspec.dialects.duckdb import DUCKDB, array_value, is_array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ("FACTS", "Columns", "Json")

_NESTED = frozenset({"list", "array", "struct", "map"})


@lru_cache(maxsize=1)
def _json_type() -> Any:
    """Asked of a connection that is closed at once: ``DuckDBPyType("JSON")`` would open a database and keep it."""
    with duckdb.connect() as connection:
        return connection.sqltype("JSON")


class Json(Value):
    """A parameter of type JSON."""

    def __init__(self, text: str) -> None:
        super().__init__(text, _json_type())


def _json(value: object) -> Json:
    return Json(json_text(value))


def _list(value: Sequence[Any]) -> list[Any] | Json:
    return array_value(value) if is_array(value) else _json(value)


FACTS = replace(DUCKDB, encoders={**DUCKDB.encoders, dict: _json, list: _list, tuple: _list})


class Columns:
    """What a result's columns are.

    Attributes:
        description: As DuckDB told it.
        json: Places of those that are JSON or have it inside, each with what reads it.
    """

    __slots__ = ("description", "json")

    def __init__(self, description: list[Any]) -> None:
        self.description = description
        self.json = [(at, read) for at, column in enumerate(description) if (read := _reader(column[1]))]

    def decoded(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The rows with JSON read."""
        decoded: list[tuple[Any, ...]] = []
        for row in rows:
            values = list(row)
            for at, read in self.json:
                values[at] = read(values[at])
            decoded.append(tuple(values))
        return decoded


def _reader(kind: Any) -> Callable[[Any], Any] | None:
    """What reads the JSON in values of a type; None if there is none."""
    if str(kind) == "JSON":
        return _read
    parts: dict[str, Any] = dict(kind.children) if kind.id in _NESTED else {}
    if kind.id == "struct":
        fields = {name: read for name, part in parts.items() if (read := _reader(part))}
        return (lambda found: found and _read_fields(found, fields)) if fields else None
    if not parts or (kind.id == "map" and parts["key"].id in _NESTED):  # such a map comes as keys and values
        return None
    item = _reader(parts["value" if kind.id == "map" else "child"])
    if item is None:
        return None
    if kind.id == "map":
        return lambda found: found and {key: item(value) for key, value in found.items()}
    return lambda found: found and type(found)(map(item, found))


def _read(value: Any) -> Any:
    try:
        return value and msgspec.json.decode(value)
    except msgspec.DecodeError:  # DuckDB writes Infinity and NaN, which are no JSON
        return value


def _read_fields(found: dict[str, Any], fields: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    return {name: fields[name](value) if name in fields else value for name, value in found.items()}
