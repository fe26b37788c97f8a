"""What every test may ask for, those of the shipped suite too. Nothing is started unless a test asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sqlspec.servers import MariaDBServer, PostgresServer, ServerUnavailableError
from sqlspec.testing.compliance import Adapter
from tests.compliance.targets import SERVER_OF
from tests.support.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["sqlspec.testing.compliance.plugin"]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Find or start the servers that the picked tests ask for, before the first test and its time limit.

    That there is none ends the run with an error: tests that prove nothing must not look green.
    """
    if session.config.getoption("collectonly"):
        return
    terminal = session.config.pluginmanager.getplugin("terminalreporter")
    assert isinstance(terminal, pytest.TerminalReporter)
    SERVERS.say = terminal.write_line
    for name in sorted({name for item in session.items for name in _servers_of(item)}):
        try:
            SERVERS.start(name)
        except ServerUnavailableError as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.INTERNAL_ERROR)


def _servers_of(item: pytest.Item) -> Iterator[str]:
    fixtures = getattr(item, "fixturenames", ())
    for name in ("postgres", "mariadb"):
        if f"{name}_server" in fixtures or f"{name}_dsn" in fixtures:
            yield name
    callspec = getattr(item, "callspec", None)
    for value in () if callspec is None else callspec.params.values():  # an adapter, or the name of one
        if isinstance(value, (str, Adapter)) and str(value) in SERVER_OF:
            yield SERVER_OF[str(value)]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    SERVERS.stop()


@pytest.fixture(scope="session")
def postgres_server() -> PostgresServer:
    """The PostgreSQL server of this run: found on this machine, or started for it."""
    return SERVERS.postgres


@pytest.fixture(scope="session")
def postgres_dsn() -> str:
    """The DSN of this run's own PostgreSQL database, empty at first, dropped at the end."""
    return SERVERS.postgres_dsn


@pytest.fixture(scope="session")
def mariadb_server() -> MariaDBServer:
    """The MariaDB server of this run: found on this machine, or started for it."""
    return SERVERS.mariadb


@pytest.fixture(scope="session")
def mariadb_dsn() -> str:
    """The DSN of this run's own MariaDB database, empty at first, dropped at the end."""
    return SERVERS.mariadb_dsn
