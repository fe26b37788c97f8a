"""Runs one server program for as long as its owner lives. Started as a script, by path; imports nothing of ours.

Its owner holds the other end of its standard input. When that closes (the owner stops it, ends, or is killed) or when
SIGTERM comes, the keeper interrupts the server, kills it if it does not end in time, removes the folder, and ends. It
has a session of its own, so a ctrl-c in the terminal reaches the owner alone. Should the keeper itself be killed, Linux
ends the server. One argument, JSON: the fields of ``Task``.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

PR_SET_PDEATHSIG = 1


class Task(NamedTuple):
    """What a keeper is told."""

    folder: str
    """Where the programs run; removed at the end."""
    uid: int | None
    """Who runs them; None for whoever runs the keeper."""
    gid: int | None
    prepare: Sequence[str]
    """A command line that has to end well first."""
    serve: Sequence[str]
    """The command line of the server."""
    interrupt: int
    """The signal that makes them end by themselves."""
    patience: float
    """Seconds until a server that was interrupted is killed."""


_signals: list[int] = []
"""Those that came. Handlers raise nothing: nothing may break into the stopping of a server."""


def main() -> int:
    """Keep one server, from preparing it to removing its folder. Its exit status."""
    task = Task(**json.loads(sys.argv[1]))
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda number, _: _signals.append(number))
    try:
        return _run(task, task.prepare) or _run(task, task.serve)
    finally:
        _remove(task.folder)


def _run(task: Task, command: Sequence[str]) -> int:
    """Run one program to its end, or to the owner's. Its exit status."""
    process = _start(task, command)
    while process.poll() is None and not _signals:
        if select.select([0], [], [], 0.05)[0]:  # nothing is ever written there: the owner is gone, or wants an end
            break
    _stop(process, task.interrupt, task.patience)
    return process.returncode


def _start(task: Task, command: Sequence[str]) -> subprocess.Popen[bytes]:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": task.folder, "LC_ALL": "C", "TZ": "UTC"}
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        cwd=task.folder,
        env=environment,
        user=task.uid,
        group=task.gid,
        extra_groups=None if task.uid is None else [],
        process_group=0,
        preexec_fn=_die_with_the_keeper,  # noqa: PLW1509 (the keeper has one thread)
    )


def _die_with_the_keeper() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _stop(process: subprocess.Popen[bytes], interrupt: int, patience: float) -> None:
    """Interrupt, wait, kill. What a server has started ends with it; what a preparation has started is killed."""
    deadline = time.monotonic() + patience
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(interrupt)  # again, should it have come before the program listened
        try:
            process.wait(1)
        except subprocess.TimeoutExpired:
            continue
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except OSError:  # the usual case: nobody is left
        pass
    process.wait()


def _remove(folder: str) -> None:
    """Remove the folder, even if a process that was just killed is still writing its last file."""
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
