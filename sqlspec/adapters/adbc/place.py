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
    from collections.abc import Callable, Sequence

    import adbc_driver_manager as adbc

__all__ = ("Handle", "Place", "driver")


class Place(NamedTuple):
    """One database.

    Attributes:
        target: Where it is, fit to be shown.
        secrets: What must appear in no message.
        open: Makes the driver's handle; most drivers contact the database for that.
        setup: Statements that every new connection runs.
        forks: A process that was forked off can open it anew.
    """

    target: str
    secrets: tuple[str, ...]
    open: Callable[[], adbc.AdbcDatabase]
    setup: Sequence[str] = ()
    forks: bool = True


def driver(module: str, package: str, extra: str) -> Any:
    """The Python package of a driver.

    Raises:
        MissingDependencyError: It is not installed.
    """
    if find_spec(module) is None:
        raise MissingDependencyError(package, extra)
    return import_module(module)


class Handle:
    """The driver's handle, opened when it is wanted; a forked process opens its own and leaves the parent's alone."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._found: tuple[int, adbc.AdbcDatabase] | None = None
        self._abandoned: list[adbc.AdbcDatabase] = []

    def get(self) -> adbc.AdbcDatabase:
        """The handle of this process."""
        with self._lock:
            if self._found is not None and self._found[0] != os.getpid():
                if not self._place.forks:
                    message = (
                        f"The driver for {self._place.target} does not work in a forked process: spawn it instead."
                    )
                    raise ConnectionFailedError(message)
                self._abandoned.append(self._found[1])
                self._found = None
            if self._found is None:
                self._found = (os.getpid(), self._place.open())
            return self._found[1]

    def close(self) -> None:
        """Close it, unless a connection is still in use: then it lives as long as that."""
        with self._lock:
            found, self._found = self._found, None
            if found is not None and found[0] == os.getpid():
                try:
                    found[1].close()
                except RuntimeError:  # "Cannot close AdbcDatabase with open AdbcConnection"
                    self._abandoned.append(found[1])
