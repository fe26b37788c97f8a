"""The placeholders of a statement with the keys of their values, and the driver's text for them.

Words: a *key* says which of the user's values a placeholder takes: its index, or its name. A *mode* says how a value is
written: ``PLAIN`` as itself, ``ARRAY`` as one array after ``= ANY``, a number as that many placeholders (rule P4). A
*shape* is the modes of the placeholders that stand alone in an IN. A *unit*, (key, mode), is what one stretch of the
driver's arguments is made of: drivers with numbers or names get each unit once, others once per occurrence.

Knows texts and keys, never a value. Which placeholders count is decided before (``parameters.choose``).
"""

from __future__ import annotations

import re
from threading import Lock
from typing import TYPE_CHECKING

from sqlspec.core.facts import ParameterStyle
from sqlspec.core.lexer import last_visible

if TYPE_CHECKING:
    from sqlspec.core.facts import DialectFacts
    from sqlspec.core.lexer import Lexed, Placeholder

    Key = int | str
    Unit = tuple[Key, int]
    Shape = tuple[int, ...]
    Edit = tuple[int, int, str]

__all__ = ("ARRAY", "BY_NAME", "BY_NUMBER", "IN_ORDER", "PLAIN", "Layout", "Rendered")

PLAIN = -2
ARRAY = -1
IN_ORDER = (ParameterStyle.QMARK, ParameterStyle.FORMAT)
BY_NUMBER = (ParameterStyle.DOLLAR, ParameterStyle.NUMERIC)
BY_NAME = (ParameterStyle.NAMED, ParameterStyle.PYFORMAT, ParameterStyle.AT)
_BY_PERCENT = (ParameterStyle.FORMAT, ParameterStyle.PYFORMAT)

_SHAPES_KEPT = 64
_keeping = Lock()

_MARKS = {
    ParameterStyle.QMARK: "?",
    ParameterStyle.FORMAT: "%s",
    ParameterStyle.DOLLAR: "${}",
    ParameterStyle.NUMERIC: ":{}",
    ParameterStyle.NAMED: ":{}",
    ParameterStyle.PYFORMAT: "%({})s",
    ParameterStyle.AT: "@{}",
}


class InList:
    """An IN in which a placeholder stands alone: ``[NOT] IN (:ids)`` or ``[NOT] IN :ids``."""

    __slots__ = ("as_array", "has_parentheses")

    def __init__(self, as_array: list[Edit], has_parentheses: bool) -> None:
        self.as_array = as_array
        self.has_parentheses = has_parentheses


class Slot:
    """A placeholder, the key of its value, and the IN that it stands in."""

    __slots__ = ("end", "in_list", "key", "start")

    def __init__(self, placeholder: Placeholder, key: Key, in_list: InList | None) -> None:
        self.start = placeholder.start
        self.end = placeholder.end
        self.key = key
        self.in_list = in_list


class Rendered:
    """The driver's text for one shape.

    Attributes:
        sql: The text; the user's own object if nothing had to change.
        edits: What was changed in the user's text, in order: start, end, new text.
        units: What the driver's arguments are made of, in their order.
        names: The names of the arguments, for drivers that take a dict.
    """

    __slots__ = ("edits", "names", "sql", "units")

    def __init__(self, sql: str, edits: list[Edit], units: list[Unit], names: list[str]) -> None:
        self.sql = sql
        self.edits = edits
        self.units = units
        self.names = names

    def origin(self, offset: int) -> int:
        """The place in the user's text that an offset in the driver's text comes from."""
        shift = 0
        for start, end, new in self.edits:
            if offset < start + shift:
                break
            if offset < start + shift + len(new):
                return start
            shift += len(new) - (end - start)
        return offset - shift


