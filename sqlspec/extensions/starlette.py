"""The plugin for Starlette: it only wires the middleware and the pools' life into an app."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar, overload
from weakref import WeakSet

from sqlspec.exceptions import ImproperConfigurationError, MissingDependencyError
from sqlspec.extensions.asgi import DatabaseMiddleware, StartMiddleware
from sqlspec.extensions.correlation import header_name
from sqlspec.extensions.databases import Databases
from sqlspec.extensions.failures import answer_failure
from sqlspec.extensions.requests import RequestSessions, sessions_of

if find_spec("starlette") is None:
    raise MissingDependencyError("starlette", "starlette")

from starlette.middleware import Middleware

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from contextlib import AbstractAsyncContextManager

    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection

    from sqlspec._async.config import AsyncDatabaseConfig
    from sqlspec._async.driver import AsyncDriverAdapterBase
    from sqlspec._async.handle import AsyncConnectionHandle
    from sqlspec._sync.config import SyncDatabaseConfig
    from sqlspec._sync.driver import SyncDriverAdapterBase
    from sqlspec._sync.handle import SyncConnectionHandle
    from sqlspec.registry import SQLSpec

    AsyncDriverT = TypeVar("AsyncDriverT", bound=AsyncDriverAdapterBase)
    SyncDriverT = TypeVar("SyncDriverT", bound=SyncDriverAdapterBase)
    EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])

__all__ = ("SQLSpecPlugin",)


class SQLSpecPlugin:
    """Gives the requests of an app their sessions, and opens and closes the pools with the app.

    Options are read from ``extension_config["starlette"]`` of each config; see ``StarletteConfig``.

    Args:
        sqlspec: The registry. Configs may be added to it later.
        app: The app, as for ``init_app()``.
        request_id_header: The response header that tells the id of the request, such as ``"x-request-id"``; None
            sends none. The id is in the log records either way, see ``sqlspec.utils.logging``.

    Raises:
        ImproperConfigurationError: As ``init_app()``, or no header can be called so.
    """

    sections: tuple[str, ...] = ("starlette",)

    def __init__(self, sqlspec: SQLSpec, app: Starlette | None = None, *, request_id_header: str | None = None) -> None:
        self._databases = Databases(sqlspec, self.sections)
        self._id_header = header_name(request_id_header)
        self._apps: WeakSet[Starlette] = WeakSet()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Starlette) -> None:
        """Attach to an app that has not started. Repeatable.

        The middleware comes outside those that the app has by now, and inside those that are added later.

        Raises:
            ImproperConfigurationError: An option or a key is wrong, or the app has started.
        """
        if app in self._apps:
            return
        if app.middleware_stack is not None:
            message = "The app has started: call init_app(app), or SQLSpecPlugin(sqlspec, app), before it does."
            raise ImproperConfigurationError(message)
        self._databases.attach()
        app.add_middleware(
            DatabaseMiddleware,
            databases=self._databases,
            publish=partial(setattr, app.state),
            answer=partial(answer_failure, app),
            id_header=self._id_header,
        )
        app.user_middleware.append(Middleware(StartMiddleware, databases=self._databases))
        self._wrap_lifespan(app)
        _restore_decorators(app)
        self._apps.add(app)

    def _wrap_lifespan(self, app: Starlette) -> None:
        inner = app.router.lifespan_context

        @asynccontextmanager
        async def lifespan(running: Starlette) -> AsyncGenerator[Any]:
            async with self.lifespan(app), inner(running) as state:
                self._databases.table.check_state(state)
                yield state

        app.router.lifespan_context = lifespan

    def lifespan(self, app: Starlette) -> AbstractAsyncContextManager[None]:
        """Open all pools, and close them at the end. An attached app does it by itself, and both together once.

        Raises:
            ConnectionFailedError: A pool could not be opened; it is named, and the others are closed.
        """
        self._databases.attach()
        return self._databases.lifespan(partial(setattr, app.state))

    # In a request or WebSocket

    @overload
    def get_session(
        self, request: HTTPConnection, key: AsyncDatabaseConfig[Any, Any, AsyncDriverT]
    ) -> AsyncDriverT: ...
    @overload
    def get_session(self, request: HTTPConnection, key: SyncDatabaseConfig[Any, Any, SyncDriverT]) -> SyncDriverT: ...
    @overload
    def get_session(self, request: HTTPConnection, key: str | None = None) -> Any: ...
    def get_session(self, request: HTTPConnection, key: Any = None) -> Any:
        """The session of this request: always the same one, without any I/O.

        Args:
            request: A request or WebSocket.
            key: A session key, connection key, pool key, the config's name or the config; None for the first config.

        Raises:
            ImproperConfigurationError: No config has this key, or the plugin is not attached to this app.
        """
        sessions = self._sessions(request, "get_session")
        return sessions.sessions[sessions.table.find(key)]

    @overload
    def get_connection(
        self, request: HTTPConnection, key: AsyncDatabaseConfig[Any, Any, Any]
    ) -> AsyncConnectionHandle: ...
    @overload
    def get_connection(
        self, request: HTTPConnection, key: SyncDatabaseConfig[Any, Any, Any]
    ) -> SyncConnectionHandle: ...
    @overload
    def get_connection(self, request: HTTPConnection, key: str | None = None) -> Any: ...
    def get_connection(self, request: HTTPConnection, key: Any = None) -> Any:
        """The connection of this request's session, which is acquired when it is used.

        Args:
            request: A request or WebSocket.
            key: As for ``get_session()``.

        Raises:
            ImproperConfigurationError: As ``get_session()``.
        """
        sessions = self._sessions(request, "get_connection")
        return sessions.connections[sessions.table.find(key)]

    def _sessions(self, request: HTTPConnection, method: str) -> RequestSessions:
        sessions = sessions_of(request.scope, self._databases.registry)
        if sessions is None:
            message = (
                f"{method}() needs the plugin's middleware, which has not run for this request: call init_app(app) on "
                "the app that serves it (middleware that is added later runs before it). Elsewhere use "
                "sqlspec.provide_session(config)."
            )
            raise ImproperConfigurationError(message)
        return sessions


def _restore_decorators(app: Starlette) -> None:
    """Put ``@app.route`` and ``@app.websocket_route`` back where they are missing, as on Starlette 1.0 and later."""

    def decorator(add: Callable[..., None]) -> Callable[..., Callable[[EndpointT], EndpointT]]:
        def route(path: str, *args: Any, **options: Any) -> Callable[[EndpointT], EndpointT]:
            def register(endpoint: EndpointT) -> EndpointT:
                add(path, endpoint, *args, **options)
                return endpoint

            return register

        return route

    for name, add in (("route", app.router.add_route), ("websocket_route", app.router.add_websocket_route)):
        if not hasattr(app, name):
            setattr(app, name, decorator(add))
