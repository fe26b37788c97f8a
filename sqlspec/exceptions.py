"""Every exception of SQLSpec, in one tree.

    SQLSpecError
     ├─ ImproperConfigurationError        a config, an option or an installation is wrong
     │   └─ MissingDependencyError        an extra is not installed (also an ImportError)
     ├─ ParameterError                    placeholders and parameters do not fit; nothing was sent
     ├─ MappingError                      a row does not fit the type that was asked for
     │   └─ DuplicateColumnError          two columns of one name where names are keys
     ├─ NotFoundError                     one row was wanted, there is none
     ├─ MultipleResultsFoundError         one row was wanted, there are more
     ├─ SessionClosedError                the session is closed; the message says why
     ├─ PoolTimeoutError                  no connection became free in time
     ├─ TransactionError                  a transaction is used in a way that can't work
     │   ├─ TransactionAbortedError       the transaction ended or failed before its commit
     │   ├─ CommitOutcomeUnknownError     the connection was lost during COMMIT
     │   ├─ PartialCommitError            of several databases, some committed and one failed
     │   ├─ ConcurrentTransactionError    two tasks opened transaction blocks on one session
     │   └─ ImplicitCommitError           a statement would commit the open transaction silently
     └─ DatabaseError                     raised by the database; ``__cause__`` is the driver's exception
         ├─ IntegrityError
         │   ├─ UniqueViolationError
         │   ├─ ForeignKeyViolationError
         │   ├─ NotNullViolationError
         │   └─ CheckViolationError
         ├─ ProgrammingError
         │   ├─ SQLSyntaxError
         │   ├─ UndefinedTableError
         │   ├─ UndefinedColumnError
         │   └─ PermissionDeniedError
         ├─ DataError                     a value that the database can't take
         └─ OperationalError
             ├─ ConnectionFailedError     no connection could be made
             ├─ ConnectionLostError       an open connection broke
             ├─ StatementTimeoutError
             ├─ LockTimeoutError
             ├─ SerializationError        retry the transaction
             └─ DeadlockError             retry the transaction

This module imports nothing of ours. Messages say what was wrong, where, and what to do; they hold statement texts but
never parameter values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = (
    "CheckViolationError",
    "CommitOutcomeUnknownError",
    "ConcurrentTransactionError",
    "ConnectionFailedError",
    "ConnectionLostError",
    "DataError",
    "DatabaseError",
    "DeadlockError",
    "DuplicateColumnError",
    "ForeignKeyViolationError",
    "ImplicitCommitError",
    "ImproperConfigurationError",
    "IntegrityError",
    "LockTimeoutError",
    "MappingError",
    "MissingDependencyError",
    "MultipleResultsFoundError",
    "NotFoundError",
    "NotNullViolationError",
    "OperationalError",
    "ParameterError",
    "PartialCommitError",
    "PermissionDeniedError",
    "PoolTimeoutError",
    "ProgrammingError",
    "SQLSpecError",
    "SQLSyntaxError",
    "SerializationError",
    "SessionClosedError",
    "StatementTimeoutError",
    "TransactionAbortedError",
    "TransactionError",
    "UndefinedColumnError",
    "UndefinedTableError",
    "UniqueViolationError",
)


class SQLSpecError(Exception):
    """Root of everything that SQLSpec raises by itself."""


class ImproperConfigurationError(SQLSpecError):
    """A config, an option, a key or a name is wrong."""


class MissingDependencyError(ImproperConfigurationError, ImportError):
    """A driver or library that this part needs is not installed.

    Args:
        package: The distribution that is missing.
        extra: The extra of SQLSpec that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        self.package = package
        self.extra = extra
        super().__init__(f"{package} is not installed. In a checkout of SQLSpec run: pip install '.[{extra}]'")

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.package, self.extra))


class ParameterError(SQLSpecError):
    """Placeholders and parameters do not fit each other. Raised before anything is sent.

    Attributes:
        statement: The statement as the user wrote it, if known.
    """

    def __init__(self, message: str, *, statement: str | None = None) -> None:
        self.statement = statement
        super().__init__(message)


class MappingError(SQLSpecError):
    """A row does not fit the type that was asked for.

    Attributes:
        statement: The statement that gave the row, if known.
        row: Its number in the result, from 0; None if the columns as such do not fit.
        column: The name of the column.
        field: The name of the field in the schema type.
        wanted: The type of the field, as text.
        found: The type of the value, as text.
    """

    def __init__(
        self,
        message: str,
        *,
        statement: str | None = None,
        row: int | None = None,
        column: str | None = None,
        field: str | None = None,
        wanted: str | None = None,
        found: str | None = None,
    ) -> None:
        self.message = message
        self.statement = statement
        self.row = row
        self.column = column
        self.field = field
        self.wanted = wanted
        self.found = found
        super().__init__(message)

    def __str__(self) -> str:
        return self.message if self.statement is None else f"{self.message}\nStatement: {self.statement}"


