"""Where a server database is: which values may name a place, what a URL says, and what of it may be shown."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec.core import address
from sqlspec.core.address import NO_URL, Address, place_of, read_url
from sqlspec.core.options import Kind
from sqlspec.exceptions import ImproperConfigurationError

SCHEMES = ("postgresql", "postgres")


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        (address.NAME, "app", True),
        (address.NAME, "postgresql://h/app", False),
        (address.NAME, "a\0b", False),
        (address.NAME, 5, False),
        (address.HOST, "db.example.org", True),
        (address.HOST, "::1", True),
        (address.HOST, "/run/postgresql@1", True),
        (address.HOST, "user@db.example.org", False),
        (address.HOST, "mysql://db.example.org", False),
        (address.HOST, ["a", "b"], False),
        (address.HOSTS, "a", True),
        (address.HOSTS, ["a", "b"], True),
        (address.HOSTS, ("a", "b@c"), False),
        (address.HOSTS, [], False),
        (address.PORT, 1, True),
        (address.PORT, 65535, True),
        (address.PORT, "5432", True),
        (address.PORT, 0, False),
        (address.PORT, 65536, False),
        (address.PORT, "54x", False),
        (address.PORT, -1, False),
        (address.PORTS, [5432, "5433"], True),
        (address.PORTS, [], False),
        (address.PORTS, [5432, 0], False),
        (address.PASSWORD, "any text", True),
        (address.PASSWORD, lambda: "any text", True),
        (address.PASSWORD, 5, False),
    ],
)
def test_a_value_in_the_place_of_another_is_refused(kind: Kind, value: Any, fits: bool) -> None:
    """A URL as host, a user in it, a port that there is not."""  # C1
    assert kind.fits(value) is fits


@pytest.mark.parametrize("url", ["mysql://u:geheim@h/d", "//u:geheim@h/d", "postgresql://u:geheim@h:x/d"])
def test_a_url_that_will_not_do_is_told_without_its_password(url: str) -> None:
    """By the key that it stands under, and with what would do."""  # E4 E5
    with pytest.raises(
        ImproperConfigurationError, match=r"^dsn (must be a URL like postgresql://|can't be read)"
    ) as told:
        read_url(url, "dsn", SCHEMES)
    assert "geheim" not in str(told.value)


URL = "postgresql://ann:s%40fe@one:1,[::1]/app?password=inside&port=7"


@pytest.mark.parametrize(
    ("options", "url", "target"),
    [
        ({}, None, "pg://localhost/"),
        ({"host": "h", "user": "u", "database": "d", "port": 5}, None, "pg://u@h:5/d"),
        ({"host": "::1"}, None, "pg://[::1]/"),
        ({"host": "::1", "port": 5}, None, "pg://[::1]:5/"),
        ({"host": ["a", "b"], "port": 5}, None, "pg://a:5,b:5/"),
        ({"host": ["a", "b"], "port": [5, 6]}, None, "pg://a:5,b:6/"),
        ({"host": "a,b", "port": "5,6"}, None, "pg://a:5,b:6/"),
        ({"host": "/run/pg"}, None, "pg:///run/pg/"),
        ({}, URL, "pg://ann@one:1,[::1]/app"),
        ({"user": "bob", "database": "other"}, URL, "pg://bob@one:1,[::1]/other"),
        ({"host": "h"}, URL, "pg://ann@h:7/app"),
        ({"port": 9}, URL, "pg://ann@one:9,[::1]:9/app"),
        ({}, "postgresql:///app?host=h&port=7&user=u", "pg://u@h:7/app"),
        ({}, "postgresql://?database=d", "pg://localhost/d"),
    ],
)
def test_the_place_is_shown_as_a_url(options: dict[str, Any], url: str | None, target: str) -> None:
    """A key beats the URL, and the URL's front beats its options."""  # C1 E4
    assert Address(options, NO_URL if url is None else read_url(url, "dsn", SCHEMES), "pg").target == target


def test_every_password_is_known() -> None:
    """Of the options and of the URL, as it is written and as it is meant; an empty one is none."""
    url = read_url(URL, "dsn", SCHEMES)
    found = Address({"password": "key", "passwd": "other"}, url, "pg", ("password", "passwd"))
    assert {"key", "other", "s@fe", "inside"} <= set(found.secrets)
    assert "s@fe" not in found.target
    assert "s%40fe" not in found.target
    assert Address({"password": ""}, NO_URL, "pg").secrets == ()
    assert Address({"password": lambda: "late"}, NO_URL, "pg").secrets == ()


@pytest.mark.parametrize(
    ("options", "url", "place"),
    [
        ({}, "postgresql://", {}),
        (
            {},
            "postgresql://ann:s%40fe@one:1,[::1]/my%20app",
            {"user": "ann", "password": "s@fe", "database": "my app", "host": ["one", "::1"], "port": [1, 5432]},
        ),
        ({}, "postgresql:///?dbname=d&host=a,b&port=5,6", {"database": "d", "host": ["a", "b"], "port": [5, 6]}),
        ({"host": "h", "port": 9}, "postgresql://one:1/app", {"database": "app", "host": ["h"], "port": [9]}),
        ({"host": ["h", "i"]}, "postgresql://one/app", {"database": "app", "host": ["h", "i"]}),
    ],
)
def test_the_place_for_a_driver_that_takes_no_url(options: dict[str, Any], url: str, place: dict[str, Any]) -> None:
    """Decoded, with hosts and ports as lists; only what was named."""  # C1
    assert place_of(options, read_url(url, "dsn", SCHEMES), 5432) == place
