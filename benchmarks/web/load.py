"""The rounds: in each, route by route, all contenders run right after each other, backwards in every second round.

All servers are up all the time; one without load costs nothing. Before anything is timed every contender must answer
what the one by hand answers. After each run of inserts as many rows must be stored as answers came: COMMIT comes first.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.timing import DifferentAnswersError
from benchmarks.web.servers import Contender, NotServingError, Server, serving
from benchmarks.web.wrk import LoadError, load
from sqlspec.servers.postgres_client import run_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = (
    "BY_HAND",
    "CONTENDERS",
    "FULL_LOAD",
    "OURS",
    "QUICK_LOAD",
    "ROUTES",
    "ROW",
    "LoadEffort",
    "Loaded",
    "Route",
    "Run",
    "Setting",
    "make_tables",
    "measure_load",
)

BY_HAND = Contender("by_hand", "asyncpg by hand", is_peer=False)
OURS = Contender("ours", "ours", is_peer=False)
CONTENDERS = (
    BY_HAND,
    OURS,
    Contender("sqlalchemy_core", "SQLAlchemy Core", is_apart=True),
    Contender("sqlalchemy_orm", "SQLAlchemy ORM", is_apart=True),
    Contender("encode_databases", "databases", is_apart=True),
    Contender("namesake", "the namesake", is_apart=True),
)


@dataclass(frozen=True, slots=True)
class Route:
    """What is asked for."""

    name: str
    method: str
    path: str
    stores: bool = False


ROW = Route("one row", "GET", "/row")
ROUTES = (Route("no database", "GET", "/plain"), ROW, Route("one insert", "POST", "/rows", stores=True))
REFUSED = Route("one insert, refused", "POST", "/refused")

_TABLES = (
    "CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL, price int NOT NULL)",
    "INSERT INTO item VALUES (1, 'one', 100)",
    "CREATE TABLE saved (id serial PRIMARY KEY, name text NOT NULL, price int NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class LoadEffort:
    """How long to measure: rounds, and seconds of each run. ``wrk`` takes whole seconds."""

    rounds: int
    seconds: int


FULL_LOAD = LoadEffort(rounds=11, seconds=1)
QUICK_LOAD = LoadEffort(rounds=3, seconds=1)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where it happens.

    Attributes:
        dsn: The database, with its tables.
        wrk: The program.
        pythons: The interpreter by contender's module.
        server_core: The only core of the servers; None for any.
        load_core: That of the load generator.
    """

    dsn: str
    wrk: str
    pythons: dict[str, str]
    server_core: int | None = None
    load_core: int | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One contender, one route, one round."""

    contender: str
    route: str
    round: int
    per_second: float
    cpu_per_request: float
    middle: float
    late: float


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came out.

    Attributes:
        runs: The figures.
        keeping: Contenders that stored nothing of a request that was refused.
        left_out: Why others are not there.
    """

    runs: list[Run]
    keeping: list[str]
    left_out: list[str]


def make_tables(dsn: str) -> None:
    """On an empty database. COMMIT does not wait for the disk there: that would hide what is to be seen."""
    name = dsn.partition("?")[0].rpartition("/")[2]
    run_sql(dsn, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    for statement in _TABLES:
        run_sql(dsn, statement)


def measure_load(
    setting: Setting, contenders: Sequence[Contender], effort: LoadEffort, tell: Callable[[str], None]
) -> Loaded:
    """Start them all, check them, put them under load, end them.

    Raises:
        NotServingError: Ours or the one by hand did not start.
        DifferentAnswersError: A contender answers something else, or did not store what it said.
        LoadError: A request failed.
    """
    left_out: list[str] = []
    with ExitStack() as stack:
        servers: list[Server] = []
        for contender in contenders:
            tell(f"{contender.name}: starting")
            try:
                python = setting.pythons[contender.module]
                servers.append(stack.enter_context(serving(contender, setting.dsn, python, setting.server_core)))
            except NotServingError as error:
                if not contender.is_peer:
                    raise
                left_out.append(str(error))
                tell(f"{error}")
        keeping = [server.contender.name for server in servers if _is_right(setting, server, servers[0])]
        return Loaded(list(_rounds(setting, servers, effort, tell)), keeping, left_out)


def _is_right(setting: Setting, server: Server, model: Server) -> bool:
    """Check every route; whether a refused insert is rolled back."""
    for route in ROUTES:
        answer, expected = (each.ask(route.method, route.path) for each in (server, model))
        if answer != expected:
            message = f"{server.contender.name}, {route.name}: {answer}, but by hand {expected}"
            raise DifferentAnswersError(message)
    run_sql(setting.dsn, "TRUNCATE saved")
    answer = server.ask(REFUSED.method, REFUSED.path)
    if answer.status != 409:
        message = f"{server.contender.name}, {REFUSED.name}: {answer}"
        raise DifferentAnswersError(message)
    return _stored(setting) == 0


def _stored(setting: Setting) -> int:
    return int(str(run_sql(setting.dsn, "SELECT count(*) FROM saved")[0][0]))


def _rounds(
    setting: Setting, servers: Sequence[Server], effort: LoadEffort, tell: Callable[[str], None]
) -> Iterable[Run]:
    for number in range(effort.rounds + 1):
        tell(f"round {number} of {effort.rounds}" if number else "warming up")
        for route in ROUTES:
            for server in reversed(servers) if number % 2 else servers:
                found = _run(setting, server, route, number, effort.seconds)
                if number:
                    yield found


def _run(setting: Setting, server: Server, route: Route, number: int, seconds: int) -> Run:
    if route.stores:
        run_sql(setting.dsn, "TRUNCATE saved")
    before = server.cpu_seconds()
    counted = load(setting.wrk, route.method, server.url(route.path), seconds, setting.load_core)
    if route.stores and (stored := _stored(setting)) < counted.requests:
        message = f"{server.contender.name} answered {counted.requests} inserts and stored {stored}"
        raise LoadError(message)
    return Run(
        server.contender.name,
        route.name,
        number,
        counted.requests / counted.seconds,
        (server.cpu_seconds() - before) / counted.requests,
        counted.middle,
        counted.late,
    )
