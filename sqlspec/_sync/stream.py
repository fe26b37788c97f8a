"""GENERATED from sqlspec/_async/stream.py by tools/unasync.py: do not edit. Rows of one statement, a chunk at a time.

An open stream is a cursor on the session's connection, and ends with the ``transaction()`` block that it was opened in:
PostgreSQL's cursors go with a savepoint that is rolled back. A session that borrows a connection per statement gives
the stream one of its own until its end. A driver whose cursors live in transactions only gets one for the stream. Every
fetch takes the session's turn, and asks whether the connection is still the one that the cursor was opened on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlspec._sync.session import SyncSession
from sqlspec.core.facts import BeginOptions
from sqlspec.core.observe import StatementEvent, observing
from sqlspec.exceptions import MappingError, ParameterError, SessionClosedError, SQLSpecError
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from sqlspec._sync.connection import SyncCheckout
    from sqlspec._sync.wire import SyncRowSource
    from sqlspec.concurrency import SyncResult
    from sqlspec.core.plan import Plan

__all__ = ("SyncRowStream", "SyncStreams", "Cursor")

T = TypeVar("T")

_logger = get_logger("stream")


class Cursor:
    """What an open stream holds.

    Attributes:
        plan: Of its statement.
        source: The driver's cursor.
        checkout: The connection that it was opened on.
        borrowed: The connection is the stream's own, not the session's.
        transaction: A transaction was begun for it.
        depth: How many ``transaction()`` blocks it was opened in.
    """

    __slots__ = ("borrowed", "checkout", "depth", "plan", "source", "transaction")

    def __init__(
        self,
        plan: Plan,
        source: SyncRowSource,
        checkout: SyncCheckout,
        *,
        borrowed: bool,
        transaction: bool,
        depth: int,
    ) -> None:
        self.plan = plan
        self.source = source
        self.checkout = checkout
        self.borrowed = borrowed
        self.transaction = transaction
        self.depth = depth


class SyncRowStream(Generic[T]):
    """What ``select_stream()`` gives: a context manager, and inside it an iterator of rows.

    Args:
        statement: The statement as the user wrote it.
        schema_type: What each row becomes; None for dicts.
        chunk_size: Rows per fetch.
        start: Opens the cursor for this stream.
        fetch: Fetches so many rows.
        stop: Closes the cursor and gives back what it held.
    """

    def __init__(
        self,
        statement: str,
        schema_type: Any,
        chunk_size: int,
        start: Callable[[SyncRowStream[Any]], SyncResult[Cursor]],
        fetch: Callable[[Cursor, int], SyncResult[Sequence[Any]]],
        stop: Callable[[SyncRowStream[Any], Cursor], SyncResult[None]],
    ) -> None:
        self._statement = statement
        self._schema_type = schema_type
        self._chunk_size = chunk_size
        self._start = start
        self._fetch = fetch
        self._stop = stop
        self._cursor: Cursor | None = None
        self._rows: list[T] = []
        self._next = 0
        self._delivered = 0
        self._ended = False
        self._reason: str | None = None

    def __enter__(self) -> SyncRowStream[T]:
        if self._cursor is not None or self._ended:
            message = "This stream was entered before. Call select_stream() once for every time that rows are read."
            raise SessionClosedError(message)
        self._cursor = self._start(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        cursor = self.end(None)
        try:
            if cursor is not None:
                self._stop(self, cursor)
        except SQLSpecError as failure:
            if error is None:
                raise
            error.add_note(f"Closing the stream failed too: {failure}")

    def __iter__(self) -> SyncRowStream[T]:
        return self

    def __next__(self) -> T:
        if self._next >= len(self._rows):
            self._rows = self._chunk()
            self._next = 0
            if not self._rows:
                raise StopIteration
        row = self._rows[self._next]
        self._next += 1
        return row

    def is_on(self, checkout: SyncCheckout | None) -> bool:
        """Whether its cursor is open on this connection."""
        return self._cursor is not None and self._cursor.checkout is checkout

    def ends_with_block(self, depth: int) -> bool:
        """Whether it was opened in so many blocks or more; never on a connection of its own, which knows none."""
        return self._cursor is None or (not self._cursor.borrowed and self._cursor.depth >= depth)

    def _chunk(self) -> list[T]:
        if self._reason is not None:
            raise SessionClosedError(f"This stream is closed: {self._reason}.")
        cursor = self._cursor
        if cursor is None:
            if self._ended:
                return []
            message = "This stream is not open: enter it with `with db.select_stream(...) as rows:` and iterate inside."
            raise SessionClosedError(message)
        rows = self._fetch(cursor, self._chunk_size)
        if not rows:
            self.end(None)
            self._stop(self, cursor)
            return []
        try:
            made: list[T] = cursor.source.shape.maker(self._schema_type).many(rows, self._delivered)
        except MappingError as error:
            error.statement = self._statement
            raise
        self._delivered += len(made)
        return made

    def end(self, reason: str | None) -> Cursor | None:
        """Take the cursor off this stream; gives it if there was one.

        Args:
            reason: What the next row raises; None if the stream simply ended.
        """
        cursor, self._cursor = self._cursor, None
        self._ended = True
        if cursor is not None and reason is not None:
            self._reason = reason
            self._rows = []
        return cursor


class SyncStreams(SyncSession):
    """The part of a session that opens, reads and closes streams."""

    def _stream(
        self, statement: str, parameters: tuple[Any, ...], schema_type: Any, chunk_size: object
    ) -> SyncRowStream[Any]:
        if not isinstance(chunk_size, int) or chunk_size < 1:
            raise ParameterError(f"chunk_size is a whole number of rows from 1 on, not {chunk_size!r}.")

        def start(stream: SyncRowStream[Any]) -> Cursor:
            with self._turn:
                cursor = self._open_cursor(statement, parameters, chunk_size)
                self._streams += (stream,)
                return cursor

        return SyncRowStream(statement, schema_type, chunk_size, start, self._fetch_rows, self._stop_stream)

    def _open_cursor(self, statement: str, parameters: tuple[Any, ...], chunk_size: int) -> Cursor:
        plan = self._plan(statement)
        sql, args = plan.bind(parameters)
        plan.refuse_control("select_stream()")
        self._prepare(plan)
        checkout = self._checkout or self._acquire()
        checkout.statement = statement
        alone = self._transaction is None
        own_transaction = alone and self.wire.streams_need_transaction
        try:
            if own_transaction:
                for begin in self.wire.dialect.begin_sql(BeginOptions()):
                    self.wire.command(checkout.connection, begin)
            with observing(self._observers, StatementEvent(*self._observed_as(), statement=statement, verb=plan.verb)):
                source = self.wire.open_stream(checkout.connection, plan, sql, args, chunk_size)
        except BaseException as error:
            failure = self._failure(error, plan, sql)
            if own_transaction or (not self._hold and alone):
                self._interrupted("a stream could not be opened")
            if failure is error:
                raise
            raise failure from error
        if plan.is_write and self._transaction is not None:
            self._transaction.writes += 1
        checkout.changed = checkout.changed or plan.changes_session
        borrowed = alone and not self._hold
        if borrowed:
            self._checkout = None
        self._ready = None  # the next statement asks whether it may run beside a stream
        depth = 0 if self._transaction is None else len(self._transaction.blocks)
        return Cursor(plan, source, checkout, borrowed=borrowed, transaction=own_transaction, depth=depth)

    def _fetch_rows(self, cursor: Cursor, count: int) -> Sequence[Any]:
        with self._turn:
            if cursor.checkout.abandoned or not (cursor.borrowed or cursor.checkout is self._checkout):
                message = "This stream is closed: its connection was lost or given back. Open a new stream."
                raise SessionClosedError(message)
            try:
                return cursor.source.fetch(count)
            except BaseException as error:
                failure = self._stream_failure(error, cursor)
                if failure is error:
                    raise
                raise failure from error

    def _stream_failure(self, error: BaseException, cursor: Cursor) -> BaseException:
        if not cursor.borrowed:
            return self._failure(error, cursor.plan, cursor.plan.text)
        if self._connections is not None:
            self._connections.abandon_checkout(cursor.checkout)
        if isinstance(error, self.wire.errors):
            return self._translate(error, cursor.plan, cursor.plan.text)
        return error

    def _stop_stream(self, stream: SyncRowStream[Any], cursor: Cursor) -> None:
        with self._turn:
            self._streams = tuple(each for each in self._streams if each is not stream)
            self._close_cursor(cursor)

    def _close_streams(self, reason: str, *, depth: int = 0, borrowed: bool = False) -> None:
        """Close streams; their next row says why.

        Args:
            reason: Why.
            depth: Only those that were opened in so many ``transaction()`` blocks or more.
            borrowed: Those with a connection of their own, too.
        """
        for stream in [each for each in reversed(self._streams) if borrowed or each.ends_with_block(depth)]:
            self._streams = tuple(each for each in self._streams if each is not stream)
            cursor = stream.end(reason)
            if cursor is not None:
                self._close_cursor(cursor)

    def _abandon_streams(self, reason: str) -> None:
        """Let go of all streams without waiting: the connections that they borrowed are settled in the background."""
        streams, self._streams = self._streams, ()
        for stream in streams:
            cursor = stream.end(reason)
            if cursor is not None and cursor.borrowed and self._connections is not None:
                self._connections.abandon_checkout(cursor.checkout)

    def _close_cursor(self, cursor: Cursor) -> None:
        """Close a cursor and give back what was its own. On a connection that is gone there is nothing to do."""
        connections = self._connections
        if connections is None or cursor.checkout.abandoned:
            return
        if not (cursor.borrowed or cursor.checkout is self._checkout):
            return
        try:
            cursor.source.close()
            if cursor.transaction:
                self.wire.command(cursor.checkout.connection, "COMMIT")
        except BaseException as error:
            failure = self._stream_failure(error, cursor)
            if failure is error:
                raise
            if cursor.transaction and cursor.plan.is_write:  # what it wrote was not saved, and somebody must know
                raise failure from error
            _logger.warning("closing a stream failed: %s", failure)
            return
        if cursor.borrowed:
            connections.release(cursor.checkout)
        elif cursor.plan.may_end_transaction:
            self._notice_end(cursor.checkout.connection, cursor.plan)
        self._ready = None
