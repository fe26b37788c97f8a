"""The SQLSTATE that belongs to a message of PostgreSQL's: for drivers that tell nothing but the text.

The server's messages are fixed texts, so the usual ones are known by the table below, with the names that they quote.
Two things follow: a message that a function made up (RAISE … ERRCODE) has no SQLSTATE here, and the server must speak
English (``SPEAK_ENGLISH``).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlspec.dialects.postgres import error_facts

if TYPE_CHECKING:
    from sqlspec.core.facts import ErrorFacts

__all__ = ("SPEAK_ENGLISH", "read_report")

SPEAK_ENGLISH = "SELECT set_config('lc_messages', 'C', false) FROM pg_roles WHERE rolname = current_user AND rolsuper"
"""Only a superuser may choose the language; for others the administrator can: ALTER ROLE … SET lc_messages = 'C'."""

_REPORT = re.compile(r"([A-Z]+): (.*?)(?:\n(?:DETAIL|HINT): .*)?", re.DOTALL)
_OF_CONNECTIONS = ("08", "28", "3D", "53", "57")

_TABLE = r"""
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
    25001 .* cannot (?:run|be executed) (?:inside|from|within) a |SET TRANSACTION .* must be called before any query
    25001 transaction read-write mode must be |cannot set transaction read-write mode
    2D000 invalid transaction termination|cannot (?:commit|roll back|perform transaction commands) (?:while|inside)
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
"""
_KNOWN = [
    (code, re.compile(message, re.DOTALL))
    for code, message in (line.strip().split(" ", 1) for line in _TABLE.strip().splitlines())
]


def read_report(text: str) -> ErrorFacts:
    """What an error tells that is written as ``ERROR: division by zero``; DETAIL and HINT behind it are left out.

    Args:
        text: Severity and message.
    """
    told = _REPORT.fullmatch(text)
    severity, message = (told[1], told[2]) if told else ("", text)
    code, names = _match(message)
    if severity in ("FATAL", "PANIC") and (code or "")[:2] not in _OF_CONNECTIONS:
        code = "28000" if message.startswith("role ") else "08006"
    near = names.pop("near", None)
    # Where the kind is not known, what the message quotes may be a value.
    facts = replace(error_facts(message, code or "22", **names), code=code, sqlstate=code)
    return replace(facts, near=near.rpartition(".")[2]) if near else facts


def _match(message: str) -> tuple[str | None, dict[str, str]]:
    for code, pattern in _KNOWN:
        found = pattern.match(message)
        if found:
            return code, {name: text for name, text in found.groupdict().items() if text is not None}
    return None, {}
