"""One pass over a statement: strings, comments, dollar quotes, placeholders of every style, statement ends.

The lexer knows how a dialect writes text (``LexicalFacts``) and nothing else: not which parameters were given, not what
the driver wants. It therefore reports every placeholder that *could* be one; ``parameters.py`` decides about ``@name``
and PostgreSQL's ``?``. What it can't understand passes as plain text: it never fails.

A placeholder is
    ``?``           unless it is part of ``??`` (an escape), ``?1`` or one of PostgreSQL's ``?|  ?&  @?``
    ``%s %(name)s`` unless a name, a number, a string or a closing bracket stands directly before (then it is modulo)
    ``$1``          unless an identifier stands directly before: ``a$1`` is a name
    ``:name :1``    unless a colon, a name, a number, a string or a closing bracket stands directly before
    ``@name``       unless directly after a name or another ``@``; never on MySQL
Inside brackets and braces a colon may separate: ``a[1:n]``, ``{'a' :x}``. There ``:name`` is a placeholder only if no
value stands before it, that is after ``[ { ( ,``, an operator, a keyword or a separating colon: ``a[:i]``,
``a[:i : :j]``, ``{'a': :x}``. A number after a colon in a subscript is always the end of a slice: ``a[:2]``.
Parentheses inside the brackets take up the ordinary rules again.

What stands in an executable comment (``/*!50000 … */``) is read as code, whatever the server makes of it.

Time is linear in the length of the text. Each step of the pattern consumes at least one character or stands at the
end; every repeat is possessive, so it matches nothing twice; a string, comment or dollar quote that is never closed
matches up to the end of the text, so that no failed attempt is repeated from the next character. Two steps may read a
stretch twice, and only twice: a comment that turns out to hold another one (read again by ``_comment_end``, which then
consumes it), and texts with brackets (read again by ``_separators``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlspec.core.facts import LexicalFacts, ParameterStyle

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ("Lexed", "Placeholder", "last_visible", "lex", "pattern_of", "place")

_NAME = r"[^\W\d]\w*+"
_NUMBER = r"[1-9]\d{0,4}(?!\w)"
_AFTER_VALUE = r"""(?<![\w$)\]}'"`])"""

_STYLES = {
    "qmark": ParameterStyle.QMARK,
    "dollar": ParameterStyle.DOLLAR,
    "numeric": ParameterStyle.NUMERIC,
    "named": ParameterStyle.NAMED,
    "format": ParameterStyle.FORMAT,
    "pyformat": ParameterStyle.PYFORMAT,
    "at": ParameterStyle.AT,
}

_BEFORE_VALUES = frozenset(
    re.findall(
        r"\w+",
        """all and any array as between by case distinct else exists for from having if ilike in is like limit not
        offset on or over select set similar then to union using values when where""",
    )
)
"""Words after which a value begins, so that a colon there does not separate."""


_NO_NAMES: frozenset[str] = frozenset()


class Placeholder:
    """A place in the text where a value goes. ``name`` is "" for ``?`` and ``%s``, the digits for ``$1`` and ``:1``."""

    __slots__ = ("end", "name", "start", "style")

    def __init__(self, start: int, end: int, style: ParameterStyle, name: str) -> None:
        self.start = start
        self.end = end
        self.style = style
        self.name = name

    def __repr__(self) -> str:
        return f"Placeholder({self.start}, {self.end}, {self.style.name}, {self.name!r})"


class Lexed:
    """What was found in a text, in the order of the text.

    Attributes:
        text: The text itself.
        placeholders: Everything that could be a placeholder, of all styles.
        escapes: Offsets of ``??`` and ``%%`` outside strings and comments.
        ends: Offsets of ``;`` outside strings and comments.
        at_names: The names that stand behind an ``@``.
        is_conditional: It holds an executable comment: it depends on the server what the statement is.
        code: The text, equally long, with comments blanked and every string and quoted name turned into ``'''``:
            words and operators can be looked for in it without finding them in strings.
    """

    __slots__ = ("at_names", "code", "ends", "escapes", "is_conditional", "placeholders", "text")

    def __init__(self, text: str, found: _Found) -> None:
        self.text = text
        self.code = _code(text, found.opaque) if found.opaque else text
        self.placeholders: tuple[Placeholder, ...] = tuple(found.placeholders)
        self.escapes: tuple[int, ...] = tuple(found.escapes)
        self.ends: tuple[int, ...] = tuple(found.ends)
        self.is_conditional = found.is_conditional
        self.at_names = _NO_NAMES
        if "@" in text:
            self.at_names = frozenset([p.name for p in found.placeholders if p.style is ParameterStyle.AT])


