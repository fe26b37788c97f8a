"""Generated code for rows: ``sqlspec.core.row_code``."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec.core.row_code import call_of, dict_of

HOSTILE = ("class", "a b", "1x", '"); raise SystemExit  # ', "'", "\\", "\n", "{x}", "é", "", "c0", "make")


def test_names_that_are_no_identifiers_are_keys_as_they_are() -> None:
    """Column names come from statements: none of them may become code."""
    assembler, row = dict_of(HOSTILE), tuple(range(len(HOSTILE)))
    wanted = dict(zip(HOSTILE, row, strict=True))
    for _ in range(10):
        assert assembler.one(row) == wanted
        assert assembler.many([row, row]) == [wanted, wanted]


def test_equal_names_share_what_was_compiled() -> None:
    assert dict_of(("id", "name")) is dict_of(("id", "name"))


def test_compiling_waits_for_the_fourth_use() -> None:
    """A statement that runs once must not pay for a compiler."""
    assembler = dict_of(("never", "seen", "before"))
    plain = assembler.one
    for _ in range(3):
        assembler.one((1, 2, 3))
    assert assembler.one == plain
    assembler.one((1, 2, 3))
    assert assembler.one != plain


def test_a_large_result_compiles_at_once() -> None:
    assembler = dict_of(("large", "at", "once"))
    plain = assembler.many
    assert len(assembler.many([(1, 2, 3)] * 1000)) == 1000
    assert assembler.many != plain


@pytest.mark.parametrize("names", [(), ("a",)])
def test_few_columns(names: tuple[str, ...]) -> None:
    assembler, row = dict_of(names), tuple(range(len(names)))
    for _ in range(10):
        assert assembler.many([row]) == [assembler.one(row)] == [dict(zip(names, row, strict=True))]


def _seen(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
    return args, kwargs


@pytest.mark.parametrize(
    ("positional", "keywords"), [(2, ()), (1, ("b",)), (0, ("a", "b")), (0, ("class", "b")), (0, ("a b", "b"))]
)
def test_calls_pass_positions_first_and_keywords_after(positional: int, keywords: tuple[str, ...]) -> None:
    assembler = call_of(_seen, positional, keywords)
    wanted = ((1, 2)[:positional], dict(zip(keywords, (1, 2)[positional:], strict=True)))
    for _ in range(10):
        assert assembler.one((1, 2)) == wanted
        assert assembler.many([(1, 2), [1, 2]]) == [wanted, wanted]
