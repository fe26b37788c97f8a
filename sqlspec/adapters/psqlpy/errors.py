"""What psqlpy's exceptions tell: one text, without SQLSTATE, table, constraint and place.

    Cannot execute query, error - db error: ERROR: relation "users" does not exist
    DETAIL: …

The server's messages are fixed texts, so the SQLSTATE that belongs to one is known by it, as far as it stands in the
table below, with the names that it quotes. Two things follow: a message that a function made up (RAISE … ERRCODE) has
no SQLSTATE here, and the server must speak English to us (the config asks for it where it does not). DETAIL shows
values and is left out.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from psqlpy.exceptions import DataError, Error

from sqlspec.core.facts import ErrorFacts
from sqlspec.dialects.postgres import without_values

__all__ = ("ERRORS", "is_lost", "is_stale", "read_error", "server_message")

ERRORS = (Error, ConnectionError, TimeoutError)

_SERVER = re.compile(r"db error: ([A-Z]+): (.*)", re.DOTALL)
_MORE = re.compile(r"\n(?:DETAIL|HINT): .*", re.DOTALL)
_PREFIX = re.compile(
    r"(?:Database engine pool exception: )?(?:Error occurred while creating a new object: )?"
    r"(?:Cannot (?:execute query|prepare statement|build statement in execute_many)[,:] (?:error - )?)?"
)
_LOST = re.compile(
    r"\bconnection closed\b|error communicating with the server|unexpected message from server"
    r"|Underlying connection is returned to the pool"
)


class _Known(NamedTuple):
    code: str
    message: re.Pattern[str]


def _known(table: str) -> list[_Known]:
    lines = [line.strip().split(" ", 1) for line in table.strip().splitlines()]
    return [_Known(code, re.compile(message, re.DOTALL)) for code, message in lines]


_KNOWN = _known(r"""
    23505 duplicate key value violates unique constraint "(?P<constraint>.*)"
    23505 could not create unique index "(?P<constraint>.*)"
    23503 (?:insert or update|update or delete) on table "(?P<table>.*?)" violates .*?constraint "(?P<constraint>.*?)"
    23502 null value in column "(?P<column>.*)" of relation "(?P<table>.*)" violates not-null constraint
    23502 column "(?P<column>.*)" of relation "(?P<table>.*)" contains null values
    23502 domain .* does not allow null values
    23514 new row for relation "(?P<table>.*)" violates check constraint "(?P<constraint>.*)"
    23514 check constraint "(?P<constraint>.*)" of relation "(?P<table>.*)" is violated by some row
    23514 value for domain .* violates check constraint "(?P<constraint>.*)"
    23514 new row for relation "(?P<table>.*)" violates partition constraint
    23514 no partition of relation "(?P<table>.*)" found for row
    23P01 conflicting key value violates exclusion constraint "(?P<constraint>.*)"
    23505 unique_violation$
    23503 foreign_key_violation$
    23502 not_null_violation$
    23514 check_violation$
    40001 serialization_failure$
    40P01 deadlock_detected$
    55P03 lock_not_available$
    42501 insufficient_privilege$
    42601 syntax error at or near "(?P<near>.*)"
    42601 syntax error|invalid Unicode escape|unterminated |trailing junk after |cannot insert multiple
    42601 zero-length delimited
    42601 INSERT has more |subquery must return only one column|each .* query must have the same number of columns
    42601 VALUES lists must all be the same length|subquery has too |a column definition list is |conflicting or
    42P01 (?:relation|table|view|sequence|materialized view|foreign table) "(?P<near>.*)" does not exist
    42P01 missing FROM-clause entry for table "(?P<near>.*)"
    42P01 invalid reference to FROM-clause entry for table "(?P<near>.*)"
    42703 column "(?P<near>.*)" of relation ".*" does not exist
    42703 column "?(?P<near>.*?)"? does not exist
    42703 column "?(?P<near>.*?)"? not found in data type |record ".*" has no field
    42501 permission denied |must be (?:owner|superuser|member|able) |new row violates row-level security policy
    25006 cannot execute .* in a read-only transaction
    25P02 current transaction is aborted
    25P03 terminating connection due to idle-in-transaction timeout
    25001 .* cannot (?:run|be executed) (?:inside|from) a |SET TRANSACTION .* must be called before any query
    40001 could not serialize access |canceling statement due to conflict with recovery
    40P01 deadlock detected
    55P03 could not obtain lock on |canceling statement due to lock timeout
    57014 canceling (?:statement|authentication) due to |canceling autovacuum task
    57P01 terminating (?:connection|background worker) due to administrator command
    57P02 terminating connection because of crash of another server process
    57P05 terminating connection due to idle-session timeout
    57P03 the database system is
    3D000 database ".*" does not exist
    53300 (?:sorry, )?too many |remaining connection slots
    28P01 (?:password|\w+) authentication failed for user
    28000 no pg_hba\.conf entry|pg_hba\.conf rejects|role ".*" is not permitted to log in
    0A000 cached plan must not change result type
    26000 prepared statement ".*" does not exist
    42725 (?:function|operator|procedure) .* is not unique
    42883 (?:function|operator|procedure|aggregate|routine)\b.* does not exist|could not identify an? .* operator
    42804 column ".*" is of type |.* types .* cannot be matched|argument of .* must be type
    42803 .*must appear in the GROUP BY clause|aggregate functions? (?:are|calls cannot)|arguments to GROUPING must be
    42702 (?:column|common column) .* is ambiguous
    42P09 table reference ".*" is ambiguous
    42712 table name ".*" specified more than once
    42701 column ".*" (?:specified more than once|of relation ".*" already exists)
    42P07 relation ".*" already exists
    42P06 schema ".*" already exists
    42P04 database ".*" already exists
    42710 .* already exists
    3F000 schema ".*" does not exist|no schema has been selected
    42704 (?:type|index|role|constraint|collation|extension|trigger|parameter|window) .* does not exist|unrecognized c
    42846 cannot cast type
    42P02 there is no parameter
    42P18 could not determine (?:data type of parameter|polymorphic type)|inconsistent types deduced for parameter
    42P08 could not determine data type of parameter|.*ambiguous parameter
    42P10 there is no unique or exclusion constraint matching the ON CONFLICT
    42P20 window functions?\b
    42830 there is no unique constraint matching given keys
    42809 ".*" is (?:not )?an? |.* is not (?:a|an) (?:procedure|function|aggregate)
    42P16 multiple primary keys for table
    55000 cannot (?:insert into|update|delete from) view|currval of sequence .* is not yet defined
    58P01 could not open file
    54000 requested length too large|array size exceeds the maximum|.*too many\b
    42P17 infinite recursion detected|generation expression is not immutable|functions in index expression must be
    2BP01 cannot drop .* because other objects depend on it
    3B001 savepoint ".*" does not exist
    34000 cursor ".*" does not exist
    21000 more than one row returned by a subquery|ON CONFLICT DO UPDATE command cannot affect row a second time
    22001 value too long for type
    22008 (?:date/time field value|date|timestamp|interval|time|interval field value)\b.* out of range
    22003 (?:numeric field overflow|value .*out of range|value overflows numeric|\w+ out of range)
    22003 (?:integer|smallint|bigint|real|double precision|numeric|oid) out of range|.*is out of range for type
    22012 division by zero
    22007 invalid value ".*" for |invalid input syntax for type (?:date|time|interval)
    22P02 invalid input (?:syntax|value) for |malformed (?:array|record|range) literal|array value must start
    22P03 incorrect binary data format|insufficient data left in message|invalid message format|wrong element type
    22P05 unsupported Unicode escape sequence|character with byte sequence .* has no equivalent
    22021 invalid byte sequence for encoding|null character not permitted
    2201W LIMIT must not be negative
    2201X OFFSET must not be negative
    22014 argument of ntile
    2201G lower bound cannot equal
    22023 invalid value for parameter|time zone .* not recognized|.*must (?:not )?be (?:greater|less|positive|negative)
    2201B invalid regular expression
    2201E cannot take logarithm of
    2201F cannot take square root of|.* raised to .* yields a complex result
    22011 negative substring length
    2202E (?:wrong number of array subscripts|array .* (?:bounds|dimensions|subscript))|multidimensional arrays must
    22004 .*null value (?:not allowed|cannot be assigned)
    22026 bit string length .* does not match type
    22023 cannot (?:delete|extract|call|get|set) .*(?:scalar|object|array)|cannot cast jsonb |step size cannot
    22023 invalid hexadecimal digit|unrecognized encoding|.* out of allowed range
    22000 range lower bound must be less|.*cannot subtract infinite
