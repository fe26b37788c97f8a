"""Keys and options that users write: known ones, aliases, spelling mistakes. Pure."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from sqlspec.exceptions import ImproperConfigurationError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = (
    "ConfigOptions",
    "check_keys",
    "did_you_mean",
    "pool_sizes",
    "positive",
    "redact",
    "resolve_aliases",
    "url_secrets",
)


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


def positive(value: object, name: str) -> float | None:
    """A number of seconds above zero, or None for no limit. What is neither may come from an environment variable."""
    if value is None or (isinstance(value, (int, float)) and value > 0):
        return value
    message = f"{name} is a number of seconds above 0, or None; not {value!r}."
    raise ImproperConfigurationError(message)


def pool_sizes(options: Mapping[str, Any], where: str, default_max: int = 10) -> tuple[int, int]:
    """``min_size`` (default: 1, or ``max_size`` if that is less) and ``max_size``."""
    largest = options.get("max_size", default_max)
    least = options.get("min_size", min(1, largest) if isinstance(largest, int) else 1)
    if not (isinstance(least, int) and isinstance(largest, int) and 0 <= least <= largest and largest >= 1):
        message = (
            f"{where} needs whole numbers 0 <= min_size <= max_size and max_size >= 1, not {least!r}, {largest!r}."
        )
        raise ImproperConfigurationError(message)
    return least, largest


# Passwords ------------------------------------------------------------------------------------------------------------


def url_secrets(url: str) -> tuple[str, ...]:
    """The passwords in a URL: behind the user's name and among its options, quoted and unquoted."""
    parts = urlsplit(url)
    options = [value for key, value in parse_qsl(parts.query) if "password" in key]
    return tuple(secret for found in (parts.password, *options) if found for secret in (found, unquote(found)))


def redact(text: str, secrets: Iterable[str | None]) -> str:
    """The text with every secret replaced, plain and URL-quoted."""
    for secret in secrets:
        if secret:
            for form in (secret, quote(secret, safe="")):
                text = text.replace(form, "***")
    return text
