"""Both sides of the adapters whose drivers have cursors, opened: each on a database of its own, dropped at the end.

One function per adapter. Servers are found or started. The raw side uses the driver's quickest public way; what is
switched on or off (commits that do not wait for the disk, TLS) is the same on both.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, closing, contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks.data import DUCKDB, MYSQL, POSTGRES, PSYCOPG, SQLITE, Inputs
from benchmarks.workloads import Bench, workloads
from benchmarks.workloads.cursors import BOOLS_AS_INTEGERS, TYPED, AsyncCursors, Makers, SyncCursors
from benchmarks.workloads.ours import AsyncOurs, SyncOurs
from benchmarks.workloads.sqlite import make_item, make_items, make_struct, make_structs
from sqlspec.adapters import load_config
from sqlspec.servers import find_or_start_mariadb, find_or_start_postgres

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence

__all__ = (
    "adbc_duckdb",
    "adbc_postgresql",
    "adbc_sqlite",
    "aiomysql",
    "asyncmy",
    "duckdb",
    "mysqlconnector",
    "mysqlconnector_sync",
    "psycopg",
    "psycopg_sync",
    "pymysql",
)

TEXT_DATES = Makers(make_item, make_items, make_struct, make_structs)
NO_WAITING = "?options=-csynchronous_commit%3Doff"


@contextmanager
def _databases(find: Callable[[], Any], more: str = "") -> Generator[tuple[str, str, str]]:
    """A server's version, and the DSNs of two databases."""
    with (
        find() as server,
        server.temporary_database("sqlspec_bench_ours") as ours,
        server.temporary_database("sqlspec_bench_raw") as raw,
    ):
        yield server.version, ours + more, raw + more


_postgres = partial(_databases, find_or_start_postgres, NO_WAITING)
_mariadb = partial(_databases, find_or_start_mariadb)


@asynccontextmanager
async def _measured(
    name: str, adapter: str, pool_config: dict[str, Any], inputs: Inputs, raw: Any
) -> AsyncGenerator[Bench]:
    """Our side beside a raw one that is open."""
    config = load_config(adapter)(pool_config=pool_config)
    if isinstance(raw, AsyncCursors):
        try:
            async with config.provide_session() as session:
                ours: Any = AsyncOurs(config, session, inputs)
                await ours.fill()
                await raw.fill()
                yield Bench(name, workloads(ours, raw), ours.empty_session)
        finally:
            await config.close()
        return
    try:
        with config.provide_session() as session:
            ours = SyncOurs(config, session, inputs)
            ours.fill()
            raw.fill()
            yield Bench(name, workloads(ours, raw), ours.empty_session)
    finally:
        config.close()


def _options(dsn: str) -> dict[str, Any]:
    """As MySQL's drivers take them."""
    place = urlsplit(dsn)
    named = {"host": place.hostname, "port": place.port or 3306, "user": place.username, "password": place.password}
    return {**{key: value for key, value in named.items() if value}, "charset": "utf8mb4", "autocommit": True}


def _database(dsn: str) -> str:
    return urlsplit(dsn).path[1:]


async def _at_once(cursor: Callable[[Any], Any], connection: Any) -> Any:
    return cursor(connection)


async def _await_cursor(connection: Any) -> Any:
    return await connection.cursor()


async def _await_close(cursor: Any) -> None:
    await cursor.close()


# PostgreSQL


@asynccontextmanager
async def psycopg() -> AsyncGenerator[Bench]:
    """psycopg, async."""
    from psycopg import AsyncConnection

    with _postgres() as (version, ours_dsn, raw_dsn):
        async with await AsyncConnection.connect(raw_dsn, autocommit=True) as connection:
            raw = AsyncCursors(connection, PSYCOPG, TYPED, partial(_at_once, AsyncConnection.cursor), _await_close)
            async with _measured(f"PostgreSQL {version}", "psycopg", {"dsn": ours_dsn}, POSTGRES, raw) as bench:
                yield bench


@asynccontextmanager
async def psycopg_sync() -> AsyncGenerator[Bench]:
    """psycopg, sync."""
    from psycopg import connect

    with _postgres() as (version, ours_dsn, raw_dsn), connect(raw_dsn, autocommit=True) as connection:
        raw = SyncCursors(connection, PSYCOPG, TYPED)
        async with _measured(f"PostgreSQL {version}", "psycopg_sync", {"dsn": ours_dsn}, POSTGRES, raw) as bench:
            yield bench


@asynccontextmanager
async def adbc_postgresql() -> AsyncGenerator[Bench]:
    """ADBC's driver of PostgreSQL."""
    dbapi: Any = import_module("adbc_driver_postgresql.dbapi")

    with _postgres() as (version, ours_dsn, raw_dsn), closing(dbapi.connect(raw_dsn, autocommit=True)) as connection:
        raw = SyncCursors(connection, POSTGRES, TYPED)
        async with _measured(f"PostgreSQL {version}", "adbc", {"uri": ours_dsn}, POSTGRES, raw) as bench:
            yield bench


# MariaDB


