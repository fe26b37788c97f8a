"""Which request runs: its id for log records, its route for messages. Knows ASGI's scope and no framework.

The id is the client's ``x-request-id``, else the trace id of its ``traceparent`` (https://www.w3.org/TR/trace-context),
else a new one. A client's id that is long, or holds anything that could mean something to a log or a header, is not
taken. Nothing is read or made before somebody asks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.extensions.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

__all__ = ("RunningRequest", "header_name", "route_of")

_ID_KEY = "sqlspec.request_id"
_HARMLESS = re.compile(rb"[A-Za-z0-9._~:@/+=-]{1,128}")
_TRACEPARENT = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<more>-.*)?"
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_MEANT_FOR_CLIENTS = re.compile(
    r"(content|transfer|access-control|proxy|sec|set|cross-origin|strict-transport)-.*"
    r"|connection|keep-alive|upgrade|trailers?|te|host|location|refresh|date|age|expires|cache-control|pragma|vary|etag"
    r"|last-modified|accept-ranges|allow|link|retry-after|www-authenticate|clear-site-data"
)


class RunningRequest:
    """A request or WebSocket while it is served.

    Args:
        scope: Its ASGI scope.
    """

    __slots__ = ("scope",)

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        self.scope = scope

    @property
    def id(self) -> str:
        """The same for all who ask in this request, in whatever thread."""
        known: str | None = self.scope.get(_ID_KEY)
        return known or self.scope.setdefault(_ID_KEY, _read_id(self.scope.get("headers", ())) or uuid4().hex)


def _read_id(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """What the client calls its request, if that is harmless. The first header of a name counts."""
    given = dict(reversed([(name.lower(), value) for name, value in headers]))
    own = given.get(b"x-request-id")
    if own is not None and _HARMLESS.fullmatch(own):
        return own.decode("ascii")
    trace = _TRACEPARENT.fullmatch(given.get(b"traceparent", b""))
    if trace is None or (trace["version"] == b"00" and trace["more"]):
        return None
    return trace["trace"].decode("ascii")


def route_of(scope: MutableMapping[str, Any]) -> str | None:
    """Method and route as the framework tells them, with nothing in it that the client chose; None for no route."""
    method = scope.get("method", "WebSocket")
    template = getattr(scope.get("route"), "path", None)
    if template is not None:
        return f"{method} {template!r}"
    endpoint: Any = scope.get("endpoint")
    if endpoint is None:
        return None
    named = endpoint if hasattr(endpoint, "__qualname__") else cast("Any", type(endpoint))
    return f"{method} of {named.__module__}.{named.__qualname__}"


def header_name(name: object) -> bytes | None:
    """The name of a response header as it is sent; None for none.

    Raises:
        ImproperConfigurationError: No header can be called so, or one that frames or steers the response is.
    """
    if name is None:
        return None
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        message = f"request_id_header={shown(name)} is not the name of a header, such as 'x-request-id'."
        raise ImproperConfigurationError(message)
    if _MEANT_FOR_CLIENTS.fullmatch(name.lower()):
        message = f"request_id_header={name!r} has a meaning of its own to clients: take another, as 'x-request-id'."
        raise ImproperConfigurationError(message)
    return name.lower().encode("ascii")
