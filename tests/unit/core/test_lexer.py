"""Rules P1 and P3: what a placeholder is, and that nothing else is touched."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlspec.core import lexer
from sqlspec.core.facts import DialectFacts, LexicalFacts, ParameterStyle
from sqlspec.core.lexer import lex, place
from sqlspec.core.parameters import choose
from sqlspec.core.plan import Plan
from sqlspec.dialects import duckdb, mysql, postgres, sqlite
from sqlspec.exceptions import DatabaseError, ParameterError

if TYPE_CHECKING:
    from sqlspec.core.lexer import Placeholder

CORPUS = Path(__file__).parent / "corpus"


def facts_of(name: str, lexical: LexicalFacts) -> DialectFacts:
    return DialectFacts(
        name=name, begin_sql=lambda _: ("BEGIN",), classify=lambda _: DatabaseError, lexical=lexical, empty_list_sql=""
    )


FAMILIES = {
    "postgres": facts_of("postgres", postgres.LEXICAL),
    "sqlite": facts_of("sqlite", sqlite.LEXICAL),
    "mysql": facts_of("mysql", mysql.LEXICAL),
    "duckdb": facts_of("duckdb", duckdb.LEXICAL),
}


class Case(NamedTuple):
    family: str
    sql: str
    expected: list[str]


def read_corpus(family: str) -> list[Case]:
    """Statements, each followed by a line ``=> placeholders``; lines with ``#!`` are remarks."""
    cases: list[Case] = []
    lines: list[str] = []
    for line in (CORPUS / f"{family}.txt").read_text().splitlines():
        if line.startswith("=>"):
            cases.append(Case(family, "\n".join(lines), line[2:].split()))
            lines = []
        elif not line.startswith("#!"):
            lines.append(line)
    return cases


CASES = [case for family in FAMILIES for case in read_corpus(family)]


def written(sql: str, placeholders: tuple[Placeholder, ...]) -> list[str]:
    return [sql[p.start : p.end] for p in placeholders]


def chosen(case: Case) -> tuple[Placeholder, ...]:
    facts = FAMILIES[case.family]
    names = [text[1:] for text in case.expected if text.startswith("@")]
    return choose(lex(case.sql, facts.lexical), facts, names)


def parameters_for(expected: list[str]) -> tuple[object, ...]:
    """Fitting parameters for a list of placeholders."""
    names = [re.sub(r"^[:@]|^%\(|\)s$", "", text) for text in expected]
    if not names or expected[0] in ("?", "%s"):
        return tuple(range(len(names)))
    if names[0].lstrip("$").isdigit():
        return tuple(range(max(int(name.lstrip("$")) for name in names)))
    return (dict.fromkeys(names, 1),)


@pytest.mark.parametrize("family", FAMILIES)
def test_corpus_is_large(family: str) -> None:
    """At least 80 statements per family."""
    cases = read_corpus(family)
    assert len(cases) >= 80
    assert len({case.sql for case in cases}) == len(cases)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.family}: {case.sql}")
def test_corpus_placeholders(case: Case) -> None:
    """The placeholders are those that the corpus names."""  # P1
    assert written(case.sql, chosen(case)) == case.expected


BINDABLE = [case for case in CASES if "$10" not in case.expected]  # numbers with gaps do not bind


@pytest.mark.parametrize("style", ParameterStyle)
@pytest.mark.parametrize("case", BINDABLE, ids=lambda case: f"{case.family}: {case.sql}")
def test_corpus_bytes(case: Case, style: ParameterStyle) -> None:
    """Every byte outside placeholders goes out as it was written."""  # P3
    sql, _ = Plan(case.sql, FAMILIES[case.family], style).bind(parameters_for(case.expected))
    by_percent = style in (ParameterStyle.FORMAT, ParameterStyle.PYFORMAT) and bool(case.expected)
    assert_same_outside(case.sql, sql, chosen(case), style, by_percent)


MARKS = {
    ParameterStyle.QMARK: r"\?",
    ParameterStyle.FORMAT: "%s",
    ParameterStyle.DOLLAR: r"\$\d+",
    ParameterStyle.NUMERIC: r":\d+",
    ParameterStyle.NAMED: r":\w+",
    ParameterStyle.PYFORMAT: r"%\(\w+\)s",
    ParameterStyle.AT: r"@\w+",
}


