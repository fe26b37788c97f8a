"""Keys of sessions, connections and pools."""

from __future__ import annotations

import pytest

from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.extensions.keys import KeyTable, assign_keys
from sqlspec.extensions.outcome import WebOptions


def config(name: str | None = None) -> SqliteConfig:
    made = SqliteConfig(pool_config={"database": ":memory:"})
    made.name = name
    return made


def keys_of(*wanted: tuple[str | None, WebOptions]) -> list[tuple[str, str, str]]:
    return [database.keys for database in assign_keys([(config(name), options) for name, options in wanted])]


def test_the_defaults() -> None:  # W3 W4
    """One config that leaves all out gets the documented keys."""
    assert keys_of((None, WebOptions())) == [("db_session", "db_connection", "db_pool")]


def test_left_out_keys_never_collide() -> None:  # W3
    """The first gets the short default, the others keys made of their session key."""
    assert keys_of(
        (None, WebOptions(session_key="primary")),
        (None, WebOptions(session_key="analytics")),
        ("reports", WebOptions()),
        ("archive", WebOptions()),
    ) == [
        ("primary", "db_connection", "db_pool"),
        ("analytics", "analytics_connection", "analytics_pool"),
        ("db_session", "db_session_connection", "db_session_pool"),
        ("archive", "archive_connection", "archive_pool"),
    ]


def test_written_keys_come_before_left_out_ones() -> None:  # W3
    """A later config that writes a default key takes it from those that left it out."""
    assert keys_of(
        ("one", WebOptions()),
        (None, WebOptions(session_key="db_session", connection_key="db_connection", pool_key="one_pool")),
    ) == [("one", "one_connection", "db_pool"), ("db_session", "db_connection", "one_pool")]


def test_a_derived_key_that_is_taken_is_numbered() -> None:  # W3
    """Even then nothing collides."""
    [_, second] = keys_of(
        (None, WebOptions(session_key="a", connection_key="b_connection", pool_key="db_connection")),
        (None, WebOptions(session_key="b")),
    )
    assert second == ("b", "b_connection_2", "db_pool")


@pytest.mark.parametrize(
    ("first", "second", "twice"),
    [
        (WebOptions(session_key="db"), WebOptions(session_key="db"), "'db'"),
        (WebOptions(session_key="a", pool_key="p"), WebOptions(session_key="b", pool_key="p"), "'p'"),
        (WebOptions(session_key="a"), WebOptions(session_key="b", connection_key="a"), "'a'"),
        (WebOptions(session_key="a", pool_key="a"), WebOptions(session_key="b"), "'a'"),
        (WebOptions(), WebOptions(), "'db_session'"),
    ],
)
def test_keys_given_twice(first: WebOptions, second: WebOptions, twice: str) -> None:  # W3 W4
    """The message names them; two nameless configs without a session key are such a case."""
    with pytest.raises(ImproperConfigurationError, match=f"Duplicate state keys found: {twice}"):
        keys_of((None, first), (None, second))


def test_fixed_keys_are_as_if_written() -> None:  # W4
    """Once the app has started, a config that comes later can't take the keys of another."""
    [database] = assign_keys([(config(), WebOptions())])
    with pytest.raises(ImproperConfigurationError, match="'db_connection'"):
        assign_keys([database.fixed(), (config(), WebOptions(session_key="x", connection_key="db_connection"))])


def test_what_a_key_finds() -> None:  # W4
    """Session key, connection key, pool key, name, in that order; None is the first; a config finds itself."""
    first, second, third = config("analytics_pool"), config("late"), config("one")
    table = KeyTable(
        assign_keys(
            [
                (first, WebOptions(session_key="one")),
                (second, WebOptions(session_key="analytics", connection_key="conn")),
                (third, WebOptions(session_key="third")),
            ]
        )
    )
    found = {
        key: table.find(key)
        for key in (None, "one", "analytics", "conn", "analytics_pool", "late", "third", first, second, third)
    }
    assert list(found.values()) == [0, 0, 1, 1, 1, 1, 2, 0, 1, 2]


def test_an_unknown_key_is_an_error_that_lists_the_known() -> None:  # W4
    """With the one that was probably meant."""
    table = KeyTable(assign_keys([(config("main"), WebOptions(session_key="primary"))]))
    with pytest.raises(ImproperConfigurationError) as caught:
        table.find("primry")
    assert str(caught.value) == (
        "No configuration found for key: 'primry'. Did you mean 'primary'? "
        "Known keys: primary, db_connection, db_pool, main."
    )
    with pytest.raises(ImproperConfigurationError, match="No configuration found for key: <SqliteConfig"):
        table.find(config())
    with pytest.raises(ImproperConfigurationError, match="Known keys: none"):
        KeyTable(()).find(None)


def test_two_plugins_of_one_request_need_keys_of_their_own() -> None:  # W3
    """Else the inner one would hide the outer one's session."""
    first, second = KeyTable(assign_keys([(config(), WebOptions())])), KeyTable(assign_keys([(config(), WebOptions())]))
    with pytest.raises(ImproperConfigurationError, match="'db_connection', 'db_pool', 'db_session'"):
        first.check_disjoint(second)
    first.check_disjoint(
        KeyTable(assign_keys([(config(), WebOptions(session_key="a", connection_key="b", pool_key="c"))]))
    )
