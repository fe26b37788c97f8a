"""The bases of all sessions, and the primitives that an adapter writes.

A facade: the classes live in ``_async`` and its generated twin ``_sync``.
"""

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.wire import AsyncRowSource, AsyncWire
from sqlspec._sync.driver import SyncDriverAdapterBase
from sqlspec._sync.wire import SyncRowSource, SyncWire

__all__ = (
    "AsyncDriverAdapterBase",
    "AsyncRowSource",
    "AsyncWire",
    "SyncDriverAdapterBase",
    "SyncRowSource",
    "SyncWire",
)
