"""Tests of single adapters: they name the ones that they are about."""

from sqlspec.testing.compliance.conftest import (
    database,
    db,
    items,
    pytest_collection_modifyitems,
    pytest_generate_tests,
    silence,
)

__all__ = ("database", "db", "items", "pytest_collection_modifyitems", "pytest_generate_tests", "silence")
