"""The bases of all sessions. A facade: the classes live in ``_async`` and its generated twin ``_sync``."""

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._sync.driver import SyncDriverAdapterBase

__all__ = ("AsyncDriverAdapterBase", "SyncDriverAdapterBase")
