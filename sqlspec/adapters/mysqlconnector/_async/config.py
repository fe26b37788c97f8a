"""A MySQL or MariaDB database reached by mysql.connector, on our own pool.

The driver's pools will not do, async and sync alike: they open all their connections at once, and raise at once when
none is free.
"""

from __future__ import annotations

import ssl
from typing import Any

from mysql.connector.errors import InterfaceError
from typing_extensions import Unpack

from sqlspec.adapters._mysql._async.config import AsyncMysqlConfig
from sqlspec.adapters.mysqlconnector._async.driver import (
    MysqlConnectorAsyncConnection,
    MysqlConnectorAsyncDriver,
    MysqlConnectorAsyncWire,
)
from sqlspec.adapters.mysqlconnector.colours import Limits, async_name, async_open
from sqlspec.adapters.mysqlconnector.options import (
    ALIASES,
    KEYS,
    KINDS,
    MysqlConnectorPoolConfig,
    arguments,
    whole_seconds,
)
from sqlspec.core.options import ConfigOptions

__all__ = ("MysqlConnectorAsyncConfig",)


class MysqlConnectorAsyncConfig(AsyncMysqlConfig[MysqlConnectorAsyncDriver]):
    """MySQL or MariaDB by mysql.connector.

    Arguments as in ``AsyncDatabaseConfig``; ``pool_config`` as in ``MysqlConnectorPoolConfig``.
    """

    adapter = async_name
    driver_type = MysqlConnectorAsyncDriver
    pool_keys = KEYS
    pool_aliases = ALIASES
    pool_kinds = KINDS

    def __init__(
        self, *, pool_config: MysqlConnectorPoolConfig | None = None, **options: Unpack[ConfigOptions]
    ) -> None:
        super().__init__(pool_config=pool_config, **options)
        self._arguments = arguments(self.place, self.pool_config)

    def make_wire(self) -> MysqlConnectorAsyncWire:
        """The driver's primitives."""
        return MysqlConnectorAsyncWire(self.stop)

    async def open_connection(self, seconds: float, silence: float | None) -> Any:
        """Connect; with an SSLContext of ours, since the driver's own options for TLS differ by colour."""
        context = self.place.ssl if isinstance(self.place.ssl, ssl.SSLContext) else None
        limits = Limits(seconds, whole_seconds(silence), context)
        return await async_open(MysqlConnectorAsyncConnection, limits, self._arguments)

    def socket_port(self, connection: Any) -> int:
        """Our end."""
        port: int = connection.port_here
        return port

    async def reset(self, connection: Any) -> None:
        """Raises if a cursor of the driver's has left rows behind: the next user must not read them."""
        if connection.unread_result or connection.have_next_result:
            raise InterfaceError("a cursor has left rows behind that were not read")
        connection.forget_rows()
