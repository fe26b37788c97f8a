"""Sync sessions in async tests: the compliance suite is written once, in async, for adapters of both colours.

Nothing is replaced: each call goes to the sync session, in the calling thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sqlspec.driver import SyncDriverAdapterBase

__all__ = ("AwaitableScope",)

_PLAIN = frozenset({"on_commit", "on_rollback", "set_rollback_only", "is_rollback_only", "pending_writes"})
_SCOPES = frozenset({"transaction", "select_stream"})


class AwaitableScope:
    """A ``with`` block that is entered by ``async with``; what it gives is iterated by ``async for``."""

    def __init__(self, scope: AbstractContextManager[Any]) -> None:
        self._scope = scope

    async def __aenter__(self) -> Any:
        from sqlspec.driver import SyncDriverAdapterBase

        inside = self._scope.__enter__()
        if isinstance(inside, SyncDriverAdapterBase):
            return _AwaitableSession(inside)
        return None if inside is None else _AwaitableRows(inside)

    async def __aexit__(self, *raised: Any) -> Any:
        return self._scope.__exit__(*raised)


class _AwaitableRows:
    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def __aiter__(self) -> _AwaitableRows:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self._rows)
        except StopIteration:
            raise StopAsyncIteration from None


class _AwaitableSession:
    def __init__(self, session: SyncDriverAdapterBase) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._session, name)
        if name in _PLAIN or name.startswith("_"):
            return found
        if name in _SCOPES:
            return _scoped(found)
        return _awaitable(found)


def _scoped(method: Callable[..., AbstractContextManager[Any]]) -> Callable[..., AwaitableScope]:
    def call(*args: Any, **kwargs: Any) -> AwaitableScope:
        return AwaitableScope(method(*args, **kwargs))

    return call


def _awaitable(method: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        return method(*args, **kwargs)

    return call
