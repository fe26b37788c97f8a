"""The suite's own fixtures, for the tests beside this file."""

from collections.abc import Generator

import pytest

from sqlspec.testing.compliance.fixtures import (
    database,
    db,
    items,
    pytest_collection_modifyitems,
    pytest_generate_tests,
    silence,
)

__all__ = ("database", "db", "items", "pytest_collection_modifyitems", "pytest_generate_tests", "silence")


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makemodule() -> Generator[None, pytest.Module, pytest.Module]:
    """Every test here is async, whatever mode the user's project has set for pytest-asyncio."""
    module = yield
    module.add_marker(pytest.mark.asyncio)
    return module
