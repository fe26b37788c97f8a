"""What ``pool_config`` of both psycopg configs takes, and what psycopg is told of it. Opens nothing."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, Any, TypedDict

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

from sqlspec.core.address import HOSTS, NAME, NO_URL, PASSWORD, PORTS, Address, read_url
from sqlspec.core.options import (
    COUNT,
    FLAG,
    FUNCTION,
    MAPPING,
    NONE,
    SECONDS_ABOVE_0,
    TEXT,
    Kind,
    check_keys,
    check_kinds,
    one_of,
    resolve_aliases,
)
from sqlspec.core.urls import scheme_of
from sqlspec.exceptions import ImproperConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

__all__ = (
    "ALIASES",
    "FEATURES",
    "KEYS",
    "KINDS",
    "PsycopgPoolConfig",
    "address_of",
    "connect_options",
    "limits",
    "with_time_limit",
)

_SCHEMES = ("postgresql", "postgres")


class PsycopgPoolConfig(TypedDict, total=False):
    """``pool_config``: libpq's parameters, what ``psycopg.connect`` takes beside them, and keys of ``psycopg_pool``.

    https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
    """

    conninfo: str
    """``postgresql://user:password@host:port/database`` or ``host=… dbname=…``; the other keys win over its parts."""
    dsn: str
    """The same."""
    host: str | Sequence[str]
    hostaddr: str | Sequence[str]
    port: int | str | Sequence[int]
    user: str
    password: str | Callable[[], str] | Callable[[], Awaitable[str]]
    """Or a function that gives it, called for each new connection (by the async config also an async one)."""
    dbname: str
    database: str
    """The same."""
    passfile: str
    service: str
    options: str
    """Settings of the session: ``-c search_path=app -c statement_timeout=5s``. No reset takes them away."""
    application_name: str
    fallback_application_name: str
    connect_timeout: int
    """Whole seconds that connecting to one host may take; default ``acquire_timeout``."""
    target_session_attrs: str
    load_balance_hosts: str
    keepalives: int
    keepalives_idle: int
    keepalives_interval: int
    keepalives_count: int
    tcp_user_timeout: int
    channel_binding: str
    require_auth: str
    sslmode: str
    sslnegotiation: str
    sslcert: str
    sslkey: str
    sslpassword: str
    sslrootcert: str
    sslcrl: str
    ssl_min_protocol_version: str
    ssl_max_protocol_version: str
    gssencmode: str
    krbsrvname: str
    gsslib: str
    prepare_threshold: int | None
    """A statement is prepared when it runs for the so-manieth time on a connection; None for never. Default 5."""
    kwargs: Mapping[str, Any]
    """psycopg_pool's: any more parameters of libpq."""
    configure: Callable[[Any], None] | Callable[[Any], Awaitable[None]]
    """Runs for every new connection. What it SETs is undone when that comes back: use ``options`` for settings."""
    min_size: int
    """Connections opened at start-up; default 1 (psycopg_pool's own default is 4)."""
    max_size: int
    """Connections at most; default 10."""
    timeout: float
    """psycopg_pool's: seconds to wait for a connection, which is ``acquire_timeout``."""
    max_lifetime: float
    """psycopg_pool's, and the same as the config's own ``max_lifetime``."""


