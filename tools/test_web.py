#!/usr/bin/env python3
"""Run the web tests on several versions of Starlette and FastAPI, each in an environment of its own.

    tools/test_web.py                         every row, one after the other, then a table
    tools/test_web.py --rows oldest newest    these rows
    tools/test_web.py --python 3.12 3.13      on these Pythons instead of the one that runs this
    tools/test_web.py -- -k order             what follows ``--`` goes to pytest

An environment is made from the checkout and constraints.txt with the row's two versions in place of its own. It is kept
in .venv/test-web, and made anew when anything that it was made from has changed, or by --fresh. The exit status is 1 if
a row failed. What a row ignores are the warnings of old frameworks; ours are errors in every row.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".venv" / "test-web"
OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
ASK_VERSIONS = (
    "import platform, starlette, fastapi;print(platform.python_version(), starlette.__version__, fastapi.__version__)"
)

# For pytest's -W, where the last part is the module that warns.
ROUTES = (  # rule W7: until 1.0 we leave Starlette's own decorators in place, and it has deprecated them
    "ignore:The `route` decorator is deprecated:DeprecationWarning:starlette.applications",
    "ignore:The `websocket_route` decorator is deprecated:DeprecationWarning:starlette.applications",
)
PORTAL = (  # Starlette's TestClient names a class by the place where anyio had it
    "ignore:The anyio.abc.BlockingPortal alias is deprecated:DeprecationWarning:starlette.testclient",
)
STREAM = (  # Starlette's BaseHTTPMiddleware did not close its stream when the app raised
    "ignore:Unclosed <MemoryObjectReceiveStream:ResourceWarning:anyio.streams.memory",
)


@dataclass(frozen=True)
class Row:
    """One pair of versions, and what is special about it."""

    name: str
    starlette: str
    fastapi: str
    why: str
    ignored: tuple[str, ...] = ()

    @property
    def pins(self) -> list[str]:
        return [f"starlette=={self.starlette}", f"fastapi=={self.fastapi}"]


@dataclass(frozen=True)
class Result:
    """What came out of a row; ``versions`` are those that were really imported: Python, Starlette, FastAPI."""

    row: str
    versions: Sequence[str]
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    trouble: str = ""


def pinned(package: str) -> str:
    """The version in constraints.txt."""
    found = re.search(rf"^{package}==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert found, package
    return found[1]


ROWS = [
    # FastAPI 0.115.0 and 0.115.1 want a Starlette that is older than ours.
    Row("oldest", "0.40.0", "0.115.2", "the oldest of both", (*ROUTES, *PORTAL, *STREAM)),
    Row("yield-before", "0.46.2", "0.117.1", "dependencies end before the response", (*ROUTES, *PORTAL)),
    Row("yield-after", "0.48.0", "0.118.3", "dependencies end after the response", (*ROUTES, *PORTAL)),
    Row("scope", "0.50.0", "0.121.3", "Depends(scope=...)", (*ROUTES, *PORTAL)),
    Row("before-1.0", "0.52.1", "0.163.2", "the last before 1.0, the last FastAPI for it", (*ROUTES, *PORTAL)),
    Row("newest", pinned("starlette"), pinned("fastapi"), "what constraints.txt pins"),
]


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    runs = [(row, python) for row in ROWS if row.name in options.rows for python in options.python]
    results: list[Result] = []
    for number, (row, python) in enumerate(runs, 1):
        say(f"{number} of {len(runs)}: {row.name} ({' '.join(row.pins)}, Python {python}; {row.why})")
        try:
            environment = ready(row, python, fresh=options.fresh)
            results.append(run_tests(row, environment, ["tests/web", *options.arguments]))
        except UnusableError as error:
            results.append(Result(row.name, (python, row.starlette, row.fastapi), trouble=str(error)))
            say(f"{row.name}: {error}")
    say("the web tests, by row:")
    print("\n".join(table(results)))
    return int(any(result.trouble for result in results))


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    width = max(len(row.name) for row in ROWS)
    rows = [f"  {row.name:{width}}  {' '.join(row.pins)}: {row.why}" for row in ROWS]
    parser = argparse.ArgumentParser(
        description="Run the web tests on several versions of Starlette and FastAPI, each in its own environment.",
        epilog="\n".join(["rows:", *rows]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [row.name for row in ROWS]
    parser.add_argument("--rows", nargs="+", choices=names, default=names, metavar="ROW", help="these rows only")
    parser.add_argument("--python", nargs="+", default=[OWN_PYTHON], metavar="3.x", help="these Pythons instead")
    parser.add_argument("--fresh", action="store_true", help="make the environments anew")
    parser.add_argument("arguments", nargs="*", help="for pytest, after --")
    return parser.parse_args(arguments)


def say(text: str) -> None:
    print(f"[test-web] {text}", flush=True)


# Environments ---------------------------------------------------------------------------------------------------------


class UnusableError(Exception):
    """There is no environment to test in; the text says why."""


def ready(row: Row, python: str, *, fresh: bool) -> Path:
    """The environment of a row, kept or made."""
    environment = HOME / f"{row.name}-{python}"
    recipe = recipe_of(row, constraints(), (ROOT / "pyproject.toml").read_text())
    mark = environment / "made-from"
    if fresh or not mark.is_file() or mark.read_text() != recipe:
        started = time.monotonic()
        say(f"{row.name}: making its environment (about 40 s) ...")
        shutil.rmtree(environment, ignore_errors=True)
        make(environment, row, python)
        mark.write_text(recipe)
        say(f"{row.name}: made after {time.monotonic() - started:.0f} s")
    return environment


def constraints() -> str:
    """Those of the project, without what a row pins."""
    lines = (ROOT / "constraints.txt").read_text().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("starlette==", "fastapi==")))


def recipe_of(row: Row, constraints: str, pyproject: str) -> str:
    """What changes when an environment has to be made anew; the tools' settings in ``pyproject`` do not count."""
    project = tomllib.loads(pyproject)["project"]
    parts = [str(ROOT), sys.version, *row.pins, constraints, json.dumps(project, sort_keys=True)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def make(environment: Path, row: Row, python: str) -> None:
    """With uv if it is there, else with venv and pip, as tools/environment.sh does it."""
    HOME.mkdir(parents=True, exist_ok=True)
    without_pins = HOME / "constraints.txt"
    without_pins.write_text(constraints())
    interpreter = environment / "bin" / "python"
    if uv := shutil.which("uv"):
        run(uv, "--quiet", "venv", "--python", sys.executable if python == OWN_PYTHON else python, environment)
        install: list[str | Path] = [uv, "--quiet", "pip", "install", "--python", interpreter]
    else:
        run(interpreter_of(python), "-m", "venv", environment)
        install = [interpreter, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-input"]
    run(*install, "--constraint", without_pins, *row.pins, "--editable", f"{ROOT}[test]")


def run(*command: str | Path) -> None:
    try:
        subprocess.run(command, cwd=ROOT, check=True)
    except (subprocess.CalledProcessError, OSError) as error:
        raise UnusableError("its environment could not be made") from error


def interpreter_of(python: str) -> str:
    """The one that runs this, one on the path, or one of pyenv's; that a file is there does not say that it runs."""
    for candidate in candidates(python):
        try:
            command = [candidate, "-c", "import ensurepip, venv, sys; print('%d.%d' % sys.version_info[:2])"]
            answer = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError:
            continue
        if answer.stdout.strip() == python:
            return candidate
    raise UnusableError(f"no Python {python} that can make environments was found")


def candidates(python: str) -> Iterator[str]:
    if python == OWN_PYTHON:
        yield sys.executable
    yield f"python{python}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{python}.*/bin/python")))


