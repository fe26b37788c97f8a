"""Opening SQLite databases: what the user named, the pragmas, and databases in memory.

Both SQLite adapters open through here; it runs in whatever thread calls it. ``:memory:`` is one database per config,
held by an anchor connection in the memdb VFS, which honours the busy time-out (``cache=shared`` does not).
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

from sqlspec.core.options import COUNT, FLAG, MAPPING, SECONDS, TEXT, Kind
from sqlspec.core.urls import scheme_of
from sqlspec.exceptions import ImproperConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("ALIASES", "KEYS", "KINDS", "Opener", "SqlitePoolConfig")

PragmaValue = str | int | bool | None

ALIASES = {"pool_size": "max_size"}
_CONNECT_KEYS = frozenset({"timeout", "detect_types", "cached_statements"})
_FILE_PRAGMAS: dict[str, PragmaValue] = {"journal_mode": "WAL", "synchronous": "NORMAL"}
_PRAGMAS: dict[str, PragmaValue] = {"foreign_keys": True}


class SqlitePoolConfig(TypedDict, total=False):
    """``pool_config`` of both SQLite adapters; all may be left out."""

    database: str | os.PathLike[str]
    """A path, ``":memory:"`` (default: one database for the whole config), or a ``file:`` URI."""
    uri: str | bool
    """``sqlite:///path``, ``sqlite://`` (memory) or ``file:…`` instead of ``database``.

    True says that ``database`` is a ``file:`` URI."""
    pool_size: int
    """The same as ``max_size``."""
    max_size: int
    """Connections at most; default 10."""
    min_size: int
    """Connections opened at start-up; default 1."""
    timeout: float
    """Seconds to wait for another connection's lock; default 5."""
    pragmas: Mapping[str, PragmaValue]
    """Set on every connection, over the defaults: ``foreign_keys`` on, and for files ``journal_mode`` WAL and
    ``synchronous`` NORMAL. None leaves a default away."""
    detect_types: int
    """As sqlite3's; default 0."""
    cached_statements: int
    """As sqlite3's; default 128."""


KEYS = frozenset(SqlitePoolConfig.__annotations__) - set(ALIASES)


KINDS: dict[str, Kind] = {
    "database": Kind("a path", lambda value: isinstance(value, os.PathLike)) | TEXT,
    "uri": TEXT | FLAG,
    "max_size": COUNT,
    "min_size": COUNT,
    "timeout": SECONDS,
    "pragmas": MAPPING,
    "detect_types": COUNT,
    "cached_statements": COUNT,
}

_URL = re.compile(r"sqlite:(?!//[^/?])(?://)?([^?#]*)(?:\?([^#]*))?")  # with no host
_FOREIGN_URI = re.compile(r"file://(?!/|localhost/)")


