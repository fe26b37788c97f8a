"""GENERATED from sqlspec/_async/config.py by tools/unasync.py: do not edit. The life of a config: what the user wrote, the plans of its statements, and a pool in every home that uses it.

A config is compared by identity, and may be shared between threads and event loops: each running loop gets a pool of
its own, a forked process gets new ones. The adapter says what its driver's pool is and how to take and give; the
framework sections of ``extension_config`` belong to the plugins, which read them.
"""

from __future__ import annotations

import os
import threading
import warnings
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from sqlspec._sync.connection import SyncConnections
from sqlspec._sync.driver import SyncDriverAdapterBase
from sqlspec._sync.session import CLOSED
from sqlspec.concurrency import sync_home, sync_home_is_gone
from sqlspec.core.options import (
    MAPPING,
    NONE,
    SIZES,
    TEXT,
    Kind,
    check,
    check_keys,
    check_kinds,
    pool_sizes,
    resolve_aliases,
    time_limit,
)
from sqlspec.core.plan import PlanCache
from sqlspec.core.urls import redact
from sqlspec.exceptions import ImproperConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from sqlspec._sync.wire import SyncWire
    from sqlspec.core.facts import BeginOptions
    from sqlspec.core.observe import Observer

__all__ = ("SyncConnectionScope", "SyncDatabaseConfig", "SyncSessionScope")

ConnectionT = TypeVar("ConnectionT")
PoolT = TypeVar("PoolT")
DriverT_co = TypeVar("DriverT_co", bound=SyncDriverAdapterBase, covariant=True)

COLLECTED = (
    "the generator that provided it was closed, or garbage-collected because nobody kept it. Keep the generator as "
    "long as the session, or enter provide_session(config) where the session is used"
)

_abandoned: list[SyncConnections] = []  # of a parent process: kept, so that nothing closes what the parent uses


