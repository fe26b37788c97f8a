"""The table of docs/errors.md, and the provokers that prove it: each row has one, each provoker a row.

A provoker is a coroutine function that makes the error happen for real. It gets a ``Stage``: a database with an empty
table ``users``, reached through pools of one connection, so that a connection that is not given back is missed at once.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlspec.testing.compliance import Database
from tests.docs.markdown import ROOT, table

if TYPE_CHECKING:
    from sqlspec.registry import Config

__all__ = ("ANYWHERE", "POSTGRES", "PROVOKERS", "ROWS", "SQLITE", "TABLE", "Provoker", "Row", "Stage", "provokes")

TABLE = ROOT / "docs" / "errors.md"

SQLITE = ("sqlite", "aiosqlite")
POSTGRES = ("asyncpg",)
ANYWHERE = (*SQLITE, *POSTGRES)
"""One adapter of each kind: that all others raise the same classes is the compliance suite's to show."""

Provoke = Callable[["Stage"], Awaitable[object]]

_SENTENCE = re.compile(r"(?:(SQLite|PostgreSQL): )?(`+)(.+?)\2(?!`)")


class Stage(Database):
    """Where errors are provoked."""

    @property
    def configs(self) -> list[Config]:
        """The config of the stage and those that the provoker made."""
        return list(self._configs)


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        id: Its name, the same as its provoker's.
        kind: The class that is raised.
        sentences: What it says, by database; "" for all that are not named.
        advice: What to do.
    """

    id: str
    kind: str
    sentences: dict[str, str]
    advice: str

    def says(self, text: str, dialect: str) -> bool:
        """Whether this is the sentence; ``…`` stands for anything."""
        label = {"sqlite": "SQLite", "postgres": "PostgreSQL"}.get(dialect, "")
        sentence = self.sentences.get(label) or self.sentences[""]
        pattern = ".*".join(map(re.escape, sentence.split("…")))
        return re.fullmatch(pattern, text, re.DOTALL) is not None


@dataclass(frozen=True)
class Provoker:
    """How to make an error happen.

    Attributes:
        provoke: Does it.
        adapters: Where it can happen.
    """

    provoke: Provoke
    adapters: tuple[str, ...]


PROVOKERS: dict[str, Provoker] = {}


def provokes(row: str, adapters: tuple[str, ...] = ANYWHERE) -> Callable[[Provoke], Provoke]:
    """Register the provoker of a row."""

    def register(provoke: Provoke) -> Provoke:
        assert row not in PROVOKERS, f"{row} has two provokers"
        PROVOKERS[row] = Provoker(provoke, adapters)
        return provoke

    return register


def _rows() -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for name, kind, sentences, advice in table(TABLE, "What"):
        row = Row(
            name.strip("`"), kind.strip("`"), {label: text for label, _, text in _SENTENCE.findall(sentences)}, advice
        )
        assert row.id not in rows, f"{row.id} has two rows"
        rows[row.id] = row
    return rows


ROWS = _rows()