""")


def server_message(error: BaseException) -> tuple[str, str] | None:
    """Severity and message of the server, without DETAIL and HINT; None: it was not the server that spoke."""
    told = _SERVER.search(str(error))
    return (told[1], _MORE.sub("", told[2])) if told else None


def is_lost(error: BaseException) -> bool:
    """Whether there is no connection any more."""
    told = server_message(error)
    return told[0] in ("FATAL", "PANIC") if told else _LOST.search(str(error)) is not None


def is_stale(error: BaseException) -> bool:
    """Whether a prepared statement no longer fits the tables, or is gone: nothing has run."""
    told = server_message(error)
    return told is not None and _match(told[1])[0] in ("0A000", "26000")


def read_error(error: BaseException) -> ErrorFacts:
    """What the exception tells."""
    told = server_message(error)
    if told is None:
        return _read_client_error(error)
    severity, message = told
    code, found = _match(message)
    if severity in ("FATAL", "PANIC") and (code is None or code.startswith("42")):
        code = "28000" if message.startswith("role ") else "08006"
    names = found.groupdict() if found else {}
    near = names.get("near")
    return ErrorFacts(
        message=without_values(message, code or "22"),  # where the kind is not known, what it quotes may be a value
        code=code,
        sqlstate=code,
        constraint=names.get("constraint"),
        table=names.get("table"),
        column=names.get("column"),
        near=near.rpartition(".")[2] if near else None,
    )


def _match(message: str) -> tuple[str | None, re.Match[str] | None]:
    for known in _KNOWN:
        found = known.message.match(message)
        if found:
            return known.code, found
    return None, None


def _read_client_error(error: BaseException) -> ErrorFacts:
    message = _PREFIX.sub("", str(error), count=1).rstrip(".")
    if isinstance(error, DataError):  # ours: a value that can't be sent, or one that can't be read
        return ErrorFacts(message, code="22000", sqlstate="22000", from_client=True)
    if is_lost(error) or isinstance(error, OSError):
        return ErrorFacts(message, code="08006", sqlstate="08006")
    if "error connecting to server" in message or "TLS" in message:
        return ErrorFacts(message, code="08001", sqlstate="08001")
    return ErrorFacts(message)