# Tests ----------------------------------------------------------------------------------------------------------------


def run_tests(row: Row, environment: Path, arguments: Sequence[str]) -> Result:
    """Run pytest in an environment and count."""
    python = str(environment / "bin" / "python")
    variables = dict(os.environ)
    variables.pop("PYTHONPATH", None)  # it would lie over the environment
    asked = subprocess.run([python, "-c", ASK_VERSIONS], env=variables, capture_output=True, text=True, check=False)
    versions = tuple(asked.stdout.split())
    if versions[1:] != (row.starlette, row.fastapi):
        raise UnusableError(f"it has other versions than it should: {' '.join(versions) or asked.stderr}")
    found = environment / "results.xml"
    found.unlink(missing_ok=True)
    ignored = [part for warning in row.ignored for part in ("-W", warning)]
    own = ["--quiet", "--no-header", f"--junit-xml={found}", "-o", f"cache_dir={environment / 'pytest_cache'}"]
    started = time.monotonic()
    status = subprocess.run([python, "-m", "pytest", *own, *ignored, *arguments], cwd=ROOT, env=variables, check=False)
    passed, failed = counted(found.read_text()) if found.is_file() else (0, 0)
    seconds = time.monotonic() - started
    return Result(row.name, versions, passed, failed, seconds, "FAILED" if status.returncode else "")


def counted(results: str) -> tuple[int, int]:
    """How many passed and how many did not, from what pytest writes for machines. Errors are failures."""
    suite = ET.fromstring(results).find("testsuite")
    assert suite is not None, results
    tests, failures, errors, skipped = (int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped"))
    return tests - failures - errors - skipped, failures + errors


def table(results: Sequence[Result]) -> Iterator[str]:
    """A line for each row, in columns."""
    lines = [["row", "Python", "Starlette", "FastAPI", "passed", "failed", "seconds", ""]]
    for result in results:
        counts = [str(result.passed), str(result.failed), f"{result.seconds:.0f}"]
        lines.append([result.row, *result.versions, *counts, result.trouble or "ok"])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(f"{text:{'>' if 4 <= at <= 6 else '<'}{widths[at]}}" for at, text in enumerate(line)).rstrip()


if __name__ == "__main__":
    sys.exit(main())
