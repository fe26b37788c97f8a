"""psycopg, in both colours: values without types, what was prepared, what a pool keeps, interruptions."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import threading
import time
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from sqlspec.adapters.psycopg import PsycopgAsyncConfig, PsycopgPoolConfig, PsycopgSyncConfig
from sqlspec.exceptions import (
    ConnectionFailedError,
    ConnectionLostError,
    DatabaseError,
    DataError,
    StatementTimeoutError,
    TransactionAbortedError,
)
from tests.compliance.targets import BY_NAME
from tests.support.cable import cable

if TYPE_CHECKING:
    from sqlspec.driver import AsyncDriverAdapterBase
    from sqlspec.testing.compliance import Database

both = pytest.mark.parametrize("database", [BY_NAME["psycopg"], BY_NAME["psycopg_sync"]], indirect=True, ids=str)
with_asyncpg = pytest.mark.parametrize(
    "database", [BY_NAME["asyncpg"], BY_NAME["psycopg"], BY_NAME["psycopg_sync"]], indirect=True, ids=str
)
alone = pytest.mark.parametrize("database", [BY_NAME["psycopg"]], indirect=True, ids=str)
alone_sync = pytest.mark.parametrize("database", [BY_NAME["psycopg_sync"]], indirect=True, ids=str)

DAY = dt.date(2024, 2, 29)
NOW = dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC)


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


# Values


MEANINGS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("repeat('a', $1)", (3,), "aaa"),
    ("DATE '2024-02-28' + $1::int", (1,), DAY),
    ("12345678 + $1", (1,), 12345679),
    ("$1 * 1.5", (0.5,), Decimal("0.75")),
    ("$1 * 1.5::float8", (Decimal(2),), 3.0),
    ("7 / $1", (2,), 3),
    ("round(2.567, $1)", (1,), Decimal("2.6")),
    ("$1::smallint", (5,), 5),
    ("$1::jsonb", (5,), 5),
    ("$1::jsonb", (True,), True),
    ("$1::jsonb", ([1, "two", {"three": [3]}],), [1, "two", {"three": [3]}]),
    ("$1::json", ([],), []),
    ("$1::jsonb[]", ([{"a": 1}, {"b": [2]}, None],), [{"a": 1}, {"b": [2]}, None]),
    ("$1::bigint[] && ARRAY[2]::bigint[]", ([1, 2],), True),
    ("$1::int[] = ARRAY[1, 2]", ([1, 2],), True),
    ("$1::float8[]", ([1, 2.5],), [1.0, 2.5]),
    ("$1::numeric[]", ([Decimal("1.50"), None],), [Decimal("1.50"), None]),
    ("$1::int[]", ((1, 2),), [1, 2]),
    ("$1::int", (True,), 1),
    ("$1::uuid = ANY($2)", (UUID(int=1), [UUID(int=1)]), True),
    ("'b'::text = ANY($1)", (["a", "b"],), True),
    ("$1::date = ANY($2)", (DAY, [DAY]), True),
    ("$1::timestamptz = ANY($2)", (NOW, [NOW]), True),
    ("5 = ANY($1)", ([],), False),
    ("'2024-02-29 12:30+02'::timestamptz", (), dt.datetime(2024, 2, 29, 10, 30, tzinfo=dt.UTC)),
    ("'infinity'::date", (), dt.date.max),
    ("'-infinity'::timestamp", (), dt.datetime.min),
    ("$1::date = 'infinity'", (dt.date.max,), True),
    ("$1::timestamp = '-infinity'", (dt.datetime.min,), True),
    ("$1::interval", (dt.timedelta(days=-1, microseconds=5),), dt.timedelta(days=-1, microseconds=5)),
]


@with_asyncpg
@pytest.mark.parametrize(("expression", "values", "wanted"), MEANINGS)
async def test_values_mean_what_they_mean_on_asyncpg(
    db: AsyncDriverAdapterBase, expression: str, values: tuple[Any, ...], wanted: Any
) -> None:
    """The server infers what their place wants: no smallint in an addition, no double precision for a price."""  # P5
    for _ in range(2):  # the second time what was learned serves
        found = await db.select_value(f"SELECT {expression} AS it", tuple(values))
        assert found == wanted
        assert type(found) is type(wanted)
        if isinstance(wanted, dt.datetime):
            assert found.tzinfo is wanted.tzinfo


@both
async def test_numbers_where_nothing_is_wanted_stay_numbers(db: AsyncDriverAdapterBase) -> None:
    """asyncpg refuses these; as a text they would come back changed."""  # P5
    values: list[Any] = [1, 2**40, 2**70, 1.5, Decimal("1.50"), [1, 2], True, UUID(int=1), NOW]
    for value in values:
        found = await db.select_value("SELECT $1", (value,))
        assert found == value
        assert isinstance(found, type(value)) or type(found) is Decimal


@with_asyncpg
async def test_enums_of_the_database(db: AsyncDriverAdapterBase) -> None:
    """Alone and in lists, from members and from texts."""  # P5
    await db.execute("CREATE TYPE mood AS ENUM ('good', 'bad')")
    await db.execute("CREATE TABLE people (mood mood)")
    await db.execute("INSERT INTO people VALUES (?)", Mood.GOOD)
    assert await db.select_value("SELECT count(*) FROM people WHERE mood IN (:moods)", {"moods": [Mood.GOOD]}) == 1
    assert await db.select_value("SELECT count(*) FROM people WHERE mood = ANY($1)", (["good", "bad"],)) == 1
    assert await db.select_value("SELECT mood FROM people", schema_type=Mood) is Mood.GOOD


@with_asyncpg
async def test_numbers_that_do_not_fit_are_refused_before_they_are_sent(database: Database) -> None:
    """So that the open transaction goes on."""  # E2 S14
    async with database.session() as db:
        await db.execute("CREATE TABLE t (small smallint, big bigint)")
        await db.begin()
        for column, value in (("small", 40000), ("big", 2**63), ("big", -(2**70))):
            with pytest.raises(DataError):
                await db.execute(f"INSERT INTO t ({column}) VALUES (?)", value)
        await db.execute("INSERT INTO t VALUES (?, ?)", -(2**15), 2**63 - 1)
        await db.commit()
    assert await database.value("SELECT count(*) FROM t") == 1


@both
async def test_a_fraction_is_no_integer(db: AsyncDriverAdapterBase) -> None:
    """asyncpg would cut it off in silence."""  # E2
    await db.begin()
    for value in (1.5, Decimal("1.5")):
        with pytest.raises(DataError):
            await db.select_value("SELECT $1::bigint", value)
    assert await db.select_value("SELECT $1::bigint", True) == 1
    await db.commit()


@both
async def test_texts_that_can_not_be_sent_are_not_shown(db: AsyncDriverAdapterBase) -> None:
    """NUL, half of a surrogate pair; JSON that has no form; dates that Python does not have."""  # E2 E5
    secret = ["geheim \0", "geheim \ud800", {"a": object(), "b": "geheim"}]
    for value in secret:
        with pytest.raises(DataError) as failed:
            await db.execute("SELECT $1::text", (value,))
        assert "geheim" not in str(failed.value)
    with pytest.raises(DataError) as late:
        await db.select_value("SELECT '20000-01-01'::date + $1::int", 4711)
    assert "20012" not in str(late.value)
    assert await db.select_value("SELECT 1") == 1


@both
async def test_json_as_the_user_writes_and_reads_it(database: Database) -> None:
    """Also where a list is in the place of JSON."""  # P5

    def write(value: object) -> str:
        return '{"written": true}'

    def read(text: str) -> list[str]:
        return [text]

    features = {"json_serializer": write, "json_deserializer": read}
    async with database.session(database.new_config(driver_features=features)) as db:
        for value in ({"a": 1}, [1]):
            assert await db.select_value("SELECT $1::jsonb", (value,)) == ['{"written": true}']


@both
async def test_what_was_learned_of_a_statement_is_forgotten_when_it_is_wrong(database: Database) -> None:
    """A list was JSON, and after a migration it is an array: one error at most."""  # F5
    async with database.session() as db, database.session() as other:
        await db.execute("CREATE TABLE t (it jsonb)")
        insert = "INSERT INTO t (it) VALUES (?)"
        await db.execute(insert, ([1, 2],))
        await other.execute("DROP TABLE t")
        await other.execute("CREATE TABLE t (it int[])")
        with pytest.raises(DataError):
            await db.execute(insert, ([1, 2],))
        await db.execute(insert, ([1, 2],))
        assert await db.select_value("SELECT it FROM t") == [1, 2]


# What was prepared


@both
async def test_statements_heal_when_their_tables_change(database: Database) -> None:
    """Outside a transaction nobody hears of it; inside one it is one error, and none after."""  # F5
    select, insert = "SELECT * FROM t WHERE id = ?", "INSERT INTO t (id) VALUES (?) RETURNING *"
    async with database.session() as db, database.session() as other:
        await other.execute("CREATE TABLE t (id int)")
        await db.begin()
        await db.rollback()  # from now on psycopg takes no notice of another one
        for _ in range(8):
            await db.select(select, 1)
            await db.execute(insert, 2)
        await other.execute("ALTER TABLE t ADD COLUMN name text")
        assert (await db.execute(insert, 1)).all() == [{"id": 1, "name": None}]
        assert await db.select(select, 1) == [{"id": 1, "name": None}]
        assert await db.select_value("SELECT count(*) FROM t") == 9
        for _ in range(8):
            await db.select(select, 1)
        await other.execute("ALTER TABLE t DROP COLUMN name")
        await db.begin()
        with pytest.raises(DatabaseError, match="cached plan"):
            await db.select(select, 1)
        await db.rollback()
        for _ in range(8):
            await db.begin()
            assert await db.select(select, 1) == [{"id": 1}]
            await db.commit()


@both
async def test_behind_a_pooler_nothing_is_prepared(database: Database) -> None:
    """Nor is a session reset that is not ours alone."""  # F6
    config = database.new_config({"max_size": 1}, pooler="transaction")
    async with database.session(config) as db:
        for number in range(10):
            assert await db.select_value("SELECT ?::int", number) == number
        await db.execute("CREATE TABLE t (id int)")
        await db.execute_many("INSERT INTO t VALUES (?)", [(1,), (2,)])
        assert await db.select_value("SELECT count(*) FROM pg_prepared_statements") == 0


# Connections


@both
async def test_a_connection_comes_back_as_it_was(database: Database) -> None:
    """Settings, advisory locks, LISTEN; what stands in ``options`` stays, and so does the connection."""  # F1
    config = database.new_config({"max_size": 1})
    async with database.session(config) as db:
        path, process = await db.select_value("SHOW search_path"), await db.select_value("SELECT pg_backend_pid()")
        await db.execute("SET search_path = nowhere")
        await db.execute("LISTEN news")
        await db.execute("SELECT pg_advisory_lock(4711)")
    async with database.session(config) as db:
        assert await db.select_value("SELECT pg_backend_pid()") == process
        assert await db.select_value("SHOW search_path") == path
        assert await db.select("SELECT * FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711") == []
        assert await db.select("SELECT pg_listening_channels()") == []


@both
async def test_connections_that_died_while_idle_cost_nobody_anything(database: Database) -> None:
    """All of them."""  # F2
    config = database.new_config({"min_size": 3, "max_size": 3})
    async with database.session(config) as one, database.session(config) as two, database.session(config) as three:
        dead = [await db.select_value("SELECT pg_backend_pid()") for db in (one, two, three)]
    async with database.session() as killer:
        await killer.execute("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid", (dead,))
        while await killer.select_value("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY($1)", (dead,)):
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    for _ in range(4):
        async with database.session(config) as db:
            assert await db.select_value("SELECT pg_backend_pid()") not in dead


@both
async def test_configure_and_a_password_that_is_asked_for(database: Database) -> None:
    """For every new connection; what fails there leaves none open."""  # C1
    asked: list[Any] = []

    def password() -> str:
        asked.append("password")
        return "whatever"

    config = database.new_config({"password": password, "configure": asked.append, "max_size": 1})
    async with database.session(config) as db:
        raw: object = await db.acquire_connection()
    assert asked == ["password", raw]

    def fail(_: object) -> None:
        raise KeyError("mine")

    broken = database.new_config({"configure": fail, "application_name": "psycopg_broken"})
    for _ in range(3):
        with pytest.raises(KeyError, match="mine"):
            async with database.session(broken) as db:
                await db.select("SELECT 1")
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psycopg_broken'"
    async with database.session() as db:
        async with asyncio.timeout(5):
            while await db.select_value(count):
                await asyncio.sleep(0.01)


@both
async def test_streams_of_what_can_not_be_a_cursor(db: AsyncDriverAdapterBase) -> None:
    """Writes that return rows, SHOW, EXPLAIN; the place of a mistake is in the user's own text."""  # S15 E4
    await db.execute("CREATE TABLE t (id int)")
    insert = "INSERT INTO t SELECT * FROM generate_series(1, $1) RETURNING id"
    async with db.select_stream(insert, 25, schema_type=int, chunk_size=10) as rows:
        assert [row async for row in rows] == list(range(1, 26))
    assert await db.select_value("SELECT count(*) FROM t") == 25
    for statement in ("SHOW search_path", "EXPLAIN SELECT 1", "VALUES (1), (2)"):
        async with db.select_stream(statement, schema_type=tuple[Any, ...], chunk_size=1) as rows:
            assert len([row async for row in rows]) >= 1
    with pytest.raises(DatabaseError, match=r"line 2, column 8"):
        async with db.select_stream("SELECT id,\n       missing FROM t WHERE id = $1", 1):
            pass


