"""Values as SQL literals: these drivers have no parameters on the wire, so statements carry their values.

Written here and not by the drivers, because they differ where it hurts: asyncmy 0.2.18 and aiomysql 0.3.2 escape bytes
with backslashes under NO_BACKSLASH_ESCAPES too (measured: a value ends its literal there), all three write a Decimal
like ``1E-10``, which is a float for the server, and ``str()`` of whatever they do not know.

Bytes are written as hex: nothing in them can be read as a quote whatever the character set; they count twice against
``max_allowed_packet``. The connection's character set is one of UTF-8's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence
    from decimal import Decimal

    Writer = Callable[[Any], str]

__all__ = ("UnsendableError", "literals")

_SPECIAL = re.compile(r"['\\\0]")
_ESCAPED = {"'": "''", "\\": "\\\\", "\0": "\\0"}


class UnsendableError(Exception):
    """A value has no literal. The message never shows it."""


def literals(values: Sequence[Any], *, plain: bool) -> list[str]:
    """Each value as a literal.

    Args:
        values: As the dialect's encoders left them.
        plain: A backslash is a character like any other (NO_BACKSLASH_ESCAPES).

    Raises:
        UnsendableError: A value has no literal.
    """
    writers = _PLAIN_WRITERS if plain else _WRITERS
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
    """For a value whose type may be a subclass of a known one."""
    kind = type(value)
    for base in kind.__mro__:
        if base in writers:
            return writers[base]
    message = f"a value of type {kind.__name__} has no form in SQL"
    raise UnsendableError(message)


def _text(value: str) -> str:
    if not value.isascii():
        value.encode()
    if _SPECIAL.search(value) is None:
        return f"'{value}'"
    return "'" + _SPECIAL.sub(lambda found: _ESCAPED[found[0]], value) + "'"


def _plain_text(value: str) -> str:
    if not value.isascii():
        value.encode()
    return "'" + value.replace("'", "''") + "'"


def _bytes(value: bytes) -> str:
    """With its introducer, since a bare hex literal is a number where one is wanted."""
    return f"_binary X'{value.hex()}'"


def _float(value: float) -> str:
    """With an exponent, else it is a decimal."""
    text = repr(value)
    return text if "e" in text else f"{text}e0"


def _decimal(value: Decimal) -> str:
    return format(value, "f")


def _date(value: dt.date) -> str:
    return f"'{value.isoformat()}'"


def _datetime(value: dt.datetime) -> str:
    return f"'{value.isoformat(' ')}'"


def _none(value: None) -> str:
    return "NULL"


def _bool(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def _writers(text: Writer) -> dict[type[Any], Writer]:
    from datetime import date, datetime
    from decimal import Decimal

    return {
        str: text,
        int: int.__repr__,
        type(None): _none,
        bool: _bool,
        float: _float,
        bytes: _bytes,
        Decimal: _decimal,
        datetime: _datetime,
        date: _date,
    }


_WRITERS = _writers(_text)
_PLAIN_WRITERS = _writers(_plain_text)
