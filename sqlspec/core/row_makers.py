"""Row makers: what turns the rows of a statement into what was asked for.

A maker is built once per columns and schema type. Typed rows take three steps for a whole result at a time: pick the
columns that the type has fields for, in its order; check and convert them in one call of msgspec; call the class with
the values by position. Values that msgspec refuses are looked at one by one: a column whose values can be prepared
(``row_values``) is remembered and prepared from then on, anything else is an error that says where and what.

Both methods of a maker give the same for the same row, whatever was learned before. This module knows neither
statements nor drivers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from operator import itemgetter
from types import GenericAlias
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from sqlspec.core import row_errors
from sqlspec.core.row_code import Assembler, call_of, dict_of
from sqlspec.core.row_types import Field, Schema, schema_of
from sqlspec.core.row_values import (
    BYTES,
    Change,
    conversion_for,
    json_value,
    only_bytes,
    takes_json,
    takes_time_of_day,
    time_of_day,
)
from sqlspec.exceptions import MappingError
from sqlspec.typing import Row, T

__all__ = ("RowMaker", "make_maker", "make_value_maker")

_REFUSED = (ValueError, TypeError, AssertionError, ArithmeticError)
"""What msgspec, validators, converters and ``__post_init__`` raise for a value they do not take."""

_TEXTS = (str, *BYTES)

_ValuesT = TypeVar("_ValuesT", bound=msgspec.Struct)


class RowMaker(Generic[T]):
    """Make objects of one type from the rows of one list of columns."""

    __slots__ = ()

    def one(self, row: Row) -> T:
        """Make the object of one row.

        Raises:
            MappingError: A value does not fit.
        """
        raise NotImplementedError

    def many(self, rows: Sequence[Row], start: int = 0) -> list[T]:
        """Make the objects of all rows: what ``one`` gives for each.

        Args:
            rows: All rows of a result, or a part of them.
            start: How many rows of the result came before this part.

        Raises:
            MappingError: A value does not fit. Its ``row`` is the index in the whole result.
        """
        raise NotImplementedError


def make_maker(columns: tuple[str, ...], wanted: Any) -> RowMaker[Any]:
    """Build the maker of rows with these columns for a schema type (None: dict).

    Raises:
        MappingError: The columns do not fit the type.
        ImproperConfigurationError: It is no type that a row can become.
    """
    schema = schema_of(dict if wanted is None else wanted)
    if schema.kind in {"object", "dict", "model"}:
        duplicate = row_errors.duplicate_column(columns)
        if duplicate is not None:
            raise duplicate
    if schema.rest is Any:
        return _Dicts(columns) if schema.kind == "dict" else _Tuples()
    sources = _sources(schema, columns)
    return _Models(schema, columns, sources) if schema.kind == "model" else _Checked(schema, columns, sources)


def make_value_maker(columns: tuple[str, ...], wanted: Any) -> RowMaker[Any]:
    """Build the maker that takes the first column alone, as a value of the type (any type that a field can have)."""
    schema = Schema("value", wanted, (Field("value", wanted),))
    return _Checked(schema, columns, [_Source(0, schema.fields[0])])


class _Source(NamedTuple):
    """A field and the place of the column that feeds it."""

    place: int
    field: Field


def _sources(schema: Schema, columns: tuple[str, ...]) -> list[_Source]:
    """Find the column of each field, in the order of the fields. Fields with a default may go without."""
    if schema.rest is not None:
        return [_Source(index, Field(name, schema.rest)) for index, name in enumerate(columns)]
    if schema.kind in {"value", "tuple"}:
        if len(columns) != len(schema.fields):
            raise row_errors.wrong_width(schema, columns)
        return [_Source(index, field) for index, field in enumerate(schema.fields)]
    found: list[_Source] = []
    for field in schema.fields:
        index = next((columns.index(name) for name in field.columns if name in columns), None)
        if index is not None:
            found.append(_Source(index, field))
        elif field.required:
            raise row_errors.missing_field(schema, field, columns)
    return found


def _picker(indexes: Sequence[int], width: int) -> Callable[[Row], tuple[Any, ...]]:
    """Return what gives the values at these places as a tuple."""
    if list(indexes) == list(range(width)):
        return tuple
    if len(indexes) == 1:
        (index,) = indexes
        return lambda row: (row[index],)
    return itemgetter(*indexes) if indexes else lambda row: ()


# Unchecked rows


class _Dicts(RowMaker[dict[str, Any]]):
    __slots__ = ("_assembler",)

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._assembler = dict_of(columns)

    def one(self, row: Row) -> dict[str, Any]:
        made: dict[str, Any] = self._assembler.one(row)
        return made

    def many(self, rows: Sequence[Row], start: int = 0) -> list[dict[str, Any]]:
        return self._assembler.many(rows)


class _Tuples(RowMaker[tuple[Any, ...]]):
    __slots__ = ()

    def one(self, row: Row) -> tuple[Any, ...]:
        return tuple(row)

    def many(self, rows: Sequence[Row], start: int = 0) -> list[tuple[Any, ...]]:
        return list(map(tuple, rows))


# Checked rows


class _RowOf(msgspec.Struct, array_like=True):
    """For msgspec, which keeps what it knows of a type on Structs only: the values of one row."""

    values: Any


class _RowsOf(msgspec.Struct, array_like=True):
    """The values of many rows."""

    values: Any


class _Checked(RowMaker[Any]):
    __slots__ = (
        "_assembler",
        "_byte_places",
        "_columns",
        "_conversions",
        "_holds_bytes",
        "_pick",
        "_row_needs_option",
        "_row_type",
        "_rows_type",
        "_schema",
        "_sources",
        "_steps",
    )

    def __init__(self, schema: Schema, columns: tuple[str, ...], sources: list[_Source]) -> None:
        self._schema = schema
        self._columns = columns
        self._sources = sources
        self._assembler = _assembler(schema, [source.field for source in sources])
        self._pick = _picker([source.place for source in sources], len(columns))
        self._conversions = [conversion_for(source.field.wanted) for source in sources]
        self._holds_bytes = any(each.holds_bytes for each in self._conversions)
        wires = [each.wire for each in self._conversions]
        self._rows_type = _struct_of(_RowsOf, GenericAlias(list, (GenericAlias(tuple, tuple(wires)),)))
        places = [(index, only_bytes(wire)) for index, wire in enumerate(wires)]
        self._byte_places = [(index, kinds) for index, kinds in places if kinds]
        for index, _ in self._byte_places:  # of one row they are looked at here: that needs no option
            wires[index] = Any
        self._row_type = _struct_of(_RowOf, GenericAlias(tuple, tuple(wires)))
        self._row_needs_option = any(each.holds_bytes and not only_bytes(each.wire) for each in self._conversions)
        self._steps: dict[int, Change] = {}
        self._learn(index for index, each in enumerate(self._conversions) if each.always)

    def one(self, row: Row) -> Any:
        try:
            values = self._pick(row)
            return self._assembler.one(self._checked_row(self._prepared_row(values) if self._steps else values))
        except _REFUSED:
            pass
        return self._carefully([row], 0)[0]

    def many(self, rows: Sequence[Row], start: int = 0) -> list[Any]:
        if not rows:
            return []
        try:
            return self._assembled(rows if self._fits_as_is(rows) else list(map(self._pick, rows)))
        except _REFUSED:
            pass
        return self._carefully(rows, start)

    def _fits_as_is(self, rows: Sequence[Row]) -> bool:
        return self._pick is tuple and isinstance(rows, list) and isinstance(rows[0], tuple)

    def _assembled(self, rows: Sequence[Row]) -> list[Any]:
        prepared = self._prepared(rows) if self._steps else rows
        if self._holds_bytes:
            return self._assembler.many(msgspec.convert((prepared,), self._rows_type, builtin_types=BYTES).values)
        return self._assembler.many(msgspec.convert((prepared,), self._rows_type).values)

    def _checked_row(self, values: Row) -> Row:
        checked: Row
        if self._row_needs_option:  # naming an option costs more than the check
            checked = msgspec.convert((values,), self._row_type, builtin_types=BYTES).values
        else:
            checked = msgspec.convert((values,), self._row_type).values
        for index, kinds in self._byte_places:
            if type(checked[index]) not in kinds:
                raise TypeError
        return checked

    # Preparing columns

    def _prepared_row(self, values: Row) -> Row:
        prepared = list(values)
        for index, change in self._steps.items():
            prepared[index] = change(prepared[index])
        return tuple(prepared)

    def _prepared(self, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
        columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
        for index, change in self._steps.items():
            columns[index] = map(change, columns[index])
        return list(zip(*columns, strict=True))

    def _learn(self, indexes: Iterable[int]) -> None:
        """Prepare these columns from now on. The dict is replaced, never changed: other threads may be reading it."""
        found = {index: change for index in indexes if (change := self._conversions[index].prepare) is not None}
        self._steps = {**self._steps, **found}

    def _learns(self, rows: list[Row]) -> bool:
        """Look at the first row that is refused, and learn which columns preparing would help."""
        for values in rows:
            try:
                self._checked_row(self._prepared_row(values))
            except _REFUSED:
                helped = [index for index in range(len(values)) if self._would_help(index, values[index])]
                self._learn(helped)
                return bool(helped)
        return False

    def _would_help(self, index: int, value: Any) -> bool:
        conversion = self._conversions[index]
        if index in self._steps or conversion.accepts(value):
            return False
        try:
            conversion(value)
        except _REFUSED:
            return False
        return True

    # Row by row, once something was refused

    def _carefully(self, rows: Sequence[Row], start: int) -> list[Any]:
        picked: list[Row] = [self._pick(row) for row in rows]
        while self._learns(picked):
            try:
                return self._assembled(picked)
            except _REFUSED:
                continue
        return [self._slowly(number, values) for number, values in enumerate(picked, start)]

    def _slowly(self, number: int, values: Row) -> Any:
        converted: list[Any] = []
        for source, conversion, value in zip(self._sources, self._conversions, values, strict=True):
            detail = ""
            try:
                converted.append(conversion(value))
                continue
            except _REFUSED as error:
                detail = row_errors.detail_of(error)
            column = self._columns[source.place]
            raise row_errors.refused_value(self._schema, source.field, value, row=number, column=column, detail=detail)
        try:
            return self._assembler.one(converted)
        except _REFUSED as error:
            reason = row_errors.origin_of(error)
        raise row_errors.refused_row(self._schema, row=number, reason=reason)


def _struct_of(base: type[_ValuesT], wire: Any) -> type[_ValuesT]:
    made = msgspec.defstruct(base.__name__, [("values", wire)], bases=(base,), array_like=True)
    assert issubclass(made, base)
    return made


def _assembler(schema: Schema, fields: list[Field]) -> Assembler:
    """Return what makes the object of checked values, which stand in the order of these fields."""
    if schema.kind == "value":
        return Assembler(itemgetter(0), lambda rows: [value for (value,) in rows])
    if schema.kind == "tuple":
        return Assembler(tuple, list)
    if schema.kind == "dict":
        return dict_of(tuple(field.name for field in fields))
    positional = 0
    for wanted, field in zip(schema.fields, fields, strict=False):
        if wanted is not field or not field.positional:
            break
        positional += 1
    return call_of(schema.make, positional, tuple(field.keyword for field in fields[positional:]))


# Rows of pydantic models


class _Models(RowMaker[Any]):
    """pydantic judges values, aliases and extra columns by the model's own rules; JSON text is decoded before.

    So are times of day that come as durations (MySQL).
    """

    __slots__ = ("_columns", "_dicts", "_models", "_pick", "_refused", "_schema", "_sources", "_texts", "_times")

    def __init__(self, schema: Schema, columns: tuple[str, ...], sources: list[_Source]) -> None:
        from pydantic import TypeAdapter, ValidationError

        self._schema = schema
        self._columns = columns
        self._sources = sources
        kept = range(len(columns)) if schema.keeps_extra else sorted({source.place for source in sources})
        self._pick = _picker(kept, len(columns))
        self._dicts = dict_of(tuple(columns[index] for index in kept))
        self._texts = [columns[source.place] for source in sources if takes_json(source.field.wanted)]
        self._times = [columns[source.place] for source in sources if takes_time_of_day(source.field.wanted)]
        models: Any = GenericAlias(list, (schema.wanted,))
        self._models = TypeAdapter[Any](models)
        self._refused = ValidationError

    def one(self, row: Row) -> Any:
        return self.many([row])[0]

    def many(self, rows: Sequence[Row], start: int = 0) -> list[Any]:
        dicts = self._dicts.many(rows if self._pick is tuple else list(map(self._pick, rows)))
        for name in self._texts:
            for each in dicts:
                if isinstance(each[name], _TEXTS):
                    each[name] = _decoded(each[name])
        for name in self._times:
            for each in dicts:
                if isinstance(each[name], timedelta):
                    each[name] = time_of_day(each[name])
        try:
            models: list[Any] = self._models.validate_python(dicts)
            return models
        except self._refused as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            place, kind = first["loc"], first["type"]
        raise self._error(rows, start, place, kind)

    def _error(self, rows: Sequence[Row], start: int, place: tuple[int | str, ...], kind: str) -> MappingError:
        index, name = int(place[0]), place[1] if len(place) > 1 else None
        for source in self._sources:
            column = self._columns[source.place]
            if name == column or name in source.field.columns or name == source.field.name:
                value, detail = rows[index][source.place], f" pydantic says {kind!r}."
                return row_errors.refused_value(
                    self._schema, source.field, value, row=start + index, column=column, detail=detail
                )
        return row_errors.refused_row(self._schema, row=start + index, reason=f"pydantic says {kind!r}")


def _decoded(text: Any) -> Any:
    try:
        return json_value(text)
    except msgspec.DecodeError:
        return text
