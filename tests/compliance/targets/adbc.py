"""The ADBC adapter, once for each database that it reaches. Databases are those of the native adapters' targets."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlspec import SQLSpec
from sqlspec.adapters import load_config
from sqlspec.testing.compliance import Adapter
from tests.compliance.targets import duckdb, postgres, sqlite
from tests.support.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ("ADAPTERS",)


def _sqlite(folder: Path) -> AbstractContextManager[dict[str, Any]]:
    return nullcontext({"driver_name": "adbc_driver_sqlite", "uri": f"sqlite:///{folder / 'test.db'}", "max_size": 4})


def _postgres(dsn: str, name: str) -> dict[str, Any]:
    options = f"options={quote(f'-c search_path={name}')}&application_name={name}"
    return {"dsn": f"{dsn}{'&' if '?' in dsn else '?'}{options}", "max_size": 4}


@contextmanager
def _duckdb(folder: Path) -> Generator[dict[str, Any]]:
    with duckdb.new_database(folder) as path:
        yield {"uri": f"duckdb:///{path}", "max_size": 4}


@contextmanager
def _flightsql(folder: Path) -> Generator[dict[str, Any]]:
    server = SERVERS.flightsql
    with server.temporary_database() as options:
        config = {"uri": server.uri, "db_kwargs": options, "max_size": 4}
        spec = SQLSpec()
        spec.add_config(load_config("adbc")(pool_config=config, driver_features=_IS_DUCKDB), name="made")
        with spec, spec.provide_session("made") as db:
            db.execute("CREATE SEQUENCE keys")
        yield config


_IS_DUCKDB = {"dialect": "duckdb"}
_CAN = duckdb.ADAPTERS[0].can | {"streams_beside"}  # the rest of an open stream is put into memory first
_CANNOT = {name: why for name, why in duckdb.ADAPTERS[0].cannot.items() if name != "streams_beside"}

ADAPTERS = [
    Adapter(
        "adbc_flightsql",
        config=partial(load_config, "adbc"),
        database=_flightsql,
        types=duckdb.TYPES,
        sql=duckdb.SQL,
        options={"driver_features": _IS_DUCKDB},
        can=_CAN - {"file", "read_only", "temporary_tables"},
        cannot={
            **_CANNOT,
            "read_only": "Flight SQL has no read-only transactions",
            "temporary_tables": "statements of Flight SQL share no connection of the server, but in a transaction",
        },
    ),
    Adapter(
        "adbc_duckdb",
        config=partial(load_config, "adbc"),
        database=_duckdb,
        types=duckdb.TYPES,
        sql=duckdb.SQL,
        can=_CAN,
        cannot=_CANNOT,
    ),
    Adapter(
        "adbc_sqlite",
        config=partial(load_config, "adbc"),
        database=_sqlite,
        types=sqlite.TYPES,
        sql={**sqlite.SQL, "lock_timeout": "PRAGMA busy_timeout = 50"},
        can=sqlite.CAN - {"time_limits", "server_cursors"},
        cannot={
            "time_limits": "the driver can't stop a statement",
            "server_cursors": "the driver reads 1,024 rows at a time",
        },
    ),
    Adapter(
        "adbc_postgresql",
        config=partial(load_config, "adbc"),
        database=partial(postgres.schema, pool_config=_postgres),
        types=postgres.TYPES,
        sql=postgres.SQL,
        can=(postgres.CAN - {"matrices"}) | {"count_many"},
        cannot={"matrices": "the driver gives arrays of several dimensions as flat ones"},
        broken=postgres.BROKEN,
    ),
]
