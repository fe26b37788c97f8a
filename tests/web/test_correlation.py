"""The id of a request: where it comes from, and where it is seen."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.extensions.starlette import SQLSpecPlugin
from sqlspec.utils.logging import add_request_id, get_logger, get_request_id
from tests.web.client import Client, serving
from tests.web.test_sockets import Socket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from tests.web.backends import Backend

NEW = re.compile(r"[0-9a-f]{32}")
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


def app_of(endpoint: Any, **options: Any) -> Starlette:
    app = Starlette(routes=[Route("/", endpoint)])
    spec = SQLSpec()
    spec.add_config(AiosqliteConfig(pool_config={"database": ":memory:"}))
    SQLSpecPlugin(spec, app, **options)
    return app


async def told(request: Request) -> Response:
    return PlainTextResponse(get_request_id())


async def id_for(headers: dict[str, str]) -> str:
    return (await Client(app_of(told)).get("/", headers=headers)).text


# Where it comes from


@pytest.mark.parametrize("id", ["a", "42", "Root=1-67891233-abcdef", "a:b/c+d@e~f_g.h", "x" * 128])
async def test_the_clients_id_is_taken(id: str) -> None:
    """As it was written."""
    assert await id_for({"X-Request-ID": id}) == id


@pytest.mark.parametrize(
    "id",
    [
        "",
        " ",
        "x" * 129,
        "a b",
        "a\nb",
        "a\r\nSet-Cookie: b",
        "a;b",
        "a,b",
        "<b>",
        "{a}",
        '"a"',
        "ä",
        "\x1b[31m",
        "%0a",
        "a\\b",
        "\x00",
    ],
)
async def test_a_hostile_id_is_not(id: str) -> None:
    """A new one is made: nothing that could mean something to a log, a header or a page is passed on."""
    assert NEW.fullmatch(await id_for({"x-request-id": id}))


async def test_a_trace_id_is_taken() -> None:
    """Of traceparent, where there is no harmless id; also of a later version with more fields."""
    parent = f"00-{TRACE}-{PARENT}-01"
    assert await id_for({"traceparent": parent}) == TRACE
    assert await id_for({"traceparent": parent, "x-request-id": "mine"}) == "mine"
    assert await id_for({"traceparent": parent, "x-request-id": "a b"}) == TRACE
    assert await id_for({"traceparent": f"cc-{TRACE}-{PARENT}-01-what-comes"}) == TRACE


@pytest.mark.parametrize(
    "parent",
    [
        "",
        TRACE,
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01\n",
    ],
)
async def test_what_is_no_traceparent_is_not(parent: str) -> None:
    """By the rules of the W3C's recommendation."""
    found = await id_for({"traceparent": parent})
    assert NEW.fullmatch(found)
    assert found != TRACE


async def test_every_request_has_one_of_its_own() -> None:
    """One for all that ask in it, another in the next, none outside."""
    seen: list[str | None] = []

    async def look(request: Request) -> Response:
        seen.extend([get_request_id(), await asyncio.to_thread(get_request_id)])
        await asyncio.sleep(0)
        return PlainTextResponse(get_request_id(), background=BackgroundTask(lambda: seen.append(get_request_id())))

    client = Client(app_of(look))
    texts = [response.text for response in await asyncio.gather(*(client.get("/") for _ in range(5)))]
    assert len(set(texts)) == 5
    assert all(seen.count(text) == 3 for text in texts)
    assert get_request_id() is None


async def test_plugins_of_one_request_agree() -> None:
    """Two registries serve it: it is one request."""

    async def look(request: Request) -> Response:
        return PlainTextResponse(f"{get_request_id()}")

    child = app_of(look, request_id_header="x-inner")
    app = Starlette(routes=[Mount("/child", app=child)])
    other = SQLSpec()
    other.add_config(
        AiosqliteConfig(extension_config={"starlette": {"session_key": "a", "connection_key": "b", "pool_key": "c"}})
    )
    SQLSpecPlugin(other, app, request_id_header="x-outer")
    response = await Client(app).get("/child/")
    headers = dict(response.messages[0]["headers"])
    assert headers[b"x-inner"] == headers[b"x-outer"] == response.body


# In the response


async def test_the_response_tells_it_where_that_is_switched_on() -> None:
    """In the header of that name, for errors of the app too; nothing by default."""
    app = app_of(told, request_id_header="X-Request-Id")
    for path, status in (("/", 200), ("/nothing", 404)):
        response = await Client(app).get(path, headers={"x-request-id": "mine"})
        assert response.status == status
        assert dict(response.messages[0]["headers"])[b"x-request-id"] == b"mine"
    silent = await Client(app_of(told)).get("/", headers={"x-request-id": "mine"})
    assert b"x-request-id" not in dict(silent.messages[0]["headers"])


async def test_a_header_of_the_apps_own_stays() -> None:
    """Once, as the app wrote it."""

    async def own(request: Request) -> Response:
        return Response(headers={"X-Request-ID": "the app's"})

    response = await Client(app_of(own, request_id_header="x-request-id")).get("/")
    assert [value for name, value in response.messages[0]["headers"] if name == b"x-request-id"] == [b"the app's"]


@pytest.mark.parametrize("name", ["", "x request id", "x:y", "x\r\ny", "ü", 5, b"x-request-id", "x" * 65])
def test_a_name_that_no_header_has_is_refused(name: Any) -> None:
    """When the plugin is made."""
    with pytest.raises(ImproperConfigurationError, match="is not the name of a header, such as 'x-request-id'"):
        SQLSpecPlugin(SQLSpec(), request_id_header=name)


