"""GENERATED from sqlspec/adapters/psycopg/_async/config.py by tools/unasync.py: do not edit. A PostgreSQL database reached by psycopg, on our own pool.

psycopg_pool (3.3.3) connects in workers of its own and tells nobody why that failed. Measured: where the server refuses
at once, ``getconn(timeout=3)`` raises PoolTimeout after 3.00 s, without the reason, whatever its options. A connection
class that notes the failure can cure that in the async pool only: nothing but private steps ends the wait of a thread.
After an outage of 4 s it came back 3 s later (its attempts are 1, 2, 4 … s apart, and per connection), with
``reconnect_timeout=0`` it never tries again for those who wait; a closed connection is replaced whether or not anybody
wants it. And the workers outlive a closed loop: four "Task was destroyed but it is pending!" for each forgotten pool.
"""

from __future__ import annotations

from typing import Any

from typing_extensions import Unpack

from sqlspec._sync.pooled import SyncPooledConfig
from sqlspec.adapters.psycopg._sync.driver import PsycopgSyncDriver, PsycopgSyncWire
from sqlspec.adapters.psycopg.colours import SyncConnection, sync_adapter
from sqlspec.adapters.psycopg.options import (
    ALIASES,
    FEATURES,
    KEYS,
    KINDS,
    PsycopgPoolConfig,
    address_of,
    connect_options,
    limits,
    with_time_limit,
)
from sqlspec.adapters.psycopg.values import Adapters
from sqlspec.concurrency import sync_settled
from sqlspec.core.options import ConfigOptions
from sqlspec.dialects.postgres import RESET_SQL
from sqlspec.exceptions import ImproperConfigurationError

__all__ = ("PsycopgSyncConfig",)


class PsycopgSyncConfig(SyncPooledConfig[SyncConnection, PsycopgSyncDriver]):
    """PostgreSQL by psycopg. Arguments as in ``SyncDatabaseConfig``; ``pool_config`` as in ``PsycopgPoolConfig``.

    ``driver_features``: ``json_serializer`` (value -> str) and ``json_deserializer`` (str -> value) for json and jsonb;
    default msgspec's. ``pooler="transaction"`` turns prepared statements and the reset of a session off.
    """

    adapter = sync_adapter
    driver_type = PsycopgSyncDriver
    pool_keys = KEYS
    pool_aliases = ALIASES
    pool_kinds = KINDS
    feature_keys = frozenset(FEATURES)
    feature_kinds = FEATURES
    poolers = frozenset({"transaction"})

    def __init__(self, *, pool_config: PsycopgPoolConfig | None = None, **options: Unpack[ConfigOptions]) -> None:
        given: dict[str, Any] = {**options, **limits(pool_config or {}, options)}
        super().__init__(pool_config=pool_config, **given)
        self._options = connect_options(self.pool_config, f"pool_config of {type(self).__name__}")
        if self.pooler == "transaction":
            if self._options.get("prepare_threshold") is not None:
                message = "pooler='transaction' needs prepare_threshold=None (which it sets): leave that key away."
                raise ImproperConfigurationError(message)
            self._options["prepare_threshold"] = None
        self._address = address_of(self._options)
        self._adapters = Adapters(self.driver_features)

    @property
    def target(self) -> str:
        """All hosts, and the database, as a URL without password."""
        return self._address.target

    @property
    def secrets(self) -> tuple[str | None, ...]:
        """Passwords, wherever they were given."""
        return self._address.secrets

    def make_wire(self) -> PsycopgSyncWire:
        """The primitives of psycopg."""
        return PsycopgSyncWire(self.driver_features)

    def connect(self) -> SyncConnection:
        """Open a connection in autocommit mode, beside the pool."""
        options = with_time_limit(self._options, self.acquire_timeout)
        password = options.get("password")
        if callable(password):
            options["password"] = sync_settled(password())
        connection = SyncConnection.connect(**options, autocommit=True)
        configure = self.pool_config.get("configure")
        if configure is not None:
            try:
                sync_settled(configure(connection))
            except BaseException:
                connection.hang_up()
                raise
        connection.for_statements = self._adapters.beside(connection.adapters)
        return connection

    def close_connection(self, connection: SyncConnection) -> None:
        """Close it."""
        connection.hang_up()

    def reset(self, connection: SyncConnection) -> None:
        """Settings, advisory locks, cursors and LISTEN; behind a pooler they are not this connection's own."""
        if self.pooler is None:
            self.wire.command(connection, RESET_SQL)

    def is_fresh(self, connection: SyncConnection) -> bool:
        """False once the server has ended it while it was idle."""
        return connection.is_alive()
