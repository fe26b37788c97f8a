"""Figures into Markdown and JSON. Pure, but for the one function that rewrites a document."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from benchmarks.streaming import Peak
    from benchmarks.targets import Verdict
    from benchmarks.timing import Measurement

__all__ = (
    "MARKERS",
    "Alone",
    "Compared",
    "MarkerError",
    "Markers",
    "Report",
    "Spread",
    "between_markers",
    "compare",
    "rewrite",
    "spread",
    "table",
    "verdict_table",
)


class Markers(NamedTuple):
    """The two comments of a document between which tables stand."""

    begin: str
    end: str


MARKERS = Markers("<!-- benchmarks: begin, written by python -m benchmarks --output -->", "<!-- benchmarks: end -->")


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the middle of some figures is, and how wide they lie: median, quartiles, extremes."""

    low: float
    first: float
    median: float
    third: float
    high: float


@dataclass(frozen=True, slots=True)
class Compared:
    """Ours beside raw, in seconds per call. Ratio and difference are taken within each round."""

    adapter: str
    workload: str
    rounds: int
    ours: Spread
    raw: Spread
    ratio: Spread
    more: Spread


@dataclass(frozen=True, slots=True)
class Alone:
    """A figure without anything beside it, in seconds."""

    name: str
    seconds: Spread


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one run found."""

    facts: Mapping[str, str]
    compared: Sequence[Compared]
    alone: Sequence[Alone]
    verdicts: Sequence[Verdict] = ()
    peaks: Sequence[Peak] = ()

    def markdown(self) -> str:
        """Tables for people."""
        parts = [_facts(self.facts), _compared(self.compared)]
        if self.alone:
            parts.append(_alone(self.alone))
        if self.peaks:
            parts.append(_peaks(self.peaks))
        if self.verdicts:
            parts.append(verdict_table(self.verdicts))
        return "\n\n".join(parts)


def spread(figures: Sequence[float]) -> Spread:
    """Of at least one figure."""
    first, third = figures[0], figures[0]
    if len(figures) > 1:
        first, _, third = quantiles(figures, n=4, method="inclusive")
    return Spread(min(figures), first, median(figures), third, max(figures))


def compare(adapter: str, workload: str, measured: Measurement) -> Compared:
    """What a measurement says."""
    pairs = list(zip(measured.ours, measured.raw, strict=True))
    return Compared(
        adapter,
        workload,
        len(pairs),
        ours=spread(measured.ours),
        raw=spread(measured.raw),
        ratio=spread([ours / raw for ours, raw in pairs]),
        more=spread([ours - raw for ours, raw in pairs]),
    )


# Markdown


def _facts(facts: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}: {fact}" for name, fact in facts.items())


def _compared(figures: Iterable[Compared]) -> str:
    heads = ("adapter", "work", "raw", "ours", "more", "ratio", "quartiles", "best", "rounds")
    rows = [
        (
            each.adapter,
            each.workload,
            _time(each.raw.median),
            _time(each.ours.median),
            _time(each.more.median),
            f"**{each.ratio.median:.2f}**",
            f"{each.ratio.first:.2f} - {each.ratio.third:.2f}",
            f"{each.ours.low / each.raw.low:.2f}",
            str(each.rounds),
        )
        for each in figures
    ]
    return table(heads, rows, numbers_from=2)


def _alone(figures: Iterable[Alone]) -> str:
    rows = [
        (
            each.name,
            _time(each.seconds.median),
            f"{_time(each.seconds.first)} - {_time(each.seconds.third)}",
            _time(each.seconds.low),
        )
        for each in figures
    ]
    return table(("alone", "median", "quartiles", "best"), rows, numbers_from=1)


def _peaks(peaks: Iterable[Peak]) -> str:
    rows = [(each.adapter, f"{each.few / 2**20:.1f} MiB", f"{each.many / 2**20:.1f} MiB") for each in peaks]
    return table(("memory that a stream adds at its peak", "10,000 rows", "1,000,000 rows"), rows, numbers_from=1)


def verdict_table(verdicts: Iterable[Verdict]) -> str:
    """What was wanted, and whether it was reached."""
    rows = [(each.target, each.found, "yes" if each.reached else "**no**") for each in verdicts]
    return table(("target", "found", "reached"), rows, numbers_from=3)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int) -> str:
    """Columns from that one on stand at the right."""
    rule = ["---:" if index >= numbers_from else "---" for index in range(len(heads))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))


def _time(seconds: float) -> str:
    """Three digits, in the unit that suits."""
    micros = seconds * 1e6
    if abs(micros) >= 1000:
        return f"{micros / 1000:.3g} ms"
    return f"{micros:.3g} µs" if abs(micros) < 100 else f"{micros:.0f} µs"


# Documents


class MarkerError(Exception):
    """A document has no place for the tables."""


def between_markers(document: str, text: str, markers: Markers = MARKERS) -> str:
    """The document with this text where the tables were.

    Raises:
        MarkerError: The two comments are not there, once each and in order.
    """
    before, begin, rest = document.partition(markers.begin)
    _, end, after = rest.partition(markers.end)
    if not begin or not end or markers.begin in rest or markers.end in before + after:
        message = f"It must hold these two lines, once each and in this order:\n{markers.begin}\n{markers.end}"
        raise MarkerError(message)
    return f"{before}{markers.begin}\n\n{text}\n\n{markers.end}{after}"


def rewrite(path: Path, text: str, markers: Markers = MARKERS) -> None:
    """Put the text between the two comments of a document."""
    path.write_text(between_markers(path.read_text(encoding="utf-8"), text, markers), encoding="utf-8")
