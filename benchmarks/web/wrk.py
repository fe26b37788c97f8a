"""One run of ``wrk``, the load generator, and what it counted."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import msgspec

from benchmarks.web.servers import pinned

__all__ = ("CONNECTIONS", "Counted", "LoadError", "find_wrk", "load", "read_counts", "wrk_version")

CONNECTIONS = 32
_SCRIPT = Path(__file__).with_name("wrk.lua")


class LoadError(Exception):
    """There is no load generator, or what it met is not worth a figure."""


class Counted(msgspec.Struct, frozen=True):
    """What one run counted.

    Attributes:
        requests: Answers that came.
        seconds: How long it took.
        refused: Answers with a status of 400 and more.
        broken: Connections that failed.
        middle: Half of the answers came within so many seconds.
        late: 99 of 100 did.
    """

    requests: int
    seconds: float
    refused: int
    broken: int
    middle: float
    late: float


def find_wrk() -> str:
    """Where the program is.

    Raises:
        LoadError: It is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        message = "The load comes from wrk, which is not installed: apt-get install wrk (or without load: --no-load)"
        raise LoadError(message)
    return found


def wrk_version(wrk: str) -> str:
    """As the program tells it."""
    told = subprocess.run([wrk, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"wrk \S*?(\d[\d.]*)", told)
    return found[1] if found else "unknown"


def load(wrk: str, method: str, url: str, seconds: int, core: int | None = None) -> Counted:
    """One thread, 32 connections.

    Raises:
        LoadError: A request failed.
    """
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(_SCRIPT), url, "--", method]
    done = subprocess.run(pinned(command, core), capture_output=True, text=True, check=False, timeout=seconds + 30)
    return read_counts(f"{method} {url}", done.stdout, done.stderr)


def read_counts(what: str, output: str, complaints: str = "") -> Counted:
    """What the last line says.

    Raises:
        LoadError: Nothing, or that requests failed.
    """
    try:
        counted = msgspec.json.decode(output.strip().rpartition("\n")[2], type=Counted)
    except msgspec.DecodeError as error:
        message = f"{what}: wrk counted nothing: {complaints.strip() or output.strip()}"
        raise LoadError(message) from error
    if counted.refused or counted.broken or not counted.requests:
        message = (
            f"{what}: of {counted.requests} requests {counted.refused} were refused, {counted.broken} connections broke"
        )
        raise LoadError(message)
    return counted
