"""Exceptions travel between processes whole (E1)."""

from __future__ import annotations

import pickle

import pytest

from sqlspec.exceptions import (
    MissingDependencyError,
    ParameterError,
    PartialCommitError,
    SQLSpecError,
    TransactionAbortedError,
    UniqueViolationError,
)


@pytest.mark.parametrize(
    "error",
    [
        MissingDependencyError("asyncpg", "asyncpg"),
        PartialCommitError(["a"], "b", ["c"]),
        ParameterError("wrong", statement="SELECT 1"),
        TransactionAbortedError("gone", statement="SELECT 1"),
        UniqueViolationError("twice", code="23505", sqlstate="23505", constraint="k", table="t", statement="INSERT"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_comes_back_as_it_was(error: SQLSpecError) -> None:
    """With its class, its text and everything that it carries."""
    copy: SQLSpecError = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert copy.__dict__ == error.__dict__
