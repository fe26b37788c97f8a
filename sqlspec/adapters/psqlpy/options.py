"""What ``pool_config`` takes, and the arguments of ``psqlpy.connect`` that come of it. Opens nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict
from urllib.parse import unquote

from psqlpy import LoadBalanceHosts, SslMode, TargetSessionAttrs

from sqlspec.core.address import HOSTS, NAME, PORTS, Address
from sqlspec.core.options import COUNT, FLAG, NONE, TEXT, Kind, check_keys, one_of
from sqlspec.core.urls import Url
from sqlspec.exceptions import ImproperConfigurationError

__all__ = ("ALIASES", "KEYS", "KINDS", "SCHEMES", "PsqlpyPoolConfig", "address_of", "connect_options")

SCHEMES = ("postgresql", "postgres")

SSL_MODES = {
    "disable": SslMode.Disable,
    "allow": SslMode.Allow,
    "prefer": SslMode.Prefer,
    "require": SslMode.Require,
    "verify-ca": SslMode.VerifyCa,
    "verify-full": SslMode.VerifyFull,
}
TARGETS = {"any": TargetSessionAttrs.Any, "read-write": TargetSessionAttrs.ReadWrite}
TARGETS["read-only"] = TargetSessionAttrs.ReadOnly
BALANCING = {"disable": LoadBalanceHosts.Disable, "random": LoadBalanceHosts.Random}


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


def _word(known: Mapping[str, Any], kind: type) -> Kind:
    return one_of(*known) | Kind(f"a {kind.__name__} of psqlpy", lambda value: isinstance(value, kind)) | NONE


ALIASES = {"hosts": "host", "ports": "port", "username": "user", "db_name": "database", "max_db_pool_size": "max_size"}
KEYS = frozenset(PsqlpyPoolConfig.__annotations__) - ALIASES.keys()
KINDS: dict[str, Kind] = {
    **{key: COUNT | NONE for key in KEYS if key.endswith(("sec", "retries"))},
    "dsn": TEXT,
    "host": HOSTS,
    "port": PORTS,
    "user": NAME,
    "password": TEXT | NONE,
    "database": NAME,
    "options": TEXT | NONE,
    "application_name": TEXT | NONE,
    "target_session_attrs": _word(TARGETS, TargetSessionAttrs),
    "load_balance_hosts": _word(BALANCING, LoadBalanceHosts),
    "keepalives": FLAG | NONE,
    "ssl_mode": _word(SSL_MODES, SslMode),
    "ca_file": TEXT | NONE,
}

_PLACE = ("host", "port", "user", "password", "database")
_NOT_PSQLPY = frozenset({"dsn", "min_size", "max_size", *_PLACE})
_IN_URL = {
    "sslmode": "ssl_mode",
    "sslrootcert": "ca_file",
    "application_name": "application_name",
    "options": "options",
    "target_session_attrs": "target_session_attrs",
    "load_balance_hosts": "load_balance_hosts",
    "connect_timeout": "connect_timeout_sec",
    "tcp_user_timeout": "tcp_user_timeout_sec",
    "keepalives_idle": "keepalives_idle_sec",
    "keepalives_interval": "keepalives_interval_sec",
    "keepalives_retries": "keepalives_retries",
}
"""Options of a URL, and what psqlpy calls them."""


def address_of(pool_config: Mapping[str, Any], url: Url) -> Address:
    """The place that keys and URL name."""
    return Address(pool_config, url, "postgresql")


def connect_options(pool_config: Mapping[str, Any], url: Url) -> dict[str, Any]:
    """The arguments of ``psqlpy.connect``. It ignores most of them beside a ``dsn``, so it is not given that one.

    Raises:
        ImproperConfigurationError: The URL has an option that psqlpy does not know, or one with a wrong value; or
            certificates are to be checked, and there are none to do it with.
    """
    check_keys(url.options, {*_IN_URL, *_PLACE, "dbname"}, "the URL's options")
    found = {_IN_URL[key]: _read(key, value) for key, value in url.options.items() if key in _IN_URL}
    found |= {key: value for key, value in pool_config.items() if key not in _NOT_PSQLPY and value is not None}
    for key, known in (("ssl_mode", SSL_MODES), ("target_session_attrs", TARGETS), ("load_balance_hosts", BALANCING)):
        if isinstance(found.get(key), str):
            found[key] = known[found[key]]
    if found.get("ssl_mode") in (SslMode.VerifyCa, SslMode.VerifyFull) and "ca_file" not in found:
        message = "ssl_mode 'verify-ca' and 'verify-full' need ca_file: psqlpy knows no certificates of the system's."
        raise ImproperConfigurationError(message)
    return {**found, **_place(pool_config, url)}


def _read(key: str, text: str) -> Any:
    """An option of the URL, whose values are all texts."""
    name = _IN_URL[key]
    kind = KINDS[name]
    value = int(text) if text.isdecimal() else text
    if not kind.fits(value):
        message = f"{key!r} in the URL is {kind.wanted}."
        raise ImproperConfigurationError(message)
    return value


def _place(pool_config: Mapping[str, Any], url: Url) -> dict[str, Any]:
    told = url.options
    hosts = [unquote(name.strip("[]")) for name, _ in url.hosts if name]
    ports = [port for _, port in url.hosts]
    host = pool_config.get("host") or hosts or told.get("host") or "localhost"
    port = pool_config.get("port") or ([each or "5432" for each in ports] if any(ports) else told.get("port"))
    names = _several(host)
    numbers = [int(each) for each in _several(port)] if port else []
    place = {
        "username": pool_config.get("user") or unquote(url.user) or told.get("user"),
        "password": pool_config.get("password") or unquote(url.password) or told.get("password"),
        "db_name": pool_config.get("database") or unquote(url.path) or told.get("dbname") or told.get("database"),
        "hosts": names,
        "ports": numbers if len(numbers) in (0, 1, len(names)) else numbers[: len(names)],
    }
    return {key: value for key, value in place.items() if value}


def _several(value: str | int | Sequence[Any]) -> list[Any]:
    return str(value).split(",") if isinstance(value, (str, int)) else list(value)
