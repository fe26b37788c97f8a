"""A driver that is missing or too old is told, with the command that mends it."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

from sqlspec.adapters import ADAPTERS
from sqlspec.core import versions
from sqlspec.exceptions import ImproperConfigurationError, MissingDependencyError


def test_a_missing_driver_is_told() -> None:
    """By its distribution and our extra; the package around it may be missing, too."""  # E4
    for module in ("no_such_driver", "no_such_package.driver"):
        with pytest.raises(MissingDependencyError, match=r"no-such-driver is not installed.*\.\[nosuch\]"):
            versions.require(module, "no-such-driver", "1.0", extra="nosuch")


@pytest.mark.parametrize(
    ("found", "oldest", "is_old"),
    [
        ("1.0", "1.0", False),
        ("1.0.1", "1.0", False),
        ("1.10", "1.9", False),
        ("2.0rc1", "1.9", False),
        ("1.8", "1.9", True),
    ],
)
def test_an_old_driver_is_told(monkeypatch: pytest.MonkeyPatch, found: str, oldest: str, is_old: bool) -> None:
    """With the version found, the version wanted and the command; numbers are compared as numbers."""  # E4

    def version(package: str) -> str:
        return {"pytest": found}[package]

    monkeypatch.setattr(versions, "version", version)
    if not is_old:
        versions.require("pytest", "pytest", oldest, extra="test")
        return
    with pytest.raises(
        ImproperConfigurationError, match=rf"pytest {found} .* too old: .*pip install 'pytest>={oldest}'"
    ):
        versions.require("pytest", "pytest", oldest, extra="test")


def test_a_driver_of_unknown_version_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody put it into the path by hand."""  # E4

    def unknown(_: str) -> str:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(versions, "version", unknown)
    versions.require("pytest", "pytest", "1.0", extra="test")


PROBE = """
import sys
from importlib import import_module, metadata

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"adbc_driver_manager", "aiomysql", "aiosqlite", "asyncmy", "asyncpg", "duckdb",
                                      "mysql", "psqlpy", "psycopg", "pymysql"}:
            raise ModuleNotFoundError(name)

if sys.argv[1] == "missing":
    sys.meta_path.insert(0, Missing())
else:
    metadata.version = lambda name: "0.0.1"
for name in sys.argv[2:]:
    try:
        import_module(name)
    except Exception as error:
        print(name, type(error).__name__, error)
    else:
        print(name, "was imported")
"""


@pytest.mark.parametrize(
    ("case", "kind"), [("missing", "MissingDependencyError"), ("old", "ImproperConfigurationError")]
)
def test_every_adapter_tells(case: str, kind: str) -> None:
    """All but sqlite, whose driver is a part of Python."""  # E4
    modules = sorted({place.partition(":")[0] for place in ADAPTERS.values()} - {"sqlspec.adapters.sqlite"})
    done = subprocess.run([sys.executable, "-c", PROBE, case, *modules], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    said = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert sorted(said) == modules
    for module, line in said.items():
        assert line.split()[1] == kind, line
        assert "pip install" in line, module
