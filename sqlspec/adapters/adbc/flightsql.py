"""Flight SQL by ADBC: a server that speaks SQL and Arrow, of whatever make.

What its SQL is like is not known, so nothing but the standard is taken for granted: no savepoints, and an error is
taken to abort the transaction. ``driver_features={"dialect": "duckdb"}`` says more about servers that have DuckDB
inside.

Transactions are those of the protocol (BeginTransaction, EndTransaction), which ADBC makes of the autocommit mode:
BEGIN turns it off, COMMIT on again. The protocol has no isolation levels, and a server may have no transactions.
What the driver can't do (1.13, measured): cancel a connection (a statement it can); work in a forked process, since it
is a library in Go; tell what went wrong by more than the server's message and a gRPC code.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from uuid import UUID

import adbc_driver_manager as adbc

from sqlspec import exceptions as e
from sqlspec.adapters.adbc.arrow import pa
from sqlspec.adapters.adbc.driver import AdbcWire, Connection, told
from sqlspec.adapters.adbc.duckdb import READING
from sqlspec.adapters.adbc.place import Place, driver
from sqlspec.core import values
from sqlspec.core.address import Address, read_url
from sqlspec.core.facts import NATIVE_TYPES, BeginOptions, DialectFacts, ErrorFacts, ParameterStyle
from sqlspec.dialects.duckdb import DUCKDB, read_message
from sqlspec.exceptions import ImproperConfigurationError, TransactionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlspec.core.plan import Plan
    from sqlspec.exceptions import DatabaseError

__all__ = ("AdbcFlightDuckdbWire", "AdbcFlightWire", "place")

_SCHEMES = ("grpc", "grpc+tls", "grpc+tcp", "grpc+unix")
_BEGIN = re.compile(r"(?:BEGIN(?:\s+(?:WORK|TRANSACTION))?|START\s+TRANSACTION)\s*;?\s*", re.IGNORECASE)
_COMMIT = re.compile(r"(?:COMMIT|END)(?:\s+(?:WORK|TRANSACTION))?\s*;?\s*", re.IGNORECASE)
_ROLLBACK = re.compile(r"(?:ROLLBACK|ABORT)(?:\s+(?:WORK|TRANSACTION))?\s*;?\s*", re.IGNORECASE)
_AROUND = re.compile(r"(?:\[Flight ?SQL[^\]]*\] )?(.*?)(?:\. Detail: .*| \(\w+; [^()]*(?:\([^()]*\))?\))?", re.DOTALL)

_BY_GRPC_CODE: dict[int, type[DatabaseError]] = {
    1: e.StatementTimeoutError,  # cancelled: nobody but our time limit does
    3: e.ProgrammingError,  # invalid argument
    4: e.StatementTimeoutError,  # deadline exceeded: the driver's own time limits
    5: e.ProgrammingError,  # not found
    7: e.PermissionDeniedError,
    8: e.OperationalError,  # resource exhausted
    10: e.SerializationError,  # aborted
    12: e.ProgrammingError,  # not implemented
    13: e.OperationalError,  # internal
    14: e.ConnectionLostError,  # unavailable
    16: e.ConnectionFailedError,  # unauthenticated
}
_BY_NAME = {"Canceled": 1, "DeadlineExceeded": 4, "PermissionDenied": 7, "Unavailable": 14, "Unauthenticated": 16}
_UNKNOWN = 2
_UNREACHABLE = {4, 14, 16}


def place(options: Mapping[str, Any]) -> Place:
    """A server, by its URL; user and password may stand there or in ``db_kwargs``."""
    if "uri" not in options or "database" in options:
        message = "The Flight SQL driver of ADBC needs a uri like grpc://host:port, and no 'database'."
        raise ImproperConfigurationError(message)
    url = read_url(options["uri"], "uri", _SCHEMES)
    address = Address({}, url, url.scheme)
    account = {"username": unquote(url.user), "password": unquote(url.password)} if url.user else {}
    keys: dict[str, Any] = {**account, **options.get("db_kwargs", {})}
    uri = re.sub(r"//[^/@]*@", "//", options["uri"])
    module = driver("adbc_driver_flightsql", "adbc-driver-flightsql", "adbc-flightsql")
    return Place(address.target, address.secrets, lambda: module.connect(uri, keys), forks=False)


def begin_sql(options: BeginOptions) -> tuple[str, ...]:
    """The protocol knows no more than this."""
    if options.isolation is not None or options.read_only:
        message = "Transactions of Flight SQL have neither isolation levels nor a read-only mode."
        raise e.TransactionError(message)
    return ("BEGIN",)


def begin_sql_duckdb(options: BeginOptions) -> tuple[str, ...]:
    """As DuckDB, but for the mode."""
    DUCKDB.begin_sql(options)
    return begin_sql(replace(options, isolation=None))


def classify(error: ErrorFacts) -> type[DatabaseError]:
    """Which of our exceptions a gRPC code is."""
    return _BY_GRPC_CODE.get(error.code, e.DatabaseError) if isinstance(error.code, int) else e.DatabaseError


def classify_duckdb(error: ErrorFacts) -> type[DatabaseError]:
    """By what DuckDB said, if it was DuckDB."""
    return classify(error) if isinstance(error.code, int) else DUCKDB.classify(error)


def _duration(value: dt.timedelta) -> Any:
    """As Arrow's duration; an interval would have months, which not every server takes."""
    return pa.scalar(value, pa.duration("us"))


