"""A kept program ends for certain, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sqlspec.servers import process
from sqlspec.servers.process import KeptProcess, StartFailedError, after_two_seconds, temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STUBBORN = "import pathlib, signal, time; signal.signal(2, signal.SIG_IGN); pathlib.Path('pid').touch(); time.sleep(60)"


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def writes_its_number(folder: Path) -> list[str]:
    """A program that tells its process id and then waits to be stopped."""
    return ["sh", "-c", f"echo $$ > {folder}/pid.new; mv {folder}/pid.new {folder}/pid; exec sleep 60"]


def eventually(is_so: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not is_so() and time.monotonic() < end:
        time.sleep(0.01)
    return is_so()


def is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def folder() -> Iterator[Path]:
    made = temporary_folder(None)
    yield made
    assert not made.exists()


def started(folder: Path) -> tuple[KeptProcess, int]:
    kept = KeptProcess(folder, None, prepare=["true"], serve=writes_its_number(folder))
    kept.wait_until((folder / "pid").exists, lambda: None)
    return kept, int((folder / "pid").read_text())


def test_stop_ends_the_program_and_removes_its_folder(folder: Path) -> None:
    kept, number = started(folder)
    assert kept.is_running
    kept.stop()
    kept.stop()
    assert not is_alive(number)
    assert not kept.is_running


@pytest.mark.parametrize("after", [0.0, 0.01, 0.02, 0.04, 0.08])
def test_stop_leaves_nothing_behind_at_any_moment_of_the_start(folder: Path, after: float) -> None:
    fill = python("import pathlib, itertools\nfor n in itertools.count(): pathlib.Path(str(n % 200)).touch()")
    kept = KeptProcess(folder, None, prepare=fill, serve=["sleep", "60"])
    time.sleep(after)
    kept.stop()


def test_a_program_that_ignores_the_interrupt_is_killed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PATIENCE", 0.2)
    kept = KeptProcess(folder, None, prepare=["true"], serve=python(STUBBORN))
    kept.wait_until((folder / "pid").exists, lambda: None)
    begin = time.monotonic()
    kept.stop()
    assert time.monotonic() - begin < 5


def test_a_program_is_interrupted_by_the_signal_that_it_listens_to(folder: Path) -> None:
    code = f"import pathlib, signal, sys, time; {STUBBORN.partition(';')[2].replace('time.sleep(60)', '')}"
    code += "signal.signal(15, lambda *_: sys.exit(print('ended by itself', flush=True))); time.sleep(60)"
    kept = KeptProcess(folder, None, prepare=["true"], serve=python(code), interrupt=signal.SIGTERM)
    kept.wait_until((folder / "pid").exists, lambda: None)
    begin = time.monotonic()
    kept.stop()
    assert time.monotonic() - begin < process.PATIENCE


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_owner_leaves_nothing_behind(folder: Path, way: signal.Signals) -> None:
    code = f"""
        import pathlib, signal, time
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that runs `make test &` ignores it
        from sqlspec.servers.process import KeptProcess
        folder = pathlib.Path({str(folder)!r})
        kept = KeptProcess(folder, None, prepare=["true"], serve={writes_its_number(folder)!r})
        kept.wait_until((folder / "pid").exists, lambda: None)
        print("up", flush=True)
        time.sleep(60)
    """
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        number = int((folder / "pid").read_text())
        owner.send_signal(way)
        owner.wait(10)
    assert eventually(lambda: not is_alive(number))
    assert eventually(lambda: not folder.exists())


def test_a_forked_child_does_not_stop_its_parents_program(folder: Path) -> None:  # X2
    kept, number = started(folder)
    kept._owner += 1  # pyright: ignore[reportPrivateUsage]  (as a child of ours would see it)
    kept.stop()
    assert is_alive(number)
    kept._owner -= 1  # pyright: ignore[reportPrivateUsage]
    kept.stop()


def test_a_preparation_that_fails_is_an_error_with_its_log(folder: Path) -> None:
    kept = KeptProcess(folder, None, prepare=["sh", "-c", "echo no space left; exit 1"], serve=["sleep", "60"])
    with pytest.raises(StartFailedError, match="no space left"):
        kept.wait_until(lambda: False, lambda: None)
    kept.stop()


def test_a_program_that_is_missing_is_an_error_that_names_it(folder: Path) -> None:
    kept = KeptProcess(folder, None, prepare=["true"], serve=["/no/such/program"])
    with pytest.raises(StartFailedError, match="/no/such/program"):
        kept.wait_until(lambda: False, lambda: None)
    kept.stop()


def test_a_program_that_is_never_ready_is_an_error_in_time(folder: Path) -> None:
    kept, _ = started(folder)
    with pytest.raises(StartFailedError, match=r"not ready after 0\.1 s"):
        kept.wait_until(lambda: False, lambda: None, limit=0.1)
    kept.stop()


def test_only_a_long_wait_is_talked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    now, said = [0.0], list[str]()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    remind = after_two_seconds(said.append, "Starting ...")
    remind()
    assert said == []
    now[0] = 2.1
    remind()
    remind()
    assert said == ["Starting ..."]
