"""The suite's own fixtures, for the tests beside this file."""

from sqlspec.testing.compliance.fixtures import (
    database,
    db,
    items,
    pytest_collection_modifyitems,
    pytest_generate_tests,
    silence,
)

__all__ = ("database", "db", "items", "pytest_collection_modifyitems", "pytest_generate_tests", "silence")
