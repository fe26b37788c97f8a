"""MySQL and MariaDB by asyncmy, async."""

from sqlspec.core.versions import require

require("asyncmy", "asyncmy", "0.2.13", extra="asyncmy")  # older ones leave a cancelled statement's answer on the wire

from sqlspec.adapters.asyncmy.config import AsyncmyConfig, AsyncmyPoolConfig
from sqlspec.adapters.asyncmy.driver import AsyncmyDriver

__all__ = ("AsyncmyConfig", "AsyncmyDriver", "AsyncmyPoolConfig")
