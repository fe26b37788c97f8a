"""PostgreSQL by ADBC.

The driver types a parameter by its Arrow type, so what the server infers is asked once per statement and kept in the
plan. What Arrow has no type for (jsonb, enums, inet, ranges …) is sent as text, and its placeholder gets the cast that
the server wants: ``$1`` becomes ``$1::text::"inet"``, unless a cast follows it already.

Results are read without COPY: a single row then takes a third of the time and 200,000 take as long, and EXPLAIN, SHOW
and CALL can't be copied. A stream is a cursor of the server's own.

What the driver can't do (1.13, measured): read types that Arrow does not have (they come as the bytes of PostgreSQL's
binary form, but for those that are text: enums, xml); read or write arrays of several dimensions (they come flat); tell
what COMMIT became, which is therefore asked before it is sent.
"""

from __future__ import annotations

import os
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote
from weakref import WeakKeyDictionary

import adbc_driver_manager as adbc
import msgspec

from sqlspec.adapters.adbc.arrow import TEXT, MisfitError, Reading, batch, is_vague, pa
from sqlspec.adapters.adbc.driver import AdbcWire, Connection, told
from sqlspec.adapters.adbc.place import Place, driver
from sqlspec.core.address import Address, read_url
from sqlspec.core.facts import ErrorFacts, ParameterStyle
from sqlspec.core.lexer import lex
from sqlspec.dialects.postgres import POSTGRES, RESET_SQL, error_facts, refuse_copy
from sqlspec.exceptions import ImproperConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlspec.core.plan import Plan
    from sqlspec.core.result import Answer
    from sqlspec.core.rows import Shape

__all__ = ("AdbcPostgresWire", "place")

_NO_COPY = {"adbc.postgresql.use_copy": "false"}
_AROUND = re.compile(
    r"(?:\[libpq\] )?(?:Failed to [^:]*?: |could not [^:]*?: |PGRES_FATAL_ERROR )*(?:(?:ERROR|FATAL):\s+)?"
    r"(.*?)(?:\n(?:DETAIL|HINT|LINE \d+|CONTEXT|Query was):?.*)?",
    re.DOTALL,
)
_WHOLE = frozenset({"SELECT", "VALUES", "INSERT", "UPDATE", "DELETE", "MERGE"})
"""What has done nothing at all when it fails."""
_UNKNOWN = re.compile(r"un\w+<oid:(\d+)>")
_TEXTS = {'"text"', '"varchar"', '"bpchar"', '"name"', '"char"', '"unknown"'}
_CUT_OFF = re.compile(
    r"server closed the connection|terminating connection|connection (?:not open|to server was lost)|SSL"
)


def place(options: Mapping[str, Any]) -> Place:
    """A server's database, by libpq's URL."""
    uri = options.get("uri")
    if uri is None:
        message = "The PostgreSQL driver of ADBC needs a uri like postgresql://user@host:5432/database."
        raise ImproperConfigurationError(message)
    url = read_url(uri, "uri", ("postgresql", "postgres"))
    named: dict[str, str] = {"database": os.fspath(options["database"])} if "database" in options else {}
    address = Address(named, url, "postgresql")
    module = driver("adbc_driver_postgresql", "adbc-driver-postgresql", "adbc-postgresql")
    if named:
        uri += f"{'&' if '?' in uri else '?'}dbname={quote(named['database'], safe='')}"
    return Place(address.target, address.secrets, lambda: module.connect(uri, options.get("db_kwargs")))


