"""What only ADBC's drivers do, and what is done about it."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import time
from decimal import Decimal
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from sqlspec.adapters import load_config
from sqlspec.exceptions import (
    ConnectionFailedError,
    ConnectionLostError,
    DataError,
    IntegrityError,
    SQLSpecError,
    TransactionAbortedError,
    UndefinedColumnError,
)
from tests.compliance.targets import BY_NAME
from tests.support.flightsql import temporary_flightsql
from tests.support.servers import SERVERS

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase
    from sqlspec.testing.compliance import Database

LATE = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
    "SELECT CASE WHEN i > {late} THEN 'x' END AS it FROM n"
)


def only(*names: str) -> pytest.MarkDecorator:
    """Run a test on these."""
    return pytest.mark.parametrize("database", [BY_NAME[f"adbc_{name}"] for name in names], indirect=True, ids=str)


@only("sqlite", "duckdb", "postgresql")
async def test_the_drivers_own_connection_gives_arrow(database: Database) -> None:
    """It is the DB-API connection of ADBC, in autocommit mode, and what it leaves open is rolled back."""  # S5 S10
    await database.run("CREATE TABLE kept (id INTEGER)")
    config: Any = database.config
    with config.provide_connection() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO kept VALUES (7)")
        cursor.execute("SELECT id FROM kept")
        assert cursor.fetch_arrow_table().to_pydict() == {"id": [7]}
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO kept VALUES (8)")
    assert await database.value("SELECT count(*) FROM kept") == 1
    with config.provide_connection() as connection:
        connection.adbc_connection.set_autocommit(False)
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO kept VALUES (9)")
    async with database.session() as db:
        await db.execute("INSERT INTO kept VALUES (10)")
    assert await database.value("SELECT count(*) FROM kept") == 2


@only("sqlite", "duckdb", "postgresql")
async def test_a_pool_that_is_closed_under_a_session(database: Database) -> None:
    """The session commits what the next pool sees."""  # S16
    await database.run("CREATE TABLE kept (id INTEGER)")
    async with database.session() as db:
        await db.begin()
        await db.execute("INSERT INTO kept VALUES (1)")
        await database.close()
        assert await database.value("SELECT count(*) FROM kept") == 0
        await db.commit()
        assert await database.value("SELECT count(*) FROM kept") == 1
    await database.close()
    assert await database.value("SELECT count(*) FROM kept") == 1


@only("postgresql")
async def test_the_place_of_a_fault_is_that_in_the_users_text(database: Database) -> None:
    """Not that in what was sent, with the casts that were learned before the table changed."""  # E4 F5
    statement = "UPDATE hosts SET address = ?\nWHERE address = ? AND gone = 1"
    await database.run("CREATE TABLE hosts (address inet, gone integer)")
    async with database.session() as db:
        await db.execute(statement, "10.0.0.1", "10.0.0.2")
        await database.run("ALTER TABLE hosts DROP COLUMN gone")
        for _ in range(2):
            await db.begin()
            with pytest.raises(UndefinedColumnError, match=r"\(line 2, column 23\)"):
                await db.execute(statement, "10.0.0.1", "10.0.0.2")
            await db.rollback()


@only("duckdb")
async def test_one_file_has_one_set_of_settings(database: Database) -> None:
    """A second config that wants others is refused, as by the duckdb adapter; it may have them afterwards."""  # E2
    other = database.new_config({"db_kwargs": {"threads": "1"}})
    await database.value("SELECT 1")
    with pytest.raises(ConnectionFailedError, match="other db_kwargs"):
        async with database.session(other) as db:
            await db.select_value("SELECT 1")
    await database.close()
    async with database.session(other) as db:
        assert await db.select_value("SELECT current_setting('threads')") == 1


@only("sqlite")
@pytest.mark.parametrize(("rows", "late"), [(3000, 2000), (70_000, 66_000)])
async def test_a_column_whose_type_shows_late(db: AsyncDriverAdapterBase, rows: int, late: int) -> None:
    """The driver takes a column's type from its first rows, so it is made to look at all of them."""
    found = await db.select(LATE.format(rows=rows, late=late))
    assert (len(found), found[0], found[-1]) == (rows, {"it": None}, {"it": "x"})
    with pytest.raises(DataError):
        async with db.select_stream(LATE.format(rows=rows, late=late)) as stream:
            async for _ in stream:
                pass
    assert await db.select_value("SELECT 1") == 1


@only("sqlite")
async def test_a_transaction_that_sqlite_ended_is_known(database: Database, db: AsyncDriverAdapterBase) -> None:
    """SQLite is asked, since its driver does not tell."""  # S14
    await db.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY ON CONFLICT ROLLBACK)")
    await db.execute("INSERT INTO kept VALUES (1)")
    await db.begin()
    await db.execute("INSERT INTO kept VALUES (2)")
    with pytest.raises(IntegrityError):
        await db.execute("INSERT INTO kept VALUES (1)")
    with pytest.raises(Exception, match="gone"):
        await db.execute("INSERT INTO kept VALUES (3)")
    await db.rollback()
    assert await database.value("SELECT count(*) FROM kept") == 1


