#!/usr/bin/env python3
"""Write the sync twins of what is written once, in async: line N of the source is line N of the twin.

    tools/unasync.py            write the twins, delete those whose source is gone
    tools/unasync.py --check    write nothing; exit 1 and name the twins that are not up to date

Works on tokens: names are renamed, ``async`` and ``await`` go. Strings and comments follow where they quote code. What
has no sync form is an error, a twin that does not compile is one, and so is a rule below that matched nothing.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("sqlspec/_async", "sqlspec/adapters/*/_async", "tests/_async")  # the twin is the folder _sync beside it
NAMES = {  # whole names
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "_async": "_sync",
    "StopAsyncIteration": "StopIteration",
}
PREFIXES = {"Async": "Sync", "async_": "sync_"}  # behind leading underscores
INSIDE = re.compile(r"(?<=[a-z])Async(?=[A-Z])")  # PsycopgAsyncConfig: an adapter of two colours
IMPOSSIBLE = {"Awaitable", "Coroutine", "aiter", "anext", "anyio", "asyncio"}  # concurrency.py has a pair instead

WORD = re.compile(r"\b(_*)([A-Za-z]\w*)")
QUOTED = re.compile(r"\basync (?=with |for |def )|\bawait (?=[\w.]+[(\[])")  # code inside a string or a comment
FSTRING_START, FSTRING_END = (getattr(tokenize, f"FSTRING_{end}", -1) for end in ("START", "END"))  # Python 3.12


class Unasync:
    """The rules, and which of them have not matched yet."""

    def __init__(self) -> None:
        self.unused = {*NAMES, *PREFIXES}

    def rename(self, match: re.Match[str]) -> str:
        word, underscores, bare = match[0], match[1], match[2]
        if word in NAMES:
            self.unused.discard(word)
            return NAMES[word]
        for old, new in PREFIXES.items():
            if bare.startswith(old) and bare != old:
                self.unused.discard(old)
                return underscores + new + bare.removeprefix(old)
        return INSIDE.sub("Sync", word)

    def convert(self, source: str, path: str) -> str:
        lines = source.splitlines(keepends=True)
        for row, left, right, is_code in reversed(list(_spans(source, lines))):
            line, text, rest = lines[row], lines[row][left:right], lines[row][right:]
            if is_code and text in IMPOSSIBLE:
                raise SystemExit(f"{path}:{row + 1}: {text} has no sync form: put a pair into sqlspec/concurrency.py")
            if is_code and text in {"async", "await"}:
                text, rest = "", rest.lstrip(" ")
            lines[row] = line[:left] + WORD.sub(self.rename, text if is_code else QUOTED.sub("", text)) + rest
        twin = _marked("".join(lines), path)
        compile(twin, path, "exec", dont_inherit=True)
        return twin


def _spans(source: str, lines: list[str]) -> Iterator[tuple[int, int, int, bool]]:
    """Line, first and last column of every name (is_code), and of every line of every string and comment."""
    wanted = {tokenize.NAME, tokenize.STRING, tokenize.COMMENT, FSTRING_END}
    fstrings: list[tuple[int, int]] = []
    for kind, _, start, end, _ in tokenize.generate_tokens(io.StringIO(source).readline):
        if kind == FSTRING_START:  # it and all in it are one span, as on Python 3.11, where it is one token
            fstrings.append(start)
        first = fstrings.pop() if kind == FSTRING_END else start
        for row in range(first[0], end[0] + 1) if kind in wanted and not fstrings else ():
            left, right = first[1] if row == first[0] else 0, end[1] if row == end[0] else len(lines[row - 1])
            yield row - 1, left, right, kind == tokenize.NAME


def _marked(twin: str, path: str) -> str:
    """Say on line 1 where the file comes from: in its docstring if it opens with one, else in a comment."""
    mark = f"GENERATED from {path} by tools/unasync.py: do not edit"
    if twin.startswith('"""'):
        return f'"""{mark}. {twin[3:]}'
    first, newline, rest = twin.partition("\n")
    return f"{first}{'  ' if first else ''}# {mark}{newline or chr(10)}{rest}"


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description="Write the sync twins.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a twin is not up to date")
    check: bool = parser.parse_args(arguments).check
    rules, wanted = Unasync(), dict[Path, str | None]()
    for pattern in SOURCES:
        for twin in root.glob(pattern.replace("_async", "_sync")):
            wanted |= dict.fromkeys(twin.rglob("*.py"))  # None: its source is gone
        for source in root.glob(pattern):
            for file in source.rglob("*.py"):
                place = source.with_name("_sync") / file.relative_to(source)
                wanted[place] = rules.convert(file.read_text("utf-8"), file.relative_to(root).as_posix())
    if wanted and rules.unused:
        raise SystemExit(f"tools/unasync.py: remove the rules that match nothing: {', '.join(sorted(rules.unused))}")
    stale = {
        path: text for path, text in wanted.items() if (path.read_text("utf-8") if path.exists() else None) != text
    }
    for path, text in sorted(stale.items()):
        print("stale:" if check else "deleted:" if text is None else "written:", path.relative_to(root))
        if not check and text is None:
            path.unlink()
        elif not check and text is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    if check and stale:
        print("Run: make twins")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
