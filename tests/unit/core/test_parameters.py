"""Rules P1, P2 and P4: styles, counts and names, lists in IN; each mistake is one clear error."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest

from sqlspec.core.facts import DialectFacts, ParameterStyle
from sqlspec.core.plan import Plan
from sqlspec.core.values import enum_value
from sqlspec.dialects import mysql, postgres, sqlite
from sqlspec.exceptions import DatabaseError, ParameterError

LITE = DialectFacts("lite", lambda _: ("BEGIN",), lambda _: DatabaseError, lexical=sqlite.LEXICAL)
MY = DialectFacts("my", lambda _: ("BEGIN",), lambda _: DatabaseError, lexical=mysql.LEXICAL)
PG = DialectFacts(
    "pg",
    lambda _: ("BEGIN",),
    lambda _: DatabaseError,
    lexical=postgres.LEXICAL,
    lists_as_arrays=True,
    encoders={Enum: enum_value},
)
QMARK, DOLLAR, NUMERIC = ParameterStyle.QMARK, ParameterStyle.DOLLAR, ParameterStyle.NUMERIC
NAMED, FORMAT, PYFORMAT, AT = ParameterStyle.NAMED, ParameterStyle.FORMAT, ParameterStyle.PYFORMAT, ParameterStyle.AT


def bind(text: str, *parameters: Any, facts: DialectFacts = LITE, style: ParameterStyle = QMARK) -> tuple[str, Any]:
    return Plan(text, facts, style).bind(parameters)


def error_of(text: str, *parameters: Any, facts: DialectFacts = LITE) -> str:
    with pytest.raises(ParameterError) as caught:
        bind(text, *parameters, facts=facts)
    assert caught.value.statement == text
    return str(caught.value)


POSITIONAL = {"?": "? ?", "$": "$1 $2", ":": ":1 :2", "%": "%s %s"}
BY_NAME = {":": ":a :b", "%": "%(a)s %(b)s", "@": "@a @b"}
ORDERED = {QMARK: "? ?", DOLLAR: "$1 $2", NUMERIC: ":1 :2", FORMAT: "%s %s"}
BY_KEYS = {NAMED: ":{} :{}", PYFORMAT: "%({})s %({})s", AT: "@{} @{}"}


@pytest.mark.parametrize("style", ORDERED)
@pytest.mark.parametrize("source", POSITIONAL)
def test_positional_to_ordered(source: str, style: ParameterStyle) -> None:
    """Every positional style becomes the driver's."""  # P1
    assert bind(f"SELECT {POSITIONAL[source]}", 1, 2, style=style) == (f"SELECT {ORDERED[style]}", (1, 2))


@pytest.mark.parametrize("style", ORDERED)
@pytest.mark.parametrize("source", BY_NAME)
def test_names_to_ordered(source: str, style: ParameterStyle) -> None:
    """Every named style becomes the driver's positional one."""  # P1
    assert bind(f"SELECT {BY_NAME[source]}", {"b": 2, "a": 1}, style=style) == (f"SELECT {ORDERED[style]}", (1, 2))


@pytest.mark.parametrize("style", BY_KEYS)
@pytest.mark.parametrize("source", [*POSITIONAL.values(), *BY_NAME.values()])
def test_anything_to_names(source: str, style: ParameterStyle) -> None:
    """Drivers that want names get a dict."""  # P1
    names = ("a", "b") if "a" in source else ("p1", "p2")
    parameters: tuple[Any, ...] = ({"a": 1, "b": 2},) if "a" in source else (1, 2)
    expected = "SELECT " + BY_KEYS[style].format(*names)
    assert bind(f"SELECT {source}", *parameters, style=style) == (expected, dict(zip(names, (1, 2), strict=True)))


@pytest.mark.parametrize("parameters", [(1, 2), ((1, 2),), ([1, 2],)])
def test_ways_to_pass_positional(parameters: tuple[Any, ...]) -> None:
    """Values, one tuple or one list are the same."""  # P2
    sql, args = bind("SELECT ?, ?", *parameters)
    assert (sql, tuple(args)) == ("SELECT ?, ?", (1, 2))


def test_single_containers_are_sequences() -> None:
    """A single array is ([1, 2],), a single JSON value ({…},)."""  # P2
    facts = DialectFacts("x", lambda _: (), lambda _: DatabaseError)
    assert bind("SELECT ?", ([1, 2],), facts=facts) == ("SELECT ?", [[1, 2]])
    assert bind("SELECT ?", ({"a": 1},), facts=facts) == ("SELECT ?", [{"a": 1}])
    assert "([…],)" in error_of("SELECT ?", [1, 2])
    assert "({…},)" in error_of("SELECT ?", {"a": 1})


