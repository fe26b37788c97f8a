"""PostgreSQL: how it writes, begins, and what its SQLSTATEs mean.

Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING
from uuid import UUID

from sqlspec import exceptions as e
from sqlspec.core.facts import NATIVE_TYPES, BeginOptions, DialectFacts, ErrorFacts, LexicalFacts
from sqlspec.core.lexer import lex
from sqlspec.core.values import enum_value

if TYPE_CHECKING:
    from sqlspec.core.plan import Plan
    from sqlspec.exceptions import DatabaseError

__all__ = (
    "LEXICAL",
    "POSTGRES",
    "RESET_SQL",
    "begin_sql",
    "classify",
    "error_facts",
    "is_outdated",
    "refuse_copy",
    "refuses_transactions",
    "without_values",
)

RESET_SQL = "SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;"
"""Undoes what a session can leave behind, in one round trip of the simple protocol; asyncpg's own reset is the same."""

LEXICAL = LexicalFacts(
    nested_comments=True, dollar_quotes=True, escape_strings=True, question_operators=True, array_slices=True
)

_BY_CODE: dict[str, type[DatabaseError]] = {
    "23505": e.UniqueViolationError,
    "23503": e.ForeignKeyViolationError,
    "23502": e.NotNullViolationError,
    "23514": e.CheckViolationError,
    "42601": e.SQLSyntaxError,
    "42P01": e.UndefinedTableError,
    "42703": e.UndefinedColumnError,
    "42501": e.PermissionDeniedError,
    "25001": e.ProgrammingError,
    "25006": e.PermissionDeniedError,
    "2D000": e.ProgrammingError,
    "40001": e.SerializationError,
    "40P01": e.DeadlockError,
    "55P03": e.LockTimeoutError,
    "57014": e.StatementTimeoutError,
    "57P01": e.ConnectionLostError,
    "57P02": e.ConnectionLostError,
    "57P03": e.ConnectionFailedError,
    "57P05": e.ConnectionLostError,
    "08001": e.ConnectionFailedError,
    "08004": e.ConnectionFailedError,
    "53300": e.ConnectionFailedError,
    "3D000": e.ConnectionFailedError,
}

_BY_CLASS: dict[str, type[DatabaseError]] = {
    "08": e.ConnectionLostError,
    "22": e.DataError,
    "23": e.IntegrityError,
    "28": e.ConnectionFailedError,
    "42": e.ProgrammingError,
    "40": e.OperationalError,
    "53": e.OperationalError,
    "55": e.OperationalError,
    "57": e.OperationalError,
    "58": e.OperationalError,
}


def begin_sql(options: BeginOptions) -> tuple[str, ...]:
    """The statement that begins a transaction."""
    modes = [f"ISOLATION LEVEL {options.isolation.upper()}"] if options.isolation else []
    if options.read_only:
        modes.append("READ ONLY")
    return (" ".join(("BEGIN", ", ".join(modes))) if modes else "BEGIN",)


def classify(error: ErrorFacts) -> type[DatabaseError]:
    """Which of our exceptions a SQLSTATE is."""
    state = error.sqlstate or ""
    return _BY_CODE.get(state) or _BY_CLASS.get(state[:2]) or e.DatabaseError


def refuses_transactions(error: ErrorFacts) -> bool:
    """Whether a command (VACUUM), or a procedure that commits, must not be in a transaction.

    25001 is also what SET TRANSACTION gets that comes too late. Commands stand in capitals in every language.
    """
    if error.sqlstate == "2D000":
        return error.message == "invalid transaction termination"
    return error.sqlstate == "25001" and _LATE not in error.message and _COMMAND.search(error.message) is not None


_LATE = "SET TRANSACTION"
_COMMAND = re.compile(r"[A-Z]{4}")


POSTGRES = DialectFacts(
    name="postgres",
    begin_sql=begin_sql,
    classify=classify,
    lexical=LEXICAL,
    error_aborts_transaction=True,
    refuses_transactions=refuses_transactions,
    lists_as_arrays=True,
    native_types=NATIVE_TYPES | {bool, dt.date, dt.datetime, dt.time, dt.timedelta, Decimal, UUID},
    encoders={Enum: enum_value},
)


def is_outdated(sqlstate: str | None, context: str | None) -> bool:
    """Whether this may be a prepared statement whose parameters' types do not fit the tables any more.

    Args:
        sqlstate: Of the error.
        context: Its CONTEXT; without one it was found before anything ran, and not in a function.
    """
    return context is None and sqlstate in _OUTDATED


_OUTDATED = frozenset({"26000", "42725", "42804", "42846", "42883"})


def refuse_copy(plan: Plan) -> None:
    """Drivers would send it, and wait for ever, lose the rows or leave the connection in the middle of it.

    Raises:
        ProgrammingError: The statement copies from or to the client.
    """
    if plan.verb == "COPY" and _COPIES_HERE.search(lex(plan.text, LEXICAL).code):
        message = (
            "COPY from STDIN and to STDOUT is for the driver's own connection, which provide_connection(config) gives. "
            f"Nothing was sent.\nStatement: {plan.text}"
        )
        raise e.ProgrammingError(message, statement=plan.text)


_COPIES_HERE = re.compile(r"\b(?:FROM\s+STDIN|TO\s+STDOUT)\b", re.IGNORECASE)


def without_values(message: str, sqlstate: str | None) -> str:
    """The message without what it quotes, where that may be a value and not a name (class 22: data exceptions)."""
    return _QUOTED.sub('"…"', message) if (sqlstate or "").startswith("22") else message


_QUOTED = re.compile('["«»„“”].*["«»“”]', re.DOTALL)  # as the languages of lc_messages quote


def error_facts(
    message: str,
    sqlstate: str | None,
    *,
    constraint: str | None = None,
    table: str | None = None,
    column: str | None = None,
    position: str | int | None = None,
) -> ErrorFacts:
    """What an error of the server tells, as its fields have it.

    Args:
        message: Its primary message, without DETAIL: that shows values.
        sqlstate: Its code.
        constraint: Which was violated.
        table: Which is concerned.
        column: Which is concerned.
        position: In the statement that was sent, in characters from 1.
    """
    return ErrorFacts(
        message=without_values(message, sqlstate),
        code=sqlstate,
        sqlstate=sqlstate,
        constraint=constraint,
        table=table,
        column=column,
        position=int(position) - 1 if position else None,
    )
