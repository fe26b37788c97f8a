"""A PostgreSQL database reached by asyncpg, through asyncpg's own pool."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from types import coroutine
from typing import TYPE_CHECKING, Any, TypedDict, TypeGuard, TypeVar
from weakref import WeakKeyDictionary, WeakSet

import asyncpg
import msgspec
from typing_extensions import Unpack

from sqlspec._async.config import AsyncDatabaseConfig
from sqlspec.adapters.asyncpg.driver import AsyncpgDriver, AsyncpgWire, PooledAsyncpgWire
from sqlspec.core.address import HOSTS, NAME, NO_URL, PASSWORD, PORTS, Address, read_url
from sqlspec.core.options import (
    CLASS,
    COUNT,
    FLAG,
    FUNCTION,
    NONE,
    SECONDS,
    SECONDS_ABOVE_0,
    TEXT,
    ConfigOptions,
    Kind,
    one_of,
)
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Generator

    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

__all__ = ("AsyncpgConfig", "AsyncpgPoolConfig")

T = TypeVar("T")

CLOSE_DEADLINE = 10.0
"""Seconds that closing waits for connections that are still in use."""

RESET_DEADLINE = 10.0
"""Seconds that resetting a connection may take when it comes back; then it is closed."""

_HAS_HOLDER = hasattr(asyncpg.pool.PoolConnectionProxy, "_holder") and hasattr(asyncpg.Connection, "_on_release")
"""Whether this asyncpg keeps a connection's place in the pool where those did that we know."""

_SCHEMES = ("postgresql", "postgres")
_logger = get_logger("pool")


class AsyncpgPoolConfig(TypedDict, total=False):
    """``pool_config``: what ``asyncpg.create_pool`` takes, see https://magicstack.github.io/asyncpg/current/api/."""

    dsn: str
    """``postgresql://user:password@host:port/database``; the other keys win over its parts."""
    host: str | Sequence[str]
    port: int | Sequence[int]
    user: str
    password: str | Callable[[], str] | Callable[[], Awaitable[str]]
    passfile: str
    service: str
    servicefile: str
    database: str
    min_size: int
    """Connections opened at start-up; default 1 (asyncpg's own default is 10)."""
    max_size: int
    """Connections at most; default 10."""
    max_queries: int
    max_inactive_connection_lifetime: float
    timeout: float
    """Seconds that connecting may take; default 60."""
    command_timeout: float
    statement_cache_size: int
    max_cached_statement_lifetime: int
    max_cacheable_statement_size: int
    ssl: bool | str | ssl.SSLContext
    direct_tls: bool
    server_settings: dict[str, str]
    target_session_attrs: str
    krbsrvname: str
    gsslib: str
    connect: Callable[..., Awaitable[Any]]
    setup: Callable[[Any], Awaitable[None]]
    init: Callable[[Any], Awaitable[None]]
    """Runs for every new connection, after the JSON codecs were set."""
    reset: Callable[[Any], Awaitable[None]]
    connection_class: type[Any]
    record_class: type[Any]


def _is_dict(value: object) -> TypeGuard[dict[object, object]]:
    return isinstance(value, dict)


def _is_settings(value: object) -> bool:
    return _is_dict(value) and all(isinstance(text, str) for pair in value.items() for text in pair)


_PATH = Kind("a path", lambda value: isinstance(value, (str, os.PathLike))) | NONE
_SSL = one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full") | FLAG | NONE
_SETTINGS = Kind("a dict of texts", _is_settings)

KINDS: dict[str, Kind] = {
    "dsn": TEXT,
    "host": HOSTS,
    "port": PORTS,
    "user": NAME,
    "password": PASSWORD,
    "passfile": _PATH,
    "service": TEXT | NONE,
    "servicefile": _PATH,
    "database": NAME,
    "min_size": COUNT,
    "max_size": COUNT,
    "max_queries": COUNT,
    "max_inactive_connection_lifetime": SECONDS,
    "timeout": SECONDS_ABOVE_0 | NONE,
    "command_timeout": SECONDS_ABOVE_0 | NONE,
    "statement_cache_size": COUNT,
    "max_cached_statement_lifetime": SECONDS,
    "max_cacheable_statement_size": COUNT,
    "ssl": _SSL | Kind("an SSLContext", lambda value: isinstance(value, ssl.SSLContext)),
    "direct_tls": FLAG | NONE,
    "server_settings": _SETTINGS | NONE,
    "target_session_attrs": one_of("any", "primary", "standby", "prefer-standby", "read-write", "read-only") | NONE,
    "krbsrvname": TEXT | NONE,
    "gsslib": one_of("gssapi", "sspi") | NONE,
    "connect": FUNCTION | NONE,
    "setup": FUNCTION | NONE,
    "init": FUNCTION | NONE,
    "reset": FUNCTION | NONE,
    "connection_class": CLASS,
    "record_class": CLASS,
}


