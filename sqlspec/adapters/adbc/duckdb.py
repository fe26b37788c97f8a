"""DuckDB by its own ADBC entry point, which the duckdb package brings: a file or a database in memory.

What it can't do (duckdb 2.0, measured): take several rows at once, so that what is no plain INSERT runs row by row; say
which types its parameters have; notice that its process has the file open already, so that all configs share one handle
on it. Rows are computed as they are read; when another statement runs on the same connection, the rest of an open
stream is put into memory first.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import adbc_driver_manager as adbc
import msgspec

from sqlspec.adapters.adbc.arrow import MisfitError, Reading, batch, pa
from sqlspec.adapters.adbc.driver import AdbcWire, Connection, told
from sqlspec.adapters.adbc.place import Place, driver
from sqlspec.core.facts import ErrorFacts, ParameterStyle
from sqlspec.dialects.duckdb import DUCKDB, read_message
from sqlspec.dialects.duckdb_bulk import in_bulk
from sqlspec.exceptions import ImproperConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlspec.core.plan import Plan

__all__ = ("AdbcDuckdbWire", "place")

_URL = re.compile(r"duckdb:(?!//[^/])(?://)?/?(.*)", re.DOTALL)  # with no host
_SETUP = ("SET SESSION TimeZone = 'UTC'", "SET SESSION arrow_lossless_conversion = true")


def place(options: Mapping[str, Any]) -> Place:
    """What the options name."""
    named: str = os.fspath(options.get("uri") or options.get("database") or ":memory:")
    if "uri" in options and "database" in options:
        message = "pool_config has both 'database' and a 'uri' that names one. Keep one of them."
        raise ImproperConfigurationError(message)
    url = _URL.fullmatch(named)
    if url is None and re.match(r"\w+://|duckdb:", named):
        message = "This is no DuckDB URL: write duckdb:///relative.db, duckdb:////absolute.db or duckdb://."
        raise ImproperConfigurationError(message)
    path = (unquote(url[1]) if url else named) or ":memory:"
    module = driver("adbc_driver_duckdb", "duckdb", "adbc-duckdb")
    keys = {"entrypoint": "duckdb_adbc_init", "path": path, **options.get("db_kwargs", {})}
    target = "duckdb://:memory:" if path == ":memory:" else f"duckdb:///{path}"
    return Place(
        target,
        (),
        lambda: adbc.AdbcDatabase(driver=module.driver_path(), **keys),
        _SETUP,
        file=None if path == ":memory:" else os.path.realpath(path),
        settings=options.get("db_kwargs", {}),
    )


def _hugeint(value: bytes) -> int:
    return int.from_bytes(value, "little", signed=True)


def _uhugeint(value: bytes) -> int:
    return int.from_bytes(value, "little")


def _bits(value: bytes) -> str:
    """The first byte says how many bits of the second are padding."""
    return "".join(f"{byte:08b}" for byte in value[1:])[value[0] :]


def _time_with_zone(value: bytes) -> dt.time:
    """Microseconds of the day in the upper 40 bits; in the lower 24 the offset, counted down from its maximum."""
    whole = int.from_bytes(value, "little")
    zone = dt.timezone(dt.timedelta(seconds=57599 - (whole & 0xFFFFFF)))
    midnight = dt.datetime(1, 1, 1, tzinfo=zone)
    return (midnight + dt.timedelta(microseconds=whole >> 24)).timetz()


READING = Reading(
    {
        "arrow.json": msgspec.json.decode,
        "hugeint": _hugeint,
        "uhugeint": _uhugeint,
        "bit": _bits,
        "time_tz": _time_with_zone,
    }
)


class AdbcDuckdbWire(AdbcWire):
    """DuckDB."""

    dialect = DUCKDB
    style = ParameterStyle.QMARK
    reading = READING
    binds_many = False

    def run_many(self, connection: Connection, plan: Plan, sql: str, rows: list[Any]) -> int | None:
        """Run one statement for every row; plain INSERTs in bulk."""
        bulk = in_bulk(sql, rows) if plan.verb == "INSERT" and not plan.returns_rows else None
        try:
            chunks = [(statement, batch([lists])) for statement, lists in bulk.chunks] if bulk else []
        except MisfitError:  # by itself the row that does not fit is told
            bulk, chunks = None, []
        if bulk is None or self.rows(connection, bulk.is_special) != [(False,)]:
            return super().run_many(connection, plan, sql, rows)
        return sum(self._send_lists(connection, statement, lists) for statement, lists in chunks)

    def _send_lists(self, connection: Connection, sql: str, lists: Any) -> int:
        statement = connection.begin_statement(sql, self.statement_options)
        try:
            statement.bind(lists)
            affected: int = statement.execute_update()
            return affected
        finally:
            connection.end_statement(statement)

    def command(self, connection: Connection, sql: str) -> str | None:
        """A COMMIT that fails rolls back."""
        try:
            return super().command(connection, sql)
        except (adbc.Error, pa.ArrowException, OSError):
            if sql.upper().startswith(("COMMIT", "END", "ROLLBACK")):
                self.transactions.forget(connection)
            raise

    def clean(self, connection: Connection) -> None:
        """End what was begun past us; DuckDB tells by an error that there is nothing."""
        super().clean(connection)
        try:
            self.send(connection, "ROLLBACK")
        except adbc.Error as error:
            if "no transaction is active" not in str(error):
                raise

    def read_error(self, error: BaseException) -> ErrorFacts:
        """What DuckDB's message tells."""
        return read_message(told(error))
