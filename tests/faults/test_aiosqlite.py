"""What only aiosqlite can do wrong: a thread that goes on when nobody waits for it any more. F1."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.adapters.aiosqlite.driver import connect

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("late", [False, True], ids=["while it opens", "when it has opened"])
async def test_a_connection_whose_opening_was_cancelled_is_closed(tmp_path: Path, late: bool) -> None:
    """At whatever instant: the file is not kept open by something that nobody has."""  # F1
    going, enough, opened = threading.Event(), threading.Event(), threading.Event()
    raw: list[sqlite3.Connection] = []
    threads: list[threading.Thread] = []

    def opener() -> sqlite3.Connection:
        threads.append(threading.current_thread())
        going.set()
        enough.wait(10)
        raw.append(sqlite3.connect(tmp_path / "x.db", check_same_thread=False))
        opened.set()
        return raw[0]

    opening = asyncio.ensure_future(connect(opener))
    await asyncio.to_thread(going.wait, 10)
    if late:  # the loop is kept busy until the thread has done its part
        enough.set()
        opened.wait(10)
        threading.Event().wait(0.05)
    opening.cancel()
    with suppress(asyncio.CancelledError):
        await opening
    enough.set()
    await asyncio.to_thread(threads[0].join, 10)
    assert not threads[0].is_alive()
    assert is_closed(raw[0])


def is_closed(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT 1").close()
    except sqlite3.ProgrammingError:
        return True
    return False


class Gate:
    """A parameter that sqlite3 waits for: until then the statement has not begun, and can't be interrupted."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __conform__(self, _: object) -> int:
        self.reached.set()
        self.opened.wait(10)
        return self.limit


COUNT = "WITH RECURSIVE n (x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n WHERE x < ?) SELECT count(*) FROM n"


async def test_what_begins_after_the_first_interruption_is_interrupted_too(tmp_path: Path) -> None:
    """SQLite forgets an interruption that finds nothing running; recovering goes on until the thread is free."""  # F1
    config = AiosqliteConfig(pool_config={"database": tmp_path / "x.db", "max_size": 1})
    gate = Gate(20_000_000)
    async with config.provide_connection() as connection:
        busy = asyncio.ensure_future(connection.execute(COUNT, (gate,)))
        await asyncio.to_thread(gate.reached.wait, 10)
        recovering = asyncio.ensure_future(config.wire.recover(connection))
        await asyncio.sleep(0)  # it has interrupted once, in vain
        gate.opened.set()
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            await busy
        await recovering
        assert not config.wire.in_transaction(connection)
    await config.close()


def test_a_thread_whose_loop_has_closed_ends_in_silence() -> None:
    """Nobody is left who waits for its answer: no traceback of a thread."""  # X1
    ended: list[threading.Thread] = []

    async def leave() -> None:
        connection: Any = await connect(lambda: sqlite3.connect(":memory:", check_same_thread=False))
        ended.append(connection._thread)
        task = asyncio.ensure_future(connection._execute(time.sleep, 0.1))
        await asyncio.sleep(0.01)
        task.cancel()

    complaints: list[object] = []
    previous, threading.excepthook = threading.excepthook, complaints.append
    asyncio.run(leave())
    ended[0].join(5)
    threading.excepthook = previous
    assert not ended[0].is_alive()
    assert complaints == []
