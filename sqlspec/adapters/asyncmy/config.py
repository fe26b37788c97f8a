"""A MySQL or MariaDB database reached by asyncmy, through our own pool (``_mysql/_async/config.py`` says why)."""

from __future__ import annotations

import asyncio
from typing import Any

from asyncmy.connection import Connection
from typing_extensions import Unpack

from sqlspec.adapters._mysql._async.config import AsyncMysqlConfig
from sqlspec.adapters._mysql.options import KEYS, MULTI_STATEMENTS, MysqlPoolConfig, kinds_of, port_of
from sqlspec.adapters.asyncmy.driver import AsyncmyDriver, AsyncmyWire
from sqlspec.core.options import ConfigOptions

__all__ = ("AsyncmyConfig", "AsyncmyPoolConfig")


class AsyncmyPoolConfig(MysqlPoolConfig, total=False):
    """``pool_config``: what ``asyncmy.connect`` takes, and the sizes of the pool."""

    read_timeout: float | None
    """Seconds that the server may be silent while a statement runs; default None, no limit."""


class AsyncmyConfig(AsyncMysqlConfig[AsyncmyDriver]):
    """MySQL or MariaDB by asyncmy.

    Arguments as in ``AsyncDatabaseConfig``; ``pool_config`` as in ``AsyncmyPoolConfig``.
    """

    adapter = "asyncmy"
    driver_type = AsyncmyDriver
    pool_keys = KEYS | {"read_timeout"}
    pool_kinds = kinds_of(pool_keys)

    def __init__(self, *, pool_config: AsyncmyPoolConfig | None = None, **options: Unpack[ConfigOptions]) -> None:
        super().__init__(pool_config=pool_config, **options)

    def make_wire(self) -> AsyncmyWire:
        """Asyncmy's primitives."""
        return AsyncmyWire(self.stop)

    async def open_connection(self, seconds: float, silence: float | None) -> Any:
        """Asyncmy's own ``connect_timeout`` ends with the TCP connection; the greeting takes time too."""
        make: Any = Connection
        connection = make(
            **self.place.family_arguments(),
            database=self.place.database,
            connect_timeout=seconds,
            read_timeout=silence,
            ssl=self.place.ssl or None,
        )
        connection._client_flag &= ~MULTI_STATEMENTS
        async with asyncio.timeout(seconds):
            await connection.connect()
        return connection

    def socket_port(self, connection: Any) -> int:
        """Our end."""
        return port_of(connection._transport.get_extra_info("sockname"))