def test_repeated_numbers_and_names() -> None:
    """A value used twice is repeated for ?, and is one number for $."""  # P1
    assert bind("SELECT $2, $1, $2", 1, 2) == ("SELECT ?, ?, ?", (2, 1, 2))
    assert bind("SELECT $2, $1, $2", 1, 2, style=DOLLAR) == ("SELECT $2, $1, $2", (1, 2))
    assert bind("SELECT :b, :a, :b", {"a": 1, "b": 2}) == ("SELECT ?, ?, ?", (2, 1, 2))
    assert bind("SELECT :b, :a, :b", {"a": 1, "b": 2}, style=DOLLAR) == ("SELECT $1, $2, $1", (2, 1))


def test_unchanged_text_is_the_same_object() -> None:
    """A text in the driver's own style goes out as the user's object, also with parameters."""  # P3
    for text, style in (("SELECT ?", QMARK), ("SELECT $1", DOLLAR), ("SELECT :1", NUMERIC), ("SELECT %s", FORMAT)):
        assert bind(text, 1, style=style)[0] is text


# Nothing given


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a ?| b, c ? 'd'",
        "SELECT a %s",
        "SELECT @a, @b",
        "SELECT 10 %% 3, '??', a ?? b",
        "SELECT 'x ?', $$ $1 $$",
        "PREPARE q AS SELECT $1",
        "CREATE FUNCTION f(int) RETURNS int RETURN $1 + 1",
        "EXPLAIN (GENERIC_PLAN) SELECT $1",
        "DO $$ x := :y $$",
        "SELECT ?- lseg '((0,0),(1,0))', a ?# b, (?- c)",
        "SELECT values ? 'a', t.select ? 'b', t.by ? 'c', set ? 'd', selected ? 'e'",
    ],
)
@pytest.mark.parametrize("parameters", [(), ((),), ([],), ({},)])
def test_without_parameters_untouched(text: str, parameters: tuple[Any, ...]) -> None:
    """Without parameters the text is the user's own object, also for drivers that look for %."""  # P1 P3
    sql, args = bind(text, *parameters, facts=PG, style=FORMAT)
    assert sql is text
    assert args == ()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("SELECT $1, $2", 2), ("SELECT $3", 3), ("SELECT :a, :b, :a", 2), ("SELECT :1", 1), ("SELECT %(a)s", 1),
        ("SELECT a FROM t WHERE b = ?", 1), ("INSERT INTO t VALUES (?, ?)", 2), ("SELECT a FROM t WHERE b < %s", 1),
        ("select ?", 1), ("SELECT %s", 1), ("SELECT DISTINCT\n ?, -- x\n ?", 2), ("SELECT a WHERE ? AND ? OR ?", 3),
        ("SELECT a FROM t ORDER BY ? LIMIT ? OFFSET ?", 3), ("SELECT a FROM t WHERE NOT ? AND b IN ?", 2),
    ],
)  # fmt: skip
def test_without_parameters_but_placeholders(text: str, count: int) -> None:
    """What can only be a placeholder wants a value."""  # P2
    message = f"expects {count} parameter{'s' * (count > 1)}, none were given"
    assert message in error_of(text, facts=PG)
    assert message in error_of(text)


def test_question_mark_outside_postgres() -> None:
    """A ? can't be anything else where it is no operator."""  # P1
    assert "expects 1 parameter, none were given" in error_of("SELECT a + ?", facts=MY)
    assert bind("SELECT a ? b", facts=PG)[0] == "SELECT a ? b"


# Escapes and operators


def test_question_operator_beside_numbers_or_names() -> None:
    """In a PostgreSQL statement with $n or names ? is an operator; ?? is one always."""  # P1
    assert bind("SELECT a ? $1", 1, facts=PG, style=DOLLAR) == ("SELECT a ? $1", (1,))
    assert bind("SELECT a ? :k, b ?? c", {"k": 1}, facts=PG, style=DOLLAR) == ("SELECT a ? $1, b ? c", (1,))
    assert bind("SELECT a ?? 'k', b ??| c, d = ?", 1, facts=PG, style=DOLLAR) == (
        "SELECT a ? 'k', b ?| c, d = $1",
        (1,),
    )
    assert bind("SELECT a ? @k", {"k": 1}, facts=PG, style=DOLLAR) == ("SELECT a ? $1", (1,))


def test_percent_signs() -> None:
    """%% is % only beside %s; drivers that look for % get every other one doubled, in strings too."""  # P3
    assert bind("SELECT 5 %% 3, '%%', %s", 1) == ("SELECT 5 % 3, '%%', ?", (1,))
    assert bind("SELECT 5 %% 3, ?", 1) == ("SELECT 5 %% 3, ?", (1,))
    assert bind("SELECT 5 %% 3, '5%' /* % */, %s", 1, style=FORMAT) == ("SELECT 5 %% 3, '5%%' /* %% */, %s", (1,))
    assert bind("SELECT 5 % 3, '%s', ?", 1, style=FORMAT) == ("SELECT 5 %% 3, '%%s', %s", (1,))
    assert bind("SELECT 5 % 3, :a", {"a": 1}, style=PYFORMAT) == ("SELECT 5 %% 3, %(a)s", {"a": 1})


