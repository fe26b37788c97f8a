"""Options of web plugins, and what they decide."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.extensions.outcome import WebOptions, read_options

STARLETTE = ("starlette",)


def options(**given: Any) -> WebOptions:
    return read_options({"starlette": given}, STARLETTE, "<config>")


def test_nothing_given_is_manual_mode() -> None:  # W2 C4
    """A config without a section takes part with the defaults."""
    assert read_options({}, STARLETTE, "<config>") == WebOptions() == options()
    assert WebOptions().commit_mode == "manual"


def test_the_first_section_that_is_there_counts() -> None:  # W2
    """FastAPI's own section comes before Starlette's, and the two are not mixed."""
    sections = ("fastapi", "starlette")
    both = {"starlette": {"commit_mode": "autocommit"}, "fastapi": {"session_key": "db"}}
    assert read_options(both, sections, "<config>") == WebOptions(session_key="db")
    assert read_options({"starlette": both["starlette"]}, sections, "<config>").commit_mode == "autocommit"


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"comit_mode": "autocommit"}, ["'comit_mode'", "Did you mean 'commit_mode'?", "starlette", "<config>"]),
    ({"commit_mode": "autocomit"}, ["'autocomit'", "Did you mean 'autocommit'?", "manual"]),
    ({"commit_mode": None}, ["None", "Modes:"]),
    ({"commit_mode": ["autocommit"]}, ["Modes:"]),
    (
        {"extra_commit_statuses": {201, 409}, "extra_rollback_statuses": {409, 422}},
        ["409 in extra_commit_statuses and in extra_rollback_statuses"],
    ),
    ({"extra_commit_statuses": 201}, ["extra_commit_statuses", "set of HTTP statuses", "201"]),
    ({"extra_commit_statuses": "201"}, ["set of HTTP statuses"]),
    ({"extra_rollback_statuses": [True]}, ["set of HTTP statuses"]),
    ({"extra_rollback_statuses": {99}}, ["set of HTTP statuses"]),
    ({"extra_rollback_statuses": [[]]}, ["set of HTTP statuses"]),
    ({"session_key": ""}, ["session_key", "'db'"]),
    ({"pool_key": 7}, ["pool_key=7"]),
]


@pytest.mark.parametrize(("given", "parts"), WRONG)
def test_a_wrong_option_is_refused(given: dict[str, Any], parts: list[str]) -> None:  # W2
    """The message names the option, what is wrong with it, and what was meant."""
    with pytest.raises(ImproperConfigurationError) as caught:
        options(**given)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("name", ["starlete", "Starlette", "starlette "])
def test_a_misspelt_section_is_refused(name: str) -> None:  # W2
    """Ignoring it would silently mean manual mode."""
    with pytest.raises(ImproperConfigurationError, match="Did you mean 'starlette'"):
        read_options({name: {"commit_mode": "autocommit"}}, STARLETTE, "<config>")


@pytest.mark.parametrize("name", ["litestar", "flask", "otel", "fastapi", "sanic"])
def test_sections_of_others_are_theirs(name: str) -> None:  # W2
    """What another plugin reads is not this one's to judge."""
    assert read_options({name: {"anything": 1}}, STARLETTE, "<config>") == WebOptions()


def test_statuses_may_be_any_collection() -> None:  # W2
    """Lists and ranges serve as well as sets."""
    read = options(commit_mode="autocommit", extra_commit_statuses=range(400, 403), extra_rollback_statuses=[201])
    assert read.extra_commit_statuses == {400, 401, 402}
    assert read.extra_rollback_statuses == {201}


MODES = {"manual": range(0), "autocommit": range(200, 300), "autocommit_include_redirect": range(200, 400)}


@pytest.mark.parametrize("mode", MODES)
def test_the_range_of_each_mode(mode: str) -> None:  # W12
    """Every status there is, in every mode."""
    read = options(commit_mode=mode)
    assert [status for status in range(100, 600) if read.is_commit(status, rollback_only=False)] == list(MODES[mode])


def test_what_beats_what() -> None:  # W12
    """set_rollback_only beats extra roll-back statuses beats extra commit statuses beats the range."""
    read = options(commit_mode="autocommit", extra_commit_statuses={404}, extra_rollback_statuses={201})
    assert read.is_commit(404, rollback_only=False)
    assert not read.is_commit(201, rollback_only=False)
    assert not any(read.is_commit(status, rollback_only=True) for status in range(100, 600))


def test_manual_mode_never_commits() -> None:  # W12
    """There only the user commits, whatever other options say."""
    read = options(extra_commit_statuses={201})
    assert not any(read.is_commit(status, rollback_only=False) for status in range(100, 600))


@pytest.mark.parametrize(
    ("given", "status", "rollback_only", "lost"),
    [
        ({"commit_mode": "autocommit"}, 303, False, True),
        ({"commit_mode": "autocommit"}, 303, True, False),
        ({"commit_mode": "autocommit"}, 404, False, False),
        ({"commit_mode": "autocommit"}, 200, False, False),
        ({"commit_mode": "autocommit", "extra_rollback_statuses": {202}}, 202, False, False),
        ({"commit_mode": "autocommit_include_redirect"}, 303, False, False),
        ({}, 200, False, True),
        ({}, 500, False, False),
        ({"extra_rollback_statuses": {200}}, 200, False, False),
    ],
)
def test_when_discarding_work_deserves_a_warning(  # W12
    given: dict[str, Any], status: int, rollback_only: bool, lost: bool
) -> None:
    """When the client is told of success and nobody asked for the roll-back."""
    assert options(**given).is_silent_loss(status, rollback_only=rollback_only) is lost
