"""What a web plugin is told by its options, and what becomes of a request's work because of them. Pure.

    exception, or set_rollback_only()      roll back
    extra_rollback_statuses                roll back
    manual                                 roll back: who wanted it saved has committed it
    extra_commit_statuses                  commit
    autocommit                             commit on 200-299
    autocommit_include_redirect            commit on 200-399

The first line that applies decides. This module knows no request, no session and no framework.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from sqlspec.config import CommitMode, StarletteConfig
from sqlspec.core.options import check_keys, did_you_mean
from sqlspec.exceptions import ImproperConfigurationError
from sqlspec.extensions.shown import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ("WebOptions", "read_options")

_MODES: tuple[CommitMode, ...] = get_args(CommitMode)
_COMMITTED: dict[CommitMode, range] = {
    "manual": range(0),
    "autocommit": range(200, 300),
    "autocommit_include_redirect": range(200, 400),
}
_SECTIONS = ("starlette", "fastapi")
_NO_FRAMEWORK = frozenset({"web", "asgi"})


@dataclass(frozen=True, slots=True)
class WebOptions:
    """The options of one database, checked. A key is None if it was left out.

    Attributes:
        is_connection_key_assigned: It was left out, and is to stay as it was assigned; see ``Database.fixed()``.
    """

    commit_mode: CommitMode = "manual"
    session_key: str | None = None
    connection_key: str | None = None
    pool_key: str | None = None
    extra_commit_statuses: frozenset[int] = field(default=frozenset())
    extra_rollback_statuses: frozenset[int] = field(default=frozenset())
    is_connection_key_assigned: bool = False

    @property
    def is_manual(self) -> bool:
        """Whether the user commits."""
        return self.commit_mode == "manual"

    def is_commit(self, status: int, *, rollback_only: bool) -> bool:
        """Whether a response of this status commits what is open; otherwise it is rolled back."""
        if rollback_only or status in self.extra_rollback_statuses or self.is_manual:
            return False
        return status in self.extra_commit_statuses or status in _COMMITTED[self.commit_mode]

    def is_silent_loss(self, status: int, *, rollback_only: bool) -> bool:
        """Whether nobody asked for the roll-back of this response, which looks like a success to its client."""
        asked = rollback_only or status in self.extra_rollback_statuses
        return status < 400 and not asked and not self.is_commit(status, rollback_only=False)


def read_options(extension_config: Mapping[str, Mapping[str, Any]], sections: Sequence[str], where: str) -> WebOptions:
    """The options of one config.

    Args:
        extension_config: What the config was given.
        sections: The names that this plugin reads; the first that is there counts.
        where: The config, for messages.

    Raises:
        ImproperConfigurationError: An unknown option, mode or section, a wrong value, a status in both sets.
    """
    _check_sections(extension_config, sections, where)
    section = next((name for name in sections if name in extension_config), sections[0])
    given = extension_config.get(section, {})
    where = f"extension_config[{section!r}] of {where}"
    check_keys(given, StarletteConfig.__optional_keys__, where)
    options = WebOptions(
        commit_mode=_mode(given.get("commit_mode", "manual"), where),
        session_key=_key(given, "session_key", where),
        connection_key=_key(given, "connection_key", where),
        pool_key=_key(given, "pool_key", where),
        extra_commit_statuses=_statuses(given, "extra_commit_statuses", where),
        extra_rollback_statuses=_statuses(given, "extra_rollback_statuses", where),
    )
    both = options.extra_commit_statuses & options.extra_rollback_statuses
    if both:
        statuses = ", ".join(map(str, sorted(both)))
        message = f"{where} has {statuses} in extra_commit_statuses and in extra_rollback_statuses. Keep one of them."
        raise ImproperConfigurationError(message)
    return options


def _check_sections(given: Mapping[str, object], sections: Sequence[str], where: str) -> None:
    """A section that is ignored because of its name would silently mean manual mode."""
    for name in given:
        meant = name if name in sections else _meant(name, sections)
        if meant is None:
            continue
        if name != meant:
            message = f"Unknown section {shown(name)} in extension_config of {where}. Did you mean {meant!r}?"
            raise ImproperConfigurationError(message)
        if not any(section in given for section in sections):
            message = f"Nothing reads {name!r} in extension_config of {where}: this plugin reads {sections[0]!r}."
            raise ImproperConfigurationError(message)


def _meant(name: str, sections: Sequence[str]) -> str | None:
    """What a name that this plugin does not read stands for; None if it is none of ours (Litestar's, say)."""
    plain = re.sub(r"[^a-z]", "", name.lower()).removesuffix("config")
    if plain in _NO_FRAMEWORK:
        return sections[0]
    return next(iter(get_close_matches(plain, _SECTIONS, n=1, cutoff=0.85)), None)


def _mode(value: object, where: str) -> CommitMode:
    for mode in _MODES:
        if mode == value:
            return mode
    hint = did_you_mean(value, _MODES) if isinstance(value, str) and len(value) < 100 else ""
    message = f"commit_mode={shown(value)} in {where} is not a mode.{hint} Modes: {', '.join(_MODES)}."
    raise ImproperConfigurationError(message)


def _key(given: Mapping[str, Any], option: str, where: str) -> str | None:
    value = given.get(option)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        message = f"{option}={shown(value)} in {where} is not a key: give it a name, such as 'db'."
        raise ImproperConfigurationError(message)
    if value.startswith("_"):
        message = (
            f"{option}={shown(value)} in {where} begins with an underscore: such names belong to request.state and "
            "app.state themselves. Give it another, such as 'db'."
        )
        raise ImproperConfigurationError(message)
    return value


def _statuses(given: Mapping[str, Any], option: str, where: str) -> frozenset[int]:
    value = given.get(option)
    try:
        statuses: frozenset[Any] = frozenset() if value is None else frozenset(value)
    except TypeError:  # not iterable, or of things that can't be statuses
        statuses = frozenset({None})
    if all(map(_is_status, statuses)):
        return frozenset(map(int, statuses))
    message = f"{option} in {where} is a set of HTTP statuses, such as {{409, 422}}; not {shown(value)}."
    raise ImproperConfigurationError(message)


def _is_status(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599
