"""Configs of asyncpg as a user may get them wrong, and who sees their secrets."""

from __future__ import annotations

import io
import traceback
from typing import Any

from sqlspec.adapters.asyncpg import AsyncpgConfig

__all__ = ("SECRET", "assert_shows_no_secret", "asyncpg_config")

SECRET = "s3cr3t-pa55"
"""A password that is to be seen nowhere."""


def asyncpg_config(pool_config: Any, **options: Any) -> AsyncpgConfig:
    """A config whose keys are not known to the type checker."""
    return AsyncpgConfig(pool_config=pool_config, **options)


def assert_shows_no_secret(error: BaseException, *secrets: str) -> None:
    """Neither it, nor its traceback (with the texts of its causes), nor what it holds."""
    shown = io.StringIO()
    traceback.print_exception(error, file=shown)
    shown.write(f"{error!r} {error} {error.__dict__} {getattr(error, '__notes__', '')}")
    for secret in (SECRET, *secrets):
        assert secret not in shown.getvalue()
