"""A database server to be used, and stopped if it was started for us. What every database's own class is made from."""

from __future__ import annotations

import secrets
import shutil
import signal
from abc import ABC, abstractmethod
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from sqlspec.servers.client import Address, ServerRefusedError
from sqlspec.servers.process import KeptProcess, free_port, temporary_folder, unprivileged_account

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from types import TracebackType
    from typing import Self

    from sqlspec.servers.client import Scheme
    from sqlspec.servers.process import Account

__all__ = ("DatabaseServer", "Launch", "Place")


class Place(NamedTuple):
    """Where a server of our own is to run."""

    folder: Path
    """Its own, removed at the end."""
    account: Account | None
    """Who runs it; None for whoever runs this."""
    port: int


class Launch(NamedTuple):
    """How to start one there."""

    prepare: Sequence[str]
    """A command line that has to end well first."""
    serve: Sequence[str]
    """The command line of the server."""
    dsn: str
    """How to log in when it is up."""
    stop: signal.Signals
    """What makes it end by itself."""


class DatabaseServer(ABC):
    """A server. Use it with ``with``, or call ``stop()``.

    Attributes:
        dsn: How to log in, as a user who may create databases.
        version: As the server tells it.
        way: How it was had.
    """

    scheme: ClassVar[Scheme]

    def __init__(self, dsn: str, way: str, version: str, process: KeptProcess | None = None) -> None:
        self.dsn = dsn
        self.way = way
        self.version = version
        self._process = process

    @classmethod
    def at(cls, dsn: str, way: str, *, process: KeptProcess | None = None, timeout: float = 10.0) -> Self:
        """Log in and see whether it will do.

        Raises:
            ServerRefusedError: It won't: too old, say, or its user may not create databases.
            OSError: Nobody answers there.
            ValueError: That is no DSN of this database.
        """
        return cls(dsn, way, cls._login(dsn, timeout), process)

    @classmethod
    def started(cls, way: str, plan: Callable[[Place], Launch], remind: Callable[[], None]) -> Self:
        """One of our own, on a free port, in a temporary folder.

        Raises:
            StartFailedError: It did not come up; with the last lines of its log.
        """
        account = unprivileged_account()
        place = Place(temporary_folder(account), account, free_port())
        try:
            launch = plan(place)
            process = KeptProcess(
                place.folder, account, prepare=launch.prepare, serve=launch.serve, interrupt=launch.stop
            )
        except BaseException:
            shutil.rmtree(place.folder, ignore_errors=True)
            raise
        try:
            process.wait_until(lambda: cls._answers(launch.dsn, place.folder), remind)
            return cls.at(launch.dsn, way, process=process)
        except BaseException:
            process.stop()
            raise

    @classmethod
    def _answers(cls, dsn: str, folder: Path) -> bool:
        """Is it up, and is it ours, not somebody else's who took the port in between?"""
        try:
            return Path(cls._data_folder(dsn)).resolve().is_relative_to(folder.resolve())
        except (ServerRefusedError, OSError):
            return False

    def __repr__(self) -> str:
        return f"<{self.name} at {self.address!r}, way: {self.way}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it if it was started for us. Repeatable."""
        if self._process is not None:
            self._process.stop()

    @property
    def address(self) -> Address:
        """Where it is."""
        return Address.parse(self.dsn, self.scheme)

    @contextmanager
    def temporary_database(self, prefix: str = "sqlspec") -> Generator[str]:
        """The DSN of a database with a random name, dropped at the end."""
        name = f"{prefix}_{secrets.token_hex(6)}"
        try:
            yield self.create_database(name)
        finally:
            self.drop_database(name)

    # What each database does in its own way

    @property
    @abstractmethod
    def name(self) -> str:
        """Product and version."""

    @abstractmethod
    def create_database(self, name: str) -> str:
        """Make an empty database, the same on every server. Its DSN."""

    @abstractmethod
    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""

    @classmethod
    @abstractmethod
    def _login(cls, dsn: str, timeout: float) -> str:
        """Log in and ask what matters. The version."""

    @classmethod
    @abstractmethod
    def _data_folder(cls, dsn: str) -> str:
        """Where the server that answers there has its data."""
