"""What asyncpg is told and asked, seen on a real server: its hooks, its limits, its ends, and life behind a pooler."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest

from sqlspec.adapters.asyncpg import AsyncpgConfig
from sqlspec.adapters.asyncpg.driver import AsyncpgWire
from sqlspec.core.facts import BeginOptions
from sqlspec.exceptions import (
    ConnectionLostError,
    DatabaseError,
    PoolTimeoutError,
    StatementTimeoutError,
    UniqueViolationError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator


class Server:
    """The server, and whom it sees of us.

    Args:
        dsn: Where it is.
        connection: One beside ours.
    """

    def __init__(self, dsn: str, connection: Any) -> None:
        self.dsn = dsn
        self.name = f"test_{uuid4().hex[:12]}"
        self.table = f"{self.name}_items"
        self.beside = connection

    def place(self, **options: Any) -> Any:
        """``pool_config``."""
        return {"dsn": self.dsn, "max_size": 1, "server_settings": {"application_name": self.name}, **options}

    async def processes(self) -> set[int]:
        """The server's processes that serve us."""
        found = await self.beside.fetch("SELECT pid FROM pg_stat_activity WHERE application_name = $1", self.name)
        return {row["pid"] for row in found}

    async def loses(self, process: int) -> bool:
        """Whether it is gone in five seconds: a process needs some time to end."""
        for _ in range(500):
            if process not in await self.processes():
                return True
            await asyncio.sleep(0.01)
        return False


@pytest.fixture
async def server(postgres_dsn: str) -> AsyncIterator[Server]:
    """With an empty table ``(id)`` of the test's own."""
    connection: Any = await asyncpg.connect(postgres_dsn)
    server = Server(postgres_dsn, connection)
    await connection.execute(f"CREATE TABLE {server.table} (id integer PRIMARY KEY)")
    yield server
    await connection.execute(f"DROP TABLE {server.table}")
    await connection.close()


# Behind a pooler in transaction mode


def listened(server: Server, pooler: Any) -> tuple[AsyncpgConfig, list[str]]:
    """A config, and the statements that asyncpg has sent for it."""
    sent: list[str] = []

    def hear(record: Any) -> None:
        sent.append(record.query.strip(";"))

    async def init(connection: Any) -> None:
        connection.add_query_logger(hear)

    return AsyncpgConfig(pool_config=server.place(init=init), pooler=pooler), sent


@pytest.mark.parametrize("pooler", [None, "transaction"])
async def test_single_statements_are_wrapped_behind_a_pooler(server: Server, pooler: Any) -> None:
    """Those that return rows and those that do not; and nothing stays open after them."""  # F6
    config, sent = listened(server, pooler)
    statements = [
        f"SELECT count(*) FROM {server.table}",
        f"INSERT INTO {server.table} VALUES (1)",
        f"INSERT INTO {server.table} VALUES (2) RETURNING id",
    ]
    async with config.provide_session() as db:
        for statement in statements:
            await asyncio.sleep(0)
            sent.clear()
            await db.execute(statement)
            await asyncio.sleep(0)  # asyncpg tells its loggers by the loop
            assert sent == (["BEGIN", statement, "COMMIT"] if pooler else [statement])
        assert await server.beside.fetchval(f"SELECT count(*) FROM {server.table}") == 2
    await config.close()


async def test_what_no_transaction_may_hold_is_not_wrapped(server: Server) -> None:
    """VACUUM works behind a pooler, too."""  # F6
    config = AsyncpgConfig(pool_config=server.place(), pooler="transaction")
    async with config.provide_session() as db:
        await db.execute(f"VACUUM {server.table}")
    await config.close()


async def test_a_procedure_may_commit_behind_a_pooler(server: Server) -> None:
    """CALL is not wrapped; what it gives comes back, with values and without."""  # F6
    config = AsyncpgConfig(pool_config=server.place(), pooler="transaction")
    name = f"{server.table}_twice"
    async with config.provide_session() as db:
        await db.execute(
            f"CREATE PROCEDURE {name}(INOUT a int) LANGUAGE plpgsql AS $$ BEGIN"
            f" INSERT INTO {server.table} VALUES (a); COMMIT; a := a + 1; INSERT INTO {server.table} VALUES (a); END $$"
        )
        assert await db.select_value(f"CALL {name}(1)") == 2
        assert await db.select_value(f"CALL {name}(?)", 3) == 4
        assert await server.beside.fetchval(f"SELECT count(*) FROM {server.table}") == 4
        await db.execute(f"DROP PROCEDURE {name}")
    await config.close()


