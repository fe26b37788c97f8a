#!/usr/bin/env python3
"""Write the tables of the docs that can be read off the code.

    tools/adapter_table.py            write them
    tools/adapter_table.py --check    exit with 1 if a page is stale

docs/adapters.md: what each adapter can do and how columns are declared, from the declarations in
tests/compliance/targets, between ``<!-- generated: name -->`` and ``<!-- end -->``.
docs/adapters/<name>.md: the columns Key and Kind of the tables of options, from the config. The others are written by
hand and stay; a new key comes with what its TypedDict says.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from sqlspec.adapters import ADAPTERS, load_config  # noqa: E402
from sqlspec.core.options import SIZES, Kind  # noqa: E402
from sqlspec.testing.compliance import CAPABILITIES, KINDS, Adapter  # noqa: E402

DOCS = ROOT / "docs"
KEYS, FEATURES = "| Key | Kind | Meaning | Default |", "| Feature | Kind | Meaning | Default |"

Column = tuple[str, Adapter]


def main(arguments: Sequence[str] | None = None, docs: Path = DOCS) -> int:
    """Bring the pages of a folder up to date."""
    parser = argparse.ArgumentParser(description="Write the tables of the docs that can be read off the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a page is stale")
    check: bool = parser.parse_args(arguments).check
    found = stale(docs)
    for page, text in found.items():
        print(
            f"{page.relative_to(docs.parent)} is stale: run tools/adapter_table.py" if check else f"wrote {page.name}"
        )
        if not check:
            page.write_text(text)
    return 1 if check and found else 0


def stale(docs: Path) -> dict[Path, str]:
    """The pages that are not as the code is, and what they should be."""
    page = docs / "adapters.md"
    wanted = {page: overview(page.read_text())}
    for page in sorted((docs / "adapters").glob("*.md")):
        wanted[page] = options(page.read_text(), page.stem)
    return {page: text for page, text in wanted.items() if page.read_text() != text}


# What adapters can ----------------------------------------------------------------------------------------------------


def overview(text: str) -> str:
    from tests.compliance.targets import ADAPTERS as DECLARED

    for name, rows in {"capabilities": capabilities(DECLARED), "types": types(DECLARED)}.items():
        before, opened, rest = text.partition(f"<!-- generated: {name} -->")
        _, closed, after = rest.partition("<!-- end -->")
        assert closed, f"docs/adapters.md has no place for the table {name!r}"
        text = f"{before}{opened}\n\n{rows}\n\n{closed}{after}"
    return text


def capabilities(adapters: Sequence[Adapter]) -> str:
    """A row per capability; adapters that differ in their colour only share a column."""
    columns = merged(adapters, lambda adapter: (adapter.can - {"async"}, sorted(adapter.cannot.items())))
    reasons: list[str] = []
    rows = [
        [f"`{name}`: {meaning}", *(cell(adapter, name, reasons) for _, adapter in columns)]
        for name, meaning in CAPABILITIES.items()
        if name != "async"
    ]
    notes = "\n".join(f"{number}. {reason}." for number, reason in enumerate(reasons, 1))
    return f"{table(['Capability', *(head for head, _ in columns)], rows)}\n\n{notes}".rstrip()


def cell(adapter: Adapter, capability: str, reasons: list[str]) -> str:
    if capability in adapter.can:
        return "✓"
    reason = adapter.cannot.get(capability)
    if reason is None:
        return "—"
    if reason not in reasons:
        reasons.append(reason)
    return f"— <sup>{reasons.index(reason) + 1}</sup>"


def types(adapters: Sequence[Adapter]) -> str:
    """A row per kind of value."""
    columns = merged(adapters, lambda adapter: dict(adapter.types))
    rows = [
        [f"`{kind}`: {meaning}", *(f"`{adapter.types[kind]}`" for _, adapter in columns)]
        for kind, meaning in KINDS.items()
    ]
    return table(["Kind of value", *[head for head, _ in columns]], rows)


def merged(adapters: Sequence[Adapter], key: Callable[[Adapter], object]) -> list[Column]:
    """Names of adapters with an equal key, and one of them."""
    groups: list[tuple[object, list[Adapter]]] = []
    for adapter in adapters:
        found = next((members for known, members in groups if known == key(adapter)), None)
        if found is None:
            groups.append((key(adapter), [adapter]))
        else:
            found.append(adapter)
    return [(", ".join(adapter.name for adapter in members), members[0]) for _, members in groups]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head, *lines = (f"| {' | '.join(cells)} |" for cells in (heads, *rows))
    return "\n".join([head, f"|{'---|' * len(heads)}", *lines])


# Options --------------------------------------------------------------------------------------------------------------


def options(text: str, module: str) -> str:
    """The page with its tables of options brought up to date."""
    config = config_of(module)
    aliases: Mapping[str, str] = config.pool_aliases
    kinds: dict[str, Kind] = {**SIZES, **config.pool_kinds}
    kinds |= {alias: kinds[name] for alias, name in aliases.items() if name in kinds}
    known = meanings(module)
    keys = [*known, *sorted((config.pool_keys | set(aliases)) - set(known))]
    text = filled(text, KEYS, {key: kind_of(kinds.get(key)) for key in keys}, known)
    features = {name: kind_of(config.feature_kinds.get(name)) for name in sorted(config.feature_keys)}
    return filled(text, FEATURES, features, {}) if features else text


def config_of(module: str) -> Any:
    """The config of an adapter's folder; both colours take the same options."""
    names = [name for name, place in ADAPTERS.items() if place.partition(":")[0] == f"sqlspec.adapters.{module}"]
    found: list[Any] = [load_config(name) for name in names]
    assert all(
        (config.pool_keys, config.feature_keys) == (found[0].pool_keys, found[0].feature_keys) for config in found
    )
    return found[0]


