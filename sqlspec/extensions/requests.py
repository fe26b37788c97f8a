"""The sessions of one request or WebSocket: one for each database, made without I/O, decided once, closed at the end.

    request      every statement runs in a transaction that was begun by itself
    settled      by the response's status: committed or rolled back, connections given back, before the start is sent
    body         each statement borrows a connection and commits by itself; so it is on a WebSocket from the beginning
    closed       after the last byte, an exception or a disconnect

There is no transaction across databases: when one fails to commit, those before it are saved, and the error says so.
"""

from __future__ import annotations

from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.handle import AsyncConnectionHandle
from sqlspec._sync.driver import SyncDriverAdapterBase
from sqlspec._sync.handle import SyncConnectionHandle
from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import PartialCommitError
from sqlspec.extensions.correlation import route_of
from sqlspec.extensions.places import placed, refuse_elsewhere
from sqlspec.extensions.threads import in_thread
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence

    from sqlspec.extensions.databases import Databases
    from sqlspec.extensions.keys import Database

__all__ = ("RequestSessions", "sessions_of")

Session = AsyncDriverAdapterBase | SyncDriverAdapterBase
Handle = AsyncConnectionHandle | SyncConnectionHandle

_SCOPE_KEY = "sqlspec"
_READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_READING = BeginOptions(deferred=True)
_WRITING = BeginOptions()
_STARTED = (
    "the response has started, and what was open before was decided by its status. Open the stream inside the body"
)

_logger = get_logger("web")


class RequestSessions:
    """The sessions of one request, kept in its scope.

    Args:
        databases: The configs and their keys, as they are now.
        scope: The ASGI scope of the request.

    Attributes:
        outer: Those of another plugin that serves the same request.

    Raises:
        ImproperConfigurationError: Another plugin serves this request under one of the same keys.
    """

    __slots__ = ("_closed", "connections", "outer", "registry", "sessions", "table")

    def __init__(self, databases: Databases, scope: MutableMapping[str, Any]) -> None:
        self.registry = databases.registry
        self.table = databases.table
        self.outer: RequestSessions | None = scope.get(_SCOPE_KEY)
        if self.outer is not None:
            self.outer.table.check_disjoint(self.table)
        self._closed = False
        stay = partial(refuse_elsewhere, get_ident())
        state = scope.get("state")
        if state is None:
            state = scope["state"] = {}
        self.sessions: list[Session] = []
        self.connections: list[Handle] = []
        for database in self.table.databases:
            session = _session(database, scope)
            handle = _handle(session)
            if isinstance(session, AsyncDriverAdapterBase):
                _place(session, stay)
                _place(handle, stay)
            else:
                _place(session, databases.warn_of_blocking)
            self.sessions.append(session)
            self.connections.append(handle)
            state[database.session_key] = session
            state[database.connection_key] = handle
        scope[_SCOPE_KEY] = self

    def try_settle(self) -> bool:
        """Settle what needs no I/O, which is all of it in a request that ran no statement. True if nothing is left."""
        settled = True
        for session in self.sessions:
            settled = session.try_settle() and settled
        return settled

    async def settle(self, status: int, scope: MutableMapping[str, Any]) -> None:
        """Commit or roll back, as the status and the options say, and give all connections back; then run hooks.

        Args:
            status: The response's.
            scope: The request's, for messages. (Kept here it would be a cycle, which only the collector frees.)

        Raises:
            PartialCommitError: A database failed to commit after others had.
            SQLSpecError: One failed to commit, and all were rolled back.
        """
        served = list(zip(self.table.databases, self.sessions, strict=True))
        try:
            await _settle_all(served, status, scope)
        finally:  # when all is decided: no hook keeps another database waiting
            for session in self.sessions:
                await _run_hooks(session)

    def try_close(self, reason: str) -> bool:
        """Close those that need no I/O for it. True if all are closed now."""
        if not self._closed:
            closed = True
            for session in self.sessions:
                closed = session.try_close(reason) and closed
            self._closed = closed
        return self._closed

    async def close(self, reason: str) -> None:
        """Close all sessions, also if closing one of them fails; then the first failure is raised. Repeatable."""
        if self._closed:
            return
        self._closed = True
        first: BaseException | None = None
        for session in self.sessions:
            try:
                await _close(session, reason)
            except BaseException as error:  # noqa: BLE001 (raised below, when all were closed)
                first = first or error
        if first is not None:
            raise first


