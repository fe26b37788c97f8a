"""What a plan knows from the text alone, places, and the bounded cache."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.core.facts import DialectFacts, ParameterStyle
from sqlspec.core.lexer import Lexed
from sqlspec.core.plan import Plan, PlanCache
from sqlspec.dialects import postgres, sqlite
from sqlspec.exceptions import DatabaseError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

FACTS = DialectFacts("pg", lambda _: (), lambda _: DatabaseError, lexical=postgres.LEXICAL, lists_as_arrays=True)
LITE = DialectFacts("lite", lambda _: (), lambda _: DatabaseError, lexical=sqlite.LEXICAL)


def plan(text: str) -> Plan:
    return Plan(text, FACTS, ParameterStyle.DOLLAR)


@pytest.mark.parametrize(
    ("text", "verb", "returns_rows", "is_write"),
    [
        ("SELECT 1", "SELECT", True, False),
        ("  -- INSERT\n/* DELETE */ ((select 1))", "SELECT", True, False),
        ("select into_x, 'into' from t", "SELECT", True, False),
        ("SELECT a INTO b FROM t", "SELECT", True, True),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "SELECT", True, False),
        ("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "SELECT", True, True),
        ("WITH x AS (SELECT ')') INSERT INTO t SELECT * FROM x", "INSERT", False, True),
        (
            "WITH RECURSIVE x(a) AS (SELECT 1), y AS MATERIALIZED (SELECT 2) UPDATE t SET a = 1 RETURNING a",
            "UPDATE",
            True,
            True,
        ),
        ("VALUES (1)", "VALUES", True, False),
        ("TABLE t", "TABLE", True, False),
        ("SHOW all", "SHOW", True, False),
        ("EXPLAIN SELECT 1", "EXPLAIN", True, False),
        ("EXPLAIN DELETE FROM t", "EXPLAIN", True, False),
        ("EXPLAIN (ANALYZE) DELETE FROM t", "EXPLAIN", True, True),
        ("PRAGMA user_version", "PRAGMA", True, False),
        ("PRAGMA user_version = 3", "PRAGMA", True, True),
        ("CALL p()", "CALL", True, True),
        ("FETCH 5 FROM c", "FETCH", True, False),
        ("INSERT INTO t VALUES (1)", "INSERT", False, True),
        ("INSERT INTO t VALUES ('returning') -- RETURNING", "INSERT", False, True),
        ("INSERT INTO t VALUES (1)\nreturning id", "INSERT", True, True),
        ('DELETE FROM t WHERE "returning" = 1', "DELETE", False, True),
        ("MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE", "MERGE", False, True),
        ("CREATE TABLE t (a int)", "CREATE", False, True),
        ("VACUUM", "VACUUM", False, True),
        ("SET x = 1", "SET", False, False),
        ("$1", "", False, True),
    ],
)
def test_classified(text: str, verb: str, returns_rows: bool, is_write: bool) -> None:
    """Verb, rows, writes: strings and comments do not mislead."""
    made = plan(text)
    assert (made.verb, made.returns_rows, made.is_write) == (verb, returns_rows, is_write)
    assert not made.controls_transaction


@pytest.mark.parametrize(
    "text", ["BEGIN", "START TRANSACTION", "commit", "END;", "ROLLBACK TO a", "ABORT", "SAVEPOINT a", "RELEASE a"]
)
def test_transaction_control(text: str) -> None:
    """What begins or ends a transaction or savepoint is known, and is no write."""
    made = plan(text)
    assert made.controls_transaction
    assert not made.is_write


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (FACTS, "SELECT 1; SELECT 2"),
        (FACTS, "SELECT 1;; DELETE FROM t;"),
        (LITE, "CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t; END; SELECT 1"),
    ],
)
def test_several_statements(facts: DialectFacts, text: str) -> None:
    """execute() takes one statement."""  # P6
    made = Plan(text, facts, ParameterStyle.QMARK)
    binds: list[Callable[[], object]] = [
        lambda: made.bind(()),
        lambda: made.bind((1,)),
        lambda: made.bind(({"a": 1},)),
        lambda: made.bind_many([(1,)]),
    ]
    for bind in binds:
        with pytest.raises(ParameterError, match="one statement; use execute_script") as caught:
            bind()
        assert caught.value.statement == text


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1;",
        "SELECT 1; -- done\n ; ",
        "SELECT ';'",
        "DO $$ BEGIN x; y; END $$",
        "CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t; SELECT 1; END;",
        "CREATE RULE r AS ON INSERT TO t DO (a; b)",
    ],
)
def test_one_statement(text: str) -> None:
    """A terminator, comments, strings and bodies do not make several statements."""  # P6
    assert plan(text).bind(())[0] is text


def test_text_is_the_same_object_each_time() -> None:
    """Drivers key their caches on the text."""
    made = plan("SELECT :a")
    assert made.bind(({"a": 1},))[0] is made.bind(({"a": "x"},))[0]
    made = plan("SELECT ?")
    assert made.bind((1,))[0] is made.bind(([None],))[0]
    made = plan("SELECT a IN (?)")
    assert made.bind(([[1]],))[0] is made.bind(([[1, 2, 3]],))[0]


def test_learn() -> None:
    """A plan remembers the shape of its rows."""
    assert plan("SELECT 1").shape is None
    made = plan("SELECT 1")
    shape = made.learn(("a", "b"), key="k")
    assert made.shape is shape
    assert shape.columns == ("a", "b")


def test_locate() -> None:
    """An offset in the driver's text is a place in the user's."""  # E4
    text = "SELECT :a,\n :bbbb, a IN (:ids), wrong"
    made = plan(text)
    values: dict[str, Any] = {"a": 1, "bbbb": 2, "ids": 3}
    sql, _ = made.bind((values,))
    assert made.locate(sql.index("wrong"), sql) == (2, text.split("\n")[1].index("wrong") + 1)
    assert made.locate(sql.index("wrong")) == made.locate(sql.index("wrong"), sql)
    assert made.locate(sql.index("$2"), sql) == (2, 2)
    assert made.locate(sql.index("$1") + 1, sql) == (1, 8)
    as_array, _ = made.bind(({**values, "ids": [1]},))
    assert as_array != sql
    assert made.locate(as_array.index("wrong"), as_array) == (2, text.split("\n")[1].index("wrong") + 1)
    assert made.locate(3, text) == (1, 4)
    assert made.locate(3, "something else") is None
    assert made.locate(-1, sql) is None


def test_locate_without_binding() -> None:
    """The user's own text needs no binder."""  # E4
    assert plan("SELECT\n  x").locate(9) == (2, 3)


