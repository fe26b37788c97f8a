"""Options of web plugins, and what they decide."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest
from starlette.datastructures import State

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
    ({"session_key": "_state"}, ["session_key='_state'", "underscore", "request.state"]),
    ({"connection_key": "__class__"}, ["connection_key='__class__'", "underscore"]),
    ({"pool_key": "_pool"}, ["pool_key='_pool'", "underscore"]),
]


@pytest.mark.parametrize(("given", "parts"), WRONG)
def test_a_wrong_option_is_refused(given: dict[str, Any], parts: list[str]) -> None:  # W2
    """The message names the option, what is wrong with it, and what was meant."""
    with pytest.raises(ImproperConfigurationError) as caught:
        options(**given)
    for part in parts:
        assert part in str(caught.value)


def test_nothing_public_of_starlettes_state_can_be_hidden_by_a_key() -> None:  # W5
    """Names without an underscore are free: so it is enough to refuse those that begin with one."""
    assert [name for name in dir(State) if not name.startswith("_")] == []


@pytest.mark.parametrize(
    "given",
    [
        {"session_key": 10**1000},
        {"commit_mode": "x" * 100_000},
        {"extra_commit_statuses": list(range(1000, 100_000))},
        {"connection_key": [[["x" * 1000] * 1000] * 10] * 10},
    ],
)
def test_a_message_shows_only_the_beginning_of_a_long_value(given: dict[str, Any]) -> None:  # W2
    """Nobody finds what is wrong behind a page of it."""
    with pytest.raises(ImproperConfigurationError) as caught:
        options(**given)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *((name, "starlette") for name in ("starlete", "Starlette", "starlette ", "starlette_config")),
        *((name, "fastapi") for name in ("fast_api", "fast-api", "FastAPI", "fastpai", "fastapi_config")),
        *((name, "starlette") for name in ("web", "Web", "asgi")),
    ],
)
@pytest.mark.parametrize("beside", [{}, {"starlette": {}}], ids=["alone", "beside"])
def test_a_misspelt_section_is_refused(name: str, meant: str, beside: dict[str, Any]) -> None:  # W2
    """Ignoring it would silently mean manual mode."""
    with pytest.raises(ImproperConfigurationError, match=f"Did you mean '{meant}'"):
        read_options({name: {"commit_mode": "autocommit"}, **beside}, STARLETTE, "<config>")


def test_a_section_that_only_another_of_our_plugins_reads_is_refused() -> None:  # W2
    """Starlette's plugin would run in manual mode; beside a section of its own it is the other's."""
    fastapi = {"fastapi": {"commit_mode": "autocommit"}}
    with pytest.raises(ImproperConfigurationError, match=r"'fastapi' in extension_config .* reads 'starlette'"):
        read_options(fastapi, STARLETTE, "<config>")
    assert read_options({**fastapi, "starlette": {}}, STARLETTE, "<config>") == WebOptions()


@pytest.mark.parametrize("name", ["litestar", "flask", "otel", "sanic", "aiohttp", "quart", "fastapi_users"])
def test_sections_of_others_are_theirs(name: str) -> None:  # W2
    """What another plugin reads is not this one's to judge."""
    assert read_options({name: {"anything": 1}}, STARLETTE, "<config>") == WebOptions()


def test_statuses_may_be_any_collection() -> None:  # W2
    """Lists and ranges serve as well as sets, members of an IntEnum as well as numbers."""
    read = options(commit_mode="autocommit", extra_commit_statuses=range(400, 403), extra_rollback_statuses=[201])
    assert read.extra_commit_statuses == {400, 401, 402}
    assert read.extra_rollback_statuses == {201}
    read = options(extra_commit_statuses={HTTPStatus.CONFLICT})
    assert read.extra_commit_statuses == {409}
    assert {type(status) for status in read.extra_commit_statuses} == {int}


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