async def test_statements_of_a_transaction_are_not_wrapped_again(server: Server) -> None:
    """They meet one server anyway: no savepoint, and what failed is rolled back by its own block."""  # F6
    config = AsyncpgConfig(pool_config=server.place(), pooler="transaction")
    async with config.provide_session() as db:
        with pytest.raises(UniqueViolationError):
            async with db.transaction():
                await db.execute(f"INSERT INTO {server.table} VALUES (1)")
                await db.select(f"INSERT INTO {server.table} VALUES (1) RETURNING id")
        assert await db.select(f"SELECT * FROM {server.table}") == []
    await config.close()


@pytest.mark.parametrize("pooler", [None, "transaction"])
async def test_execute_many_is_one_transaction_of_ours_behind_a_pooler(server: Server, pooler: Any) -> None:
    """All or nothing either way, but asyncpg parses before its own implicit transaction begins."""  # F6
    config, sent = listened(server, pooler)
    insert = f"INSERT INTO {server.table} VALUES ($1)"
    async with config.provide_session() as db:
        with pytest.raises(UniqueViolationError):
            await db.execute_many(insert, [(1,), (2,), (1,)])
        assert await server.beside.fetchval(f"SELECT count(*) FROM {server.table}") == 0
        await asyncio.sleep(0)
        sent.clear()
        await db.execute_many(insert, [(1,), (2,)])
        await asyncio.sleep(0)
        assert sent == (["BEGIN", insert, "COMMIT"] if pooler else [insert])
        assert await server.beside.fetchval(f"SELECT count(*) FROM {server.table}") == 2
    await config.close()


@pytest.mark.parametrize(("pooler", "prepared"), [(None, True), ("transaction", False)])
async def test_nothing_is_prepared_behind_a_pooler(server: Server, pooler: Any, prepared: bool) -> None:
    """A prepared statement stays on one server, and the next transaction may meet another."""  # F6
    config = AsyncpgConfig(pool_config=server.place(), pooler=pooler)
    async with config.provide_session() as db:
        for _ in range(2):
            await db.execute(f"INSERT INTO {server.table} SELECT count(*) FROM {server.table}")
            await db.select(f"SELECT * FROM {server.table}")
        assert (await db.select_value("SELECT count(*) FROM pg_prepared_statements") > 0) is prepared
    await config.close()


# What the user gave to asyncpg


async def test_the_users_connect_and_init_are_called(server: Server) -> None:
    """Once for each connection; ``init`` when the JSON codecs are set, which it may replace."""  # C1
    connected: list[Any] = []
    found: list[Any] = []

    async def connect(*args: Any, **options: Any) -> Any:
        connected.append(await asyncpg.connect(*args, **options))
        return connected[-1]

    async def init(connection: Any) -> None:
        assert connection is connected[-1]
        found.append(await connection.fetchval("""SELECT '{"a": [1]}'::jsonb"""))
        await connection.set_type_codec("json", schema="pg_catalog", encoder=str, decoder=str.upper)

    config = AsyncpgConfig(pool_config=server.place(connect=connect, init=init, min_size=2, max_size=2))
    await config.open()
    assert len(connected) == 2
    assert found == [{"a": [1]}] * 2
    async with config.provide_session() as db:
        assert await db.select_value("""SELECT '"x"'::json""") == '"X"'
    await config.close()


async def test_the_users_setup_and_reset_are_called(server: Server) -> None:
    """Each time that a connection is handed out and comes back."""  # C1
    calls: list[str] = []

    async def setup(_: Any) -> None:
        calls.append("setup")

    async def reset(connection: Any) -> None:
        calls.append("reset")

    config = AsyncpgConfig(pool_config=server.place(setup=setup, reset=reset))
    for _ in range(2):
        async with config.provide_session() as db:
            await db.select_value("SELECT 1")
    assert calls == ["setup", "reset"] * 2
    await config.close()


# Giving a connection back that its COMMIT has reset


async def commit(config: AsyncpgConfig, statement: str) -> int:
    """As a request does it. Gives the server's process."""
    db = config.create_session(implicit=BeginOptions())
    process = await db.select_value("SELECT pg_backend_pid()")
    await db.execute(statement)
    await db.settle(commit=True, reason="it is over")
    await db.close()
    return int(process)


