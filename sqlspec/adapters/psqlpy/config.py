"""A PostgreSQL database reached by psqlpy, through our own pool.

Why not ``psqlpy.ConnectionPool``, measured with 0.13.1: it has no ``min_size`` and opens on demand only; ``close()`` of
a connection always gives it back, with whatever still runs on it or is open, and nothing closes a single one; and its
errors tell a pool that is used up from a server that does not answer by their text alone.

psqlpy's threads do not survive a fork: a child of a process that has used it waits for ever. Fork first.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psqlpy
from typing_extensions import Unpack

from sqlspec._async.pooled import AsyncPooledConfig
from sqlspec.adapters.psqlpy.driver import PsqlpyDriver, PsqlpyWire
from sqlspec.adapters.psqlpy.options import ALIASES, KEYS, KINDS, PsqlpyPoolConfig, connect_options
from sqlspec.core.address import NO_URL, Address, read_url
from sqlspec.core.options import FUNCTION, ConfigOptions
from sqlspec.dialects.postgres import RESET_SQL
from sqlspec.dialects.postgres_messages import SPEAK_ENGLISH
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from sqlspec._async.pool import AsyncPool

__all__ = ("PsqlpyConfig", "PsqlpyPoolConfig")

STATEMENTS_KEPT = 1000
"""psqlpy never forgets a prepared statement: a connection with more of them is replaced when it comes back."""
SIGNAL_DEADLINE = 1.5
"""Seconds that reaching the server for a cancel request may take; less than the whole of settling has."""
LAST_BREATH = 0.02
"""Seconds that psqlpy's threads get to be done with what they told Python last."""

_HELLO = "SELECT pg_backend_pid()::int8, current_setting('lc_messages')"
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
    feature_kinds = dict.fromkeys(feature_keys, FUNCTION)
    wire: PsqlpyWire

    def __init__(self, *, pool_config: PsqlpyPoolConfig | None = None, **options: Unpack[ConfigOptions]) -> None:
        super().__init__(pool_config=pool_config, **options)
        dsn = self.pool_config.get("dsn")
        url = NO_URL if dsn is None else read_url(dsn, "dsn", ("postgresql", "postgres"))
        self._address = Address(self.pool_config, url, "postgresql")
        self._options = connect_options(self.pool_config, url)
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
        connection = await psqlpy.connect(**self._options)
        try:
            await connection.execute_batch(SPEAK_ENGLISH)
            hello = await connection.execute(_HELLO, prepared=False)
        except BaseException:
            connection.close()
            raise
        ((pid, language),) = hello.result(as_tuple=True)
        if not language.startswith(("en", "C", "POSIX")) and language and not self._has_warned:
            self._has_warned = True
            _logger.warning("the server speaks %s: set lc_messages = 'C', or its errors can't be told apart", language)
        self.wire.admit(connection, pid)
        return connection

    async def reset(self, connection: psqlpy.Connection) -> None:
        """Settings, advisory locks, cursors and LISTEN, in one round trip."""
        await connection.execute_batch(RESET_SQL + SPEAK_ENGLISH)

    async def give(self, pool: AsyncPool[psqlpy.Connection], connection: psqlpy.Connection) -> None:
        """Take it back, or close one that keeps too many prepared statements."""
        if self.wire.backends[id(connection)].kept > STATEMENTS_KEPT:
            await pool.discard(connection)
        else:
            await super().give(pool, connection)

    async def close_connection(self, connection: psqlpy.Connection) -> None:
        """Close it. A server that is still busy with it would go on to the end of its statement: it is stopped."""
        backend = self.wire.dismiss(connection)
        connection.close()
        if backend.is_busy and not backend.is_lost:
            await self._signal("pg_terminate_backend", backend.pid)

    async def close_pool(self, pool: AsyncPool[psqlpy.Connection]) -> None:
        """Close the connections. A process that ends while a thread of psqlpy leaves Python is aborted."""
        await super().close_pool(pool)
        await asyncio.sleep(LAST_BREATH)

    async def _signal(self, function: str, pid: int) -> None:
        """Call ``pg_cancel_backend`` or ``pg_terminate_backend``; both return when the signal is sent."""
        async with asyncio.timeout(SIGNAL_DEADLINE):
            side = await psqlpy.connect(**self._options)
            try:
                await side.execute(f"SELECT {function}({pid})", prepared=False)
            finally:
                side.close()
