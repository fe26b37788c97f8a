"""One empty database per test and async adapter, and ears for what is only said to a loop or a log."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest

from tests.compliance.adapters import ADAPTERS, Database, open_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(params=[adapter for adapter in ADAPTERS if "async" in adapter.can], ids=str)
async def database(request: pytest.FixtureRequest, postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database; the test runs once per async adapter."""
    async with open_database(request.param, postgres_dsn, tmp_path) as database:
        yield database


@pytest.fixture
async def silence(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Nothing may be said behind the test's back: no forgotten task, no exception that nobody retrieved."""
    heard: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    yield
    await asyncio.sleep(0)
    gc.collect()
    await asyncio.sleep(0)
    assert heard == []
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []
