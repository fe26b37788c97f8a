"""What an adapter has to know of a connection of psqlpy that this does not tell: its process and its statements.

psqlpy prepares a statement on its first use in a connection and keeps it. Its columns are told, the types of its
parameters are not: the server is asked for them, once per statement and connection, because a parameter written in the
format of another type may be stored as another value without any complaint.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

from psqlpy import extra_types
from psqlpy.exceptions import PyToRustValueMappingError
from psqlpy.extra_types import CustomType

from sqlspec.adapters.psqlpy import binary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psqlpy import Connection

    from sqlspec.adapters.psqlpy.binary import Encoder

__all__ = ("Backend", "Prepared", "Preparer")

STATEMENTS_KEPT = 1000
"""psqlpy never forgets a prepared statement: a connection with more of them is replaced when it comes back."""

_TYPES = """
SELECT CASE WHEN kind.typtype = 'e' OR kind.typcategory = 'S' THEN 25 ELSE kind.oid END::int8,
       coalesce(item.oid, 0)::int8,
       CASE WHEN item.typtype = 'e' OR item.typcategory = 'S' THEN 25 ELSE coalesce(item.oid, 0) END::int8,
       kind.typname::text
FROM unnest((
    SELECT parameter_types FROM pg_prepared_statements WHERE statement = $1 ORDER BY prepare_time DESC LIMIT 1
)) WITH ORDINALITY AS given (type, place)
JOIN pg_type AS named ON named.oid = given.type
JOIN pg_type AS kind ON kind.oid = coalesce(nullif(named.typbasetype, 0), named.oid)
LEFT JOIN pg_type AS item ON item.oid = kind.typelem AND kind.typcategory = 'A'
ORDER BY given.place
"""
"""What writes enums and texts of all kinds writes text; a domain is written as what it is made of."""

_PSQLPYS = re.compile(r"\$\([^)]*\)p")
_OWN = tuple(kind for kind in vars(extra_types).values() if isinstance(kind, type))


class Backend:
    """The other end of a connection.

    Attributes:
        pid: The process that serves it.
        statements: What is prepared there, by the text as it was wanted.
        prepared: How many were, ever.
        renewals: How often they were prepared anew; a blank behind the text for each makes psqlpy forget the old ones.
        is_lost: It is known to be gone.
        is_busy: Something may still run there.
    """

    __slots__ = ("is_busy", "is_lost", "pid", "prepared", "renewals", "statements")

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.statements: dict[str, Prepared] = {}
        self.prepared = 0
        self.renewals = 0
        self.is_lost = False
        self.is_busy = False

    @property
    def is_worn(self) -> bool:
        """Whether too much is kept there."""
        return self.prepared > STATEMENTS_KEPT

    def renew(self) -> None:
        """What was prepared is of no more use."""
        self.renewals += 1
        self.statements.clear()


class Prepared:
    """A statement in one connection.

    Attributes:
        text: As psqlpy knows it.
        columns: Of its rows.
    """

    __slots__ = ("_encoders", "_types", "columns", "text")

    def __init__(self, text: str, columns: tuple[str, ...], encoders: list[Encoder | None], types: list[str]) -> None:
        self.text = text
        self.columns = columns
        self._encoders = encoders
        self._types = types

    def encode(self, values: Sequence[Any]) -> list[Any]:
        """The values as psqlpy takes them to the server unchanged; its own types as they are.

        Raises:
            PyToRustValueMappingError: One does not fit its place.
        """
        encoded: list[Any] = []
        try:
            for encoder, value in zip(self._encoders, values, strict=True):
                if value is None or isinstance(value, _OWN):
                    encoded.append(value)
                elif encoder is None:
                    raise TypeError
                else:
                    encoded.append(CustomType(encoder(value)))
        except (TypeError, ValueError, ArithmeticError, AttributeError, RecursionError, struct.error):
            raise self._misfit(values, len(encoded)) from None
        return encoded

    def _misfit(self, values: Sequence[Any], place: int) -> PyToRustValueMappingError:
        if len(values) != len(self._encoders):
            message = f"the statement has {len(self._encoders)} parameters, not {len(values)}"
            return PyToRustValueMappingError(message)
        kind = self._types[place]
        message = f"the value of ${place + 1} does not fit: the server wants {kind}, got {type(values[place]).__name__}"
        if self._encoders[place] is None:
            message += f", and psqlpy can't send that type. Write it as text, ${place + 1}::text::{kind}"
        return PyToRustValueMappingError(message)


class Preparer:
    """Prepares statements.

    Args:
        to_json: Writes JSON.
    """

    def __init__(self, to_json: Callable[[Any], str]) -> None:
        self._encoders: dict[int, Encoder] = {
            **binary.ENCODERS,
            binary.JSON: lambda value: to_json(value).encode(),
            binary.JSONB: lambda value: b"\1" + to_json(value).encode(),
        }

    async def prepare(self, connection: Connection, backend: Backend, sql: str, has_parameters: bool) -> Prepared:
        """Prepare a statement and learn its columns and parameters.

        Raises:
            PyToRustValueMappingError: psqlpy would change its text.
        """
        if _PSQLPYS.search(sql):
            message = "psqlpy takes $(name)p for a placeholder of its own, inside strings too. Write '$' || '(name)p'"
            raise PyToRustValueMappingError(message)
        blanks = " " * backend.renewals
        text = sql + blanks
        # With no parameter at all psqlpy tells no columns.
        statement = await connection.prepare(text, [None])
        columns = tuple([column.name for column in statement.columns()])
        del statement  # it would hold the connection open
        backend.prepared += 1
        encoders: list[Encoder | None] = []
        types: list[str] = []
        if has_parameters:
            found = await connection.execute(_TYPES + blanks, [CustomType(text.encode())])
            rows: list[tuple[Any, ...]] = found.result(as_tuple=True)
            encoders = [self._encoder(*row[:3]) for row in rows]
            types = [row[3] for row in rows]
        prepared = backend.statements[sql] = Prepared(text, columns, encoders, types)
        return prepared

    def _encoder(self, kind: int, item: int, item_kind: int) -> Encoder | None:
        if not item:
            return self._encoders.get(kind)
        write = self._encoders.get(item_kind)
        return None if write is None else binary.array_encoder(item, write)
