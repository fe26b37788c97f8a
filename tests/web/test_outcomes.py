"""Which responses commit and which roll back, seen from a second connection."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteDriver
from sqlspec.exceptions import SessionClosedError
from sqlspec.extensions.starlette import SQLSpecPlugin
from tests.web.apps import app_with, warnings_of
from tests.web.client import Client, serving

if TYPE_CHECKING:
    from starlette.requests import Request

    from tests.web.conftest import Backend

STATUSES = (200, 201, 202, 204, 206, 299, 301, 303, 304, 307, 400, 404, 409, 500)
COMMITTED: dict[str, set[int]] = {
    "manual": set(),
    "autocommit": {200, 201, 202, 204, 206, 299},
    "autocommit_include_redirect": {200, 201, 202, 204, 206, 299, 301, 303, 304, 307},
}


@pytest.mark.parametrize("mode", sorted(COMMITTED))
async def test_the_status_decides(backend: Backend, mode: str) -> None:  # W12
    """Each mode commits its range and nothing else, in each of fourteen statuses."""

    async def insert(request: Request, db: Any) -> Response:
        await db.execute(backend.insert, request.path_params["name"])
        return Response(status_code=int(request.path_params["name"]))

    async with serving(app_with(backend, insert, commit_mode=mode)) as client:
        for status in STATUSES:
            response = await client.post(f"/items/{status}")
            assert (response.status, response.error) == (status, None)
    assert await backend.rows() == [str(status) for status in sorted(COMMITTED[mode])]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_get_that_writes_is_committed_too(backend: Backend, method: str) -> None:  # W9
    """The method chooses how SQLite begins, never whether the work is saved."""

    async def insert(request: Request, db: Any) -> Response:
        await db.select(backend.select)
        await db.execute(backend.insert, "a")
        return Response()

    async with serving(app_with(backend, insert, commit_mode="autocommit")) as client:
        assert (await client.request(method, "/items/a")).status == 200
    assert await backend.rows() == ["a"]


@pytest.mark.parametrize(
    ("method", "locks"),
    [
        ("GET", False),
        ("HEAD", False),
        ("OPTIONS", False),
        ("POST", True),
        ("PUT", True),
        ("PATCH", True),
        ("DELETE", True),
    ],
)
async def test_how_sqlite_begins(sqlite: Backend, method: str, locks: bool) -> None:  # W9
    """A request that will write takes the write lock with its first statement, one that reads lets others write."""
    locked: list[bool] = []

    async def read(request: Request, db: Any) -> Response:
        await db.select(sqlite.select)
        with closing(sqlite3.connect(sqlite.path, timeout=0, isolation_level=None)) as other:
            try:
                other.execute(sqlite.insert, ("other",))
            except sqlite3.OperationalError:
                locked.append(True)
            else:
                locked.append(False)
        return Response()

    async with serving(app_with(sqlite, read)) as client:
        assert (await client.request(method, "/items/a")).error is None
    assert locked == [locks]


@pytest.mark.parametrize(
    ("options", "status", "saved"),
    [
        ({"extra_commit_statuses": {404}}, 404, True),
        ({"extra_commit_statuses": {404}}, 409, False),
        ({"extra_commit_statuses": {303}}, 303, True),
        ({"extra_rollback_statuses": {202}}, 202, False),
        ({"extra_rollback_statuses": {202}}, 201, True),
    ],
)
async def test_extra_statuses_beat_the_range(  # W12
    backend: Backend, options: dict[str, Any], status: int, saved: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Statuses of their own commit or roll back, and an asked-for roll-back is no warning."""

    async def insert(request: Request, db: Any) -> Response:
        await db.execute(backend.insert, "a")
        return Response(status_code=status)

    async with serving(app_with(backend, insert, commit_mode="autocommit", **options)) as client:
        await client.post("/items/a")
    assert await backend.rows() == (["a"] if saved else [])
    assert warnings_of(caplog) == []


async def test_set_rollback_only_beats_all(backend: Backend, caplog: pytest.LogCaptureFixture) -> None:  # W12
    """A response may be a success and yet leave nothing behind, if the handler says so."""

    async def insert(request: Request, db: Any) -> Response:
        await db.execute(backend.insert, "a")
        db.set_rollback_only()
        return Response()

    app = app_with(backend, insert, commit_mode="autocommit", extra_commit_statuses={200})
    async with serving(app) as client:
        assert (await client.post("/items/a")).status == 200
    assert await backend.rows() == []
    assert warnings_of(caplog) == []


