"""What kind of statement a text is, read off its words: its verb, and what that does to rows, transaction and session.

Reads the lexer's ``code``, in which strings, quoted names and comments can't be mistaken for words. Knows no dialect:
words that only one database has are told apart by what follows them. In doubt a statement gives rows, and writes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ("Traits", "traits_of")


class Traits(NamedTuple):
    """What a plan says about its statement; explained there."""

    verb: str
    returns_rows: bool
    is_write: bool
    controls_transaction: bool = False
    ends_transaction: bool = False
    changes_session: bool = False


_CONTROLS = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"})
_ENDS = frozenset({"COMMIT", "END", "ROLLBACK", "ABORT"})
_SHOWS = {"SHOW", "EXPLAIN", "DESCRIBE", "DESC", "SUMMARIZE", "PRAGMA"}
_READS = frozenset({"SELECT", "VALUES", "TABLE", "FROM", "FETCH", "PIVOT", "UNPIVOT"} | _SHOWS)
_RETURNS = _READS | {"CALL", "EXECUTE", "WITH"}
_KEEPS = frozenset({"SET", "RESET", "USE", "DECLARE", "CLOSE", "MOVE"})
_STAYS_IN_SESSION = frozenset({"ATTACH", "DETACH", "LOAD", "PREPARE"})

_VERB = re.compile(r"[\s(;]*+([^\W\d]\w*)")
_PARENTHESIS = re.compile(r"[()]")
_MAIN_VERB = re.compile(
    r"(?:\s*+(?:SEARCH|CYCLE)\b[^()]*?\b|[\s(]*+)"
    r"(SELECT|INSERT|UPDATE|DELETE|MERGE|REPLACE|VALUES|TABLE|FROM|PIVOT|UNPIVOT)\b(?!\s++AS\b)",
    re.IGNORECASE,
)
_RETURNING = re.compile(r"\bRETURNING\b", re.IGNORECASE)
_WRITING_PART = re.compile(r"\(\s*+(?:INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)
_WRITING_WORD = re.compile(r"\b(?:INSERT|UPDATE|DELETE|MERGE|CREATE)\b", re.IGNORECASE)
_INTO = re.compile(r"\bINTO\b", re.IGNORECASE)
_INTO_TEMPORARY = re.compile(r"\bINTO\s++(?:(?:LOCAL|GLOBAL)\s++)?(?:TEMP|TEMPORARY|PG_TEMP)\b", re.IGNORECASE)
_CREATE_TEMPORARY = re.compile(
    r"CREATE\s++(?:(?:OR\s++REPLACE\s++)?(?:(?:LOCAL|GLOBAL)\s++)?TEMP(?:ORARY)?\b|[^(.]*?\b(?:PG_)?TEMP\s*+\.)",
    re.IGNORECASE,
)
_SET_USER = re.compile(
    r"SET\s++(?:(?:SESSION|LOCAL)\s++)?(?:ROLE|SESSION\s++AUTHORIZATION|SESSION_AUTHORIZATION)\b", re.IGNORECASE
)
_READING_PRAGMA = re.compile(
    r"PRAGMA\s++(?:[\w']++\s*+\.\s*+)?(?:table_(?:x?info|list)|index_(?:x?info|list)|foreign_key_(?:list|check)"
    r"|(?:integrity|quick)_check)\b",
    re.IGNORECASE,
)
_PREPARES_TRANSACTION = re.compile(r"PREPARE\s++TRANSACTION\b(?!\s*+(?:AS\b|\())", re.IGNORECASE)
_PART_OR_PREPARED = re.compile(r"\w++\s++(?:(?:WORK|TRANSACTION)\s++)?(?:TO|PREPARED)\b", re.IGNORECASE)
"""``ROLLBACK TO a``, ``COMMIT PREPARED 'a'``: the open transaction goes on."""
_COMPOUND = re.compile(r"BEGIN\s++NOT\s++ATOMIC\b", re.IGNORECASE)


def traits_of(code: str) -> Traits:
    """What the words tell."""
    match = _VERB.match(code)
    verb = match[1].upper() if match else ""
    start = match.start(1) if match else 0
    is_with = verb == "WITH"
    if is_with:
        verb = _main_verb(code, start)
    if verb == "SELECT":
        return _of_select(is_with, code)
    if verb == "PRAGMA":
        sets = ("=" in code or "(" in code) and _READING_PRAGMA.match(code, start) is None
        return Traits(verb, True, sets, changes_session=sets)
    if verb in _RETURNS:
        return Traits(verb, True, _is_more_than_read(verb, code))
    if verb in _CONTROLS or (verb == "PREPARE" and _PREPARES_TRANSACTION.match(code, start)):
        return _of_control(verb, code, start)
    # The plain search is quick; the expression then looks for the word.
    returns_rows = "returning" in code.lower() and _RETURNING.search(code) is not None
    return Traits(verb, returns_rows, verb not in _KEEPS, changes_session=_stays(verb, code, start))


def _main_verb(code: str, start: int) -> str:
    """The verb of the statement that follows the WITH clause: after the parenthesis that ends it, as a name never."""
    depth = 0
    for match in _PARENTHESIS.finditer(code, start):
        depth += 1 if match[0] == "(" else -1
        if depth == 0:
            found = _MAIN_VERB.match(code, match.end())
            if found:
                return found[1].upper()
    return "WITH"


def _of_select(is_with: bool, code: str) -> Traits:
    if "into" in code.lower() and _INTO.search(code):
        return Traits("SELECT", True, True, changes_session=_INTO_TEMPORARY.search(code) is not None)
    return Traits("SELECT", True, is_with and _WRITING_PART.search(code) is not None)


def _is_more_than_read(verb: str, code: str) -> bool:
    """Of a statement that gives rows."""
    if verb == "EXPLAIN":
        return "ANALY" in code.upper() and _WRITING_WORD.search(code) is not None
    return verb not in _READS


def _of_control(verb: str, code: str, start: int) -> Traits:
    """What begins or ends a transaction or savepoint, and MariaDB's compound statement, which does not."""
    if verb == "BEGIN" and _COMPOUND.match(code, start):
        return Traits(verb, False, True)
    ends = verb == "PREPARE" or (verb in _ENDS and _PART_OR_PREPARED.match(code, start) is None)
    return Traits(verb, False, False, controls_transaction=True, ends_transaction=ends)


def _stays(verb: str, code: str, start: int) -> bool:
    """Whether it leaves behind in the connection what a later user of it must not meet."""
    if verb == "CREATE":
        return _CREATE_TEMPORARY.match(code, start) is not None
    if verb == "SET":
        return _SET_USER.match(code, start) is not None
    return verb in _STAYS_IN_SESSION
