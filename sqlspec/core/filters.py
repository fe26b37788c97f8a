"""Pieces of SQL for lists that users sort, filter and page: text from allow-listed names, values as parameters (P8).

A name that comes from outside is looked up in ``allowed`` and is written only as the developer spelled it there: a
collection of column names, or a mapping from the public name to the column (``{"author": "u.name"}``; each part between
dots is quoted). Nothing here knows a session; the caller puts text and parameters together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeGuard

from sqlspec.exceptions import ParameterError

if TYPE_CHECKING:
    from sqlspec.core.facts import LexicalFacts

__all__ = ("LimitOffset", "equal_to", "order_by", "quote_column", "quote_identifier")

Allowed = Collection[str] | Mapping[str, str]

_MOST = 2**63 - 1


def quote_identifier(name: str, facts: LexicalFacts) -> str:
    """One identifier, quoted: with backticks where double quotes make strings (MySQL), else with double quotes.

    Raises:
        ParameterError: The name is empty or holds a NUL, which no database takes.
    """
    if not name or "\0" in name:
        raise ParameterError("An identifier is not empty and holds no NUL character.")
    quote = "`" if facts.backslash_strings else '"'
    return quote + name.replace(quote, quote * 2) + quote


def quote_column(path: str, facts: LexicalFacts) -> str:
    """A column that may be qualified: ``u.name`` becomes ``"u"."name"``."""
    return ".".join([quote_identifier(part, facts) for part in path.split(".")])


def order_by(allowed: Allowed, wanted: str | Sequence[str], facts: LexicalFacts) -> str:
    """An ORDER BY clause; "" if nothing is wanted.

    Args:
        allowed: What may be sorted by.
        wanted: Names from outside, also several in one text with commas; ``-name`` sorts downwards.
        facts: How the dialect quotes.

    Raises:
        ParameterError: A name is not allowed, or stands there twice.
    """
    names = wanted.split(",") if isinstance(wanted, str) else wanted
    terms: dict[str, str] = {}
    for name in filter(None, map(str.strip, names)):
        bare = name.removeprefix("-")
        column = _looked_up(allowed, bare)
        if column in terms:
            raise ParameterError(f"The list is sorted by {bare!r} twice.")
        terms[column] = quote_column(column, facts) + " DESC" * name.startswith("-")
    return "ORDER BY " + ", ".join(terms.values()) if terms else ""


def equal_to(allowed: Allowed, wanted: Mapping[str, Any], facts: LexicalFacts) -> tuple[str, dict[str, Any]]:
    """Conditions joined by AND, with ``:name`` placeholders, and their parameters; ("", {}) if nothing is wanted.

    None is asked for with IS NULL, a list, tuple or set with IN.

    Raises:
        ParameterError: A name is not allowed.
    """
    conditions: list[str] = []
    parameters: dict[str, Any] = {}
    for name, value in wanted.items():
        column = quote_column(_looked_up(allowed, name), facts)
        if value is None:
            conditions.append(f"{column} IS NULL")
            continue
        key = f"equal_{len(parameters) + 1}"  # never the name from outside: it is no identifier of ours
        many = isinstance(value, (list, tuple, set, frozenset))
        conditions.append(f"{column} IN (:{key})" if many else f"{column} = :{key}")
        parameters[key] = value
    return " AND ".join(conditions), parameters


@dataclass(frozen=True, slots=True)
class LimitOffset:
    """A page of a list.

    Attributes:
        limit: How many rows, from 0.
        offset: How many rows before them are left out.
    """

    limit: int
    offset: int = 0

    def __post_init__(self) -> None:
        _check("limit", self.limit, 0)
        _check("offset", self.offset, 0)

    @classmethod
    def page(cls, number: int, size: int) -> LimitOffset:
        """The page of this number, counted from 1."""
        _check("page number", number, 1)
        _check("page size", size, 1)
        return cls(size, (number - 1) * size)

    def named(self) -> tuple[str, dict[str, Any]]:
        """The clause with ``:limit`` and ``:offset``, and the parameters."""
        return "LIMIT :limit OFFSET :offset", {"limit": self.limit, "offset": self.offset}

    def positional(self) -> tuple[str, tuple[int, int]]:
        """The clause with ``?``, and the parameters."""
        return "LIMIT ? OFFSET ?", (self.limit, self.offset)


def _looked_up(allowed: Allowed, name: str) -> str:
    if name in allowed:
        return allowed[name] if _renames(allowed) else name
    close = get_close_matches(name, list(allowed), n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ParameterError(f"{name!r} is not among the allowed names: {', '.join(sorted(allowed))}.{hint}")


def _renames(allowed: Allowed) -> TypeGuard[Mapping[str, str]]:
    return isinstance(allowed, Mapping)


def _check(what: str, value: object, least: int) -> None:
    if type(value) is not int:
        raise ParameterError(f"The {what} is an int, not a value of type {type(value).__name__}.")
    if not least <= value <= _MOST:
        raise ParameterError(f"The {what} lies between {least} and {_MOST}.")