# Interruptions


def config_of(database: Database) -> PsycopgSyncConfig:
    """The sync config of a database."""
    assert isinstance(database.config, PsycopgSyncConfig)
    return database.config


@alone
async def test_what_was_cancelled_leaves_nothing_behind(database: Database, silence: None) -> None:
    """20 cancellations at random moments: all of a transaction or nothing, and nobody reads another's row."""  # F1
    config: Any = database.new_config({"max_size": 2}, acquire_timeout=10)
    await database.run("CREATE TABLE pairs (victim int, half int)")
    finished: set[int] = set()

    async def victim(number: int) -> None:
        async with database.session(config) as db:
            assert await db.select_value("SELECT $1::int + (pg_sleep(0.002) IS NULL)::int", number) == number
            async with db.transaction():
                await db.execute("INSERT INTO pairs VALUES ($1, 1)", number)
                await db.execute_many("INSERT INTO pairs VALUES ($1, $2)", [(number, half) for half in range(2, 40)])
                assert await db.select_value("SELECT max(victim) FROM pairs WHERE victim = ?", number) == number
            finished.add(number)

    started = time.monotonic()
    await victim(0)
    usual = time.monotonic() - started
    for number in range(1, 21):
        task = asyncio.ensure_future(victim(number))
        await asyncio.sleep(random.uniform(0, 1.2 * usual))
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled():
            task.result()
        await victim(100 + number)
    async with asyncio.timeout(5):
        while config.connections.holders:
            await asyncio.sleep(0.01)
    async with database.session() as db:
        counts = dict(await db.select("SELECT victim, count(*) FROM pairs GROUP BY 1", schema_type=tuple[int, int]))
    assert set(counts.values()) == {39}
    assert finished <= set(counts)


