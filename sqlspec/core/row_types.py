"""What a schema type is made of: its kind, its fields and how an object of it is built.

Looked at once per type and kept. This module knows classes and annotations, neither columns nor values: which column
feeds which field is decided in ``row_makers``, what a value becomes in ``row_values``.
"""

from __future__ import annotations

import collections.abc
import inspect
import typing
from collections.abc import Callable
from dataclasses import MISSING, InitVar, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NewType, TypeVar, Union, get_args, get_origin
from uuid import UUID

import msgspec
import typing_extensions
from typing_extensions import TypeAliasType

from sqlspec.core.row_values import is_pydantic, type_name
from sqlspec.exceptions import ImproperConfigurationError

__all__ = ("Field", "Kind", "Schema", "schema_of")

_PLAIN = (bool, int, float, str, bytes, bytearray, memoryview, list, set, frozenset)
_PLAIN_VALUES = (Decimal, UUID, datetime, date, time, timedelta, NoneType)
_PLAIN_ORIGINS = (Union, UnionType, Literal, list, set, frozenset, collections.abc.Sequence, collections.abc.Set)
_FIELD_WRAPPERS = (typing.Required, typing.NotRequired, typing_extensions.ReadOnly)
_KINDS = (
    "a dataclass, a msgspec Struct, a pydantic model or dataclass, an attrs class, a TypedDict, a NamedTuple, dict, "
    "tuple, or for one column a plain type such as int, str, UUID, datetime, an Enum or 'int | None'"
)

Kind = Literal["object", "dict", "tuple", "value", "model"]
"""What a row becomes: an instance made by a call, a TypedDict or dict, a tuple, its only value, a pydantic model."""


class Field:
    """One field of a schema type.

    Attributes:
        name: As the class names it.
        columns: The names of columns that feed it, the preferred one first.
        wanted: The type that a value must have; Any where the class judges by itself.
        required: There is no default.
        keyword: The name to pass it by.
        positional: It can be passed by position, provided that all fields before it are.
    """

    __slots__ = ("columns", "keyword", "name", "positional", "required", "wanted")

    def __init__(
        self,
        name: str,
        wanted: Any,
        *,
        required: bool = True,
        columns: tuple[str, ...] = (),
        keyword: str | None = None,
        positional: bool = True,
    ) -> None:
        self.name = name
        self.wanted = wanted
        self.required = required
        self.columns = tuple(dict.fromkeys(columns)) or (name,)
        self.keyword = name if keyword is None else keyword
        self.positional = positional


class Schema:
    """A schema type, taken apart.

    Attributes:
        kind: What a row becomes.
        wanted: The type as the user gave it.
        fields: Its fields in the order of the class. A "value" has one, a "tuple" one per position.
        make: What builds the object of kind "object".
        rest: The type of further positions of a "tuple" or of the columns of a plain "dict"; None: there are none.
        keeps_extra: A "model" is given the columns that are no fields, too.
    """

    __slots__ = ("fields", "keeps_extra", "kind", "make", "rest", "wanted")

    def __init__(
        self,
        kind: Kind,
        wanted: Any,
        fields: tuple[Field, ...],
        *,
        make: Callable[..., Any] = dict,
        rest: Any = None,
        keeps_extra: bool = False,
    ) -> None:
        self.kind: Kind = kind
        self.wanted = wanted
        self.fields = fields
        self.make = make
        self.rest = rest
        self.keeps_extra = keeps_extra


@lru_cache(maxsize=1024)
def schema_of(wanted: Any) -> Schema:
    """Take a schema type apart.

    Raises:
        ImproperConfigurationError: It is no type that a row can become.
    """
    bare = _unwrapped(wanted)
    kind: Any = get_origin(bare) or bare
    try:
        if _is_plain(bare):
            return Schema("value", wanted, (Field("value", wanted),))
        if kind is tuple:
            return _tuple_schema(wanted, get_args(bare))
        if kind is dict or kind is collections.abc.Mapping:
            return Schema("dict", wanted, (), rest=(*get_args(bare), Any, Any)[1])
        for accepts, describe in _DESCRIBE:
            if accepts(kind):
                return describe(wanted, kind, _hints(kind, bare))
    except NameError as error:
        unknown = f"The annotations of {type_name(wanted)} name {error.name!r}, which can't be found at run time."
        advice = "Import it outside 'if TYPE_CHECKING:' and define the class at module level."
        raise ImproperConfigurationError(f"{unknown} {advice}") from error
    named = type_name(wanted) if isinstance(kind, type) else f"an object of type {type(wanted).__name__}"
    raise ImproperConfigurationError(f"A row can't become {named}. A schema type is {_KINDS}.")


