"""What ``pool_config`` takes, and the arguments of ``psqlpy.connect`` that come of it. Opens nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import unquote

from psqlpy import LoadBalanceHosts, SslMode, TargetSessionAttrs

from sqlspec.core.address import HOSTS, NAME, PORTS
from sqlspec.core.options import COUNT, FLAG, NONE, TEXT, Kind, check_keys, check_kinds, one_of
from sqlspec.core.urls import Url
from sqlspec.exceptions import ImproperConfigurationError

__all__ = ("ALIASES", "KEYS", "KINDS", "PsqlpyPoolConfig", "connect_options")


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


_WORDS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "ssl_mode": (SslMode, ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")),
    "target_session_attrs": (TargetSessionAttrs, ("any", "read-write", "read-only")),
    "load_balance_hosts": (LoadBalanceHosts, ("disable", "random")),
}


def _own(kind: type) -> Kind:
    return Kind(f"a {kind.__name__} of psqlpy", lambda value: isinstance(value, kind)) | NONE


ALIASES = {"hosts": "host", "ports": "port", "username": "user", "db_name": "database", "max_db_pool_size": "max_size"}
KEYS = frozenset(PsqlpyPoolConfig.__annotations__) - ALIASES.keys()
KINDS: dict[str, Kind] = {
    **dict.fromkeys(("password", "options", "application_name", "ca_file"), TEXT | NONE),
    **{key: COUNT | NONE for key in KEYS if key.endswith(("sec", "retries"))},
    **{key: one_of(*words) | _own(kind) for key, (kind, words) in _WORDS.items()},
    "dsn": TEXT,
    "host": HOSTS,
    "port": PORTS,
    "user": NAME,
    "database": NAME,
    "keepalives": FLAG | NONE,
}
_THEIRS = {"host": "hosts", "port": "ports", "user": "username", "database": "db_name"}
_IN_URL = {
    **{key: key for key in ("host", "port", "user", "password", "database", "options", "application_name", *_WORDS)},
    **{f"{key}": f"{key}_sec" for key in ("connect_timeout", "tcp_user_timeout", "keepalives_idle")},
    "keepalives_interval": "keepalives_interval_sec",
    "keepalives_retries": "keepalives_retries",
    "dbname": "database",
    "sslmode": "ssl_mode",
    "sslrootcert": "ca_file",
}
del _IN_URL["ssl_mode"]
"""Options of a URL as libpq and tokio call them, and their keys here."""


def connect_options(pool_config: Mapping[str, Any], url: Url) -> dict[str, Any]:
    """The arguments of ``psqlpy.connect``. It ignores the other places beside a ``dsn``, so it is not given that one.

    Raises:
        ImproperConfigurationError: The URL has an option that psqlpy does not know, or one with a wrong value; or
            certificates are to be checked, and there are none to do it with.
    """
    check_keys(url.options, _IN_URL, "the options of dsn")
    told = {_IN_URL[key]: int(text) if text.isdecimal() else text for key, text in url.options.items()}
    check_kinds(told, KINDS, "the options of dsn")
    found = {**told, **_place(url), **pool_config}
    for key, (kind, words) in _WORDS.items():
        if found.get(key) in words:
            found[key] = getattr(kind, found[key].title().replace("-", ""))
    if found.get("ssl_mode") in (SslMode.VerifyCa, SslMode.VerifyFull) and not found.get("ca_file"):
        message = "ssl_mode 'verify-ca' and 'verify-full' need ca_file: psqlpy knows no certificates of the system's."
        raise ImproperConfigurationError(message)
    found["host"] = _several(found.get("host", "localhost"))
    found["port"] = [int(port) for port in _several(found.get("port", 5432))]
    return {_THEIRS.get(key, key): found[key] for key in found if key not in ("dsn", "min_size", "max_size")}


def _place(url: Url) -> dict[str, Any]:
    named = {"user": url.user, "password": url.password, "database": url.path}
    place: dict[str, Any] = {key: unquote(text) for key, text in named.items() if text}
    if any(host for host, _ in url.hosts):
        place["host"] = [unquote(host.strip("[]")) for host, _ in url.hosts]
    if any(port for _, port in url.hosts):
        place["port"] = [port or 5432 for _, port in url.hosts]
    return place


def _several(value: str | int | Sequence[Any]) -> list[Any]:
    return str(value).split(",") if isinstance(value, (str, int)) else list(value)