_NUMBER = Kind("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool), shown=True)

ALIASES = {"dsn": "conninfo", "database": "dbname"}
KEYS = frozenset(PsycopgPoolConfig.__annotations__)
_LIBPQ = frozenset(option.keyword.decode() for option in Conninfo.get_defaults())
"""What the libpq of this installation knows."""

KINDS: dict[str, Kind] = {
    "conninfo": TEXT,
    "host": HOSTS,
    "hostaddr": HOSTS,
    "port": PORTS,
    "user": NAME,
    "password": PASSWORD,
    "dbname": NAME,
    "connect_timeout": COUNT,
    "keepalives": _NUMBER | FLAG,
    "keepalives_idle": COUNT,
    "keepalives_interval": COUNT,
    "keepalives_count": COUNT,
    "tcp_user_timeout": COUNT,
    "target_session_attrs": one_of("any", "primary", "standby", "prefer-standby", "read-write", "read-only"),
    "sslmode": one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "prepare_threshold": COUNT | NONE,
    "kwargs": MAPPING | NONE,
    "configure": FUNCTION | NONE,
    "timeout": SECONDS_ABOVE_0 | NONE,
    "max_lifetime": SECONDS_ABOVE_0 | NONE,
}
KINDS.update({key: TEXT for key in KEYS & _LIBPQ if key not in KINDS})

FEATURES: dict[str, Kind] = {"json_serializer": FUNCTION, "json_deserializer": FUNCTION}

_NOT_LIBPQ = frozenset({"conninfo", "min_size", "max_size", "timeout", "max_lifetime", "configure", "kwargs"})
_OURS = {"replication", "client_encoding"}
"""What would make another protocol of it, and what texts are written in, which this adapter reads as UTF-8."""
_SECRETS = ("password", "sslpassword", "oauth_client_secret", "scram_client_key")


def limits(pool_config: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """``acquire_timeout`` and ``max_lifetime``, where they were given by psycopg_pool's names.

    Args:
        pool_config: As the user wrote it.
        ours: The config's own arguments, as far as they were given.

    Raises:
        ImproperConfigurationError: One was given twice.
    """
    found: dict[str, Any] = {}
    for theirs, name in (("timeout", "acquire_timeout"), ("max_lifetime", "max_lifetime")):
        if theirs in pool_config:
            if name in ours:
                message = f"pool_config has {theirs!r}, which means the same as {name}. Keep one of them."
                raise ImproperConfigurationError(message)
            found[name] = pool_config[theirs]
    return found


def connect_options(pool_config: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The arguments of ``connect()``: conninfo, ``kwargs`` and keys in one, each under libpq's name.

    Raises:
        ImproperConfigurationError: Something is given twice, unknown to this libpq, or can't be read.
    """
    more = dict(pool_config.get("kwargs") or {})
    check_keys(more, (_LIBPQ | {"prepare_threshold", "database"}) - _OURS, f"'kwargs' in {where}")
    check_kinds(more, KINDS, f"'kwargs' in {where}")
    given = {key: value for key, value in pool_config.items() if key not in _NOT_LIBPQ}
    for key in given.keys() - _LIBPQ - {"prepare_threshold"}:
        message = f"{key!r} in {where} is not known to the libpq that psycopg uses here, which is too old."
        raise ImproperConfigurationError(message)
    keys = resolve_aliases({**more, **given}, ALIASES, where)
    if twice := given.keys() & more.keys():
        message = f"{where} and 'kwargs' in it both have {min(twice)!r}. Keep one of them."
        raise ImproperConfigurationError(message)
    read = _read(pool_config.get("conninfo", ""))
    return {**read, **{key: _joined(value) for key, value in keys.items()}, "client_encoding": "UTF8"}


def _read(conninfo: str) -> dict[str, Any]:
    """Take it apart; what libpq says about one that is wrong would show its password."""
    if scheme_of(conninfo):
        read_url(conninfo, "conninfo", _SCHEMES)
    try:
        return dict(conninfo_to_dict(conninfo))
    except psycopg.Error:
        message = (
            "conninfo can't be read: it is a URL like postgresql://user@host:5432/database whose options libpq knows, "
            "or pairs like host=localhost dbname=app, with values that hold blanks in single quotes."
        )
        raise ImproperConfigurationError(message) from None


def _joined(value: Any) -> Any:
    """Several hosts and ports: libpq takes them in one text."""
    several: Any = value
    return ",".join(map(str, several)) if isinstance(value, (list, tuple)) else value


def with_time_limit(options: Mapping[str, Any], limit: float | None) -> dict[str, Any]:
    """Nobody waits longer for a server that does not answer than for a connection that is in use."""
    if limit is None or "connect_timeout" in options or "PGCONNECT_TIMEOUT" in os.environ:
        return dict(options)
    return {**options, "connect_timeout": max(2, math.ceil(limit))}  # libpq takes 1 for 2


def address_of(options: Mapping[str, Any]) -> Address:
    """The place that the options of ``connect()`` name."""
    place = {**options, "database": options.get("dbname")}
    if not options.get("host") and options.get("hostaddr"):
        place["host"] = options["hostaddr"]
    return Address({key: value for key, value in place.items() if value}, NO_URL, "postgresql", _SECRETS)