FLIGHTSQL = DialectFacts(
    name="flightsql",
    begin_sql=begin_sql,
    classify=classify,
    error_aborts_transaction=True,
    savepoints=False,
    native_types=NATIVE_TYPES | {bool, Decimal, dt.datetime, dt.date, dt.time, list, tuple},
    encoders={UUID: values.uuid_text, dt.timedelta: _duration, dict: values.json_text, Enum: values.enum_value},
)


class AdbcFlightWire(AdbcWire):
    """A Flight SQL server."""

    dialect = FLIGHTSQL
    style = ParameterStyle.QMARK
    reading = READING

    def set_up(self, connection: Connection, statements: Sequence[str]) -> None:
        """The driver contacts the server when it has to, and not before; a server that is down is one now."""
        try:
            with pa.RecordBatchReader.from_stream(connection.adbc_connection.get_info()) as reader:
                reader.read_all()
        except adbc.Error as error:
            if error.vendor_code in _UNREACHABLE:
                raise

    def batch(self, connection: Connection, plan: Plan, sql: str, statement: Any, rows: list[Any]) -> Any:
        """Only a prepared statement takes parameters."""
        found = super().batch(connection, plan, sql, statement, rows)
        statement.prepare()
        return found

    def command(self, connection: Connection, sql: str) -> str | None:
        """What begins and ends transactions is no SQL here."""
        driver_connection = connection.adbc_connection
        if _BEGIN.fullmatch(sql):
            if self.in_transaction(connection):  # the driver would begin another one, and what is open would stay
                message = f"A transaction is open already, and can't hold another one. Statement: {sql}"
                raise TransactionError(message)
            driver_connection.set_autocommit(False)
        elif _COMMIT.fullmatch(sql) or _ROLLBACK.fullmatch(sql):
            if self.in_transaction(connection):
                if _ROLLBACK.fullmatch(sql):
                    driver_connection.rollback()
                driver_connection.set_autocommit(True)  # which commits what is open
        else:
            return super().command(connection, sql)
        self.transactions.note(connection, sql)
        return None

    def recover(self, connection: Connection) -> None:
        """The driver's connection outlives the server; it is closed if that does not answer any more."""
        super().recover(connection)
        self.set_up(connection, ())

    def read_error(self, error: BaseException) -> ErrorFacts:
        """The server's message, and the gRPC code."""
        found = _AROUND.fullmatch(told(error))
        message = found[1] if found else told(error)
        code = error.vendor_code if isinstance(error, adbc.Error) else _code_of(str(error))
        if isinstance(error, adbc.NotSupportedError):
            code = code or 12
        return ErrorFacts(message, code=code if code != _UNKNOWN else None)


def _code_of(message: str) -> int | None:
    """While rows are read, the code is told by its name only."""
    named = re.search(r" \((\w+); ", message)
    return _BY_NAME.get(named[1]) if named else None


class AdbcFlightDuckdbWire(AdbcFlightWire):
    """A Flight SQL server that is DuckDB inside."""

    dialect = replace(
        DUCKDB,
        begin_sql=begin_sql_duckdb,
        classify=classify_duckdb,
        native_types=DUCKDB.native_types - {dt.timedelta},
        encoders={**DUCKDB.encoders, dt.timedelta: _duration},
    )

    def read_error(self, error: BaseException) -> ErrorFacts:
        """What DuckDB's message tells."""
        facts = super().read_error(error)
        return facts if facts.code is not None else read_message(facts.message)
