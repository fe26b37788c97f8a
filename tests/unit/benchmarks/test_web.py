"""The web benchmark: its checks, its figures, its command. Load comes from a stand-in for wrk that asks five times."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.report import MarkerError, between_markers, compare
from benchmarks.timing import DifferentAnswersError, Measurement
from benchmarks.web.__main__ import main
from benchmarks.web.load import (
    BY_HAND,
    CONTENDERS,
    OURS,
    ROUTES,
    LoadEffort,
    Run,
    Setting,
    make_tables,
    measure_load,
)
from benchmarks.web.peers import PeersError, installed
from benchmarks.web.report import MARKERS, WebReport
from benchmarks.web.servers import Contender, NotServingError, serving
from benchmarks.web.targets import judge_load, judge_overhead, ratios
from benchmarks.web.wrk import LoadError, read_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlspec.servers import PostgresServer

BEGIN, END = MARKERS
BESIDE_US = [each for each in CONTENDERS if not each.is_apart]
ONE_ROUND = LoadEffort(rounds=1, seconds=1)
STAND_IN = """#!{python}
import json, sys
from urllib.request import Request, urlopen
url, method = sys.argv[-3], sys.argv[-1]
for _ in range(5):
    urlopen(Request(url, method=method)).read()
print("words of wrk")
print(json.dumps(dict(requests=5 + {more}, seconds=0.5, refused=0, broken=0, middle=0.001, late=0.002)))
"""


@pytest.fixture
def setting(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Setting]:
    with postgres_server.temporary_database("sqlspec_bench_web") as dsn:
        make_tables(dsn)
        yield Setting(dsn, stand_in(tmp_path), {each.module: sys.executable for each in CONTENDERS})


def stand_in(folder: Path, more: int = 0) -> str:
    """A program that is called as wrk is. It says to have had so many answers more."""
    program = folder / "wrk"
    program.write_text(STAND_IN.format(python=sys.executable, more=more))
    program.chmod(0o755)
    return str(program)


def silent(_: str) -> None:
    """Nobody wants to know."""


def run(contender: str, per_second: float, cpu: float = 0.001, *, route: str = "one row", number: int = 1) -> Run:
    return Run(contender, route, number, per_second, cpu, middle=0.01, late=0.05)


# The rounds


def test_every_contender_answers_the_same_and_is_put_under_load(setting: Setting) -> None:
    """Those that live in our environment; all of them keep the promise about a refused insert."""
    loaded = measure_load(setting, BESIDE_US, ONE_ROUND, silent)

    assert [(each.contender, each.route) for each in loaded.runs] == [
        (contender.name, route.name) for route in ROUTES for contender in reversed(BESIDE_US)
    ]
    assert {each.per_second for each in loaded.runs} == {10.0}
    assert loaded.keeping == [each.name for each in BESIDE_US]
    assert loaded.left_out == []


def test_answers_without_stored_rows_are_no_figure(setting: Setting, tmp_path: Path) -> None:
    """Whoever counts more successes than rows has met a success without COMMIT."""
    liar = Setting(setting.dsn, stand_in(tmp_path, more=1), setting.pythons)

    with pytest.raises(LoadError, match="asyncpg by hand answered 6 inserts and stored 5"):
        measure_load(liar, [BY_HAND], ONE_ROUND, silent)


def test_contenders_that_answer_differently_are_not_measured(
    setting: Setting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.web.servers.FOLDER", tmp_path)
    app = (Path(main.__code__.co_filename).parent / "contenders" / "by_hand.py").read_text()
    (tmp_path / "by_hand.py").write_text(app)
    (tmp_path / "ours.py").write_text(app.replace('"ok"', '"OK"'))

    with pytest.raises(DifferentAnswersError, match=r"ours, no database: .*OK.* but by hand .*ok"):
        measure_load(setting, [BY_HAND, OURS], ONE_ROUND, silent)


def test_a_peer_that_does_not_start_is_left_out_and_told(setting: Setting) -> None:
    told: list[str] = []
    namesake = CONTENDERS[-1]  # it lives elsewhere: in our environment it finds us
    loaded = measure_load(setting, [BY_HAND, namesake], ONE_ROUND, told.append)

    assert {each.contender for each in loaded.runs} == {BY_HAND.name}
    (left_out,) = loaded.left_out
    assert left_out in told
    assert left_out.startswith("the namesake does not serve:\n")
    assert "connection_config" in left_out.partition("\n")[2]


def test_nothing_is_measured_without_the_one_by_hand() -> None:
    with (
        pytest.raises(NotServingError, match="by hand does not serve"),
        serving(Contender("nowhere", "by hand", is_peer=False), "postgresql://127.0.0.1:1/none"),
    ):
        pytest.fail("it serves")


# What wrk says


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("", "counted nothing"),
        ("unable to connect to 127.0.0.1", "counted nothing: unable to connect"),
        ('{"requests": 9, "seconds": 1, "refused": 2, "broken": 0, "middle": 0, "late": 0}', "of 9 requests 2 were"),
        ('{"requests": 9, "seconds": 1, "refused": 0, "broken": 3, "middle": 0, "late": 0}', "3 connections broke"),
        ('{"requests": 0, "seconds": 1, "refused": 0, "broken": 0, "middle": 0, "late": 0}', "of 0 requests"),
    ],
)
def test_a_run_in_which_requests_failed_is_no_figure(output: str, words: str) -> None:
    with pytest.raises(LoadError, match=f"^GET /row: .*{words}"):
        read_counts("GET /row", output)


# Figures


def test_ratios_are_taken_within_each_round() -> None:
    """A machine that was ten times slower in the second round changes neither ratio; a lone run has none."""
    runs = [
        *(run(OURS.name, 90, 0.002), run(BY_HAND.name, 100, 0.001)),
        *(run(OURS.name, 9, 0.02, number=2), run(BY_HAND.name, 10, 0.01, number=2)),
        *(run(OURS.name, 5, number=3), run(BY_HAND.name, 5, number=3, route="one insert")),
    ]

    assert ratios(runs, "one row", OURS.name, BY_HAND.name) == [(0.9, 0.5), (0.9, 0.5)]


@pytest.mark.parametrize(("micros", "reached"), [(9.9, True), (10.1, False)])
def test_a_route_without_database_may_cost_ten_microseconds(micros: float, reached: bool) -> None:
    (verdict,) = judge_overhead([compare("in process", "plain", Measurement(((10 + micros) / 1e6,), (10e-6,)))])

    assert verdict.reached is reached


@pytest.mark.parametrize(
    ("other", "per_second", "reached"),
    [(BY_HAND, 111, True), (BY_HAND, 112, False), (CONTENDERS[2], 66, True), (CONTENDERS[2], 67, False)],
)
def test_nine_tenths_of_by_hand_and_one_and_a_half_times_a_peer(
    other: Contender, per_second: float, reached: bool
) -> None:
    (verdict,) = judge_load([run(OURS.name, 100), run(other.name, per_second)])

    assert other.name in verdict.target
    assert verdict.reached is reached


def test_a_report_is_markdown_tables() -> None:
    overhead = [compare("in process", "plain text", Measurement((14e-6, 15e-6, 16e-6), (9e-6, 9e-6, 9e-6)))]
    runs = [run(OURS.name, 90, 0.0002), run(BY_HAND.name, 100, 0.0001)]

    text = WebReport({"Python": "3.11"}, overhead, runs, list(judge_load(runs))).markdown()

    lines = text.splitlines()
    assert "- Python: 3.11" in lines
    assert "| plain text | 9.0 µs | 15.0 µs | **6.0 µs** | 5.5 - 6.5 µs | 5.0 µs | 3 |" in lines
    assert (
        "| one row | ours | 90 | **0.90** | 0.90 - 0.90 | 200 µs | **0.50** | 0.50 - 0.50 | 10.0 ms | 50.0 ms | 1 |"
        in lines
    )
    assert {line.count("|") for line in lines if line.startswith("|")} == {8, 12, 4}


# The command


def test_the_command_measures_in_process_and_writes_its_tables(tmp_path: Path, postgres_server: PostgresServer) -> None:
    """Its own process: it turns garbage collection off and on, and freezes what is alive."""
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.web", "--no-load", "--quick", "--output", str(document)],
        cwd=Path(__file__).parents[3],
        env=os.environ | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    written = document.read_text()
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    for text in (written, done.stdout):
        assert all(f"| plain text, {count} database" in text for count in (1, 2, 5))
        assert "µs at most" in text


def test_without_wrk_one_error_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert main([]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "apt-get install wrk" in line


def test_a_document_without_a_place_for_the_web_tables_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "other.md"
    document.write_text("<!-- benchmarks: begin -->\n")

    assert main(["--output", str(document)]) == 1
    assert "two lines" in capsys.readouterr().err
    assert document.read_text() == "<!-- benchmarks: begin -->\n"


@pytest.mark.parametrize("document", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{END}", f"{BEGIN}{BEGIN}{END}"])
def test_a_document_without_its_two_comments_is_refused(document: str) -> None:
    with pytest.raises(MarkerError, match="once each"):
        between_markers(document, "new", MARKERS)


def test_an_environment_without_the_peers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PeersError, match="no-such-python"):
        installed(tmp_path / "no-such-python")
    with pytest.raises(PeersError, match="databases"):
        installed(Path(sys.executable))