class AdbcPostgresWire(AdbcWire):
    """PostgreSQL."""

    dialect = POSTGRES
    refused = "22000"
    style = ParameterStyle.DOLLAR
    streams_need_transaction = True
    statement_options = _NO_COPY
    stream_options = _NO_COPY
    reading = Reading({"arrow.json": msgspec.json.decode, "numeric": Decimal})

    def batch(self, connection: Connection, plan: Plan, sql: str, statement: Any, rows: list[Any]) -> Any:
        """Parameters as the server wants them typed."""
        before = plan.learned
        learned = self.learned(connection, plan, sql, statement)
        try:
            found = batch(rows, learned.types)
        except MisfitError:
            if learned is not before:
                raise
            plan.learned = None  # tables may have changed
            return self.batch(connection, plan, sql, statement, rows)
        if learned.text is not sql:
            statement.set_sql_query(learned.text)
        return found

    def learned(self, connection: Connection, plan: Plan, sql: str, statement: Any) -> _Learned:
        """What the server said about the parameters of this statement."""
        known: _Learned | None = plan.learned
        if known is None or known.sql != sql:
            statement.prepare()
            fields = list(pa.schema(statement.get_parameter_schema()))
            known = plan.learned = _learn(sql, [_sent_as(field, self._name(connection, field)) for field in fields])
        return known

    def _name(self, connection: Connection, field: Any) -> str:
        """How PostgreSQL calls the type of a parameter; those made lately the driver does not know."""
        metadata: dict[bytes, bytes] = field.metadata or {}
        name = metadata.get(b"POSTGRESQL:type", b"").decode()
        unknown = _UNKNOWN.fullmatch(name)
        if unknown:
            found: str = self.rows(connection, f"SELECT format_type({unknown[1]}, NULL)")[0][0]
            return found
        is_array = hasattr(field.type, "value_type")  # called by an underscore and the element's name
        quoted = '"' + (name.removeprefix("_") if is_array else name).replace('"', '""') + '"'
        return f"{quoted}[]" if is_array else quoted

    def run(self, connection: Connection, plan: Plan, sql: str, args: Any, limit: int | None) -> Answer:
        """Run one statement; once more if what was learned of it did not fit the tables and no transaction is open."""
        refuse_copy(plan)
        before = plan.learned
        try:
            return super().run(connection, plan, sql, args, limit)
        except adbc.Error as error:
            _forget(plan, error)
            is_stale = before is not None and (error.sqlstate or "").startswith("42") and plan.verb in _WHOLE
            if not is_stale or self.in_transaction(connection):
                raise
        return self.run(connection, plan, sql, args, limit)

    def run_many(self, connection: Connection, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        """All rows in one batch."""
        refuse_copy(plan)
        try:
            return super().run_many(connection, plan, sql, rows)
        except adbc.Error as error:
            _forget(plan, error)
            raise

    def command(self, connection: Connection, sql: str) -> str | None:
        """A COMMIT that will be a rollback says so."""
        is_aborted = _status(connection) == "inerror"
        self.send(connection, sql)
        return "ROLLBACK" if is_aborted and sql.upper().startswith("COMMIT") else None

    def open_stream(self, connection: Connection, plan: Plan, sql: str, args: Any, chunk_size: int) -> Any:
        """A cursor, which lives until its transaction ends; what writes can't have one and is run as a whole."""
        refuse_copy(plan)
        if plan.is_write or plan.verb not in ("SELECT", "VALUES", "TABLE"):
            return super().open_stream(connection, plan, sql, args, chunk_size)
        return _Cursor(self, connection, plan, sql, args)

    def in_transaction(self, connection: Connection) -> bool:
        """As the protocol says, aborted ones included."""
        return _status(connection) in ("intrans", "inerror", "active")

    def is_usable(self, connection: Connection) -> bool:
        """False once the socket is closed."""
        return connection.is_open and _status(connection) != "unknown"

    def clean(self, connection: Connection) -> None:
        """What a session can leave behind, in one round trip."""
        super().clean(connection)
        self.send(connection, RESET_SQL)

    def read_error(self, error: BaseException) -> ErrorFacts:
        """What PostgreSQL's error says, without its DETAIL: that shows values."""
        if not isinstance(error, adbc.Error):
            return ErrorFacts(str(error), code="22000", sqlstate="22000")
        told_apart: Any = error.details  # keys are bytes, other than the stubs say
        details: dict[str, str] = {key.decode(): value.decode(errors="replace") for key, value in told_apart}
        found = _AROUND.fullmatch(told(error))
        message = details.get("PG_DIAG_MESSAGE_PRIMARY") or (found[1] if found else told(error))
        state = error.sqlstate
        if state is None:
            state = "08001" if "Failed to connect" in str(error) else "08006" if _CUT_OFF.search(message) else None
        return error_facts(
            message,
            state,
            constraint=details.get("PG_DIAG_CONSTRAINT_NAME"),
            table=details.get("PG_DIAG_TABLE_NAME"),
            column=details.get("PG_DIAG_COLUMN_NAME"),
            position=_without_casts(details.get("PG_DIAG_STATEMENT_POSITION"), _casts.get(error, ())),
        )


# Parameters -----------------------------------------------------------------------------------------------------------


class _Learned(NamedTuple):
    """What is known about the parameters of a statement.

    Attributes:
        sql: The statement.
        text: What is sent: with casts where Arrow lacks the type.
        types: The Arrow type of each parameter.
        casts: Each cast with its place in ``text``.
    """

    sql: str
    text: str
    types: list[Any]
    casts: list[tuple[int, str]]


def _learn(sql: str, sent: Sequence[tuple[Any, str]]) -> _Learned:
    text, done, casts = "", 0, list[tuple[int, str]]()
    if any(cast for _, cast in sent):
        for found in lex(sql, POSTGRES.lexical).placeholders:
            cast = sent[int(found.name) - 1][1]
            text += sql[done : found.end]
            done = found.end
            if cast and not sql[done:].lstrip().startswith("::"):
                casts.append((len(text), cast))
                text += cast
    return _Learned(sql, text + sql[done:] if casts else sql, [kind for kind, _ in sent], casts)


def _sent_as(field: Any, name: str) -> tuple[Any, str]:
    """The Arrow type of a parameter, and the cast that makes of it what the server wants."""
    kind: Any = field.type
    element: Any = getattr(kind, "value_type", kind)
    if name in ('"jsonb"', '"jsonb"[]'):
        return kind, f"::{name}"
    is_opaque = isinstance(element, pa.OpaqueType) and not is_vague(element)
    if not is_opaque and (element != pa.string() or name.removesuffix("[]") in _TEXTS):
        return kind, ""
    return (pa.list_(TEXT), f"::text[]::{name}") if name.endswith("[]") else (TEXT, f"::text::{name}")


def _without_casts(position: str | None, casts: Sequence[tuple[int, str]]) -> int | None:
    """A place in what was sent, from 1, as one in the statement."""
    if position is None:
        return None
    return int(position) - sum(len(cast) for at, cast in casts if at < int(position) - 1)


_casts: WeakKeyDictionary[adbc.Error, Sequence[tuple[int, str]]] = WeakKeyDictionary()
"""Those in what was sent when it failed: an error outlives what is known of its statement."""


def _forget(plan: Plan, error: adbc.Error) -> None:
    """Tables may have changed. Where a statement failed is told by its place in what was sent, with the casts."""
    known: _Learned | None = plan.learned
    if known is not None:
        _casts[error] = known.casts
        plan.learned = None


def _status(connection: Connection) -> str:
    return connection.adbc_connection.get_option("adbc.postgresql.transaction_status") if connection.is_open else ""


# Streams --------------------------------------------------------------------------------------------------------------


class _Cursor:
    """A cursor of the server's."""

    def __init__(self, wire: AdbcPostgresWire, connection: Connection, plan: Plan, sql: str, args: Any) -> None:
        self._wire = wire
        self._connection = connection
        self._name = f"sqlspec_{id(self)}"
        statement = connection.begin_statement(sql, _NO_COPY)
        try:  # the statement by itself first: its faults are told with their place in it
            self.shape: Shape = plan.learn(tuple(pa.schema(statement.execute_schema()).names))
            parameters = wire.parameters(connection, plan, sql, statement, args) if args else None
            sent = wire.learned(connection, plan, sql, statement).text if args else sql
            statement.set_sql_query(f"DECLARE {self._name} NO SCROLL CURSOR FOR {sent}")
            if parameters is not None:
                statement.bind(parameters)
            statement.execute_update()
        finally:
            connection.end_statement(statement)

    def fetch(self, count: int) -> Sequence[Any]:
        """The next rows."""
        return self._wire.rows(self._connection, f"FETCH {count} FROM {self._name}")

    def close(self) -> None:
        """In a transaction of the session's own it would live on."""
        if _status(self._connection) == "intrans":
            self._wire.send(self._connection, f"CLOSE {self._name}")