@only("postgresql")
async def test_types_that_arrow_does_not_have(database: Database, db: AsyncDriverAdapterBase) -> None:
    """They go in as text, by a cast at the placeholder; the place of a fault is that in the user's text."""  # P5 E4
    await db.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
    await db.execute("CREATE TABLE kept (m mood, ms mood[], i inet, x xml, b bit(3), r int4range, t timetz, j jsonb)")
    values = {
        "m": "ok",
        "ms": ["sad", None],
        "i": ip_address("10.0.0.1"),
        "x": "<a/>",
        "b": "101",
        "r": "[1,5)",
        "t": dt.time(1, 2, 3, tzinfo=dt.UTC),
        "j": {"a": [1]},
    }
    await db.execute("INSERT INTO kept VALUES (:m, :ms, :i, :x, :b, :r, :t, :j)", values)
    await db.execute_many("INSERT INTO kept (m, j) VALUES (?, ?)", [("sad", {}), (None, None)])
    found = await db.select_one("SELECT ms::text, i::text, x::text, b::text, r::text, t::text, j FROM kept LIMIT 1")
    assert list(found.values()) == ["{sad,NULL}", "10.0.0.1/32", "<a/>", "101", "[1,5)", "01:02:03+00", {"a": [1]}]
    ask = "SELECT count(*) FROM kept WHERE m = :m AND i = :i::inet AND j = :j"
    assert await db.select_value(ask, {"m": "ok", "i": "10.0.0.1", "j": {"a": [1]}}) == 1
    assert await db.select_value("SELECT count(*) FROM kept WHERE m IN (:ms)", {"ms": ["ok", "sad"]}) == 2
    fails = "SELECT i = :i AND m = :m,\n 1 / (length(:t::text) - 1) FROM kept"
    with pytest.raises(DataError):
        await db.execute(fails, {"i": "10.0.0.1", "m": "ok", "t": "x"})
    with pytest.raises(DataError) as failed:
        await db.execute("INSERT INTO kept (i) VALUES (?)", "geheim")
    assert "geheim" not in str(failed.value)
    async with database.session(database.new_config()) as fresh:  # whose driver has read the catalog just now
        assert await fresh.select_value("SELECT ms FROM kept LIMIT 1") == ["sad", None]


@only("postgresql")
async def test_streams_of_what_has_no_cursor(db: AsyncDriverAdapterBase) -> None:
    """EXPLAIN and what writes are run as a whole; the driver's COPY could not do the former."""
    await db.execute("CREATE TABLE kept (id int)")
    for statement in ("EXPLAIN SELECT 1", "SHOW server_version", "INSERT INTO kept VALUES (1) RETURNING id"):
        async with db.select_stream(statement) as stream:
            assert len([row async for row in stream]) == 1
    assert await db.select_value("SELECT count(*) FROM kept") == 1


@only("postgresql")
async def test_a_table_that_changed(db: AsyncDriverAdapterBase) -> None:
    """What was learned about parameters is asked anew before a value is refused."""
    await db.execute("CREATE TABLE kept (id int, it uuid)")
    insert = "INSERT INTO kept (id, it) VALUES (?, ?)"
    await db.execute(insert, 1, "12345678-1234-5678-1234-567812345678")
    await db.execute("ALTER TABLE kept ALTER it TYPE numeric USING 1")
    assert (await db.execute(insert, 2, Decimal("1.5"))).rows_affected == 1
    with pytest.raises(DataError):
        await db.execute(insert, 3, "1.5")


@only("duckdb")
async def test_many_rows_go_in_bulk(db: AsyncDriverAdapterBase) -> None:
    """And are what they are alone; one by one it would take half a minute."""  # P7
    await db.execute(
        "CREATE TABLE kept (id INTEGER PRIMARY KEY, t TEXT, f DOUBLE, b BLOB, u UUID, d DATE, ts TIMESTAMPTZ, "
        "n DECIMAL(9, 2), i INTERVAL, j JSON, z TIMETZ, o BOOLEAN)"
    )
    insert = f"INSERT INTO kept VALUES ({', '.join('?' * 12)})"
    day, moment = dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 12, tzinfo=dt.timezone(dt.timedelta(hours=5)))
    more = (UUID(int=5), day, moment, Decimal("1.50"), dt.timedelta(400), {"a": 1}, dt.time(1, tzinfo=dt.UTC), True)
    rows: list[Any] = [(number, "ü", 1.5, b"\xff", *more) for number in range(30_000)]
    rows[0] = (0, *[None] * 11)
    started = time.monotonic()
    assert (await db.execute_many(insert, rows)).rows_affected == 30_000
    assert time.monotonic() - started < 10
    await db.execute(insert, (-1, *rows[1][1:]))
    found: Any = await db.select("SELECT * EXCLUDE (id) FROM kept WHERE id < 2 ORDER BY id", schema_type=tuple)
    assert found == [found[2], (None,) * 11, found[0]]
    with pytest.raises(IntegrityError):
        await db.execute_many("INSERT INTO kept (id) VALUES (?)", [(-number,) for number in range(2, 50)] * 2)
    assert await db.select_value("SELECT count(*) FROM kept") == 30_001