class Layout:
    """The placeholders of a statement that count, ready to be written in the driver's style.

    Attributes:
        slots: The placeholders.
        in_lists: Those that stand alone in an IN; their modes make the shape.
        plain: The rendering in which every value stands for itself.
    """

    __slots__ = ("_cuts", "_kept", "_source", "facts", "in_lists", "plain", "slots", "style", "text")

    def __init__(
        self, lexed: Lexed, chosen: tuple[Placeholder, ...], facts: DialectFacts, style: ParameterStyle
    ) -> None:
        self.text = lexed.text
        self.facts = facts
        self.style = style
        self._source = chosen[0].style if chosen else style
        self.slots = [Slot(p, _key(p, i), _in_list(lexed, p)) for i, p in enumerate(chosen)]
        self.in_lists = [slot for slot in self.slots if slot.in_list is not None]
        self._cuts = _cuts(lexed, chosen, style)
        self._kept: dict[Shape, Rendered] = {}
        self.plain = self._render((PLAIN,) * len(self.in_lists))

    def rendered(self, shape: Shape) -> Rendered:
        """The driver's text for a shape: the same object as long as it is among the last ones kept."""
        kept = self._kept.get(shape)
        if kept is None:
            kept = self._render(shape)
            with _keeping:
                if len(self._kept) >= _SHAPES_KEPT:
                    del self._kept[next(iter(self._kept))]
                kept = self._kept.setdefault(shape, kept)
        return kept

    def find(self, sql: str) -> Rendered | None:
        """The rendering whose text this is."""
        return next((known for known in (self.plain, *self._kept.values()) if known.sql == sql), None)

    def _render(self, shape: Shape) -> Rendered:
        modes = iter(shape)
        wanted: list[Unit] = [(slot.key, PLAIN if slot.in_list is None else next(modes)) for slot in self.slots]
        units = wanted
        if self.style not in IN_ORDER:
            units = list(dict.fromkeys(wanted))
            if self._source in BY_NUMBER:  # the user's numbers stay what they are
                units.sort()
        names: list[str] = []
        edits = self._cuts.copy()
        if self._source is not self.style or self.in_lists or self.style in BY_NAME:
            labels, names = self._label(units)
            for slot, unit in zip(self.slots, wanted, strict=True):
                if slot.in_list is None:
                    edits.append((slot.start, slot.end, labels[unit]))
                else:
                    edits += self._list_edits(slot, slot.in_list, unit[1], labels[unit])
        text = self.text
        if self._cuts or self.in_lists:
            edits = sorted([edit for edit in edits if text[edit[0] : edit[1]] != edit[2]])
        return Rendered(_apply(text, edits) if edits else text, edits, units, names)

    def _list_edits(self, slot: Slot, in_list: InList, mode: int, label: str) -> list[Edit]:
        label = label or self.facts.empty_list_sql
        edit = (slot.start, slot.end, label if in_list.has_parentheses else f"({label})")
        return [*in_list.as_array, edit] if mode == ARRAY else [edit]

    def _label(self, units: list[Unit]) -> tuple[dict[Unit, str], list[str]]:
        """What stands in the text for each unit, and what the arguments are called."""
        mark = _MARKS[self.style]
        labels: dict[Unit, str] = {}
        names: list[str] = []
        for unit in units:
            made = self._names(unit) if self.style in BY_NAME else _numbers(unit[1], len(names))
            labels[unit] = mark.format(made[0]) if len(made) == 1 else ", ".join([mark.format(name) for name in made])
            names += made
        return labels, names

    def _names(self, unit: Unit) -> list[str]:
        key, mode = unit
        base = key if isinstance(key, str) else f"p{key + 1}"
        if mode == PLAIN:
            return [base]
        width = 1 if mode == ARRAY else mode
        while any(slot.key == f"{base}_{n}" for slot in self.slots for n in range(width)):
            base += "_"
        return [f"{base}_{n}" for n in range(width)]


def _numbers(mode: int, given: int) -> list[str]:
    """The numbers of a unit's arguments, after those that were given away before."""
    if mode < 0:
        return [str(given + 1)]
    return [str(given + n) for n in range(1, mode + 1)]


def _key(placeholder: Placeholder, index: int) -> Key:
    if placeholder.style in IN_ORDER:
        return index
    return int(placeholder.name) - 1 if placeholder.style in BY_NUMBER else placeholder.name


def _in_list(lexed: Lexed, placeholder: Placeholder) -> InList | None:
    """The IN that the placeholder stands alone in."""
    code = lexed.code
    last = last_visible(code, placeholder.start)
    opening = placeholder.start
    if last < 1 or code[last] not in "(nN":
        return None
    has_parentheses = code[last] == "("
    if has_parentheses:
        opening = last
        last = last_visible(code, opening)
    end = last + 1
    if not _is_word("in", code, end) or (has_parentheses and not _CLOSES.match(code, placeholder.end)):
        return None
    start = end - 2
    negation_end = last_visible(code, start) + 1
    if lexed.text[end:opening].isspace():  # and not a comment
        end = opening
    if not _is_word("not", code, negation_end):
        as_array = [(start, end, "= ANY")]
    elif lexed.text[negation_end:start].isspace():
        as_array = [(negation_end - 3, end, "<> ALL")]
    else:
        as_array = [(negation_end - 3, negation_end, "<>"), (start, end, "ALL")]  # the comment between them stays
    return InList(as_array, has_parentheses)


_CLOSES = re.compile(r"\s*+\)")


def _is_word(word: str, code: str, end: int) -> bool:
    """Whether the word stands before ``end``, and is not the tail of a longer name."""
    start = end - len(word)
    if start < 0 or code[start:end].lower() != word:
        return False
    before = code[start - 1 : start]
    return not before or not (before.isalnum() or before in "_$.@:")


def _cuts(lexed: Lexed, chosen: tuple[Placeholder, ...], style: ParameterStyle) -> list[Edit]:
    """What changes outside placeholders: ``??`` and ``%%``, and every ``%`` for drivers that look for it anywhere."""
    text = lexed.text
    cuts = [(at, at + 2, "?") for at in lexed.escapes if text[at] == "?"]
    doubled = style in _BY_PERCENT and "%" in text
    by_percent = bool(chosen) and chosen[0].style in _BY_PERCENT
    percents = [at for at in lexed.escapes if text[at] == "%"] if by_percent else []
    if not doubled:
        return cuts + [(at, at + 2, "%") for at in percents]
    spoken_for = {p.start for p in chosen if by_percent}.union(percents, [at + 1 for at in percents])
    return cuts + [(m.start(), m.end(), "%%") for m in _PERCENT.finditer(text) if m.start() not in spoken_for]


_PERCENT = re.compile("%")


def _apply(text: str, edits: list[Edit]) -> str:
    parts: list[str] = []
    last = 0
    for start, end, new in edits:
        parts += text[last:start], new
        last = end
    parts.append(text[last:])
    return "".join(parts)
