"""DuckDB: how it writes, begins, what its errors mean, and which values it has no exact type for. Knows no driver.

There are no error codes: the kind of an error is what its message begins with ("Constraint Error: …"), and that is the
code here. Any error aborts the transaction, those of the parser too; COMMIT then answers that all is well and saves
nothing. There are no savepoints. Temporary tables, settings, variables, USE and prepared statements belong to the
connection; ATTACH, secrets and settings that exist once per database (threads, memory_limit) to the database.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlspec import exceptions as e
from sqlspec.core import values
from sqlspec.core.facts import NATIVE_TYPES, BeginOptions, DialectFacts, ErrorFacts, LexicalFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlspec.exceptions import DatabaseError

__all__ = (
    "DUCKDB",
    "LEXICAL",
    "array_value",
    "begin_sql",
    "classify",
    "decimal_value",
    "is_array",
    "list_value",
    "read_message",
    "refuses_transactions",
)

LEXICAL = LexicalFacts(
    nested_comments=True,
    dollar_quotes=True,
    escape_strings=True,
    array_slices=True,
    braces=True,
)

_CHANGES_SESSION = re.compile(
    r"\A[\s(;]*+(?:SET|RESET|USE"
    r"|PRAGMA\b(?!\s*+(?:table_info|storage_info|show\w*|database_\w+|version|functions|collations|platform)\b))\b",
    re.IGNORECASE,
)


def begin_sql(options: BeginOptions) -> tuple[str, ...]:
    """A transaction always reads from one snapshot, which is what others call repeatable read."""
    if options.isolation not in (None, "repeatable read"):
        message = (
            "DuckDB transactions read from a snapshot, as isolation='repeatable read' asks for; "
            f"isolation={options.isolation!r} can't be had."
        )
        raise e.TransactionError(message)
    return ("BEGIN TRANSACTION READ ONLY" if options.read_only else "BEGIN TRANSACTION",)


# Errors ---------------------------------------------------------------------------------------------------------------

_BY_KIND: dict[str, type[DatabaseError]] = {
    "Constraint": e.IntegrityError,
    "Parser": e.SQLSyntaxError,
    "Syntax": e.SQLSyntaxError,
    "Catalog": e.ProgrammingError,
    "Binder": e.ProgrammingError,
    "Dependency": e.ProgrammingError,
    "Settings": e.ProgrammingError,
    "Not implemented": e.ProgrammingError,
    "Conversion": e.DataError,
    "Out of Range": e.DataError,
    "Invalid Input": e.DataError,
    "Invalid type": e.DataError,
    "Mismatch Type": e.DataError,
    "Sequence": e.DataError,
    "Permission": e.PermissionDeniedError,
    "INTERRUPT": e.StatementTimeoutError,  # nobody but our time limit interrupts
    "TransactionContext": e.OperationalError,
    "Connection": e.ConnectionLostError,
    "FATAL": e.ConnectionLostError,  # the database is closed for all
    "IO": e.OperationalError,
    "HTTP": e.OperationalError,
    "Out of Memory": e.OperationalError,
    "INTERNAL": e.OperationalError,
    "Serialization": e.OperationalError,
}

_MESSAGES: tuple[tuple[str, str, type[DatabaseError]], ...] = (
    ("Constraint|TransactionContext", r"Duplicate key|UNIQUE constraint|contains duplicates", e.UniqueViolationError),
    ("Constraint|TransactionContext", r"foreign key", e.ForeignKeyViolationError),
    ("Constraint", r"NOT NULL constraint", e.NotNullViolationError),
    ("Constraint", r"CHECK constraint", e.CheckViolationError),
    ("Catalog|Binder", r"\A(?:Table|View) with name \S+ does not exist|Referenced table ", e.UndefinedTableError),
    (
        "Catalog|Binder",
        r"\AReferenced (?:update )?column |\ATable \"(?:[^\"]|\"\")*\" does not have a column|\AColumn .* not exist",
        e.UndefinedColumnError,
    ),
    ("Invalid Input|TransactionContext", r"\ACannot .* read-only mode", e.PermissionDeniedError),
    ("TransactionContext", r"[Cc]onflict", e.SerializationError),
    ("TransactionContext", r"\A[Cc]annot |no transaction is active", e.ProgrammingError),
    ("Connection", r"\ACan't open", e.ConnectionFailedError),
    ("IO", r"\ACould not set lock on file", e.ConnectionFailedError),
    ("Not implemented", r"\AUnable to transform python value|\AFailed to convert", e.DataError),
)

_KIND = re.compile(r"([A-Za-z][A-Za-z ]*?) Error: ")
_PLACE = re.compile(r"\n\nLINE \d+: (?P<line>[^\n]*)\n(?P<before> *)\^+\s*\Z")
_CONSTRAINED = re.compile(r'constraint failed: "?(?:.*\.)?"?((?:[^"]|"")+?)"?\."?((?:[^"]|"")+)"?\Z')
_CHECKED = re.compile(r'CHECK constraint failed on table "((?:[^"]|"")*)"')
_DUPLICATE = re.compile(r'Duplicate key "([^":]+): ')
_TOKEN = re.compile(
    r'\A(?:Referenced (?:update )?(?:column|table) "?(?P<a>(?:[^"\s]|(?<=\w) (?=\w))+?)"? (?:was )?not found'
    r'|.*?(?:column (?:named|with name)|at or near) "(?P<b>[^"]+)"'
    r'|\w[\w ]* with name "?(?P<c>[^"\s]+?)"? does not exist)',
)
_FROM_CLIENT = re.compile(
    r"Unable to transform python value|Failed to convert decimal|Python integer too large|Python Conversion Failure"
)


def read_message(message: str) -> ErrorFacts:
    """What DuckDB's message tells: kind, names and place; without the values that it quotes."""
    kind = _KIND.match(message)
    code, text = (kind[1], message[kind.end() :]) if kind else (None, message)
    place = _PLACE.search(text)
    if place:
        text = text[: place.start()]
    constrained, checked, duplicate = _CONSTRAINED.search(text), _CHECKED.search(text), _DUPLICATE.search(text)
    token = _TOKEN.match(text)
    named = next((name for name in token.groups() if name), None) if token else None
    return ErrorFacts(
        message=_without_values(code or "", text),
        code=code,
        table=constrained[1] if constrained else checked[1] if checked else None,
        column=constrained[2] if constrained else duplicate[1] if duplicate else None,
        near=(_from_caret(place["line"], len(place["before"]), named) if place else None) or named,
        from_client=_FROM_CLIENT.match(text) is not None,
    )