# Manual mode


@pytest.mark.parametrize("how", ["session", "connection", "explicit", "block"])
async def test_manual_mode_saves_what_was_committed(backend: Backend, how: str) -> None:  # W10 W12
    """commit() of the session and of the connection, begin() and commit(), and a transaction() block all save; what
    comes after them does not."""

    async def work(request: Request, db: Any) -> Response:
        connection = request.state.db_connection
        if how == "explicit":
            await db.begin()
        if how == "block":
            async with db.transaction():
                await db.execute(backend.insert, "saved")
        else:
            await db.execute(backend.insert, "saved")
            await (connection if how == "connection" else db).commit()
        await db.execute(backend.insert, "lost")
        return Response()

    async with serving(app_with(backend, work)) as client:
        assert (await client.post("/items/a")).error is None
    assert await backend.rows() == ["saved"]


async def test_commit_in_autocommit_ends_one_transaction_and_the_next_statement_begins_another(
    backend: Backend,
) -> None:  # W10
    """What was committed by hand stays; the rest shares the fate of the response."""

    async def work(request: Request, db: Any) -> Response:
        await db.begin()
        await db.execute(backend.insert, "saved")
        await db.commit()
        await db.execute(backend.insert, "lost")
        await db.rollback()
        await db.execute(backend.insert, "undone")
        return Response(status_code=500)

    async with serving(app_with(backend, work, commit_mode="autocommit")) as client:
        await client.post("/items/a")
    assert await backend.rows() == ["saved"]


async def test_a_block_joins_the_requests_transaction_in_autocommit(backend: Backend) -> None:  # W12
    """The outermost block commits nothing by itself where the response decides."""

    async def work(request: Request, db: Any) -> Response:
        async with db.transaction():
            await db.execute(backend.insert, "a")
        return Response(status_code=409)

    async with serving(app_with(backend, work, commit_mode="autocommit")) as client:
        await client.post("/items/a")
    assert await backend.rows() == []


# Exceptions


async def test_an_exception_rolls_back_and_goes_on(backend: Backend) -> None:  # W13
    """The server gets the very exception that the handler raised, and a 500."""
    problem = ValueError("Email must be verified")

    async def work(request: Request, db: Any) -> Response:
        await db.execute(backend.insert, "a")
        raise problem

    async with serving(app_with(backend, work, commit_mode="autocommit")) as client:
        response = await client.post("/items/a")
    assert response.error is problem
    assert response.status == 500
    assert await backend.rows() == []


@pytest.mark.parametrize(("status", "saved"), [(404, False), (418, True)])
async def test_a_handled_exception_counts_by_its_status(backend: Backend, status: int, saved: bool) -> None:  # W13
    """HTTPException becomes a response inside the middleware: its status decides."""

    async def work(request: Request, db: Any) -> Response:
        await db.execute(backend.insert, "a")
        raise HTTPException(status)

    app = app_with(backend, work, commit_mode="autocommit", extra_commit_statuses={418})
    async with serving(app) as client:
        response = await client.post("/items/a")
    assert (response.status, response.error) == (status, None)
    assert await backend.rows() == (["a"] if saved else [])


async def test_a_registered_handler_turns_an_exception_into_a_response(backend: Backend) -> None:  # W13
    """A handler's 200 commits, as any 200 does."""

    async def work(request: Request, db: Any) -> Response:
        await db.execute(backend.insert, "a")
        raise LookupError

    app = app_with(backend, work, commit_mode="autocommit")
    app.add_exception_handler(LookupError, lambda request, error: PlainTextResponse("fine"))
    async with serving(app) as client:
        assert (await client.post("/items/a")).text == "fine"
    assert await backend.rows() == ["a"]


class Stubborn(AiosqliteDriver):
    """A driver whose sessions complain when they are closed."""

    async def end(self, reason: str) -> None:
        await super().end(reason)
        raise OSError("no more")


