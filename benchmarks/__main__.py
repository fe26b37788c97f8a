"""``python -m benchmarks``: measure, print tables, and write them where they are wanted."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from benchmarks import environment, report
from benchmarks.imports import time_imports
from benchmarks.planning import time_planning
from benchmarks.report import Alone, Compared, MarkerError, Report, compare, spread
from benchmarks.streaming import measure_streams
from benchmarks.targets import PLANNING, Verdict, judge, judge_modules, judge_peaks
from benchmarks.timing import FULL, QUICK, DifferentAnswersError, Effort, Work, Workload, measure
from benchmarks.workloads import ADAPTERS, opener
from sqlspec.servers import ServerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("main", "run")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 if something could not be measured or written."""
    options = _parser().parse_args(arguments)
    output: Path | None = options.output
    began = time.monotonic()
    try:
        if output is not None:
            report.between_markers(output.read_text(encoding="utf-8"), "")  # better now than after two minutes
        found = run(options.adapter or list(ADAPTERS), QUICK if options.quick else FULL)
    except (ServerUnavailableError, DifferentAnswersError, MarkerError, OSError) as error:
        where = f"{output}: " if isinstance(error, MarkerError) else ""
        print(f"{where}{error}", file=sys.stderr)
        return 1
    print(found.markdown())
    if output is not None:
        report.rewrite(output, found.markdown())
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    _tell(f"took {time.monotonic() - began:.0f} s")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description="Our time beside the raw drivers' time.")
    parser.add_argument("--adapter", action="append", choices=ADAPTERS, help="only this one; may be repeated")
    parser.add_argument("--quick", action="store_true", help="half a minute, with wider spreads")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures, in seconds")
    parser.add_argument("--output", type=Path, metavar="FILE", help="rewrite the tables in this Markdown document")
    return parser


def run(adapters: Sequence[str], effort: Effort) -> Report:
    """Measure everything, telling on stderr what is being measured."""
    facts = environment.facts() | {"load before": environment.load()}
    alone, modules = _measure_imports(effort)
    compared: list[Compared] = []
    for adapter in adapters:
        asyncio.run(_measure_adapter(adapter, effort, facts, compared, alone))
    _tell(PLANNING)
    alone += [Alone(f"{PLANNING}: {name}", spread(figures)) for name, figures in time_planning(effort).items()]
    peaks = measure_streams(adapters, _tell)
    facts["load after"] = environment.load()
    facts["heavy modules that import sqlspec loads"] = modules.found
    return Report(facts, compared, alone, [*judge(compared, alone), *judge_peaks(peaks), modules.verdict], peaks)


class _Modules(msgspec.Struct):
    found: str
    verdict: Verdict


def _measure_imports(effort: Effort) -> tuple[list[Alone], _Modules]:
    _tell("import sqlspec, in fresh processes")
    imports = time_imports(max(5, effort.most // 8))
    found = f"{', '.join(imports.heavy)} ({imports.modules} modules in all)"
    figures = [Alone(name, spread(seconds)) for name, seconds in imports.seconds.items()]
    return figures, _Modules(found, judge_modules(imports.heavy))


async def _measure_adapter(
    adapter: str, effort: Effort, facts: dict[str, str], compared: list[Compared], alone: list[Alone]
) -> None:
    _tell(f"{adapter}: opening")
    async with opener(adapter)() as bench:
        facts[adapter] = bench.database
        for workload in bench.workloads:
            _tell(f"{adapter}: {workload.name}")
            compared.append(compare(adapter, workload.name, await measure(workload, effort)))
        empty = Workload("empty session", Work(bench.empty_session), Work(bench.empty_session))
        measured = await measure(empty, effort)
        alone.append(
            Alone(f"{adapter}: a session opened and closed, nothing run", spread(measured.ours + measured.raw))
        )


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