def test_what_was_read_is_dropped_once_it_served() -> None:
    """A bound plan keeps no second copy of its text; what comes later reads it again."""
    made = plan("SELECT 'a', :a, @b")
    assert made.bind(({"a": 1},)) == ("SELECT 'a', $1, @b", (1,))
    assert not any(isinstance(getattr(made, name), Lexed) for name in Plan.__slots__)
    with pytest.raises(ParameterError, match="mixes"):
        made.bind(({"a": 1, "b": 2},))
    with pytest.raises(ParameterError, match="Pass a mapping"):
        made.bind((1,))
    with pytest.raises(ParameterError, match="none were given"):
        made.bind(())
    made = plan("SELECT ?; SELECT 2")
    for _ in range(2):
        with pytest.raises(ParameterError, match="one statement"):
            made.bind((1,))


@pytest.mark.parametrize("text", ["", " \n", "-- nothing", ";", " ; /* a /* b */ */ ;;\n-- c", "/* not closed"])
def test_a_text_without_sql(text: str) -> None:
    """Comments, blanks and semicolons are no statement."""  # P2
    with pytest.raises(ParameterError, match="holds no SQL"):
        plan(text)


@pytest.mark.parametrize("character", ["\0", "\ud800"])
@pytest.mark.parametrize("text", ["SELECT 1,\n  {} 2", "SELECT 'é',\n '{}'", "-- a\n/*{}*/ SELECT 1"])
def test_a_text_that_can_not_be_sent(text: str, character: str) -> None:
    """It is refused with the place: for a NUL or half of a character the connection would be lost."""  # P3 E4
    text = text.format(character)
    with pytest.raises(ParameterError, match=r"(NUL character|surrogate pair) \(line 2, column 3\)") as refused:
        plan(text)
    assert refused.value.statement == text