@only("postgresql", "duckdb", "flightsql")
async def test_numbers_and_what_is_none(db: AsyncDriverAdapterBase) -> None:
    """Rows whose values are of several kinds are sent one by one."""  # P7
    await db.execute("CREATE TABLE kept (id INTEGER, it DOUBLE PRECISION)")
    rows = [(1, 1), (2, Decimal("1.5")), (3, float("inf")), (4, None)]
    await db.execute_many("INSERT INTO kept (id, it) VALUES (?, ?)", rows)
    found = await db.select("SELECT it FROM kept ORDER BY id", schema_type=tuple[float | None])
    assert found == [(1.0,), (1.5,), (float("inf"),), (None,)]


@pytest.mark.parametrize("fault", ["down", "password", "tls"])
def test_a_flight_sql_server_that_refuses(fault: str) -> None:
    """The driver contacts nobody until it must; we make sure that the server is there at once."""  # E2 E5
    with temporary_flightsql("right") as server:
        uri = server.uri.replace("//", "//someone:wrong-geheim@" if fault == "password" else "//someone:right@")
        uri = uri.replace("grpc:", "grpc+tls:") if fault == "tls" else uri
        if fault == "down":
            server.stop()
        config = load_config("adbc")(pool_config={"uri": uri})
        started = time.monotonic()
        with pytest.raises(ConnectionFailedError) as failed, config.provide_session() as db:
            db.select_value("SELECT 1")
        config.close()
    assert time.monotonic() - started < 5
    shown = f"{failed.value} {config!r}"
    assert str(failed.value).startswith(f"Could not connect to {config.target}: ")
    assert "geheim" not in shown
    assert "right" not in shown


def test_a_flight_sql_server_with_a_password() -> None:
    """User and password stand in the URL."""  # C1
    with temporary_flightsql("right") as server:
        config = load_config("adbc")(pool_config={"dsn": server.uri.replace("//", "//someone:right@")})
        with config.provide_session() as db:
            assert db.select_value("SELECT 1") == 1
        config.close()


@only("flightsql", "duckdb")
async def test_begin_as_a_statement_inside_a_transaction(db: AsyncDriverAdapterBase) -> None:
    """It is refused: the driver would begin another one, and leave what is open to be saved."""  # S5
    await db.execute("CREATE TABLE kept (id INTEGER)")
    await db.begin()
    await db.execute("INSERT INTO kept VALUES (1)")
    with pytest.raises(SQLSpecError):
        await db.execute("BEGIN")
    await db.rollback()
    assert await db.select("SELECT id FROM kept") == []


def test_a_flight_sql_server_that_stops() -> None:
    """Whatever was going on: the connection is lost, and so is its transaction; others are refused."""  # S14 F2
    with temporary_flightsql() as server:
        config = load_config("adbc")(pool_config={"uri": server.uri, "max_size": 2})
        with config.provide_session() as db, config.provide_session() as streaming:
            db.begin()
            db.execute("CREATE TABLE kept (id INTEGER)")
            with (
                pytest.raises(ConnectionLostError),
                streaming.select_stream("SELECT range FROM range(9999999)") as rows,
            ):
                next(iter(rows))
                server.stop()
                for _ in rows:
                    pass
            with pytest.raises(ConnectionLostError):
                db.execute("INSERT INTO kept VALUES (1)")
            with pytest.raises(TransactionAbortedError):
                db.commit()
        with pytest.raises(ConnectionFailedError), config.provide_session() as db:
            db.execute("SELECT 1")
        config.close()


@only("flightsql")
async def test_a_flight_sql_server_of_unknown_make(database: Database) -> None:
    """Nothing but the protocol is relied on: errors have no class, transactions end as they were told."""
    config = database.new_config(driver_features={})
    async with database.session(config) as db:
        await db.execute("CREATE TABLE kept (id INTEGER)")
        async with db.transaction():
            await db.execute("INSERT INTO kept VALUES (?)", 1)
        with pytest.raises(KeyError):
            async with db.transaction():
                await db.execute("INSERT INTO kept VALUES (?)", 2)
                raise KeyError
        assert await db.select("SELECT id FROM kept", schema_type=tuple[int]) == [(1,)]


def _ask(config: Any, answers: Any) -> None:
    try:
        with config.provide_session() as db:
            answers.put(db.select_value("SELECT 1"))
    except ConnectionFailedError as error:
        answers.put(str(error))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_is_told_that_the_driver_would_hang() -> None:
    """The Flight SQL driver is a library in Go, which does not outlive a fork."""  # X2
    with SERVERS.flightsql.temporary_database() as options:
        config = load_config("adbc")(pool_config={"uri": SERVERS.flightsql.uri, "db_kwargs": options})
        with config.provide_session() as db:
            db.select_value("SELECT 1")
        context = multiprocessing.get_context("fork")
        answers = context.Queue()
        child = context.Process(target=_ask, args=(config, answers))
        child.start()
        assert "forked process" in answers.get(timeout=20)
        child.join(10)
        config.close()
    assert child.exitcode == 0
