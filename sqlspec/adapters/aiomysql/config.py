"""A MySQL or MariaDB database reached by aiomysql, through our own pool (``_mysql/_async/config.py`` says why)."""

from __future__ import annotations

import asyncio
from typing import Any

from typing_extensions import Unpack

from sqlspec.adapters._mysql._async.config import AsyncMysqlConfig
from sqlspec.adapters._mysql.options import KEYS, MULTI_STATEMENTS, MysqlPoolConfig, kinds_of, port_of
from sqlspec.adapters.aiomysql.driver import AiomysqlDriver, AiomysqlWire, Connection
from sqlspec.core.options import ConfigOptions

__all__ = ("AiomysqlConfig", "AiomysqlPoolConfig")


class AiomysqlPoolConfig(MysqlPoolConfig, total=False):
    """``pool_config``: what ``aiomysql.connect`` takes, and the sizes of the pool."""

    auth_plugin: str
    """The kind of password to answer with, such as ``mysql_clear_password``; default what the server asks for."""


class AiomysqlConfig(AsyncMysqlConfig[AiomysqlDriver]):
    """MySQL or MariaDB by aiomysql.

    Arguments as in ``AsyncDatabaseConfig``; ``pool_config`` as in ``AiomysqlPoolConfig``.
    """

    adapter = "aiomysql"
    driver_type = AiomysqlDriver
    pool_keys = KEYS | {"auth_plugin"}
    pool_kinds = kinds_of(pool_keys)

    def __init__(self, *, pool_config: AiomysqlPoolConfig | None = None, **options: Unpack[ConfigOptions]) -> None:
        super().__init__(pool_config=pool_config, **options)

    def make_wire(self) -> AiomysqlWire:
        """Aiomysql's primitives."""
        return AiomysqlWire(self.stop)

    async def open_connection(self, seconds: float, silence: float | None) -> Any:
        """``aiomysql.connect`` leaves the socket open when it is cancelled. It knows no limit on silence."""
        connection: Any = Connection(
            **self.place.family_arguments(),
            db=self.place.database,
            ssl=self.place.ssl or None,
            auth_plugin=self.pool_config.get("auth_plugin", ""),
        )
        connection.client_flag &= ~MULTI_STATEMENTS
        try:
            async with asyncio.timeout(seconds):
                await connection._connect()
        except BaseException:
            self.wire.hang_up(connection)
            raise
        return connection

    def socket_port(self, connection: Any) -> int:
        """Our end."""
        return port_of(connection._writer.get_extra_info("sockname"))
