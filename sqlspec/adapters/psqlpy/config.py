"""A PostgreSQL database reached by psqlpy, through our own pool.

Why not ``psqlpy.ConnectionPool``, measured with 0.13.1: it has no ``min_size`` and opens on demand only; ``close()`` of
a connection always gives it back, with whatever still runs on it or is open, and nothing closes a single one; and its
errors tell a pool that is used up from a server that does not answer by their text alone.

psqlpy tells nothing of a fault but the server's words, and English ones are known. A server of another language is
asked for English, which it grants to superusers only; other users need ``ALTER ROLE … SET lc_messages = 'C'``, or every
fault is a DatabaseError.

psqlpy's threads do not survive a fork: a child of a process that has used it waits for ever. Fork first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict

import psqlpy
from psqlpy import LoadBalanceHosts, SslMode, TargetSessionAttrs
from typing_extensions import Unpack

from sqlspec._async.pooled import AsyncPooledConfig
from sqlspec.adapters.psqlpy.driver import Backend, PsqlpyDriver, PsqlpyWire
from sqlspec.core.address import HOSTS, IN_URL, NAME, NO_URL, PORTS, Address, place_of, read_url
from sqlspec.core.options import COUNT, FLAG, FUNCTION, NONE, TEXT, ConfigOptions, Kind, check_keys, check_kinds, one_of
from sqlspec.core.urls import Url
from sqlspec.dialects.postgres import RESET_SQL
from sqlspec.dialects.postgres_messages import SPEAK_ENGLISH
from sqlspec.exceptions import ImproperConfigurationError

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
_ENGLISH = ("", "C", "en", "PO")
"""What the names of its locales begin with; POSIX is one."""


class PsqlpyPoolConfig(TypedDict, total=False):
    """``pool_config``: what ``psqlpy.connect`` takes, and the sizes of the pool."""

    dsn: str
    """``postgresql://user:password@host:port/database``; the other keys win over its parts."""
    host: str | Sequence[str]
    hosts: Sequence[str]
    """The same."""
    port: int | Sequence[int]
    ports: Sequence[int]
    """The same."""
    user: str
    username: str
    """The same."""
    password: str
    database: str
    db_name: str
    """The same."""
    min_size: int
    """Connections opened at start-up; default 1 (psqlpy's own pool opens none)."""
    max_size: int
    """Connections at most; default 10."""
    max_db_pool_size: int
    """The same."""
    options: str
    """Settings of the session: ``-c search_path=app -c statement_timeout=5s``. No reset takes them away."""
    application_name: str
    target_session_attrs: str | TargetSessionAttrs
    load_balance_hosts: str | LoadBalanceHosts
    connect_timeout_sec: int
    connect_timeout_nanosec: int
    tcp_user_timeout_sec: int
    tcp_user_timeout_nanosec: int
    keepalives: bool
    keepalives_idle_sec: int
    keepalives_idle_nanosec: int
    keepalives_interval_sec: int
    keepalives_interval_nanosec: int
    keepalives_retries: int
    ssl_mode: str | SslMode
    """``"disable"`` … ``"verify-full"``. Without ``ca_file`` only ``"require"`` makes psqlpy use TLS."""
    ca_file: str
    """Root certificates; with them psqlpy always checks the server's certificate and its name."""


