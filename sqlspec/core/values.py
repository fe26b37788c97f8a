"""Values on their way in: what a driver does not take becomes something that it does.

A dialect names the types its driver takes (``native_types``) and how others change (``encoders``, usually picked from
the functions below). A type that neither names passes untouched: the driver judges. What a value means in SQL is not
known here, and no value ever gets into an error message.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

from sqlspec.exceptions import ParameterError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable
    from decimal import Decimal
    from uuid import UUID

    from sqlspec.core.facts import DialectFacts, Encoder

__all__ = (
    "decimal_text",
    "encode",
    "encoder_for",
    "enum_value",
    "iso_date",
    "iso_datetime",
    "iso_duration",
    "iso_time",
    "json_text",
    "uuid_text",
)


def encode(values: Iterable[object], facts: DialectFacts, first: int = 1) -> list[Any]:
    """The values as the driver takes them.

    Args:
        values: What the user passed.
        facts: What the driver takes.
        first: The number of the first value, for errors.

    Raises:
        ParameterError: An encoder refused a value, which is told by its place and type.
    """
    native = facts.native_types
    encoded: list[Any] = []
    for value in values:
        kind = type(value)
        if kind not in native:
            encoder = encoder_for(kind, facts)
            if encoder is not None:
                encoded.append(_encoded(value, encoder, first + len(encoded)))
                continue
        encoded.append(value)
    return encoded


def _encoded(value: object, encoder: Encoder, number: int) -> Any:
    try:
        return encoder(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        # A TypeError of msgspec names the type that has no JSON form; texts of the others may quote the value.
        reason = str(error) if isinstance(error, TypeError) else type(error).__name__
        message = f"Parameter {number} of type {type(value).__name__} can't be sent: {reason}."
        raise ParameterError(message) from None


def encoder_for(kind: type[Any], facts: DialectFacts) -> Encoder | None:
    """How values of a type change; None if they pass as they are.

    Looked up through the type's bases, nearest first. An enum that is also a str or an int is an enum: its members are
    written by their value, which then has a turn of its own.
    """
    known = known_encoders.setdefault(facts, {})
    try:
        return known[kind]
    except KeyError:
        if len(known) >= _MOST_TYPES:  # types made at run time must not pile up
            known.clear()
        encoder = known[kind] = _find_encoder(kind, facts)
        return encoder


known_encoders: dict[DialectFacts, dict[type[Any], Encoder | None]] = {}
"""What was looked up so far; at most 1,000 types per dialect."""
_MOST_TYPES = 1000


def _find_encoder(kind: type[Any], facts: DialectFacts) -> Encoder | None:
    if kind in facts.native_types:
        return None
    if issubclass(kind, Enum) and Enum in facts.encoders:
        return _enum_encoder(facts.encoders[Enum], facts)
    for base in kind.__mro__:
        if base in facts.encoders:
            return facts.encoders[base]
        if base in facts.native_types:
            return None
    return None


def _enum_encoder(encoder: Encoder, facts: DialectFacts) -> Callable[[Any], Any]:
    def encode_member(member: Any) -> Any:
        value: object = encoder(member)
        inner = encoder_for(type(value), facts)
        return value if inner is None else inner(value)

    return encode_member


# Ready-made encoders, for dialects to pick from


def uuid_text(value: UUID) -> str:
    """``12345678-1234-…``."""
    return str(value)


def decimal_text(value: Decimal) -> str:
    """All digits, exactly."""
    return str(value)


def iso_date(value: dt.date) -> str:
    """``2024-02-29``."""
    return value.isoformat()


def iso_time(value: dt.time) -> str:
    """``12:30:00`` with microseconds and offset if it has them."""
    return value.isoformat()


def iso_datetime(value: dt.datetime) -> str:
    """``2024-02-29 12:30:00+00:00``; with a blank, as SQLite's own functions write it."""
    return value.isoformat(" ")


def iso_duration(value: dt.timedelta) -> str:
    """ISO 8601, ``P1DT2.5S``: the form that msgspec reads back."""
    text: str = msgspec.to_builtins(value)
    return text


def json_text(value: object) -> str:
    """JSON, with UUIDs, dates, Decimals and structs inside it in msgspec's forms."""
    return msgspec.json.encode(value).decode()


def enum_value(value: Enum) -> Any:
    """The member's value."""
    return value.value