# Mistakes


def test_mixed_styles_show_both_places() -> None:
    """Two styles in one statement: both are shown with line and column."""  # P1
    message = error_of("SELECT :a,\n  %s", 1)
    assert ":a (line 1, column 8)" in message
    assert "%s (line 2, column 3)" in message
    for text in ("SELECT ?, $1", "SELECT :a, :1", "SELECT ?, %s", "SELECT %s, %(a)s"):
        assert "mixes" in error_of(text, 1)
    assert "mixes" in error_of("SELECT :a, @b", {"a": 1, "b": 2})


@pytest.mark.parametrize(
    ("text", "parameters", "message"),
    [
        ("SELECT ?, ?", (1,), "expects 2 parameters, 1 was given"),
        ("SELECT ?", (1, 2), "expects 1 parameter, 2 were given"),
        ("SELECT $1, $2", (1, 2, 3), "expects 2 parameters, 3 were given"),
        ("SELECT 1", (1,), "expects no parameters, 1 was given"),
        ("SELECT 1", (None,), "expects no parameters, 1 was given"),
        ("SELECT $1, $3", (1, 2, 3), "No placeholder uses $2"),
        ("SELECT :2", (1, 2), "No placeholder uses :1"),
        ("SELECT ?", ({"a": 1},), "? (line 1, column 8), and was given a mapping"),
        ("SELECT :b, :a", (1, 2), "names its parameters (a, b)"),
        ("SELECT @a", (1,), "Pass a mapping"),
        ("SELECT :a, :b", ({"a": 1},), "missing: b"),
        ("SELECT :a", ({"a": 1, "z": 1, "c": 2},), "unknown: c, z"),
        ("SELECT :user_id, :b", ({"userid": 1},), "missing: b, user_id; unknown: userid"),
        ("SELECT :user_id", ({"userid": 1},), "Did you mean user_id where you wrote userid?"),
        ("SELECT 1", ({"a": 1},), "It uses: none"),
        ("SELECT :a", ({1: 1},), "missing: a; unknown: 1"),
    ],
)
def test_mistakes(text: str, parameters: tuple[Any, ...], message: str) -> None:
    """Too few, too many, missing and unknown are named."""  # P2
    assert message in error_of(text, *parameters)


def test_errors_never_show_values() -> None:
    """No message holds a value."""  # P2 E5
    secret = "hunter2"
    for text, parameters in (
        ("SELECT ?", (secret, secret)),
        ("SELECT :a", ({"b": secret},)),
        ("SELECT ?", ({"b": secret},)),
        ("SELECT :a", (secret,)),
        ("SELECT 1", (secret,)),
    ):
        assert secret not in error_of(text, *parameters)
    with pytest.raises(ParameterError) as caught:
        Plan("INSERT INTO t VALUES (?)", LITE, QMARK).bind_many([(secret,), (secret, secret)])
    assert secret not in str(caught.value)


# Lists


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize("values", [[1, 2], (1, 2), {1, 2}, frozenset({1, 2})])
def test_list_expands(values: Any) -> None:
    """IN with a list has a placeholder for each element."""  # P4
    assert bind("SELECT a IN (:i), :x", {"i": values, "x": 3}) == ("SELECT a IN (?, ?), ?", [1, 2, 3])
    assert bind("SELECT a NOT IN :i, :x", {"i": values, "x": 3}) == ("SELECT a NOT IN (?, ?), ?", [1, 2, 3])
    assert bind("SELECT a IN (?), ?", values, 3) == ("SELECT a IN (?, ?), ?", [1, 2, 3])
    assert bind("SELECT a in( $2 ), $1", 3, values, style=NUMERIC) == ("SELECT a in( :2, :3 ), :1", [3, 1, 2])


@pytest.mark.parametrize("values", [[1, 2], (1, 2), {1, 2}, [], [Colour.RED]])
def test_list_becomes_array(values: Any) -> None:
    """Where lists are arrays there is one text whatever the length."""  # P4
    expected = [value.value if isinstance(value, Colour) else value for value in values]
    for text, sql in {
        "SELECT a IN (:i)": "SELECT a = ANY($1)",
        "SELECT a IN :i": "SELECT a = ANY($1)",
        "SELECT a NOT IN (:i)": "SELECT a <> ALL($1)",
        "SELECT a not\n in  ( :i )": "SELECT a <> ALL( $1 )",
        "SELECT a NOT /* c */ IN /* d */ (:i)": "SELECT a <> /* c */ ALL /* d */ ($1)",
    }.items():
        assert bind(text, {"i": values}, facts=PG, style=DOLLAR) == (sql, [expected])


