"""Opening DuckDB: what the user named, and the anchor.

One ``duckdb.connect()`` per config, the anchor, keeps the database open and runs nothing. The connections of the pool
are cursors of it: connections of their own, whose temporary tables, settings and transactions the others do not see.

After a fork both processes would write one file, and a child that drops the database moves its parent's log into it
(measured): the anchor is left alone there, for good, and the file is refused.
"""

from __future__ import annotations

import ctypes
import os
import re
import threading
import weakref
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import duckdb

from sqlspec.core.urls import scheme_of
from sqlspec.exceptions import ConnectionFailedError, ImproperConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("MEMORY", "Opener", "path_of")

MEMORY = ":memory:"
_URL = re.compile(r"duckdb:(?!//[^/:])(?://)?/?(.*)", re.DOTALL)  # with no host


class Opener:
    """Opens connections of one config.

    Args:
        options: The resolved ``pool_config``.

    Raises:
        ImproperConfigurationError: No database can be meant by it.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.database = path_of(options.get("database", MEMORY))
        self._read_only: bool = options.get("read_only", False)
        if self._read_only and self.database == MEMORY:
            message = "read_only=True needs a 'database' that is a file: one in memory would be empty for ever."
            raise ImproperConfigurationError(message)
        self._settings: dict[str, Any] = {str(name): value for name, value in options.get("config", {}).items()}
        zone = next((name for name in self._settings if name.lower() == "timezone"), None)
        self._zone = "UTC" if zone is None else str(self._settings.pop(zone))
        self._anchor: duckdb.DuckDBPyConnection | None = None
        self._is_the_parents = False
        self._lock = threading.Lock()
        _openers.add(self)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Open a connection; the first one opens the database."""
        anchor = self._open()
        try:
            return self._set_up(anchor.cursor())
        except duckdb.FatalException:  # an earlier fault has closed the database for all who had it open
            self._close(anchor)
        return self._set_up(self._open().cursor())

    def _open(self) -> duckdb.DuckDBPyConnection:
        with self._lock:
            if self._is_the_parents:
                message = (
                    f"Could not connect to {self.database}: it was open when this process was forked off, and two "
                    "processes can't write one DuckDB file. Open it after the fork only, or spawn the process."
                )
                raise ConnectionFailedError(message)
            if self._anchor is None:
                self._anchor = duckdb.connect(self.database, read_only=self._read_only, config=self._settings)
            return self._anchor

    def _set_up(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        try:
            connection.execute("SET SESSION TimeZone = $1", [self._zone])
            # FROM would look for Python variables of the frame that calls, which is one of ours.
            connection.execute("SET SESSION python_enable_replacements = false")
        except BaseException:
            connection.close()
            raise
        return connection

    def _close(self, anchor: duckdb.DuckDBPyConnection) -> None:
        """Close the database, and all connections with it."""
        with self._lock:
            anchor.close()
            if self._anchor is anchor:
                self._anchor = None

    def forget(self) -> None:
        """Let go of the anchor: connections that are still in use keep the database open until they are closed."""
        with self._lock:
            self._anchor = None

    def leave_to_parent(self) -> None:
        """In a process that was forked off."""
        self._lock = threading.Lock()
        anchor, self._anchor = self._anchor, None
        if anchor is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(anchor))  # nothing may ever close it here
            self._is_the_parents = self.database != MEMORY and not self._read_only


_openers = weakref.WeakSet[Opener]()


def _leave_all_to_parent() -> None:
    for opener in list(_openers):
        opener.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all_to_parent)


def path_of(named: str | os.PathLike[str]) -> str:
    """The database's path. What can't be read is shown in no message: another database's URL has a password in it."""
    database = os.fspath(named)
    if not database:
        message = "database='' names no database. Use ':memory:' or a path."
        raise ImproperConfigurationError(message)
    if not database.startswith("duckdb:") and not scheme_of(database):
        return database
    url = _URL.fullmatch(database)
    if url is None:
        scheme = scheme_of(database)
        other = f" but one with the scheme {scheme!r}" if scheme not in ("", "duckdb") else ""
        message = f"database is no DuckDB URL{other}: write duckdb:///relative.db, duckdb:////absolute.db or duckdb://"
        raise ImproperConfigurationError(message)
    return unquote(url[1]) or MEMORY
