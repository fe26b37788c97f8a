"""From what a driver's exception told to the exception that the user sees. Pure.

The message says what the database said and where in the user's own text: the driver saw a rewritten one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlspec.core.facts import DialectFacts, ErrorFacts
    from sqlspec.core.plan import Plan
    from sqlspec.exceptions import DatabaseError

__all__ = ("describe_fault",)


def describe_fault(
    facts: ErrorFacts, dialect: DialectFacts, plan: Plan | None, sql: str, redact: Callable[[str], str]
) -> DatabaseError:
    """The exception for a fault.

    Args:
        facts: What the adapter read off the driver's exception.
        dialect: Says which class it is.
        plan: Of the statement that failed; None for BEGIN and the like.
        sql: What was sent.
        redact: Takes secrets out of a text.
    """
    statement = sql if plan is None else plan.text
    message = facts.message.strip() + _place(facts, plan, sql) + f"\nStatement: {statement}"
    return dialect.classify(facts)(
        redact(message),
        code=facts.code,
        sqlstate=facts.sqlstate,
        constraint=facts.constraint,
        table=facts.table,
        column=facts.column,
        statement=statement,
    )


def _place(facts: ErrorFacts, plan: Plan | None, sql: str) -> str:
    if plan is None:
        return ""
    offset = facts.position
    if offset is None and facts.near and sql.count(facts.near) == 1:
        offset = sql.index(facts.near)
    found = None if offset is None else plan.locate(offset, sql)
    return "" if found is None else f" (line {found[0]}, column {found[1]})"
