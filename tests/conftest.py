"""What every test may ask for. Nothing is started unless a test asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sqlspec.servers import PostgresServer, ServerUnavailableError, find_or_start_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

POSTGRES = pytest.StashKey[PostgresServer]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Find or start PostgreSQL before the first test and its time limit, if one of those that were picked asks for it.

    That there is none ends the run with an error: tests that prove nothing must not look green.
    """
    asking = (item for item in session.items if "postgres_server" in getattr(item, "fixturenames", ()))
    if any(asking) and not session.config.getoption("collectonly"):
        try:
            _postgres(session.config)
        except ServerUnavailableError as error:
            pytest.exit(str(error), returncode=pytest.ExitCode.INTERNAL_ERROR)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started."""
    if POSTGRES in config.stash:
        config.stash[POSTGRES].stop()


def _postgres(config: pytest.Config) -> PostgresServer:
    if POSTGRES not in config.stash:
        terminal = config.pluginmanager.getplugin("terminalreporter")
        assert isinstance(terminal, pytest.TerminalReporter)
        config.stash[POSTGRES] = find_or_start_postgres(say=terminal.write_line)
    return config.stash[POSTGRES]


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> PostgresServer:
    """The PostgreSQL server of this run: found on this machine, or started for it."""
    return _postgres(request.config)


@pytest.fixture(scope="session")
def postgres_dsn(postgres_server: PostgresServer) -> Iterator[str]:
    """The DSN of this run's own database, empty at first, dropped at the end."""
    with postgres_server.temporary_database("sqlspec_test") as dsn:
        yield dsn
