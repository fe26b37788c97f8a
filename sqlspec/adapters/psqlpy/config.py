"""A PostgreSQL database reached by psqlpy, through our own pool.

Why not ``psqlpy.ConnectionPool``, measured with 0.13.1: it has no ``min_size`` and opens on demand only; ``close()`` of
a connection always gives it back, with whatever still runs on it or is open, and nothing closes a single one; and its
errors tell a pool that is used up from a server that does not answer by their text alone.

psqlpy's threads do not survive a fork: a child of a process that has used it waits for ever. Fork first.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import psqlpy
from psqlpy.exceptions import BaseConnectionError, Error
from typing_extensions import Unpack

from sqlspec._async.pooled import AsyncPooledConfig
from sqlspec.adapters.psqlpy.driver import PsqlpyDriver, PsqlpyWire
from sqlspec.adapters.psqlpy.options import (
    ALIASES,
    KEYS,
    KINDS,
    SCHEMES,
    PsqlpyPoolConfig,
    address_of,
    connect_options,
)
from sqlspec.core.address import NO_URL, read_url
from sqlspec.core.options import FUNCTION, ConfigOptions
from sqlspec.dialects.postgres import RESET_SQL
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from sqlspec._async.pool import AsyncPool

__all__ = ("PsqlpyConfig", "PsqlpyPoolConfig")

SIGNAL_DEADLINE = 1.5
"""Seconds that reaching the server for a cancel request may take; less than the whole of settling has."""

LAST_BREATH = 0.02
"""Seconds that psqlpy's threads get to be done with what they told Python last."""

_HELLO = "SELECT pg_backend_pid()::int8, current_setting('lc_messages')"
_SPEAK_ENGLISH = "SET lc_messages = 'C'"
_logger = get_logger("pool")


class PsqlpyConfig(AsyncPooledConfig[psqlpy.Connection, PsqlpyDriver]):
    """PostgreSQL by psqlpy. Arguments as in ``AsyncDatabaseConfig``; ``pool_config`` as in ``PsqlpyPoolConfig``.

    ``driver_features``: ``json_serializer`` (value -> str) and ``json_deserializer`` (str -> value) for json and jsonb
    objects and lists; default msgspec's.
    """

    adapter = "psqlpy"
    driver_type = PsqlpyDriver
    pool_keys = KEYS
    pool_kinds = KINDS
    pool_aliases = ALIASES
    feature_keys = frozenset({"json_serializer", "json_deserializer"})
    feature_kinds = dict.fromkeys(("json_serializer", "json_deserializer"), FUNCTION)
    wire: PsqlpyWire

    def __init__(self, *, pool_config: PsqlpyPoolConfig | None = None, **options: Unpack[ConfigOptions]) -> None:
        super().__init__(pool_config=pool_config, **options)
        url = read_url(self.pool_config["dsn"], "dsn", SCHEMES) if "dsn" in self.pool_config else NO_URL
        self._address = address_of(self.pool_config, url)
        self._options = connect_options(self.pool_config, url)
        self._reset_sql = RESET_SQL
        self._has_warned = False

    @property
    def target(self) -> str:
        """Hosts and database as a URL."""
        return self._address.target

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """The password, wherever it was given."""
        return self._address.secrets

    def make_wire(self) -> PsqlpyWire:
        """What psqlpy can do."""
        return PsqlpyWire(self.driver_features, self._signal)

    async def connect(self) -> psqlpy.Connection:
        """Open a connection beside the pool."""
        connection = await self._open(self.acquire_timeout)
        try:
            hello = await connection.execute(_HELLO, prepared=False)
            ((pid, language),) = hello.result(as_tuple=True)
            if not language.startswith(("en", "C", "POSIX")) and language:
                await self._ask_for_english(connection, language)
        except BaseException:
            connection.close()
            raise
        self.wire.admit(connection, pid)
        return connection

    async def _open(self, limit: float | None) -> psqlpy.Connection:
        """The driver's own ``connect_timeout_sec`` ends with the TCP connection; the rest takes time too."""
        started = time.monotonic()
        try:
            async with asyncio.timeout(limit):
                return await psqlpy.connect(**self._options)
        except TimeoutError:
            message = f"it did not answer in {time.monotonic() - started:.1f} s"
            raise BaseConnectionError(message) from None

    async def _ask_for_english(self, connection: psqlpy.Connection, language: str) -> None:
        """Faults are known by their texts: psqlpy tells nothing else. Only some users may choose the language."""
        try:
            await connection.execute_batch(_SPEAK_ENGLISH)
            self._reset_sql = f"{RESET_SQL}\n{_SPEAK_ENGLISH}"
        except Error:
            if not self._has_warned:
                _logger.warning(
                    "the server speaks %s and does not let this user change that: errors can't be told apart, all of "
                    "them will be DatabaseError. Set lc_messages = 'C' for the database or the user.",
                    language,
                )
            self._has_warned = True

    async def close_pool(self, pool: AsyncPool[psqlpy.Connection]) -> None:
        """Close the connections. A process that ends while a thread of psqlpy leaves Python is aborted."""
        await super().close_pool(pool)
        await asyncio.sleep(LAST_BREATH)

    async def reset(self, connection: psqlpy.Connection) -> None:
        """Settings, advisory locks, cursors and LISTEN, in one round trip."""
        await connection.execute_batch(self._reset_sql)

    async def give(self, pool: AsyncPool[psqlpy.Connection], connection: psqlpy.Connection) -> None:
        """Take it back, or close one that keeps too many prepared statements."""
        if self.wire.backend(connection).is_worn:
            await pool.discard(connection)
        else:
            await super().give(pool, connection)

    async def close_connection(self, connection: psqlpy.Connection) -> None:
        """Close it. A server that is still busy with it would go on to the end of its statement: it is stopped."""
        backend = self.wire.dismiss(connection)
        connection.close()
        if backend.is_busy and not backend.is_lost:
            await self._signal("pg_terminate_backend", backend.pid)

    async def _signal(self, function: str, pid: int) -> None:
        """Call ``pg_cancel_backend`` or ``pg_terminate_backend``; both return when the signal is sent."""
        async with asyncio.timeout(SIGNAL_DEADLINE):
            side = await self._open(None)
            try:
                await side.execute(f"SELECT {function}({pid})", prepared=False)
            finally:
                side.close()
