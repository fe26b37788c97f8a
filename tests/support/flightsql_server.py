"""A server of Arrow Flight SQL over DuckDB, for the tests: the program. ``flightsql.py`` starts and stops it.

It does what a server of a warehouse does, as the protocol has it:

- statements, asked or told, and prepared ones with bound parameters; each runs by itself (autocommit), or in the
  transaction whose id came with it. The sets of an update with several are all done or none is;
- transactions by BeginTransaction and EndTransaction; a statement that begins or ends one is refused;
- whoever hangs up or runs out of time interrupts the statement, and a transaction that nobody uses any more is
  rolled back after a while;
- the header ``x-database`` names one of any number of databases, each empty at first and in memory. The action
  ``DropDatabase`` forgets one;
- with a password, every call needs ``authorization``.

Rows are read while they are fetched, except in a transaction: there another statement may come in between.
"""

from __future__ import annotations

import base64
import secrets
import threading
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import duckdb

from tests.support.flightsql_database import Database, Prepared, Result, Transaction, check
from tests.support.flightsql_protocol import message, pa, sql_info, unwrapped, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from tests.support.flightsql_protocol import Fields

flight: Any = import_module("pyarrow.flight")
"""It has no types: what it hands over is Any."""

Base: Any = flight.FlightServerBase


class Server(Base):  # type: ignore[misc]
    """What Flight calls."""

    def __init__(self, location: str, password: str, patience: float) -> None:
        self._patience = patience
        self._lock = threading.Lock()
        self._databases: dict[str, Database] = {}
        Base.__init__(
            self, location, middleware={"call": Calls(password)}, auth_handler=Handshake() if password else None
        )

    def _database(self, context: Any) -> Database:
        name = context.get_middleware("call").database
        with self._lock:
            if name not in self._databases:
                self._databases[name] = Database(self._patience)
            return self._databases[name]

    # Asking

    def get_flight_info(self, context: Any, descriptor: Any) -> Any:
        with as_flight_errors():
            database = self._database(context)
            name, fields = unwrapped(descriptor.command)
            result = self._ask(context, database, name, fields)
            ticket = flight.Ticket(wrapped("TicketStatementQuery", message(database.keep(result))))
            endpoint = flight.FlightEndpoint(ticket, [])
            return flight.FlightInfo(result.reader.schema, descriptor, [endpoint], result.count, -1)

    def _ask(self, context: Any, database: Database, name: str, fields: Fields) -> Result:
        if name == "CommandStatementQuery":
            return database.ask(context, fields[1][0].decode(), None, _transaction(fields))
        if name == "CommandPreparedStatementQuery":
            prepared = _prepared(database, fields)
            return database.ask(context, prepared.sql, prepared.sets, prepared.transaction)
        if name == "CommandGetSqlInfo":
            table = sql_info(fields)
            return Result(table.to_reader(), table.num_rows)
        raise NotImplementedError(f"{name} is not supported")

    def do_get(self, context: Any, ticket: Any) -> Any:
        with as_flight_errors():
            database = self._database(context)
            _, fields = unwrapped(ticket.ticket)
            with database.lock:
                result = database.results.pop(fields[1][0], None)
            if result is None:
                raise flight.FlightServerError("there is no such answer: it was fetched, or nobody came for it")
            return flight.GeneratorStream(result.reader.schema, with_flight_errors(result.batches(database, context)))

    def get_schema(self, context: Any, descriptor: Any) -> Any:
        with as_flight_errors():
            database = self._database(context)
            name, fields = unwrapped(descriptor.command)
            if name == "CommandStatementQuery":
                return flight.SchemaResult(database.schema(fields[1][0].decode(), _transaction(fields)))
            prepared = _prepared(database, fields)
            return flight.SchemaResult(database.schema(prepared.sql, prepared.transaction))

    # Telling

    def do_put(
        self,
        context: Any,
        descriptor: Any,
        reader: Any,
        writer: Any,
    ) -> None:
        with as_flight_errors():
            database = self._database(context)
            name, fields = unwrapped(descriptor.command)
            if name == "CommandStatementUpdate":
                count = database.tell(context, fields[1][0].decode(), None, _transaction(fields))
                writer.write(pa.py_buffer(message(count)))
                return
            prepared = _prepared(database, fields)
            table = reader.read_all()
            if table.num_columns or prepared.names:
                prepared.bind(table)
            if name == "CommandPreparedStatementQuery":  # it binds; the rows are asked for afterwards
                writer.write(pa.py_buffer(message(fields[1][0])))
            elif name == "CommandPreparedStatementUpdate":
                count = database.tell(context, prepared.sql, prepared.sets, prepared.transaction)
                writer.write(pa.py_buffer(message(count)))
            else:
                raise NotImplementedError(f"{name} is not supported")

    # Preparing, transactions, databases

    def do_action(self, context: Any, action: Any) -> list[bytes]:
        with as_flight_errors():
            database = self._database(context)
            if action.type == "DropDatabase":
                with self._lock:
                    self._databases.pop(context.get_middleware("call").database).close()
                return []
            _, fields = unwrapped(action.body.to_pybytes())
            act = ACTIONS.get(action.type)
            if act is None:
                raise NotImplementedError(f"{action.type} is not supported")
            return act(database, fields)


