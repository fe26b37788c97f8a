"""Keys and kinds of options: what is refused, and what the refusal shows. C1 C3 E4 E5."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec.adapters import ADAPTERS, load_config
from sqlspec.core.options import COUNT, MAPPING, NONE, SECONDS, SIZES, TEXT, Kind, check, one_of, time_limit
from sqlspec.exceptions import ImproperConfigurationError

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (TEXT, ["", "x"], [None, 5, b"x", ["x"], "a\0b"]),
        (COUNT, [0, 5], [True, -1, 1.5, "5", None, 10**20]),
        (SECONDS, [0, 0.5, 5], [True, -1, "5", float("nan"), float("inf"), None]),
        (MAPPING, [{}, {"a": 1}], [None, [], ["a"], "a", {1: 2}]),
        (one_of("a", "b"), ["a", "b"], ["c", "", None, ["a"], 5]),
        (TEXT | NONE, ["x", None], [5]),
    ],
)
def test_kinds(kind: Kind, good: list[Any], bad: list[Any]) -> None:
    """Each takes what it names, and nothing else."""  # C1
    for value in good:
        check(value, kind, "key")
    for value in bad:
        with pytest.raises(ImproperConfigurationError, match="key is "):
            check(value, kind, "key")


@pytest.mark.parametrize(
    ("value", "kind", "said"),
    [
        (5, TEXT, "key is a text; not a value of type int."),
        (f"postgresql://u:{SECRET}@h/db", COUNT, "not a URL with the scheme 'postgresql'."),
        (SECRET, SECONDS | NONE, "key is a number of seconds, 0 or more, or None; not a value of type str."),
        (-5, SECONDS, "key is a number of seconds, 0 or more; not -5."),
        (47114711, TEXT | NONE, "not a value of type int."),
    ],
)
def test_a_refusal_shows_the_type_and_never_a_secret(value: Any, kind: Kind, said: str) -> None:
    """Numbers are shown only where a number was wanted: others may be passwords."""  # E4 E5
    with pytest.raises(ImproperConfigurationError) as refused:
        check(value, kind, "key")
    assert said in str(refused.value)
    assert SECRET not in str(refused.value)


def test_no_end_is_no_limit() -> None:
    """Infinity, and what no clock can wait for, is None."""  # C3
    assert [time_limit(value, "x") for value in (None, float("inf"), 1e300, 3, 0.5)] == [None, None, None, 3, 0.5]
    for value in (0, -1, "3", True, float("nan")):
        with pytest.raises(ImproperConfigurationError, match="x is a number of seconds above 0, or None; not "):
            time_limit(value, "x")


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_every_key_has_a_kind(adapter: str) -> None:
    """A new key of an adapter can't be forgotten."""  # C1
    config: Any = load_config(adapter)
    assert config.pool_keys - set(config.pool_aliases) <= {*SIZES, *config.pool_kinds}
    assert set(config.pool_kinds) <= config.pool_keys | set(config.pool_aliases.values())
    assert set(config.feature_kinds) == config.feature_keys
