"""WebSockets get sessions that hold nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from sqlspec import SQLSpec
from sqlspec.exceptions import SessionClosedError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.client import serving

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from tests.web.client import ASGIApp, Message
    from tests.web.conftest import Backend


class Socket:
    """A client's end of one WebSocket."""

    def __init__(self, app: ASGIApp, path: str = "/") -> None:
        self.received: asyncio.Queue[Message] = asyncio.Queue()
        self.sent: asyncio.Queue[Message] = asyncio.Queue()
        scope: dict[str, Any] = {
            "type": "websocket",
            "path": path,
            "headers": [],
            "query_string": b"",
            "subprotocols": [],
        }
        self.task = asyncio.ensure_future(app(scope, self.received.get, self.sent.put))
        self.received.put_nowait({"type": "websocket.connect"})

    async def ask(self, text: str) -> str:
        await self.received.put({"type": "websocket.receive", "text": text})
        return await self.answer()

    async def answer(self) -> str:
        async with asyncio.timeout(5):
            while (message := await self.sent.get())["type"] != "websocket.send":
                pass
        text: str = message["text"]
        return text

    async def leave(self) -> None:
        await self.received.put({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait((self.task,))


def app_of(backend: Backend, sessions: list[Any]) -> Starlette:
    async def endpoint(websocket: WebSocket) -> None:
        db = plugin.get_session(websocket)
        assert websocket.state.db_session is db
        sessions.append(db)
        await websocket.accept()
        async for name in websocket.iter_text():
            await db.execute(backend.insert, name)
            await websocket.send_text(",".join(await db.select(backend.select, schema_type=str)))

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    spec = SQLSpec()
    spec.add_config(backend.config(pool_size=1))
    plugin = SQLSpecPlugin(spec, app)
    return app


async def test_statements_commit_by_themselves_and_sockets_hold_nothing(backend: Backend) -> None:  # W18
    """Twenty open sockets share a pool of one; each sees what the others wrote before."""
    sessions: list[Any] = []
    async with serving(app_of(backend, sessions)) as client:
        sockets = [Socket(client.app) for _ in range(20)]
        names = [f"{number:02}" for number in range(20)]
        for place, socket in enumerate(sockets):
            assert await socket.ask(names[place]) == ",".join(names[: place + 1])
            assert await backend.rows() == names[: place + 1]
        for socket in sockets:
            await socket.leave()
    assert len(set(map(id, sessions))) == 20


async def test_at_its_end_the_session_is_closed(sqlite: Backend) -> None:  # W17 W18
    """A disconnect ends it, and the message says what it was of."""
    sessions: list[Any] = []
    async with serving(app_of(sqlite, sessions)) as client:
        socket = Socket(client.app)
        await socket.ask("a")
        await socket.leave()
        with pytest.raises(SessionClosedError, match="its WebSocket is closed"):
            await sessions[0].select_value("SELECT 1")


async def test_an_error_goes_on_and_closes(sqlite: Backend) -> None:  # W17 W18
    """The very exception; what was open is rolled back."""
    problem = ValueError("broken")
    sessions: list[Any] = []

    async def endpoint(websocket: WebSocket) -> None:
        db = plugin.get_session(websocket)
        sessions.append(db)
        await db.begin()
        await db.execute(sqlite.insert, "a")
        raise problem

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    spec = SQLSpec()
    spec.add_config(sqlite.config())
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        socket = Socket(client.app)
        await asyncio.wait((socket.task,))
        assert socket.task.exception() is problem
        with pytest.raises(SessionClosedError):
            await sessions[0].select_value("SELECT 1")
    assert await sqlite.rows() == []
