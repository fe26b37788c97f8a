"""One empty database per test and async adapter, and ears for what is only said to a loop or a log."""

from __future__ import annotations

import pytest

from sqlspec.testing.compliance.fixtures import (
    database,
    db,
    items,
    pytest_collection_modifyitems,
    silence,
)
from sqlspec.testing.compliance.plugin import adapters_of

__all__ = ("database", "db", "items", "pytest_collection_modifyitems", "pytest_generate_tests", "silence")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once per async adapter."""
    if "database" in metafunc.fixturenames:
        found = [adapter for adapter in adapters_of(metafunc.config) if adapter.fits(("async",))]
        metafunc.parametrize("database", found, indirect=True, ids=str)
