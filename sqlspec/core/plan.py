"""Plan: everything known about a statement from its text alone; and the bounded cache of plans.

A plan is made once per text, dialect and driver style, and shared by all sessions and threads. It knows no connection
and no schema. What it learns later (binders, the shape of its rows) is written in one assignment and comes out the same
for whoever writes it, so that no lock is held while binding.

One rule stands before all others: without parameters the text goes out as the user's own object, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, Any

from sqlspec.core.lexer import lex, place
from sqlspec.core.parameters import MappingBinder, SequenceBinder, stray_placeholders, wrong_count
from sqlspec.core.rows import Shape
from sqlspec.core.script import split
from sqlspec.core.traits import traits_of
from sqlspec.exceptions import ParameterError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Sequence

    from sqlspec.core.facts import DialectFacts, ParameterStyle
    from sqlspec.core.lexer import Lexed
    from sqlspec.core.parameters import Bound

__all__ = ("Plan", "PlanCache", "not_a_text")

_SCALARS = frozenset({int, str, float, bytes, bool, type(None)})

_NAMED_BY_TEXT = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_HOLDS_STATEMENTS = frozenset({"PREPARE", "CREATE", "DO", "ALTER", "EXPLAIN", "COMMENT", "DECLARE", "EXECUTE"})
"""Verbs of statements in which ``$1`` may be a placeholder of the database's own."""

_CALLS = frozenset({"CALL", "EXECUTE", "DO", "BEGIN"})
_UNDOES = frozenset({"ROLLBACK", "ABORT"})

_WEIGHT_KEPT = 32 * 1024
"""In characters. A heavier plan is made anew each time: a long text mostly holds its values and is never met again."""
_WEIGHT_OF_PLACEHOLDER = 32


