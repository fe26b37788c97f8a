"""An Arrow Flight SQL server for the tests: started in a process of its own, stopped for certain.

    with temporary_flightsql() as server:
        with server.temporary_database() as options:    # keywords of adbc_driver_flightsql.dbapi.connect
            connect(server.uri, db_kwargs=options)

What it can do is told in ``flightsql_server.py``.
"""

from __future__ import annotations

import base64
import secrets
import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlspec.servers.process import KeptProcess, temporary_folder

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ("FlightSQLServer", "temporary_flightsql")

flight: Any = import_module("pyarrow.flight")  # it has no types
ROOT = Path(__file__).parents[2]
HEADER = "adbc.flight.sql.rpc.call_header.x-database"
"""The driver's option that names a database of the server."""


class FlightSQLServer:
    """A server that was started.

    Attributes:
        uri: Where it is.
    """

    def __init__(self, uri: str, process: KeptProcess, password: str) -> None:
        self.uri = uri
        self._process = process
        self._password = password

    def __enter__(self) -> FlightSQLServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop it. Repeatable."""
        self._process.stop()

    @contextmanager
    def temporary_database(self) -> Generator[dict[str, str]]:
        """The driver's options for an empty database, which is forgotten at the end."""
        name = secrets.token_hex(6)
        try:
            yield {HEADER: name}
        finally:
            self._drop(name)

    def _drop(self, name: str) -> None:
        basic = base64.b64encode(f"user:{self._password}".encode())
        headers = [(b"x-database", name.encode()), (b"authorization", b"Basic " + basic)]
        with flight.connect(self.uri) as client:
            list(client.do_action(flight.Action("DropDatabase", b""), flight.FlightCallOptions(headers=headers)))


def temporary_flightsql(password: str = "", *, patience: float = 30.0) -> FlightSQLServer:
    """Start one.

    Args:
        password: With one, it lets in any user who has that.
        patience: So many seconds a transaction waits for its next statement before it is rolled back.

    Raises:
        StartFailedError: It did not come up; with its log.
    """
    folder = temporary_folder(None)
    port = folder / "port"
    code = (
        f"import pathlib, sys; sys.path.insert(0, {str(ROOT)!r}); from tests.support.flightsql_server import main; "
        f"main(pathlib.Path({str(port)!r}), {password!r}, {patience!r})"
    )
    process = KeptProcess(folder, None, prepare=["true"], serve=[sys.executable, "-c", code])
    try:
        process.wait_until(port.exists, lambda: None)
        return FlightSQLServer(f"grpc://127.0.0.1:{port.read_text()}", process, password)
    except BaseException:
        process.stop()
        raise
