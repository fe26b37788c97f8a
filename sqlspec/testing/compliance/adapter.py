"""What an adapter declares to the suite, and the database that a test gets for it.

ADAPTER = Adapter(
"toy",
config=load_toy_config,             # gives the config class
database=empty_toy_database,        # context manager: pool_config of an empty database
types={"uuid": "TEXT", ...},        # how columns are declared: KINDS
sql={"slow": "SELECT ...", ...},    # how this database says what no two say alike: PHRASES
can=frozenset({"returning", ...}),  # CAPABILITIES
)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec._async.config import AsyncDatabaseConfig
from sqlspec.testing.compliance.bridge import AwaitableScope
from sqlspec.testing.compliance.capabilities import CAPABILITIES

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from pathlib import Path

    from sqlspec.driver import AsyncDriverAdapterBase
    from sqlspec.registry import Config

__all__ = ("BREAKS", "KINDS", "PHRASES", "Adapter", "Database", "where")

KINDS = {
    "key": "a primary key of whole numbers that the database counts up",
    "bigint": "64-bit integers",
    "float": "64-bit floats",
    "bool": "bool",
    "decimal": "Decimal with 20 digits before and 10 behind the point, exactly",
    "text": "str of any length",
    "name": "str of up to 100 characters, fit for UNIQUE and PRIMARY KEY",
    "bytes": "bytes of any length",
    "uuid": "UUID",
    "date": "date",
    "time": "time without a zone, with microseconds",
    "naive": "datetime without a zone, with microseconds",
    "aware": "datetime with a zone, with microseconds",
    "timedelta": "timedelta of more than a year, with microseconds",
    "json": "JSON: dicts and lists",
}
"""The kinds of columns that an adapter declares SQL types for: the database's own type, or one that holds its text."""

PHRASES = {
    "slow": "a statement that runs for 20 seconds and more",
    "connection": "a query for a number that tells this connection from others",
    "kill": "ends the connection with the number `:id` (capability `kill`)",
    "lock_timeout": "waits 50 ms for locks from now on (capability `lock_timeout`, where no key of the config does it)",
    "fails_at_5": "an expression over the column `id` that can't be computed where that is 5",
    "text_of": "an expression: the text `sec` and the text `ret` joined",
}
"""What no two databases say alike."""


BREAKS = {
    "down": "nobody listens there, or there is no such folder",
    "database": "the server has no such database",
    "password": "the password is `wrong-geheim`",
    "tls": "TLS is demanded, and the server has none",
}
"""Ways to a database that can't be taken."""


@dataclass(frozen=True)
class Adapter:
    """One adapter and what it can do.

    Attributes:
        name: Shown in the names of tests and in the table.
        config: Gives the config class; called when the first test wants it.
        database: Makes an empty database until the end of the block (in the given folder, or on a server), and gives
            the ``pool_config`` that leads to it.
        types: SQL types by kind of value, see ``KINDS``.
        sql: Phrases, see ``PHRASES``.
        can: Capabilities, see ``CAPABILITIES``.
        options: Further arguments of the config.
        broken: From a ``pool_config`` that works to the keys that make it lead nowhere, see ``BREAKS``.
        lock_options: Keys of ``pool_config`` that make it wait 50 ms for locks, where there are such.
        cannot: Why a capability is not declared that one would expect, by capability: shown in the docs.
    """

    name: str
    config: Callable[[], Callable[..., Config]]
    database: Callable[[Path], AbstractContextManager[dict[str, Any]]]
    types: Mapping[str, str]
    sql: Mapping[str, str]
    can: frozenset[str]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    broken: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = field(
        default_factory=dict[str, Callable[[dict[str, Any]], dict[str, Any]]]
    )
    lock_options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cannot: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        """A misspelt capability would leave out tests in silence, and one that is excused must not be declared."""
        for both in self.can & set(self.cannot):
            message = f"{self.name} declares the capability {both!r}, and tells why it does not."
            raise ValueError(message)
        for wrong in (self.can | set(self.cannot)) - set(CAPABILITIES):
            message = f"{self.name} declares the capability {wrong!r}, which nobody knows."
            raise ValueError(message)
        for missing in set(KINDS) - set(self.types):
            message = f"{self.name} declares no SQL type for the kind {missing!r}: {KINDS[missing]}."
            raise ValueError(message)

    def fits(self, wanted: tuple[str, ...]) -> bool:
        """Whether it declares these capabilities; ``-name`` asks for its absence."""
        return all(name[1:] not in self.can if name.startswith("-") else name in self.can for name in wanted)

    def __str__(self) -> str:
        return self.name


def where(*capabilities: str) -> pytest.MarkDecorator:
    """Run a test on the adapters that declare all of these capabilities; ``-name`` asks for its absence."""
    for name in capabilities:
        assert name.removeprefix("-") in CAPABILITIES, name
    return pytest.mark.sqlspec_where(*capabilities)


class Database:
    """One database of one test, reached by one adapter.

    Args:
        adapter: How it is reached.
        pool_config: Where it is.
    """

    def __init__(self, adapter: Adapter, pool_config: dict[str, Any]) -> None:
        self.adapter = adapter
        self.pool_config = pool_config
        self._configs: list[Config] = []
        self.config = self.new_config()

    def new_config(self, pool_config: Mapping[str, Any] | None = None, **options: Any) -> Config:
        """Another config for the same database; closed with it."""
        make = self.adapter.config()
        config = make(pool_config={**self.pool_config, **(pool_config or {})}, **{**self.adapter.options, **options})
        self._configs.append(config)
        return config

    def session(
        self, config: Config | None = None, *, hold: bool = True
    ) -> AbstractAsyncContextManager[AsyncDriverAdapterBase]:
        """A session, to be used as an async one whatever the adapter's colour."""
        return self.scope((config or self.config).provide_session(hold=hold))

    def scope(self, scope: Any) -> AbstractAsyncContextManager[AsyncDriverAdapterBase]:
        """What ``provide_session()`` gave, to be used as an async one whatever the adapter's colour."""
        return scope if hasattr(scope, "__aenter__") else AwaitableScope(scope)

    @property
    def is_async(self) -> bool:
        """Whether the adapter is."""
        return isinstance(self.config, AsyncDatabaseConfig)

    @property
    def dialect(self) -> str:
        """The name of its dialect."""
        return self.config.wire.dialect.name

    def can(self, *capabilities: str) -> bool:
        """Whether the adapter declares these capabilities."""
        return self.adapter.fits(capabilities)

    def broken_config(self, fault: str) -> Config:
        """A config that leads nowhere."""
        return self.new_config(self.adapter.broken[fault](self.pool_config))

    def type_of(self, kind: str) -> str:
        """How a column for such values is declared."""
        return self.adapter.types[kind]

    def phrase(self, name: str) -> str:
        """How this database says it."""
        return self.adapter.sql[name]

    async def run(self, *statements: str) -> None:
        """Run statements in a session of their own."""
        async with self.session() as db:
            for statement in statements:
                await db.execute(statement)

    async def value(self, statement: str, *parameters: Any) -> Any:
        """What another session sees."""
        async with self.session() as db:
            return await db.select_value(statement, *parameters)

    async def kill(self, number: Any) -> None:
        """End another session's connection, from a session of its own."""
        async with self.session() as db:
            await db.execute(self.phrase("kill"), {"id": number})

    async def close(self) -> None:
        """Close every pool."""
        for config in self._configs:
            if isinstance(config, AsyncDatabaseConfig):
                await config.close()
            else:
                config.close()
