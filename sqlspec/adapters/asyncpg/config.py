"""A PostgreSQL database reached by asyncpg, through asyncpg's own pool."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import asyncpg
import msgspec
from typing_extensions import Unpack

from sqlspec._async.config import AsyncDatabaseConfig
from sqlspec.adapters.asyncpg.driver import AsyncpgDriver, AsyncpgWire, PooledAsyncpgWire
from sqlspec.core.options import ConfigOptions, url_secrets
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

__all__ = ("AsyncpgConfig", "AsyncpgPoolConfig")

CLOSE_DEADLINE = 10.0
"""Seconds that closing waits for connections that are still in use."""

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


class AsyncpgConfig(AsyncDatabaseConfig["Connection", "Pool", AsyncpgDriver]):
    """PostgreSQL by asyncpg. Arguments as in ``AsyncDatabaseConfig``; ``pool_config`` as in ``AsyncpgPoolConfig``.

    ``driver_features``: ``json_serializer`` (value -> str) and ``json_deserializer`` (str -> value) for json and jsonb;
    default msgspec's. ``pooler="transaction"`` turns prepared statements off and wraps every single statement.
    """

    adapter = "asyncpg"
    driver_type = AsyncpgDriver
    pool_keys = frozenset(AsyncpgPoolConfig.__annotations__)
    feature_keys = frozenset({"json_serializer", "json_deserializer"})
    poolers = frozenset({"transaction"})

    def __init__(self, *, pool_config: AsyncpgPoolConfig | None = None, **options: Unpack[ConfigOptions]) -> None:
        super().__init__(pool_config=pool_config, **options)
        self._born: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        self._attempts: set[asyncio.Future[Any]] = set()
        if "dsn" in self.pool_config:
            _check_dsn(self.pool_config["dsn"])
        if self.pooler == "transaction" and self.pool_config.get("statement_cache_size", 0) != 0:
            message = "pooler='transaction' needs statement_cache_size=0 (which it sets): leave that key away."
            raise ImproperConfigurationError(message)

    @property
    def target(self) -> str:
        """Host and database as a URL, without password."""
        url: str = self.pool_config.get("dsn", "")
        dsn = urlsplit(url)
        told = {"user": dsn.username, "host": dsn.hostname, "port": dsn.port, "database": dsn.path.removeprefix("/")}
        user, host, port, database = (self.pool_config.get(key, told[key]) for key in told)  # the keys beat the URL
        host = host if isinstance(host, str) else ",".join(host or ("localhost",))
        return f"postgresql://{f'{user}@' if user else ''}{host}{f':{port}' if port else ''}/{database}"

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """The password, wherever it was given."""
        password = self.pool_config.get("password")
        url: str = self.pool_config.get("dsn", "")
        return (password if isinstance(password, str) else None, *url_secrets(url))

    def make_wire(self) -> AsyncpgWire:
        """Asyncpg's primitives."""
        return PooledAsyncpgWire() if self.pooler == "transaction" else AsyncpgWire()

    def make_pool(self) -> Pool:
        """Asyncpg's pool, not opened."""
        options: dict[str, Any] = {
            **self.pool_config,
            "min_size": self.min_size,
            "max_size": self.max_size,
            "init": self._init,
            "connect": self._connect,
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
        connect: Callable[..., Awaitable[Any]] = self.pool_config.get("connect", asyncpg.connect)
        attempt = asyncio.ensure_future(connect(*args, **options))
        self._attempts.add(attempt)
        attempt.add_done_callback(self._attempts.discard)
        try:
            return await asyncio.shield(attempt)
        except asyncio.CancelledError:
            attempt.add_done_callback(_hang_up)
            raise
        except (ValueError, TypeError) as error:
            if isinstance(error, (asyncpg.InterfaceError, UnicodeError)):  # no such host may be a UnicodeError
                raise
            raise self._refused(error) from error

    async def _init(self, connection: Any) -> None:
        self._born[connection] = time.monotonic()
        features: Mapping[str, Any] = self.driver_features
        for name in ("json", "jsonb"):
            await connection.set_type_codec(
                name,
                schema="pg_catalog",
                encoder=features.get("json_serializer", _to_json),
                decoder=features.get("json_deserializer", msgspec.json.decode),
            )
        if "init" in self.pool_config:
            await self.pool_config["init"](connection)

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
        """A connection that nobody else has."""
        return await pool.acquire(timeout=timeout)

    async def give(self, pool: Pool, connection: Connection) -> None:
        """Take it back; asyncpg resets settings, advisory locks, cursors and LISTEN in one round trip."""
        if self.max_lifetime is not None:
            held: Any = getattr(connection, "_con", None)
            if time.monotonic() - self._born.get(held, time.monotonic()) > self.max_lifetime:
                await connection.close()
        await pool.release(connection)

    async def discard(self, pool: Pool, connection: Connection) -> None:
        """Cut it off."""
        connection.terminate()
        await pool.release(connection)


def _hang_up(attempt: asyncio.Future[Any]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().terminate()


def _check_dsn(dsn: str) -> None:
    scheme = urlsplit(dsn).scheme
    if scheme not in ("postgresql", "postgres"):
        message = f"dsn must be a URL like postgresql://user@host:5432/database, not one with the scheme {scheme!r}."
        raise ImproperConfigurationError(message)
    try:
        _ = urlsplit(dsn).port
    except ValueError:
        message = (
            "The port in dsn is not a number. Write ':', '/' and '@' in user name and password as %3A, %2F and %40."
        )
        raise ImproperConfigurationError(message) from None


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