FEATURE_KINDS: dict[str, Kind] = {"json_serializer": FUNCTION, "json_deserializer": FUNCTION}


class AsyncpgConfig(AsyncDatabaseConfig["Connection", "Pool", AsyncpgDriver]):
    """PostgreSQL by asyncpg. Arguments as in ``AsyncDatabaseConfig``; ``pool_config`` as in ``AsyncpgPoolConfig``.

    ``driver_features``: ``json_serializer`` (value -> str) and ``json_deserializer`` (str -> value) for json and jsonb;
    default msgspec's. ``pooler="transaction"`` turns prepared statements off and wraps every single statement.
    """

    adapter = "asyncpg"
    driver_type = AsyncpgDriver
    pool_keys = frozenset(AsyncpgPoolConfig.__annotations__)
    pool_kinds = KINDS
    feature_keys = frozenset({"json_serializer", "json_deserializer"})
    feature_kinds = FEATURE_KINDS
    poolers = frozenset({"transaction"})

    def __init__(self, *, pool_config: AsyncpgPoolConfig | None = None, **options: Unpack[ConfigOptions]) -> None:
        self._fresh: WeakSet[Any] = WeakSet()
        super().__init__(pool_config=pool_config, **options)
        self._born: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        self._attempts: set[asyncio.Future[Any]] = set()
        url = read_url(self.pool_config["dsn"], "dsn", _SCHEMES) if "dsn" in self.pool_config else NO_URL
        self._address = Address(self.pool_config, url, "postgresql")
        if self.pooler == "transaction" and self.pool_config.get("statement_cache_size", 0) != 0:
            message = "pooler='transaction' needs statement_cache_size=0 (which it sets): leave that key away."
            raise ImproperConfigurationError(message)

    @property
    def target(self) -> str:
        """Hosts and database as a URL, without password."""
        return self._address.target

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """The password, wherever it was given."""
        return self._address.secrets

    def make_wire(self) -> AsyncpgWire:
        """Asyncpg's primitives."""
        if self.pooler == "transaction":
            return PooledAsyncpgWire()
        return AsyncpgWire(self._fresh if self.pool_config.get("reset") is None else None)

    def make_pool(self) -> Pool:
        """Asyncpg's pool, not opened."""
        options: dict[str, Any] = {
            **self.pool_config,
            "min_size": self.min_size,
            "max_size": self.max_size,
            "init": self._init,
            "connect": self._connect,
            "reset": self.pool_config.get("reset") or self._reset,
        }
        if self.pooler == "transaction":
            options["statement_cache_size"] = 0
        try:
            return asyncpg.create_pool(**options)
        except (ValueError, TypeError, asyncpg.InterfaceError) as error:
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> ImproperConfigurationError:
        return ImproperConfigurationError(f"asyncpg refuses the pool_config of {self!r}: {self.redact(str(error))}")

    async def _connect(self, *args: Any, **options: Any) -> Any:
        """Connect; cancelled, hang up once it has: asyncpg would leave a future behind that complains later."""
        connect: Callable[..., Awaitable[Any]] = self.pool_config.get("connect") or asyncpg.connect
        attempt = asyncio.ensure_future(connect(*args, **options))
        self._attempts.add(attempt)
        attempt.add_done_callback(self._attempts.discard)
        try:
            return await asyncio.shield(attempt)
        except asyncio.CancelledError:
            attempt.add_done_callback(_hang_up)
            raise
        except (ValueError, TypeError) as error:  # such as ClientConfigurationError, or UnicodeError of a host's name
            raise self._refused(error) from error

    async def _init(self, connection: Any) -> None:
        self._born[connection] = time.monotonic()
        write: Callable[[Any], Any] = self.driver_features.get("json_serializer", msgspec.json.encode)
        read: Callable[[Any], Any] | None = self.driver_features.get("json_deserializer")
        for name, version in (("json", b""), ("jsonb", b"\1")):
            await connection.set_type_codec(
                name,
                schema="pg_catalog",
                encoder=partial(_write_json, write, version),
                decoder=partial(_read_json, read, len(version)),
                format="binary",  # asyncpg can't read a composite with a part that comes as text
            )
        init: Callable[[Any], Awaitable[None]] | None = self.pool_config.get("init")
        if init is not None:
            await init(connection)

    def is_connecting(self, pool: Pool) -> bool:
        """Asyncpg has one time-out for waiting for a free connection and for connecting."""
        return bool(self._attempts)

    async def open_pool(self, pool: Pool) -> None:
        """Open ``min_size`` connections."""
        await pool

    def renew_pool(self, pool: Pool) -> Pool:
        """Asyncpg closes a pool for good whose opening failed."""
        return self.make_pool()

    async def close_pool(self, pool: Pool) -> None:
        """Close the connections; those still in use get some seconds."""
        try:
            async with asyncio.timeout(CLOSE_DEADLINE):
                await pool.close()
        except TimeoutError:
            _logger.warning("connections of %r were still in use when its pool was closed", self)
            pool.terminate()

    async def take(self, pool: Pool, timeout: float | None) -> Connection:
        """A connection that nobody else has. The clock is started only where there is something to wait for."""
        steps = pool.acquire().__await__()
        try:
            awaited = next(steps)
        except StopIteration as end:
            connection: Connection = end.value
            return connection
        async with asyncio.timeout(timeout):
            return await _go_on(steps, awaited)

    async def give(self, pool: Pool, connection: Connection) -> None:
        """Take it back; settings, advisory locks, cursors and LISTEN are reset in one round trip, or were by COMMIT."""
        held: Any = getattr(connection, "_con", None)
        now = time.monotonic()
        if self.max_lifetime is not None and now - self._born.get(held, now) > self.max_lifetime:
            await connection.close()
            held = None
        if _HAS_HOLDER and held in self._fresh:
            await _release_fresh(connection, held)
        else:
            await pool.release(connection, timeout=RESET_DEADLINE)

    async def _reset(self, connection: Any) -> None:
        """What asyncpg does by itself, unless a COMMIT has done it. Called when what was open is rolled back."""
        if connection in self._fresh:
            self._fresh.discard(connection)
            return
        query: str = connection.get_reset_query()
        if query:
            await connection.execute(query)

    async def discard(self, pool: Pool, connection: Connection) -> None:
        """Cut it off."""
        connection.terminate()
        await pool.release(connection)


