"""The web figures into Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.report import Markers, spread, table, verdict_table
from benchmarks.web.load import BY_HAND, CONTENDERS, ROUTES
from benchmarks.web.targets import ratios

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.report import Compared
    from benchmarks.targets import Verdict
    from benchmarks.web.load import Run

__all__ = ("MARKERS", "WebReport")

MARKERS = Markers(
    "<!-- benchmarks.web: begin, written by python -m benchmarks.web --output -->", "<!-- benchmarks.web: end -->"
)


@dataclass(frozen=True, slots=True)
class WebReport:
    """Everything that one run found."""

    facts: Mapping[str, str]
    overhead: Sequence[Compared]
    runs: Sequence[Run]
    verdicts: Sequence[Verdict]

    def markdown(self) -> str:
        """Tables for people."""
        parts = ["\n".join(f"- {name}: {fact}" for name, fact in self.facts.items())]
        if self.overhead:
            parts.append(_overhead(self.overhead))
        if self.runs:
            parts.append(_load(self.runs))
        if self.verdicts:
            parts.append(verdict_table(self.verdicts))
        return "\n\n".join(parts)


def _overhead(figures: Iterable[Compared]) -> str:
    heads = ("in process", "bare app", "with the plugin", "more", "quartiles", "best", "rounds")
    rows = [
        (
            each.workload,
            f"{each.raw.median * 1e6:.1f} µs",
            f"{each.ours.median * 1e6:.1f} µs",
            f"**{each.more.median * 1e6:.1f} µs**",
            f"{each.more.first * 1e6:.1f} - {each.more.third * 1e6:.1f} µs",
            f"{(each.ours.low - each.raw.low) * 1e6:.1f} µs",
            str(each.rounds),
        )
        for each in figures
    ]
    return table(heads, rows, numbers_from=1)


def _load(runs: Sequence[Run]) -> str:
    heads = (
        *("route", "contender", "requests/s", "ratio", "quartiles", "CPU per request", "ratio by CPU", "quartiles"),
        *("half within", "99 % within", "rounds"),
    )
    names = [(route.name, contender.name) for route in ROUTES for contender in CONTENDERS]
    rows = [_load_row(runs, route, contender) for route, contender in names]
    return table(heads, [row for row in rows if row], numbers_from=2)


def _load_row(runs: Sequence[Run], route: str, contender: str) -> Sequence[str]:
    """Empty for what was not measured."""
    own = [run for run in runs if (run.route, run.contender) == (route, contender)]
    if not own:
        return ()
    pairs = ratios(runs, route, contender, BY_HAND.name)
    per_second, cpu = (spread([pair[place] for pair in pairs]) for place in (0, 1))
    return (
        route,
        contender,
        f"{median(run.per_second for run in own):,.0f}",
        f"**{per_second.median:.2f}**",
        f"{per_second.first:.2f} - {per_second.third:.2f}",
        f"{median(run.cpu_per_request for run in own) * 1e6:.0f} µs",
        f"**{cpu.median:.2f}**",
        f"{cpu.first:.2f} - {cpu.third:.2f}",
        f"{median(run.middle for run in own) * 1e3:.1f} ms",
        f"{median(run.late for run in own) * 1e3:.1f} ms",
        str(len(own)),
    )