def sessions_of(scope: MutableMapping[str, Any], registry: object) -> RequestSessions | None:
    """The sessions of this request on the databases of ``registry``; None where the middleware has not run."""
    found: RequestSessions | None = scope.get(_SCOPE_KEY)
    while found is not None and found.registry is not registry:
        found = found.outer
    return found


# One session ----------------------------------------------------------------------------------------------------------


def _session(database: Database, scope: MutableMapping[str, Any]) -> Session:
    config = database.config
    kind = placed(config.driver_type)
    session: Session
    if scope["type"] != "http":
        session = config.create_session(hold=False, kind=kind)
    else:
        implicit = _READING if scope["method"] in _READING_METHODS else _WRITING
        session = config.create_session(implicit=implicit, blocks_commit=database.options.is_manual, kind=kind)
    return session


def _handle(session: Session) -> Handle:
    if isinstance(session, AsyncDriverAdapterBase):
        return placed(AsyncConnectionHandle)(session)
    return SyncConnectionHandle(session)  # it only calls the session


def _place(used: Any, check: Callable[[], None]) -> None:
    """Say where it may be used, see ``placed()``."""
    used.check_place = check


async def _settle(session: Session, *, commit: bool) -> None:
    if session.try_settle():
        return
    if isinstance(session, AsyncDriverAdapterBase):
        await session.settle(commit=commit, reason=_STARTED)
    else:
        await in_thread(partial(session.settle, commit=commit, reason=_STARTED))


async def _run_hooks(session: Session) -> None:
    if not session.has_due_hooks:
        return
    if isinstance(session, AsyncDriverAdapterBase):
        await session.run_hooks()
    else:
        await in_thread(session.run_hooks)


async def _close(session: Session, reason: str) -> None:
    if session.try_close(reason):
        return
    if isinstance(session, AsyncDriverAdapterBase):
        await session.close(reason)
    else:
        await in_thread(partial(session.close, reason))


# Several databases ----------------------------------------------------------------------------------------------------


async def _settle_all(served: Sequence[tuple[Database, Session]], status: int, scope: MutableMapping[str, Any]) -> None:
    """Roll back those that must be, commit the others in their order; the first failure rolls back the rest."""
    due: list[tuple[Database, Session]] = []
    for database, session in served:
        if database.options.is_commit(status, rollback_only=session.is_rollback_only):
            due.append((database, session))
        else:
            _warn_of_loss(database, session, status, scope)
            await _settle(session, commit=False)
    saved: list[str] = []
    for place, (database, session) in enumerate(due, 1):
        writes = session.pending_writes
        try:
            await _settle(session, commit=True)
        except Exception as error:
            undone = await _roll_back_all(due[place:])
            if not saved:
                raise
            raise PartialCommitError(saved, database.label, undone) from error
        if writes:
            saved.append(database.label)


async def _roll_back_all(rest: Sequence[tuple[Database, Session]]) -> list[str]:
    """Roll back; gives the labels of those that had something to undo."""
    undone: list[str] = []
    for database, session in rest:
        if session.pending_writes:
            undone.append(database.label)
        await _settle(session, commit=False)
    return undone


def _warn_of_loss(database: Database, session: Session, status: int, scope: MutableMapping[str, Any]) -> None:
    count = session.pending_writes
    if count and database.options.is_silent_loss(status, rollback_only=session.is_rollback_only):
        _logger.warning(
            "%s answered %d, for which commit_mode=%r rolls back: %d statement(s) that may have changed something in "
            "%r are discarded. Commit them, use another mode or status, or call set_rollback_only()",
            route_of(scope) or f"{scope['method']} {scope['path']!r}",
            status,
            database.options.commit_mode,
            count,
            database.label,
        )
