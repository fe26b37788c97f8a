"""What the benchmarks make of their figures."""

from __future__ import annotations

import pytest

from benchmarks.report import MARKERS, Alone, MarkerError, Report, between_markers, compare, spread
from benchmarks.targets import PLANNING, judge, judge_modules
from benchmarks.timing import Measurement

BEGIN, END = MARKERS


def test_a_spread_has_the_median_quartiles_and_extremes() -> None:
    found = spread([5.0, 1.0, 3.0, 2.0, 4.0])

    assert (found.low, found.first, found.median, found.third, found.high) == (1.0, 2.0, 3.0, 4.0, 5.0)


def test_one_figure_is_a_spread_without_width() -> None:
    found = spread([7.0])

    assert {found.low, found.first, found.median, found.third, found.high} == {7.0}


def test_ratio_and_difference_are_taken_within_each_round() -> None:
    """A machine that was ten times slower in one round changes neither the median ratio nor the ratio of that round."""
    found = compare("sqlite", "scalar", Measurement(ours=(3.0, 30.0, 3.0), raw=(2.0, 20.0, 2.0)))

    assert (found.ratio.low, found.ratio.median, found.ratio.high) == (1.5, 1.5, 1.5)
    assert (found.more.median, found.more.high) == (1.0, 10.0)
    assert found.rounds == 3


def test_a_report_is_markdown_tables_with_times_in_units_that_suit() -> None:
    compared = compare("sqlite", "scalar", Measurement(ours=(4.5e-6,), raw=(3e-6,)))
    found = Report({"Python": "3.11"}, [compared], [Alone("import", spread([0.0512]))], judge([compared], []))

    lines = found.markdown().splitlines()

    assert "- Python: 3.11" in lines
    assert "| sqlite | scalar | 3 µs | 4.5 µs | 1.5 µs | **1.50** | 1.50 - 1.50 | 1.50 | 1 |" in lines
    assert "| import | 51.2 ms | 51.2 ms - 51.2 ms | 51.2 ms |" in lines
    tables = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in tables} == {10, 5}


@pytest.mark.parametrize(("ours", "reached"), [(4.4e-6, True), (4.6e-6, False)])
def test_one_row_of_sqlite_may_cost_one_and_a_half_microseconds_more(ours: float, reached: bool) -> None:
    (verdict,) = judge([compare("sqlite", "one row as dict", Measurement((ours,), (3e-6,)))], [])

    assert verdict.reached is reached


@pytest.mark.parametrize(("ours", "reached"), [(1.10, True), (1.11, False)])
def test_one_row_of_asyncpg_may_cost_a_tenth_more(ours: float, reached: bool) -> None:
    (verdict,) = judge([compare("asyncpg", "one row as dict", Measurement((ours,), (1.0,)))], [])

    assert verdict.reached is reached


@pytest.mark.parametrize(("micros", "reached"), [(20, True), (21, False)])
def test_planning_may_cost_twenty_microseconds(micros: int, reached: bool) -> None:
    (verdict,) = judge([], [Alone(f"{PLANNING}: here", spread([micros / 1e6]))])

    assert verdict.reached is reached


@pytest.mark.parametrize(("heavy", "reached"), [(("asyncio", "msgspec"), True), (("msgspec", "sqlglot"), False)])
def test_a_driver_or_parser_loaded_by_the_import_is_told(heavy: tuple[str, ...], reached: bool) -> None:
    verdict = judge_modules(heavy)

    assert verdict.reached is reached
    assert reached or "sqlglot" in verdict.found


def test_only_what_stands_between_the_two_comments_is_rewritten() -> None:
    document = f"# Title\n\n{BEGIN}\nold\n{END}\n\nafter\n"

    once = between_markers(document, "new")

    assert once == f"# Title\n\n{BEGIN}\n\nnew\n\n{END}\n\nafter\n"
    assert between_markers(once, "new") == once


@pytest.mark.parametrize("document", ["", BEGIN, END, f"{END}{BEGIN}", f"{BEGIN}{END}{END}", f"{BEGIN}{BEGIN}{END}"])
def test_a_document_without_its_two_comments_is_refused(document: str) -> None:
    with pytest.raises(MarkerError, match="once each"):
        between_markers(document, "new")
