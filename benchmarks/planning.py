"""What a statement of 200 characters that was never seen costs before it is sent: found missing, lexed, bound.

Each text differs from all others in a comment. Nothing is executed.
"""

from __future__ import annotations

import gc
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING

from sqlspec.core.facts import ParameterStyle
from sqlspec.core.plan import PlanCache
from sqlspec.dialects.postgres import POSTGRES
from sqlspec.dialects.sqlite import SQLITE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.timing import Effort

__all__ = ("LENGTH", "statement", "time_planning")

LENGTH = 200
_TEXTS = 300  # fewer than a cache holds
_QUERY = (
    "SELECT o.id, o.total, c.name FROM orders AS o JOIN customers AS c ON c.id = o.customer_id "
    "WHERE c.country = {} AND o.total > {} AND o.state <> 'void' ORDER BY o.id"
)
_CASES = {
    "SQLite, ?": (SQLITE, ParameterStyle.QMARK, ("?", "?"), ("PT", 100)),
    "PostgreSQL, $1": (POSTGRES, ParameterStyle.DOLLAR, ("$1", "$2"), ("PT", 100)),
    "PostgreSQL, :name": (POSTGRES, ParameterStyle.DOLLAR, (":country", ":total"), ({"country": "PT", "total": 100},)),
}
_numbers = count()


def statement(*marks: str) -> str:
    """A text of 200 characters that was never given before."""
    text = f"{_QUERY.format(*marks)} /* {next(_numbers):08} "
    return f"{text.ljust(LENGTH - 2, '-')}*/"


def time_planning(effort: Effort) -> Mapping[str, list[float]]:
    """Seconds per text, one figure per round, by what is planned. Cases take turns."""
    found: dict[str, list[float]] = {name: [] for name in _CASES}
    for number in range(max(9, effort.most // 4) + 1):
        for name, (facts, style, marks, parameters) in _CASES.items():
            plans = PlanCache(facts, style)
            texts = [statement(*marks) for _ in range(_TEXTS)]
            gc.collect()
            gc.disable()
            start = perf_counter()
            for text in texts:
                plans[text].bind(parameters)
            seconds = perf_counter() - start
            gc.enable()
            if number:  # the first round warms up
                found[name].append(seconds / _TEXTS)
    return found