@pytest.mark.parametrize("text", ["rollback", "COMMIT", "BEGIN", "SAVEPOINT a", "PREPARE TRANSACTION 'x'"])
@pytest.mark.parametrize("rows", [[], [()]])
def test_transactions_do_not_end_many_times(text: str, rows: list[Any]) -> None:
    """The session would not know of it."""  # P7 S14
    with pytest.raises(ParameterError, match="can't begin or end transactions"):
        plan(text).bind_many(rows)


def test_rows_that_are_none() -> None:
    """What can't be iterated is refused; an error of the iterator's own passes."""  # P2
    rows: Any
    for rows in (None, 5):
        with pytest.raises(ParameterError, match=f"rows are of type {type(rows).__name__};"):
            plan("INSERT INTO t VALUES (?)").bind_many(rows)
    with pytest.raises(TypeError):
        plan("INSERT INTO t VALUES (?)").bind_many(len(number) for number in [rows])


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("SELECT a FROM t", True),
        ("SELECT a, count(*) FROM t GROUP BY a", True),
        ("SELECT '*' /* * */ AS a FROM t", True),
        ("SELECT * FROM t", False),
        ("SELECT count(*), t.* FROM t", False),
        ("DELETE FROM t RETURNING *", False),
        ("TABLE t", False),
    ],
)
def test_names_are_fixed(text: str, fixed: bool) -> None:
    """A star that stands for columns follows the tables; that of count(*) does not."""  # R6
    assert plan(text).names_are_fixed is fixed


# The cache


def test_cache_keeps_plans() -> None:
    """The same text is the same plan; the oldest go first."""
    cache = PlanCache(FACTS, ParameterStyle.DOLLAR, limit=3)
    first = cache["SELECT 1"]
    assert cache["SELECT 1"] is first
    for number in range(2, 5):
        assert cache[f"SELECT {number}"].text == f"SELECT {number}"
    assert list(cache) == ["SELECT 2", "SELECT 3", "SELECT 4"]
    assert cache["SELECT 1"] is not first


@pytest.mark.parametrize("text", ["", " \n\t", "-- a", "SELECT \0", 5, None, b"SELECT 1"])
def test_cache_refuses_what_is_no_text(text: Any) -> None:
    """A blank text or another type is a ParameterError, and is not kept."""  # P2
    cache = PlanCache(FACTS, ParameterStyle.DOLLAR)
    with pytest.raises(ParameterError):
        cache[text]
    assert not cache


@pytest.mark.parametrize("text", [f"SELECT '{'x' * 32_768}'", f"SELECT 1 IN ({'?, ' * 1_024}?)"])
def test_cache_keeps_no_heavy_plans(text: str) -> None:
    """A long text, or very many placeholders: made anew each time, and as good as any other."""
    cache = PlanCache(FACTS, ParameterStyle.DOLLAR)
    values = (1,) * text.count("?")
    assert cache[text].bind(values) == cache[text].bind(values)
    assert cache[text] is not cache[text]
    assert not cache
    light = f"SELECT '{'x' * 30_000}'"
    assert cache[light] is cache[light]
    assert list(cache) == [light]


def test_cache_between_threads() -> None:
    """Many threads see whole plans, and the bound holds."""  # X2
    cache = PlanCache(LITE, ParameterStyle.QMARK, limit=10)

    def work(start: int) -> bool:
        for number in range(400):
            values = list(range(number % 70))
            bound = cache[f"SELECT {(start + number) % 37}, a IN (:ids)"].bind(({"ids": values},))
            assert bound[1] == values
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))
    assert len(cache) <= 10


def test_at_names_follow_the_mapping() -> None:
    """The same text binds with or without an @name, as the mapping says."""  # P1
    made = plan("SELECT @a, :b")
    assert made.bind(({"b": 1},)) == ("SELECT @a, $1", (1,))
    with pytest.raises(ParameterError, match="mixes"):
        made.bind(({"a": 1, "b": 1},))
    made = plan("SELECT @a, @b")
    assert made.bind(({"b": 1},)) == ("SELECT @a, $1", (1,))
    assert made.bind(({"a": 2, "b": 1},)) == ("SELECT $1, $2", (2, 1))
