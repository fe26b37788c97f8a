"""Where a database of ADBC is, and the driver's handle on it, from which its connections are made.

Knows no database: the files named after one fill a ``Place``.
"""

from __future__ import annotations

import os
import threading
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlspec.exceptions import ConnectionFailedError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import adbc_driver_manager as adbc

__all__ = ("Database", "Handle", "Place", "driver")


class Place(NamedTuple):
    """One database.

    Attributes:
        target: Where it is, fit to be shown.
        secrets: What must appear in no message.
        open: Makes the driver's handle; most drivers contact the database for that.
        setup: Statements that every new connection runs.
        forks: A process that was forked off can open it anew.
        file: The file, if a process must not open it twice.
        settings: What it is opened with.
    """

    target: str
    secrets: tuple[str, ...]
    open: Callable[[], adbc.AdbcDatabase]
    setup: Sequence[str] = ()
    forks: bool = True
    file: str | None = None
    settings: Mapping[str, Any] = {}


def driver(module: str, package: str, extra: str) -> Any:
    """The Python package of a driver.

    Raises:
        MissingDependencyError: It is not installed.
    """
    if find_spec(module) is None:
        raise MissingDependencyError(package, extra)
    return import_module(module)


class Database:
    """The driver's handle on a database, closed when the last one who has it lets go of it. Made by ``Handle``."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.opened = place.open()
        self.users = 0
        self._process = os.getpid()

    @property
    def is_ours(self) -> bool:
        """Whether this process opened it; a process that was forked off leaves its parent's alone."""
        return self._process == os.getpid()

    def close(self) -> None:
        """Let go of it."""
        with _open.guard:
            self.users -= 1
            if self.is_ours and not self.users:
                self.opened.close()
                _open.files.pop(self.place.file, None)


class _Open:
    """What this process has open.

    Attributes:
        files: Those that must not be opened twice: two handles of one process write over each other's work.
        guard: Whoever opens or closes a handle holds it.
    """

    def __init__(self) -> None:
        self.files: dict[str | None, Database] = {}
        self.guard = threading.Lock()

    def renew_guard(self) -> None:
        """Another thread may have held it when this process was forked off."""
        self.guard = threading.Lock()


_open = _Open()
os.register_at_fork(after_in_child=_open.renew_guard)


class Handle:
    """A config's hold on the driver's handle, from the first connection until its last pool is closed."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._found: Database | None = None
        self._parents: Database | None = None

    def get(self) -> Database:
        """The handle, for one more who has to close it."""
        with _open.guard:
            found = self._found
            if found is not None and not found.is_ours:
                if not self._place.forks:
                    message = (
                        f"The driver for {self._place.target} does not work in a forked process: spawn it instead."
                    )
                    raise ConnectionFailedError(message)
                self._parents, found = found, None
            if found is None:
                found = self._found = self._open()
                found.users += 1
            found.users += 1
            return found

    def _open(self) -> Database:
        file = self._place.file
        found = _open.files.get(file)
        if found is None or not found.is_ours:
            found = Database(self._place)
            if file is not None:
                _open.files[file] = found
        elif found.place.settings != self._place.settings:
            message = f"Could not connect to {self._place.target}: this process has it open with other db_kwargs."
            raise ConnectionFailedError(message)
        return found

    def close(self) -> None:
        """Let go of it; a connection that is still in use keeps it open."""
        found, self._found = self._found, None
        if found is not None:
            found.close()
