"""Servers that go away under uvicorn, and come back: who is served meanwhile, who after, and what the 2xx are worth."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sqlspec.exceptions import CommitOutcomeUnknownError, OperationalError, PartialCommitError
from tests.compliance.targets import BY_NAME, SERVER_OF
from tests.support.cable import cable
from tests.support.servers import SERVERS
from tests.web.client import serving
from tests.web.test_cancellation import by_anyio, by_asyncio
from tests.web.uvicorn_server import Recorded, app_of, uvicorn_serving

if TYPE_CHECKING:
    import httpx
    from starlette.requests import Request

    from tests.web.backends import AsyncConfig, Backend

on_a_server = pytest.mark.parametrize("backend", ["asyncpg", "psycopg", "asyncmy"], indirect=True)
BACK_WITHIN = 2.0
"""Seconds until all is served again (F3)."""


def dsn_of(backend: Backend) -> str:
    dsn: str = getattr(SERVERS, f"{SERVER_OF[backend.name]}_dsn")
    return dsn


def config_at(backend: Backend, dsn: str, **options: Any) -> AsyncConfig:
    """A config for the app, which reaches the backend's database there."""
    kind: Any = BY_NAME[backend.name].config()
    config: AsyncConfig = kind(
        pool_config={"dsn": dsn, "max_size": 2},
        extension_config={"starlette": {"commit_mode": "autocommit", **options}},
        acquire_timeout=3,
    )
    return config


def unavailable(request: Request, error: Exception) -> Response:
    return Response(status_code=503)


async def health(request: Request) -> Response:
    return PlainTextResponse("well")


def app_at(backend: Backend, config: AsyncConfig, **options: Any) -> Recorded:
    async def save(request: Request) -> Response:
        await request.state.db_session.execute(backend.insert, request.path_params["name"])
        return Response(status_code=201)

    async def users(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.state.db_session.select(backend.select))))

    routes = [Route("/health", health), Route("/users", users), Route("/{name}", save, methods=["POST"])]
    return Recorded(app_of(routes, config, **options))


async def seconds_until_served(client: httpx.AsyncClient, path: str) -> float:
    """Until this is answered by 200 for the first time."""
    begun = time.monotonic()
    async with asyncio.timeout(8):
        while (await client.get(path)).status_code != 200:
            await asyncio.sleep(0.01)
    return time.monotonic() - begun


# The only database


@on_a_server
@pytest.mark.parametrize(("handlers", "status"), [({}, 500), ({OperationalError: unavailable}, 503)])
async def test_health_while_the_server_is_down(backend: Backend, handlers: Any, status: int) -> None:  # W8 F3
    """What needs no database is served all the time, the rest fails as the app says, and soon all is well again."""
    async with cable(dsn_of(backend)) as (between, near):
        app = app_at(backend, config_at(backend, near), exception_handlers=handlers)
        async with uvicorn_serving(app) as client:
            assert (await client.get("/users")).text == "0"
            between.pull_out()
            for _ in range(2):
                down = asyncio.ensure_future(client.get("/users"))
                while not down.done():
                    async with asyncio.timeout(0.5):
                        assert (await client.get("/health")).text == "well"
                    await asyncio.sleep(0.02)
                assert (await down).status_code == status
            await between.plug_in()
            assert await seconds_until_served(client, "/users") < BACK_WITHIN
            assert (await client.post("/a")).status_code == 201
    assert await backend.rows() == ["a"]


@on_a_server
async def test_an_outage_between_requests_costs_nobody_an_error(backend: Backend) -> None:  # F2 W9
    """Both connections of the pool died while nobody used them: BEGIN finds out, and takes new ones."""
    async with cable(dsn_of(backend)) as (between, near):
        config = config_at(backend, near)
        async with uvicorn_serving(app_at(backend, config)) as client:
            async with config.provide_session() as one, config.provide_session() as two:
                assert [await db.select_value("SELECT 1") for db in (one, two)] == [1, 1]
            between.fray()
            assert [(await client.post(f"/{name}")).status_code for name in "abc"] == [201] * 3
    assert await backend.rows() == ["a", "b", "c"]


