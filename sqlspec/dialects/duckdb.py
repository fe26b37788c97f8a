"""DuckDB: how it writes what is not a placeholder. Knows no driver."""

from __future__ import annotations

from sqlspec.core.facts import LexicalFacts

__all__ = ("LEXICAL",)

LEXICAL = LexicalFacts(
    nested_comments=True,
    dollar_quotes=True,
    escape_strings=True,
    array_slices=True,
    braces=True,
)