@pytest.mark.parametrize(
    "name",
    [
        "Content-Length",
        "content-type",
        "content-encoding",
        "Transfer-Encoding",
        "connection",
        "Keep-Alive",
        "upgrade",
        "trailer",
        "te",
        "Set-Cookie",
        "location",
        "date",
        "etag",
        "vary",
        "cache-control",
        "WWW-Authenticate",
        "access-control-allow-origin",
    ],
)
def test_a_header_that_means_something_to_clients_is_refused(name: str) -> None:
    """An id in its place would break the response."""
    with pytest.raises(ImproperConfigurationError, match=f"'{name}' has a meaning of its own to clients: take"):
        SQLSpecPlugin(SQLSpec(), request_id_header=name)


def test_a_long_name_is_shown_short() -> None:
    """In the message."""
    with pytest.raises(ImproperConfigurationError) as caught:
        SQLSpecPlugin(SQLSpec(), request_id_header="x" * 100_000)
    assert len(str(caught.value)) < 300


# In log records


@pytest.fixture
def records() -> Iterator[list[logging.LogRecord]]:
    """What a handler of the root logger sees, without any filter of its own."""
    found: list[logging.LogRecord] = []

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record)

    handler = Keeping()
    logging.getLogger().addHandler(handler)
    yield found
    logging.getLogger().removeHandler(handler)


def ids(records: list[logging.LogRecord], name: str) -> list[Any]:
    return [getattr(record, "request_id", "(none)") for record in records if record.name == name]


async def test_records_of_a_requests_statements_have_it(  # W12 S5
    backend: Backend, records: list[logging.LogRecord]
) -> None:
    """What the plugin says, what the session says, also in the request's background; two requests are told apart."""

    async def work(request: Request) -> Response:
        await plugin.get_session(request).execute(backend.insert, request.headers["x-request-id"])

        async def late() -> None:
            async with spec.provide_session(config) as db:
                await db.begin()
                await db.execute(backend.insert, f"late {request.headers['x-request-id']}")

        return Response(background=BackgroundTask(late))

    spec = SQLSpec()
    config = spec.add_config(backend.config())
    app = Starlette(routes=[Route("/", work, methods=["POST"])])
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        for id in ("one", "two"):
            await client.post("/", headers={"x-request-id": id})
    assert ids(records, "sqlspec.web") == ["one", "two"]  # forgotten commits
    assert ids(records, "sqlspec.session") == ["one", "two"]  # sessions that ended with an open transaction


async def test_records_of_observers_have_it(sqlite: Backend, records: list[logging.LogRecord]) -> None:
    """Whoever logs statements by a logger of get_logger() need do nothing."""

    class Telling:
        def started(self, event: Any) -> None: ...

        def ended(self, event: Any, error: BaseException | None) -> None:
            get_logger("app.sql").warning("%s", getattr(event, "statement", type(event).__name__))

    async def work(request: Request) -> Response:
        await plugin.get_session(request).select_value("SELECT 1")
        return Response()

    spec = SQLSpec()
    config = spec.add_config(sqlite.config())
    config.observers.append(Telling())
    app = Starlette(routes=[Route("/", work)])
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        await client.get("/", headers={"x-request-id": "mine"})
        await config.connections.acquire()
    assert set(ids(records, "sqlspec.app.sql")) == {"mine"}


async def test_records_of_a_sync_sessions_threads_have_it(  # W20
    sqlite: Backend, records: list[logging.LogRecord]
) -> None:
    """The endpoint's thread, and the one in which the outcome is carried out."""

    def work(request: Request) -> Response:
        db = plugin.get_session(request, config)
        db.execute(sqlite.insert, "a")
        db.on_commit(lambda: get_logger("hook").warning("committed"))
        get_logger("endpoint").warning("inserted")
        return Response()

    spec = SQLSpec()
    options = {"starlette": {"commit_mode": "autocommit"}}
    config = spec.add_config(SqliteConfig(pool_config={"database": str(sqlite.path)}, extension_config=options))
    app = Starlette(routes=[Route("/", work, methods=["POST"])])
    plugin = SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        await client.post("/", headers={"x-request-id": "mine"})
    assert ids(records, "sqlspec.endpoint") == ids(records, "sqlspec.hook") == ["mine"]


async def test_a_websocket_has_one_for_its_life(sqlite: Backend) -> None:
    """The same for all its messages."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        async for _ in websocket.iter_text():
            await websocket.send_text(str(get_request_id()))

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    spec = SQLSpec()
    spec.add_config(sqlite.config())
    SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        socket = Socket(client.app)
        first, second = await socket.ask("a"), await socket.ask("b")
        await socket.leave()
    assert first == second
    assert NEW.fullmatch(first)


def test_records_outside_of_requests_have_none(records: list[logging.LogRecord]) -> None:
    """But the attribute is there, so formats can name it; and what a record has already stays."""
    get_logger("outside").warning("here")
    get_logger("outside").warning("there", extra={"request_id": "by hand"})
    assert ids(records, "sqlspec.outside") == [None, "by hand"]


async def test_records_of_other_loggers_get_it_by_the_filter(records: list[logging.LogRecord]) -> None:
    """On a handler, where it sees all records: uvicorn's, the app's own."""

    async def work(request: Request) -> Response:
        logging.getLogger("shop").warning("sold")
        return Response()

    handler = logging.getLogger().handlers[-1]
    handler.addFilter(add_request_id)
    await Client(app_of(work)).get("/", headers={"x-request-id": "mine"})
    handler.removeFilter(add_request_id)
    assert ids(records, "shop") == ["mine"]