@on_a_server
async def test_a_server_that_goes_away_under_load(backend: Backend) -> None:  # F2 F3 W11
    """Twice, in the middle of everything: every 2xx is stored, and of the others only a COMMIT that nobody answered."""
    statuses: dict[str, int] = {}
    over = asyncio.Event()

    async def post_on(client: httpx.AsyncClient, worker: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            name = f"{worker:02}-{number:04}"
            statuses[name] = (await client.post(f"/{name}")).status_code

    async with cable(dsn_of(backend)) as (between, near):
        config = config_at(backend, near)
        app = app_at(backend, config)
        async with uvicorn_serving(app) as client, asyncio.TaskGroup() as workers:
            for worker in range(8):
                workers.create_task(post_on(client, worker))
            for _ in range(2):
                await asyncio.sleep(0.3)
                between.pull_out()
                await asyncio.sleep(0.2)
                await between.plug_in()
                assert await seconds_until_served(client, "/users") < BACK_WITHIN
            over.set()
        unknown = {path[1:] for path, error in app.errors.items() if isinstance(error, CommitOutcomeUnknownError)}
    good = {name for name, status in statuses.items() if status == 201}
    saved = set(await backend.rows())
    assert set(statuses.values()) == {201, 500}
    assert good <= saved <= good | unknown


@on_a_server
@pytest.mark.parametrize("delivered", [True, False])
async def test_a_commit_that_is_cut_off(backend: Backend, delivered: bool) -> None:  # W14 S6 F2
    """Whether the server heard of it or not, it is never a success, never sent again, and the error says what it is."""
    async with cable(dsn_of(backend)) as (between, near):
        config = config_at(backend, near)
        app = app_at(backend, config)
        async with uvicorn_serving(app) as client:
            assert (await client.post("/a")).status_code == 201
            between.break_at(b"COMMIT", delivered=delivered)
            assert (await client.post("/b")).status_code == 500
            assert isinstance(app.errors["/b"], CommitOutcomeUnknownError)
            assert config.connections.holders == []
            assert (await client.post("/c")).status_code == 201
    assert await backend.rows() == (["a", "b", "c"] if delivered else ["a", "c"])


@on_a_server
async def test_a_silent_server_costs_only_those_who_ask_it(backend: Backend) -> None:  # W19 W8
    """Nothing comes through and nothing says so: the app's own time limit frees the request, and the pool heals."""

    async def users(request: Request) -> Response:
        try:
            async with asyncio.timeout(0.2):
                return PlainTextResponse(str(len(await request.state.db_session.select(backend.select))))
        except TimeoutError:
            return Response(status_code=503)

    async with cable(dsn_of(backend)) as (between, near):
        config = config_at(backend, near)
        app = app_of([Route("/health", health), Route("/users", users)], config)
        async with uvicorn_serving(app) as client:
            assert (await client.get("/users")).text == "0"
            between.cut = True
            begun = time.monotonic()
            down = await asyncio.gather(*(client.get("/users") for _ in range(4)), client.get("/health"))
            assert [response.status_code for response in down] == [503] * 4 + [200]
            assert time.monotonic() - begun < 2
            between.cut = False
            between.fray()  # what was cut short in the middle is of no use to anybody
            assert await seconds_until_served(client, "/users") < BACK_WITHIN + 1


@on_a_server
@pytest.mark.parametrize("cancel", [by_asyncio, by_anyio])
async def test_a_cancelled_request_does_not_wait_for_a_silent_server(backend: Backend, cancel: Any) -> None:  # W19
    """Its ROLLBACK gets no answer: the caller goes on, and the connection is given up without it."""
    reached = asyncio.Event()

    async def idle(request: Request) -> Response:
        await request.state.db_session.execute(backend.insert, "lost")
        reached.set()
        await asyncio.Event().wait()
        return Response()

    async with cable(dsn_of(backend)) as (between, near):
        config = config_at(backend, near)
        app = app_of([Route("/", idle, methods=["POST"])], config)
        async with serving(app) as client:

            async def silence() -> None:
                await reached.wait()
                between.cut = True

            silencing = asyncio.ensure_future(silence())
            await asyncio.sleep(0)
            begun = time.monotonic()
            await cancel(client.post("/"), reached)
            assert time.monotonic() - begun < 1.5  # 0.8 of it for the ROLLBACK, some for the INSERT
            await silencing
            async with asyncio.timeout(5):
                while config.connections.holders:
                    await asyncio.sleep(0.01)
            between.cut = False
            between.fray()
    assert await backend.rows() == []


# Several databases


def two_databases(sqlite: Backend, backend: Backend, near: str) -> tuple[Recorded, AsyncConfig]:
    """Routes that write to the first, to the second, and to both; the second one goes away."""
    second = config_at(backend, near, session_key="second")
    parts = {"first": ("db_session", sqlite.insert), "second": ("second", backend.insert)}

    async def save(request: Request) -> Response:
        which = request.path_params["which"]
        for name, (key, insert) in parts.items():
            if which in {name, "both"}:
                await getattr(request.state, key).execute(insert, request.path_params["name"])
        return Response(status_code=201)

    routes = [Route("/health", health), Route("/{which}/{name}", save, methods=["POST"])]
    return Recorded(app_of(routes, sqlite.config(commit_mode="autocommit"), second)), second


@on_a_server
async def test_one_of_two_databases_goes_away(sqlite: Backend, backend: Backend) -> None:  # W8 W15
    """Who does not need it is served; who needs both saves nothing; and it comes back."""
    async with cable(dsn_of(backend)) as (between, near):
        app, _ = two_databases(sqlite, backend, near)
        async with uvicorn_serving(app) as client:

            async def statuses(name: str) -> list[int]:
                return [
                    (await client.post(f"/{which}/{name}{which}")).status_code for which in ("first", "second", "both")
                ]

            assert await statuses("a") == [201, 201, 201]
            between.pull_out()
            assert await statuses("b") == [201, 500, 500]
            assert (await client.get("/health")).text == "well"
            await between.plug_in()
            async with asyncio.timeout(BACK_WITHIN):
                while (await client.post("/second/probe")).status_code != 201:
                    await asyncio.sleep(0.01)
            assert await statuses("c") == [201, 201, 201]
    assert await sqlite.rows() == ["aboth", "afirst", "bfirst", "cboth", "cfirst"]
    assert await backend.rows() == ["aboth", "asecond", "cboth", "csecond", "probe"]


@on_a_server
async def test_the_second_commit_is_cut_off(sqlite: Backend, backend: Backend) -> None:  # W15 W14
    """The first is saved by then: the answer is 500, and the error names both."""
    async with cable(dsn_of(backend)) as (between, near):
        app, second = two_databases(sqlite, backend, near)
        async with uvicorn_serving(app) as client:
            between.break_at(b"COMMIT", delivered=False)
            assert (await client.post("/both/a")).status_code == 500
            error = app.errors["/both/a"]
            assert isinstance(error, PartialCommitError)
            assert (error.committed, error.failed) == (("db_session",), "second")
            assert isinstance(error.__cause__, CommitOutcomeUnknownError)
            assert second.connections.holders == []
            assert (await client.post("/both/b")).status_code == 201
    assert (await sqlite.rows(), await backend.rows()) == (["a", "b"], ["b"])