async def test_it_is_free_at_once_and_as_good_as_new(server: Server) -> None:
    """Settings, cursors and listeners of the one before are gone."""  # W1 C1
    config = AsyncpgConfig(pool_config=server.place())
    process = await commit(config, f"SET application_name = '{server.name}_changed'")
    assert config.connections.pool.get_idle_size() == 1
    db = config.create_session(implicit=BeginOptions())
    listened: Any = await db.acquire_connection()
    await listened.add_listener("channel", print)
    with pytest.warns(asyncpg.InterfaceWarning, match="listener"):
        await db.settle(commit=True, reason="it is over")
    await db.close()
    async with config.provide_session() as db:
        assert await db.select_value("SELECT pg_backend_pid()") == process
        assert await db.select_value("SHOW application_name") == server.name
        assert await db.select("SELECT pg_listening_channels()") == []
    await config.close()


async def test_it_is_closed_when_it_has_served_its_queries(server: Server) -> None:
    """And its place is free: the next request gets another."""  # C1 F1
    config = AsyncpgConfig(pool_config=server.place(max_queries=1))
    first = await commit(config, "SELECT 1")
    second = await commit(config, "SELECT 1")
    assert first != second
    assert await server.loses(first)
    assert not config.connections.holders
    await config.close()


async def test_it_is_replaced_when_it_is_too_old(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """``max_lifetime`` counts for those as for all others, and is no fault."""  # C1 F1
    config = AsyncpgConfig(pool_config=server.place(), max_lifetime=1e-9)
    first = await commit(config, "SELECT 1")
    assert await server.loses(first)
    assert await commit(config, "SELECT 1") != first
    assert [record for record in caplog.records if record.name == "sqlspec.pool"] == []
    await config.close()


# Taking a connection, which may have to be waited for


async def test_taking_goes_on_after_every_wait(server: Server) -> None:
    """What the driver waits for comes back to it: results, errors, and plain breaks."""  # C1
    seen: list[object] = []

    async def setup(connection: Any) -> None:
        await asyncio.sleep(0)
        seen.append(await connection.fetchval("SELECT 1"))
        try:
            await connection.execute("SELECT 1 / 0")
        except asyncpg.DivisionByZeroError:
            seen.append("told")

    config = AsyncpgConfig(pool_config=server.place(setup=setup))
    for _ in range(2):
        async with config.provide_session() as db:
            assert await db.select_value("SELECT 2") == 2
    assert seen == [1, "told"] * 2
    await config.close()


@pytest.mark.parametrize("cancelled", [True, False], ids=["cancelled", "timed out"])
async def test_taking_that_is_given_up_frees_the_place(server: Server, cancelled: bool) -> None:
    """Whether its caller was cancelled or its time was up: the next one gets a connection."""  # F1 F4
    began, hangs = asyncio.Event(), True

    async def setup(_: Any) -> None:
        if hangs:
            began.set()
            await asyncio.sleep(60)

    config = AsyncpgConfig(pool_config=server.place(setup=setup), acquire_timeout=5 if cancelled else 0.2)
    await config.open()
    task = asyncio.ensure_future(config.connections.acquire())
    await began.wait()
    if cancelled:
        task.cancel()
    await asyncio.wait((task,), timeout=10)
    assert task.cancelled() if cancelled else isinstance(task.exception(), PoolTimeoutError)
    hangs = False
    async with config.provide_session() as db:
        assert await db.select_value("SELECT 1") == 1
    assert not config.connections.holders
    await config.close()


# Ends


async def test_a_reset_that_hangs_is_cut_off(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever gives a connection back is not held for ever, with ``acquire_timeout=None`` neither."""  # S16 F1
    monkeypatch.setattr("sqlspec.adapters.asyncpg.config.RESET_DEADLINE", 0.1)

    async def reset(_: Any) -> None:
        await asyncio.sleep(60)

    config = AsyncpgConfig(pool_config=server.place(reset=reset), acquire_timeout=None)
    async with asyncio.timeout(5):
        async with config.provide_session() as db:
            process = await db.select_value("SELECT pg_backend_pid()")
    assert await server.loses(process)
    (record,) = [record for record in caplog.records if record.name == "sqlspec.pool"]
    assert "could not be settled" in record.getMessage()
    await config.close()


async def test_a_discarded_connection_is_cut(server: Server) -> None:
    """The server sees it go, and its place in the pool is free."""  # F1
    config = AsyncpgConfig(pool_config=server.place())
    await config.open()
    pool = config.connections.pool
    first = await config.take(pool, 1)
    process = first.get_server_pid()
    await config.discard(pool, first)
    assert await server.loses(process)
    second = await config.take(pool, 1)
    assert second.get_server_pid() != process
    await config.give(pool, second)
    await config.close()


async def test_closing_cuts_what_is_still_in_use(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After some seconds, with a warning that names the pool; nobody waits for ever for a forgotten session."""  # S16
    monkeypatch.setattr("sqlspec.adapters.asyncpg.config.CLOSE_DEADLINE", 0.1)
    config = AsyncpgConfig(pool_config=server.place())
    db = config.create_session()
    process = await db.select_value("SELECT pg_backend_pid()")
    assert await server.processes() == {process}
    async with asyncio.timeout(5):
        await config.close()
    assert await server.loses(process)
    (record,) = [record for record in caplog.records if record.name == "sqlspec.pool"]
    assert "still in use" in record.getMessage()
    assert repr(config) in record.getMessage()
    await db.close()


# What asyncpg raises


def test_nothing_that_asyncpg_raises_gets_through() -> None:
    """All of its exceptions are caught as faults, its internal ones too; warnings and notices are none."""  # E2
    kinds = [getattr(asyncpg.exceptions, name) for name in asyncpg.exceptions.__all__]
    faults = [kind for kind in kinds if issubclass(kind, Exception) and not issubclass(kind, Warning)]
    assert asyncpg.InternalClientError in faults
    assert [kind for kind in faults if not issubclass(kind, AsyncpgWire.errors)] == []


async def test_asyncpgs_own_errors_are_errors_of_the_database(server: Server) -> None:
    """Also what it did not expect itself: the message stays, nothing is said about a code."""  # E1 E2
    facts = AsyncpgWire().read_error(asyncpg.InternalClientError("unexpected state"))
    assert (facts.message, facts.code, facts.sqlstate) == ("unexpected state", None, None)
    assert AsyncpgWire.dialect.classify(facts) is DatabaseError


async def test_asyncpgs_command_timeout_is_a_statement_timeout(server: Server) -> None:
    """It is a plain TimeoutError, that must not look like one of the user's own; and the session goes on."""  # E2
    config = AsyncpgConfig(pool_config=server.place(command_timeout=0.1))
    async with config.provide_session() as db:
        with pytest.raises(StatementTimeoutError, match="command_timeout") as failed:
            await db.execute("SELECT pg_sleep(10)")
        assert failed.value.sqlstate == "57014"
        assert isinstance(failed.value.__cause__, TimeoutError)
        assert await db.select_value("SELECT 1") == 1
    await config.close()


class Resetting:
    """Between us and the server, until it resets the connection: an RST, not an end."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._near: list[asyncio.StreamWriter] = []
        self._far: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        self._near.append(writer)
        self._far.append(far_writer)
        for source, target in ((reader, far_writer), (far_reader, writer)):
            self._tasks.append(asyncio.create_task(self._carry(source, target)))

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                target.write(data)
        except ConnectionError:
            pass
        target.transport.abort()

    def reset(self) -> None:
        for writer in self._near:
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def close(self) -> None:
        for writer in (*self._near, *self._far):
            writer.transport.abort()
        await asyncio.gather(*self._tasks)
        await asyncio.sleep(0.01)  # for the transports


@asynccontextmanager
async def resetting(dsn: str) -> AsyncGenerator[tuple[Resetting, str]]:
    """What can reset connections, and the DSN of its near end."""
    url = urlsplit(dsn)
    between = Resetting(url.hostname or "127.0.0.1", url.port or 5432)
    listener = await asyncio.start_server(between.accept, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    near = url._replace(netloc=f"{url.netloc.rpartition('@')[0]}@127.0.0.1:{port}", query="sslmode=disable")
    try:
        yield between, near.geturl()
    finally:
        listener.close()
        await between.close()


async def test_a_connection_that_is_reset_was_lost(server: Server) -> None:
    """Whatever asyncpg makes of the socket's own error; and the session goes on with another connection."""  # E2
    async with resetting(server.dsn) as (between, near):
        config = AsyncpgConfig(pool_config=server.place(dsn=near))
        async with config.provide_session() as db:
            assert await db.select_value("SELECT 1") == 1
            asyncio.get_running_loop().call_later(0.1, between.reset)
            with pytest.raises(ConnectionLostError) as failed:
                await db.execute("SELECT pg_sleep(10)")
            assert failed.value.__cause__ is not None
            assert await db.select_value("SELECT 2") == 2
        await config.close()


@pytest.mark.parametrize(
    "error", [ConnectionResetError(104, "reset"), BrokenPipeError(32, "broken"), OSError("no route")]
)
def test_an_error_of_the_socket_is_a_lost_connection(error: OSError) -> None:
    """asyncpg lets some of them through as they are."""  # E2
    facts = AsyncpgWire().read_error(error)
    assert (facts.message, facts.sqlstate) == (str(error), "08006")
    assert AsyncpgWire.dialect.classify(facts) is ConnectionLostError
