"""Names of columns without the values in them.

The server names a column that has no alias after its expression, as it was sent: with the values of this very call.
``SELECT ?`` gives a column that is called like the value. So what was a value in such a name becomes a ``?`` again, as
it would be for a statement that the server prepares: names are the same for every call, and tell nobody's secrets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("without_values",)

LONGEST = 64
"""Characters that the server keeps of a name."""


def without_values(names: Sequence[str], text: str, sql: str, sent: Sequence[str], values: Sequence[Any]) -> list[str]:
    """The names, with ``?`` for what was a value.

    Args:
        names: As the server gave them, of columns that are in no table.
        text: The user's statement: what stands in it as a word is no value.
        sql: The driver's text, with ``%s`` where values belong.
        sent: The literals that were written there.
        values: What they were made of.
    """
    whole, spans = "", list[tuple[int, int]]()
    made: list[str] = []
    for name in names:
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE):
            made.append(name)
            continue
        if not spans:
            whole, spans = _joined(sql, sent)
        made.append(_without(name, whole, spans, values))
    return made


def _joined(sql: str, sent: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """The text that was sent, and where the literals are in it."""
    first, *others = [part.replace("\0", "%") for part in sql.replace("%%", "\0").split("%s")]
    whole, spans = first, list[tuple[int, int]]()
    for literal, part in zip(sent, others, strict=True):
        spans.append((len(whole), len(whole) + len(literal)))
        whole += literal + part
    return whole, spans


def _without(name: str, whole: str, spans: list[tuple[int, int]], values: Sequence[Any]) -> str:
    start = whole.find(name)
    if start < 0:
        return "?" if any(_is_named_after(name, value) for value in values) else name
    end = start + len(name)
    made, done = "", start
    for left, right in spans:
        if left < end and right > start:
            made += whole[done : max(left, done)] + "?"
            done = right
    return made + whole[done:end] if done < end else made


def _is_named_after(name: str, value: Any) -> bool:
    """A text alone is a name without its quotes and what is blank before it, cut at some length."""
    shown = str(value).lstrip()
    return shown == name or (len(name) >= LONGEST and shown.startswith(name))
