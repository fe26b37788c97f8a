"""An environment of their own for the peers: none of them is ever a dependency of ours.

One of them has our import name: both in one environment would be one on top of the other.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

__all__ = ("PeersError", "installed", "make_environment")

ROOT = Path(__file__).parents[2]
PEERS = ("sqlspec[asyncpg]==0.69.0", "databases==0.9.0", "sqlalchemy[asyncio]==2.1.9")
STACK = ("asyncpg", "httptools", "starlette", "uvicorn", "uvloop")
_ASK = (
    "import json, sys; from importlib.metadata import version; "
    "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
)


class PeersError(Exception):
    """The environment could not be made, or is no such environment."""


def make_environment(folder: Path) -> Path:
    """Make it, with the same versions of everything below the peers as we have. Its interpreter.

    Raises:
        PeersError: A program failed; its words.
    """
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        _run([sys.executable, "-m", "venv", str(folder)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    _run([*pip, "--constraint", str(ROOT / "constraints.txt"), *PEERS, *STACK], cwd=folder)
    return python


def installed(python: Path) -> dict[str, str]:
    """The versions of the peers and of what is below them.

    Raises:
        PeersError: Something is missing.
    """
    names = [each.partition("==")[0].partition("[")[0] for each in (*PEERS, *STACK)]
    found: dict[str, str] = json.loads(_run([str(python), "-I", "-c", _ASK, *names]))
    return found


def _run(command: list[str], cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except OSError as error:
        raise PeersError(f"{command[0]}: {error}") from error
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        message = f"{' '.join(command[:4])} ... failed: {lines[-1] if lines else 'it said nothing'}"
        raise PeersError(message)
    return done.stdout
