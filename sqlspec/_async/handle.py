"""The connection of a session, as web handlers get it: usable before there is one.

``commit()``, ``rollback()`` and ``transaction()`` are the session's, so that it knows; ``cursor()`` gives a DB-API
cursor on every adapter; every other name is a method of the driver's own connection, which is acquired when it is
called.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from sqlspec.concurrency import AsyncAwaitable
from sqlspec.exceptions import ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from sqlspec._async.driver import AsyncDriverAdapterBase
    from sqlspec._async.transaction import AsyncTransaction

__all__ = ("AsyncConnectionHandle", "AsyncCursor")


class AsyncConnectionHandle(AsyncAwaitable):
    """A session's connection. ``acquire()`` gives the driver's own object."""

    __slots__ = ("_raw", "_session")

    def __init__(self, session: AsyncDriverAdapterBase) -> None:
        self._session = session
        self._raw: Any = None

    async def acquire(self) -> Any:
        """The driver's own connection, acquired now if it was not before."""
        self._raw = await self._session.acquire_connection()
        return self._raw

    @property
    def raw(self) -> Any:
        """The driver's own connection once ``acquire()`` was called; None before."""
        return self._raw

    async def commit(self) -> None:
        """As the session's ``commit()``."""
        await self._session.commit()

    async def rollback(self) -> None:
        """As the session's ``rollback()``."""
        await self._session.rollback()

    def transaction(self) -> AsyncTransaction:
        """As the session's ``transaction()``."""
        return self._session.transaction()

    def cursor(self) -> AsyncCursor:
        """A DB-API cursor; rows are tuples."""
        return AsyncCursor(self._session)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._session.call_connection(name, args, kwargs)

        return call

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._session!r}>"


class AsyncCursor(AsyncAwaitable):
    """What PEP 249 calls a cursor: the rows of the last statement are kept here and fetched one by one."""

    __slots__ = ("_rows", "_session", "description", "lastrowid", "rowcount")

    def __init__(self, session: AsyncDriverAdapterBase) -> None:
        self._session = session
        self._rows: deque[tuple[Any, ...]] | None = None
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self.lastrowid: Any = None

    async def acquire(self) -> AsyncCursor:
        """Itself: a cursor needs no opening."""
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> AsyncCursor:
        """Run one statement.

        Args:
            statement: SQL with placeholders in any one style.
            parameters: One sequence of values, or one mapping.
        """
        result = await (
            self._session.execute(statement, parameters) if parameters else self._session.execute(statement)
        )
        names = result.column_names
        self._rows = deque(result.all(schema_type=tuple)) if names else None
        self.description = [(name, None, None, None, None, None, None) for name in names] if names else None
        self.rowcount = len(result) if result.rows_affected is None and names else _counted(result.rows_affected)
        self.lastrowid = result.last_inserted_id
        return self

    async def executemany(self, statement: str, rows: Sequence[Any]) -> AsyncCursor:
        """Run one statement for every row of parameters, all or nothing."""
        result = await self._session.execute_many(statement, rows)
        self._rows = self.description = None
        self.rowcount = _counted(result.rows_affected)
        return self

    async def fetchone(self) -> tuple[Any, ...] | None:
        """The next row; None after the last."""
        rows = self._fetchable()
        return rows.popleft() if rows else None

    async def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The next ``size`` rows, or what is left."""
        rows = self._fetchable()
        return [rows.popleft() for _ in range(min(size, len(rows)))]

    async def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows that are left."""
        rows = self._fetchable()
        taken = list(rows)
        rows.clear()
        return taken

    def _fetchable(self) -> deque[tuple[Any, ...]]:
        if self._rows is None:
            message = "There are no rows to fetch: execute() a statement that returns rows first."
            raise ProgrammingError(message)
        return self._rows

    async def close(self) -> None:
        """Drop the rows."""
        self._rows = self.description = None

    async def __aenter__(self) -> AsyncCursor:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    def __aiter__(self) -> AsyncCursor:
        return self

    async def __anext__(self) -> tuple[Any, ...]:
        row = await self.fetchone()
        if row is None:
            raise StopAsyncIteration
        return row


def _counted(rows_affected: int | None) -> int:
    return -1 if rows_affected is None else rows_affected