async def test_a_failing_end_never_hides_the_error(sqlite: Backend, postgres: Backend) -> None:  # E3 W13
    """It is a note of the first error, and the other databases' sessions are closed all the same."""
    problem = ValueError("first")
    sessions: list[Any] = []

    async def work(request: Request) -> Response:
        sessions.append(request.state.two)
        await request.state.one.execute(sqlite.insert, "a")
        await request.state.two.execute(postgres.insert, "a")
        raise problem

    spec = SQLSpec()
    stubborn: Any = spec.add_config(sqlite.config(session_key="one"))
    stubborn.driver_type = Stubborn
    spec.add_config(postgres.config(session_key="two"))
    app = Starlette(routes=[Route("/", work, methods=["POST"])])
    SQLSpecPlugin(spec, app)
    async with serving(app) as client:
        assert (await client.post("/")).error is problem
        assert problem.__notes__ == ["Closing the sessions of the request failed too: no more"]
        with pytest.raises(SessionClosedError):
            await sessions[0].select_value("SELECT 1")


# What is lost is said


@pytest.mark.parametrize(("mode", "status"), [("autocommit", 303), ("manual", 201)])
async def test_a_discarded_write_is_one_warning(
    sqlite: Backend, mode: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:  # W12
    """It names method, route and how many statements may have changed something; reading counts for nothing."""

    async def work(request: Request, db: Any) -> Response:
        await db.execute(sqlite.insert, "a")
        await db.execute(sqlite.insert, "b")
        await db.select(sqlite.select)
        return Response(status_code=status)

    async with serving(app_with(sqlite, work, commit_mode=mode)) as client:
        await client.post("/items/a")
    [warning] = warnings_of(caplog)
    for part in ("POST", str(status), "2 statement(s)", mode, "'main'"):
        assert part in warning


@pytest.mark.parametrize("way", ["handle", "stream"])
async def test_a_discarded_write_is_seen_whatever_way_it_went(
    sqlite: Backend, way: str, caplog: pytest.LogCaptureFixture
) -> None:  # W12 W6
    """Through the driver's own connection and through a stream, too."""

    async def work(request: Request, db: Any) -> Response:
        if way == "handle":
            await request.state.db_connection.execute(f"INSERT INTO {sqlite.table} (name) VALUES ('a')")
        else:
            async with db.select_stream(f"INSERT INTO {sqlite.table} (name) VALUES ('a') RETURNING name") as rows:
                assert [row async for row in rows] == [{"name": "a"}]
        return Response()

    async with serving(app_with(sqlite, work, commit_mode="manual")) as client:
        await client.post("/items/a")
    [warning] = warnings_of(caplog)
    assert "1 statement(s)" in warning


@pytest.mark.parametrize(("mode", "status"), [("autocommit", 404), ("manual", 500), ("autocommit", 200)])
async def test_errors_and_commits_are_no_warning(
    sqlite: Backend, mode: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:  # W12
    """Rolling back an error is what everybody expects."""

    async def work(request: Request, db: Any) -> Response:
        await db.execute(sqlite.insert, "a")
        return Response(status_code=status)

    async with serving(app_with(sqlite, work, commit_mode=mode)) as client:
        await client.post("/items/a")
    assert warnings_of(caplog) == []


async def test_reading_alone_is_no_warning(sqlite: Backend, caplog: pytest.LogCaptureFixture) -> None:  # W12
    """A page that only reads in manual mode, or redirects, loses nothing."""

    async def work(request: Request, db: Any) -> Response:
        await db.select(sqlite.select)
        return Response(status_code=303)

    async with serving(app_with(sqlite, work, commit_mode="autocommit")) as client:
        await client.get("/items/a")
    assert warnings_of(caplog) == []


async def test_a_path_in_a_warning_cannot_forge_log_lines(  # W12 E5
    sqlite: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    """Where no route is known the path is the client's text, and is shown quoted."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await scope["state"]["db_session"].execute(sqlite.insert, "a")
        await Response(status_code=303)(scope, receive, send)

    outer = Starlette()
    spec = SQLSpec()
    config = spec.add_config(sqlite.config())
    SQLSpecPlugin(spec, outer)
    outer.router.default = app
    await Client(outer).post("/x\nERROR forged")
    await spec.close_pool(config)
    assert len(caplog.records) == 2  # this one, and the pool's that opened late
    assert "\n" not in caplog.records[0].getMessage()
