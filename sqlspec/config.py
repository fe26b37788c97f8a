"""The bases of all configs, and the options that web plugins read from ``extension_config``.

A facade: the classes live in ``_async`` and its generated twin ``_sync``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from sqlspec._async.config import AsyncDatabaseConfig
from sqlspec._async.pooled import AsyncPooledConfig
from sqlspec._sync.config import SyncDatabaseConfig
from sqlspec._sync.pooled import SyncPooledConfig

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = (
    "AsyncDatabaseConfig",
    "AsyncPooledConfig",
    "CommitMode",
    "FastAPIConfig",
    "StarletteConfig",
    "SyncDatabaseConfig",
    "SyncPooledConfig",
)

CommitMode = Literal["manual", "autocommit", "autocommit_include_redirect"]


class StarletteConfig(TypedDict, total=False):
    """Options of ``extension_config["starlette"]``; all may be left out."""

    commit_mode: CommitMode
    """``"manual"`` (default): what was not committed is rolled back. ``"autocommit"``: commit on 200-299.
    ``"autocommit_include_redirect"``: commit on 200-399."""
    session_key: str
    """Where ``request.state`` keeps the session; default ``"db_session"``."""
    connection_key: str
    """Where ``request.state`` keeps the connection handle; default ``"db_connection"`` if free."""
    pool_key: str
    """Where ``app.state`` keeps the pool; default ``"db_pool"`` if free."""
    extra_commit_statuses: Collection[int]
    """Statuses that commit too."""
    extra_rollback_statuses: Collection[int]
    """Statuses that roll back; they beat ``extra_commit_statuses``, though a status in both is refused."""


class FastAPIConfig(StarletteConfig, total=False):
    """Options of ``extension_config["fastapi"]``: the same as Starlette's."""