@alone
@pytest.mark.parametrize("what", ["one", "many"])
async def test_a_dead_network_holds_nobody_back(
    database: Database, what: str, postgres_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    """psycopg by itself would wait for up to ten seconds; the connection is closed in the background."""  # W19 F1
    async with cable(postgres_dsn) as (between, near):
        config = PsycopgAsyncConfig(pool_config={"dsn": near, "max_size": 1})
        async with config.provide_session() as db:
            assert await db.select_value("SELECT 1") == 1
            if what == "one":
                task: asyncio.Future[Any] = asyncio.ensure_future(db.select("SELECT pg_sleep(20)"))
            else:
                task = asyncio.ensure_future(db.execute_many("SELECT pg_sleep($1)", [(20,), (21,)]))
            await asyncio.sleep(0.2)
            between.cut = True
            started = time.monotonic()
            task.cancel()
            await asyncio.wait((task,))
            assert time.monotonic() - started < 0.5
        await config.close()
        assert time.monotonic() - started < 5
    assert "did not come to rest" in caplog.text


@alone_sync
async def test_a_statement_of_a_thread_is_stopped_on_the_server(database: Database) -> None:
    """By its time limit, also in many rows and in a transaction, which is lost then."""  # S14 C3
    with config_of(database).provide_session() as db:
        for _ in range(3):
            with pytest.raises(StatementTimeoutError):
                db.select("SELECT pg_sleep(20)", timeout=0.05)
            assert db.select_value("SELECT 1") == 1
        with pytest.raises(StatementTimeoutError):
            db.execute_many("SELECT pg_sleep($1)", [(20,), (21,)], timeout=0.05)
        db.begin()
        with pytest.raises(StatementTimeoutError):
            db.select("SELECT pg_sleep(20)", timeout=0.05)
        with pytest.raises(TransactionAbortedError):
            db.commit()
        db.rollback()
        assert (
            db.select_value(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                " AND application_name = current_setting('application_name')"
            )
            == 0
        )


@alone_sync
async def test_a_connection_that_is_killed_in_a_statement_is_lost(database: Database) -> None:
    """Told by the server's own code; the session goes on with another."""  # E2
    with config_of(database).provide_session() as db:
        process = db.select_value("SELECT pg_backend_pid()")

        def kill() -> None:
            time.sleep(0.1)
            with config_of(database).provide_session() as other:
                other.execute("SELECT pg_terminate_backend($1)", process)

        thread = threading.Thread(target=kill)
        thread.start()
        with pytest.raises(ConnectionLostError) as failed:
            db.select("SELECT pg_sleep(20)")
        thread.join()
        assert failed.value.code is not None
        assert db.select_value("SELECT 1") == 1


async def test_twenty_at_once_are_all_told_why(unused_tcp_port: int) -> None:
    """Nobody waits for the pool's time-out, and no place in it is lost."""  # E2 F4
    place: PsycopgPoolConfig = {"host": "127.0.0.1", "port": unused_tcp_port, "user": "nobody", "max_size": 2}
    config = PsycopgAsyncConfig(pool_config=place, acquire_timeout=20)

    async def attempt() -> None:
        async with config.provide_session() as db:
            await db.select_value("SELECT 1")

    started = time.monotonic()
    failures = await asyncio.gather(*(attempt() for _ in range(20)), return_exceptions=True)
    assert {type(failure) for failure in failures} == {ConnectionFailedError}
    assert "refused" in str(failures[0])
    assert time.monotonic() - started < 3
    await config.close()


@alone
async def test_the_connection_itself_does_what_psycopg_says(database: Database) -> None:
    """Its own cursors, COPY, pipelines, and notifications with a time limit."""  # W6
    config: Any = database.config
    await database.run("CREATE TABLE t (id int)")
    async with config.provide_connection() as connection:
        cursor = await connection.execute("SELECT %s, %s", (1, "a"))
        assert await cursor.fetchall() == [(1, "a")]
        async with connection.cursor().copy("COPY t FROM STDIN") as copy:
            for number in range(3):
                await copy.write_row((number,))
        async with connection.pipeline():
            await connection.execute("INSERT INTO t VALUES (3)")
            await connection.execute("INSERT INTO t VALUES (4)")
        await connection.execute("LISTEN news")
        await connection.execute("NOTIFY news, 'it works'")
        async with asyncio.timeout(5):
            assert [notice.payload async for notice in connection.notifies(timeout=0.2)] == ["it works"]
        await connection.execute("BEGIN")
        await connection.execute("DELETE FROM t")
    assert await database.value("SELECT count(*) FROM t") == 5
