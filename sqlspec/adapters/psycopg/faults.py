"""What psycopg's exceptions tell, without the values that their messages show."""

from __future__ import annotations

import re

import psycopg

from sqlspec.core.facts import ErrorFacts
from sqlspec.dialects.postgres import error_facts, is_outdated

__all__ = ("ERRORS", "is_stale", "mark_declared", "mark_sent", "read_error")

_REFUSED = (UnicodeEncodeError, BufferError, NotImplementedError)
ERRORS = (psycopg.Error, *_REFUSED, OSError)
"""psycopg's own, what Python raises for values that have no form on the wire, for those that it
can't read (dates, where DateStyle is not ISO), and what sockets raise."""

_QUOTED = re.compile(r"(?<!\w)'.*'", re.DOTALL)


def mark_declared(error: psycopg.Error, prefix: str) -> None:
    """The statement was sent behind a prefix, which the place that the server tells counts."""
    error.__dict__["_prefix"] = len(prefix)


def mark_sent(error: BaseException) -> None:
    """A value was refused when those of other rows may have been sent already."""
    error.__dict__["_sent"] = True


def read_error(error: BaseException) -> ErrorFacts:
    """From the server, from libpq (a connection that failed or was lost), or from psycopg before anything was sent."""
    if isinstance(error, UnicodeEncodeError):  # its own message shows the text
        return _refused(error, "a text can't be encoded as UTF-8: surrogates not allowed")
    if isinstance(error, BufferError):
        return _refused(error, str(error))
    if isinstance(error, NotImplementedError):
        return _refused(error, _QUOTED.sub("'…'", str(error)))
    if not isinstance(error, psycopg.Error):
        return ErrorFacts(str(error), sqlstate="08006")
    told = error.diag
    if error.sqlstate is None or told.message_primary is None:
        return _read_local(error)
    position = int(told.statement_position or 0) - int(error.__dict__.get("_prefix", 0))
    return error_facts(
        told.message_primary,
        error.sqlstate,
        constraint=told.constraint_name,
        table=told.table_name,
        column=told.column_name,
        position=max(position, 0),
    )


def _read_local(error: psycopg.Error) -> ErrorFacts:
    message = str(error).strip()
    if isinstance(error, psycopg.DataError):
        return _refused(error, _QUOTED.sub("'…'", message))
    if isinstance(error, psycopg.ProgrammingError) and message.startswith("cannot adapt type"):
        return _refused(error, message.partition(" using ")[0])
    if isinstance(error, psycopg.OperationalError):
        return ErrorFacts(message, code="08006", sqlstate="08006")
    return ErrorFacts(message, from_client=isinstance(error, psycopg.NotSupportedError))


def _refused(error: BaseException, message: str) -> ErrorFacts:
    return ErrorFacts(message, code="22000", sqlstate="22000", from_client="_sent" not in error.__dict__)


def is_stale(error: psycopg.Error) -> bool:
    """A prepared statement's plan does not fit any more, or the server forgot it. Found before anything has run."""
    if error.sqlstate == "0A000":
        return error.diag.source_function == "RevalidateCachedQuery"
    return is_outdated(error.sqlstate, error.diag.context)
