"""Loggers below ``sqlspec``, and the id of the request that a record belongs to. Nothing here configures logging.

Every record of a logger that ``get_logger()`` gave has ``record.request_id``: the id of the web request in which it was
written, or None. Records of other loggers get it by ``handler.addFilter(add_request_id)``. The web plugins say which
request runs; this module knows none of them.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Literal, Protocol

__all__ = ("add_request_id", "get_logger", "get_request_id", "running_request")


class _Request(Protocol):
    @property
    def id(self) -> str: ...


running_request: ContextVar[_Request | None] = ContextVar("sqlspec_request", default=None)
"""The web request in which the running task or thread works; set by the plugins. It decides about no connection."""


def get_logger(name: str | None = None) -> logging.Logger:
    """Return the standard logger ``sqlspec`` or one below it, whose records have ``request_id``.

    Args:
        name: ``"pool"`` gives ``sqlspec.pool``; a name that begins with ``sqlspec`` is taken as it is.
    """
    below = not name or name == "sqlspec" or name.startswith("sqlspec.")
    logger = logging.getLogger((name or "sqlspec") if below else f"sqlspec.{name}")
    logger.addFilter(add_request_id)  # once, however often it is asked for
    return logger


def get_request_id() -> str | None:
    """The id of the web request that runs here; None outside of one, or where no plugin serves it."""
    request = running_request.get()
    return None if request is None else request.id


def add_request_id(record: logging.LogRecord) -> Literal[True]:
    """A logging filter that keeps every record and gives it ``request_id``, unless it has one."""
    if not hasattr(record, "request_id"):
        record.request_id = get_request_id()
    return True
