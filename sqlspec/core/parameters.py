"""From the user's values to the driver's text and arguments.

    choose                           which of the lexer's placeholders count, given what was passed (rule P1)
    SequenceBinder, MappingBinder    values in, (driver's text, driver's arguments) out; made once per text (rule P2)

Texts are made by ``layout.py``, values are changed by ``values.py``. Every error is a ParameterError that carries the
statement and shows names, counts and places, never values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from enum import Enum
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from sqlspec.core.facts import ParameterStyle
from sqlspec.core.layout import ARRAY, BY_NAME, BY_NUMBER, IN_ORDER, PLAIN, Layout
from sqlspec.core.lexer import last_visible, lex, place
from sqlspec.core.values import encode
from sqlspec.exceptions import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from sqlspec.core.facts import DialectFacts
    from sqlspec.core.layout import Key, Rendered
    from sqlspec.core.lexer import Lexed, Placeholder

    Bound = tuple[str, Sequence[Any] | dict[str, Any]]

__all__ = ("MappingBinder", "SequenceBinder", "choose", "stray_placeholders", "wrong_count")

_LISTS = (list, tuple, set, frozenset)


# Which placeholders count


def choose(lexed: Lexed, facts: DialectFacts, names: Collection[Any] = ()) -> tuple[Placeholder, ...]:
    """The placeholders that count: all of one style.

    Args:
        lexed: The statement.
        facts: Its dialect.
        names: What the user's mapping supplies; an ``@name`` counts only if it is among them.

    Raises:
        ParameterError: The statement mixes styles.
    """
    chosen = lexed.placeholders
    if lexed.at_names:
        chosen = tuple([p for p in chosen if p.style is not ParameterStyle.AT or p.name in names])
    if not _differs(chosen):
        return chosen
    if facts.lexical.question_operators and any(p.style not in IN_ORDER for p in chosen):
        chosen = tuple([p for p in chosen if p.style is not ParameterStyle.QMARK])
    other = _differs(chosen)
    if other:
        raise _mixed(lexed.text, chosen[0], other)
    return chosen


def _differs(chosen: Sequence[Placeholder]) -> Placeholder | None:
    """The first placeholder that is not of the first one's style."""
    for placeholder in chosen:
        if placeholder.style is not chosen[0].style:
            return placeholder
    return None


def stray_placeholders(lexed: Lexed, facts: DialectFacts) -> int:
    """How many values the statement wants for certain: 0 if what looks like placeholders may be something else."""
    certain = [p for p in lexed.placeholders if _is_certain(p, lexed.code, facts)]
    numbers = [int(p.name) for p in certain if p.style in BY_NUMBER]
    return max(numbers, default=0) or len({p.name or p.start for p in certain})


def _is_certain(placeholder: Placeholder, code: str, facts: DialectFacts) -> bool:
    if placeholder.style is ParameterStyle.AT:
        return False
    if placeholder.style is ParameterStyle.FORMAT or (
        placeholder.style is ParameterStyle.QMARK and facts.lexical.question_operators
    ):
        end = last_visible(code, placeholder.start) + 1
        if code.startswith("-", placeholder.end):  # PostgreSQL's ?- stands before its only value
            return False
        return _BEFORE_A_VALUE.search(code, max(0, end - 20), end) is not None
    return True


_BEFORE_A_VALUE = re.compile(
    r"(?:[=<>(,]|(?<![\w$.])(?:select|distinct|where|having|and|or|not|on|when|then|else|case|limit|offset|in"
    r"|(?:order|group|partition)\s+by))\Z",
    re.IGNORECASE,
)
"""After these no operator can stand. PostgreSQL reserves the words: no column is called so unless quoted."""


# Binders


