"""GENERATED from sqlspec/_async/handle.py by tools/unasync.py: do not edit. The connection of a session, as web handlers get it: usable before there is one.

``commit()``, ``rollback()`` and ``transaction()`` are the session's, so that it knows; ``cursor()`` gives a DB-API
cursor on every adapter; every other name is a method of the driver's own connection, which is acquired when it is
called.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from sqlspec.concurrency import SyncAwaitable
from sqlspec.exceptions import ProgrammingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from sqlspec._sync.driver import SyncDriverAdapterBase
    from sqlspec._sync.transaction import SyncTransaction

__all__ = ("SyncConnectionHandle", "SyncCursor")


class SyncConnectionHandle(SyncAwaitable):
    """A session's connection. ``acquire()`` gives the driver's own object."""

    __slots__ = ("_raw", "_session")

    def __init__(self, session: SyncDriverAdapterBase) -> None:
        self._session = session
        self._raw: Any = None

    def acquire(self) -> Any:
        """The driver's own connection, acquired now if it was not before."""
        self._raw = self._session.acquire_connection()
        return self._raw

    @property
    def raw(self) -> Any:
        """The driver's own connection once ``acquire()`` was called; None before."""
        return self._raw

    def commit(self) -> None:
        """As the session's ``commit()``."""
        self._session.commit()

    def rollback(self) -> None:
        """As the session's ``rollback()``."""
        self._session.rollback()

    def transaction(self) -> SyncTransaction:
        """As the session's ``transaction()``."""
        return self._session.transaction()

    def cursor(self) -> SyncCursor:
        """A DB-API cursor; rows are tuples."""
        return SyncCursor(self._session)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._session.call_connection(name, args, kwargs)

        return call

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._session!r}>"


class SyncCursor(SyncAwaitable):
    """What PEP 249 calls a cursor: the rows of the last statement are kept here and fetched one by one."""

    __slots__ = ("_rows", "_session", "description", "lastrowid", "rowcount")

    def __init__(self, session: SyncDriverAdapterBase) -> None:
        self._session = session
        self._rows: deque[tuple[Any, ...]] | None = None
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self.lastrowid: Any = None

    def acquire(self) -> SyncCursor:
        """Itself: a cursor needs no opening."""
        return self

    def execute(self, statement: str, parameters: Any = ()) -> SyncCursor:
        """Run one statement.

        Args:
            statement: SQL with placeholders in any one style.
            parameters: One sequence of values, or one mapping.
        """
        result = (
            self._session.execute(statement, parameters) if parameters else self._session.execute(statement)
        )
        names = result.column_names
        self._rows = deque(result.all(schema_type=tuple)) if names else None
        self.description = [(name, None, None, None, None, None, None) for name in names] if names else None
        self.rowcount = len(result) if result.rows_affected is None and names else _counted(result.rows_affected)
        self.lastrowid = result.last_inserted_id
        return self

    def executemany(self, statement: str, rows: Sequence[Any]) -> SyncCursor:
        """Run one statement for every row of parameters, all or nothing."""
        result = self._session.execute_many(statement, rows)
        self._rows = self.description = None
        self.rowcount = _counted(result.rows_affected)
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row; None after the last."""
        rows = self._fetchable()
        return rows.popleft() if rows else None

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """The next ``size`` rows, or what is left."""
        rows = self._fetchable()
        return [rows.popleft() for _ in range(min(size, len(rows)))]

    def fetchall(self) -> list[tuple[Any, ...]]:
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

    def close(self) -> None:
        """Drop the rows."""
        self._rows = self.description = None

    def __enter__(self) -> SyncCursor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> SyncCursor:
        return self

    def __next__(self) -> tuple[Any, ...]:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row


def _counted(rows_affected: int | None) -> int:
    return -1 if rows_affected is None else rows_affected
