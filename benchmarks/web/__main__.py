"""``python -m benchmarks.web``: measure, print tables, and write them where they are wanted."""

from __future__ import annotations

import argparse
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from benchmarks import environment
from benchmarks.report import MarkerError, between_markers, rewrite
from benchmarks.timing import FULL, QUICK, DifferentAnswersError
from benchmarks.web.load import (
    CONTENDERS,
    FULL_LOAD,
    QUICK_LOAD,
    Loaded,
    LoadEffort,
    Setting,
    make_tables,
    measure_load,
)
from benchmarks.web.overhead import measure_overhead
from benchmarks.web.peers import PeersError, installed, make_environment
from benchmarks.web.report import MARKERS, WebReport
from benchmarks.web.servers import NotServingError
from benchmarks.web.targets import judge_load, judge_overhead
from benchmarks.web.wrk import CONNECTIONS, LoadError, find_wrk, wrk_version
from sqlspec.servers import ServerUnavailableError, find_or_start_postgres

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.web.servers import Contender

__all__ = ("main",)

_PACKAGES = ("asyncpg", "httptools", "starlette", "uvicorn", "uvloop")
_FAILURES = (
    DifferentAnswersError,
    LoadError,
    MarkerError,
    NotServingError,
    OSError,
    PeersError,
    ServerUnavailableError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 1 if something could not be measured or written."""
    options = _parser().parse_args(arguments)
    output: Path | None = options.output
    began = time.monotonic()
    try:
        if output is not None:
            between_markers(output.read_text(encoding="utf-8"), "", MARKERS)  # better now than after five minutes
        found = _measure(options)
    except _FAILURES as error:
        where = f"{output}: " if isinstance(error, MarkerError) else ""
        print(f"{where}{error}", file=sys.stderr)
        return 1
    print(found.markdown())
    if output is not None:
        rewrite(output, found.markdown(), MARKERS)
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    _tell(f"took {time.monotonic() - began:.0f} s")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks.web", description="The plugin beside what others do.")
    names = [contender.module for contender in CONTENDERS]
    parser.add_argument("--contender", action="append", choices=names, help="only these, and by_hand; may be repeated")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, with wider spreads")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of load, of 1 s for each contender and route")
    parser.add_argument("--no-load", action="store_true", help="in process only: needs no wrk")
    parser.add_argument("--pin", action="store_true", help="the servers on one core, the load on another")
    peers = parser.add_mutually_exclusive_group()
    peers.add_argument("--peer-python", type=Path, metavar="PATH", help="interpreter of the peers' environment")
    peers.add_argument(
        "--make-peers", type=Path, metavar="FOLDER", help="make the peers' environment there, and use it"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures, in seconds")
    parser.add_argument("--output", type=Path, metavar="FILE", help="rewrite the web tables in this Markdown document")
    return parser


def _measure(options: argparse.Namespace) -> WebReport:
    wrk = None if options.no_load else find_wrk()
    peer_python: Path | None = options.peer_python
    if options.make_peers is not None:
        _tell(f"{options.make_peers}: making the peers' environment")
        peer_python = make_environment(options.make_peers)
    facts = _facts(peer_python, wrk) | {"load before": environment.load()}
    with find_or_start_postgres() as server, server.temporary_database("sqlspec_bench_web") as dsn:
        facts["database"] = f"PostgreSQL {server.version}, synchronous_commit off, pools of 1 to 10 connections"
        make_tables(dsn)
        _tell("in process")
        overhead = measure_overhead(dsn, QUICK if options.quick else FULL)
        loaded = Loaded([], [], [])
        if wrk is not None:
            loaded = _load(options, dsn, wrk, peer_python)
            facts |= _load_facts(options, loaded)
    facts["load after"] = environment.load()
    return WebReport(facts, overhead, loaded.runs, [*judge_overhead(overhead), *judge_load(loaded.runs)])


def _load(options: argparse.Namespace, dsn: str, wrk: str, peer_python: Path | None) -> Loaded:
    effort = QUICK_LOAD if options.quick else FULL_LOAD
    if options.rounds:
        effort = LoadEffort(options.rounds, effort.seconds)
    pythons = {each.module: str(peer_python) if each.is_apart else sys.executable for each in CONTENDERS}
    cores = sorted(os.sched_getaffinity(0)) if options.pin else [None, None]
    setting = Setting(dsn, wrk, pythons, cores[0], cores[-1])
    return measure_load(setting, _chosen(options.contender, peer_python), effort, _tell)


def _chosen(modules: list[str] | None, peer_python: Path | None) -> list[Contender]:
    """Those that were asked for and can be had; the one by hand always, and first."""
    return [
        each
        for place, each in enumerate(CONTENDERS)
        if (not place or not modules or each.module in modules) and (peer_python is not None or not each.is_apart)
    ]


def _facts(peer_python: Path | None, wrk: str | None) -> dict[str, str]:
    facts = environment.facts()
    facts["packages"] = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    if peer_python is not None:
        facts["packages of the peers"] = ", ".join(f"{name} {each}" for name, each in installed(peer_python).items())
    if wrk is not None:
        facts["load by"] = f"wrk {wrk_version(wrk)}, 1 thread, {CONNECTIONS} connections"
    return facts


def _load_facts(options: argparse.Namespace, loaded: Loaded) -> dict[str, str]:
    facts = {
        "servers": "uvicorn with uvloop and httptools, one worker, no access log; "
        + ("the servers on one core, the load on another" if options.pin else "not pinned to cores"),
        "an insert whose answer is 409 is rolled back by": ", ".join(loaded.keeping),
    }
    names = dict.fromkeys(run.contender for run in loaded.runs)
    if losing := [name for name in names if name not in loaded.keeping]:
        facts["it is stored by"] = ", ".join(losing)
    if loaded.left_out:
        facts["left out, for they did not start"] = ", ".join(
            each.partition(" does not")[0] for each in loaded.left_out
        )
    return facts


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
