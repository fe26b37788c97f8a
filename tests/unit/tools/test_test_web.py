"""tools/test_web.py: both ends of the supported versions are tested, and a row that fails is told."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tools import test_web as tool

NEWEST = tool.ROWS[-1]
PROJECT: dict[str, Any] = tomllib.loads((tool.ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """As a row's: its own folder, and our own Python in it."""
    bin_folder = tmp_path / "environment" / "bin"
    bin_folder.mkdir(parents=True)
    python = bin_folder / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return bin_folder.parent


@pytest.mark.parametrize("package", ["starlette", "fastapi"])
def test_the_first_row_is_the_oldest_that_we_support(package: str) -> None:
    """The bound of the extra."""
    (bound,) = (found[1] for found in map(re.compile(r"\w+>=([\d.]+)$").match, extra(package)) if found)
    assert f"{getattr(tool.ROWS[0], package)}.".startswith(f"{bound}.")


def extra(name: str) -> list[str]:
    wanted: list[str] = PROJECT["optional-dependencies"][name]
    return wanted


def test_the_last_row_is_what_is_pinned() -> None:
    """No second place names the newest versions; old ones are no constraint elsewhere."""
    assert NEWEST.pins == [f"{name}=={tool.pinned(name)}" for name in ("starlette", "fastapi")]
    pinned = (tool.ROOT / "constraints.txt").read_text().splitlines()
    assert sorted([*tool.constraints().splitlines(), *NEWEST.pins]) == sorted(pinned)


def test_only_old_frameworks_may_warn() -> None:
    """And each warning is named with its text and the module that it comes from."""
    assert NEWEST.ignored == ()
    for row in tool.ROWS:
        for warning in row.ignored:
            action, text, category, module = warning.split(":")
            assert action == "ignore"
            assert text
            assert category
            assert module.partition(".")[0] in {"starlette", "fastapi", "anyio"}


def test_an_environment_is_made_anew_when_its_parts_change() -> None:
    """Versions, constraints, dependencies; how we style our code is no part of it."""
    pyproject = (tool.ROOT / "pyproject.toml").read_text()
    kept = tool.recipe_of(NEWEST, "a==1\n", pyproject)
    assert tool.recipe_of(NEWEST, "a==1\n", f"{pyproject}\n[tool.other]\nlength = 1\n") == kept
    changed = [
        tool.recipe_of(tool.ROWS[0], "a==1\n", pyproject),
        tool.recipe_of(NEWEST, "a==2\n", pyproject),
        tool.recipe_of(NEWEST, "a==1\n", pyproject.replace('"uvicorn>=', '"uvicorn>')),
    ]
    assert len({kept, *changed}) == 4


def test_passes_and_failures_are_counted(environment: Path, tmp_path: Path) -> None:
    """An error of a fixture is a failure; one failure fails the row."""
    tests = tmp_path / "test_three.py"
    tests.write_text("def test_good(): ...\ndef test_bad(): assert False\ndef test_lost(no_such_fixture): ...\n")
    result = tool.run_tests(NEWEST, environment, [str(tests), "-p", "no:cacheprovider"])
    assert (result.passed, result.failed, result.trouble) == (1, 2, "FAILED")
    assert list(result.versions[1:]) == [NEWEST.starlette, NEWEST.fastapi]
    result = tool.run_tests(NEWEST, environment, [str(tests), "-k", "good"])
    assert (result.passed, result.failed, result.trouble) == (1, 0, "")


def test_a_row_without_tests_fails(environment: Path, tmp_path: Path) -> None:
    """What proves nothing must not look green."""
    result = tool.run_tests(NEWEST, environment, [str(tmp_path)])
    assert (result.passed, result.trouble) == (0, "FAILED")


def test_other_versions_than_the_rows_are_refused(environment: Path) -> None:
    """The versions are those that are imported."""
    with pytest.raises(tool.UnusableError, match="other versions"):
        tool.run_tests(tool.ROWS[0], environment, [])


def test_a_python_that_is_not_there_fails_its_row_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The table says why, the exit status is 1."""
    monkeypatch.setattr(tool, "HOME", tmp_path)
    monkeypatch.setenv("PATH", "")  # no uv, which would look for one on the web
    assert tool.main(["--rows", "newest", "--python", "3.0"]) == 1
    *_, last = capsys.readouterr().out.splitlines()
    assert last.split()[:4] == ["newest", "3.0", NEWEST.starlette, NEWEST.fastapi]
    assert "no Python 3.0" in last


def test_a_row_that_does_not_exist_is_an_error() -> None:
    """And --help names those that do."""
    with pytest.raises(SystemExit):
        tool.main(["--rows", "unheard-of"])
    told = subprocess.run([sys.executable, tool.__file__, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(row.name in told for row in tool.ROWS)
