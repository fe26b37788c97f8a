"""Under which keys a request's sessions and connections, and the app's pools, are found. Pure.

A key that a user wrote is taken as it stands. One that was left out gets the documented default if that is free, else
one made of the config's name or of its session key, so that it never collides: neither with another config's, nor with
one of another plugin that serves the same request. (Session keys of two plugins do: neither would be what is meant.)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain, count
from types import MappingProxyType
from typing import TYPE_CHECKING

from sqlspec.core.options import did_you_mean
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.extensions.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlspec.extensions.outcome import WebOptions
    from sqlspec.registry import Config

__all__ = ("Database", "KeyTable", "assign_keys")

_NOTHING: Mapping[str, Config] = MappingProxyType({})


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
    def state_keys(self) -> tuple[str, str]:
        """Those in ``request.state``; the pool is in ``app.state``."""
        return self.session_key, self.connection_key

    @property
    def gives_way(self) -> bool:
        """Whether the connection key was left out, so that another may take its place."""
        return self.options.connection_key is None or self.options.is_connection_key_assigned

    @property
    def claims(self) -> tuple[str, ...]:
        """Keys in ``request.state`` that stay what they are."""
        return self.state_keys[:1] if self.gives_way else self.state_keys

    @property
    def label(self) -> str:
        """How messages call it."""
        return self.config.name or self.session_key

    def fixed(self) -> tuple[Config, WebOptions]:
        """This config with its keys as if they had been written, so that a later one can't take them."""
        return self.config, replace(
            self.options,
            session_key=self.session_key,
            connection_key=self.connection_key,
            pool_key=self.pool_key,
            is_connection_key_assigned=self.gives_way,
        )

    def avoiding(self, taken: Mapping[str, object], occupied: Counter[str]) -> Database:
        """This database with another connection key if its own is taken."""
        if self.connection_key not in taken:
            return self
        return replace(self, connection_key=_connection_key(self.session_key, occupied))


def _duplicate(keys: Iterable[str], advice: str) -> ImproperConfigurationError:
    message = f"Duplicate state keys found: {', '.join(map(repr, sorted(keys)))}. {advice}"
    return ImproperConfigurationError(message)


def _named(configs: Iterable[Config]) -> str:
    return ", ".join(dict.fromkeys(map(repr, configs)))


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
            options.connection_key or _connection_key(session_key, taken),
            options.pool_key or _free("db_pool", f"{session_key}_pool", taken),
        )
        for (config, options), session_key in zip(wanted, session_keys, strict=True)
    )


def _written(options: WebOptions) -> Iterable[str]:
    return (key for key in (options.session_key, options.connection_key, options.pool_key) if key is not None)


def _session_key(config: Config, taken: Counter[str]) -> str:
    name = None if config.name is None or config.name.startswith("_") else config.name
    key = (name or "db_session") if "db_session" in taken else "db_session"
    taken[key] += 1
    return key


def _connection_key(session_key: str, taken: Counter[str]) -> str:
    return _free("db_connection", f"{session_key}_connection", taken)


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
        outside: The keys in ``request.state`` that plugins around this one have taken, and their configs.
    """

    __slots__ = ("_places", "_taken", "databases")

    def __init__(self, databases: Sequence[Database], outside: Mapping[str, Config] = _NOTHING) -> None:
        self.databases = tuple(databases)
        places: dict[object, int] = {None: 0} if databases else {}
        for place, database in enumerate(databases):
            places |= dict.fromkeys((*database.keys, database.config), place)
        for place, database in enumerate(databases):
            places.setdefault(database.config.name, place)
        self._places = places
        self._taken = {**outside, **{key: database.config for database in databases for key in database.state_keys}}

    def find(self, key: object) -> int:
        """The place of a database among those that this table was made of.

        Raises:
            ImproperConfigurationError: No config is called so.
        """
        try:
            return self._places[key]
        except (KeyError, TypeError):  # what has no hash is no key
            known = [name for name in self._places if isinstance(name, str)]
            hint = did_you_mean(key, known) if isinstance(key, str) and len(key) < 100 else ""
            message = f"No configuration found for key: {shown(key)}.{hint} Known keys: {', '.join(known) or 'none'}."
            raise ImproperConfigurationError(message) from None

    def beside(self, outer: KeyTable) -> KeyTable:
        """This table in a request that another plugin serves as well, around this one: ``request.state`` is one.

        Connection keys that were left out give way to what is taken. Pools are in the states of two apps.

        Raises:
            ImproperConfigurationError: Both have put different things under one of the other keys.
        """
        taken = outer._taken
        claimed = {key: database.config for database in self.databases for key in database.claims}
        twice = claimed.keys() & taken.keys()
        if twice:
            theirs, ours = (_named(configs[key] for key in sorted(twice)) for configs in (taken, claimed))
            advice = f"Two plugins serve this request, for {theirs} and for {ours}. Give one of them other keys."
            raise _duplicate(twice, advice)
        occupied = Counter(chain(taken, *(database.keys for database in self.databases)))
        return KeyTable([database.avoiding(taken, occupied) for database in self.databases], taken)

    def check_state(self, state: Mapping[str, object] | None) -> None:
        """Refuse what the app's lifespan yields for ``request.state``, if sessions would hide it in every request.

        Raises:
            ImproperConfigurationError: They would.
        """
        twice = (state or {}).keys() & {key for database in self.databases for key in database.state_keys}
        if twice:
            advice = "The app's lifespan yields that too, and each request would hide it. Rename one of them."
            raise _duplicate(twice, advice)
