"""Keys and options that users write: known ones, aliases, what kind of value each takes, spelling mistakes. Pure.

A refusal names the key, what is wanted and the type that was given; a value only where it is a number in the place of
one: everything else may be a secret.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypedDict, TypeGuard

from sqlspec.core.urls import scheme_of
from sqlspec.exceptions import ImproperConfigurationError

__all__ = (
    "CLASS",
    "COUNT",
    "FLAG",
    "FUNCTION",
    "MAPPING",
    "NONE",
    "SECONDS",
    "SECONDS_ABOVE_0",
    "SIZES",
    "TEXT",
    "ConfigOptions",
    "Kind",
    "check",
    "check_keys",
    "check_kinds",
    "did_you_mean",
    "one_of",
    "pool_sizes",
    "resolve_aliases",
    "time_limit",
)


# Kinds of values ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kind:
    """What an option takes; ``|`` joins two.

    Attributes:
        wanted: In words.
        fits: Whether a value is one.
        shown: A number that does not fit may be shown.
    """

    wanted: str
    fits: Callable[[Any], bool]
    shown: bool = False

    def __or__(self, other: Kind) -> Kind:
        return Kind(
            f"{self.wanted}, or {other.wanted}",
            lambda value: self.fits(value) or other.fits(value),
            self.shown or other.shown,
        )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)


def one_of(*words: str) -> Kind:
    """One of a few words."""
    return Kind(f"one of {', '.join(map(repr, words))}", lambda value: isinstance(value, str) and value in words)


TEXT = Kind("a text", _is_text)
NONE = Kind("None", lambda value: value is None)
FLAG = Kind("True or False", lambda value: isinstance(value, bool))
COUNT = Kind(
    "a whole number, 0 or more",
    lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31,
    shown=True,
)
SECONDS = Kind(
    "a number of seconds, 0 or more",
    lambda value: _is_number(value) and 0 <= value < math.inf,
    shown=True,
)
SECONDS_ABOVE_0 = Kind("a number of seconds above 0", lambda value: _is_number(value) and value > 0, shown=True)
MAPPING = Kind("a mapping with texts as keys", lambda value: _is_mapping(value) and all(map(_is_text, value)))
FUNCTION = Kind("a function", callable)
CLASS = Kind("a class", lambda value: isinstance(value, type))

SIZES = {"min_size": COUNT, "max_size": COUNT}


def check(value: object, kind: Kind, name: str) -> None:
    """Refuse a value that is not of a kind.

    Raises:
        ImproperConfigurationError: Naming the option, what is wanted and what was given.
    """
    if not kind.fits(value):
        message = f"{name} is {kind.wanted}; not {_described(value, kind)}."
        raise ImproperConfigurationError(message)


def _described(value: object, kind: Kind) -> str:
    if kind.shown and isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str) and scheme_of(value):
        return f"a URL with the scheme {scheme_of(value)!r}"
    return f"a value of type {type(value).__name__}"


def check_kinds(given: Mapping[str, Any], kinds: Mapping[str, Kind], where: str) -> None:
    """Check each value whose kind is known."""
    for key, value in given.items():
        if key in kinds:
            check(value, kinds[key], f"{key!r} in {where}")


def time_limit(value: Any, name: str) -> float | None:
    """Seconds that something may take; None for no limit, which what no clock can wait for is, too."""
    check(value, SECONDS_ABOVE_0 | NONE, name)
    return None if value is None or value > threading.TIMEOUT_MAX else value


# Keys -----------------------------------------------------------------------------------------------------------------


class ConfigOptions(TypedDict, total=False):
    """What every config takes beside ``pool_config``; meanings and defaults are in ``AsyncDatabaseConfig``."""

    extension_config: Mapping[str, Mapping[str, Any]] | None
    migration_config: Mapping[str, Any] | None
    driver_features: Mapping[str, Any] | None
    acquire_timeout: float | None
    max_lifetime: float | None
    leak_threshold: float | None
    pooler: str | None
    statement_timeout: float | None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``" Did you mean 'x'?"``, or nothing."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def check_keys(given: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Refuse a key that nobody reads.

    Raises:
        ImproperConfigurationError: Naming the key, the nearest known one, and all that are known.
    """
    for key in given:
        if key not in known:
            message = (
                f"Unknown key {key!r} in {where}.{did_you_mean(key, known)} "
                f"Known keys: {', '.join(sorted(known)) or 'none'}."
            )
            raise ImproperConfigurationError(message)


def resolve_aliases(given: Mapping[str, Any], aliases: Mapping[str, str], where: str) -> dict[str, Any]:
    """Put each alias under the driver's own name.

    Raises:
        ImproperConfigurationError: An alias stands together with what it is an alias of.
    """
    resolved: dict[str, Any] = {}
    written: dict[str, str] = {}
    for key, value in given.items():
        name = aliases.get(key, key)
        if name in resolved:
            message = f"{where} has {written[name]!r} and {key!r}, which mean the same. Keep one of them."
            raise ImproperConfigurationError(message)
        resolved[name] = value
        written[name] = key
    return resolved


def pool_sizes(options: Mapping[str, Any], where: str, default_max: int = 10) -> tuple[int, int]:
    """``min_size`` (default: 1, or ``max_size`` if that is less) and ``max_size``, both whole numbers."""
    largest: int = options.get("max_size", default_max)
    least: int = options.get("min_size", min(1, largest))
    if not (least <= largest and largest >= 1):
        message = (
            f"{where} needs whole numbers 0 <= min_size <= max_size and max_size >= 1, not {least!r}, {largest!r}."
        )
        raise ImproperConfigurationError(message)
    return least, largest