_WORDS: dict[str, tuple[type, tuple[str, ...]]] = {
    "ssl_mode": (SslMode, ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")),
    "target_session_attrs": (TargetSessionAttrs, ("any", "read-write", "read-only")),
    "load_balance_hosts": (LoadBalanceHosts, ("disable", "random")),
}


def _own(kind: type) -> Kind:
    return Kind(f"a {kind.__name__} of psqlpy", lambda value: isinstance(value, kind)) | NONE


ALIASES = {"hosts": "host", "ports": "port", "username": "user", "db_name": "database", "max_db_pool_size": "max_size"}
KEYS = frozenset(PsqlpyPoolConfig.__annotations__) - ALIASES.keys()
KINDS: dict[str, Kind] = (
    {"dsn": TEXT, "host": HOSTS, "port": PORTS, "user": NAME, "database": NAME, "keepalives": FLAG | NONE}
    | dict.fromkeys(("password", "options", "application_name", "ca_file"), TEXT | NONE)
    | {key: COUNT | NONE for key in KEYS if key.endswith(("sec", "retries"))}
    | {key: one_of(*words) | _own(kind) for key, (kind, words) in _WORDS.items()}
)
_THEIRS = {"host": "hosts", "port": "ports", "user": "username", "database": "db_name"}
_NOT_THEIRS = frozenset({"dsn", "min_size", "max_size", *_THEIRS})
_SAME = ("options", "application_name", "target_session_attrs", "load_balance_hosts", "keepalives_retries")
_OF_URL = (
    {"sslmode": "ssl_mode", "sslrootcert": "ca_file"}
    | {key.removesuffix("_sec"): key for key in KEYS if key.endswith("_sec")}
    | dict(zip(_SAME, _SAME, strict=True))
)
"""Options of a URL, and their keys."""


def connect_options(pool_config: Mapping[str, Any], url: Url) -> dict[str, Any]:
    """The arguments of ``psqlpy.connect``. It ignores the place beside a ``dsn``, so it is not given that one.

    Raises:
        ImproperConfigurationError: The URL has an option that psqlpy does not know, or one with a wrong value; or
            certificates are to be checked, and there are none to do it with.
    """
    check_keys(url.options, IN_URL | _OF_URL.keys(), "the options of dsn")
    told = {_OF_URL[key]: text for key, text in url.options.items() if key in _OF_URL}
    found: dict[str, Any] = {key: int(text) if text.isdecimal() else text for key, text in told.items()}
    check_kinds(found, KINDS, "the options of dsn")
    found.update({key: value for key, value in pool_config.items() if key not in _NOT_THEIRS})
    for key, (kind, words) in _WORDS.items():
        if found.get(key) in words:
            found[key] = getattr(kind, found[key].title().replace("-", ""))
    if found.get("ssl_mode") in (SslMode.VerifyCa, SslMode.VerifyFull) and not found.get("ca_file"):
        message = "ssl_mode 'verify-ca' and 'verify-full' need ca_file: psqlpy knows no certificates of the system's."
        raise ImproperConfigurationError(message)
    place = {"host": ["localhost"], **place_of(pool_config, url, 5432)}
    return {**found, **{_THEIRS.get(key, key): value for key, value in place.items()}}


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
        self._reset_sql = RESET_SQL

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
        return PsqlpyWire(self.driver_features, self._cancel)

    async def connect(self) -> psqlpy.Connection:
        """Open a connection beside the pool."""
        connection = await psqlpy.connect(**self._options)
        try:
            hello = await connection.execute(_HELLO, prepared=False)
            ((pid, language),) = hello.result(as_tuple=True)
            if language[:2] not in _ENGLISH:
                self._reset_sql = f"{RESET_SQL}\n{SPEAK_ENGLISH}"
                await connection.execute_batch(SPEAK_ENGLISH)
        except BaseException:
            connection.close()
            raise
        self.wire.backends[id(connection)] = Backend(pid)
        return connection

    async def reset(self, connection: psqlpy.Connection) -> None:
        """Settings, advisory locks, cursors and LISTEN, in one round trip."""
        await connection.execute_batch(self._reset_sql)

    async def give(self, pool: AsyncPool[psqlpy.Connection], connection: psqlpy.Connection) -> None:
        """Take it back, or close one that keeps too many prepared statements."""
        if self.wire.backends[id(connection)].kept > STATEMENTS_KEPT:
            await pool.discard(connection)
        else:
            await super().give(pool, connection)

    async def close_connection(self, connection: psqlpy.Connection) -> None:
        """Close it. A server that is still busy with it goes on to the end of its statement, and rolls back."""
        self.wire.transactions.forget(connection)
        self.wire.backends.pop(id(connection), None)
        connection.close()

    async def close_pool(self, pool: AsyncPool[psqlpy.Connection]) -> None:
        """Close the connections. A process that ends while a thread of psqlpy leaves Python is aborted."""
        await super().close_pool(pool)
        await asyncio.sleep(LAST_BREATH)

    async def _cancel(self, pid: int) -> None:
        """Ask a server's process to stop what it runs, from a connection beside; ends when the signal is sent."""
        async with asyncio.timeout(SIGNAL_DEADLINE):
            side = await psqlpy.connect(**self._options)
            try:
                await side.execute(f"SELECT pg_cancel_backend({pid})", prepared=False)
            finally:
                side.close()