class Plan:
    """A statement, ready to be bound.

    Attributes:
        text: The statement as the user wrote it.
        verb: Its first word in upper case; the main statement's for WITH; "" if there is none.
        returns_rows: Rows can come back.
        is_write: It is not known to only read.
        controls_transaction: It begins or ends a transaction or a savepoint.
        may_end_transaction: What it calls may commit or roll back; or it depends on the server what it is.
        ends_transaction: It ends the open transaction, even if a new one begins at once (AND CHAIN).
        commits: It ends it to save its work, or to keep it for later: COMMIT, END, PREPARE TRANSACTION.
        changes_session: It leaves something in the connection that no reset takes away for certain: temporary tables,
            prepared statements, attached databases, another user, pragmas.
        commits_implicitly: It would commit an open transaction without being asked.
        is_heavy: It takes more memory than a cache should keep.
        names_are_fixed: Its text alone says what its columns are called: no ``*`` that follows the tables.
        shape: The columns that the adapter saw last, if any.
        learned: What else the adapter learned about the statement: its own note, which nobody else reads.
    """

    __slots__ = (
        "_at_names",
        "_bare",
        "_by_name",
        "_by_place",
        "_count",
        "_facts",
        "_is_native",
        "_lexed",
        "_sql",
        "_style",
        "changes_session",
        "commits",
        "commits_implicitly",
        "controls_transaction",
        "ends_transaction",
        "is_heavy",
        "is_write",
        "learned",
        "may_end_transaction",
        "names_are_fixed",
        "returns_rows",
        "shape",
        "text",
        "verb",
    )

    def __init__(self, text: str, facts: DialectFacts, style: ParameterStyle) -> None:
        _check_characters(text)
        lexed = lex(text, facts.lexical)
        traits = traits_of(lexed.code)
        self.verb = verb = traits.verb
        if not verb and not lexed.code.replace(";", " ").strip():
            raise ParameterError("The statement holds no SQL.", statement=text)
        self.text = text
        self.returns_rows = traits.returns_rows
        self.is_write = traits.is_write
        self.controls_transaction = traits.controls_transaction
        self.ends_transaction = traits.ends_transaction
        self.commits = traits.ends_transaction and verb not in _UNDOES
        self.may_end_transaction = verb in _CALLS or lexed.is_conditional
        self.changes_session = traits.changes_session or _holds(facts.changes_session, lexed.code)
        self.commits_implicitly = _starts_with(facts.implicit_commit, lexed.code)
        self.names_are_fixed = verb in _NAMED_BY_TEXT and not _has_star(lexed.code)
        self.is_heavy = len(text) + _WEIGHT_OF_PLACEHOLDER * len(lexed.placeholders) > _WEIGHT_KEPT
        self.shape: Shape | None = None
        self.learned: Any = None
        self._lexed: Lexed | None = lexed  # until something is made of it
        self._at_names = lexed.at_names
        self._facts = facts
        self._style = style
        self._is_native = facts.native_types.issuperset
        self._bare: tuple[str, Sequence[Any]] | None = None
        self._by_place: SequenceBinder | None = None
        self._by_name: dict[frozenset[str], MappingBinder] = {}
        self._sql = text
        self._count = -1  # how many native values may pass as they come; -1: none, or not known yet

    def bind(self, parameters: tuple[Any, ...]) -> Bound:
        """The driver's text and arguments for what a session method got after the statement.

        The text is the same object each time unless it depends on the values.

        Raises:
            ParameterError: Placeholders and parameters do not fit.
        """
        values: Sequence[Any] = parameters
        if len(values) == 1:
            first: object = values[0]
            kind = type(first)
            if kind not in _SCALARS:
                if issubclass(kind, (tuple, list)):
                    values = values[0]
                elif issubclass(kind, (dict, Mapping)):
                    return self._bind_mapping(values[0])
        if len(values) == self._count and self._is_native(map(type, values)):
            return self._sql, values
        return self._bind_sequence(values)

    def bind_many(self, rows: Iterable[Any]) -> tuple[str, list[Any]]:
        """The driver's text, and its arguments for each row: all tuples or lists, or all mappings.

        Raises:
            ParameterError: A row does not fit; it is told by its number.
        """
        self.refuse_control("execute_many()")
        try:
            each = iter(rows)
        except TypeError:
            raise _no_rows(self.text, rows) from None
        rows = list(each)
        if not rows:
            return self.text, rows
        if issubclass(type(rows[0]), Mapping):
            return self._mapping_binder(rows[0]).many(rows)
        return self._sequence_binder().many(rows)

    def refuse_control(self, method: str) -> None:
        """For methods that don't look what a statement did to the transaction.

        Raises:
            ParameterError: It begins or ends one, or a savepoint.
        """
        if self.controls_transaction:
            message = f"{method} can't begin or end transactions. Use begin(), commit(), rollback(), transaction()."
            raise ParameterError(message, statement=self.text)

    def learn(self, columns: tuple[str, ...], key: Any = None) -> Shape:
        """Remember the columns of the rows."""
        shape = self.shape = Shape(columns, key)
        return shape

    def locate(self, offset: int, sql: str | None = None) -> tuple[int, int] | None:
        """Line and column in the user's text, from 1, of an offset in the driver's text.

        Args:
            offset: In characters, from 0.
            sql: The text that was sent; by default the one for plain values.
        """
        if offset < 0:
            return None
        binders = [binder for binder in (self._by_place, *self._by_name.values()) if binder is not None]
        if sql is None and binders:
            offset = binders[0].layout.plain.origin(offset)
        elif sql is not None and sql != self.text:
            found = next((known for binder in binders if (known := binder.layout.find(sql))), None)
            if found is None:
                return None
            offset = found.origin(offset)
        return place(self.text, min(offset, len(self.text)))

    def _bind_sequence(self, values: Sequence[Any]) -> Bound:
        if not values:
            return self._bare or self._bind_nothing()
        binder = self._by_place or self._sequence_binder()
        return binder.bind(values)

    def _bind_mapping(self, values: Mapping[str, Any]) -> Bound:
        if not values:
            return self._bare or self._bind_nothing()
        return self._mapping_binder(values).bind(values)

    def _bind_nothing(self) -> tuple[str, Sequence[Any]]:
        lexed = self._single()
        if self.verb not in _HOLDS_STATEMENTS:
            wanted = stray_placeholders(lexed, self._facts)
            if wanted:
                raise wrong_count(self.text, wanted, 0)
        bare = self._bare = (self.text, ())
        self._lexed = None
        return bare

    def _sequence_binder(self) -> SequenceBinder:
        binder = self._by_place
        if binder is None:
            binder = self._by_place = SequenceBinder(self._single(), self._facts, self._style)
            self._sql = binder.sql
            self._count = binder.count if binder.passes_through else -1
            self._lexed = None
        return binder

    def _mapping_binder(self, values: Mapping[str, Any]) -> MappingBinder:
        """The binder for these names. They matter only where the text holds an ``@name``, which may be a variable."""
        at_names = self._at_names
        supplied = at_names.intersection(values) if at_names else at_names
        binder = self._by_name.get(supplied)
        if binder is None:
            binder = MappingBinder(self._single(), self._facts, self._style, supplied)
            self._by_name[supplied] = binder
            self._lexed = None
        return binder

    def _single(self) -> Lexed:
        """What the lexer found, in a text that is one statement."""
        lexed = self._lexed or lex(self.text, self._facts.lexical)
        if not lexed.ends or not lexed.code[lexed.ends[0] :].strip("; \t\r\n\f\v"):
            return lexed
        if len(split(self.text, self._facts.lexical)) > 1:
            message = "execute() takes one statement; use execute_script() for several."
            raise ParameterError(message, statement=self.text)
        return lexed