class _Binder:
    """What both kinds of binders do once the values are known to fit.

    Attributes:
        is_simple: Neither text nor form of the arguments depends on the values.
    """

    __slots__ = ("_is_native", "_pick", "is_simple", "layout", "sql")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.sql = layout.plain.sql
        self.is_simple = not layout.in_lists and layout.style not in BY_NAME
        self._is_native = layout.facts.native_types.issuperset
        self._pick = _picker([key for key, _ in layout.plain.units])

    def _fill(self, values: Any) -> Bound:
        """The driver's text and arguments, from values that can be asked by key."""
        layout = self.layout
        if layout.in_lists and any(isinstance(values[slot.key], _LISTS) for slot in layout.in_lists):
            return self._fill_lists(values)
        plain = layout.plain
        return plain.sql, self._arguments(plain, self._pick(values))

    def _fill_lists(self, values: Any) -> Bound:
        layout = self.layout
        shape = tuple([_mode(values[slot.key], layout.facts) for slot in layout.in_lists])
        rendered = layout.rendered(shape)
        arguments: list[Any] = []
        for key, mode in rendered.units:
            number = len(arguments) + 1
            if mode == PLAIN:
                arguments += self._encoded((values[key],), number)
            elif mode == ARRAY:
                arguments.append(self._encoded(values[key], number))
            else:
                arguments += self._encoded(values[key], number)
        if layout.style in BY_NAME:
            return rendered.sql, dict(zip(rendered.names, arguments, strict=True))
        return rendered.sql, arguments

    def _arguments(self, plain: Rendered, values: Sequence[Any]) -> Sequence[Any] | dict[str, Any]:
        if not self._is_native(map(type, values)):
            values = self._encoded(values, 1)
        return dict(zip(plain.names, values, strict=True)) if self.layout.style in BY_NAME else values

    def _encoded(self, values: Iterable[Any], first: int) -> list[Any]:
        try:
            return encode(values, self.layout.facts, first)
        except ParameterError as error:
            error.statement = self.layout.text
            raise

    def _many(self, rows: list[Sequence[Any]]) -> tuple[str, list[Any]]:
        """The driver's text, and the arguments of each row. No list is expanded: in many rows it is a value."""
        plain = self.layout.plain
        if self.layout.style in BY_NAME or not self._is_native(map(type, chain.from_iterable(rows))):
            return plain.sql, [self._row(plain, row, number) for number, row in enumerate(rows)]
        return plain.sql, rows

    def _row(self, plain: Rendered, row: Sequence[Any], number: int) -> Sequence[Any] | dict[str, Any]:
        try:
            return self._arguments(plain, row)
        except ParameterError as error:
            raise _in_row(number, error) from error


class SequenceBinder(_Binder):
    """Binds values by their place.

    Attributes:
        count: How many it wants.
        passes_through: Native values are the driver's arguments as they come.
    """

    __slots__ = ("count", "passes_through")

    def __init__(self, lexed: Lexed, facts: DialectFacts, style: ParameterStyle) -> None:
        chosen = choose(lexed, facts)
        found = chosen or lexed.placeholders
        if found and found[0].style in BY_NAME:
            raise _wants_names(lexed.text, found)
        super().__init__(Layout(lexed, chosen, facts, style))
        self.count = len(chosen)
        if chosen and chosen[0].style in BY_NUMBER:
            keys = {int(p.name) for p in chosen}
            self.count = max(keys)
            if len(keys) < self.count:
                raise _gap(lexed.text, min(set(range(1, self.count)).difference(keys)), chosen[0])
        self.passes_through = self.is_simple and self._pick is _as_they_come

    def bind(self, values: Sequence[Any]) -> Bound:
        """The driver's text and arguments for one execution."""
        if len(values) != self.count:
            raise self._wrong_count(len(values))
        return self._fill(values)

    def many(self, rows: list[Any]) -> tuple[str, list[Any]]:
        """The driver's text, and its arguments for each row."""
        count = self.count
        if not (_SEQUENCES.issuperset(map(type, rows)) and {count}.issuperset(map(len, rows))):
            for number, row in enumerate(rows):
                if not issubclass(type(row), (tuple, list)):
                    raise _wrong_row(self.layout.text, number, row, "tuple or list")
                if len(row) != count:
                    raise _in_row(number, self._wrong_count(len(row)))
        return self._many(rows if self._pick is _as_they_come else [self._pick(row) for row in rows])

    def _wrong_count(self, given: int) -> ParameterError:
        hint = ""
        if self.count == 1 and given > 1:
            hint = " A tuple or list is always the sequence of values; to pass it as one value, wrap it: ([…],)."
        elif given < self.count and self._may_hold_operators():
            hint = " (The operator ? is written ??.)"
        return wrong_count(self.layout.text, self.count, given, hint)

    def _may_hold_operators(self) -> bool:
        """Whether some ``?`` may have been meant as PostgreSQL's operator."""
        text, facts = self.layout.text, self.layout.facts
        return facts.lexical.question_operators and stray_placeholders(lex(text, facts.lexical), facts) < self.count