def _unwrapped(wanted: Any) -> Any:
    """Look through Annotated and type aliases; a constraint on a plain type is checked with its field."""
    if get_origin(wanted) is Annotated:
        return _unwrapped(get_args(wanted)[0])
    return _unwrapped(wanted.__value__) if isinstance(wanted, TypeAliasType) else wanted


def _is_plain(bare: Any) -> bool:
    if bare is Any or bare in _PLAIN or bare in _PLAIN_VALUES or isinstance(bare, NewType):
        return True
    return get_origin(bare) in _PLAIN_ORIGINS or (isinstance(bare, type) and issubclass(bare, Enum))


def _tuple_schema(wanted: Any, arguments: tuple[Any, ...]) -> Schema:
    if len(arguments) == 2 and arguments[1] is ...:
        return Schema("tuple", wanted, (), rest=arguments[0])
    if not arguments:
        return Schema("tuple", wanted, (), rest=Any)
    return Schema("tuple", wanted, tuple(Field(f"[{index}]", each) for index, each in enumerate(arguments)))


# The kinds of classes


def _dataclass_schema(wanted: Any, kind: Any, hints: dict[str, Any]) -> Schema:
    if not kind.__dataclass_params__.init:
        raise ImproperConfigurationError(
            f"{kind.__name__} is a dataclass with init=False: nothing is known to build it."
        )
    for name, hint in hints.items():
        if isinstance(hint, InitVar):
            message = f"{kind.__name__}.{name} is an InitVar. A row has values for fields only: make it a field."
            raise ImproperConfigurationError(message)
    found = tuple(
        Field(
            each.name,
            hints[each.name],
            required=each.default is MISSING and each.default_factory is MISSING,
            positional=not each.kw_only,
        )
        for each in fields(kind)
        if each.init
    )
    return Schema("object", wanted, found, make=kind)


