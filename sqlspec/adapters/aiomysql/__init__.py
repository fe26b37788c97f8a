"""MySQL and MariaDB by aiomysql, async."""

from sqlspec.core.versions import require

require("aiomysql", "aiomysql", "0.3", extra="aiomysql")

from sqlspec.adapters.aiomysql.config import AiomysqlConfig, AiomysqlPoolConfig
from sqlspec.adapters.aiomysql.driver import AiomysqlDriver

__all__ = ("AiomysqlConfig", "AiomysqlDriver", "AiomysqlPoolConfig")
