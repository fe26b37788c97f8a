"""Loggers below ``sqlspec``. Nothing here configures logging: that is the application's."""

from __future__ import annotations

import logging

__all__ = ("get_logger",)


def get_logger(name: str | None = None) -> logging.Logger:
    """Return the standard logger ``sqlspec`` or one below it.

    Args:
        name: ``"pool"`` gives ``sqlspec.pool``; a name that begins with ``sqlspec`` is taken as it is.
    """
    if not name or name == "sqlspec":
        return logging.getLogger("sqlspec")
    return logging.getLogger(name if name.startswith("sqlspec.") else f"sqlspec.{name}")
