"""The registry: configs by name, their sessions and their pools.

It takes a config or its name wherever one is asked for, and keeps no state but the list of configs: pools belong to
configs. It imports no shell: a program with sync configs only never loads asyncio through it.
"""

from __future__ import annotations

import threading
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from sqlspec.core.options import did_you_mean
from sqlspec.exceptions import ImproperConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from types import TracebackType

    from sqlspec._async.config import AsyncDatabaseConfig
    from sqlspec._async.driver import AsyncDriverAdapterBase
    from sqlspec._sync.config import SyncDatabaseConfig
    from sqlspec._sync.driver import SyncDriverAdapterBase

    Config = AsyncDatabaseConfig[Any, Any, Any] | SyncDatabaseConfig[Any, Any, Any]

    class SessionByName(
        AbstractAsyncContextManager[AsyncDriverAdapterBase], AbstractContextManager[SyncDriverAdapterBase]
    ):
        """``async with`` or ``with``, as the config behind the name wants it."""

    class ConnectionByName(AbstractAsyncContextManager[Any], AbstractContextManager[Any]):
        """``async with`` or ``with``, as the config behind the name wants it."""


__all__ = ("SQLSpec",)

ConfigT = TypeVar("ConfigT", bound="Config")
ConnectionT = TypeVar("ConnectionT")
PoolT = TypeVar("PoolT")
AsyncDriverT = TypeVar("AsyncDriverT", bound="AsyncDriverAdapterBase")
SyncDriverT = TypeVar("SyncDriverT", bound="SyncDriverAdapterBase")


