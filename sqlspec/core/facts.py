"""What a dialect tells the core: the door between the two rooms.

``core`` never imports a dialect. ``dialects/`` fills these objects, a driver class carries one, and the core reads it:
how strings and comments are written (lexer), which lists become arrays (parameters), which values need a change on
their way in (values), how transactions are spelled and what an error code means (the shell).

Facts are immutable, and compared by identity.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, get_args

from sqlspec.exceptions import DatabaseError, TransactionError

__all__ = (
    "NATIVE_TYPES",
    "BeginOptions",
    "DialectFacts",
    "ErrorFacts",
    "IsolationLevel",
    "LexicalFacts",
    "ParameterStyle",
)

IsolationLevel = Literal["read uncommitted", "read committed", "repeatable read", "serializable"]
_LEVELS: tuple[str, ...] = get_args(IsolationLevel)

Encoder = Callable[[Any], Any]

NATIVE_TYPES: frozenset[type] = frozenset({int, float, str, bytes, type(None)})
"""The Python types that every driver takes as they are."""


class ParameterStyle(Enum):
    """How a placeholder is written; the value is an example of it."""

    QMARK = "?"
    DOLLAR = "$1"
    NUMERIC = ":1"
    NAMED = ":name"
    FORMAT = "%s"
    PYFORMAT = "%(name)s"
    AT = "@name"


@dataclass(frozen=True, slots=True, eq=False)
class LexicalFacts:
    """How a dialect writes what is not a placeholder. Defaults: what the SQL standard says."""

    nested_comments: bool = False
    """``/* a /* b */ c */`` is one comment (PostgreSQL, DuckDB)."""
    dollar_quotes: bool = False
    """``$$ … $$`` and ``$tag$ … $tag$`` are strings (PostgreSQL, DuckDB)."""
    escape_strings: bool = False
    r"""``E'it\'s'`` has backslash escapes (PostgreSQL, DuckDB)."""
    backslash_strings: bool = False
    r"""Every string has backslash escapes, double quotes make strings too (MySQL, MariaDB)."""
    backtick_identifiers: bool = False
    """`` `name` `` is an identifier (MySQL, SQLite)."""
    bracket_identifiers: bool = False
    """``[name]`` is an identifier (SQLite)."""
    hash_comments: bool = False
    """``# …`` is a comment (MySQL, MariaDB)."""
    executable_comments: bool = False
    """``/*! … */`` and ``/*!50000 … */`` are code, on servers of such a version (MySQL; MariaDB has ``/*M!`` too)."""
    dash_comments_need_space: bool = False
    """``--`` starts a comment only before white space (MySQL: ``5--1`` is six)."""
    question_operators: bool = False
    """``?``, ``?|`` and ``?&`` are operators (PostgreSQL)."""
    at_variables: bool = False
    """``@name`` is the database's own variable, never a placeholder (MySQL, MariaDB)."""
    array_slices: bool = False
    """``a[1:n]`` is a slice: a colon inside brackets after a value names no placeholder (PostgreSQL, DuckDB)."""
    braces: bool = False
    """``{'a': x}`` is a value: a colon inside braces names no placeholder when a value stands before it (DuckDB)."""


@dataclass(frozen=True, slots=True)
class BeginOptions:
    """What ``begin()`` was asked for."""

    isolation: IsolationLevel | None = None
    read_only: bool = False
    deferred: bool = False
    """A request that will most likely only read (SQLite: BEGIN DEFERRED); others have one kind of BEGIN."""

    def __post_init__(self) -> None:
        """The level becomes a part of SQL, so nothing but the known ones may pass."""
        if self.isolation is not None and self.isolation not in _LEVELS:
            message = f"isolation={self.isolation!r} is no isolation level. Levels: {', '.join(_LEVELS)}."
            raise TransactionError(message)


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """What an adapter could read off its driver's exception."""

    message: str
    code: str | int | None = None
    sqlstate: str | None = None
    constraint: str | None = None
    table: str | None = None
    column: str | None = None
    position: int | None = None
    """Offset of the fault in the statement that was sent, in characters from 0."""
    near: str | None = None
    """The token that the database complained about, where it gives no position."""
    from_client: bool = False
    """The driver refused before anything was sent."""


def _never(_: ErrorFacts) -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class DialectFacts:
    """Everything that the core and the shell ask about a database."""

    name: str
    """``"postgres"``, ``"sqlite"`` …"""
    begin_sql: Callable[[BeginOptions], tuple[str, ...]]
    """What begins a transaction, sent one after the other; the last one is the BEGIN itself.

    Raises TransactionError for options that the database does not have."""
    classify: Callable[[ErrorFacts], type[DatabaseError]]
    """Which of our exceptions an error is. Never raises; DatabaseError when in doubt."""
    lexical: LexicalFacts = field(default_factory=LexicalFacts)
    error_aborts_transaction: bool = False
    """After a failed statement only a rollback is possible (PostgreSQL)."""
    savepoints: bool = True
    """A part of a transaction can be undone. Without (DuckDB), a nested block that fails takes all of it along."""
    implicit_commit: re.Pattern[str] | None = None
    """What commits an open transaction without being asked (MySQL: DDL); matched from the statement's first word on."""
    refuses_transactions: Callable[[ErrorFacts], bool] = _never
    """Whether the error says that no transaction may hold the statement (VACUUM), so that it has to run outside."""
    changes_session: re.Pattern[str] | None = None
    """What leaves in the connection what its next user must not meet, beside what ``traits`` knows of; searched."""
    lists_as_arrays: bool = False
    """``IN (:ids)`` with a list becomes ``= ANY(:ids)``: one text whatever the length."""
    texts_expand: bool = False
    """A list with a text in it is expanded all the same (DuckDB: an array of texts is compared with texts only)."""
    empty_list_sql: str = "SELECT NULL WHERE 1 = 0"
    """What stands between the parentheses of IN for an empty list, where lists are expanded."""
    native_types: frozenset[type] = NATIVE_TYPES
    """Types that the driver takes as they are; a value of any other type is looked up in ``encoders``."""
    encoders: Mapping[type, Encoder] = field(default_factory=dict[type, Encoder])
    """How a value becomes one that the driver takes, by type; a subclass is found through its bases."""