def _from_caret(shown: str, caret: int, named: str | None) -> str | None:
    """The shown line from the fault on, which is most likely met once in the statement.

    The caret counts the width of characters on a screen, and is wrong after a comment that is not ASCII: then the name
    is looked for, and nothing said if that is not to be found.
    """
    head = "LINE 1: "
    at = caret - len(head)
    line = shown.removesuffix("...")
    if not line.isascii() or "\t" in line or not 0 <= at < len(line) or (named and not line.startswith(named, at)):
        at = line.find(named) if named and line.count(named) == 1 else -1
    return line[at:] if at >= 0 else None


def _without_values(kind: str, text: str) -> str:
    """The message without values and without lists of functions; names that it suggests are not quoted any more."""
    if kind in ("Catalog", "Binder"):
        first, _, hint = text.partition("\n")
        first = _BARE_NAME.sub(r'with name "\1" does', first)  # quoted, it is shown only if the statement holds it
        hint = hint.strip().partition("\n")[0].replace('"', "").replace(": :", ":")
        return f"{first} {hint}" if hint.startswith(("Did you mean", "Candidate bindings")) else first
    if text.count(_SOURCE) == 1:  # what follows may be a parameter, with the values of all rows
        text, _, source = text.partition(_SOURCE)
        text += f"{_SOURCE}{source}" if source.isidentifier() else ""
    for kinds, pattern, safe in _VALUES:
        if kind in kinds:
            text = pattern.sub(safe, text)
    return text.partition("\n")[0]


