"""The statements of a script (rule P6).

A statement ends at ``;`` outside strings, comments, dollar quotes, parentheses and bodies. A body is what stands
between BEGIN and END (and CASE, IF, LOOP, WHILE, REPEAT inside it) in CREATE TRIGGER, FUNCTION, PROCEDURE, PACKAGE and
EVENT, and in MariaDB's ``BEGIN NOT ATOMIC``; a plain ``BEGIN;`` is a statement like any other. ``DELIMITER //`` where a
statement could begin, up to the end of its line, is understood on every dialect: until the next one only ``//`` ends a
statement.

Comments stay with the statement they stand in or before. Backslash commands of psql are not understood.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlspec.core.lexer import lex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlspec.core.facts import LexicalFacts

__all__ = ("split",)

_DELIMITER = re.compile(r"\s*+DELIMITER[ \t]++(\S++)[ \t\r]*+(?:\n|\Z)", re.IGNORECASE)
_DOLLAR_DELIMITER = re.compile(r"^[ \t]*+DELIMITER[ \t]++\S*?\$", re.IGNORECASE | re.MULTILINE)
_WITH_BODY = re.compile(
    r"\s*+(?:BEGIN\s++NOT\s++ATOMIC\b|(?:CREATE|ALTER)\s++"
    r"(?:(?:OR\s++REPLACE|TEMP|TEMPORARY|CONSTRAINT|AGGREGATE|DEFINER\s*+=\s*+[^\s@]++(?:\s*+@\s*+\S++)?)\s++)*+"
    r"(?:TRIGGER|FUNCTION|PROCEDURE|EVENT|PACKAGE)\b)",
    re.IGNORECASE,
)
_SIMPLE_MARKS = re.compile(r"[();]")
_BODY_MARKS = re.compile(
    r"[();:]|(?<![\w$.@])(?:END\b(?:\s++(?:IF|CASE|LOOP|WHILE|REPEAT|FOR)\b)?|[^\W\d]\w*+)", re.IGNORECASE
)
_OPENS = frozenset({"BEGIN", "CASE"})
_OPENS_A_STATEMENT = frozenset({"IF", "LOOP", "WHILE", "REPEAT", "FOR"})
_BEFORE_STATEMENTS = frozenset({";", ":", "BEGIN", "ATOMIC", "THEN", "ELSE", "DO", "LOOP", "REPEAT", "ROW"})


def split(sql: str, facts: LexicalFacts) -> list[str]:
    """The statements of a script, in order, without their terminators; empty and comment-only parts are left out."""
    if facts.dollar_quotes and _DOLLAR_DELIMITER.search(sql):
        facts = _without_dollar_quotes(facts)  # DELIMITER $$: here the sign ends statements
    code = lex(sql, facts).code
    return [sql[start:end].strip() for start, end in _spans(code) if code[start:end].strip()]


@lru_cache(maxsize=16)
def _without_dollar_quotes(facts: LexicalFacts) -> LexicalFacts:
    return replace(facts, dollar_quotes=False)


def _spans(code: str) -> Iterator[tuple[int, int]]:
    """Where the statements stand, in a text without strings and comments."""
    delimiter = ";"
    start = 0
    while start < len(code):
        line = _DELIMITER.match(code, start)
        if line:
            delimiter = line[1]
            start = line.end()
            continue
        end = _end(code, start) if delimiter == ";" else code.find(delimiter, start)
        if end < 0:
            end = len(code)
        yield start, end
        start = end + len(delimiter)


def _end(code: str, start: int) -> int:
    """Where the terminator of the statement that begins here stands; -1 if it runs to the end."""
    if _WITH_BODY.match(code, start):
        return _body_end(code, start)
    depth = 0
    for match in _SIMPLE_MARKS.finditer(code, start):
        mark = match[0]
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth -= depth > 0
        elif depth == 0:
            return match.start()
    return -1


def _body_end(code: str, start: int) -> int:
    """The same for a statement that may have a body."""
    parentheses = blocks = 0
    before = ""
    for match in _BODY_MARKS.finditer(code, start):
        mark = match[0].upper()
        if mark == "(":
            parentheses += 1
        elif mark == ")":
            parentheses -= parentheses > 0
        elif mark == ";":
            if blocks == 0 and parentheses == 0:
                return match.start()
        elif mark in _OPENS or (mark in _OPENS_A_STATEMENT and before in _BEFORE_STATEMENTS):
            blocks += 1
        elif mark.startswith("END") and (mark == "END" or mark[3].isspace()):
            blocks -= blocks > 0
        before = mark
    return -1