class _Found:
    """What the pass has collected so far."""

    __slots__ = ("ends", "escapes", "inside", "is_conditional", "opaque", "placeholders")

    def __init__(self) -> None:
        self.placeholders: list[Placeholder] = []
        self.escapes: list[int] = []
        self.ends: list[int] = []
        self.opaque: list[tuple[int, int, str]] = []
        self.inside = False  # an executable comment, now
        self.is_conditional = False


def lex(sql: str, facts: LexicalFacts) -> Lexed:
    """Find everything in ``sql`` that matters for placeholders and statement ends."""
    found = _Found()
    position: int | None = 0
    while position is not None:
        position = _scan(sql, pattern_of(facts, inside=found.inside), position, found)
    lexed = Lexed(sql, found)
    if (facts.array_slices and "[" in sql) or (facts.braces and "{" in sql):
        _drop_separators(lexed)
    return lexed


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def last_visible(code: str, end: int) -> int:
    """Offset of the last character before ``end`` that is not white space; -1 if there is none."""
    end -= 1
    while end >= 0 and code[end].isspace():
        end -= 1
    return end


def _scan(sql: str, pattern: re.Pattern[str], position: int, found: _Found) -> int | None:
    """Collect from ``position`` on; None at the end.

    Returns where to go on after a comment that holds comments, and at both ends of one that holds code.
    """
    for match in pattern.finditer(sql, position):
        kind = match.lastgroup
        if kind is None:
            continue
        start, end = match.span(kind)
        style = _STYLES.get(kind)
        if style is not None:
            name = sql[start + 2 : end - 2] if style is ParameterStyle.PYFORMAT else sql[start + 1 : end]
            found.placeholders.append(Placeholder(start, end, style, "" if style is ParameterStyle.FORMAT else name))
        elif kind == "quoted":
            found.opaque.append((start, end, "'"))
        elif kind == "comment":
            found.opaque.append((start, end, " "))
        elif kind == "end":
            found.ends.append(start)
        elif kind == "escape":
            found.escapes.append(start)
        elif kind in _EDGES:
            found.opaque.append((start, end, " "))
            found.inside = kind == "opening"
            found.is_conditional = True
            return end
        else:
            end = _comment_end(sql, start)
            found.opaque.append((start, end, " "))
            return end
    return None


_EDGES = frozenset({"opening", "closing"})


def _comment_end(sql: str, start: int) -> int:
    """The end of a comment that holds comments, or of the text if it is never closed."""
    depth = 0
    for match in _COMMENT_MARKS.finditer(sql, start):
        depth += 1 if match[0] == "/*" else -1
        if not depth:
            return match.end()
    return len(sql)


_COMMENT_MARKS = re.compile(r"/\*|\*/")


def _code(text: str, opaque: Iterable[tuple[int, int, str]]) -> str:
    """The text with comments blanked and strings made unreadable, of the same length."""
    parts: list[str] = []
    last = 0
    for start, end, filler in opaque:
        parts += text[last:start], filler * (end - start)
        last = end
    parts.append(text[last:])
    return "".join(parts)


# The pattern


@lru_cache(maxsize=64)
def pattern_of(facts: LexicalFacts, *, inside: bool = False) -> re.Pattern[str]:
    """One expression per dialect: a run of plain characters, then the one thing that ended it.

    Args:
        facts: The dialect.
        inside: For what stands in an executable comment.
    """
    specials = r"'\":?$%@;\-/" + "`" * facts.backtick_identifiers
    specials += r"\[" * facts.bracket_identifiers + "#" * facts.hash_comments + r"\*" * inside
    things = [
        r"(?P<opening>/\*M?!(?:\d{5,6})?)" if facts.executable_comments else "",
        r"(?P<closing>\*/)" if inside else "",
        f"(?P<quoted>{'|'.join(_quoted(facts))})",
        f"(?P<comment>{'|'.join(_comments(facts))})",
        r"(?P<nested>/\*)" if facts.nested_comments else "",
        r"(?P<end>;)",
        r":{2,}+|:=",
        rf"{_AFTER_VALUE}(?:(?P<named>:{_NAME})|(?P<numeric>:{_NUMBER})|(?P<pyformat>%\({_NAME}\)s(?!\w))|(?P<format>%s(?!\w)))",
        r"(?P<escape>\?\?|%%)",
        r"\?(?:\|(?!\|)|&(?!&))" if facts.question_operators else "",
        r"\?\d++",
        r"(?P<qmark>\?)",
        rf"(?<![\w$])(?P<dollar>\${_NUMBER})",
        r"@[@?>]",
        "" if facts.at_variables else rf"(?<![\w${'<' if facts.array_slices else ''}])(?P<at>@{_NAME})",
        f"[{specials}]",
        r"\Z",
    ]
    return re.compile(f"[^{specials}]*+(?:{'|'.join(filter(None, things))})", re.DOTALL)