def filled(text: str, head: str, kinds: Mapping[str, str], known: Mapping[str, str]) -> str:
    """With a row for every option, in the order of the page for those that it has."""
    lines = text.split("\n")
    assert lines.count(head) == 1, f"a page must have one table {head!r}"
    start = lines.index(head) + 2
    end = next(number for number in range(start, len(lines)) if not lines[number].startswith("|"))
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])] for line in lines[start:end]]
    had = {row[0].strip("`"): row for row in cells}
    order = [name for name in had if name in kinds] + [name for name in kinds if name not in had]
    rows = [had.get(name, ["", "", known.get(name, ""), ""]) for name in order]
    lines[start:end] = [
        f"| `{name}` | {kinds[name]} | {row[2]} | {row[3]} |".replace("|  |", "| |").replace("|  |", "| |")
        for name, row in zip(order, rows, strict=True)
    ]
    return "\n".join(lines)


def kind_of(kind: Kind | None) -> str:
    """In words; what belongs to error messages only is left out."""
    if kind is None:
        return "anything"
    words = re.sub(r" \([^)]*\)", "", kind.wanted)
    return re.sub(r"'([^']*)'", r"`\1`", words).replace("|", "\\|")


def meanings(module: str) -> dict[str, str]:
    """What the TypedDict of ``pool_config`` says about its keys, in its order."""
    package = import_module(f"sqlspec.adapters.{module}")
    (name,) = (name for name in package.__all__ if name.endswith("PoolConfig"))
    found: dict[str, str] = {}
    key = ""
    for node in declarations(getattr(package, name)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            key = node.target.id
            found[key] = ""
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and key:
            found[key] = " ".join(str(node.value.value).split()).replace("``", "`").replace("|", "\\|")
    return found


def declarations(typed: type[Any]) -> Iterator[ast.stmt]:
    """The lines of a TypedDict, those of its bases first: a TypedDict at run time knows neither."""
    (declared,) = (node for node in ast.parse(inspect.getsource(typed)).body if isinstance(node, ast.ClassDef))
    for base in declared.bases:
        assert isinstance(base, ast.Name)
        if base.id != "TypedDict":
            yield from declarations(getattr(sys.modules[typed.__module__], base.id))
    yield from declared.body


if __name__ == "__main__":
    sys.exit(main())
