"""Where a server database is: the options that say so, the URL that says it in one, and what of it may be shown. Pure.

``host``, ``port``, ``user``, ``password`` and ``database`` mean the same on every server database, under whatever names
a driver takes them. A value of one key in the place of another (a URL as host) is refused before a driver guesses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard
from urllib.parse import unquote

from sqlspec.core.options import FUNCTION, NONE, TEXT, Kind
from sqlspec.core.urls import Url, parse_url, scheme_of
from sqlspec.exceptions import ImproperConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

__all__ = ("HOST", "HOSTS", "IN_URL", "NAME", "NO_URL", "PASSWORD", "PORT", "PORTS", "Address", "place_of", "read_url")

NO_URL = Url("", "", "", (), "", {})
IN_URL = frozenset({"host", "port", "user", "password", "database", "dbname"})
"""Options of a URL that name a place, too."""


# Kinds of options -----------------------------------------------------------------------------------------------------
# None is taken where it is a driver's own default, but not for the place: an unset variable must not be localhost.


def _is_name(value: object) -> bool:
    return isinstance(value, str) and not scheme_of(value) and "\0" not in value


def _is_host(value: object) -> bool:
    return isinstance(value, str) and _is_name(value) and (value.startswith("/") or "@" not in value)


def _is_port(value: object) -> bool:
    return isinstance(value, (int, str)) and str(value).isdecimal() and 0 < int(value) < 2**16


def _or_several(fits: Callable[[object], bool]) -> Callable[[Any], bool]:
    return lambda value: fits(value) or (_is_several(value) and len(value) > 0 and all(map(fits, value)))


def _is_several(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, (list, tuple))


NAME = Kind("a name (a URL belongs into dsn)", _is_name)
HOST = Kind("the name, address or socket folder of a host (a URL belongs into dsn)", _is_host)
HOSTS = Kind(
    "the name, address or socket folder of a host, or a list of them (a URL belongs into dsn)", _or_several(_is_host)
)
PORT = Kind("a port from 1 to 65535", _is_port, shown=True)
PORTS = Kind("a port from 1 to 65535, or a list of them", _or_several(_is_port), shown=True)
PASSWORD = TEXT | FUNCTION | NONE


# The URL --------------------------------------------------------------------------------------------------------------


def read_url(url: str, key: str, schemes: Collection[str]) -> Url:
    """Take a URL apart.

    Args:
        url: As the user wrote it.
        key: Under which key.
        schemes: Those that will do; the first is shown.

    Raises:
        ImproperConfigurationError: It can't be read, or has another scheme. It is not shown: it holds a password.
    """
    scheme, shown = scheme_of(url), next(iter(schemes))
    if scheme not in schemes:
        message = f"{key} must be a URL like {shown}://user@host/database, not one with the scheme {scheme!r}."
        raise ImproperConfigurationError(message)
    parts = parse_url(url)
    if parts is None:
        message = (
            f"{key} can't be read: ports are numbers from 1 to 65535, options are written name=value, and ':', '/', "
            "'?', '#', '@', '[' and ']' in user name and password as %3A, %2F, %3F, %23, %40, %5B and %5D."
        )
        raise ImproperConfigurationError(message)
    return parts


class Address:
    """The place that options and a URL name together; a key beats the URL, and its front beats its options.

    Args:
        options: Keys ``host``, ``port``, ``user``, ``password``, ``database``; others are not looked at.
        url: The URL, or ``NO_URL``.
        scheme: What the shown URL begins with.
        password_keys: Where a secret may stand in the options.
    """

    __slots__ = ("secrets", "target")

    target: str
    """The place as a URL, without password."""
    secrets: tuple[str, ...]
    """Every password that was given."""

    def __init__(
        self, options: Mapping[str, Any], url: Url, scheme: str, password_keys: Collection[str] = ("password",)
    ) -> None:
        user = options.get("user") or url.user or url.options.get("user", "")
        database = options.get("database") or url.path or url.options.get("database", "")
        self.target = f"{scheme}://{f'{user}@' if user else ''}{','.join(_places(options, url))}/{database}"
        given = [options.get(key) for key in password_keys]
        self.secrets = (*[secret for secret in given if isinstance(secret, str) and secret], *url.secrets)


def _places(options: Mapping[str, Any], url: Url) -> list[str]:
    """Each host with its port."""
    hosts: list[tuple[str, Any]] = list(url.hosts)
    port: int | str | Sequence[int] = options.get("port", "")
    if "host" in options or not hosts:
        named: str | Sequence[str] = options.get("host") or url.options.get("host", "localhost")
        names = named.split(",") if isinstance(named, str) else named
        port = port or url.options.get("port", "")
        hosts = [(f"[{name}]" if name.count(":") > 1 else name, "") for name in names]
    ports = str(port).split(",") if isinstance(port, (int, str)) else [str(each) for each in port]
    if len(ports) == 1:
        ports *= len(hosts)
    shown = [(name, wanted or own) for (name, own), wanted in zip(hosts, ports, strict=False)]
    return [f"{name}:{number}" if number else name for name, number in shown]


def place_of(options: Mapping[str, Any], url: Url, default_port: int) -> dict[str, Any]:
    """The same place for a driver that is not given the URL: what was named, decoded, hosts and ports as lists.

    Args:
        options: As for ``Address``.
        url: As for ``Address``.
        default_port: For the hosts of the URL that have none, where others have one.
    """
    named = {"database" if key == "dbname" else key: text for key, text in url.options.items() if key in IN_URL}
    front = {"user": unquote(url.user), "password": unquote(url.password), "database": unquote(url.path)}
    hosts = [unquote(name.strip("[]")) for name, _ in url.hosts if name]
    ports = [port or default_port for _, port in url.hosts] if any(port for _, port in url.hosts) else []
    found: dict[str, Any] = {**front, "host": hosts, "port": ports}
    given = {key: options[key] for key in found if key in options}
    place = {**named, **{key: value for key, value in found.items() if value}, **given}
    for key, kind in (("host", str), ("port", int)):
        if key in place:
            each = str(place[key]).split(",") if isinstance(place[key], (str, int)) else place[key]
            place[key] = list(map(kind, each))
    return place