class SyncDatabaseConfig(ABC, Generic[ConnectionT, PoolT, DriverT_co]):
    """One database, as one driver reaches it.

    Args:
        pool_config: Keys of the driver and its pool, and the aliases ``dsn``, ``min_size``, ``max_size``, ``database``.
        extension_config: Options by framework: ``{"starlette": {...}}``.
        migration_config: Options of the migrations.
        driver_features: Switches of this adapter; its page lists them.
        acquire_timeout: Seconds to wait for a free connection; None waits for ever.
        max_lifetime: Seconds after which a connection is replaced when it comes back; None for never.
        leak_threshold: Seconds after which a connection that was held so long is logged; None for never.
        pooler: ``"transaction"`` behind PgBouncer and the like in transaction mode, else None.
        statement_timeout: Seconds that a statement may take unless ``timeout=`` says otherwise; None for no limit.

    Raises:
        ImproperConfigurationError: An unknown key, an alias beside its original, a value that can't be.
    """

    adapter: ClassVar[str]
    driver_type: type[DriverT_co]
    pool_keys: ClassVar[frozenset[str]]
    pool_aliases: ClassVar[Mapping[str, str]] = {}
    pool_kinds: ClassVar[Mapping[str, Kind]] = {}
    feature_keys: ClassVar[frozenset[str]] = frozenset()
    feature_kinds: ClassVar[Mapping[str, Kind]] = {}
    poolers: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self,
        *,
        pool_config: Mapping[str, Any] | None = None,
        extension_config: Mapping[str, Mapping[str, Any]] | None = None,
        migration_config: Mapping[str, Any] | None = None,
        driver_features: Mapping[str, Any] | None = None,
        acquire_timeout: float | None = 30.0,
        max_lifetime: float | None = None,
        leak_threshold: float | None = None,
        pooler: str | None = None,
        statement_timeout: float | None = None,
    ) -> None:
        name = type(self).__name__
        self.pool_config = self._checked_pool_config(pool_config, f"pool_config of {name}")
        self.min_size, self.max_size = pool_sizes(self.pool_config, f"pool_config of {name}")
        self.driver_features = _options(driver_features, f"driver_features of {name}")
        check_keys(self.driver_features, self.feature_keys, f"driver_features of {name}")
        check_kinds(self.driver_features, self.feature_kinds, f"driver_features of {name}")
        self.extension_config = _sections(extension_config, name)
        self.migration_config = _options(migration_config, f"migration_config of {name}")
        self.acquire_timeout = time_limit(acquire_timeout, "acquire_timeout")
        self.max_lifetime = time_limit(max_lifetime, "max_lifetime")
        self.leak_threshold = time_limit(leak_threshold, "leak_threshold")
        self.statement_timeout = time_limit(statement_timeout, "statement_timeout")
        check(pooler, TEXT | NONE, "pooler")
        if pooler is not None and pooler not in self.poolers:
            known = ", ".join(repr(name) for name in sorted(self.poolers)) or "no pooler"
            message = f"pooler={pooler!r} is not known to {name}, which knows {known}."
            raise ImproperConfigurationError(message)
        self.pooler = pooler
        self.name: str | None = None
        self.observers: list[Observer] = []
        self.wire = self.make_wire()
        if self.statement_timeout is not None and not self.wire.stops_statements:
            message = f"statement_timeout can't be kept: the driver of {name} can't stop a statement here."
            raise ImproperConfigurationError(message)
        self.plans = PlanCache(self.wire.dialect, self.wire.style)
        self._pools: dict[Any, SyncConnections] = {}
        self._pools_lock = threading.Lock()

    def _checked_pool_config(self, given: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
        options = _options(given, where)
        check_keys(options, self.pool_keys | set(self.pool_aliases), where)
        kinds = {**SIZES, **self.pool_kinds}
        aliased = {alias: kinds[name] for alias, name in self.pool_aliases.items() if name in kinds}
        check_kinds(options, {**aliased, **kinds}, where)
        return resolve_aliases(options, self.pool_aliases, where)

    # What an adapter says about its pool

    @property
    @abstractmethod
    def target(self) -> str:
        """Where the database is, fit to be shown: never with a password."""

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """What must appear in no message."""
        return ()

    @abstractmethod
    def make_wire(self) -> SyncWire[ConnectionT]:
        """The primitives, as this config's options want them."""

    @abstractmethod
    def make_pool(self) -> PoolT:
        """The pool object, not opened: no I/O."""

    @abstractmethod
    def open_pool(self, pool: PoolT) -> None:
        """Open exactly ``min_size`` connections."""

    def is_connecting(self, pool: PoolT) -> bool:
        """Whether attempts to connect are under way: then a time-out while taking is the database's, not the pool's."""
        return False

    def renew_pool(self, pool: PoolT) -> PoolT:
        """After opening failed or was cancelled: the pool to try again with. No I/O."""
        return pool

    @abstractmethod
    def close_pool(self, pool: PoolT) -> None:
        """Close every connection."""

    @abstractmethod
    def take(self, pool: PoolT, timeout: float | None) -> ConnectionT:
        """A connection for one user. TimeoutError if none became free in time."""

    @abstractmethod
    def give(self, pool: PoolT, connection: ConnectionT) -> None:
        """Take back a connection without an open transaction, and reset what else a session can set.

        Whatever happens meanwhile, cancellation too: the connection goes back or is closed, without further help.
        """

    @abstractmethod
    def discard(self, pool: PoolT, connection: ConnectionT) -> None:
        """Close a connection that is not to be used again, and free its place."""

    # Sessions

    def create_session(
        self,
        *,
        hold: bool = True,
        implicit: BeginOptions | None = None,
        blocks_commit: bool = False,
        kind: type[Any] | None = None,
    ) -> DriverT_co:
        """A new session; it acquires a connection on its first statement.

        Args:
            hold: Keep the connection until the session ends; else borrow one per statement.
            implicit: Begin a transaction like this before every statement that has none (web requests).
            blocks_commit: The outermost ``transaction()`` block commits what was begun by itself.
            kind: A subclass of ``driver_type`` to make it of.
        """
        made: DriverT_co = (kind or self.driver_type)(self, hold=hold, implicit=implicit, blocks_commit=blocks_commit)
        return made

    def provide_session(self, *, hold: bool = True) -> SyncSessionScope[DriverT_co]:
        """A context manager of a new session."""
        return SyncSessionScope(self, hold)

    def provide_connection(self) -> SyncConnectionScope[ConnectionT]:
        """A context manager of the driver's own connection; what is left open is rolled back."""
        return SyncConnectionScope(self)

    # Pools

    @property
    def connections(self) -> SyncConnections:
        """The pool of the running home, made on first use."""
        home = sync_home()
        connections = self._pools.get(home)
        if connections is None or connections.closed or connections.process != os.getpid():
            connections = self._new_connections(home)
        return connections

    def _new_connections(self, home: Any) -> SyncConnections:
        with self._pools_lock:
            self._drop_strangers()
            connections = self._pools.get(home)
            if connections is None or connections.closed:
                connections = self._pools[home] = SyncConnections(self, home)
            return connections

    def _drop_strangers(self) -> None:
        """Let go of pools that can't be closed from here: of a parent process, of closed loops."""
        for home, connections in list(self._pools.items()):
            if connections.process != os.getpid():
                _abandoned.append(self._pools.pop(home))
            elif sync_home_is_gone(home):
                dropped = self._pools.pop(home)
                if not dropped.closed:
                    dropped.abandon()
                    message = f"A pool of {self!r} was left open when its event loop closed. Call close_pool() before."
                    warnings.warn(message, ResourceWarning, stacklevel=2)

    @property
    def is_open(self) -> bool:
        """Whether the running home has a pool."""
        connections = self._pools.get(sync_home())
        return connections is not None and not connections.closed and connections.process == os.getpid()

    def open(self) -> None:
        """Open the pool of the running home."""
        self.connections.open()

    def close(self) -> None:
        """Close the pool of the running home. Repeatable; the next use opens a new one."""
        with self._pools_lock:
            self._drop_strangers()
            connections = self._pools.pop(sync_home(), None)
        if connections is not None:
            connections.close()
        if not self._pools:
            self.forget()

    def forget(self) -> None:
        """Called when the last pool was closed: an adapter drops what all its pools shared."""

    # What may be shown

    def redact(self, text: str) -> str:
        """The text without this config's secrets."""
        return redact(text, self.secrets)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.target}>"


