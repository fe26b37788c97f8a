"""Pools in several threads and processes, and left open at the end of one: S11 S12 X2."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from sqlspec.adapters.sqlite import SqliteConfig

if TYPE_CHECKING:
    from pathlib import Path


# Threads


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


# Processes


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


def test_garbage_in_a_forked_process_is_not_the_parents(postgres_dsn: str) -> None:
    """The child may forget its parent's loop and pool: nothing is closed, unregistered or warned of there."""  # X2
    done = run_script(
        """
        import asyncio, gc, os, sys
        from sqlspec.adapters.asyncpg import AsyncpgConfig

        config = AsyncpgConfig(pool_config={"dsn": sys.argv[1], "max_size": 1})
        loop = asyncio.new_event_loop()

        async def pid(close):
            async with config.provide_session() as db:
                found = await db.select_value("SELECT pg_backend_pid()")
            if close:
                await config.close()
            return found

        before = loop.run_until_complete(pid(close=False))
        child = os.fork()
        if child == 0:
            asyncio.run(pid(close=True))
            del loop
            gc.collect()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert loop.run_until_complete(pid(close=True)) == before
        loop.close()
        print("well")
        """,
        postgres_dsn,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("well\n", "", 0)


def test_a_forked_process_is_not_blamed_for_its_parents_pool(tmp_path: Path) -> None:
    """It never opened it, so it need not close it."""  # X2 S11
    done = run_script(
        """
        import gc, os, sys
        from sqlspec.adapters.sqlite import SqliteConfig

        config = SqliteConfig(pool_config={"database": sys.argv[1], "max_size": 1, "min_size": 0})
        config.open()
        child = os.fork()
        if child == 0:
            del config
            gc.collect()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        config.close()
        print("well")
        """,
        str(tmp_path / "x.db"),
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
