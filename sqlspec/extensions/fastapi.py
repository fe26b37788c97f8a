"""The plugin for FastAPI: Starlette's, and dependencies that hand out the sessions which its middleware decides about.

The dependencies only look up. They are no generators: FastAPI ends a ``yield`` dependency after the response was sent,
where a COMMIT can fail behind a 201.
"""

# No `from __future__ import annotations`: FastAPI reads the annotations of `Dependency.__call__` as objects.

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from inspect import isasyncgenfunction, iscoroutinefunction, unwrap
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.handle import AsyncConnectionHandle
from sqlspec.exceptions import ImproperConfigurationError, MissingDependencyError
from sqlspec.extensions import starlette

if find_spec("fastapi") is None:
    raise MissingDependencyError("fastapi", "fastapi")

from fastapi.requests import HTTPConnection

if TYPE_CHECKING:
    from sqlspec._async.config import AsyncDatabaseConfig
    from sqlspec._sync.config import SyncDatabaseConfig
    from sqlspec._sync.driver import SyncDriverAdapterBase
    from sqlspec._sync.handle import SyncConnectionHandle

    AsyncDriverT = TypeVar("AsyncDriverT", bound=AsyncDriverAdapterBase)
    SyncDriverT = TypeVar("SyncDriverT", bound=SyncDriverAdapterBase)

__all__ = ("Dependency", "SQLSpecPlugin")

T = TypeVar("T")


class Dependency(Generic[T]):
    """What ``Depends`` takes. Two of one plugin that mean the same config are equal, as overrides look them up.

    Args:
        find: The plugin's ``get_session`` or ``get_connection``.
        place: The place of a config among the plugin's, from the key.
        key: As for those getters.
    """

    def __init__(self, find: Callable[[HTTPConnection, Any], T], place: Callable[[Any], int], key: Any) -> None:
        self._find = find
        self._place = place
        self._key = key

    async def __call__(self, connection: HTTPConnection) -> T:
        """Look it up. Async, since FastAPI runs plain functions in a thread."""
        found = self._find(connection, self._key)
        if isinstance(found, (AsyncDriverAdapterBase, AsyncConnectionHandle)):
            self._refuse_plain_function(connection)
        return found

    def _refuse_plain_function(self, connection: HTTPConnection) -> None:
        """An endpoint that could not await what it gets is told so before it runs."""
        route = connection.scope.get("route")
        endpoint = getattr(route, "endpoint", None)
        if endpoint is None or _is_async(endpoint):
            return
        given: list[Any] = getattr(getattr(route, "dependant", None), "dependencies", [])
        if any(dependency.call == self and dependency.name for dependency in given):
            name = getattr(endpoint, "__name__", endpoint)
            message = (
                f"The endpoint {name} is a plain `def`, which runs in a thread, and its session is async: it could "
                "await nothing. Write `async def`, or use a sync config (SqliteConfig, PsycopgSyncConfig …)."
            )
            raise ImproperConfigurationError(message)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dependency):
            return NotImplemented
        return self._find == other._find and (self._key is other._key or self._meant() == other._meant())

    def __hash__(self) -> int:
        return hash(self._find)

    def _meant(self) -> object:
        """The place of the config; the key itself as long as no config is known by it."""
        try:
            return self._place(self._key)
        except ImproperConfigurationError:
            return self._key


class SQLSpecPlugin(starlette.SQLSpecPlugin):
    """Gives the requests of an app their sessions, and opens and closes the pools with the app.

    Options are read from ``extension_config["fastapi"]`` of each config, or else from its ``"starlette"``; see
    ``FastAPIConfig``. Arguments and methods are those of Starlette's plugin.
    """

    sections = ("fastapi", "starlette")

    @overload
    def provide_session(self, key: "AsyncDatabaseConfig[Any, Any, AsyncDriverT]") -> "Dependency[AsyncDriverT]": ...
    @overload
    def provide_session(self, key: "SyncDatabaseConfig[Any, Any, SyncDriverT]") -> "Dependency[SyncDriverT]": ...
    @overload
    def provide_session(self, key: str | None = None) -> "Dependency[Any]": ...
    def provide_session(self, key: Any = None) -> "Dependency[Any]":
        """A dependency that gives the session of the request or WebSocket: ``Depends(plugin.provide_session())``.

        Args:
            key: A session key, connection key, pool key, the config's name or the config; None for the first config.

        Raises:
            ImproperConfigurationError: In a request: no config has this key, or the plugin is not attached.
        """
        return Dependency(self.get_session, self._place, key)

    @overload
    def provide_connection(self, key: "AsyncDatabaseConfig[Any, Any, Any]") -> "Dependency[AsyncConnectionHandle]": ...
    @overload
    def provide_connection(self, key: "SyncDatabaseConfig[Any, Any, Any]") -> "Dependency[SyncConnectionHandle]": ...
    @overload
    def provide_connection(self, key: str | None = None) -> "Dependency[Any]": ...
    def provide_connection(self, key: Any = None) -> "Dependency[Any]":
        """A dependency that gives the connection of that session, as ``get_connection()`` does.

        Args:
            key: As for ``provide_session()``.

        Raises:
            ImproperConfigurationError: As ``provide_session()``.
        """
        return Dependency(self.get_connection, self._place, key)

    def _place(self, key: Any) -> int:
        return self._databases.table.find(key)


def _is_async(function: Any) -> bool:
    """Whether FastAPI awaits it. It looks through partials and through what ``functools.wraps`` has made, too."""
    called = _innermost(function)
    return any(
        iscoroutinefunction(call) or isasyncgenfunction(call)
        for call in (called, _innermost(getattr(called, "__call__", None)))  # noqa: B004
    )


def _innermost(function: Any) -> Any:
    """What a chain of partials and wrappers calls in the end."""
    while isinstance(function, partial):
        function = function.func  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return unwrap(function)
