"""Type aliases that are used in three places or more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

__all__ = ("Row", "T")

T = TypeVar("T")

Row: TypeAlias = Sequence[Any]
"""One row as a driver gives it: a tuple, or a record that has a length, an index and an iterator."""
