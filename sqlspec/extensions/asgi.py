"""The middleware that gives every request its sessions and decides them when the response starts. Pure ASGI.

    http.response.start       COMMIT or ROLLBACK first, connections back to their pools, then the start is forwarded:
                              whoever sees the status line sees the data
    last body message         the sessions are closed, then it is forwarded
    exception, cancellation   rolled back and closed; the same exception goes on
    failing COMMIT            the start is not forwarded, the error stops the app; then it is answered as the plugin
                              says, or goes out of here itself, whatever the framework made of it on its way. Each
                              start is settled until one was forwarded

It knows no framework: an app is what ASGI calls one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from sqlspec.concurrency import async_leave
from sqlspec.extensions.correlation import RunningRequest
from sqlspec.extensions.requests import RequestSessions, sessions_of
from sqlspec.logging import running_request

if TYPE_CHECKING:
    from sqlspec.extensions.databases import Databases

__all__ = ("DatabaseMiddleware", "StartMiddleware")

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Answer = Callable[[Exception, Scope, Receive, Send], Awaitable[bool]]

_SERVED = frozenset({"http", "websocket"})
_BODY = frozenset({"http.response.body", "http.response.pathsend", "http.response.zerocopysend"})

CANCELLED_LIMIT = 0.8
"""Seconds that a cancelled request may still take to settle; then that goes on without it, and ends within 2 more."""

_REQUEST_OVER = "its request is over. In a background task open a new one with provide_session(config)"
_SOCKET_OVER = "its WebSocket is closed. Open a new one with provide_session(config)"
_APP_OVER = (
    "the app was shut down, and its pools are closed. Start it again, with its lifespan, before sending requests"
)


class DatabaseMiddleware:
    """Serves all databases of one plugin.

    Args:
        app: The app inside.
        databases: The plugin's configs.
        publish: Puts a pool where the app's users find it by its key.
        answer: Answers a request whose COMMIT failed with this error; False if there is nobody to do it.
        id_header: The name of the response header that tells the request's id; None for none.
    """

    def __init__(
        self,
        app: ASGIApp,
        databases: Databases,
        publish: Callable[[str, object], None],
        answer: Answer,
        id_header: bytes | None = None,
    ) -> None:
        self._app = app.app if isinstance(app, StartMiddleware) else app  # nothing between them holds a start back
        self._databases = databases
        self._publish = publish
        self._answer = answer
        self._id_header = id_header

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket; everything else passes."""
        served = sessions_of(scope, self._databases.registry)
        if scope["type"] not in _SERVED or (served is not None and not served.is_closed):
            await self._app(scope, receive, send)
            return
        sessions = RequestSessions(self._databases, scope)
        bound = running_request.set(RunningRequest(scope)) if sessions.outer is None else None
        try:
            if self._databases.is_over:
                await sessions.close(_APP_OVER)
            if scope["type"] == "http":
                await self._serve_request(sessions, scope, receive, send)
            else:
                await self._serve_socket(sessions, scope, receive, send)
        finally:
            if bound is not None:
                running_request.reset(bound)

    async def _serve_request(self, sessions: RequestSessions, scope: Scope, receive: Receive, send: Send) -> None:
        response = _Response(sessions, scope, send, self._id_header)
        failure = None
        try:
            try:
                await self._app(scope, receive, response.send)
            except Exception:
                if response.find_failure() is None:
                    raise
            failure = response.find_failure()
            if failure is not None and await self._answer(failure, scope, receive, response.send):
                failure = None
        except BaseException as error:
            await self._end_after(error, sessions, _REQUEST_OVER)
            raise
        await self._end(sessions, _REQUEST_OVER)
        if failure is not None:
            raise failure  # out here, so that neither its cause nor its context is touched

    async def _serve_socket(self, sessions: RequestSessions, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except BaseException as error:
            await self._end_after(error, sessions, _SOCKET_OVER)
            raise
        await self._end(sessions, _SOCKET_OVER)

    async def _end(self, sessions: RequestSessions, reason: str) -> None:
        if not sessions.try_close(reason):
            await sessions.close(reason)
        self._databases.notice_late_pools(self._publish)

    async def _end_after(self, error: BaseException, sessions: RequestSessions, reason: str) -> None:
        """Close the sessions; what fails in doing so never hides the error. Who is cancelled does not wait long."""
        try:
            if isinstance(error, Exception):
                await self._end(sessions, reason)
            else:
                await async_leave(self._end(sessions, reason), CANCELLED_LIMIT)
        except Exception as failure:  # noqa: BLE001 (it becomes a note of the error that came first)
            error.add_note(f"Closing the sessions of the request failed too: {failure}")


class StartMiddleware:
    """The innermost middleware: it notes when the app itself starts its response, which others may hold back.

    Args:
        app: The app inside.
        databases: The plugin's configs.
    """

    def __init__(self, app: ASGIApp, databases: Databases) -> None:
        self.app = app
        self._registry = databases.registry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything, and look at starts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sessions = sessions_of(scope, self._registry)
        if sessions is None:
            await self.app(scope, receive, send)
            return
        sessions.forget_start()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                sessions.note_start(message["status"], scope)
            await send(message)

        await self.app(scope, receive, noting)


class _Response:
    """What the app sends, on its way out.

    Attributes:
        failure: Why the outcome that the response announces did not come about.
        is_started: Whether a start was forwarded.
    """

    __slots__ = ("_forward", "_id_header", "_scope", "_sessions", "failure", "is_started")

    def __init__(self, sessions: RequestSessions, scope: Scope, forward: Send, id_header: bytes | None) -> None:
        self._sessions = sessions
        self._scope = scope
        self._forward = forward
        self._id_header = id_header
        self.failure: Exception | None = None
        self.is_started = False

    def find_failure(self) -> Exception | None:
        """Why there is no response, if a failing COMMIT is why: that of a start, or one that the body came upon."""
        if self.is_started:
            return None
        self.failure = self.failure or self._sessions.take_failure()
        return self.failure

    async def send(self, message: Message) -> None:
        """Do what is due before this message, then forward it."""
        kind = message["type"]
        if kind == "http.response.start":
            if not self._sessions.try_settle():
                await self._settle(message["status"])
            self.is_started = True  # after a failure this is another response, which tells of it
            if self._id_header is not None:
                message = self._with_id(message, self._id_header)
        elif kind in _BODY:
            if self.failure is not None and not self.is_started:
                raise self.failure  # the app goes on with a response that was stopped
            if not message.get("more_body", False) and not self._sessions.try_close(_REQUEST_OVER):
                await self._sessions.close(_REQUEST_OVER)
        await self._forward(message)

    async def _settle(self, status: int) -> None:
        try:
            await self._sessions.settle(status, self._scope)
        except Exception as error:
            self.failure = error
            raise

    def _with_id(self, message: Message, name: bytes) -> Message:
        headers = list(message.get("headers", ()))
        if not any(known.lower() == name for known, _ in headers):
            headers.append((name, RunningRequest(self._scope).id.encode("ascii")))
        return {**message, "headers": headers}
