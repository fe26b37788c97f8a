"""MySQL and MariaDB: how they write what is not a placeholder. Knows no driver."""

from __future__ import annotations

from sqlspec.core.facts import LexicalFacts

__all__ = ("LEXICAL",)

LEXICAL = LexicalFacts(
    backslash_strings=True,
    backtick_identifiers=True,
    hash_comments=True,
    dash_comments_need_space=True,
    at_variables=True,
)
