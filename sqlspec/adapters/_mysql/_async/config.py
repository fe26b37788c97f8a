"""A config of the PyMySQL family, on our own pool.

Why not on asyncmy.Pool and aiomysql.Pool, measured with asyncmy 0.2.18 and aiomysql 0.3.2 through a proxy that lets one
connection attempt hang: both connect inside the lock that every checkout takes, so an idle connection was not given to
anybody while another was being opened (none in 1.5 s; ours: at once). aiomysql's moreover does not wake who waits when
a closed connection comes back (waited 2 s, with room in the pool), and leaves the socket open when connecting is
cancelled. Neither has a place for what has to be seen to between connecting and the first use.

A statement whose caller was cancelled goes on running, with its locks, until the server writes to the closed socket.
So it is ended by a connection beside it (KILL), if that one reaches the same server: behind a proxy the number may be
another user's, so it must have come from our port.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from ssl import SSLError
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from weakref import WeakKeyDictionary

from typing_extensions import Unpack

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.pooled import AsyncPooledConfig
from sqlspec.adapters._mysql._async.wire import AUTOCOMMIT, IN_TRANSACTION, AsyncMysqlWire
from sqlspec.adapters._mysql.options import ALIASES, KINDS, Place
from sqlspec.concurrency import AsyncTimeLimit
from sqlspec.core.options import ConfigOptions
from sqlspec.exceptions import ConnectionFailedError, ImproperConfigurationError, MissingDependencyError
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlspec._async.pool import AsyncPool

__all__ = ("AsyncMysqlConfig",)

DriverT_co = TypeVar("DriverT_co", bound=AsyncDriverAdapterBase, covariant=True)

STOP_LIMIT = 1.0
"""Seconds that connecting for it may take."""
STOP_TRIES = 50
"""Looks, 10 ms apart, whether a connection that was ended is gone."""

UNKNOWN_THREAD = 1094

_logger = get_logger("pool")


class AsyncMysqlConfig(AsyncPooledConfig[Any, DriverT_co]):
    """MySQL or MariaDB, as a driver of the family reaches it. Arguments as in ``AsyncDatabaseConfig``."""

    pool_kinds = KINDS
    pool_aliases = ALIASES
    wire: AsyncMysqlWire

    def __init__(self, *, pool_config: Mapping[str, Any] | None = None, **options: Unpack[ConfigOptions]) -> None:
        super().__init__(pool_config=pool_config, **options)
        self.place = Place(self.pool_config, self.pool_keys)
        self._ports: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._idle_since: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    @property
    def target(self) -> str:
        """The server and database as a URL, without password."""
        return self.place.target

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """The password, wherever it was given."""
        return self.place.secrets

    @abstractmethod
    async def open_connection(self, seconds: float, silence: float | None) -> Any:
        """Connect in autocommit mode. Whatever happens, nothing is left open.

        Args:
            seconds: How long that may take.
            silence: How long the server may be silent later on, where the driver can tell; None for ever.
        """

    @abstractmethod
    def socket_port(self, connection: Any) -> int:
        """Our port of a new connection; 0 for a socket file."""

    async def connect(self) -> Any:
        """Open a connection beside the pool."""
        seconds = min(self.place.connect_timeout, self.acquire_timeout or self.place.connect_timeout)
        try:
            connection = await self.open_connection(seconds, self.place.read_timeout)
        except TimeoutError as error:  # to the session, that would be the pool's
            message = f"Could not connect to {self.target}: it did not answer in {seconds:g} s"
            raise ConnectionFailedError(message) from error
        except SSLError as error:  # one of a certificate is a ValueError too
            message = f"Could not connect to {self.target}: {error}"
            raise ConnectionFailedError(message) from error
        except (ValueError, TypeError, RuntimeError) as error:
            raise self._refused(error) from error
        await self._greet(connection)
        self._ports[connection] = self.socket_port(connection)
        self._idle_since[connection] = time.monotonic()
        return connection

    async def _greet(self, connection: Any) -> None:
        try:
            for statement in self.place.greeting:
                await connection.query(statement)
                await self.wire.read_on(connection)
            if self.wire.flags(connection) & (AUTOCOMMIT | IN_TRANSACTION) != AUTOCOMMIT:
                message = (
                    "init_command must leave autocommit on and no transaction open: statements commit by themselves."
                )
                raise ImproperConfigurationError(message)
        except BaseException:
            self.wire.hang_up(connection)
            raise

    def _refused(self, error: Exception) -> ImproperConfigurationError:
        """What a driver raises before it speaks to the server: a host's name that is none, a package that it misses."""
        if isinstance(error, RuntimeError) and "cryptography" in str(error):
            return MissingDependencyError("cryptography", self.adapter.removesuffix("_sync"))
        reason = type(error).__name__ if isinstance(error, UnicodeEncodeError) else self.redact(str(error))
        return ImproperConfigurationError(f"{self.adapter} refuses the pool_config of {self!r}: {reason}")

    async def close_connection(self, connection: Any) -> None:
        """With a goodbye where there is somebody to hear it: servers log those that go without."""
        if self.wire.is_usable(connection):
            self.wire.say_goodbye(connection)
        self.wire.hang_up(connection)

    def is_fresh(self, connection: Any) -> bool:
        """False for one that was idle for longer than ``pool_recycle``, or that the server has ended."""
        limit = self.place.idle_limit
        is_old = limit is not None and time.monotonic() - self._idle_since[connection] > limit
        return not is_old and self.wire.is_usable(connection) and not self.wire.has_news(connection)

    async def give(self, pool: AsyncPool[Any], connection: Any) -> None:
        """Take it back."""
        self._idle_since[connection] = time.monotonic()
        await super().give(pool, connection)

    async def discard(self, pool: AsyncPool[Any], connection: Any) -> None:
        """Close it; before, end what may still run for it on the server."""
        try:
            if self.wire.was_interrupted(connection):
                await self.stop(connection, "CONNECTION")
        finally:
            await pool.discard(connection)

    async def stop(self, connection: Any, what: Literal["QUERY", "CONNECTION"] = "QUERY") -> bool:
        """Stop what runs on a connection, by another one. False if that could not be done, or it was over already."""
        beside: Any = None
        try:
            async with AsyncTimeLimit(2 * STOP_LIMIT, _let_it_end):
                beside = await self.open_connection(STOP_LIMIT, STOP_LIMIT)
                return await self._stop_by(beside, connection, what)
        except self._faults as error:
            _logger.warning("a statement may still run on the server, where it can't be stopped: %r", type(error))
            return False
        finally:
            if beside is not None:
                self.wire.hang_up(beside)

    async def _stop_by(self, beside: Any, connection: Any, what: str) -> bool:
        number, port = connection.thread_id(), self._ports.get(connection, -1)
        place = f"HOST LIKE '%:{port}'" if port else "HOST NOT LIKE '%:%'"
        same = f"FROM information_schema.PROCESSLIST WHERE ID = {number} AND {place}"
        await beside.query(f"SELECT 1 {same}")
        if not beside._result.rows:
            return False
        try:
            await beside.query(f"KILL {what} {number}")
            for _ in range(STOP_TRIES if what == "CONNECTION" else 0):  # until its transaction has been rolled back
                await beside.query(f"SELECT SLEEP(0.01) {same}")
                if not beside._result.rows:
                    break
        except self.wire.errors as error:
            if self.wire.read_error(error).code != UNKNOWN_THREAD:  # it ended meanwhile
                raise
        return True

    @property
    def _faults(self) -> tuple[type[BaseException], ...]:
        return (*self.wire.errors, OSError, TimeoutError)


def _let_it_end() -> None:
    """The driver's own limit on silence ends it, where nobody can cancel."""
