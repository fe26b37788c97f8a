"""URLs that name a database: taken apart by hand, never shown as a whole. Pure.

``urllib`` quotes the URL, password and all, in its errors, and knows only one host. Drivers cut a URL at the first
``@``, ``/``, ``?`` or ``#``; so where one of these may stand in a password by mistake, the URL counts as unreadable.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("Url", "parse_url", "redact", "scheme_of")

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(?:([^/?#@]*)@)?([^/?#@]*)/?([^?#@]*)(?:\?([^#]*))?")
_HOST = re.compile(r"(\[[^\[\]]+\]|[^:\[\]]*)(?::(\d*))?")


class Url(NamedTuple):
    """The parts as they were written, but for the options, which are decoded."""

    scheme: str
    user: str
    password: str
    hosts: tuple[tuple[str, str], ...]
    """Name and port of each."""
    path: str
    options: dict[str, str]

    @property
    def secrets(self) -> tuple[str, ...]:
        """The passwords: behind the user's name, as written and decoded, and among the options."""
        options = [value for key, value in self.options.items() if "password" in key]
        return tuple(dict.fromkeys(found for found in (self.password, unquote(self.password), *options) if found))


def parse_url(url: str) -> Url | None:
    """The parts, or None if it can't be read."""
    parts = _URL.fullmatch(re.sub(r"[\t\r\n]", "", url.strip()))
    if parts is None or not _urllib_reads(url):
        return None
    scheme, account, place, path, query = parts.groups(default="")
    hosts = [_HOST.fullmatch(host) for host in place.split(",")] if place else []
    if not all(host and (host[0] or len(hosts) == 1) and _is_port(host[2]) for host in hosts):
        return None
    if query and not all("=" in option for option in query.split("&")):
        return None
    user, _, password = account.partition(":")
    named = tuple((host[1], host[2] or "") for host in hosts if host)
    return Url(scheme.lower(), user, password, named, path, dict(parse_qsl(query, keep_blank_values=True)))


def _urllib_reads(url: str) -> bool:
    """The driver will use it, and it refuses some signs and brackets."""
    try:
        urlsplit(url)
    except ValueError:
        return False
    return True


def _is_port(port: str | None) -> bool:
    return not port or 0 < int(port) < 2**16


def scheme_of(text: str) -> str:
    """The scheme of what looks like a URL, else nothing."""
    found = re.match(r"\s*([A-Za-z][A-Za-z0-9+.-]*)://", text)
    return found[1].lower() if found else ""


def redact(text: str, secrets: Iterable[str | None]) -> str:
    """The text with every secret replaced, plain and URL-quoted, where it is a word or stands behind ``password=``."""
    forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""))}
    for form in sorted(forms, key=len, reverse=True):
        before = r"(?<!\w)" if re.match(r"\w", form) else ""
        after = r"(?!\w)" if re.search(r"\w\Z", form) else ""
        text = re.sub(f"{before}{re.escape(form)}{after}|(?<=password=){re.escape(form)}", "***", text)
    return text
