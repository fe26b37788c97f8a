"""Reads our Markdown: fenced blocks, tables, headings, links. Knows nothing of what is in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ("PAGES", "ROOT", "Block", "anchors", "blocks", "links", "plain", "table")

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]

_FENCE = re.compile(r"^( *)```(\w*)\s*$")
_FILE = re.compile(r"^\*\*`([\w./-]+)`\*\*$")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: The file.
        line: Of the block's first line, from 1.
        language: What stands behind the opening fence.
        text: Without the fences.
        file: What the line before names in bold, alone: the block is that file. "" for any other block.
    """

    page: Path
    line: int
    language: str
    text: str
    file: str = ""

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    opened: tuple[int, str] | None = None
    inside: list[str] = []
    file = last = ""
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None:
            if fence:
                opened, inside = (number + 1, fence[2]), []
                named = _FILE.match(last)
                file = named[1] if named else ""
            last = line.strip() or last
        elif fence and not fence[2]:
            found.append(Block(page, *opened, "\n".join(inside) + "\n", file))
            opened, last = None, ""
        else:
            inside.append(line)
    assert opened is None, f"{page}: the fence before line {opened} is never closed"
    return found


def plain(page: Path) -> str:
    """The page without what stands in fences and code spans."""
    text = re.sub(r"^ *```.*?^ *```\s*$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", text)


def links(page: Path) -> list[str]:
    """Where the links of a page go."""
    return _LINK.findall(plain(page))


def anchors(page: Path) -> set[str]:
    """What can stand behind ``#`` in a link to the page, as GitHub makes it of headings."""
    text = re.sub(r"^ *```.*?^ *```\s*$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ +(.+?)\s*$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def table(page: Path, first_column: str, heading: str = "") -> list[list[str]]:
    """The cells of the table whose first column is called so, the first one below a heading; ``\\|`` is a bar."""
    lines = page.read_text().splitlines()
    if heading:
        lines = lines[lines.index(f"## {heading}") :]
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first_column} |"))
    rows: list[list[str]] = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line.strip()[1:-1])
        rows.append([cell.strip().replace("\\|", "|") for cell in cells])
    return rows