def _quoted(facts: LexicalFacts) -> list[str]:
    """Everything that begins with a quote and ends with one, or with the text."""
    escaped = r"{q}[^{q}\\]*+(?:(?:{q}{q}|\\.)[^{q}\\]*+)*+{q}?"
    plain = r"{q}[^{q}]*+(?:{q}{q}[^{q}]*+)*+{q}?"
    if facts.backslash_strings:
        forms = [escaped.format(q="'"), escaped.format(q='"')]
    else:
        forms = [plain.format(q="'"), plain.format(q='"')]
    if facts.escape_strings:
        forms.insert(0, r"(?<=[eE])(?<![\w$][eE])" + escaped.format(q="'"))
    if facts.backtick_identifiers:
        forms.append(plain.format(q="`"))
    if facts.bracket_identifiers:
        forms.append(r"\[[^\]]*+\]?")
    if facts.dollar_quotes:
        forms.append(rf"(?<![\w$])\$(?P<tag>(?:{_NAME})?)\$.*?(?:\$(?P=tag)\$|\Z)")
    return forms


def _comments(facts: LexicalFacts) -> list[str]:
    forms = [r"--(?=[\s\x00-\x1f]|\Z)[^\n]*+" if facts.dash_comments_need_space else r"--[^\n]*+"]
    if facts.nested_comments:
        forms.append(r"/\*[^*/]*+(?:(?:\*(?!/)|/(?!\*))[^*/]*+)*+(?:\*/|\Z)")
    else:
        forms.append(r"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?")
    if facts.hash_comments:
        forms.append(r"#[^\n]*+")
    return forms


# Colons inside brackets


def _drop_separators(lexed: Lexed) -> None:
    """Take away the placeholders that are slices or the halves of a struct's field."""
    separators = _separators(lexed)
    if separators:
        lexed.placeholders = tuple(p for p in lexed.placeholders if p.start not in separators)


def _separators(lexed: Lexed) -> set[int]:
    """Offsets of placeholders whose colon separates instead."""
    code = lexed.code
    candidates = {
        p.start: p.style for p in lexed.placeholders if p.style in (ParameterStyle.NAMED, ParameterStyle.NUMERIC)
    }
    separators: set[int] = set()
    open_brackets: list[str] = []
    for match in _BRACKETS.finditer(code):
        found = match[0]
        start = match.start()
        if found == "[":
            open_brackets.append("subscript" if _is_subscript(code, start) else "[")
        elif found in "({":
            open_brackets.append(found)
        elif found in ")]}":
            if open_brackets:
                open_brackets.pop()
        elif open_brackets and start in candidates and open_brackets[-1] != "(":
            slice_end = open_brackets[-1] == "subscript" and candidates[start] is ParameterStyle.NUMERIC
            if slice_end or _ends_value(code, last_visible(code, start)):
                separators.add(start)
    return separators


_BRACKETS = re.compile(r"[\[\](){}:]")


def _is_subscript(code: str, bracket: int) -> bool:
    """A bracket directly after a value; ``ARRAY[`` and a bracket that stands alone make a list."""
    before = bracket - 1
    return before >= 0 and not code[before].isspace() and _ends_value(code, before)


def _ends_value(code: str, offset: int) -> bool:
    """Whether a value ends at this offset: a name, a number, a string or a closing bracket."""
    if offset < 0:
        return False
    if code[offset] in ")]}'":
        return True
    start = offset
    while start >= 0 and (code[start].isalnum() or code[start] in "_$"):
        start -= 1
    return start < offset and code[start + 1 : offset + 1].lower() not in _BEFORE_VALUES
