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
    from collections.abc import Sequence

__all__ = ("FACTS", "Columns", "Json")


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
        json: Places of those that are JSON, or lists of it.
    """

    __slots__ = ("description", "json")

    def __init__(self, description: list[Any]) -> None:
        self.description = description
        self.json = [at for at, column in enumerate(description) if str(column[1]).rstrip("[]") == "JSON"]

    def decoded(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The rows with JSON read."""
        decoded: list[tuple[Any, ...]] = []
        for row in rows:
            values = list(row)
            for at in self.json:
                values[at] = _read(values[at])
            decoded.append(tuple(values))
        return decoded


def _read(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:  # DuckDB writes Infinity and NaN, which are no JSON
            return value
    return [_read(item) for item in value] if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType]
