"""Starts the app beside this file under uvicorn, drives it over HTTP, and shows what its database holds afterwards.

Everything happens on a free loopback port and in a temporary folder; with DATABASE_URL set to a PostgreSQL database, in
a schema of its own there, dropped at the end. The exit status is 0 only if every answer and every row is as it must be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Generator

HERE = Path(__file__).resolve().parent
ADA = {"email": "ada@example.org", "name": "Ada"}
BOB = {"email": "bob@example.org", "name": "Bob"}

Row = dict[str, str]


class DemoError(Exception):
    """The demo can't go on, or saw what must not be. The text is all that the reader gets."""


# The database, looked at from outside: by the plain drivers, on connections that the app knows nothing of


class SqliteFile:
    """A SQLite file in the demo's folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "users.db"
        self.url = f"sqlite:///{self.path}"
        self.shown = "SQLite, a file in a temporary folder"

    def rows(self) -> list[Row]:
        with closing(sqlite3.connect(self.path)) as connection:
            found = connection.execute("SELECT email, name FROM users ORDER BY email")
            return [{"email": email, "name": name} for email, name in found]

    def remove(self) -> None:
        """The folder goes, and the file with it."""


class PostgresSchema:
    """A schema of the demo's own in the database that DATABASE_URL names."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._name = f"sqlspec_demo_{uuid4().hex[:12]}"
        self.url = f"{url}{'&' if '?' in url else '?'}search_path={self._name}"
        self.shown = f"PostgreSQL (DATABASE_URL), in a schema of its own: {self._name}"
        self._run(f"CREATE SCHEMA {self._name}")

    def rows(self) -> list[Row]:
        return [dict(row) for row in self._run(f"SELECT email, name FROM {self._name}.users ORDER BY email")]

    def remove(self) -> None:
        self._run(f"SET client_min_messages = error; DROP SCHEMA {self._name} CASCADE")

    def _run(self, sql: str) -> list[Any]:
        return asyncio.run(self._run_once(sql))

    async def _run_once(self, sql: str) -> list[Any]:
        try:
            import asyncpg
        except ImportError as error:
            raise DemoError(
                "DATABASE_URL is set, and asyncpg is not installed. Run: pip install '.[asyncpg]'"
            ) from error
        try:
            connection = await asyncpg.connect(self._url, timeout=10)
        except (OSError, asyncpg.PostgresError) as error:
            raise DemoError(f"DATABASE_URL is set, and PostgreSQL can't be reached by it: {error}") from error
        except (ValueError, asyncpg.InterfaceError) as error:  # whose text may show a part of the password
            raise DemoError("DATABASE_URL is set, and is no URL like postgresql://me@localhost:5432/mine.") from error
        try:
            if sql.startswith("SELECT"):
                return await connection.fetch(sql)
            await connection.execute(sql)
            return []
        except asyncpg.PostgresError as error:
            raise DemoError(f"PostgreSQL refused `{sql}`: {error}") from error
        finally:
            await connection.close()


def open_database(folder: Path) -> SqliteFile | PostgresSchema:
    url = os.environ.get("DATABASE_URL", "sqlite:")
    if url.startswith("sqlite:"):
        return SqliteFile(folder)
    if url.startswith(("postgresql:", "postgres:")):
        return PostgresSchema(url)
    raise DemoError("DATABASE_URL must begin with postgresql:// or sqlite:///. Unset it, and the demo runs on SQLite.")


# The app, in a process of its own


@contextmanager
def running_app(folder: Path, database_url: str, log: Path | None) -> Generator[tuple[str, subprocess.Popen[bytes]]]:
    """The app's URL and process. The listening socket is opened here, so that no port can be taken in between."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd, port = listener.fileno(), listener.getsockname()[1]
        command = [sys.executable, "-m", "uvicorn", "app:app", "--app-dir", str(HERE), "--fd", str(fd)]
        environment = {**os.environ, "DATABASE_URL": database_url, "PYTHONDONTWRITEBYTECODE": "1"}
        with (log or Path(os.devnull)).open("wb") as output:
            process = subprocess.Popen(
                [*command, "--log-level", "warning"],
                cwd=folder,
                env=environment,
                pass_fds=[fd],
                stdout=None if log is None else output,
                stderr=None if log is None else output,
            )
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def request(method: str, url: str, body: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and text of the answer. No proxy is asked: the app is on this machine."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, data, headers, method=method), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()
    except OSError as error:
        raise DemoError(f"{method} {url} got no answer: {error}") from error


# What must happen

STEPS: list[tuple[str, str, str, Row | None, int, list[Row]]] = [
    ("A user is created, and stored", "POST", "/users", ADA, 201, [ADA]),
    ("The same email again", "POST", "/users", ADA, 409, [ADA]),
    ("A handler inserts, then raises", "POST", "/users/failing", BOB, 500, [ADA]),
    ("After that the app works on", "POST", "/users", BOB, 201, [ADA, BOB]),
    ("All users", "GET", "/users", None, 200, [ADA, BOB]),
]


def drive(url: str, database: SqliteFile | PostgresSchema) -> None:
    for number, (title, method, path, body, wanted, wanted_rows) in enumerate(STEPS, 1):
        status, text = request(method, url + path, body)
        print(f"{number}. {title}\n   {method} {path} {json.dumps(body) if body else ''}".rstrip())
        print(f"   answered {status} {text}")
        rows = database.rows()
        print(f"   stored   {', '.join(row['email'] for row in rows) or 'nothing'}\n")
        if status != wanted:
            raise DemoError(f"{method} {path} answered {status}, and must answer {wanted}.")
        if rows != wanted_rows:
            raise DemoError(f"After {method} {path} the database must hold {wanted_rows}, and holds {rows}.")
        if method == "GET" and [{key: user[key] for key in ADA} for user in json.loads(text)] != wanted_rows:
            raise DemoError(f"GET {path} must list {wanted_rows}.")


def run_demo(folder: Path, database: SqliteFile | PostgresSchema) -> None:
    log = folder / "server.log"
    try:
        with running_app(folder, database.url, log) as (url, _):
            print(f"The app of {HERE.name}/app.py runs under uvicorn on {url}")
            print(f"Database: {database.shown}; 'stored' is what another connection sees\n")
            drive(url, database)
    except DemoError as error:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise DemoError(f"{error}\nThe server's last lines:\n{tail or '(none)'}") from error
    print("All as it must be: answered 2xx means stored, everything else means nothing was stored.")


def serve(folder: Path, database: SqliteFile | PostgresSchema) -> None:
    with running_app(folder, database.url, None) as (url, process):
        request("GET", f"{url}/users")  # answers once the app is up
        print(f"The app is up on {url}/users ({database.shown}). Ctrl-C ends it.", flush=True)
        print(f"""Try: curl -i {url}/users -d '{json.dumps(ADA)}'""", flush=True)
        try:
            code = process.wait()
        except KeyboardInterrupt:
            code = 0
    if code:
        raise DemoError(f"The app ended by itself with status {code}.")
    print("\nEnding.")  # also where ctrl-c has met the app and not us


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--serve", action="store_true", help="keep the app up until ctrl-c, on a free loopback port")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        with tempfile.TemporaryDirectory(prefix="sqlspec-demo-") as name:
            database = open_database(Path(name))
            try:
                (serve if options.serve else run_demo)(Path(name), database)
            finally:
                database.remove()
    except DemoError as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _end(*_: object) -> NoReturn:
    """A signal ends the demo as ctrl-c does: the app is stopped, the folder removed."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
