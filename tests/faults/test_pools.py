"""Pools: exhausted, opened by many, in several loops, threads and processes, left open, unreachable; and secrets.

F4 X1 X2 S10 S11 S12 S16 E2 E5.
"""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import re
import subprocess
import sys
import textwrap
import threading
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.exceptions import (
    ConnectionFailedError,
    ImproperConfigurationError,
    PoolTimeoutError,
    SQLSpecError,
    UndefinedTableError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.compliance.adapters import Database


# Exhausted


async def test_an_exhausted_pool_says_who_holds_it(database: Database) -> None:
    """PoolTimeoutError lists place, time and last statement of each holder; the slot is usable afterwards."""  # F4
    config = database.new_config({"max_size": 2}, acquire_timeout=0.1)
    async with database.session(config) as first, database.session(config) as second:
        await first.select_value("SELECT 4711 AS first_holder")
        await second.begin()
        started = time.monotonic()
        async with database.session(config) as third:
            with pytest.raises(PoolTimeoutError) as failed:
                await third.select_value("SELECT 1")
            assert 0.05 < time.monotonic() - started < 5
            message = str(failed.value)
            assert message.count(__file__) == 2
            assert "SELECT 4711 AS first_holder" in message
            assert "BEGIN" in message
            assert "acquire_timeout" in message
            await second.rollback()
            await second.close()
            assert await third.select_value("SELECT 1") == 1


async def test_no_value_is_in_the_list_of_holders(database: Database) -> None:
    """Statements are shown, parameters are not."""  # E5
    config = database.new_config({"max_size": 1}, acquire_timeout=0.05)
    async with database.session(config) as holder, database.session(config) as other:
        await holder.select_value("SELECT CAST(? AS TEXT)", "geheim")
        with pytest.raises(PoolTimeoutError) as failed:
            await other.select_value("SELECT 1")
    assert "geheim" not in "".join(traceback.format_exception(failed.value))


async def test_waiting_without_limit(database: Database) -> None:
    """``acquire_timeout=None`` waits until one is free."""  # F4 C3
    config = database.new_config({"max_size": 1}, acquire_timeout=None)
    async with database.session(config) as holder:
        await holder.select_value("SELECT 1")

        async def wait_for_it() -> Any:
            async with database.session(config) as db:
                return await db.select_value("SELECT 2")

        waiting = asyncio.ensure_future(wait_for_it())
        await asyncio.sleep(0.05)
        assert not waiting.done()
    assert await waiting == 2


async def test_a_long_hold_is_logged(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """``leak_threshold`` names the place when the connection comes back at last."""  # C3
    config = database.new_config(leak_threshold=0.02)
    async with database.session(config) as db:
        await db.select_value("SELECT 1")
    assert caplog.records == []
    async with database.session(config) as db:
        await db.select_value("SELECT 1")
        await asyncio.sleep(0.03)
    (record,) = caplog.records
    assert "leak_threshold" in record.getMessage()
    assert __file__ in record.getMessage()


async def test_connections_are_replaced_when_old(database: Database) -> None:
    """After ``max_lifetime`` the next session gets another connection."""  # C3
    config = database.new_config({"max_size": 1}, max_lifetime=0.02)
    raw: list[Any] = []
    for _ in range(3):
        async with database.session(config) as db:
            raw.append(await underlying(db))
            await asyncio.sleep(0.03)
    assert len({id(connection) for connection in raw}) == 3


async def underlying(db: Any) -> Any:
    """The connection itself, not asyncpg's proxy of the moment."""
    connection = await db.acquire_connection()
    return getattr(connection, "_con", connection)


# Opened by many


async def test_a_hundred_first_uses_open_one_pool(database: Database) -> None:
    """And never more connections than ``max_size``."""  # X1 S10
    config: Any = database.new_config({"max_size": 3, "min_size": 2})
    pools: set[int] = set()

    async def use() -> None:
        pools.add(id(config.connections))
        async with database.session(config) as db:
            assert await db.select_value("SELECT 1") == 1
            pools.add(id(config.connections))

    await asyncio.gather(*(use() for _ in range(100)))
    assert len(pools) == 1
    pool = config.connections.pool
    size = pool.get_size() if database.adapter.name == "asyncpg" else pool.size
    assert 2 <= size <= 3


@pytest.mark.parametrize("min_size", [0, 1, 3])
async def test_opening_opens_exactly_min_size(database: Database, min_size: int) -> None:
    """0 contacts nobody."""  # C2
    config: Any = database.new_config({"min_size": min_size})
    await config.open()
    pool = config.connections.pool
    assert (pool.get_size() if database.adapter.name == "asyncpg" else pool.size) == min_size


async def test_closing_is_not_final(database: Database) -> None:
    """Twice is no error, the next use opens a new pool, and holders of the old one end well."""  # S16 S10
    spec = SQLSpec()
    config: Any = spec.add_config(database.new_config())
    async with database.session(config) as db:
        assert await db.select_value("SELECT 1") == 1
    first = spec.get_pool(config)
    await spec.close_pool(config)
    await spec.close_pool(config)
    assert not config.is_open
    async with database.session(config) as db:
        assert await db.select_value("SELECT 1") == 1
    assert spec.get_pool(config) is not first
    await spec.close_all_pools()
    await spec.close_all_pools()


class StubbornConfig(SqliteConfig):
    """A database whose pool complains when it is closed."""

    def close_pool(self, pool: Any) -> None:
        super().close_pool(pool)
        raise OSError("stubborn")


async def test_errors_while_closing_are_raised_together(database: Database) -> None:
    """After every pool was tried, sync ones too; a second call has nothing left to do."""  # S10 S16
    spec = SQLSpec()
    configs: list[Any] = [spec.add_config(config) for config in (StubbornConfig(), database.config, StubbornConfig())]
    for config in configs:
        async with database.session(config) as db:
            assert await db.select_value("SELECT 1") == 1
    with pytest.raises(ExceptionGroup) as failed:
        await spec.close_all_pools()
    assert [str(error) for error in failed.value.exceptions] == ["stubborn", "stubborn"]
    assert [config.is_open for config in configs] == [False, False, False]
    await spec.close_all_pools()


def test_sync_pools_are_closed_without_a_loop() -> None:
    """``close_all_sync_pools()``, the end of ``with SQLSpec()``, and a single error as it is."""  # S10 S16
    with SQLSpec() as spec:
        config = spec.add_config(SqliteConfig())
        stubborn = spec.add_config(StubbornConfig())
        spec.add_config(AiosqliteConfig())
        for each in (config, stubborn):
            with spec.provide_session(each) as db:
                db.select_value("SELECT 1")
        with pytest.raises(OSError, match="stubborn"):
            spec.close_all_sync_pools()
        assert (config.is_open, stubborn.is_open) == (False, False)
        with spec.provide_session(config) as db:
            assert db.select_value("SELECT 1") == 1
    assert config.connections.pool.size == 0


# Loops


def test_each_loop_has_its_own_pool(tmp_path: Path, postgres_dsn: str) -> None:
    """And the pool of a closed loop is dropped with one ResourceWarning when the config is used again."""  # X1
    makers: list[Callable[[], Any]] = [
        lambda: AiosqliteConfig(pool_config={"database": tmp_path / "x.db"}),
        lambda: AsyncpgConfig(pool_config={"dsn": postgres_dsn}),
    ]
    for make in makers:
        config = make()
        pools: list[Any] = []

        async def use(close: bool, config: Any = config, pools: list[Any] = pools) -> None:
            async with config.provide_session() as db:
                assert await db.select_value("SELECT 1") == 1
            pools.append(config.connections.pool)
            if close:
                await config.close()

        asyncio.run(use(close=True))
        asyncio.run(use(close=True))
        assert pools[0] is not pools[1]
        quietly_left_open(use(close=False))
        with pytest.warns(ResourceWarning, match="event loop closed") as warned:
            asyncio.run(use(close=True))
        ours = [str(warning.message) for warning in warned if "event loop closed" in str(warning.message)]
        assert len(ours) == 1
        assert pools[2] is not pools[3]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # asyncpg and asyncio have their own to say
            pools.clear()
            gc.collect()


def quietly_left_open(work: Any) -> None:
    """Run to the end of a loop that leaves its pool open."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


def test_two_loops_at_once(tmp_path: Path) -> None:
    """Two threads, each with a loop, use one config at the same time."""  # X1
    config = AiosqliteConfig(pool_config={"database": tmp_path / "x.db"})
    together = threading.Barrier(2)

    async def work(token: int) -> int:
        async with config.provide_session() as db:
            await db.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER)")
            together.wait(10)
            for _ in range(20):
                await db.execute("INSERT INTO t VALUES (?)", token)
        pool = id(config.connections.pool)
        await config.close()
        return pool

    def run(token: int) -> int:
        return asyncio.run(work(token))

    with ThreadPoolExecutor(2) as threads:
        pools = list(threads.map(run, (1, 2)))
    assert pools[0] != pools[1]

    async def count_and_close() -> Any:
        async with config.provide_session() as db:
            found = await db.select_value("SELECT count(*) FROM t")
        await config.close()
        return found

    assert asyncio.run(count_and_close()) == 40


def test_memory_is_one_database_across_loops_and_sessions() -> None:
    """While a pool is open somewhere, every loop sees the same tables; afterwards it is empty."""  # S12
    config = AiosqliteConfig()

    async def write() -> None:
        async with config.provide_session() as one, config.provide_session() as two:
            await one.execute("CREATE TABLE t (id INTEGER)")
            await two.execute("INSERT INTO t VALUES (1)")
            assert await one.select_value("SELECT count(*) FROM t") == 1

    async def read() -> None:
        async with config.provide_session() as db:
            assert await db.select_value("SELECT count(*) FROM t") == 1
        await config.close()

    first = asyncio.new_event_loop()
    try:
        first.run_until_complete(write())
        asyncio.run(read())
        first.run_until_complete(config.close())
    finally:
        first.close()

    async def look() -> Any:
        async with config.provide_session() as db:
            found = await db.select_value("SELECT count(*) FROM sqlite_master")
        await config.close()
        return found

    assert asyncio.run(look()) == 0


async def test_memory_honours_the_busy_time_out() -> None:
    """A second writer waits for the first instead of failing at once."""  # S12
    config = AiosqliteConfig(pool_config={"timeout": 5})
    async with config.provide_session() as one, config.provide_session() as two:
        await one.execute("CREATE TABLE t (id INTEGER)")
        await one.begin()
        await one.execute("INSERT INTO t VALUES (1)")
        waiting = asyncio.ensure_future(two.execute("INSERT INTO t VALUES (2)"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        await one.commit()
        await waiting
        assert await one.select_value("SELECT count(*) FROM t") == 2
    await config.close()


def test_two_memory_configs_are_two_databases() -> None:
    """A config is compared by identity."""  # S1 S12
    one, two = SqliteConfig(), SqliteConfig()
    with one.provide_session() as first, two.provide_session() as second:
        first.execute("CREATE TABLE t (id INTEGER)")
        assert second.select_value("SELECT count(*) FROM sqlite_master") == 0
    one.close()
    two.close()


def test_a_pool_outside_a_loop_is_a_clear_error() -> None:
    """get_pool() of an async config needs a running loop."""  # X1 S10
    spec = SQLSpec()
    config = spec.add_config(AiosqliteConfig())
    with pytest.raises(ImproperConfigurationError, match="event loop"):
        spec.get_pool(config)


# Threads and processes


def test_sync_sessions_in_eight_threads(tmp_path: Path) -> None:
    """Each thread its session, one config, a pool smaller than the threads: nothing is lost."""  # X2
    config = SqliteConfig(pool_config={"database": tmp_path / "x.db", "max_size": 4, "timeout": 20})
    with config.provide_session() as db:
        db.execute("CREATE TABLE t (thread INTEGER, n INTEGER)")

    def work(thread: int) -> None:
        for n in range(10):
            with config.provide_session() as db:
                with db.transaction():
                    db.execute("INSERT INTO t VALUES (?, ?)", thread, n)
                assert db.select_value("SELECT CAST(? AS INTEGER)", thread) == thread

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    with config.provide_session() as db:
        assert db.select_value("SELECT count(*) FROM t") == 80
    assert config.connections.holders == []
    assert config.connections.pool.size <= 4
    config.close()


def test_first_uses_in_eight_threads_make_one_pool() -> None:
    """However they interleave."""  # X2
    together = threading.Barrier(8)

    def first_use(config: SqliteConfig) -> int:
        together.wait(10)
        return id(config.connections)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            for _ in range(200):
                assert len(set(threads.map(first_use, [SqliteConfig()] * 8))) == 1
    finally:
        sys.setswitchinterval(interval)


def test_memory_in_eight_threads() -> None:
    """The same in memory: writers wait for each other."""  # X2 S12
    config = SqliteConfig(pool_config={"max_size": 8, "timeout": 20})
    with config.provide_session() as db:
        db.execute("CREATE TABLE t (n INTEGER)")

    def work(n: int) -> None:
        with config.provide_session() as db, db.transaction():
            db.execute("INSERT INTO t VALUES (?)", n)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(40)))
    with config.provide_session() as db:
        assert db.select_value("SELECT count(*) FROM t") == 40
    config.close()


def run_script(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program of its own, with all warnings shown."""
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_a_forked_process_makes_its_own_sync_pool(tmp_path: Path) -> None:
    """The child works on new connections, and the parent's still work afterwards."""  # X2
    done = run_script(
        """
        import os, sys
        from sqlspec.adapters.sqlite import SqliteConfig

        config = SqliteConfig(pool_config={"database": sys.argv[1], "max_size": 1})
        with config.provide_session() as db:
            db.execute("CREATE TABLE t (who TEXT)")
        parents = config.connections.pool
        child = os.fork()
        with config.provide_session() as db:
            db.execute("INSERT INTO t VALUES (?)", "child" if child == 0 else "parent")
        assert (config.connections.pool is parents) == (child != 0)
        if child == 0:
            config.close()
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        with config.provide_session() as db:
            assert sorted(db.select("SELECT who FROM t", schema_type=str)) == ["child", "parent"]
        config.close()
        print("well")
        """,
        str(tmp_path / "x.db"),
    )
    assert (done.stdout, done.stderr, done.returncode) == ("well\n", "", 0)


def test_a_forked_process_never_writes_to_its_parents_sockets(postgres_dsn: str) -> None:
    """Both go on talking to PostgreSQL, each through its own connection."""  # X2
    done = run_script(
        """
        import asyncio, os, sys
        from sqlspec.adapters.asyncpg import AsyncpgConfig

        config = AsyncpgConfig(pool_config={"dsn": sys.argv[1], "max_size": 1})
        loop = asyncio.new_event_loop()

        async def pid():
            async with config.provide_session() as db:
                return await db.select_value("SELECT pg_backend_pid()")

        async def pid_and_close():
            found = await pid()
            await config.close()
            return found

        before = loop.run_until_complete(pid())
        child = os.fork()
        if child == 0:
            asyncio.events._set_running_loop(None)
            assert asyncio.new_event_loop().run_until_complete(pid_and_close()) != before
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert loop.run_until_complete(pid_and_close()) == before
        loop.close()
        print("well")
        """,
        postgres_dsn,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("well\n", "", 0)


@pytest.mark.parametrize("adapter", ["asyncpg", "aiosqlite", "sqlite"])
def test_an_unclosed_pool_lets_the_process_end(adapter: str, tmp_path: Path, postgres_dsn: str) -> None:
    """Within seconds, with one ResourceWarning that names what to call."""  # S11
    started = time.monotonic()
    done = run_script(
        """
        import asyncio, sys
        from sqlspec.adapters import load_config

        config = load_config(sys.argv[1])(pool_config={"dsn" if "://" in sys.argv[2] else "database": sys.argv[2]})

        async def use():
            async with config.provide_session() as db:
                print(await db.select_value("SELECT 1"))

        if sys.argv[1] == "sqlite":
            with config.provide_session() as db:
                print(db.select_value("SELECT 1"))
        else:
            asyncio.run(use())
        """,
        adapter,
        postgres_dsn if adapter == "asyncpg" else str(tmp_path / "x.db"),
    )
    assert time.monotonic() - started < 5
    assert (done.stdout, done.returncode) == ("1\n", 0)
    warned = [line for line in done.stderr.splitlines() if "ResourceWarning:" in line]
    drivers_own = [line for line in warned if "/asyncpg/" in line or "unclosed transport" in line]
    assert len(warned) - len(drivers_own) == 1
    assert "Exception ignored" not in done.stderr
    assert "Traceback" not in done.stderr


# Unreachable

SECRET = "s3cr3t-pa55"


def asyncpg_config(pool_config: Any, **options: Any) -> AsyncpgConfig:
    """A config whose keys are not known to the type checker."""
    return AsyncpgConfig(pool_config=pool_config, **options)


async def test_a_server_that_can_not_be_reached(postgres_dsn: str, unused_port: int) -> None:
    """Refused, unknown role, unknown database: ConnectionFailedError each time, never a slot or a pool lost."""  # E2
    base = postgres_dsn.rpartition("/")[0]
    wrong: list[dict[str, Any]] = [
        {"dsn": postgres_dsn, "host": "127.0.0.1", "port": unused_port},
        {"dsn": f"{base}/no_such_database"},
        {"dsn": postgres_dsn, "user": "no_such_role"},
        {"dsn": postgres_dsn, "host": "no-such-host.invalid"},
    ]
    for place in wrong:
        for min_size in (0, 1):
            sizes = {"max_size": 1, "min_size": min_size}
            config = asyncpg_config({**place, **sizes, "password": SECRET}, acquire_timeout=5)
            for _ in range(3):
                with pytest.raises(ConnectionFailedError) as failed:
                    async with config.provide_session() as db:
                        await db.select_value("SELECT 1")
                assert_shows_no_secret(failed.value)
                assert "postgresql://" in str(failed.value)
                assert failed.value.__cause__ is not None
            assert config.connections.holders == []
            await config.close()


async def test_a_pool_works_as_soon_as_its_server_does(tmp_path: Path) -> None:
    """Opening failed before: nothing of that is left over."""  # E2 S10
    folder = tmp_path / "later"
    config = AiosqliteConfig(pool_config={"database": folder / "x.db", "max_size": 1, "min_size": 1})
    for _ in range(3):
        with pytest.raises(ConnectionFailedError):
            async with config.provide_session() as db:
                await db.select_value("SELECT 1")
    folder.mkdir()
    async with config.provide_session() as db:
        assert await db.select_value("SELECT 1") == 1
    await config.close()


async def test_a_postgres_pool_works_as_soon_as_its_server_does(postgres_dsn: str) -> None:
    """The database is made after the first attempts failed."""  # E2 S10
    admin = AsyncpgConfig(pool_config={"dsn": postgres_dsn, "max_size": 1})
    name = f"later_{time.monotonic_ns()}"
    config = AsyncpgConfig(pool_config={"dsn": f"{postgres_dsn.rpartition('/')[0]}/{name}", "max_size": 1})
    for _ in range(2):
        with pytest.raises(ConnectionFailedError, match="does not exist"):
            async with config.provide_session() as db:
                await db.select_value("SELECT 1")
    async with admin.provide_session() as db:
        await db.execute(f"CREATE DATABASE {name}")
        try:
            async with config.provide_session() as late:
                assert await late.select_value("SELECT 1") == 1
            await config.close()
        finally:
            await db.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_a_pool_that_is_full_of_refused_attempts_is_not_full(postgres_dsn: str) -> None:
    """Twenty at once are refused; then ten slots are still ten slots."""  # E2 F4
    config = AsyncpgConfig(
        pool_config={"dsn": postgres_dsn, "user": "no_such_role", "max_size": 2, "min_size": 0}, acquire_timeout=10
    )

    async def attempt() -> None:
        async with config.provide_session() as db:
            await db.select_value("SELECT 1")

    failures = await asyncio.gather(*(attempt() for _ in range(20)), return_exceptions=True)
    assert {type(failure) for failure in failures} == {ConnectionFailedError}
    await config.close()


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """Somebody accepts there, and never answers."""
    peers: list[asyncio.StreamWriter] = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for peer in peers:
        peer.transport.abort()
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("min_size", [0, 1])
@pytest.mark.parametrize(
    ("place", "options"),
    [
        ({"timeout": 0.3}, {}),
        ({"timeout": 0.3}, {"acquire_timeout": None}),
        ({}, {"acquire_timeout": 0.3}),
    ],
)
async def test_a_server_that_does_not_answer(silent_port: int, min_size: int, place: Any, options: Any) -> None:
    """Is one that can't be connected to, not a pool that is exhausted; and nobody waits longer than said."""  # E2 F4
    place = {"host": "127.0.0.1", "port": silent_port, "min_size": min_size, "max_size": 1, **place}
    config = asyncpg_config(place, **options)

    async def attempt() -> None:
        async with config.provide_session() as db:
            await db.select_value("SELECT 1")

    started = time.monotonic()
    failures = await asyncio.gather(attempt(), attempt(), return_exceptions=True)
    assert time.monotonic() - started < 2
    for failure in failures:
        assert isinstance(failure, ConnectionFailedError), failure
        assert re.search(r"Could not connect to postgresql://.*: it did not answer in 0\.\d s$", str(failure))
    assert config.connections.holders == []
    await config.close()


async def test_a_pool_that_others_empty_is_exhausted(database: Database) -> None:
    """Connections taken from the driver's pool by hand are in use, too: the server answers."""  # F4
    config: Any = database.new_config({"max_size": 1}, acquire_timeout=0.1)
    await config.open()
    pool = config.connections.pool
    taken = await config.take(pool, 1)
    with pytest.raises(PoolTimeoutError, match=r"became free in 0\.1 s"):
        async with config.provide_session() as db:
            await db.select_value("SELECT 1")
    await config.give(pool, taken)


@pytest.fixture
def unused_port() -> int:
    """Nobody listens there."""
    from sqlspec.servers.process import free_port

    return free_port()


# Secrets


def assert_shows_no_secret(error: BaseException, *secrets: str) -> None:
    """Neither it, nor its traceback (with the texts of its causes), nor what it holds."""
    shown = io.StringIO()
    traceback.print_exception(error, file=shown)
    shown.write(f"{error!r} {error} {error.__dict__} {getattr(error, '__notes__', '')}")
    for secret in (SECRET, *secrets):
        assert secret not in shown.getvalue()


@pytest.mark.parametrize(
    ("place", "secret"),
    [
        ({"password": SECRET}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"dsn": "postgresql://someone:p%40ss%2Fword@127.0.0.1:1/x"}, "p@ss/word"),
        ({"dsn": "postgresql://someone:p%40ss%2Fword@127.0.0.1:1/x"}, "p%40ss%2Fword"),
        ({"dsn": f"postgresql://someone@127.0.0.1:1/x?password={SECRET}"}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:notaport/x"}, SECRET),
        ({"dsn": f"postgres//someone:{SECRET}@127.0.0.1/x"}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:1/x", "min_size": 5, "max_size": 2}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:1/x", "statement_cache_size": -1}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:1/x", "sslmode": SECRET}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:1/x", "ssl": SECRET}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}@127.0.0.1:1/x", "max_queries": -1}, SECRET),
        ({"dsn": f"postgresql://someone:[{SECRET}]@127.0.0.1:1/x"}, SECRET),
        ({"dsn": f"postgresql://someone:{SECRET}\u2100@127.0.0.1:1/x"}, SECRET),
        ({"dsn": f"postgresql://someone:[{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"dsn": f"postgresql://someone:a@{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"dsn": f"postgresql://someone:1/{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"dsn": f"postgresql://someone:1?{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"dsn": f"postgresql://someone@127.0.0.1:1/x?application_name=a&sslpassword={SECRET}"}, SECRET),
        ({"dsn": f"host=127.0.0.1 password={SECRET}"}, SECRET),
        ({"host": f"postgresql://someone:{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"host": ["127.0.0.1", f"postgresql://someone:{SECRET}@127.0.0.1:1/x"]}, SECRET),
        ({"host": f"someone:{SECRET}@127.0.0.1"}, SECRET),
        ({"database": f"postgresql://someone:{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"user": f"postgresql://someone:{SECRET}@127.0.0.1:1/x"}, SECRET),
        ({"server_settings": SECRET}, SECRET),
        ({"password": [SECRET]}, SECRET),
    ],
)
async def test_a_secret_is_shown_nowhere(place: Any, secret: str, caplog: pytest.LogCaptureFixture) -> None:
    """Not in a repr of the config, its pool's holder or a session; not in a log record; not in an error."""  # E5
    caplog.set_level(logging.DEBUG)
    spec = SQLSpec()
    try:
        config = spec.add_config(asyncpg_config({"host": "127.0.0.1", "port": 1, **place}))
        shown = f"{config!r} {spec!r} {config.target} {config.create_session()!r} {config.connections!r}"
        assert secret not in shown
        async with spec.provide_session(config) as db:
            await db.select_value("SELECT 1")
    except SQLSpecError as error:
        assert_shows_no_secret(error, secret)
    else:
        pytest.fail("nobody listens on port 1")
    await spec.close_all_pools()
    assert secret not in caplog.text
    assert all(secret not in str(record.__dict__) for record in caplog.records)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ({"dsn": 5}, "'dsn' in pool_config of AsyncpgConfig is a text; not a value of type int"),
        ({"dsn": None}, "'dsn' in .*; not a value of type NoneType"),
        ({"dsn": "postgresql://h:x/db"}, "dsn can't be read"),
        ({"host": 5}, "'host' in .*; not a value of type int"),
        ({"host": []}, "'host' in .*; not a value of type list"),
        ({"port": "x"}, "'port' in .*; not a value of type str"),
        ({"port": 99999}, "'port' in .*; not 99999"),
        ({"database": 5}, "'database' in .*; not a value of type int"),
        ({"database": "postgresql://h/db"}, "'database' in .*; not a URL with the scheme 'postgresql'"),
        ({"ssl": "bogus"}, "'ssl' in .*'verify-full'.*; not a value of type str"),
        ({"server_settings": "x"}, "'server_settings' in .*; not a value of type str"),
        ({"server_settings": {"jit": 1}}, "'server_settings' in .*; not a value of type dict"),
        ({"target_session_attrs": "x"}, "'target_session_attrs' in .*'read-write'"),
        ({"init": 5}, "'init' in .* a function"),
        ({"timeout": "5"}, "'timeout' in .*; not a value of type str"),
    ],
)
def test_a_wrong_value_for_asyncpg_is_an_error_at_once(place: Any, told: str) -> None:
    """Before anything is opened."""  # C1
    with pytest.raises(ImproperConfigurationError, match=told):
        asyncpg_config(place)


async def test_what_only_the_driver_can_refuse_is_an_error_of_the_config() -> None:
    """Not a database that can't be reached."""  # C1
    for place in ({"dsn": "postgresql://127.0.0.1:1/x?sslmode=bogus"}, {"host": "a..b"}):
        config = asyncpg_config(place)
        with pytest.raises(ImproperConfigurationError, match="asyncpg refuses the pool_config of"):
            await config.open()


def test_the_defaults_of_the_driver_may_be_written() -> None:
    """None where that is asyncpg's own default; not for the place: an unset variable must not mean localhost."""  # C1
    unset = ("password", "passfile", "ssl", "server_settings", "command_timeout", "init", "setup", "connect", "reset")
    asyncpg_config(dict.fromkeys(unset))


@pytest.mark.parametrize(
    ("place", "target"),
    [
        ({"dsn": "postgresql://u@h1:5432,h2:5433/db"}, "postgresql://u@h1:5432,h2:5433/db"),
        ({"dsn": "postgresql://u@[::1]:5432,[::2]/db"}, "postgresql://u@[::1]:5432,[::2]/db"),
        ({"dsn": "postgresql://u:p@h/db?application_name=x", "host": "other"}, "postgresql://u@other/db"),
        ({"dsn": "postgresql://h1:1,h2:2/db", "port": 3}, "postgresql://h1:3,h2:3/db"),
        ({"dsn": "postgresql:///db?host=/tmp&port=7&user=me"}, "postgresql://me@/tmp:7/db"),
        ({"host": ["a", "b"], "port": [1, 2], "user": "me", "database": "x"}, "postgresql://me@a:1,b:2/x"),
        ({"host": "::1", "port": "5"}, "postgresql://[::1]:5/"),
        ({}, "postgresql://localhost/"),
    ],
)
def test_the_target_shows_every_host(place: Any, target: str) -> None:
    """Those that are meant, without password and options."""  # C1 E5
    assert asyncpg_config(place).target == target


async def test_several_hosts_are_tried(postgres_dsn: str, unused_port: int) -> None:
    """The first that answers serves."""  # C1
    base, _, rest = postgres_dsn.rpartition("@")
    host, _, database = rest.partition("/")
    config = asyncpg_config({"dsn": f"{base}@127.0.0.1:{unused_port},{host}/{database}"})
    async with config.provide_session() as db:
        assert await db.select_value("SELECT 1") == 1
    await config.close()


async def test_a_password_that_is_a_word_mangles_no_statement_error(database: Database) -> None:
    """Only what is said about connecting is searched for secrets."""  # E4
    secret = {"password": "e"} if database.adapter.name == "asyncpg" else {}
    config = database.new_config(secret)
    async with database.session(config) as db:
        with pytest.raises(UndefinedTableError) as failed:
            await db.select("SELECT 1 FROM nowhere_e WHERE 'e' = 'e'")
    assert "nowhere_e" in str(failed.value)
    assert "***" not in str(failed.value)
