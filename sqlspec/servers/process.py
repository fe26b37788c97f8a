"""A server program under a keeper: who runs it, where, and that it ends for certain.

Knows processes, accounts, folders and ports, and no database. A server started here ends by ``stop()``, at the
interpreter's exit, or when this process is killed (``keeper.py``); its folder goes with it.
"""

from __future__ import annotations

import atexit
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlspec.exceptions import SQLSpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = (
    "Account",
    "KeptProcess",
    "ServerUnavailableError",
    "StartFailedError",
    "after_two_seconds",
    "free_port",
    "temporary_folder",
    "to_stderr",
    "unprivileged_account",
)

KEEPER = Path(__file__).with_name("keeper.py")
PATIENCE = 8.0
"""Seconds that a server has between the interrupt and the kill."""


class ServerUnavailableError(SQLSpecError):
    """No database server could be found or started. The message lists what was tried and what to do."""


class StartFailedError(Exception):
    """A server program ended, or gave no answer, where it should have come up. The message ends with its log."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs a server."""

    name: str
    uid: int
    gid: int

    def may_run(self, program: Path) -> bool:
        """May it go where the program is (not below root's home, say), and run it?"""
        test = ["test", "-x", str(program)]
        return subprocess.run(test, user=self.uid, group=self.gid, extra_groups=[], check=False).returncode == 0


def unprivileged_account() -> Account | None:
    """The account that root gives a server to, since database servers refuse to run as root. None: stay who we are.

    Raises:
        StartFailedError: This is root, and there is no such account.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    message = "a database server does not run as root, and this machine has neither an account 'postgres' nor 'nobody'"
    raise StartFailedError(message)


def temporary_folder(account: Account | None) -> Path:
    """A new folder that the account owns and nobody else can read."""
    if account is None:
        return Path(tempfile.mkdtemp(prefix="sqlspec-"))
    folder = Path(tempfile.mkdtemp(prefix="sqlspec-", dir="/tmp"))  # root's TMPDIR may be root's alone
    os.chown(folder, account.uid, account.gid)
    return folder


def free_port() -> int:
    """A port of the loopback address that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def to_stderr(text: str) -> None:
    """Tell whoever waits what takes so long."""
    print(f"[servers] {text}", file=sys.stderr, flush=True)


def after_two_seconds(say: Callable[[str], None], text: str) -> Callable[[], None]:
    """What a waiting loop calls each time around: says the text once, if it is still waiting after two seconds."""
    due = [time.monotonic() + 2.0]

    def remind() -> None:
        if due and time.monotonic() > due[0]:
            due.clear()
            say(text)

    return remind


class KeptProcess:
    """A program that runs until ``stop()``, and not longer than this process.

    Args:
        folder: Its working folder, removed at its end.
        account: Who runs it; None for whoever runs this.
        prepare: A command that has to end well before the program starts.
        serve: The program.
        interrupt: The signal that makes the program end by itself.
    """

    def __init__(
        self,
        folder: Path,
        account: Account | None,
        *,
        prepare: Sequence[str],
        serve: Sequence[str],
        interrupt: signal.Signals = signal.SIGINT,
    ) -> None:
        task = {
            "folder": str(folder),
            "uid": account and account.uid,
            "gid": account and account.gid,
            "prepare": list(prepare),
            "serve": list(serve),
            "interrupt": int(interrupt),
            "patience": PATIENCE,
        }
        self._owner = os.getpid()
        self._folder = folder
        self._log = tempfile.TemporaryFile(prefix="sqlspec-", suffix=".log")  # noqa: SIM115 (stop() closes it)
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER), json.dumps(task)],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        atexit.register(self.stop)

    def wait_until(self, is_ready: Callable[[], bool], remind: Callable[[], None], *, limit: float = 45.0) -> None:
        """Come back when the program is ready.

        Raises:
            StartFailedError: It ended, or was not ready in time.
        """
        end = time.monotonic() + limit
        while not is_ready():
            if self._keeper.poll() is not None:
                raise StartFailedError(self.log())
            if time.monotonic() > end:
                message = f"not ready after {limit:g} s\n{self.log()}"
                raise StartFailedError(message)
            remind()
            time.sleep(0.03)

    @property
    def is_running(self) -> bool:
        """Is the program, or its preparation, still there?"""
        return self._keeper.poll() is None

    def log(self) -> str:
        """The last lines that the program wrote."""
        if self._log.closed:
            return ""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), 2000, max(size - 2000, 0)).decode(errors="replace").strip()

    def stop(self) -> None:
        """End the program and remove its folder; back when both are gone. Repeatable. A forked child stops nothing."""
        if self._owner != os.getpid():
            return
        atexit.unregister(self.stop)
        keeper = self._keeper
        if keeper.stdin is not None:
            keeper.stdin.close()
        if keeper.poll() is None:
            keeper.terminate()  # a forked child of ours may still hold the other end
        try:
            keeper.wait(PATIENCE + 5)
        except subprocess.TimeoutExpired:
            keeper.kill()
            keeper.wait()
        shutil.rmtree(self._folder, ignore_errors=True)  # the keeper may have been stopped before it listened
        self._log.close()
