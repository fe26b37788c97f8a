"""What ``begin()`` may ask for: the level becomes a part of SQL."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import TransactionError


@pytest.mark.parametrize("level", [None, "read uncommitted", "read committed", "repeatable read", "serializable"])
def test_known_levels(level: Any) -> None:
    """The four of the standard, or the database's default."""  # S4
    assert BeginOptions(level).isolation == level


@pytest.mark.parametrize(
    "level",
    ["serializable; drop table t; commit; begin", "bogus", "SERIALIZABLE", " serializable", "", 5, b"serializable", []],
)
def test_unknown_levels(level: Any) -> None:
    """Nothing else ever becomes SQL; the error lists what there is."""  # P8 E2 E4
    with pytest.raises(TransactionError, match="read uncommitted, read committed, repeatable read, serializable"):
        BeginOptions(level)