def prepare(database: Database, fields: Fields) -> list[bytes]:
    sql = fields[1][0].decode()
    names = check(sql)
    rows = database.schema(sql, _transaction(fields))
    handle = secrets.token_bytes(16)
    database.statements[handle] = Prepared(sql, names, _transaction(fields))
    parameters = pa.schema([pa.field(name, pa.null()) for name in sorted(names, key=lambda name: (len(name), name))])
    schemas = (rows.serialize().to_pybytes(), parameters.serialize().to_pybytes())
    return [wrapped("ActionCreatePreparedStatementResult", message(handle, *schemas))]


def unprepare(database: Database, fields: Fields) -> list[bytes]:
    database.statements.pop(fields[1][0], None)
    return []


def begin(database: Database, fields: Fields) -> list[bytes]:
    handle = secrets.token_bytes(16)
    database.transactions[handle] = Transaction(database.connection.cursor())
    return [wrapped("ActionBeginTransactionResult", message(handle))]


def end(database: Database, fields: Fields) -> list[bytes]:
    transaction = database.transactions.pop(fields[1][0], None)
    if transaction is None:
        raise flight.FlightServerError("there is no such transaction: it has ended")
    transaction.end({1: "COMMIT", 2: "ROLLBACK"}[fields[2][0]])
    return []


ACTIONS: dict[str, Callable[[Database, Fields], list[bytes]]] = {
    "CreatePreparedStatement": prepare,
    "ClosePreparedStatement": unprepare,
    "BeginTransaction": begin,
    "EndTransaction": end,
}


def _prepared(database: Database, fields: Fields) -> Prepared:
    prepared = database.statements.get(fields[1][0])
    if prepared is None:
        raise flight.FlightServerError("there is no such prepared statement: it was closed")
    return prepared


def _transaction(fields: Fields) -> bytes:
    found: bytes = fields.get(2, [b""])[0]
    return found


@contextmanager
def as_flight_errors() -> Generator[None]:
    """What DuckDB says, without the server's traceback behind it."""
    try:
        yield
    except duckdb.InterruptException:
        raise flight.FlightCancelledError("the statement was interrupted") from None
    except (duckdb.Error, pa.ArrowException) as error:
        raise flight.FlightServerError(f"{error}") from None


def with_flight_errors(batches: Iterator[Any]) -> Iterator[Any]:
    with as_flight_errors():
        yield from batches


# Who calls, and for which database


class Call(flight.ServerMiddleware):  # type: ignore[misc]
    """One call."""

    def __init__(self, database: str, headers: dict[str, str]) -> None:
        self.database = database
        self._headers = headers

    def sending_headers(self) -> dict[str, str]:
        return self._headers


class Calls(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Reads the headers of each call: the database, and whether the caller may."""

    def __init__(self, password: str) -> None:
        self._password = password
        self._token = secrets.token_hex(16)

    def start_call(self, info: Any, headers: dict[str, list[str]]) -> Call:
        database = headers.get("x-database", [""])[0]
        if not self._password:
            return Call(database, {})
        kind, _, secret = headers.get("authorization", [""])[0].partition(" ")
        if kind == "Basic" and _password(secret) == self._password:
            return Call(database, {"authorization": f"Bearer {self._token}"})
        if kind == "Bearer" and secrets.compare_digest(secret, self._token):
            return Call(database, {})
        raise flight.FlightUnauthenticatedError("wrong user name or password")


def _password(basic: str) -> str:
    """The one in a header of basic authorization; the Go client leaves the padding out."""
    return base64.b64decode(basic + "==").decode().partition(":")[2]


class Handshake(flight.ServerAuthHandler):  # type: ignore[misc]
    """The call by which a client changes its password into a token; ``Calls`` does the work."""

    def authenticate(self, outgoing: Any, incoming: Any) -> None:
        pass

    def is_valid(self, token: Any) -> str:
        return ""


def main(port_file: Path, password: str, patience: float) -> None:
    """Serve on a free port of the loopback address, told in a file, until interrupted."""
    server = Server("grpc://127.0.0.1:0", password, patience)
    unfinished = port_file.with_suffix(".new")
    unfinished.write_text(str(server.port))
    unfinished.rename(port_file)
    server.serve()