def assert_same_outside(
    text: str, sql: str, placeholders: tuple[Placeholder, ...], style: ParameterStyle, by_percent: bool
) -> None:
    """The driver's text is the user's with one mark of the driver's style for each placeholder."""
    position = last = 0
    for placeholder in (*placeholders, None):
        start = placeholder.start if placeholder else len(text)
        piece = text[last:start].replace("%", "%%") if by_percent else text[last:start]
        assert sql[position : position + len(piece)] == piece
        position += len(piece)
        if placeholder:
            mark = re.compile(rf"\(?{MARKS[style]}\)?" if re.search(r"(?i)\bin $", piece) else MARKS[style])
            match = mark.match(sql, position)
            assert match
            position, last = match.end(), placeholder.end
    assert position == len(sql)


# Statements from random pieces

INERT = [
    "'text'", "'it''s ? :a $1'", "'%s %(n)s'", "''", "'-- no'", "'/* no'", "/* :a ? $1 */", "/* ' */", "-- :a ? '\n",
    '"q ? :a"', '"a""b"', " x ", " a$1 ", " 12 ", ", ", " + ", " = ", "(", ")", " AND ", " \n", ":: int", " x::int ",
    " a % b ", " := ", " :: ", " @@v ", " é ", " ->> '$.a' ",
]  # fmt: skip
INERT_OF = {
    "postgres": ["$$ :a ? $1 $$", "$t$ $$ ' $t$", "E'\\' :a'", "/* /* ' */ ? */", " ?| ", " ?& ", "a[1:2]", "a[i :j]"],
    "sqlite": ["[a ? :b]", "`a ? :b`", "'\\'"],
    "mysql": ["`a ? :b`", "'\\' ?'", '"? \\" :a"', "# ' ? :a\n", " 5--1 ", "/*!50000 '*/ ?' # ?\n */", "/*! x */"],
    "duckdb": ["$$ :a ? $1 $$", "E'\\' :a'", "{'a':1}", "{'a' :x}", "l[:2]", "/* /* ' */ ? */"],
}
VALUES = {
    ParameterStyle.QMARK: "?",
    ParameterStyle.DOLLAR: "$1",
    ParameterStyle.NUMERIC: ":1",
    ParameterStyle.NAMED: ":a",
    ParameterStyle.FORMAT: "%s",
    ParameterStyle.PYFORMAT: "%(a)s",
}


@st.composite
def statements(draw: st.DrawFn) -> tuple[str, str, ParameterStyle, int]:
    """Family, text, style, and how many placeholders were put in."""
    family = draw(st.sampled_from(sorted(FAMILIES)))
    style = draw(st.sampled_from(sorted(VALUES, key=lambda style: style.name)))
    pieces = draw(st.lists(st.sampled_from([*INERT, *INERT_OF[family], None, None, None, None]), max_size=25))
    # A blank before each piece keeps quotes from doubling and values from standing side by side.
    text = "SELECT" + "".join(f" {VALUES[style]} " if piece is None else f" {piece} " for piece in pieces)
    return family, text, style, pieces.count(None)


@given(statements(), st.sampled_from(ParameterStyle))
def test_random_statements(made: tuple[str, str, ParameterStyle, int], driver: ParameterStyle) -> None:
    """The placeholders are those put in, and everything else goes out as it was written."""  # P3
    family, text, style, count = made
    facts = FAMILIES[family]
    placeholders = choose(lex(text, facts.lexical), facts)
    assert written(text, placeholders) == [VALUES[style]] * count
    parameters: tuple[object, ...] = ()
    if count:
        by_name = style in (ParameterStyle.NAMED, ParameterStyle.PYFORMAT)
        in_order = style in (ParameterStyle.QMARK, ParameterStyle.FORMAT)
        parameters = ({"a": 1},) if by_name else tuple(range(count if in_order else 1))
    sql, _ = Plan(text, facts, driver).bind(parameters)
    by_percent = count > 0 and driver in (ParameterStyle.FORMAT, ParameterStyle.PYFORMAT)
    assert_same_outside(text, sql, placeholders, driver, by_percent)


ODD = st.text(alphabet="'\"`[]{}():?$%@#;-/*\\=ax1 s\nEé\0", max_size=60)


@given(st.sampled_from(sorted(FAMILIES)), st.one_of(st.text(max_size=60), ODD))
def test_any_text_is_lexed(family: str, text: str) -> None:
    """No text makes the lexer fail; what it reports lies in the text, in order, and ``code`` is as long."""  # P3
    lexed = lex(text, FAMILIES[family].lexical)
    spans = [(p.start, p.end) for p in lexed.placeholders]
    assert spans == sorted(spans)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert all(text[at] == ";" for at in lexed.ends)
    assert len(lexed.code) == len(text)


