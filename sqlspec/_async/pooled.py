"""A config on our own pool: for drivers that have none, or none that keeps the rules.

An adapter says how a connection is opened and closed, and what has to be undone before somebody else may have it.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

from sqlspec._async.config import AsyncDatabaseConfig
from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.pool import AsyncPool

__all__ = ("AsyncPooledConfig",)

ConnectionT = TypeVar("ConnectionT")
DriverT_co = TypeVar("DriverT_co", bound=AsyncDriverAdapterBase, covariant=True)


class AsyncPooledConfig(AsyncDatabaseConfig[ConnectionT, AsyncPool[ConnectionT], DriverT_co]):
    """One database, as a driver without a pool reaches it. Arguments as in ``AsyncDatabaseConfig``."""

    @abstractmethod
    async def connect(self) -> ConnectionT:
        """Open a connection in autocommit mode, beside the pool.

        Cancelled, it leaves nothing open.
        """

    @abstractmethod
    async def close_connection(self, connection: ConnectionT) -> None:
        """Close a connection for certain, whatever state it is in; never wait for the server."""

    def is_fresh(self, connection: ConnectionT) -> bool:
        """Whether a connection out of the pool may be used. No round trip; by default it is trusted."""
        return True

    async def reset(self, connection: ConnectionT) -> None:
        """Undo what a session can set, before the connection goes back. What this raises closes it instead."""

    def make_pool(self) -> AsyncPool[ConnectionT]:
        """Our own pool, not opened."""
        return AsyncPool(
            self.connect,
            self.close_connection,
            min_size=self.min_size,
            max_size=self.max_size,
            max_lifetime=self.max_lifetime,
        )

    def is_connecting(self, pool: AsyncPool[ConnectionT]) -> bool:
        """Whether who waits for a free connection may be waiting for the server."""
        return pool.connecting > 0

    async def open_pool(self, pool: AsyncPool[ConnectionT]) -> None:
        """Open ``min_size`` connections."""
        await pool.open()

    async def close_pool(self, pool: AsyncPool[ConnectionT]) -> None:
        """Close the connections."""
        await pool.close()

    async def take(self, pool: AsyncPool[ConnectionT], timeout: float | None) -> ConnectionT:
        """A connection that nobody else has, and that did not die while it was idle."""
        while True:
            connection = await pool.acquire(timeout)
            if self.is_fresh(connection):
                return connection
            await pool.discard(connection)

    async def give(self, pool: AsyncPool[ConnectionT], connection: ConnectionT) -> None:
        """Take it back as it was given, or close it."""
        try:
            await self.reset(connection)
        except BaseException:
            await pool.discard(connection)
            raise
        await pool.release(connection)

    async def discard(self, pool: AsyncPool[ConnectionT], connection: ConnectionT) -> None:
        """Close it."""
        await pool.discard(connection)
