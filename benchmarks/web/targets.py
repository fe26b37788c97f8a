"""What we want of the web figures, as the web contract's issue has it, and whether it was reached."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks.targets import Verdict
from benchmarks.web.load import BY_HAND, CONTENDERS, OURS, ROW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.report import Compared
    from benchmarks.web.load import Run

__all__ = ("judge_load", "judge_overhead", "ratios")


def judge_overhead(compared: Iterable[Compared]) -> Iterable[Verdict]:
    """A route without database."""
    for each in compared:
        more = each.more.median * 1e6
        yield Verdict(f"{each.workload}: bare app + 10 µs at most", f"bare app + {more:.1f} µs", more <= 10)


def judge_load(runs: Sequence[Run]) -> Iterable[Verdict]:
    """One row from PostgreSQL; peers that were not measured are not judged."""
    for other in CONTENDERS:
        found = ratios(runs, ROW.name, OURS.name, other.name)
        if other is OURS or not found:
            continue
        wanted = 0.90 if other is BY_HAND else 1.50
        per_second = median(each[0] for each in found)
        cpu = median(each[1] for each in found)
        yield Verdict(
            f"{ROW.name} under load: {wanted:.2f} x the requests per second of {other.name} at least",
            f"{per_second:.2f} x ({cpu:.2f} x by the server's CPU time)",
            per_second >= wanted,
        )


def ratios(runs: Iterable[Run], route: str, one: str, other: str) -> list[tuple[float, float]]:
    """How many times as many requests one served as the other, in each round: per second, and per second of CPU."""
    rounds: dict[int, dict[str, Run]] = {}
    for run in runs:
        if run.route == route:
            rounds.setdefault(run.round, {})[run.contender] = run
    return [
        (pair[one].per_second / pair[other].per_second, _times(pair[other].cpu_per_request, pair[one].cpu_per_request))
        for pair in rounds.values()
        if one in pair and other in pair
    ]


def _times(more: float, less: float) -> float:
    return more / less if less else 1.0  # where the system does not tell, and in runs that are too short to see any