class Connection(sqlite3.Connection):
    """A connection that knows its open cursors.

    An open one holds a lock, outlives ``close()`` in SQLite, and after ``interrupt()`` makes everything else fail: so
    whoever brings an interrupted connection to rest has to close them.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.open_cursors: set[sqlite3.Cursor] = set()
        self._lock_wait: int | None = None

    def cap_lock_wait(self, seconds: float | None) -> None:
        """Wait for locks no longer than this (and a moment, in which a time limit speaks first); None: as before."""
        if seconds is None:
            before, self._lock_wait = self._lock_wait, None
            if before is not None:
                self.execute(f"PRAGMA busy_timeout = {before}").close()
            return
        current: int = self.execute("PRAGMA busy_timeout").fetchone()[0]
        capped = int(seconds * 1000) + 50
        if capped < current:
            self._lock_wait = current
            self.execute(f"PRAGMA busy_timeout = {capped}").close()

    def __del__(self) -> None:
        if hasattr(self, "open_cursors"):  # it was opened
            self.close()  # silently: a forgotten pool warns once, not once per connection

    def close_cursors(self) -> None:
        """Close them all, in the thread that uses the connection."""
        while self.open_cursors:
            self.open_cursors.pop().close()


class Opener:
    """Opens connections of one config.

    Args:
        options: The resolved ``pool_config``.

    Raises:
        ImproperConfigurationError: No database can be meant by it.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        database, uri = _named(options)
        self.in_memory = database == ":memory:"
        shown = database.removeprefix("file:").partition("?")[0]
        self.target = "sqlite://:memory:" if self.in_memory else f"sqlite:///{shown}"
        if self.in_memory:
            database, uri = f"file:/sqlspec-{uuid4().hex}?vfs=memdb", True
        self.database = database
        self._uri = uri
        self._connect_options = {key: options[key] for key in _CONNECT_KEYS if key in options}
        self._busy_seconds: float = options.get("timeout", 5.0)
        read_only = uri and re.search(r"[?&](mode=ro|immutable=1)\b", database) is not None
        defaults = _PRAGMAS if self.in_memory or read_only else _PRAGMAS | _FILE_PRAGMAS
        self.pragmas = _checked(defaults | dict(options.get("pragmas") or {}))
        self._anchor: sqlite3.Connection | None = None
        self._lock = threading.Lock()

    def connect(self) -> Connection:
        """Open a connection in autocommit mode, with its pragmas set."""
        with self._lock:  # also: two that switch a new file to WAL at once would see each other's lock
            if self.in_memory and self._anchor is None:
                self._anchor = self._open()
            connection = self._open()
            try:
                self._set_pragmas(connection)
            except BaseException:
                connection.close()
                raise
            return connection

    def _open(self) -> Connection:
        return Connection(
            self.database, uri=self._uri, isolation_level=None, check_same_thread=False, **self._connect_options
        )

    def _set_pragmas(self, connection: sqlite3.Connection) -> None:
        deadline = time.monotonic() + self._busy_seconds
        for name, value in self.pragmas.items():
            while True:
                try:
                    connection.execute(f"PRAGMA {name} = {value}").close()
                    break
                except sqlite3.OperationalError as error:
                    # Switching to WAL does not wait for other processes' locks by itself.
                    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)

    def forget(self) -> None:
        """Drop the database in memory."""
        with self._lock:
            anchor, self._anchor = self._anchor, None
            if anchor is not None:
                anchor.close()


def _named(options: Mapping[str, Any]) -> tuple[str, bool]:
    """The database, and whether it is a ``file:`` URI."""
    uri = options.get("uri")
    if isinstance(uri, str):
        if "database" in options:
            message = "pool_config has both 'database' and a 'uri' that names one. Keep one of them."
            raise ImproperConfigurationError(message)
        return _from_url(uri, "uri")
    named: str | os.PathLike[str] = options.get("database", ":memory:")
    database = os.fspath(named)
    if database.startswith(("sqlite:", "file:")) or scheme_of(database):
        return _from_url(database, "database")
    if not database:
        message = "database='' is a private temporary database for every single connection. Use ':memory:' or a path."
        raise ImproperConfigurationError(message)
    return database, bool(uri)


def _from_url(url: str, key: str) -> tuple[str, bool]:
    """Of a URL. It is shown in no message: another database's has a password in it."""
    if url.startswith("file:") and not _FOREIGN_URI.match(url):
        return _from_uri(url)
    parts = _URL.fullmatch(url)
    if parts is None:
        scheme = scheme_of(url)
        other = f" but one with the scheme {scheme!r}" if scheme not in ("", "sqlite", "file") else ""
        message = (
            f"{key} is no SQLite URL{other}: write sqlite:///relative.db, sqlite:////absolute.db, sqlite:// or file:…"
        )
        raise ImproperConfigurationError(message)
    path, query = parts[1].removeprefix("/"), parts[2]
    if unquote(path) in ("", ":memory:"):
        return ":memory:", False
    return _from_uri(f"file:{path}?{query}") if query else (unquote(path), False)


def _from_uri(uri: str) -> tuple[str, bool]:
    """A private database in memory would be another one for every connection."""
    path, _, query = uri.removeprefix("file:").partition("#")[0].partition("?")
    options = dict(parse_qsl(query))
    in_memory = unquote(path) == ":memory:" or options.get("mode") == "memory"
    return (":memory:", False) if in_memory and options.get("cache") != "shared" else (uri, True)


def _checked(pragmas: dict[str, PragmaValue]) -> dict[str, str]:
    """Pragmas as text. They can't be parameters, so only words and numbers are let through."""
    checked: dict[str, str] = {}
    for name, value in pragmas.items():
        if value is None:
            continue
        text = {True: "ON", False: "OFF"}[value] if isinstance(value, bool) else str(value)
        if not re.fullmatch(r"\w+", name) or not re.fullmatch(r"[\w.-]+", text):
            message = f"The pragma {name!r} must be a word, and its value a word or number."
            raise ImproperConfigurationError(message)
        checked[name] = text
    return checked
