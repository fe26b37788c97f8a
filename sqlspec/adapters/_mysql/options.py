"""What users write into ``pool_config`` of the PyMySQL family, and what the drivers are called with. Pure.

The three take the same keys: where their drivers name or read one differently, that is evened out here. Keys that would
break a rule have no place: ``autocommit``, ``cursorclass``, ``conv``, ``use_unicode``, ``echo`` (prints values).
"""

from __future__ import annotations

import os
import re
import ssl
from typing import TYPE_CHECKING, Any, Literal, TypedDict
from urllib.parse import unquote

from sqlspec.core.address import HOST, NAME, NO_URL, PORT, Address, read_url
from sqlspec.core.options import FLAG, NONE, SECONDS_ABOVE_0, SIZES, TEXT, Kind, check_keys, check_kinds
from sqlspec.core.urls import Url
from sqlspec.exceptions import ImproperConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("ALIASES", "KEYS", "KINDS", "MULTI_STATEMENTS", "MysqlPoolConfig", "Place", "kinds_of", "port_of")

FOUND_ROWS = 2
"""The client flag with which an UPDATE counts the rows it found, as every other database does, not those it changed."""

MULTI_STATEMENTS = 1 << 16
"""The client flag with which one text may hold several statements: never set, but asyncmy and aiomysql do."""

CONNECT_TIMEOUT = 10.0
IDLE_LIMIT = 3600.0


class MysqlPoolConfig(TypedDict, total=False):
    """``pool_config`` of the asyncmy, aiomysql and pymysql adapters."""

    dsn: str
    """``mysql://user:password@host:port/database?charset=utf8mb4``; the other keys win over its parts."""
    host: str
    port: int
    user: str
    password: str | None
    database: str
    db: str
    """The same as ``database``."""
    unix_socket: str
    """The path of a socket, instead of host and port."""
    min_size: int
    """Connections opened at start-up; default 1."""
    max_size: int
    """Connections at most; default 10."""
    minsize: int
    """The same as ``min_size``."""
    maxsize: int
    """The same as ``max_size``."""
    pool_size: int
    """The same as ``max_size``."""
    pool_recycle: float
    """Seconds after which an idle connection is not used again; default 3600, -1 for never."""
    connect_timeout: float
    """Seconds that connecting may take, greeting and password included; default 10."""
    charset: str
    """``utf8mb4``, the default: the only one that has a place for every character."""
    init_command: str
    """A statement that runs on every new connection."""
    sql_mode: str
    """For every new connection, instead of the server's."""
    local_infile: bool
    """Whether LOAD DATA LOCAL may read files of this machine; default False."""
    program_name: str
    """What the server's list of connections shows."""
    server_public_key: str | bytes
    """For passwords of the kinds caching_sha2_password and sha256_password over plain TCP."""
    ssl: bool | ssl.SSLContext
    """True: encrypted or not at all; False: never. With a context: as that says."""
    ssl_ca: str | os.PathLike[str]
    """A file of certificates that the server's must be signed by; with it the certificate and its name are checked."""
    ssl_cert: str | os.PathLike[str]
    ssl_key: str | os.PathLike[str]
    ssl_verify_identity: bool
    """Whether the name in the server's certificate is checked too; default True."""


ALIASES = {"db": "database", "minsize": "min_size", "maxsize": "max_size", "pool_size": "max_size"}

KEYS = frozenset(MysqlPoolConfig.__annotations__) - set(ALIASES)


def _is_mode(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_, ]*", value) is not None


_PATH = Kind("a path", lambda value: value != "" and isinstance(value, (str, os.PathLike)))

KINDS: dict[str, Kind] = {
    **SIZES,
    "dsn": TEXT,
    "host": HOST,
    "port": PORT,
    "user": NAME,
    "password": TEXT | NONE,
    "database": NAME,
    "unix_socket": _PATH,
    "pool_recycle": Kind("-1 (never)", lambda value: value == -1) | SECONDS_ABOVE_0,
    "connect_timeout": SECONDS_ABOVE_0,
    "read_timeout": SECONDS_ABOVE_0 | NONE,
    "write_timeout": SECONDS_ABOVE_0 | NONE,
    "auth_plugin": TEXT,
    "charset": Kind("'utf8mb4', the only one with a place for every character", lambda value: value == "utf8mb4"),
    "init_command": TEXT | NONE,
    "sql_mode": Kind("a list of modes, with commas between", _is_mode) | NONE,
    "local_infile": FLAG,
    "program_name": TEXT,
    "server_public_key": TEXT | Kind("bytes", lambda value: isinstance(value, bytes)),
    "ssl": FLAG | Kind("an SSLContext", lambda value: isinstance(value, ssl.SSLContext)),
    "ssl_ca": _PATH,
    "ssl_cert": _PATH,
    "ssl_key": _PATH,
    "ssl_verify_identity": FLAG,
}


def kinds_of(keys: frozenset[str]) -> dict[str, Kind]:
    """The kinds of an adapter's keys."""
    return {key: KINDS[key] for key in keys}


