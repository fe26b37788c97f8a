"""URLs of databases: their parts, what can't be read, and secrets taken out of a text. C1 E5."""

from __future__ import annotations

import pytest

from sqlspec.core.urls import parse_url, redact, scheme_of


def test_parts() -> None:
    """As written, not decoded; every host with its port."""  # C1
    url = parse_url("PostgreSQL://me:a%40b@h1:5432,[::1]:5433,h3/app?sslmode=require&password=x%20y")
    assert url is not None
    assert (url.scheme, url.user, url.path) == ("postgresql", "me", "app")
    assert url.hosts == (("h1", "5432"), ("[::1]", "5433"), ("h3", ""))
    assert url.options == {"sslmode": "require", "password": "x y"}
    assert url.secrets == ("a%40b", "a@b", "x y")


@pytest.mark.parametrize("url", ["postgresql://", "postgresql:///app", "postgresql://u@/app", "postgresql://h:/app"])
def test_parts_may_be_missing(url: str) -> None:
    """They come from elsewhere then."""  # C1
    assert parse_url(url) is not None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h/db",
        "postgresql:u:S@h/db",
        "postgresql://u:[S]@h/db",
        "postgresql://u:S\u2100@h/db",
        "postgresql://u:[S@h/db",
        "postgresql://u:S@S@h/db",
        "postgresql://u:S/S@h/db",
        "postgresql://u:12/S@h/db",
        "postgresql://u:12?S@h/db",
        "postgresql://u:12#S@h/db",
        "postgresql://u@h:x/db",
        "postgresql://u@h1:5432,h2:x/db",
        "postgresql://u@h1:5432,h2:99999/db",
        "postgresql://u@h1:0/db",
        "postgresql://u@h1,,h2/db",
        "postgresql://u@::1/db",
        "postgresql://u@[::1/db",
        "postgresql://u@h/db?sslmode",
    ],
)
def test_what_is_cut_at_the_wrong_place_is_no_url(url: str) -> None:
    """Mostly signs in a password that should be encoded: none of its pieces may become a host or a database."""  # E5
    assert parse_url(url) is None


def test_scheme() -> None:
    """Of URLs only: a password may stand before a colon."""  # E5
    assert [scheme_of(text) for text in ("MySQL://h", "S:x", "C:\\x", "", "1x://h")] == ["mysql", "", "", "", ""]


@pytest.mark.parametrize(
    ("text", "secret", "shown"),
    [
        ('relation "users" does not exist', "e", 'relation "users" does not exist'),
        ("password e is wrong", "e", "password *** is wrong"),
        ("postgresql://u:e@h/e1", "e", "postgresql://u:***@h/e1"),
        ("password=ef", "e", "password=***f"),
        ("got 'p@ss/word'", "p@ss/word", "got '***'"),
        ("got p%40ss%2Fword", "p@ss/word", "got ***"),
        ("x!y!z", "!y!", "x***z"),
        ("nothing", "", "nothing"),
    ],
)
def test_a_secret_is_replaced_where_it_stands_alone(text: str, secret: str, shown: str) -> None:
    """Whole words, and behind ``password=``; not letters inside of words."""  # E5 E4
    assert redact(text, [secret, None]) == shown
