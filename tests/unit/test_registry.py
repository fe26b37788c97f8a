"""The registry's own rules; what configs and pools do is tested where they are."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.adapters.sqlite import SqliteConfig
from sqlspec.exceptions import ImproperConfigurationError


def test_none_is_no_config() -> None:
    """A config without a name is not what None means."""  # S1
    spec = SQLSpec()
    spec.add_config(SqliteConfig())
    nothing: Any = None
    with pytest.raises(ImproperConfigurationError, match="None is not registered"):
        spec.provide_session(nothing)


def test_a_config_keeps_its_name_in_a_second_registry() -> None:
    """There it is added without a name or under the same one."""  # S1
    first, second, third = SQLSpec(), SQLSpec(), SQLSpec()
    config = first.add_config(SqliteConfig(), name="main")
    second.add_config(config)
    assert first.get_config("main") is config
    assert second.get_config("main") is config
    with pytest.raises(ImproperConfigurationError, match="is named 'main' in another registry"):
        third.add_config(config, name="other")
    assert first.get_config("main") is config


class Stuck(SqliteConfig):
    """Its pool can't be closed."""

    def close(self) -> None:
        message = "stuck"
        raise OSError(message)


def test_a_failing_close_never_hides_the_error_of_the_block() -> None:
    """It becomes a note of it, and is raised where there is none."""  # E3 S10
    problem = KeyError("first")
    spec = SQLSpec()
    spec.add_config(Stuck())
    with pytest.raises(KeyError) as raised, spec:
        raise problem
    assert raised.value.__notes__ == ["Closing the pools failed too: stuck"]
    with pytest.raises(OSError, match="stuck"), spec:
        pass


async def test_a_failing_close_never_hides_the_error_of_an_async_block() -> None:
    """The same for ``async with``, in which the sync pools are closed too."""  # E3 S10
    problem = KeyError("first")
    spec = SQLSpec()
    spec.add_config(Stuck())
    spec.add_config(AiosqliteConfig())
    with pytest.raises(KeyError) as raised:
        async with spec:
            raise problem
    assert raised.value.__notes__ == ["Closing the pools failed too: stuck"]
