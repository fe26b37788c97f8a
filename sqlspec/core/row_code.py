"""Functions written for the shape of a row: the quickest way from values to dicts and keyword calls.

Plain Python needs twice the time per row of code that names each column once, but compiling costs as much as mapping
some hundred rows. So a shape is mapped plainly the first times and compiled when it comes back, and equal shapes share
what was compiled. Column names reach the code as string literals and never as identifiers.

This module knows nothing of fields, types or checks: values come in the order in which they are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import starmap
from keyword import iskeyword
from typing import Any

from sqlspec.typing import Row

__all__ = ("Assembler", "call_of", "dict_of")

_PLAIN_ROWS = 400
"""Compiling pays from about this many rows on."""
_ROWS_PER_USE = 100
"""A use counts as this many rows: the fourth use of a shape compiles it, and so does its first large result."""


class Assembler:
    """Make one object per row.

    Attributes:
        one: Make the object of one row.
        many: Make the objects of all rows. Rows are iterated, so records need not become tuples first.
    """

    __slots__ = ("many", "one")

    def __init__(self, one: Callable[[Row], Any], many: Callable[[Sequence[Row]], list[Any]]) -> None:
        self.one = one
        self.many = many


class _Compiling(Assembler):
    """An assembler that replaces its plain functions by compiled ones when they are used often enough."""

    __slots__ = ("_body", "_make", "_plain", "_spent", "_width")

    def __init__(self, plain: Callable[[Row], Any], make: Callable[..., Any], body: str, width: int) -> None:
        super().__init__(self._first_one, self._first_many)
        self._plain = plain
        self._make = make
        self._body = body
        self._width = width
        self._spent = 0

    def _first_one(self, row: Row) -> Any:
        return self.one(row) if self._compiles(1) else self._plain(row)

    def _first_many(self, rows: Sequence[Row]) -> list[Any]:
        return self.many(rows) if self._compiles(len(rows)) else list(map(self._plain, rows))

    def _compiles(self, rows: int) -> bool:
        self._spent += _ROWS_PER_USE + rows
        if self._spent <= _PLAIN_ROWS:
            return False
        self.one, self.many = _compiled(self._body, self._width, self._make)
        return True


@lru_cache(maxsize=1024)
def dict_of(names: tuple[str, ...]) -> Assembler:
    """Return what makes dicts with these keys. Equal names share one assembler."""

    def plain(row: Row) -> dict[str, Any]:
        return dict(zip(names, row, strict=True))

    pairs = ", ".join(f"{name!r}: c{index}" for index, name in enumerate(names))
    return _Compiling(plain, dict, f"{{{pairs}}}", len(names))


def call_of(make: Callable[..., Any], positional: int, keywords: tuple[str, ...]) -> Assembler:
    """Return what calls ``make`` with the first values by position and the others by keyword."""
    if not keywords:
        return Assembler(lambda row: make(*row), lambda rows: list(starmap(make, rows)))

    def plain(row: Row) -> Any:
        return make(*row[:positional], **dict(zip(keywords, row[positional:], strict=True)))

    if not all(name.isidentifier() and not iskeyword(name) for name in keywords):
        return Assembler(plain, lambda rows: list(map(plain, rows)))
    arguments = [f"c{index}" for index in range(positional)]
    arguments += [f"{name}=c{index}" for index, name in enumerate(keywords, positional)]
    return _Compiling(plain, make, f"make({', '.join(arguments)})", positional + len(keywords))


def _compiled(
    body: str, width: int, make: Callable[..., Any]
) -> tuple[Callable[[Row], Any], Callable[[Sequence[Row]], list[Any]]]:
    """Compile the expression ``body``, in which ``c0``, ``c1`` … are the values of a row."""
    values = ", ".join(f"c{index}" for index in range(width))
    source = (
        f"def one(row):\n    [{values}] = row\n    return {body}\n"
        f"def many(rows):\n    return [{body} for [{values}] in rows]\n"
    )
    namespace: dict[str, Any] = {"make": make}
    exec(compile(source, "<sqlspec: rows>", "exec"), namespace)  # noqa: S102 - the text is ours, names are literals
    return namespace["one"], namespace["many"]
