"""The command itself, in its quick mode, on the adapter that needs no server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.__main__ import main
from benchmarks.planning import LENGTH, statement
from benchmarks.report import MARKERS
from benchmarks.timing import DifferentAnswersError, Effort, Measurement, Work, Workload, measure


class _Figure(msgspec.Struct):
    workload: str
    ratio: dict[str, float]


class _Found(msgspec.Struct):
    facts: dict[str, str]
    compared: list[_Figure]
    alone: list[dict[str, object]]
    verdicts: list[dict[str, object]]


def test_the_quick_run_gives_a_ratio_for_every_workload(tmp_path: Path) -> None:
    """Its own process: it turns garbage collection off and on, and freezes what is alive."""
    document, figures = tmp_path / "performance.md", tmp_path / "figures.json"
    document.write_text(f"before\n{MARKERS.begin}\n{MARKERS.end}\nafter\n")
    command = [sys.executable, "-m", "benchmarks", "--quick", "--adapter", "sqlite"]

    done = subprocess.run(
        [*command, "--output", str(document), "--json", str(figures)],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = msgspec.json.decode(figures.read_bytes(), type=_Found)
    assert len(found.compared) == 12
    assert all(each.ratio["median"] > 0 for each in found.compared)
    assert len(found.alone) == 7
    assert found.facts["sqlite"].startswith("SQLite 3.")
    written = document.read_text()
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    for text in (written, done.stdout):
        assert all(f"| sqlite | {each.workload} |" in text for each in found.compared)


def test_a_document_without_a_place_for_the_tables_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "other.md"
    document.write_text("nothing of ours\n")

    assert main(["--output", str(document)]) == 1
    assert "two lines" in capsys.readouterr().err
    assert document.read_text() == "nothing of ours\n"


async def test_sides_that_answer_differently_are_not_timed() -> None:
    workload = Workload("sums", Work(lambda: 1), Work(lambda: 2))

    with pytest.raises(DifferentAnswersError, match="sums: ours gave 1, raw 2"):
        await measure(workload, Effort(seconds=0.01, batch=0.001, fewest=3, most=3))


async def test_both_sides_are_timed_in_turn_and_prepared_outside_the_clock() -> None:
    calls: list[str] = []

    async def ours() -> None:
        calls.append("ours")

    def raw() -> None:
        calls.append("raw")

    workload = Workload(
        "calls",
        Work(ours, before=lambda: calls.append("before ours")),
        Work(raw, before=lambda: calls.append("before raw")),
    )

    found = await measure(workload, Effort(seconds=0.001, batch=0.001, fewest=4, most=4))

    assert isinstance(found, Measurement)
    assert (len(found.ours), len(found.raw)) == (4, 4)
    rounds = calls[-16:]
    assert rounds[:4] == ["before ours", "ours", "before raw", "raw"]
    assert rounds[4:8] == ["before raw", "raw", "before ours", "ours"]
    assert rounds[:8] == rounds[8:]


@pytest.mark.parametrize("marks", [("?", "?"), ("$1", "$2"), (":country", ":total")])
def test_a_statement_to_plan_has_two_hundred_characters_and_is_new(marks: tuple[str, str]) -> None:
    texts = {statement(*marks) for _ in range(50)}

    assert len(texts) == 50
    assert {len(text) for text in texts} == {LENGTH}
