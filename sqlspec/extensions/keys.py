"""Under which keys a request's sessions and connections, and the app's pools, are found. Pure.

A key that a user wrote is taken as it stands. One that was left out gets the documented default if that is free, else
one made of the config's name or of its session key, so that it never collides.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import TYPE_CHECKING

from sqlspec.core.options import did_you_mean
from sqlspec.exceptions import ImproperConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlspec.extensions.outcome import WebOptions
    from sqlspec.registry import Config

__all__ = ("Database", "KeyTable", "assign_keys")


@dataclass(frozen=True, slots=True, eq=False)
class Database:
    """One config as a web plugin serves it."""

    config: Config
    options: WebOptions
    session_key: str
    connection_key: str
    pool_key: str

    @property
    def keys(self) -> tuple[str, str, str]:
        """All three."""
        return self.session_key, self.connection_key, self.pool_key

    @property
    def label(self) -> str:
        """How messages call it."""
        return self.config.name or self.session_key

    def fixed(self) -> tuple[Config, WebOptions]:
        """This config with its keys as if they had been written, so that a later one can't take them."""
        return self.config, replace(
            self.options, session_key=self.session_key, connection_key=self.connection_key, pool_key=self.pool_key
        )


def _duplicate(keys: Iterable[str], advice: str) -> ImproperConfigurationError:
    message = f"Duplicate state keys found: {', '.join(map(repr, sorted(keys)))}. {advice}"
    return ImproperConfigurationError(message)


def assign_keys(wanted: Sequence[tuple[Config, WebOptions]]) -> tuple[Database, ...]:
    """Give every config its three keys.

    Raises:
        ImproperConfigurationError: A key was given twice.
    """
    taken = Counter(key for _, options in wanted for key in _written(options))
    session_keys = [options.session_key or _session_key(config, taken) for config, options in wanted]
    twice = [key for key, times in taken.items() if times > 1]
    if twice:
        advice = (
            "Give each config a session_key, a connection_key and a pool_key of its own in extension_config, or a name "
            "in add_config()."
        )
        raise _duplicate(twice, advice)
    return tuple(
        Database(
            config,
            options,
            session_key,
            options.connection_key or _free("db_connection", f"{session_key}_connection", taken),
            options.pool_key or _free("db_pool", f"{session_key}_pool", taken),
        )
        for (config, options), session_key in zip(wanted, session_keys, strict=True)
    )


def _written(options: WebOptions) -> Iterable[str]:
    return (key for key in (options.session_key, options.connection_key, options.pool_key) if key is not None)


def _session_key(config: Config, taken: Counter[str]) -> str:
    key = config.name if "db_session" in taken and config.name else "db_session"
    taken[key] += 1
    return key


def _free(default: str, derived: str, taken: Counter[str]) -> str:
    candidates = chain((default, derived), (f"{derived}_{number}" for number in count(2)))
    key = next(candidate for candidate in candidates if candidate not in taken)
    taken[key] += 1
    return key


class KeyTable:
    """The databases of a plugin, found by what a user calls them.

    Keys of all three kinds are different from each other and come before names; a config finds itself.

    Args:
        databases: In the order of their registration; the first is meant by None.
    """

    __slots__ = ("_places", "databases")

    def __init__(self, databases: Sequence[Database]) -> None:
        self.databases = tuple(databases)
        places: dict[object, int] = {None: 0} if databases else {}
        for place, database in enumerate(databases):
            places |= dict.fromkeys((*database.keys, database.config), place)
        for place, database in enumerate(databases):
            places.setdefault(database.config.name, place)
        self._places = places

    def find(self, key: object) -> int:
        """The place of a database among those that this table was made of.

        Raises:
            ImproperConfigurationError: No config is called so.
        """
        try:
            return self._places[key]
        except KeyError:
            known = [name for name in self._places if isinstance(name, str)]
            hint = did_you_mean(key, known) if isinstance(key, str) else ""
            message = f"No configuration found for key: {key!r}.{hint} Known keys: {', '.join(known) or 'none'}."
            raise ImproperConfigurationError(message) from None

    def check_disjoint(self, other: KeyTable) -> None:
        """Refuse that two plugins of one request put different things under one key.

        Raises:
            ImproperConfigurationError: They would.
        """
        both = {key for database in self.databases for key in database.keys} & {
            key for database in other.databases for key in database.keys
        }
        if both:
            advice = (
                f"Two plugins serve this request, for {self._labels()} and for {other._labels()}. "
                "Give the configs of one of them other keys."
            )
            raise _duplicate(both, advice)

    def _labels(self) -> str:
        return ", ".join(repr(database.config) for database in self.databases)
