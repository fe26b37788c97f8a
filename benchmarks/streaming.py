"""Peak memory of a stream: 10,000 and 1,000,000 rows of two columns, each in a fresh process per adapter.

What the process holds before the stream (interpreter, driver, pool) is taken off, so that the figures are the stream's
own. Rows are computed by the database as they are asked for, or as it likes: only our process is measured.
"""

from __future__ import annotations

import asyncio
import inspect
import resource
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec

from sqlspec.adapters import load_config
from sqlspec.servers import find_or_start_mariadb, find_or_start_postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ("FEW", "MANY", "Peak", "measure_streams")

FEW = 10_000
MANY = 1_000_000
_SQLITE = (
    "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT {}) SELECT id, 'row number ' || id FROM n"
)
_POSTGRES = "SELECT id, 'row number ' || id FROM generate_series(1, {}) AS id"
_MARIADB = "SELECT seq, concat('row number ', seq) FROM seq_1_to_{}"
_DUCKDB = "SELECT range AS id, 'row number ' || range AS name FROM range({})"

_QUERIES = {
    "sqlite": _SQLITE,
    "aiosqlite": _SQLITE,
    "adbc_sqlite": _SQLITE,
    "adbc_duckdb": _DUCKDB,
    "asyncpg": _POSTGRES,
    "psycopg": _POSTGRES,
    "psycopg_sync": _POSTGRES,
    "psqlpy": _POSTGRES,
    "adbc_postgresql": _POSTGRES,
    "asyncmy": _MARIADB,
    "aiomysql": _MARIADB,
    "pymysql": _MARIADB,
    "mysqlconnector": _MARIADB,
    "mysqlconnector_sync": _MARIADB,
    "duckdb": _DUCKDB,
}


class Peak(msgspec.Struct):
    """What streams of one adapter added to the peak, in bytes."""

    adapter: str
    few: int
    many: int


def measure_streams(adapters: Iterable[str], tell: Callable[[str], None]) -> list[Peak]:
    """Measure each adapter."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        places: dict[str, dict[str, Any]] = {}
        peaks: list[Peak] = []
        for adapter in adapters:
            tell(f"{adapter}: memory of streams")
            place = _place(adapter, Path(folder), places, stack)
            peaks.append(Peak(adapter, _child(adapter, place, FEW), _child(adapter, place, MANY)))
        return peaks


def _place(adapter: str, folder: Path, places: dict[str, dict[str, Any]], stack: ExitStack) -> dict[str, Any]:
    query = _QUERIES[adapter]
    if query in (_POSTGRES, _MARIADB):
        if query not in places:
            server = stack.enter_context((find_or_start_postgres if query is _POSTGRES else find_or_start_mariadb)())
            places[query] = {"dsn": stack.enter_context(server.temporary_database("sqlspec_bench"))}
        place = places[query]
        return {"uri": place["dsn"]} if adapter.startswith("adbc_") else place
    if adapter == "adbc_duckdb":
        return {"uri": f"duckdb:///{folder / adapter}"}
    if adapter == "adbc_sqlite":
        return {"uri": f"sqlite:///{folder / adapter}"}
    return {"database": str(folder / adapter)}


def _child(adapter: str, place: dict[str, Any], rows: int) -> int:
    order = msgspec.json.encode([adapter, place, rows]).decode()
    command = [sys.executable, "-m", "benchmarks.streaming", order]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"streaming with {adapter} failed:\n{done.stderr}")
    return int(done.stdout)


# In the child


def _peak() -> int:
    """The most memory that this process held, in bytes. Linux's ``ru_maxrss`` would begin with the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


async def _stream(config: Any, query: str, wanted: int) -> tuple[int, int]:
    """How many rows came, and what they added to the peak."""
    async with config.provide_session() as db:
        async with db.select_stream(query.format(10), schema_type=tuple) as rows:
            assert len([row async for row in rows]) == 10
        before, count = _peak(), 0
        async with db.select_stream(query.format(wanted), schema_type=tuple) as rows:
            async for _ in rows:
                count += 1
        return count, _peak() - before


def _stream_sync(config: Any, query: str, wanted: int) -> tuple[int, int]:
    with config.provide_session() as db:
        with db.select_stream(query.format(10), schema_type=tuple) as rows:
            assert len(list(rows)) == 10
        before, count = _peak(), 0
        with db.select_stream(query.format(wanted), schema_type=tuple) as rows:
            for _ in rows:
                count += 1
        return count, _peak() - before


def main() -> None:
    adapter, place, wanted = msgspec.json.decode(sys.argv[1])
    config = load_config("adbc" if adapter.startswith("adbc_") else adapter)(pool_config=place)
    if inspect.iscoroutinefunction(config.close):

        async def work() -> tuple[int, int]:
            try:
                return await _stream(config, _QUERIES[adapter], wanted)
            finally:
                await config.close()

        count, added = asyncio.run(work())
    else:
        count, added = _stream_sync(config, _QUERIES[adapter], wanted)
        config.close()
    assert count == wanted, (count, wanted)
    print(added)


if __name__ == "__main__":
    main()