def _options(given: Mapping[str, Any] | None, where: str) -> dict[str, Any]:
    """A copy."""
    check(given, MAPPING | NONE, where)
    return dict(given or {})


def _sections(given: Mapping[str, Mapping[str, Any]] | None, name: str) -> dict[str, dict[str, Any]]:
    sections = _options(given, f"extension_config of {name}")
    for key, section in sections.items():
        check(section, MAPPING, f"extension_config[{key!r}] of {name}")
    return {key: dict(section) for key, section in sections.items()}


def _open_already(method: str) -> ImproperConfigurationError:
    return ImproperConfigurationError(
        f"What {method}() gave is entered already, here or in another task. Call {method}() for each use."
    )


class SyncSessionScope(Generic[DriverT_co]):
    """A session from ``with`` to its end. It may be entered again after that."""

    __slots__ = ("_config", "_entered", "_hold", "_session")

    def __init__(self, config: SyncDatabaseConfig[Any, Any, DriverT_co], hold: bool) -> None:
        self._config = config
        self._hold = hold
        self._entered = False

    def __enter__(self) -> DriverT_co:
        if self._entered:
            raise _open_already("provide_session")
        self._entered = True
        self._session = self._config.create_session(hold=self._hold)
        return self._session

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        session = self._session
        self._entered = False
        session.close(COLLECTED if kind is GeneratorExit else CLOSED)


class SyncConnectionScope(Generic[ConnectionT]):
    """A driver's connection from ``with`` to its end. It may be entered again after that."""

    __slots__ = ("_checkout", "_config", "_connections", "_entered")

    def __init__(self, config: SyncDatabaseConfig[ConnectionT, Any, Any]) -> None:
        self._config = config
        self._entered = False

    def __enter__(self) -> ConnectionT:
        if self._entered:
            raise _open_already("provide_connection")
        self._entered = True
        try:
            self._connections = self._config.connections
            self._checkout = self._connections.acquire()
        except BaseException:
            self._entered = False
            raise
        connection: ConnectionT = self._checkout.connection
        return connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        connections, checkout = self._connections, self._checkout
        self._entered = False
        if error is None or isinstance(error, Exception):
            connections.release(checkout)
        else:
            connections.abandon_checkout(checkout)