class PlanCache(dict[str, Plan]):
    """Plans by text: ``cache[text]`` makes what is missing. Bounded; the oldest go first. Safe between threads.

    Heavy plans are not kept.

    Args:
        facts: The dialect.
        style: The placeholders that the driver wants.
        limit: How many plans are kept.
    """

    __slots__ = ("_facts", "_limit", "_making", "_style")

    def __init__(self, facts: DialectFacts, style: ParameterStyle, limit: int = 1000) -> None:
        super().__init__()
        self._facts = facts
        self._style = style
        self._limit = limit
        self._making = Lock()

    def __missing__(self, text: object) -> Plan:
        if not isinstance(text, str):
            raise not_a_text(text)
        plan = Plan(text, self._facts, self._style)
        if plan.is_heavy:
            return plan
        with self._making:
            if len(self) >= self._limit:  # many at once: finding the oldest takes longer the more went before
                for oldest in list(islice(self, self._limit // 8 + 1)):
                    del self[oldest]
            return self.setdefault(text, plan)


def not_a_text(statement: object) -> ParameterError:
    """The error for a statement that is no text; the cache is never asked about one that has no hash."""
    return ParameterError(f"A statement is a text, not a value of type {type(statement).__name__}.")


def _holds(pattern: re.Pattern[str] | None, code: str) -> bool:
    return pattern is not None and pattern.search(code) is not None


def _starts_with(pattern: re.Pattern[str] | None, code: str) -> bool:
    return pattern is not None and pattern.match(code.lstrip("; \t\r\n\f\v")) is not None


def _has_star(code: str) -> bool:
    """Whether some ``*`` may stand for columns; ``count(*)`` does not."""
    return "*" in code and code.count("*") > code.count("(*)")


def _check_characters(text: str) -> None:
    """Refuse what costs the connection: PostgreSQL ends it at a NUL, asyncpg at what has no form in UTF-8."""
    if "\0" in text:
        raise _can_not_be_sent(text, "a NUL character", text.index("\0"))
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise _can_not_be_sent(text, "half of a surrogate pair", error.start) from None


def _can_not_be_sent(text: str, what: str, offset: int) -> ParameterError:
    line, column = place(text, offset)
    message = f"The statement holds {what} (line {line}, column {column}), which can't be sent."
    return ParameterError(message, statement=text)


def _no_rows(text: str, rows: object) -> ParameterError:
    message = f"The rows are of type {type(rows).__name__}; give a list of them, or anything that can be iterated."
    return ParameterError(message, statement=text)