class MappingBinder(_Binder):
    """Binds values by their names."""

    __slots__ = ("_names",)

    def __init__(self, lexed: Lexed, facts: DialectFacts, style: ParameterStyle, names: Collection[Any]) -> None:
        chosen = choose(lexed, facts, names)
        if chosen and chosen[0].style not in BY_NAME:
            raise _wants_sequence(lexed.text, chosen[0])
        super().__init__(Layout(lexed, chosen, facts, style))
        self._names: AbstractSet[str] = frozenset([p.name for p in chosen])

    def bind(self, values: Mapping[str, Any]) -> Bound:
        """The driver's text and arguments for one execution."""
        if values.keys() != self._names:
            raise self._wrong_names(values)
        if self.is_simple:
            arguments = self._pick(values)
            if self._is_native(map(type, arguments)):
                return self.sql, arguments
        return self._fill(values)

    def many(self, rows: list[Any]) -> tuple[str, list[Any]]:
        """The driver's text, and its arguments for each row."""
        for number, row in enumerate(rows):
            if not issubclass(type(row), Mapping):
                raise _wrong_row(self.layout.text, number, row, "mapping")
            if row.keys() != self._names:
                raise _in_row(number, self._wrong_names(row))
        return self._many([self._pick(row) for row in rows])

    def _wrong_names(self, values: Mapping[str, Any]) -> ParameterError:
        given = {str(name) for name in values}
        missing, unknown = sorted(self._names - given), sorted(given - self._names)
        parts = [f"missing: {', '.join(missing)}"] if missing else []
        if unknown or not missing:
            parts.append(f"unknown: {', '.join(unknown) or 'a name that is not text'}")
        guesses = [(name, get_close_matches(name, missing or self._names, n=1)) for name in unknown]
        hint = "".join(f" Did you mean {guess[0]} where you wrote {name}?" for name, guess in guesses if guess)
        wanted = ", ".join(sorted(self._names)) or "none"
        message = f"The names given do not fit the statement ({'; '.join(parts)}). It uses: {wanted}.{hint}"
        return ParameterError(message, statement=self.layout.text)


_SEQUENCES = frozenset({tuple, list})


def _picker(keys: list[Key]) -> Callable[[Any], Sequence[Any]]:
    """A function that takes the values of these keys, in this order."""
    if keys == list(range(len(keys))):
        return _as_they_come if keys else _nothing
    if len(keys) > 1:
        return itemgetter(*keys)
    key = keys[0]
    return lambda values: (values[key],)


def _as_they_come(values: Sequence[Any]) -> Sequence[Any]:
    return values


def _nothing(_: object) -> Sequence[Any]:
    return ()


def _mode(value: Any, facts: DialectFacts) -> int:
    if not issubclass(type(value), _LISTS):
        return PLAIN
    expands = not facts.lists_as_arrays or (facts.texts_expand and any(isinstance(item, (str, Enum)) for item in value))
    return len(value) if expands else ARRAY


# Errors


def wrong_count(text: str, wanted: int, given: int, hint: str = "") -> ParameterError:
    """Too few or too many values."""
    wants = "expects no parameters" if not wanted else f"expects {wanted} parameter{'s' * (wanted > 1)}"
    gives = "none were given" if not given else f"{given} {'was' if given == 1 else 'were'} given"
    return ParameterError(f"The statement {wants}, {gives}.{hint}", statement=text)


def _mixed(text: str, first: Placeholder, other: Placeholder) -> ParameterError:
    message = f"The statement mixes two kinds of placeholders: {_shown(text, first)} and {_shown(text, other)}."
    return ParameterError(f"{message} Write all of them in one way.", statement=text)


def _wants_names(text: str, found: Sequence[Placeholder]) -> ParameterError:
    first = next(p for p in found if p.style in BY_NAME)
    names = ", ".join(sorted({p.name for p in found if p.style in BY_NAME}))
    message = f"The statement names its parameters ({names}), see {_shown(text, first)}, and got values without names."
    return ParameterError(f"{message} Pass a mapping, such as {{{first.name!r}: …}}.", statement=text)


def _wants_sequence(text: str, first: Placeholder) -> ParameterError:
    message = f"The statement has placeholders without names, see {_shown(text, first)}, and was given a mapping."
    hint = "Pass the values in order, or one tuple of them; a mapping that is a value (JSON) goes into a tuple: ({…},)."
    return ParameterError(f"{message} {hint}", statement=text)


def _gap(text: str, number: int, example: Placeholder) -> ParameterError:
    missing = f"{text[example.start]}{number}"
    return ParameterError(f"No placeholder uses {missing}, but the statement has a higher number.", statement=text)


def _wrong_row(text: str, number: int, row: object, wanted: str) -> ParameterError:
    message = f"Row {number} (counted from 0) is of type {type(row).__name__}; here each row is a {wanted}."
    return ParameterError(message, statement=text)


def _in_row(number: int, error: ParameterError) -> ParameterError:
    return ParameterError(f"Row {number} (counted from 0): {error}", statement=error.statement)


def _shown(text: str, placeholder: Placeholder) -> str:
    line, column = place(text, placeholder.start)
    return f"{text[placeholder.start : placeholder.end]} (line {line}, column {column})"
