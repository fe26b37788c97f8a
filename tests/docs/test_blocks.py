"""What the README and the docs show works: every fenced block is run or checked.

python    the blocks of one page run in order, in one namespace and one event loop; `await`, `async with` and
          `async for` may stand at top level, as in `python -m asyncio`. A line `#> text` says what was printed.
          A block whose first line is `# on PostgreSQL` runs with the test database in place of
          `postgresql://localhost/app`; so does `# on MariaDB` with `mysql://localhost/app`.
shell     one command per line: a target of the Makefile, `pip install` from the checkout, a Python file of ours, or
          pytest with a package of ours
text      anything that is not run

A block that is a file, named in bold in the line before, is not run here: the page's own test uses it.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import re
import shlex
import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from tests.docs.markdown import PAGES, ROOT, Block, anchors, blocks, links

SERVERS = {"# on PostgreSQL": "postgresql://localhost/app", "# on MariaDB": "mysql://localhost/app"}
"""By the first line of a block: what the DSN of a real server replaces."""
ENTRY = re.compile(r"^[A-Z_]+=\S+$")
BARE_INSTALL = re.compile(
    r"\b(?:pip3?|uv|pipx|poetry|pdm)\b[^\n`]*\b(?:install|add)\b[^\n`]*?[\s'\"`]sqlspec\b", re.IGNORECASE
)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def python_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python" and not block.file]


def mark_of(block: Block) -> str:
    return block.text.partition("\n")[0]


def servers_of(page: Path) -> frozenset[str]:
    return frozenset(mark_of(block) for block in python_blocks(page)) & set(SERVERS)


# Python ---------------------------------------------------------------------------------------------------------------


def compiled(block: Block, source: str) -> CodeType:
    """The block's code, whose tracebacks point into the page."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code: CodeType = compile("\n" * (block.line - 1) + source, str(block.page), "exec", flags, dont_inherit=True)
    return code


def run_page(page: Path, dsns: Mapping[str, str]) -> None:
    """Run all blocks of a page, and compare what each prints."""
    namespace: dict[str, object] = {"__name__": f"docs.{page.stem}"}
    with asyncio.Runner() as runner:
        for block in python_blocks(page):
            printed = io.StringIO()
            mark = mark_of(block)
            code = compiled(block, block.text.replace(SERVERS[mark], dsns[mark]) if mark in dsns else block.text)
            with contextlib.redirect_stdout(printed):
                if code.co_flags & inspect.CO_COROUTINE:
                    runner.run(FunctionType(code, namespace)())
                else:
                    exec(code, namespace)
            expected = re.findall(r"^ *#> ?(.*)$", block.text, re.MULTILINE)
            assert printed.getvalue().splitlines() == expected, str(block)


@pytest.mark.parametrize("page", [page for page in PAGES if not servers_of(page)], ids=name_of)
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    run_page(page, {})


@pytest.mark.parametrize("page", [page for page in PAGES if servers_of(page)], ids=name_of)
def test_the_python_of_a_page_runs_with_servers(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_dsn: str, mariadb_dsn: str
) -> None:
    """The same, where some blocks need a PostgreSQL or a MariaDB."""
    monkeypatch.chdir(tmp_path)
    run_page(page, {"# on PostgreSQL": postgres_dsn, "# on MariaDB": mariadb_dsn})


def test_the_readme_shows_a_whole_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first block needs nothing from anywhere else, and is at most 25 lines."""
    monkeypatch.chdir(tmp_path)
    first = python_blocks(ROOT / "README.md")[0]
    assert len(first.text.splitlines()) <= 25
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(first.text, str(first), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_is(page: Path) -> None:
    """So that none is left unchecked by mistake."""
    unknown = [
        str(block) for block in blocks(page) if block.language not in {"python", "shell", "text"} and not block.file
    ]
    assert unknown == []


# Shell ----------------------------------------------------------------------------------------------------------------


def is_known(command: str) -> bool:
    words = shlex.split(command, comments=True)
    while words and ENTRY.match(words[0]):
        del words[0]
    match words:
        case ["make", target, *assignments]:
            targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            return target in targets and all(ENTRY.match(word.partition(" ")[0]) for word in assignments)
        case ["pip", "install", "--editable", "."]:
            return True
        case ["pytest", "-p", plugin, "--pyargs", package, *_]:
            return find_spec(plugin) is not None and find_spec(package) is not None
        case ["pip", "install", place]:
            return place == "." or extras_of(place) <= known_extras()
        case ["python", script, *options]:
            path = ROOT / script
            return path.is_file() and all(repr(option)[1:-1] in path.read_text() for option in options)
        case _:
            return False


def extras_of(place: str) -> set[str]:
    """Of ``.[a,b]``; something that is no extra if it is no such place."""
    found = re.fullmatch(r"\.\[([\w,-]+)\]", place)
    return set(found[1].split(",")) if found else {place}


def known_extras() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return set(project["optional-dependencies"])


def test_shell_commands_exist() -> None:
    """Targets, extras, files and options."""
    commands = [
        (str(block), line)
        for page in PAGES
        for block in blocks(page)
        if block.language == "shell"
        for line in block.text.splitlines()
        if line.strip() and not line.startswith("#")
    ]
    assert commands
    assert [found for found in commands if not is_known(found[1])] == []


def test_targets_that_are_named_in_the_text_exist() -> None:
    """`make something` in a code span too."""
    for page in PAGES:
        for command in re.findall(r"`(make \w+[^`]*)`", page.read_text()):
            assert is_known(command), f"{name_of(page)}: {command}"


# Installation and links -----------------------------------------------------------------------------------------------


def installs_from_the_index(text: str) -> list[str]:
    return BARE_INSTALL.findall(text)


def test_nobody_is_told_to_install_the_other_sqlspec() -> None:
    """Another package of this name is on the public index: our lines install the checkout."""
    assert installs_from_the_index("pip install sqlspec")
    assert installs_from_the_index("uv pip install 'sqlspec[asyncpg]' starlette")
    assert installs_from_the_index("`uv add sqlspec`")
    assert not installs_from_the_index("In a checkout of SQLSpec run: pip install '.[asyncpg]'")
    folders = ("sqlspec", "examples", "docs", "changelog.d", "tools", "benchmarks")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".md", ".py", ".sh"}]
    for path in (*files, *ROOT.glob("*.md")):
        assert installs_from_the_index(path.read_text()) == [], path


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Files exist, headings too; an address on the web is told by https."""
    for link in links(page):
        if link.startswith("https://"):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{name_of(page)}: {link}"
        assert not anchor or anchor in anchors(target), f"{name_of(page)}: {link}"


def test_every_page_is_on_the_map() -> None:
    """docs/index.md links to all pages."""
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    assert {page for page in PAGES if page.is_relative_to(index.parent) and page != index} <= linked
