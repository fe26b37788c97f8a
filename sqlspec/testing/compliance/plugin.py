"""The pytest plugin of the suite: which adapters it runs on, and the table at its end.

    pytest -p sqlspec.testing.compliance.plugin --pyargs sqlspec.testing.compliance --sqlspec-adapters mine:ADAPTERS

The option may stand in the configuration as ``sqlspec_adapters``. ``--sqlspec-only NAME`` picks some of them, and
``--sqlspec-table`` prints how many tests of each group of rules passed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from sqlspec.testing.compliance.adapter import Adapter
from sqlspec.testing.compliance.table import GROUPS, Tally

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

__all__ = ("adapters_of", "declared", "leave_out", "places_of")

_ADAPTERS = pytest.StashKey[list[Adapter]]()
_TALLY = pytest.StashKey[Tally]()
_PLACES = pytest.StashKey[dict[str, tuple[str, str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the adapters are declared."""
    group = parser.getgroup("sqlspec", "SQLSpec's compliance suite")
    what = "module:attribute of an Adapter or a list of them"
    group.addoption("--sqlspec-adapters", action="append", default=[], metavar="PLACE", help=what)
    group.addoption("--sqlspec-only", action="append", default=[], metavar="NAME", help="only the adapters so named")
    group.addoption("--sqlspec-table", action="store_true", help="print a table of adapters and groups of rules")
    parser.addini("sqlspec_adapters", what, type="args", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Say what the mark means."""
    config.addinivalue_line(
        "markers", "sqlspec_where(*capabilities): run on the adapters that declare these; -name asks for its absence"
    )
    config.stash[_TALLY] = Tally()
    config.stash[_PLACES] = {}


def adapters_of(config: pytest.Config) -> list[Adapter]:
    """The adapters of this run.

    Raises:
        pytest.UsageError: None is declared, or none has a name that was asked for.
    """
    if _ADAPTERS not in config.stash:
        found = declared(places_of(config))
        only: Any = config.getoption("--sqlspec-only")
        unknown = set[str](only) - {adapter.name for adapter in found}
        if not found or unknown:
            known = ", ".join(adapter.name for adapter in found) or "none"
            message = f"No adapter {', '.join(sorted(unknown))} is declared." if unknown else "No adapter is declared."
            raise pytest.UsageError(f"{message} Declared: {known}. Give --sqlspec-adapters package.module:ADAPTERS")
        config.stash[_ADAPTERS] = [adapter for adapter in found if not only or adapter.name in only]
    return config.stash[_ADAPTERS]


def places_of(config: pytest.Config) -> list[str]:
    """Where the adapters of this run are declared."""
    places: Any = config.getoption("--sqlspec-adapters") or config.getini("sqlspec_adapters")
    return list(places)


def declared(places: Iterable[str]) -> list[Adapter]:
    """The adapters that are declared in these places.

    Raises:
        pytest.UsageError: There is nothing of the kind.
    """
    return [adapter for place in places for adapter in _load(place)]


def _load(place: str) -> Iterable[Adapter]:
    module, _, attribute = place.partition(":")
    try:
        found: Any = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise pytest.UsageError(f"--sqlspec-adapters {place}: {error}") from error
    return [found] if isinstance(found, Adapter) else found


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the tests away that need what their adapter does not declare, and count them."""
    kept: list[pytest.Item] = []
    gone: list[pytest.Item] = []
    for item in items:
        adapter = _adapter(item)
        marks = list(item.iter_markers("sqlspec_where"))
        if adapter is None:
            fits = not marks
        else:
            fits = all(adapter.fits(mark.args) for mark in marks)
            place = adapter.name, GROUPS.get(item.path.stem, "others")
            config.stash[_PLACES][item.nodeid] = place
            if not all(adapter.can.issuperset(_wanted(mark)) for mark in marks):
                config.stash[_TALLY].count(*place, "left out")
        (kept if fits else gone).append(item)
    if gone:
        items[:] = kept
        config.hook.pytest_deselected(items=gone)


def _wanted(mark: pytest.Mark) -> set[str]:
    return {name for name in mark.args if not name.startswith("-")}


def _adapter(item: pytest.Item) -> Adapter | None:
    callspec: Any = getattr(item, "callspec", None)
    found = None if callspec is None else callspec.params.get("database")
    return found if isinstance(found, Adapter) else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count what became of each test; tell why one is run at all that wants to see something refused."""
    report = yield
    absent = [name[1:] for mark in item.iter_markers("sqlspec_where") for name in mark.args if name.startswith("-")]
    if report.failed and absent:
        names = " and ".join(map(repr, absent))
        report.sections.append(("SQLSpec", f"This test is run because {_adapter(item)} does not declare {names}."))
    place = item.config.stash[_PLACES].get(item.nodeid)
    if place is not None and (report.when == "call" or not report.passed):
        item.config.stash[_TALLY].count(*place, "passed" if report.passed else "failed")
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the table."""
    tally = config.stash[_TALLY]
    if config.getoption("--sqlspec-table") and tally:
        terminalreporter.section("compliance")
        terminalreporter.write_line(tally.text())