@asynccontextmanager
async def _mysql(
    adapter: str, connect: Callable[[str], Awaitable[Any]], raw_of: Callable[[Any], Any]
) -> AsyncGenerator[Bench]:
    with _mariadb() as (version, ours_dsn, raw_dsn):
        connection = await connect(raw_dsn)
        try:
            async with _measured(f"MariaDB {version}", adapter, {"dsn": ours_dsn}, MYSQL, raw_of(connection)) as bench:
                yield bench
        finally:
            closed = connection.close()
            if closed is not None:
                await closed


def _async_raw(cursor: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], AsyncCursors]:
    return lambda connection: AsyncCursors(connection, MYSQL, BOOLS_AS_INTEGERS, cursor, _await_close)


def _sync_raw(connection: Any) -> SyncCursors:
    return SyncCursors(connection, MYSQL, BOOLS_AS_INTEGERS)


def asyncmy() -> Any:
    """asyncmy."""
    driver: Any = import_module("asyncmy")

    async def connect(dsn: str) -> Any:
        return await driver.connect(**_options(dsn), db=_database(dsn))

    return _mysql("asyncmy", connect, _async_raw(partial(_at_once, lambda connection: connection.cursor())))


def _bytes_literal(value: bytes) -> str:
    return f"_binary X'{value.hex()}'"


def aiomysql() -> Any:
    """aiomysql."""
    driver: Any = import_module("aiomysql")
    # aiomysql 0.3.2 can't write bytes with PyMySQL 1.2, whose function of this name wants another argument.
    inside: Any = import_module("aiomysql.connection")
    inside.escape_bytes_prefixed = _bytes_literal

    async def connect(dsn: str) -> Any:
        return await driver.connect(**_options(dsn), db=_database(dsn))

    return _mysql("aiomysql", connect, _async_raw(_await_cursor))


def pymysql() -> Any:
    """PyMySQL."""
    driver: Any = import_module("pymysql")

    async def connect(dsn: str) -> Any:
        return driver.connect(**_options(dsn), database=_database(dsn))

    return _mysql("pymysql", connect, _sync_raw)


def mysqlconnector() -> Any:
    """MySQL Connector/Python, async."""
    aio: Any = import_module("mysql.connector.aio")

    async def connect(dsn: str) -> Any:
        # 26.10 fails by itself where the server has no TLS and that is left open.
        return await aio.connect(**_options(dsn), database=_database(dsn), ssl_disabled=True)

    return _mysql("mysqlconnector", connect, _async_raw(_await_cursor))


def mysqlconnector_sync() -> Any:
    """MySQL Connector/Python, sync, as pure Python as ours."""
    driver: Any = import_module("mysql.connector")

    async def connect(dsn: str) -> Any:
        return driver.connect(**_options(dsn), database=_database(dsn), use_pure=True)

    return _mysql("mysqlconnector_sync", connect, _sync_raw)


# Files


@asynccontextmanager
async def duckdb() -> AsyncGenerator[Bench]:
    """DuckDB."""
    import duckdb as driver

    with TemporaryDirectory() as folder, driver.connect(str(Path(folder, "raw.duckdb"))) as connection:
        raw = SyncCursors(connection, DUCKDB, TYPED, lambda it: it, lambda _: None)  # its connections are cursors
        place = {"database": str(Path(folder, "ours.duckdb"))}
        async with _measured(f"DuckDB {driver.__version__}", "duckdb", place, DUCKDB, raw) as bench:
            yield bench


@asynccontextmanager
async def adbc_sqlite() -> AsyncGenerator[Bench]:
    """ADBC's driver of SQLite."""
    dbapi: Any = import_module("adbc_driver_sqlite.dbapi")

    with (
        TemporaryDirectory() as folder,
        closing(dbapi.connect(str(Path(folder, "raw.db")), autocommit=True)) as connection,
    ):
        raw = SyncCursors(connection, SQLITE, TEXT_DATES)
        place = {"driver_name": "sqlite", "uri": f"sqlite:///{Path(folder, 'ours.db')}"}
        async with _measured("SQLite", "adbc", place, SQLITE, raw) as bench:
            yield bench


class OneByOne(SyncCursors):
    """A driver whose cursors take one row at a time."""

    def _many(self, sql: str, rows: Sequence[Any]) -> None:
        cursor = self._cursor(self._connection)
        cursor.execute("BEGIN")
        for row in rows:
            cursor.execute(sql, row)
        cursor.execute("COMMIT")
        self._close(cursor)


@asynccontextmanager
async def adbc_duckdb() -> AsyncGenerator[Bench]:
    """DuckDB's own ADBC driver."""
    dbapi: Any = import_module("adbc_driver_duckdb.dbapi")

    with (
        TemporaryDirectory() as folder,
        closing(dbapi.connect(str(Path(folder, "raw.duckdb")), autocommit=True)) as connection,
    ):
        raw = OneByOne(connection, DUCKDB, TYPED)
        place = {"driver_name": "duckdb", "database": str(Path(folder, "ours.duckdb"))}
        async with _measured("DuckDB", "adbc", place, DUCKDB, raw) as bench:
            yield bench