class DuplicateColumnError(MappingError):
    """Two columns of a result have one name, and dicts and typed rows have room for one."""


class NotFoundError(SQLSpecError):
    """One row was wanted, the statement gave none."""


class MultipleResultsFoundError(SQLSpecError):
    """One row was wanted, the statement gave more."""


class SessionClosedError(SQLSpecError):
    """The session, or the stream opened on it, is closed. The message says why and how to get a new one."""


class PoolTimeoutError(SQLSpecError):
    """No connection became free within ``acquire_timeout`` seconds. The message lists who holds them."""


class TransactionError(SQLSpecError):
    """A transaction is used in a way that can't work."""


class TransactionAbortedError(TransactionError):
    """The transaction failed or ended before its owner's commit, and nothing of it was saved.

    Attributes:
        statement: The statement that failed first, if known.
    """

    def __init__(self, message: str, *, statement: str | None = None) -> None:
        self.statement = statement
        super().__init__(message)


class CommitOutcomeUnknownError(TransactionError):
    """The connection was lost during COMMIT: whether the work was saved can't be known from here."""


class PartialCommitError(TransactionError):
    """Of several databases in one request some committed, then one failed.

    Attributes:
        committed: Names of the configs whose work is saved.
        failed: Name of the config whose COMMIT failed.
        rolled_back: Names of the configs that were rolled back.
    """

    def __init__(self, committed: Sequence[str], failed: str, rolled_back: Sequence[str]) -> None:
        self.committed = tuple(committed)
        self.failed = failed
        self.rolled_back = tuple(rolled_back)
        super().__init__(
            f"Not all databases committed: saved in {', '.join(committed) or 'none'}; failed in {failed}; "
            f"rolled back in {', '.join(rolled_back) or 'none'}. There is no transaction across databases."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.committed, self.failed, self.rolled_back))


class ConcurrentTransactionError(TransactionError):
    """A ``transaction()`` block was opened while another task's block was open on the same session."""


class ImplicitCommitError(TransactionError):
    """The statement would silently commit the open transaction. It was not sent."""


class DatabaseError(SQLSpecError):
    """An error that the database or its driver reported. ``__cause__`` is the driver's exception.

    Attributes:
        code: The database's own code: SQLSTATE, or the number or name that the driver gives.
        sqlstate: The five characters of SQLSTATE where the database has them.
        constraint: Name of the constraint that was violated, where told.
        table: Name of the table, where told.
        column: Name of the column, where told.
        statement: The statement as the user wrote it. Parameter values are never kept.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | int | None = None,
        sqlstate: str | None = None,
        constraint: str | None = None,
        table: str | None = None,
        column: str | None = None,
        statement: str | None = None,
    ) -> None:
        self.code = code
        self.sqlstate = sqlstate
        self.constraint = constraint
        self.table = table
        self.column = column
        self.statement = statement
        super().__init__(message)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuilt, (type(self), str(self), self.__dict__))


def _rebuilt(kind: type[DatabaseError], message: str, state: dict[str, Any]) -> DatabaseError:
    """Unpickle a database error (workers send exceptions to each other)."""
    error = kind(message)
    error.__dict__.update(state)
    return error


class IntegrityError(DatabaseError):
    """A constraint was violated."""


class UniqueViolationError(IntegrityError):
    """A unique or primary key exists already."""


class ForeignKeyViolationError(IntegrityError):
    """A referenced row is missing, or a row is still referenced."""


class NotNullViolationError(IntegrityError):
    """NULL went into a column that takes none."""


class CheckViolationError(IntegrityError):
    """A CHECK constraint said no."""


class ProgrammingError(DatabaseError):
    """The statement is wrong."""


class SQLSyntaxError(ProgrammingError):
    """The database could not parse the statement."""


class UndefinedTableError(ProgrammingError):
    """The statement names a table or view that does not exist."""


class UndefinedColumnError(ProgrammingError):
    """The statement names a column that does not exist."""


class PermissionDeniedError(ProgrammingError):
    """The database user may not do this (or the database is read-only)."""


class DataError(DatabaseError):
    """A value does not fit its column, or can't be sent at all."""


class OperationalError(DatabaseError):
    """Something about the database's operation, not about the statement."""


class ConnectionFailedError(OperationalError):
    """No connection could be made: refused, unknown host, wrong password, unknown database."""


class ConnectionLostError(OperationalError):
    """An open connection broke."""


class StatementTimeoutError(OperationalError):
    """The statement took longer than its time limit."""


class LockTimeoutError(OperationalError):
    """A lock could not be had in time (SQLite: the database is locked)."""


class SerializationError(OperationalError):
    """The transaction could not be serialised with others. Run it again."""


class DeadlockError(OperationalError):
    """The transaction was chosen as a deadlock's victim. Run it again."""
