"""``import sqlspec`` in fresh processes: how long, and what it loads.

The package is copied to a temporary folder first, so that both states of the bytecode cache can be had without touching
the source tree: warm, and with no cached bytecode for our own modules (those of others stay cached).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

import sqlspec

__all__ = ("FLOOR", "UNCACHED", "WARM", "Imports", "time_imports")

WARM = "import sqlspec, warm"
UNCACHED = "import sqlspec, its own bytecode not cached"
FLOOR = "import msgspec: what it stands on, warm"

HEAVY = (
    *(
        "aiosqlite",
        "asyncpg",
        "asyncio",
        "attrs",
        "click",
        "concurrent.futures",
        "dataclasses",
        "fastapi",
        "importlib.metadata",
    ),
    *("inspect", "logging", "msgspec", "multiprocessing", "pydantic", "rich", "socket", "sqlglot", "sqlite3", "ssl"),
    *("starlette", "subprocess", "typing_extensions", "unittest", "urllib.request"),
)
_PROGRAM = """
import sys
before = set(sys.modules)
from time import perf_counter
start = perf_counter()
import {names}
seconds = perf_counter() - start
import json
print(json.dumps([seconds, sorted(set(sys.modules) - before)]))
"""


@dataclass(frozen=True, slots=True)
class Imports:
    """What importing took and brought.

    Attributes:
        seconds: One figure per process, by what was imported.
        modules: How many modules ``import sqlspec`` loads.
        heavy: Those of them that are known to be slow to import.
    """

    seconds: dict[str, list[float]]
    modules: int
    heavy: tuple[str, ...]


def time_imports(processes: int) -> Imports:
    """Import in so many fresh processes of each kind, in turn."""
    seconds: dict[str, list[float]] = {WARM: [], UNCACHED: [], FLOOR: []}
    with TemporaryDirectory() as folder:
        warm, uncached = _copied(Path(folder, "warm")), _copied(Path(folder, "uncached"))
        _import_in_process("sqlspec", warm, write=True)
        _import_in_process("msgspec", warm, write=True)
        modules: list[str] = []
        for _ in range(processes):
            taken, modules = _import_in_process("sqlspec", warm, write=True)
            seconds[WARM].append(taken)
            seconds[FLOOR].append(_import_in_process("msgspec", warm, write=True)[0])
            seconds[UNCACHED].append(_import_in_process("sqlspec", uncached, write=False)[0])
    return Imports(seconds, len(modules), tuple(name for name in HEAVY if name in modules))


def _copied(folder: Path) -> Path:
    source = Path(sqlspec.__file__).parent
    shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _import_in_process(names: str, folder: Path, *, write: bool) -> tuple[float, list[str]]:
    environment = os.environ | {"PYTHONPATH": str(folder)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if not write:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [sys.executable, "-c", _PROGRAM.format(names=names)]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=True)
    return msgspec.json.decode(done.stdout, type=tuple[float, list[str]])