_SOURCE = " when casting from source column "
_BARE_NAME = re.compile(r'with name ([^"\s].*?) does(?= not exist)')
_KEYS = ("Constraint", "TransactionContext")
_DATA = ("Conversion", "Out of Range", "Invalid Input", "Invalid type", "Mismatch Type")
_VALUES = (
    (_KEYS, re.compile(r'(?<=[Kk]ey ").*"', re.DOTALL), '…"'),
    (_DATA, re.compile(r"(?<=with value ).*?(?= can't be cast)", re.DOTALL), "…"),
    (_DATA, re.compile(r"(?<=cast value ).*?(?= to [A-Z])", re.DOTALL), "…"),
    (_DATA, re.compile(r"(?<!\w)'.*'", re.DOTALL), "'…'"),
    (_DATA, re.compile(r'".*"', re.DOTALL), '"…"'),
    (_DATA, re.compile(r"(?<=integer type: ).*|(?<=missing \): ).*|(?<=did you mean ).*", re.DOTALL), "…"),
    (_DATA, re.compile(r"(?<=Codepoint ).*|(?<=specifier )(?!\"…).*", re.DOTALL), "…"),
    (_DATA, re.compile(r"(?<=[(:\s])(?<![A-Z]\()[-+]?\d[\d.:eE+-]*(?=[\s,)!]|\Z)"), "…"),
    (("Parser", *_DATA), re.compile(r"(?<=\(input: ).*(?=\))", re.DOTALL), "…"),
)
"""What is quoted may hold quotes, so everything up to the last one goes."""


def classify(error: ErrorFacts) -> type[DatabaseError]:
    """Which of our exceptions a kind of error is; some are told apart by their message."""
    kind = str(error.code or "")
    for kinds, pattern, found in _MESSAGES:
        if kind in kinds.split("|") and re.search(pattern, error.message):
            return found
    return _BY_KIND.get(kind, e.DatabaseError)


def refuses_transactions(error: ErrorFacts) -> bool:
    """Whether CHECKPOINT or DETACH must not be in a transaction. Other people's transactions are another fault."""
    return error.code == "TransactionContext" and _OUTSIDE_ONLY.match(error.message) is not None


_OUTSIDE_ONLY = re.compile(r"Cannot (?:(?:FORCE )?CHECKPOINT:|detach database .* because) the current transaction has ")


# Values ---------------------------------------------------------------------------------------------------------------

_MOST_DIGITS = 38
_EXACT_IN_FLOAT = 2**53


def decimal_value(value: Decimal) -> Decimal:
    """What has more digits than a DECIMAL would become a float in silence."""
    _, digits, exponent = value.as_tuple()
    if isinstance(exponent, int) and max(len(digits) + max(exponent, 0), -exponent) > _MOST_DIGITS:
        message = f"DuckDB's DECIMAL has at most {_MOST_DIGITS} digits"
        raise TypeError(message)
    return value


def time_value(value: dt.time) -> dt.time | str:
    """West of Greenwich a time goes as text: DuckDB's package does not take it."""
    offset = value.utcoffset()
    return value.isoformat() if offset is not None and offset < dt.timedelta(0) else value


def is_array(value: Sequence[Any]) -> bool:
    """Whether it can be a LIST without a change of its values: those have one type, or are whole and broken numbers.

    DuckDB makes texts of all if one is a text, and floats if one is a float.
    """
    leaves = list(_leaves(value))
    kinds = set[type[Any]](map(type, leaves)) - {type(None)}
    if kinds == {int, float}:
        return all(abs(leaf) <= _EXACT_IN_FLOAT for leaf in leaves if type(leaf) is int)
    return not kinds or (len(kinds) == 1 and not issubclass(next(iter(kinds)), (dict, set, frozenset)))


def _leaves(value: Sequence[Any]) -> Iterator[Any]:
    for item in value:
        if issubclass(type(item), (list, tuple)):
            yield from _leaves(item)
        else:
            yield item


def list_value(value: Sequence[Any]) -> Any:
    """A LIST where nothing changes by that, else JSON; a JSON column takes both."""
    return array_value(value) if is_array(value) else values.json_text(value)


def array_value(value: Sequence[Any]) -> list[Any]:
    """The values of a LIST, each as it would be sent alone."""
    return values.encode(value, DUCKDB)


DUCKDB = DialectFacts(
    name="duckdb",
    begin_sql=begin_sql,
    classify=classify,
    lexical=LEXICAL,
    error_aborts_transaction=True,
    savepoints=False,
    refuses_transactions=refuses_transactions,
    changes_session=_CHANGES_SESSION,
    lists_as_arrays=True,
    texts_expand=True,
    native_types=NATIVE_TYPES | {bool, UUID, dt.datetime, dt.date, dt.timedelta},
    encoders={
        dt.time: time_value,
        Decimal: decimal_value,
        dict: values.json_text,
        list: list_value,
        tuple: list_value,
        Enum: values.enum_value,
    },
)
