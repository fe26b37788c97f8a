"""GENERATED from sqlspec/_async/pooled.py by tools/unasync.py: do not edit. A config on our own pool: for drivers that have none, or none that keeps the rules.

An adapter says how a connection is opened and closed, and what has to be undone before somebody else may have it.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TypeVar

from sqlspec._sync.config import SyncDatabaseConfig
from sqlspec._sync.driver import SyncDriverAdapterBase
from sqlspec._sync.pool import SyncPool

__all__ = ("SyncPooledConfig",)

ConnectionT = TypeVar("ConnectionT")
DriverT_co = TypeVar("DriverT_co", bound=SyncDriverAdapterBase, covariant=True)


class SyncPooledConfig(SyncDatabaseConfig[ConnectionT, SyncPool[ConnectionT], DriverT_co]):
    """One database, as a driver without a pool reaches it. Arguments as in ``SyncDatabaseConfig``."""

    @abstractmethod
    def connect(self) -> ConnectionT:
        """Open a connection in autocommit mode, beside the pool.

        Cancelled, it leaves nothing open.
        """

    @abstractmethod
    def close_connection(self, connection: ConnectionT) -> None:
        """Close a connection for certain, whatever state it is in; never wait for the server."""

    def is_fresh(self, connection: ConnectionT) -> bool:
        """Whether a connection out of the pool may be used. No round trip; by default it is trusted."""
        return True

    def reset(self, connection: ConnectionT) -> None:
        """Undo what a session can set, before the connection goes back. What this raises closes it instead."""

    def make_pool(self) -> SyncPool[ConnectionT]:
        """Our own pool, not opened."""
        return SyncPool(
            self.connect,
            self.close_connection,
            min_size=self.min_size,
            max_size=self.max_size,
            max_lifetime=self.max_lifetime,
        )

    def is_connecting(self, pool: SyncPool[ConnectionT]) -> bool:
        """Whether who waits for a free connection may be waiting for the server."""
        return pool.connecting > 0

    def open_pool(self, pool: SyncPool[ConnectionT]) -> None:
        """Open ``min_size`` connections."""
        pool.open()

    def close_pool(self, pool: SyncPool[ConnectionT]) -> None:
        """Close the connections."""
        pool.close()

    def take(self, pool: SyncPool[ConnectionT], timeout: float | None) -> ConnectionT:
        """A connection that nobody else has, and that did not die while it was idle."""
        while True:
            connection = pool.acquire(timeout)
            if self.is_fresh(connection):
                return connection
            pool.discard(connection)

    def give(self, pool: SyncPool[ConnectionT], connection: ConnectionT) -> None:
        """Take it back as it was given, or close it."""
        try:
            self.reset(connection)
        except BaseException:
            pool.discard(connection)
            raise
        pool.release(connection)

    def discard(self, pool: SyncPool[ConnectionT], connection: ConnectionT) -> None:
        """Close it."""
        pool.discard(connection)
