"""What we want of the figures, as the foundation's issue has it, and whether it was reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.imports import WARM

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.report import Alone, Compared
    from benchmarks.streaming import Peak

__all__ = ("PLANNING", "Verdict", "judge", "judge_modules", "judge_peaks")

PLANNING = "planning 200 characters never seen"
UNWANTED = (
    *("adbc_driver_manager", "aiomysql", "aiosqlite", "asyncmy", "asyncpg", "duckdb", "mysql", "psqlpy", "psycopg"),
    *("pyarrow", "pymysql", "sqlglot", "sqlite3"),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target beside what was found."""

    target: str
    found: str
    reached: bool


def judge(compared: Iterable[Compared], alone: Iterable[Alone]) -> list[Verdict]:
    """All targets that these figures say something about."""
    return [*_judge_compared(compared), *_judge_alone(alone)]


def _judge_compared(compared: Iterable[Compared]) -> Iterable[Verdict]:
    for each in compared:
        about = f"{each.adapter}, {each.workload}"
        ratio = each.ratio.median
        if each.adapter == "sqlite" and each.workload.startswith("one row as"):
            more = each.more.median * 1e6
            yield Verdict(f"{about}: raw + 1.5 µs at most", f"raw + {more:.2f} µs", more <= 1.5)
        elif each.adapter == "asyncpg" and each.workload.startswith("one row as"):
            yield Verdict(f"{about}: 1.10 x raw at most", f"{ratio:.2f} x raw", ratio <= 1.10)
        elif each.workload == "one row as dict":
            yield Verdict(f"{about}: 1.25 x raw at most", f"{ratio:.2f} x raw", ratio <= 1.25)
        elif each.workload == "1,000 rows as dicts":
            yield Verdict(f"{about}: 1.15 x a loop by hand at most", f"{ratio:.2f} x", ratio <= 1.15)


def _judge_alone(alone: Iterable[Alone]) -> Iterable[Verdict]:
    for each in alone:
        if each.name.startswith(PLANNING):
            micros = each.seconds.median * 1e6
            yield Verdict(f"{each.name}: 20 µs at most", f"{micros:.1f} µs", micros <= 20)
        elif each.name == WARM:
            millis = each.seconds.median * 1e3
            yield Verdict(f"{each.name}: 60 ms at most", f"{millis:.0f} ms", millis <= 60)


def judge_peaks(peaks: Iterable[Peak]) -> Iterable[Verdict]:
    """A stream holds a chunk, however many rows come."""
    for each in peaks:
        more = (each.many - each.few) / 2**20
        yield Verdict(
            f"{each.adapter}, a stream of 1,000,000 rows: flat, 16 MiB more than 10,000 at most",
            f"{more:.1f} MiB more",
            more <= 16,
        )


def judge_modules(heavy: Sequence[str]) -> Verdict:
    """``import sqlspec`` loads no driver and no parser."""
    loaded = [name for name in UNWANTED if name in heavy]
    return Verdict("import sqlspec loads no sqlglot and no driver", ", ".join(loaded) or "none of them", not loaded)
