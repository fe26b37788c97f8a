"""What is still open, or was closed, by an endpoint whose response starts: no success without a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import Response

from sqlspec.exceptions import TransactionAbortedError, TransactionError
from tests.web.apps import app_with, warnings_of
from tests.web.client import serving

if TYPE_CHECKING:
    from starlette.requests import Request

    from tests.web.backends import Backend


@pytest.mark.parametrize("mode", ["autocommit", "manual"])
async def test_an_open_block_is_no_success(backend: Backend, mode: str) -> None:  # W11 W14 S4
    """Nobody knows how it will end: nothing is saved, and the error says what to do. Leaving it then says so, too."""
    blocks: list[Any] = []

    async def work(request: Request, db: Any) -> Response:
        blocks.append(db.transaction())
        await blocks[0].__aenter__()
        await db.execute(backend.insert, "a")
        return Response(status_code=201)

    async with serving(app_with(backend, work, commit_mode=mode, pool_size=1)) as client:
        response = await client.post("/items/a")
        assert response.status == 500
        assert isinstance(response.error, TransactionError)
        assert 'scope="function"' in str(response.error)
        with pytest.raises(TransactionAbortedError):
            await blocks[0].__aexit__(None, None, None)
    assert await backend.rows() == []


@pytest.mark.parametrize("mode", ["autocommit", "manual"])
async def test_an_open_block_is_rolled_back_with_an_error_status(backend: Backend, mode: str) -> None:  # W11
    """That is what its status says. Inside, nothing can run without that transaction; outside, the body goes on."""
    blocks: list[Any] = []
    problems: list[Exception] = []

    class Later(Response):
        """Goes on with the block after its start."""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            try:
                await scope["state"]["db_session"].execute(backend.insert, "b")
            except TransactionAbortedError as error:
                problems.append(error)
            with pytest.raises(TransactionAbortedError):
                await blocks[0].__aexit__(None, None, None)
            await scope["state"]["db_session"].execute(backend.insert, "c")
            await send({"type": "http.response.body", "body": b""})

    async def work(request: Request, db: Any) -> Response:
        blocks.append(db.transaction())
        await blocks[0].__aenter__()
        await db.execute(backend.insert, "a")
        return Later()

    async with serving(app_with(backend, work, commit_mode=mode, pool_size=1)) as client:
        response = await client.post("/items/a")
        assert (response.status, response.error) == (404, None)
    assert len(problems) == 1
    assert await backend.rows() == ["c"]


async def test_a_block_that_was_left_with_its_error(backend: Backend) -> None:  # S4 W13
    """Rolled back at the start already; what comes out of it is its own error."""
    problem = ValueError("mine")
    blocks: list[Any] = []

    async def work(request: Request, db: Any) -> Response:
        blocks.append(db.transaction())
        await blocks[0].__aenter__()
        return Response(status_code=404)

    async with serving(app_with(backend, work, commit_mode="autocommit")) as client:
        await client.post("/items/a")
        assert await blocks[0].__aexit__(ValueError, problem, None) is None


@pytest.mark.parametrize("status", [201, 409])
async def test_closing_the_session_is_no_success(backend: Backend, status: int) -> None:  # W14 S8
    """A habit that undoes the request's work: its success is one no longer, an error stays what it is."""

    async def work(request: Request, db: Any) -> Response:
        try:
            await db.execute(backend.insert, "a")
        finally:
            await db.close()
        return Response(status_code=status)

    async with serving(app_with(backend, work, commit_mode="autocommit", pool_size=1)) as client:
        response = await client.post("/items/a")
    assert response.status == (500 if status == 201 else status)
    if status == 201:
        assert isinstance(response.error, TransactionAbortedError)
        assert "closed before its request's outcome" in str(response.error)
    assert await backend.rows() == []


async def test_closing_the_session_in_manual_mode_is_told(
    backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:  # W12
    """As every other write that is discarded behind a success."""

    async def work(request: Request, db: Any) -> Response:
        await db.execute(backend.insert, "a")
        await db.close()
        return Response()

    async with serving(app_with(backend, work)) as client:
        assert (await client.post("/items/a")).status == 200
    [warning] = warnings_of(caplog)
    assert "1 statement(s)" in warning


async def test_closing_what_has_only_read_is_nothing(backend: Backend) -> None:  # W12
    """Nor closing what was committed."""

    async def work(request: Request, db: Any) -> Response:
        await db.execute(backend.insert, "a")
        await db.commit()
        await db.select(backend.select)
        await db.close()
        return Response()

    async with serving(app_with(backend, work, commit_mode="autocommit")) as client:
        assert (await client.post("/items/a")).status == 200
    assert await backend.rows() == ["a"]
