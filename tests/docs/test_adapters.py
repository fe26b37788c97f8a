"""docs/adapters.md and the pages of the adapters: each has its row and its page, and they say what the code says."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from sqlspec._async.config import AsyncDatabaseConfig
from sqlspec.adapters import ADAPTERS, load_config
from sqlspec.adapters.sqlite import SqliteConfig
from tests.compliance.targets import ADAPTERS as DECLARED
from tests.docs.markdown import ROOT, blocks, table

OVERVIEW = ROOT / "docs" / "adapters.md"
PAGES = {page.stem: page for page in (ROOT / "docs" / "adapters").glob("*.md")}
FOLDERS = sorted({place.partition(":")[0].rpartition(".")[2] for place in ADAPTERS.values()})
KEYS, FEATURES = "Keys of `pool_config`", "`driver_features`"
HEADINGS = ["Install", "Example", KEYS, FEATURES, "What is special", "Limits"]
PLACES = {"adbc": {"uri": "sqlite:///app.db"}}
"""Where a config needs more than nothing."""


def configs_of(folder: str) -> list[Any]:
    """The config classes of an adapter's folder."""
    places = {name: place for name, place in ADAPTERS.items() if place.startswith(f"sqlspec.adapters.{folder}:")}
    return [load_config(name) for name in sorted(places)]


def rows() -> dict[str, list[str]]:
    """The rows of the table of adapters, by folder."""
    return {re.findall(r"\[(\w+)\]", row[0])[0]: row for row in table(OVERVIEW, "Adapter")}


def options(page: Path, heading: str) -> dict[str, list[str]]:
    """The rows of a page's table of options."""
    return {row[0].strip("`"): row for row in table(page, "Key" if heading == KEYS else "Feature", heading)}


# The overview ---------------------------------------------------------------------------------------------------------


def test_every_adapter_has_a_page_and_a_row() -> None:
    """And no page or row is left over."""
    assert sorted(PAGES) == FOLDERS
    assert sorted(rows()) == FOLDERS
    assert all(row[0] == f"[{folder}](adapters/{folder}.md)" for folder, row in rows().items())


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_row_says_what_the_adapter_is(folder: str) -> None:
    """Colours, classes, the oldest driver as its import demands it, and the extra that brings it."""
    _, _, colours, oldest, classes, install = rows()[folder]
    configs = configs_of(folder)
    found = {"async" if issubclass(config, AsyncDatabaseConfig) else "sync" for config in configs}
    assert colours == ", ".join(sorted(found))
    assert classes == ", ".join(f"`{config.__name__}`" for config in configs)
    required = oldest_drivers(folder)
    assert oldest == (", ".join(" ".join(pair) for pair in required) or "Python's own sqlite3")
    assert first_command(PAGES[folder]) in install
    assert set(re.findall(r"adbc-\w+", install)) == {name for name in extras() if name.startswith(f"{folder}-")}


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_extra_brings_a_driver_that_is_new_enough(folder: str) -> None:
    """What pyproject.toml installs is what the adapter's import demands."""
    wanted = " ".join(extras().get(folder, []))
    for package, oldest in oldest_drivers(folder):
        assert re.search(
            rf"(?:^| ){re.escape(package)}(?:\[[\w,]+\])?>={re.escape(oldest)}(?: |$)", wanted, re.IGNORECASE
        )


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_page_names_the_oldest_driver(folder: str) -> None:
    """In its first lines."""
    intro = " ".join(PAGES[folder].read_text().partition("\n## ")[0].split())
    for package, oldest in oldest_drivers(folder):
        assert f"{package} {oldest} or newer" in intro


def oldest_drivers(folder: str) -> list[tuple[str, str]]:
    """Packages and versions, as the adapter's import demands them."""
    init = ROOT / "sqlspec" / "adapters" / folder / "__init__.py"
    return re.findall(r'require\("[\w.]+", "([\w.-]+)", "([\d.]+)"', init.read_text())


