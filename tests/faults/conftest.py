"""One empty database per test and async adapter, and ears for what is only said to a loop or a log."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.testing.compliance.fixtures import (
    database,
    db,
    items,
    pytest_collection_modifyitems,
)
from sqlspec.testing.compliance.plugin import adapters_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ("database", "db", "items", "pytest_collection_modifyitems", "pytest_generate_tests", "silence")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once per async adapter."""
    if "database" in metafunc.fixturenames:
        found = [adapter for adapter in adapters_of(metafunc.config) if adapter.fits(("async",))]
        metafunc.parametrize("database", found, indirect=True, ids=str)


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
