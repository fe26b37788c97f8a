"""docs/adding-an-adapter.md is followed to the letter: its files, its commands, and the whole suite passes.

In an environment in which SQLSpec is installed as a wheel would install it, and nothing of the checkout can be seen:
the suite must need no conftest, no setting and no other file of ours. Our dependencies are taken from this environment.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sysconfig
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, blocks

PAGE = ROOT / "docs" / "adding-an-adapter.md"
FILES = {block.file: block.text for block in blocks(PAGE) if block.file}
LINES = 150
"""What a newcomer reads first is short."""


@dataclass
class Project:
    """The newcomer's package, and an environment to run it in."""

    folder: Path
    python: Path
    site: Path

    def run(self, command: str, *more: str) -> subprocess.CompletedProcess[str]:
        """A documented command, in the package's folder."""
        match shlex.split(command):
            case ["pip", "install", "--editable", "."]:
                return self._install()
            case ["pytest", *arguments]:  # -P: the script, too, leaves the folder out of the path
                program = [str(self.python), "-P", "-m", "pytest", *arguments, *more]
                return subprocess.run(program, cwd=self.folder, env={}, capture_output=True, text=True, check=False)
            case _:
                raise AssertionError(command)

    def _install(self) -> subprocess.CompletedProcess[str]:
        """What pip does with an editable package: a path, a name and entry points. Its build needs the network."""
        project = tomllib.loads((self.folder / "pyproject.toml").read_text())["project"]
        facts = self.site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 0.1\n")
        lines: list[str] = []
        for group, entries in project["entry-points"].items():
            lines += [f"[{group}]", *(f"{name} = {place}" for name, place in entries.items())]
        (facts / "entry_points.txt").write_text("\n".join(lines) + "\n")
        (self.site / "toy.pth").write_text(f"{self.folder}\n")
        return subprocess.CompletedProcess([], 0)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The files of the page, in an otherwise empty folder, beside a new environment."""
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    paths = sysconfig.get_paths("venv", vars={"base": str(environment), "platbase": str(environment)})
    site = Path(paths["purelib"])
    shutil.copytree(ROOT / "sqlspec", site / "sqlspec", ignore=shutil.ignore_patterns("__pycache__"))
    ours = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (site / "dependencies.pth").write_text("".join(f"{path}\n" for path in ours))  # where no .pth is read
    folder = tmp_path / "toy"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Project(folder, Path(paths["scripts"]) / "python", site)


def commands() -> list[str]:
    """Those of the section on the suite."""
    last = [block for block in blocks(PAGE) if block.language == "shell"][-1]
    return last.text.splitlines()


def passed(output: str) -> int:
    """How many tests did, if all did."""
    summary = re.search(r"^(\d+) passed(?:, \d+ deselected)?(?:, \d+ warnings?)? in ", output, re.MULTILINE)
    assert summary, output[-3000:]
    return int(summary[1])


@pytest.mark.timeout(300)
def test_the_page_makes_an_adapter_that_passes_the_suite(project: Project) -> None:
    """Every command as it stands. Nothing fails, nothing is skipped, and the table has its row."""  # X4
    *before, suite = commands()
    for command in before:
        assert project.run(command).returncode == 0
    done = project.run(suite, "-q", "--color=no", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert passed(done.stdout) > 150
    assert re.search(r"^toy  \d+", done.stdout, re.MULTILINE)
    where = [str(project.python), "-P", "-c", "import sqlspec; print(sqlspec.__file__)"]
    shown = subprocess.run(where, cwd=project.folder, env={}, capture_output=True, text=True, check=True)
    assert Path(shown.stdout.strip()).is_relative_to(project.site)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("return connection.in_transaction  #", "return False  #", "opened_by_a_statement"),
        ("isolation_level=None", 'isolation_level="DEFERRED"', "every_statement_commits_by_itself"),
        ('"returning", ', '"returning", "count_many", ', "rows_affected"),
        ("PRAGMA foreign_keys = ON", "PRAGMA foreign_keys = OFF", "same_class_everywhere"),
    ],
)
def test_the_suite_finds_what_is_wrong_with_an_adapter(project: Project, right: str, wrong: str, rule: str) -> None:
    """A mistake in the toy fails the test of its rule: what passes there has been proven."""  # X4
    *before, suite = commands()
    for command in before:
        project.run(command)
    (path,) = (project.folder / name for name, text in FILES.items() if right in text)
    path.write_text(path.read_text().replace(right, wrong))
    done = project.run(suite, "-q", "--color=no", "-p", "no:cacheprovider", "-k", rule)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout[-3000:] + done.stderr


@pytest.mark.timeout(300)
def test_the_suite_says_what_is_not_declared(project: Project) -> None:
    """A test of what an adapter refuses fails because it can do it: its author is told what to declare."""  # X4
    *before, suite = commands()
    for command in before:
        project.run(command)
    path = project.folder / "toy_sqlspec" / "compliance.py"
    path.write_text(path.read_text().replace('"infinity", ', ""))
    done = project.run(suite, "-q", "--color=no", "-p", "no:cacheprovider", "-k", "infinity")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout[-3000:] + done.stderr
    assert "This test is run because toy does not declare 'infinity'" in done.stdout


def test_the_toy_is_short() -> None:
    """All files together."""
    assert sum(len(text.splitlines()) for text in FILES.values()) <= LINES