def extras() -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found: dict[str, list[str]] = project["optional-dependencies"]
    return found


def first_command(page: Path) -> str:
    return next(block for block in blocks(page) if block.language == "shell").text.splitlines()[0]


def test_every_adapter_is_declared_to_the_suite() -> None:
    """None is proven by nothing. ADBC is declared once for each database."""
    declared = {adapter.name for adapter in DECLARED}
    assert set(ADAPTERS) - declared == {"adbc"}
    assert {name.partition("_")[0] for name in declared - set(ADAPTERS)} == {"adbc"}


def test_reasons_are_given_for_what_is_not_declared_only() -> None:
    """An adapter can't what it can."""
    for adapter in DECLARED:
        assert not adapter.can & set(adapter.cannot), adapter


def test_the_tables_are_as_the_code_is() -> None:
    """What tools/adapter_table.py would write is there."""
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "adapter_table.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


# The pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", FOLDERS)
def test_pages_have_one_structure(folder: str) -> None:
    """The same headings in the same order; who knows one page knows all."""
    text = re.sub(r"^```.*?^```$", "", PAGES[folder].read_text(), flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"^# (.*)$", text, re.MULTILINE) == [folder]
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert {"### Cancellation and time limits", "### Pool"} <= set(text.splitlines())


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_page_shows_an_example_of_every_config(folder: str) -> None:
    """Which the tests run."""
    shown = "".join(block.text for block in blocks(PAGES[folder]) if block.language == "python")
    for config in configs_of(folder):
        assert f"from sqlspec.adapters.{folder} import {config.__name__}" in shown
        assert f"{config.__name__}(" in shown


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_keys_of_pool_config_are_listed(folder: str) -> None:
    """A new key needs its row; one that is gone must go. An alias names what it stands for."""  # C1
    listed = options(PAGES[folder], KEYS)
    for config in configs_of(folder):
        assert set(listed) == config.pool_keys | set(config.pool_aliases)
    for name, (_, kind, meaning, default) in listed.items():
        assert kind not in ("", "anything"), f"the config does not check {name}"
        assert meaning or default or name in {"user", "password", "database", "port"}, f"{name} is not explained"
        assert "?" not in (meaning, default), name


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_sizes_of_the_pool_are_listed_with_their_defaults(folder: str) -> None:
    """As a config has them that was not told any."""  # C2
    listed = options(PAGES[folder], KEYS)
    for make in configs_of(folder):
        config: Any = make(pool_config=PLACES.get(folder, {}))
        assert (f"`{config.min_size}`", f"`{config.max_size}`") == (listed["min_size"][3], listed["max_size"][3])


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_features_are_listed(folder: str) -> None:
    """Or it is said that there are none."""
    (features,) = {config.feature_keys for config in configs_of(folder)}
    if features:
        assert set(options(PAGES[folder], FEATURES)) == features
    else:
        assert f"## {FEATURES}\n\nNone.\n" in PAGES[folder].read_text()


def test_the_defaults_of_asyncpg_are_asyncpgs() -> None:
    """Numbers are compared with asyncpg's own, but for the sizes, which are ours."""  # C2
    known = {**inspect.signature(asyncpg.connect).parameters, **inspect.signature(asyncpg.create_pool).parameters}
    for name, row in options(PAGES["asyncpg"], KEYS).items():
        default = row[3].strip("`")
        if default[:1].isdigit() and name not in {"min_size", "max_size"}:
            assert float(default) == known[name].default, name


@pytest.mark.parametrize("folder", ["sqlite", "aiosqlite"])
def test_the_pragmas_are_those_that_are_set(folder: str) -> None:
    """Names and values, of a file."""
    listed = {row[0].strip("`"): row[1].strip("`").partition("`")[0] for row in table(PAGES[folder], "Pragma", KEYS)}
    assert listed == dict(SqliteConfig(pool_config={"database": "app.db"}).pragmas)
