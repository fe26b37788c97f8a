"""Values as SQL literals: these drivers have no parameters on the wire, so statements carry their values.

Written here and not by the drivers, because they differ where it hurts: asyncmy 0.2.18 and aiomysql 0.3.2 escape bytes
with backslashes under NO_BACKSLASH_ESCAPES too (measured: a value ends its literal there), all three write a Decimal
like ``1E-10``, which is a float for the server, and ``str()`` of whatever they do not know.

A value of a subclass is written by the methods of the known class: what its own make of it need not be a literal.

What a backslash means, nobody knows for certain: the server's flag for NO_BACKSLASH_ESCAPES is not what holds after a
routine that sets ``sql_mode`` (measured: ``SELECT f()`` is enough), and in Shift-JIS, after SET NAMES, one may be the
end of a character. So a text with a backslash is written as hex, like bytes: nothing in it can be read as a quote, and
it counts twice against ``max_allowed_packet``. Only where the grammar wants a quoted text is the flag believed.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Writer = Callable[[Any], str]

__all__ = ("UnsendableError", "literals")

_EXPRESSIONS = frozenset(
    {"SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "VALUES", "CALL", "DO", "EXPLAIN", "DESCRIBE", "ANALYZE"}
)
"""Verbs of statements that take any expression for a value; others (SHOW, CREATE USER …) want a quoted text."""


class UnsendableError(Exception):
    """A value has no literal. The message never shows it."""


def literals(values: Sequence[Any], verb: str, *, plain: bool) -> list[str]:
    """Each value as a literal.

    Args:
        values: As the dialect's encoders left them.
        verb: The statement's.
        plain: The server says that a backslash is a character like any other (NO_BACKSLASH_ESCAPES).

    Raises:
        UnsendableError: A value has no literal.
    """
    writers = _WRITERS if verb in _EXPRESSIONS else _PLAIN_WRITERS if plain else _ESCAPING_WRITERS
    try:
        try:
            return [writers[type(value)](value) for value in values]
        except KeyError:
            return [_writer(value, writers)(value) for value in values]
    except UnicodeEncodeError:
        message = "a text can't be encoded as UTF-8: surrogates not allowed"
        raise UnsendableError(message) from None
    except ValueError:
        message = "a number has more digits than Python writes"
        raise UnsendableError(message) from None


def _writer(value: object, writers: dict[type[Any], Writer]) -> Writer:
    """For a value whose type may be a subclass of a known one. A text of one becomes a plain text first."""
    kind = type(value)
    for base in kind.__mro__:
        if base is str:
            return lambda text: writers[str](str.__str__(text))
        if base in writers:
            return writers[base]
    message = f"a value of type {kind.__name__} has no form in SQL"
    raise UnsendableError(message)


def _text(value: str) -> str:
    if "\\" in value:
        return f"_utf8mb4 X'{value.encode().hex()}'"
    return _plain_text(value)


def _escaped_text(value: str) -> str:
    return _plain_text(value.replace("\\", "\\\\"))


def _plain_text(value: str) -> str:
    if not value.isascii():
        value.encode()
    return "'" + value.replace("'", "''") + "'"


def _bytes(value: bytes) -> str:
    """With its introducer, since a bare hex literal is a number where one is wanted."""
    return f"_binary X'{bytes.hex(value)}'"


def _float(value: float) -> str:
    """With an exponent, else it is a decimal."""
    text = float.__repr__(value)
    return text if "e" in text else f"{text}e0"


def _decimal(value: Decimal) -> str:
    return Decimal.__format__(value, "f")


def _date(value: dt.date) -> str:
    return f"'{dt.date.isoformat(value)}'"


def _datetime(value: dt.datetime) -> str:
    return f"'{dt.datetime.isoformat(value, ' ')}'"


def _none(value: None) -> str:
    return "NULL"


def _bool(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def _writers(text: Writer) -> dict[type[Any], Writer]:
    return {
        str: text,
        int: int.__repr__,
        type(None): _none,
        bool: _bool,
        float: _float,
        bytes: _bytes,
        Decimal: _decimal,
        dt.datetime: _datetime,
        dt.date: _date,
    }


_WRITERS = _writers(_text)
_PLAIN_WRITERS = _writers(_plain_text)
_ESCAPING_WRITERS = _writers(_escaped_text)