def test_empty_list() -> None:
    """An empty list is no row for IN and every row for NOT IN."""  # P4
    assert bind("SELECT a IN (:i)", {"i": []}, facts=MY) == ("SELECT a IN (SELECT NULL WHERE 1 = 0)", [])
    assert bind("SELECT a NOT IN :i", {"i": []}, facts=MY) == ("SELECT a NOT IN (SELECT NULL WHERE 1 = 0)", [])


def test_scalar_in_list_place() -> None:
    """A scalar stays; without parentheses it gets them."""  # P4
    assert bind("SELECT a IN (:i)", {"i": 1}) == ("SELECT a IN (?)", (1,))
    assert bind("SELECT a IN :i", {"i": 1}) == ("SELECT a IN (?)", (1,))
    assert bind("SELECT a IN :i", {"i": 1}, facts=PG, style=DOLLAR) == ("SELECT a IN ($1)", (1,))


@pytest.mark.parametrize(
    "text", ["SELECT (:i)", "SELECT a IN (:i, 2)", "SELECT x_in (:i)", "SELECT t.in (:i)", "SELECT 'in' (:i)"]
)
def test_list_elsewhere_is_a_value(text: str) -> None:
    """Outside IN, and not alone in it, a list is one value."""  # P4
    sql, args = bind(text, {"i": [1, 2]})
    assert sql == text.replace(":i", "?")
    assert args == [[1, 2]]


def test_same_name_in_list_and_elsewhere() -> None:
    """A list that is used in IN and as a value is passed in both forms."""  # P4
    assert bind("SELECT a IN (:i), f(:i)", {"i": [1, 2]}, style=NUMERIC) == (
        "SELECT a IN (:1, :2), f(:3)",
        [1, 2, [1, 2]],
    )
    names = bind("SELECT a IN (:i), :i_0", {"i": [1, 2], "i_0": 3}, style=NAMED)
    assert names == ("SELECT a IN (:i__0, :i__1), :i_0", {"i__0": 1, "i__1": 2, "i_0": 3})


def test_texts_of_lengths_are_kept() -> None:
    """A length met again gives the same text object, for up to 64 lengths."""  # P4
    plan = Plan("SELECT a IN (?)", LITE, QMARK)
    first = plan.bind(([[1, 2]],))[0]
    assert plan.bind(([[3, 4]],))[0] is first
    for length in range(3, 70):
        plan.bind(([list(range(length))],))
    assert plan.bind(([[3, 4]],))[0] is not first


# Many rows


def test_many_rows() -> None:
    """Rows are sequences or mappings; a list in a row is a value."""  # P7
    plan = Plan("INSERT INTO t VALUES (?, ?)", LITE, DOLLAR)
    assert plan.bind_many([(1, 2), [3, 4]]) == ("INSERT INTO t VALUES ($1, $2)", [(1, 2), [3, 4]])
    named = Plan("INSERT INTO t VALUES (:a, :b, :a)", LITE, QMARK)
    assert named.bind_many([{"a": 1, "b": 2}]) == ("INSERT INTO t VALUES (?, ?, ?)", [(1, 2, 1)])
    listed = Plan("DELETE FROM t WHERE a IN (?)", LITE, PYFORMAT)
    assert listed.bind_many(iter([([1],)])) == ("DELETE FROM t WHERE a IN (%(p1)s)", [{"p1": [1]}])
    assert plan.bind_many([]) == (plan.text, [])


@pytest.mark.parametrize(
    ("text", "rows", "message"),
    [
        (
            "INSERT INTO t VALUES (?)",
            [(1,), (1, 2)],
            "Row 1 (counted from 0): The statement expects 1 parameter, 2 were",
        ),
        ("INSERT INTO t VALUES (?)", [(1,), 5], "Row 1 (counted from 0) is of type int"),
        ("INSERT INTO t VALUES (?)", [(1,), {"a": 1}], "Row 1 (counted from 0) is of type dict"),
        ("INSERT INTO t VALUES (:a)", [{"a": 1}, {"b": 1}], "Row 1 (counted from 0): The names given"),
        ("INSERT INTO t VALUES (:a)", [{"a": 1}, (1,)], "Row 1 (counted from 0) is of type tuple"),
        ("INSERT INTO t VALUES (:a)", [(1,)], "names its parameters"),
        ("INSERT INTO t VALUES (?)", ["x"], "Row 0 (counted from 0) is of type str"),
    ],
)
def test_many_rows_mistakes(text: str, rows: list[Any], message: str) -> None:
    """A row that does not fit is told by its number."""  # P2 P7
    with pytest.raises(ParameterError) as caught:
        Plan(text, LITE, QMARK).bind_many(rows)
    assert message in str(caught.value)
    assert caught.value.statement == text