_SCHEMES = tuple(
    f"{name}{driver}"
    for name in ("mysql", "mariadb")
    for driver in ("", "+asyncmy", "+aiomysql", "+pymysql", "+mysqlconnector")
)
_IN_URL = frozenset(
    {"charset", "unix_socket", "connect_timeout", "read_timeout", "write_timeout", "pool_recycle", "program_name"}
    | {"local_infile", "ssl", "ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_identity", "sql_mode", "init_command"}
)
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class Place:
    """A server as options and URL name it together.

    Args:
        options: The resolved ``pool_config``.
        keys: Those that this adapter knows.

    Raises:
        ImproperConfigurationError: The URL can't be read, or what it says can't be.
    """

    def __init__(self, options: Mapping[str, Any], keys: frozenset[str]) -> None:
        url = read_url(options["dsn"], "dsn", _SCHEMES) if "dsn" in options else NO_URL
        self._options = {**_of_url(url, keys), **options}
        shown = {**options, "host": self._options["unix_socket"]} if "unix_socket" in self._options else options
        address = Address(shown, url, "mysql")
        self.target = address.target
        self.secrets = address.secrets
        self.read_timeout: float | None = self._options.get("read_timeout")
        self.write_timeout: float | None = self._options.get("write_timeout")
        self.connect_timeout: float = self._options.get("connect_timeout", CONNECT_TIMEOUT)
        recycle = self._options.get("pool_recycle", IDLE_LIMIT)
        self.idle_limit: float | None = None if recycle == -1 else recycle
        self.ssl = self._ssl()

    def arguments(self) -> dict[str, Any]:
        """What every driver of the family is called with; missing is what the user left away."""
        options = self._options
        named = ("user", "unix_socket", "program_name", "server_public_key")
        return {
            "host": options.get("host") or "localhost",
            "port": int(options.get("port") or 3306),
            "password": options.get("password") or "",
            "charset": "utf8mb4",
            "local_infile": options.get("local_infile", False),
            "client_flag": FOUND_ROWS,
            "autocommit": True,
            **{key: options[key] for key in named if options.get(key) is not None},
        }

    def family_arguments(self) -> dict[str, Any]:
        """The same for drivers that encode the password as latin1: spelled so that UTF-8 comes of it."""
        arguments = self.arguments()
        return {**arguments, "password": arguments["password"].encode().decode("latin1")}

    @property
    def greeting(self) -> list[str]:
        """What is sent on every new connection. A server may ignore the character set that a driver asks for."""
        mode, first = self._options.get("sql_mode"), self._options.get("init_command")
        modes = [] if mode is None else [f"SET sql_mode = '{mode}'"]
        collation = f" COLLATE '{self._options['collation']}'" if "collation" in self._options else ""
        return [f"SET NAMES utf8mb4{collation}", *modes, *([first] if first else [])]

    @property
    def database(self) -> str | None:
        """The database to begin in."""
        return self._options.get("database") or None

    def _ssl(self) -> ssl.SSLContext | Literal[False] | None:
        """A context where encryption is wanted, False where it is not, None where the user does not say."""
        options = self._options
        wanted = options.get("ssl")
        files = [key for key in ("ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_identity") if key in options]
        if isinstance(wanted, ssl.SSLContext) or wanted is False:
            if files:
                message = f"pool_config has ssl={'False' if wanted is False else 'an SSLContext'} and {files[0]!r} too."
                raise ImproperConfigurationError(message)
            return wanted
        if wanted is None and not files:
            return None
        return _context(options.get("ssl_ca"), options.get("ssl_cert"), options.get("ssl_key"), options)


def port_of(name: Any) -> int:
    """Of a socket's name: a pair of address and port, or the path of a file, which has none."""
    return 0 if isinstance(name, (str, bytes)) else int(name[1])


def _context(ca: Any, cert: Any, key: Any, options: Mapping[str, Any]) -> ssl.SSLContext:
    """Without certificates to trust the connection is encrypted, but nobody knows with whom one speaks."""
    try:
        context = ssl.create_default_context(cafile=ca)
        context.check_hostname = ca is not None and options.get("ssl_verify_identity", True)
        context.verify_mode = ssl.CERT_NONE if ca is None else ssl.CERT_REQUIRED
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # certificates that the server made itself do not pass that
        if cert is not None:
            context.load_cert_chain(cert, keyfile=key)
    except OSError as error:  # ssl.SSLError is one
        message = f"ssl_ca, ssl_cert or ssl_key can't be read: {error.strerror or error}"
        raise ImproperConfigurationError(message) from error
    return context


def _of_url(url: Url, keys: frozenset[str]) -> dict[str, Any]:
    """The parts of the URL as options."""
    if url is NO_URL:
        return {}
    if len(url.hosts) > 1:
        message = "dsn names several hosts; these drivers take one."
        raise ImproperConfigurationError(message)
    check_keys(url.options, _IN_URL & keys, "the options of dsn")
    told = {key: _value(key, text) for key, text in url.options.items()}
    check_kinds(told, KINDS, "the options of dsn")
    host, port = url.hosts[0] if url.hosts else ("", "")
    parts = {"user": url.user, "password": url.password, "database": url.path, "host": host.strip("[]")}
    found: dict[str, Any] = {key: unquote(part) for key, part in parts.items() if part}
    return {**found, **({"port": int(port)} if port else {}), **told}


def _value(key: str, text: str) -> Any:
    """An option of the URL is a text, whatever the key takes."""
    if key in ("ssl", "local_infile", "ssl_verify_identity"):
        return _WORDS.get(text.lower(), text)
    if key in ("connect_timeout", "read_timeout", "write_timeout", "pool_recycle"):
        try:
            return float(text)
        except ValueError:
            return text
    return text
