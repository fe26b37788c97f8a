"""One contender under uvicorn (uvloop, httptools, one worker, no access log) in a process of its own."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TYPE_CHECKING, NamedTuple

from sqlspec.servers.process import free_port

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ("Answer", "Contender", "NotServingError", "Server", "pinned", "serving")

FOLDER = Path(__file__).with_name("contenders")
OPTIONS = ("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")
_START_LIMIT = 20.0


@dataclass(frozen=True, slots=True)
class Contender:
    """An app that is put under load.

    Attributes:
        module: Its file in ``contenders/``.
        name: What the tables call it.
        is_peer: Whether it is another library.
        is_apart: Whether it runs in the environment of the peers.
    """

    module: str
    name: str
    is_peer: bool = True
    is_apart: bool = False


class NotServingError(Exception):
    """A contender did not start."""


class Answer(NamedTuple):
    """What a route answers."""

    status: int
    kind: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Server:
    """A contender that serves."""

    contender: Contender
    port: int
    pid: int

    def url(self, path: str) -> str:
        """Where a route is."""
        return f"http://127.0.0.1:{self.port}{path}"

    def ask(self, method: str, path: str) -> Answer:
        """Ask once, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            return Answer(response.status, response.getheader("content-type"), response.read())
        finally:
            connection.close()

    def cpu_seconds(self) -> float:
        """What it has used of a core since it started; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(contender: Contender, dsn: str, python: str = sys.executable, core: int | None = None) -> Generator[Server]:
    """Start it, and end it.

    Args:
        contender: Which one.
        dsn: Its database.
        python: The interpreter of its environment.
        core: The only core that it may use.

    Raises:
        NotServingError: It ended, or does not answer in time.
    """
    port = free_port()
    command = [python, "-m", "uvicorn", "--app-dir", str(FOLDER), *OPTIONS]
    command += ["--host", "127.0.0.1", "--port", str(port), f"{contender.module}:app"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"DSN": dsn}
    with TemporaryDirectory() as folder, TemporaryFile() as log:  # not here, where the peers would find our package
        process = subprocess.Popen(pinned(command, core), cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            server = Server(contender, port, process.pid)
            if not _answers_in_time(server, process):
                log.seek(0)
                message = f"{contender.name} does not serve:\n{log.read().decode(errors='replace')[-1500:].strip()}"
                raise NotServingError(message)
            yield server
        finally:
            _end(process)


def pinned(command: list[str], core: int | None) -> list[str]:
    """The command, on one core only."""
    return command if core is None else ["taskset", "-c", str(core), *command]


def _answers_in_time(server: Server, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + _START_LIMIT
    while process.poll() is None and time.monotonic() < end:
        try:
            return server.ask("GET", "/plain").status == 200
        except OSError:
            time.sleep(0.05)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
