"""The demo, run as `make demo` and `make serve` run it: in a process of its own, over real HTTP, on real databases."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What the demo sees: every temporary file must go into ``tmp_path``, where the tests look for leavings."""
    kept = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    return {**kept, "TMPDIR": str(tmp_path), "PYTHONPATH": str(EXAMPLES.parent)}


def run(*options: str, environment: dict[str, str], script: Path = EXAMPLES / "demo.py") -> tuple[int, str, str]:
    """Status, output and errors of the demo. It must end by itself."""
    command = [sys.executable, str(script), *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50, check=False)
    return done.returncode, done.stdout, done.stderr


def check_output(output: str) -> None:
    """Each request with its answer, and what was stored after each."""
    answers = [line.split()[1] for line in output.splitlines() if line.startswith("   answered ")]
    stored = [line.split(maxsplit=1)[1] for line in output.splitlines() if line.startswith("   stored ")]
    assert answers == ["201", "409", "500", "201", "200"]
    assert stored == ["ada@example.org"] * 3 + ["ada@example.org, bob@example.org"] * 2
    assert "All as it must be" in output


def test_the_demo_runs_on_sqlite(environment: dict[str, str], tmp_path: Path) -> None:
    """Status 0, every answer as it must be, no file left."""  # W11 W12 W13 W14
    status, output, errors = run(environment=environment)
    assert (status, errors) == (0, "")
    check_output(output)
    assert "SQLite" in output
    assert list(tmp_path.iterdir()) == []


async def test_the_demo_runs_on_postgres(environment: dict[str, str], tmp_path: Path, postgres_dsn: str) -> None:
    """The same answers; the database is left as it was."""  # W11 W12 W13 W14
    status, output, errors = run(environment={**environment, "DATABASE_URL": postgres_dsn})
    assert (status, errors) == (0, "")
    check_output(output)
    assert "PostgreSQL" in output
    connection = await asyncpg.connect(postgres_dsn)
    try:
        left = await connection.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sqlspec_demo%'")
    finally:
        await connection.close()
    assert left == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://localhost/app", "DATABASE_URL must begin with postgresql:// or sqlite:///."),
        ("postgresql://127.0.0.1:1/app", "DATABASE_URL is set, and PostgreSQL can't be reached by it"),
        ("postgresql://me:hush:hush@127.0.0.1:x/app", "DATABASE_URL is set, and is no URL like"),
    ],
)
def test_a_database_that_can_not_be_had_is_one_sentence(environment: dict[str, str], url: str, sentence: str) -> None:
    """No traceback, no password, status 1."""  # E5
    status, _, errors = run(environment={**environment, "DATABASE_URL": url})
    assert status == 1
    assert sentence in errors
    assert "Traceback" not in errors
    assert "hush" not in errors


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('commit_mode="autocommit"', 'commit_mode="manual"', "After POST /users the database must hold"),
        ("UniqueViolationError: conflict, ", "", "POST /users answered 500, and must answer 409."),
        ("raise RuntimeError(", "return as_json(", "POST /users/failing answered 200, and must answer 500."),
        ("spec = SQLSpec()", "spec = SQLSpec(", "The server's last lines:"),
    ],
    ids=["nothing-stored", "wrong-answer", "no-failure", "does-not-start"],
)
def test_an_app_that_does_not_keep_its_word_is_told(
    environment: dict[str, str], tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    """The demo looks, rather than claims: status 1 and one clear sentence; nothing is left either."""
    copy = Path(shutil.copytree(EXAMPLES, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__")))
    source = (copy / "app.py").read_text()
    assert source.count(old) == 1
    (copy / "app.py").write_text(source.replace(old, new))
    status, _, errors = run(environment=environment, script=copy / "demo.py")
    assert status == 1, errors
    assert "The demo failed:" in errors
    assert sentence in errors
    assert list(tmp_path.iterdir()) == [copy]


def test_help(environment: dict[str, str]) -> None:
    """--help explains itself."""
    status, output, _ = run("--help", environment=environment)
    assert status == 0
    assert "--serve" in output


@pytest.fixture
def served(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The demo kept up."""
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "demo.py"), "--serve"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("as_a_terminal", [True, False], ids=["ctrl-c", "terminated"])
def test_serve_stays_up_until_it_is_told(served: subprocess.Popen[str], tmp_path: Path, as_a_terminal: bool) -> None:
    """It prints its URL, answers there, and leaves neither process nor file when ctrl-c or SIGTERM ends it."""
    assert served.stdout is not None
    first = served.stdout.readline()
    url = next(word for word in first.split() if word.startswith("http://"))
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert (answer.status, answer.read()) == (200, b"[]")
    if as_a_terminal:
        os.killpg(served.pid, signal.SIGINT)  # the app gets it too
    else:
        served.terminate()
    output, errors = served.communicate(timeout=20)
    assert served.returncode == 0, errors
    assert errors == ""
    assert "Ending." in output
    port = int(url.removeprefix("http://127.0.0.1:").partition("/")[0])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    assert list(tmp_path.iterdir()) == []