def _struct_schema(wanted: Any, kind: Any, hints: dict[str, Any]) -> Schema:
    parameters = inspect.signature(kind).parameters
    found = tuple(
        Field(
            each.name,
            hints[each.name],
            required=each.required,
            columns=(each.encode_name, each.name),
            positional=parameters[each.name].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
        for each in msgspec.structs.fields(kind)
    )
    return Schema("object", wanted, found, make=kind)


def _attrs_schema(wanted: Any, kind: Any, hints: dict[str, Any]) -> Schema:
    found = tuple(
        Field(
            each.name,
            Any if each.converter is not None else hints.get(each.name, Any),
            required=each.default is _attrs_nothing(),
            columns=(each.alias, each.name),
            keyword=each.alias,
            positional=not each.kw_only,
        )
        for each in kind.__attrs_attrs__
        if each.init
    )
    return Schema("object", wanted, found, make=kind)


def _attrs_nothing() -> Any:
    import attrs

    return attrs.NOTHING


def _named_tuple_schema(wanted: Any, kind: Any, hints: dict[str, Any]) -> Schema:
    defaults: dict[str, Any] = kind._field_defaults
    found = tuple(Field(name, hints.get(name, Any), required=name not in defaults) for name in kind._fields)
    return Schema("object", wanted, found, make=kind)


def _typed_dict_schema(wanted: Any, kind: Any, hints: dict[str, Any]) -> Schema:
    found: list[Field] = []
    for name, hint in hints.items():
        # With string annotations __required_keys__ knows only the class's ``total``: the wrappers decide.
        required = name in kind.__required_keys__
        wanted_value = hint
        while (wrapper := get_origin(wanted_value)) in _FIELD_WRAPPERS:
            if wrapper is not typing_extensions.ReadOnly:
                required = wrapper is typing.Required
            (wanted_value,) = get_args(wanted_value)
        found.append(Field(name, wanted_value, required=required))
    return Schema("dict", wanted, tuple(found))


def _pydantic_schema(wanted: Any, kind: Any, hints: dict[str, Any]) -> Schema:
    config: Any = getattr(kind, "model_config", None) or getattr(kind, "__pydantic_config__", None) or {}
    by_alias: bool = config.get("validate_by_alias", True)
    by_name: bool = config.get("validate_by_name") or config.get("populate_by_name") or not by_alias
    found: list[Field] = []
    for name, field in kind.__pydantic_fields__.items():
        if field.init is False:
            continue
        alias: Any = field.validation_alias
        aliases = [alias] if isinstance(alias, str) else [str(each) for each in _first_keys(alias)]
        names = (*(aliases if by_alias else ()), *((name,) if by_name or not aliases else ()))
        # A ``Json`` field decodes by itself and wants the text.
        wanted_value = str if _mentions_json((field.annotation, *field.metadata)) else field.annotation
        found.append(Field(name, wanted_value, required=field.is_required(), columns=names))
    return Schema("model", wanted, tuple(found), keeps_extra=config.get("extra") != "forbid")


def _mentions_json(parts: tuple[Any, ...]) -> bool:
    from pydantic import Json

    marker: Any = Json
    return any(part is marker or type(part) is marker or _mentions_json(get_args(part)) for part in parts)


def _first_keys(alias: Any) -> list[Any]:
    """Return the columns that a pydantic AliasPath or AliasChoices begins with."""
    if alias is None:
        return []
    choices: list[Any] = getattr(alias, "choices", [alias])
    return [each if isinstance(each, str) else each.path[0] for each in choices]


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _is_attrs(kind: Any) -> bool:
    return isinstance(kind, type) and hasattr(kind, "__attrs_attrs__")


def _is_named_tuple(kind: Any) -> bool:
    return hasattr(kind, "_fields") and isinstance(kind, type) and issubclass(kind, tuple)


def _is_dataclass(kind: Any) -> bool:
    return isinstance(kind, type) and is_dataclass(kind)


_DESCRIBE: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any, dict[str, Any]], Schema]], ...] = (
    (_is_struct, _struct_schema),
    (is_pydantic, _pydantic_schema),  # before dataclasses: a pydantic dataclass is one, too
    (typing_extensions.is_typeddict, _typed_dict_schema),
    (_is_named_tuple, _named_tuple_schema),
    (_is_attrs, _attrs_schema),
    (_is_dataclass, _dataclass_schema),
)


# Annotations


def _hints(kind: Any, bare: Any) -> dict[str, Any]:
    """Return the resolved annotations of a class; type variables are what the class or ``bare`` makes of them."""
    if is_pydantic(kind):
        return {}  # it knows by itself, and may have annotations that resolve in its own way only
    known = _type_arguments(kind, get_args(bare))
    hints = typing.get_type_hints(kind, include_extras=True)
    return {name: _substituted(_without_final(hint), known) for name, hint in hints.items()}


def _without_final(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Final else hint


def _type_arguments(kind: Any, arguments: tuple[Any, ...]) -> dict[Any, Any]:
    """Return what each type variable stands for, in the class and in its bases."""
    known: dict[Any, Any] = dict(zip(getattr(kind, "__parameters__", ()), arguments, strict=False))
    for base in getattr(kind, "__orig_bases__", ()):
        origin = get_origin(base)
        if origin is not None:
            given = tuple(_substituted(each, known) for each in get_args(base))
            known = _type_arguments(origin, given) | known
        else:
            known = _type_arguments(base, ()) | known
    return known


def _substituted(hint: Any, known: dict[Any, Any]) -> Any:
    """Put what is known in place of type variables; an unknown one may be anything that its bound allows."""
    if isinstance(hint, TypeVar):
        return known.get(hint, hint)
    parameters: tuple[Any, ...] = getattr(hint, "__parameters__", ())
    if not parameters or get_origin(hint) is None:
        return hint
    return hint[tuple(known.get(each, each) for each in parameters)]
