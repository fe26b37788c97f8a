"""The sessions of one request or WebSocket: one for each database, made without I/O, decided once, closed at the end.

    request      every statement runs in a transaction that was begun by itself
    settled      by the response's status: committed or rolled back, connections given back, before the start is sent
    body         each statement borrows a connection and commits by itself; so it is on a WebSocket from the beginning
    closed       after the last byte, an exception or a disconnect

A COMMIT that fails rolls back all, and leaves the request where it was: what answers it is settled by its own status.
A middleware may hold the start back while the body runs already (BaseHTTPMiddleware, GZip). Whoever uses a session
then settles first, by the status that the app has started with: no part of a body gets into the request's transaction.
There is no transaction across databases: when one fails to commit, those before it are saved, and the error says so.
"""

from __future__ import annotations

import asyncio
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any

from sqlspec._async.driver import AsyncDriverAdapterBase
from sqlspec._async.handle import AsyncConnectionHandle
from sqlspec._sync.driver import SyncDriverAdapterBase
from sqlspec._sync.handle import SyncConnectionHandle
from sqlspec.concurrency import AsyncTurn
from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import PartialCommitError
from sqlspec.extensions.correlation import route_of
from sqlspec.extensions.places import placed, refuse_elsewhere
from sqlspec.extensions.threads import in_hook_thread, in_thread
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence

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
        is_closed: The request is over.
        is_settled: Its outcome is decided.

    Raises:
        ImproperConfigurationError: Another plugin serves this request under one of the same keys.
    """

    __slots__ = (
        "_failure",
        "_home",
        "_late",
        "_loop",
        "_tell",
        "_turn",
        "connections",
        "is_closed",
        "is_settled",
        "outer",
        "registry",
        "sessions",
        "table",
    )

    def __init__(self, databases: Databases, scope: MutableMapping[str, Any]) -> None:
        self.registry = databases.registry
        self.table = databases.table
        self.outer = _still_open(scope.get(_SCOPE_KEY))
        if self.outer is not None:
            self.table = self.table.beside(self.outer.table)
        self.is_closed = False
        self.is_settled = scope["type"] != "http"
        self._home = get_ident()
        self._tell = databases.warn_of_blocking
        self._late: Callable[[], Awaitable[None]] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: Exception | None = None
        self._turn: AsyncTurn | None = None
        self.sessions: list[Session] = []
        self.connections: list[Handle] = []
        state = scope.get("state")
        if state is None:
            state = scope["state"] = {}
        for database in self.table.databases:
            session = _session(database, scope)
            handle = _handle(session)
            if isinstance(session, AsyncDriverAdapterBase):
                _place(session, self._check_async)
                _place(handle, partial(refuse_elsewhere, self._home))
            else:
                _place(session, self._check_sync)
            self.sessions.append(session)
            self.connections.append(handle)
            state[database.session_key] = session
            state[database.connection_key] = handle
        scope[_SCOPE_KEY] = self

    # Where sessions are used

    def _check_async(self) -> Callable[[], Awaitable[None]] | None:
        refuse_elsewhere(self._home)
        return self._late

    def _check_sync(self) -> None:
        self._tell()
        late, loop = self._late, self._loop  # once: the loop's thread may change them meanwhile
        if late is not None and loop is not None and get_ident() != self._home:
            asyncio.run_coroutine_threadsafe(_awaited(late), loop).result()

    def note_start(self, status: int, scope: MutableMapping[str, Any]) -> None:
        """The app has started its response, and a middleware holds that back: who uses a session now is in the body."""
        if not self.is_settled:
            self._late = partial(self._settle_once, status, scope, late=True)
            self._loop = asyncio.get_running_loop()

    def forget_start(self) -> None:
        """The app is called, perhaps once more in this request: what it started before is of no account."""
        self._late = None

    # The outcome

    def try_settle(self) -> bool:
        """Settle if that needs no I/O, as in a request that ran no statement. True if it is settled now."""
        if self.is_settled:
            return True
        if self._failure is not None or not all(session.is_idle for session in self.sessions):
            return False
        self._start_body()
        return True

    async def settle(self, status: int, scope: MutableMapping[str, Any]) -> None:
        """Commit or roll back, as the status and the options say, and give all connections back; then run hooks.

        Args:
            status: The response's.
            scope: The request's, for messages. (Kept here it would be a cycle, which only the collector frees.)

        Raises:
            PartialCommitError: A database failed to commit after others had.
            SQLSpecError: One failed to commit, and all were rolled back.
        """
        await self._settle_once(status, scope, late=False)

    async def _settle_once(self, status: int, scope: MutableMapping[str, Any], *, late: bool) -> None:
        """``late``: in the body, ahead of the start that is held back, which has to fail as this does."""
        self._turn = turn = self._turn or AsyncTurn()
        try:
            async with turn:
                failure = self._failure
                if failure is not None:
                    self._failure = failure if late else None
                    raise failure
                if not self.is_settled:
                    await self._settle_now(status, scope, late)
        finally:  # when all is decided: no hook keeps another database waiting
            for session in self.sessions:
                await _run_hooks(session)

    async def _settle_now(self, status: int, scope: MutableMapping[str, Any], late: bool) -> None:
        try:
            await _settle_all(list(zip(self.table.databases, self.sessions, strict=True)), status, scope)
        except Exception as error:
            self._failure = error if late else None
            raise
        self._start_body()

    def take_failure(self) -> Exception | None:
        """Why settling failed in the body, if no start has been told of it."""
        failure, self._failure = self._failure, None
        return failure

    def _start_body(self) -> None:
        self.is_settled = True
        self._late = None
        for session in self.sessions:
            session.start_body()

    # The end

    def try_close(self, reason: str) -> bool:
        """Close those that need no I/O for it. True if all are closed now."""
        if not self.is_closed:
            closed = True
            for session in self.sessions:
                closed = session.try_close(reason) and closed
            if closed:
                self._end()
        return self.is_closed

    async def close(self, reason: str) -> None:
        """Close all sessions, then run hooks, also if that fails; the first failure is raised then. Repeatable."""
        if self.is_closed:
            return
        self._end()
        first: BaseException | None = None
        for end in (partial(_close, reason=reason), _run_hooks):  # no hook keeps another database waiting
            for session in self.sessions:
                try:
                    await end(session)
                except BaseException as error:  # noqa: BLE001 (raised below, when all were closed)
                    first = first or error
        if first is not None:
            raise first

    def _end(self) -> None:
        self.is_closed = True
        self._late = self._failure = None
        for session in self.sessions:
            _place(session, _anywhere)  # or they and this would be a cycle


def sessions_of(scope: MutableMapping[str, Any], registry: object) -> RequestSessions | None:
    """The sessions of this request on the databases of ``registry``, closed or not; None where no middleware ran."""
    found: RequestSessions | None = scope.get(_SCOPE_KEY)
    while found is not None and found.registry is not registry:
        found = found.outer
    return found


def _still_open(sessions: RequestSessions | None) -> RequestSessions | None:
    """A middleware may serve a request twice by one scope: what the first time left there is over."""
    while sessions is not None and sessions.is_closed:
        sessions = sessions.outer
    return sessions


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


def _place(used: Any, check: Callable[[], Any]) -> None:
    """Say where it may be used, see ``placed()``."""
    used.check_place = check


def _anywhere() -> None:
    """A closed session says so itself, wherever it is used."""


async def _awaited(late: Callable[[], Awaitable[None]]) -> None:
    await late()


async def _settle(session: Session, *, commit: bool) -> None:
    if session.is_idle:
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
        await in_hook_thread(session.run_hooks)


async def _close(session: Session, reason: str) -> None:
    if session.try_close(reason):
        return
    if isinstance(session, AsyncDriverAdapterBase):
        await session.end(reason)
    else:
        await in_thread(partial(session.end, reason))


# Several databases ----------------------------------------------------------------------------------------------------


async def _settle_all(served: Sequence[tuple[Database, Session]], status: int, scope: MutableMapping[str, Any]) -> None:
    """Roll back those that must be, commit the others in their order; the first failure rolls back the rest."""
    due: list[tuple[Database, Session]] = []
    for database, session in served:
        rollback_only = session.is_rollback_only
        is_loss = database.options.is_silent_loss(status, rollback_only=rollback_only)
        if database.options.is_commit(status, rollback_only=rollback_only) or (is_loss and session.is_in_block):
            due.append((database, session))  # an open block would commit later: that fails
        else:
            if is_loss:
                _warn_of_loss(database, session, status, scope)
            await _settle(session, commit=False)
    saved: list[str] = []
    for place, (database, session) in enumerate(due, 1):
        writes = session.may_have_written
        try:
            await _settle(session, commit=True)
        except Exception as error:
            undone = await _roll_back_all(due[place:])
            if not saved:
                raise
            raise PartialCommitError(saved, database.label, undone) from error
        except BaseException:
            if len(due) > 1:
                _tell_of_interruption(saved, database, [other for other, _ in due[place:]], scope)
            raise
        if writes:
            saved.append(database.label)


async def _roll_back_all(rest: Sequence[tuple[Database, Session]]) -> list[str]:
    """Roll back; gives the labels of those that had something to undo."""
    undone: list[str] = []
    for database, session in rest:
        if session.may_have_written:
            undone.append(database.label)
        await _settle(session, commit=False)
    return undone


def _tell_of_interruption(
    saved: Sequence[str], current: Database, rest: Sequence[Database], scope: MutableMapping[str, Any]
) -> None:
    """Nobody gets a PartialCommitError where the request is cancelled."""
    _logger.error(
        "%s was cancelled while it committed several databases: saved in %s; under way in %s; rolled back in %s",
        route_of(scope) or f"{scope['method']} {scope['path']!r}",
        ", ".join(saved) or "none",
        current.label,
        ", ".join(database.label for database in rest) or "none",
    )


def _warn_of_loss(database: Database, session: Session, status: int, scope: MutableMapping[str, Any]) -> None:
    if session.pending_writes:
        _logger.warning(
            "%s answered %d, for which commit_mode=%r rolls back: %d statement(s) that may have changed something in "
            "%r are discarded. Commit them, use another mode or status, or call set_rollback_only()",
            route_of(scope) or f"{scope['method']} {scope['path']!r}",
            status,
            database.options.commit_mode,
            session.pending_writes,
            database.label,
        )
