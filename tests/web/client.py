"""An ASGI server in the test's own event loop: it keeps every message of the app, in order, and lets tests look on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

Message = MutableMapping[str, Any]
Watcher = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


class Response:
    """What reached the server.

    Attributes:
        messages: In the order of their coming.
        error: What the app raised, if it did.
        scope: The scope that the app was called with, as the app left it.
    """

    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope = scope
        self.messages: list[Message] = []
        self.error: BaseException | None = None

    @property
    def status(self) -> int:
        statuses = [message["status"] for message in self.messages if message["type"] == "http.response.start"]
        assert len(statuses) == 1, self.messages
        status: int = statuses[0]
        return status

    @property
    def is_started(self) -> bool:
        return any(message["type"] == "http.response.start" for message in self.messages)

    @property
    def is_complete(self) -> bool:
        return bool(self.messages) and not self.messages[-1].get("more_body", False) and self.is_started

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Sends requests to an app.

    Args:
        app: The ASGI app.
        state: What its lifespan yielded.
    """

    def __init__(self, app: ASGIApp, state: dict[str, Any] | None = None) -> None:
        self.app = app
        self.state = state

    def scope(self, method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
        path, _, query = path.partition("?")
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1234),
            "server": ("testserver", 80),
        }
        if self.state is not None:
            scope["state"] = self.state.copy()
        return scope

    async def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: dict[str, str] | None = None,
        watch: Watcher | None = None,
    ) -> Response:
        """Send one request; an exception of the app is kept, cancellation is not.

        Args:
            method: GET, POST …
            path: With a query, if any.
            json: The body.
            headers: The headers.
            watch: Awaited with every message at the instant it reaches the server.
        """
        response = Response(self.scope(method, path, headers or {}))
        sent = False

        async def receive() -> Message:
            nonlocal sent
            if sent:
                await asyncio.Event().wait()  # a client that stays
            sent = True
            return {"type": "http.request", "body": _dumped(json), "more_body": False}

        async def send(message: Message) -> None:
            response.messages.append(message)
            if watch is not None:
                await watch(message)

        try:
            await self.app(response.scope, receive, send)
        except Exception as error:  # noqa: BLE001 (tests look at it)
            response.error = error
        return response

    async def get(self, path: str, **options: Any) -> Response:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Response:
        return await self.request("POST", path, **options)


def _dumped(value: Any) -> bytes:
    return b"" if value is None else json.dumps(value).encode()


class Lifespan:
    """An app's lifespan, driven as a server does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.state: dict[str, Any] = {}
        self.sent: list[Message] = []
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        self._answered: asyncio.Queue[Message | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> Message:
        """The app's answer to ``lifespan.startup``."""
        self._task = asyncio.create_task(self._run())
        return await self._exchange("startup")

    async def stop(self) -> Message:
        """The app's answer to ``lifespan.shutdown``."""
        return await self._exchange("shutdown")

    async def _exchange(self, event: str) -> Message:
        await self._received.put({"type": f"lifespan.{event}"})
        answer = await self._answered.get()
        assert answer is not None, self._task
        return answer

    async def _run(self) -> None:
        try:
            await self.app({"type": "lifespan", "state": self.state}, self._received.get, self._answered.put)
        except Exception:  # noqa: BLE001 (a server logs it; the message before says what it was)
            await self._answered.put(None)


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[Client]:
    """The app between its start-up and its shutdown."""
    lifespan = Lifespan(app)
    answer = await lifespan.start()
    assert answer["type"] == "lifespan.startup.complete", answer
    try:
        yield Client(app, lifespan.state)
    finally:
        answer = await lifespan.stop()
    assert answer["type"] == "lifespan.shutdown.complete", answer