class SQLSpec:
    """The databases of one program. ``async with SQLSpec()`` and ``with SQLSpec()`` close the pools at their end."""

    def __init__(self) -> None:
        self._configs: list[Config] = []
        self._lock = threading.Lock()
        self._listeners: list[Callable[[Config], None]] = []

    # Configs

    def add_config(self, config: ConfigT, *, name: str | None = None) -> ConfigT:
        """Register a config, and return it.

        Args:
            config: A config of any adapter.
            name: By which it can be asked for; None for a config that is asked for by itself.

        Raises:
            ImproperConfigurationError: It is registered already, or the name is taken.
        """
        with self._lock:
            for other in self._configs:
                if other is config:
                    message = (
                        f"{config!r} is registered already: add it once, and make another config for another name."
                    )
                    raise ImproperConfigurationError(message)
                if name is not None and other.name == name:
                    message = f"The name {name!r} is taken by {other!r}. Give each config a name of its own."
                    raise ImproperConfigurationError(message)
            previous = config.name
            if previous is not None and name not in (None, previous):
                message = f"{config!r} is named {previous!r} in another registry. Make another config for another name."
                raise ImproperConfigurationError(message)
            config.name = name or previous
            try:
                for listener in self._listeners:
                    listener(config)
            except BaseException:
                config.name = previous
                raise
            self._configs.append(config)
        return config

    @property
    def configs(self) -> tuple[Config, ...]:
        """All configs, in the order of their registration."""
        return tuple(self._configs)

    def on_add(self, listener: Callable[[Config], None]) -> None:
        """Call ``listener`` with every config that is registered from now on; it may refuse by raising."""
        self._listeners.append(listener)

    def get_config(self, config: Config | str) -> Config:
        """The config that is meant by itself or by its name.

        Raises:
            ImproperConfigurationError: It is not registered.
        """
        for known in self._configs:
            if known is config or (isinstance(config, str) and known.name == config):
                return known
        if not isinstance(config, str):
            message = f"{config!r} is not registered: call add_config(config) first."
            raise ImproperConfigurationError(message)
        names = [known.name for known in self._configs if known.name]
        message = f"No config is named {config!r}.{did_you_mean(config, names)} Names: {', '.join(names) or 'none'}."
        raise ImproperConfigurationError(message)

    # Sessions and connections

    @overload
    def provide_session(
        self, config: AsyncDatabaseConfig[Any, Any, AsyncDriverT], *, hold: bool = True
    ) -> AbstractAsyncContextManager[AsyncDriverT]: ...
    @overload
    def provide_session(
        self, config: SyncDatabaseConfig[Any, Any, SyncDriverT], *, hold: bool = True
    ) -> AbstractContextManager[SyncDriverT]: ...
    @overload
    def provide_session(self, config: str, *, hold: bool = True) -> SessionByName: ...
    def provide_session(self, config: Any, *, hold: bool = True) -> Any:
        """A session, as a context manager: ``async with`` for async configs, ``with`` for sync ones.

        It acquires a connection on its first statement. What is left uncommitted at its end is rolled back.

        Args:
            config: A registered config, or its name.
            hold: Keep the connection until the end; False borrows one per statement (sockets, long loops).

        Raises:
            ImproperConfigurationError: The config is not registered.
        """
        return self.get_config(config).provide_session(hold=hold)

    @overload
    def provide_connection(
        self, config: AsyncDatabaseConfig[ConnectionT, Any, Any]
    ) -> AbstractAsyncContextManager[ConnectionT]: ...
    @overload
    def provide_connection(
        self, config: SyncDatabaseConfig[ConnectionT, Any, Any]
    ) -> AbstractContextManager[ConnectionT]: ...
    @overload
    def provide_connection(self, config: str) -> ConnectionByName: ...
    def provide_connection(self, config: Any) -> Any:
        """The driver's own connection, as a context manager. What is left uncommitted at its end is rolled back.

        Args:
            config: A registered config, or its name.

        Raises:
            ImproperConfigurationError: The config is not registered.
        """
        return self.get_config(config).provide_connection()

    # Pools

    @overload
    def get_pool(self, config: AsyncDatabaseConfig[Any, PoolT, Any] | SyncDatabaseConfig[Any, PoolT, Any]) -> PoolT: ...
    @overload
    def get_pool(self, config: str) -> Any: ...
    def get_pool(self, config: Any) -> Any:
        """The driver's own pool object, or ours where the driver has none. It may not be open yet.

        Raises:
            ImproperConfigurationError: The config is not registered, or is async and no event loop runs.
        """
        found = self.get_config(config)
        try:
            return found.connections.pool
        except RuntimeError as error:
            message = f"A pool of {found!r} belongs to an event loop, and none is running: call get_pool() in one."
            raise ImproperConfigurationError(message) from error

    async def close_pool(self, config: Config | str) -> None:
        """Close the pool of one config in the running loop. Repeatable; the next use opens a new one."""
        closing = self.get_config(config).close()
        if closing is not None:
            await closing

    async def close_all_pools(self) -> None:
        """Close all pools of the running loop, and the sync ones. Errors are raised together, after all were tried."""
        errors: list[Exception] = []
        for config in self.configs:
            try:
                await self.close_pool(config)
            except Exception as error:  # noqa: BLE001 (raised below)
                errors.append(error)
        _raise_together(errors)

    def close_all_sync_pools(self) -> None:
        """Close the pools of sync configs. Errors are raised together, after all were tried."""
        errors: list[Exception] = []
        for config in self.configs:
            if not iscoroutinefunction(config.close):
                try:
                    config.close()
                except Exception as error:  # noqa: BLE001 (raised below)
                    errors.append(error)
        _raise_together(errors)

    async def __aenter__(self) -> SQLSpec:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        try:
            await self.close_all_pools()
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"Closing the pools failed too: {failure}")

    def __enter__(self) -> SQLSpec:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> Literal[False]:
        try:
            self.close_all_sync_pools()
        except Exception as failure:
            if error is None:
                raise
            error.add_note(f"Closing the pools failed too: {failure}")
        return False

    def __repr__(self) -> str:
        return f"<SQLSpec {list(self._configs)!r}>"


def _raise_together(errors: list[Exception]) -> None:
    if len(errors) == 1:
        raise errors[0]
    if errors:
        message = "closing pools failed"
        raise ExceptionGroup(message, errors)
