"""How messages show a value that a user wrote: as Python writes it, but short. Pure."""

from __future__ import annotations

from reprlib import Repr

__all__ = ("shown",)

_short = Repr()
_short.maxstring = _short.maxother = 80
_short.maxlevel = 2


def shown(value: object) -> str:
    """Its ``repr()``; of a long one the beginning and the end, of a collection the first few."""
    return _short.repr(value)
