"""Which version of a driver is installed, and whether it is new enough. Nothing of the driver is imported for that."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from sqlspec.exceptions import ImproperConfigurationError, MissingDependencyError

__all__ = ("require",)


def require(module: str, package: str, oldest: str, *, extra: str) -> None:
    """Refuse to go on without a driver, or with one that is too old.

    Args:
        module: What is imported.
        package: What is installed.
        oldest: The oldest version that will do.
        extra: The extra of ours that brings it.

    Raises:
        MissingDependencyError: It is not installed.
        ImproperConfigurationError: It is older.
    """
    try:
        missing = find_spec(module) is None
    except ModuleNotFoundError:  # the package around it
        missing = True
    if missing:
        raise MissingDependencyError(package, extra)
    try:
        found = version(package)
    except PackageNotFoundError:  # put into the path by hand: nobody knows which one it is
        return
    if _numbers(found) < _numbers(oldest):
        message = (
            f"{package} {found} is installed, which is too old: SQLSpec needs {oldest} or newer. "
            f"Run: pip install '{package}>={oldest}'"
        )
        raise ImproperConfigurationError(message)


def _numbers(text: str) -> list[int]:
    """``1.10.2rc1`` -> [1, 10, 2]."""
    release = re.match(r"[\d.]*", text)
    return [int(part) for part in (release[0] if release else "").split(".") if part]