async def _release_fresh(connection: Any, held: Any) -> None:
    """As ``pool.release()``, but for the task that it shields: a tenth of what a request costs.

    Where nothing is reset nothing is waited for. Or closing is, after ``max_queries`` and the like: cancelled in that,
    asyncpg cuts the connection and frees its place.
    """
    try:
        held._on_release()  # it may warn, and a warning may be an error
    finally:
        await connection._holder.release(None)


@coroutine
def _go_on(steps: Generator[Any, None, T], awaited: Any) -> Generator[Any, Any, T]:
    """Await the rest of what was begun by hand. ``yield from`` would go on before ``awaited`` is done."""
    try:
        while True:
            try:
                answer = yield awaited
            except BaseException as error:  # noqa: BLE001 (a cancellation is for who waits in there)
                awaited = steps.throw(error)
            else:
                awaited = steps.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result


def _hang_up(attempt: asyncio.Future[Any]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().terminate()


def _write_json(write: Callable[[Any], Any], version: bytes, value: Any) -> bytes:
    text: str | bytes = write(value)
    return version + (text.encode() if isinstance(text, str) else text)


def _read_json(read: Callable[[str], Any] | None, start: int, data: bytes) -> Any:
    return msgspec.json.decode(data[start:]) if read is None else read(bytes(data[start:]).decode())