@given(st.sampled_from(sorted(FAMILIES)), st.one_of(st.text(max_size=60), ODD))
def test_any_text_goes_out_untouched_without_parameters(family: str, text: str) -> None:
    """Without parameters the text goes out as it is, or is refused; never changed."""  # P1
    with suppress(ParameterError):
        sql, args = Plan(text, FAMILIES[family], ParameterStyle.FORMAT).bind(())
        assert sql is text
        assert args == ()


# Linear time, by counting


SEEDS = [
    *(
        "'",
        '"',
        "`",
        "[",
        "]",
        "{",
        "(",
        "/*",
        "*/",
        "/*/",
        "/*!",
        "/*!*/",
        "/*!50000 */",
        "/* *",
        "--",
        "$",
        "$$",
        "$a$",
        "$a",
        ":",
        ":a",
        "::",
        ":=",
    ),
    *("?", "??", "?|", "%", "%%", "%s", "%(a", "%(a)", "@", "@a", "@@", "#", ";", "\\", "'\\", "E'", "E'\\", "a", " "),
    *("\n", "in (?", "in ", "not in (", "[:a", "{'a' :", "-", "/", "''", "'' "),
]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_linear_time(seed: str, family: str) -> None:
    """100 kB of one piece: tokens never overlap, and there are no more of them than characters.

    Each step consumes what it matched and, by possessive repeats, has looked at it once; steps that consume nothing
    happen at the end only. So the tokens' lengths bound the work.
    """
    text = (seed * (100_000 // len(seed) + 1))[:100_000]
    facts = FAMILIES[family].lexical
    for inside in (False, True):
        found = list(lexer.pattern_of(facts, inside=inside).finditer(text))
        assert sum(match.end() - match.start() for match in found) == len(text)  # nothing skipped, nothing read twice
        assert len(found) <= len(text) + 1
    lexed = lex(text, facts)
    assert len(lexed.code) == len(text)


@pytest.mark.parametrize("family", FAMILIES)
def test_pattern_has_no_backtracking_repeats(family: str) -> None:
    """Every unbounded repeat is possessive but the lazy one of dollar quotes, which ends at the text's end."""
    source = lexer.pattern_of(FAMILIES[family].lexical, inside=True).pattern
    bare = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]])*\]", "x", source)
    loose = re.findall(r"[*+][?]?", re.sub(r"[*+}]\+", "", bare))
    assert loose in ([], ["*?"]), (loose, bare)


# Single questions


@pytest.mark.parametrize(
    ("text", "offset", "expected"),
    [("abc", 0, (1, 1)), ("abc", 2, (1, 3)), ("a\nbc", 2, (2, 1)), ("a\r\nbc", 4, (2, 2)), ("\n\n", 2, (3, 1))],
)
def test_place(text: str, offset: int, expected: tuple[int, int]) -> None:
    """Line and column count from one."""
    assert place(text, offset) == expected


def test_code_hides_strings_and_comments() -> None:
    """Words in strings and comments can't be found in ``code``."""
    lexed = lex("SELECT 'a;b' /* ; */, \"c;d\"; -- ;", postgres.LEXICAL)
    assert lexed.code == "SELECT '''''        , '''''; " + " " * 4
    assert lexed.ends == (27,)


@pytest.mark.parametrize("mark", ["/*!", "/*!50000", "/*!100100", "/*M!", "/*M!100100"])
def test_an_executable_comment_is_code(mark: str) -> None:
    """Its ends are blank, what stands between them is not, and the lexer says that it depends on the server."""
    lexed = lex(f"{mark} CREATE */ TABLE t /* a */", mysql.LEXICAL)
    assert lexed.code == f"{' ' * len(mark)} CREATE    TABLE t        "
    assert lexed.is_conditional
    assert not lex("SELECT 1 /*+ hint */ /* ! */ '/*! x */' # /*! y */", mysql.LEXICAL).is_conditional
    for other in (postgres.LEXICAL, sqlite.LEXICAL):
        assert lex(f"{mark} CREATE */ TABLE t", other).code.split() == ["TABLE", "t"]


def test_at_name_counts_only_if_supplied() -> None:
    """An @name is a placeholder only where a mapping supplies the name."""  # P1
    facts = FAMILIES["sqlite"]
    lexed = lex("SELECT @a, @b", facts.lexical)
    assert choose(lexed, facts) == ()
    assert [p.name for p in choose(lexed, facts, ["b"])] == ["b"]
    assert lex("SELECT @a", mysql.LEXICAL).placeholders == ()
