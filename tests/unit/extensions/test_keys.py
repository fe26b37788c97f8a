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


@pytest.mark.parametrize("key", [["a"], {}, {"a"}, 0, b"db_session", "x" * 100_000])
def test_what_is_no_key_is_unknown(key: object) -> None:  # W4
    """Also what can't be hashed; and the message is short."""
    with pytest.raises(ImproperConfigurationError, match="No configuration found for key: ") as caught:
        KeyTable(assign_keys([(config(), WebOptions())])).find(key)
    assert len(str(caught.value)) < 300


def test_a_name_with_an_underscore_is_no_session_key() -> None:  # W4 W5
    """request.state keeps such names for itself."""
    with pytest.raises(ImproperConfigurationError, match="'db_session'"):
        keys_of((None, WebOptions()), ("__class__", WebOptions()))


# Two plugins in one request


def table(*options: WebOptions) -> KeyTable:
    return KeyTable(assign_keys([(config(), given) for given in options]))


def states(table: KeyTable) -> list[tuple[str, str]]:
    return [(database.session_key, database.connection_key) for database in table.databases]


@pytest.mark.parametrize(
    ("outer", "inner", "twice"),
    [
        (WebOptions(), WebOptions(), "'db_session'"),
        (WebOptions(), WebOptions(session_key="a", connection_key="db_session"), "'db_session'"),
        (WebOptions(), WebOptions(session_key="a", connection_key="db_connection"), "'db_connection'"),
        (WebOptions(session_key="a", connection_key="b"), WebOptions(session_key="b"), "'b'"),
    ],
)
def test_a_key_of_two_plugins_is_refused(outer: WebOptions, inner: WebOptions, twice: str) -> None:  # W3
    """Else the inner one would hide the outer one's session. Two session keys that were left out are such a case."""
    with pytest.raises(ImproperConfigurationError, match=f"Duplicate state keys found: {twice}. Two plugins"):
        table(inner).beside(table(outer))


def test_a_left_out_connection_key_gives_way_to_another_plugins() -> None:  # W3
    """It is derived from the session key then, and found by it; keys of pools are in the states of two apps."""
    inner = table(WebOptions(session_key="b"))
    beside = inner.beside(table(WebOptions(session_key="a")))
    assert states(beside) == [("b", "b_connection")]
    assert beside.databases[0].pool_key == "db_pool"
    assert [beside.find(key) for key in ("b", "b_connection", "db_pool")] == [0, 0, 0]
    assert states(inner) == [("b", "db_connection")]


def test_it_gives_way_to_all_of_them() -> None:  # W3
    """To three plugins around it, to keys that were written, and to its own."""
    first = table(WebOptions(session_key="a", pool_key="c_connection"))
    second = table(WebOptions(session_key="b", connection_key="c_connection")).beside(first)
    third = table(WebOptions(session_key="c"), WebOptions(session_key="c_connection_2")).beside(second)
    assert states(third) == [("c", "c_connection_3"), ("c_connection_2", "c_connection_2_connection")]


def test_a_left_out_connection_key_still_gives_way_when_it_is_fixed() -> None:  # W3 W4
    """When the app has started and a config came later."""
    [database] = assign_keys([(config(), WebOptions(session_key="b"))])
    fixed = KeyTable(assign_keys([database.fixed(), (config(), WebOptions(session_key="late"))]))
    assert states(fixed.beside(table(WebOptions(session_key="a"))))[0] == ("b", "b_connection")


@pytest.mark.parametrize("key", ["db_session", "db_connection"])
def test_the_apps_own_state_must_not_be_under_a_key(key: str) -> None:  # W21 W5
    """Each request would lose it; where the pool is belongs to another state."""
    with pytest.raises(ImproperConfigurationError, match=f"Duplicate state keys found: '{key}'. The app's lifespan"):
        table(WebOptions()).check_state({key: 1, "db_pool": 2})
    table(WebOptions()).check_state({"db_pool": 2})
    table(WebOptions()).check_state(None)
