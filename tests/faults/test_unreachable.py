"""Servers that refuse, do not answer, or come late: E2 F4 S10."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.exceptions import (
    ConnectionFailedError,
    PoolTimeoutError,
)
from tests.support.postgres import SECRET, assert_shows_no_secret, asyncpg_config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlspec.testing.compliance import Database


async def test_a_server_that_can_not_be_reached(postgres_dsn: str, unused_port: int) -> None:
    """Refused, unknown role, unknown database: ConnectionFailedError each time, never a slot or a pool lost."""  # E2
    base = postgres_dsn.rpartition("/")[0]
    wrong: list[dict[str, Any]] = [
        {"dsn": postgres_dsn, "host": "127.0.0.1", "port": unused_port},
        {"dsn": f"{base}/no_such_database"},
        {"dsn": postgres_dsn, "user": "no_such_role"},
        {"dsn": postgres_dsn, "host": "no-such-host.invalid"},
    ]
    for place in wrong:
        for min_size in (0, 1):
            sizes = {"max_size": 1, "min_size": min_size}
            config = asyncpg_config({**place, **sizes, "password": SECRET}, acquire_timeout=5)
            for _ in range(3):
                with pytest.raises(ConnectionFailedError) as failed:
                    async with config.provide_session() as db:
                        await db.select_value("SELECT 1")
                assert_shows_no_secret(failed.value)
                assert "postgresql://" in str(failed.value)
                assert failed.value.__cause__ is not None
            assert config.connections.holders == []
            await config.close()


async def test_a_pool_works_as_soon_as_its_server_does(tmp_path: Path) -> None:
    """Opening failed before: nothing of that is left over."""  # E2 S10
    folder = tmp_path / "later"
    config = AiosqliteConfig(pool_config={"database": folder / "x.db", "max_size": 1, "min_size": 1})
    for _ in range(3):
        with pytest.raises(ConnectionFailedError):
            async with config.provide_session() as db:
                await db.select_value("SELECT 1")
    folder.mkdir()
    async with config.provide_session() as db:
        assert await db.select_value("SELECT 1") == 1
    await config.close()


async def test_a_postgres_pool_works_as_soon_as_its_server_does(postgres_dsn: str) -> None:
    """The database is made after the first attempts failed."""  # E2 S10
    admin = AsyncpgConfig(pool_config={"dsn": postgres_dsn, "max_size": 1})
    name = f"later_{time.monotonic_ns()}"
    config = AsyncpgConfig(pool_config={"dsn": f"{postgres_dsn.rpartition('/')[0]}/{name}", "max_size": 1})
    for _ in range(2):
        with pytest.raises(ConnectionFailedError, match="does not exist"):
            async with config.provide_session() as db:
                await db.select_value("SELECT 1")
    async with admin.provide_session() as db:
        await db.execute(f"CREATE DATABASE {name}")
        try:
            async with config.provide_session() as late:
                assert await late.select_value("SELECT 1") == 1
            await config.close()
        finally:
            await db.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_a_pool_that_is_full_of_refused_attempts_is_not_full(postgres_dsn: str) -> None:
    """Twenty at once are refused; then ten slots are still ten slots."""  # E2 F4
    config = AsyncpgConfig(
        pool_config={"dsn": postgres_dsn, "user": "no_such_role", "max_size": 2, "min_size": 0}, acquire_timeout=10
    )

    async def attempt() -> None:
        async with config.provide_session() as db:
            await db.select_value("SELECT 1")

    failures = await asyncio.gather(*(attempt() for _ in range(20)), return_exceptions=True)
    assert {type(failure) for failure in failures} == {ConnectionFailedError}
    await config.close()


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """Somebody accepts there, and never answers."""
    peers: list[asyncio.StreamWriter] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for peer in peers:
        peer.transport.abort()
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("min_size", [0, 1])
@pytest.mark.parametrize(
    ("place", "options"),
    [
        ({"timeout": 0.3}, {}),
        ({"timeout": 0.3}, {"acquire_timeout": None}),
        ({}, {"acquire_timeout": 0.3}),
    ],
)
async def test_a_server_that_does_not_answer(silent_port: int, min_size: int, place: Any, options: Any) -> None:
    """Is one that can't be connected to, not a pool that is exhausted; and nobody waits longer than said."""  # E2 F4
    place = {"host": "127.0.0.1", "port": silent_port, "min_size": min_size, "max_size": 1, **place}
    config = asyncpg_config(place, **options)

    async def attempt() -> None:
        async with config.provide_session() as db:
            await db.select_value("SELECT 1")

    started = time.monotonic()
    failures = await asyncio.gather(attempt(), attempt(), return_exceptions=True)
    assert time.monotonic() - started < 2
    for failure in failures:
        assert isinstance(failure, ConnectionFailedError), failure
        assert re.search(r"Could not connect to postgresql://.*: it did not answer in 0\.\d s$", str(failure))
    assert config.connections.holders == []
    await config.close()


async def test_a_pool_that_others_empty_is_exhausted(database: Database) -> None:
    """Connections taken from the driver's pool by hand are in use, too: the server answers."""  # F4
    config: Any = database.new_config({"max_size": 1}, acquire_timeout=0.1)
    await config.open()
    pool = config.connections.pool
    taken = await config.take(pool, 1)
    with pytest.raises(PoolTimeoutError, match=r"became free in 0\.1 s"):
        async with config.provide_session() as db:
            await db.select_value("SELECT 1")
    await config.give(pool, taken)


@pytest.fixture
def unused_port() -> int:
    """Nobody listens there."""
    from sqlspec.servers.process import free_port

    return free_port()


async def test_several_hosts_are_tried(postgres_dsn: str, unused_port: int) -> None:
    """The first that answers serves."""  # C1
    base, _, rest = postgres_dsn.rpartition("@")
    host, _, database = rest.partition("/")
    config = asyncpg_config({"dsn": f"{base}@127.0.0.1:{unused_port},{host}/{database}"})
    async with config.provide_session() as db:
        assert await db.select_value("SELECT 1") == 1
    await config.close()
