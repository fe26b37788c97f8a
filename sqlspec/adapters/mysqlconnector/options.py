"""``pool_config`` of both colours, and what the driver is called with. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypedDict, TypeGuard

from mysql.connector.constants import ClientFlag

from sqlspec.adapters._mysql import options as family
from sqlspec.core.options import FLAG, TEXT, Kind

if TYPE_CHECKING:
    import os
    import ssl
    from collections.abc import Mapping

__all__ = ("ALIASES", "KEYS", "KINDS", "MysqlConnectorPoolConfig", "arguments", "whole_seconds")


class MysqlConnectorPoolConfig(TypedDict, total=False):
    """``pool_config``: what ``mysql.connector.connect`` takes, https://dev.mysql.com/doc/connector-python/en/.

    What would change values or transactions has no place (``raw``, ``converter_class``, ``autocommit`` …).
    """

    dsn: str
    """``mysql://user:password@host:port/database?charset=utf8mb4``; the other keys win over its parts."""
    host: str
    port: int
    user: str
    password: str | None
    database: str
    unix_socket: str
    min_size: int
    """Connections opened at start-up; default 1."""
    max_size: int
    """Connections at most; default 10."""
    pool_size: int
    """The same as ``max_size``."""
    pool_recycle: float
    """Seconds after which an idle connection is not used again; default 3600, -1 for never."""
    connection_timeout: float
    """Seconds that connecting may take; default 10."""
    connect_timeout: float
    """The same as ``connection_timeout``."""
    read_timeout: float | None
    """Seconds that the server may be silent while a statement runs, rounded up; default None, no limit."""
    write_timeout: float | None
    """Seconds that sending may be stuck, rounded up; default None, no limit."""
    charset: str
    """``utf8mb4``, the default: the only one that has a place for every character."""
    collation: str
    """One of utf8mb4's, for comparisons of what has none."""
    init_command: str
    """A statement that runs on every new connection."""
    sql_mode: str
    time_zone: str
    auth_plugin: str
    compress: bool
    conn_attrs: dict[str, str]
    """What the server's performance schema shows of the connection."""
    allow_local_infile: bool
    """Whether LOAD DATA LOCAL may read files of this machine; default False."""
    local_infile: bool
    """The same as ``allow_local_infile``."""
    ssl: bool | ssl.SSLContext
    """True: encrypted or not at all; False: never. Left away: encrypted if the server can, whoever it is."""
    ssl_ca: str | os.PathLike[str]
    """A file of certificates that the server's must be signed by; with it the certificate and its name are checked."""
    ssl_cert: str | os.PathLike[str]
    ssl_key: str | os.PathLike[str]
    ssl_verify_identity: bool
    """Whether the name in the server's certificate is checked too; default True."""


ALIASES = {
    "pool_size": "max_size",
    "connection_timeout": "connect_timeout",
    "allow_local_infile": "local_infile",
}
KEYS = frozenset(MysqlConnectorPoolConfig.__annotations__) - set(ALIASES)


def _is_dict(value: object) -> TypeGuard[dict[object, object]]:
    return isinstance(value, dict)


def _is_texts(value: object) -> bool:
    return _is_dict(value) and all(isinstance(text, str) for pair in value.items() for text in pair)


_OWN_KINDS: dict[str, Kind] = {
    "time_zone": TEXT,
    "auth_plugin": TEXT,
    "compress": FLAG,
    "conn_attrs": Kind("a dict of texts", _is_texts),
}
KINDS = {key: kind for key, kind in family.KINDS.items() if key in KEYS} | _OWN_KINDS
KINDS["collation"] = Kind("a name", lambda value: isinstance(value, str) and value.isidentifier())


def whole_seconds(seconds: float | None) -> int | None:
    """The driver takes no others."""
    return None if seconds is None else math.ceil(seconds)


def arguments(place: family.Place, options: Mapping[str, Any]) -> dict[str, Any]:
    """What the driver is called with."""
    told = place.arguments()
    flags, may_read_files = told.pop("client_flag"), told.pop("local_infile")
    return {
        **told,
        "client_flags": ClientFlag.get_default() & ~ClientFlag.MULTI_STATEMENTS | flags,
        "allow_local_infile": may_read_files,
        "database": place.database,
        "write_timeout": whole_seconds(place.write_timeout),
        "ssl_disabled": place.ssl is False,
        **{key: options[key] for key in _OWN_KINDS if options.get(key) is not None},
    }
