"""docs/configs.md lists every argument that a config takes, and no other. Keys are on the pages of the adapters."""

from __future__ import annotations

import inspect
from typing import Any

from sqlspec._async.config import AsyncDatabaseConfig
from tests.docs.markdown import ROOT, table

PAGE = ROOT / "docs" / "configs.md"


def test_the_arguments_of_every_config_are_listed_with_their_defaults() -> None:
    """As the constructor has them."""  # C3
    rows = table(PAGE, "Argument", "What every config takes")
    listed = {row[0].strip("`"): row[2].strip("`") for row in rows}
    config: Any = AsyncDatabaseConfig
    parameters = inspect.signature(config).parameters
    assert list(listed) == list(parameters)
    for name, parameter in parameters.items():
        wanted = "{}" if name in {"pool_config", "extension_config", "migration_config", "driver_features"} else None
        assert listed[name].startswith(wanted or str(parameter.default)), name
