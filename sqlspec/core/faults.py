"""From what a driver's exception told to the exception that the user sees. Pure.

The message says what the database said and where in the user's own text: the driver saw a rewritten one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlspec.core.facts import DialectFacts, ErrorFacts
    from sqlspec.core.plan import Plan
    from sqlspec.exceptions import DatabaseError

__all__ = ("describe_fault",)


def describe_fault(facts: ErrorFacts, dialect: DialectFacts, plan: Plan | None, sql: str) -> DatabaseError:
    """The exception for a fault.

    Args:
        facts: What the adapter read off the driver's exception.
        dialect: Says which class it is.
        plan: Of the statement that failed; None for BEGIN and the like.
        sql: What was sent.
    """
    statement = sql if plan is None else plan.text
    message = _without_values(facts, statement) + _place(facts, plan, sql)
    if dialect.refuses_transactions(facts):
        message = f"{message.removesuffix('.')}. {_OUTSIDE}"
    return dialect.classify(facts)(
        f"{message}\nStatement: {statement}",
        code=facts.code,
        sqlstate=facts.sqlstate,
        constraint=facts.constraint,
        table=facts.table,
        column=facts.column,
        statement=statement,
    )


_OUTSIDE = (
    "Run it outside of transactions: in a session of provide_session(config), not inside begin() or transaction()."
)
"""In a web request every statement runs in a transaction."""


def _without_values(facts: ErrorFacts, statement: str) -> str:
    """The message, but for what it quotes and is neither in the statement nor a name that the database told.

    That may be a value: ``SELECT $1::regclass`` is answered by ``relation "…" does not exist``. A value may hold
    quotes, so everything up to the last one goes.
    """
    message = facts.message.strip()
    names = (facts.constraint, facts.table, facts.column)
    for quoted in _QUOTED.finditer(message):
        if quoted[1] not in statement and quoted[1] not in names:
            return message[: quoted.start()] + '"…"' + message[message.rindex('"') + 1 :]
    return message


_QUOTED = re.compile(r'"([^"]*)"')


def _place(facts: ErrorFacts, plan: Plan | None, sql: str) -> str:
    if plan is None:
        return ""
    offset = facts.position
    if offset is None and facts.near and sql.count(facts.near) == 1:
        offset = sql.index(facts.near)
    found = None if offset is None else plan.locate(offset, sql)
    return "" if found is None else f" (line {found[0]}, column {found[1]})"
