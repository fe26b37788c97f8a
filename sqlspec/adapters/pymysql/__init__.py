"""MySQL and MariaDB by PyMySQL, sync."""

from sqlspec.core.versions import require

require("pymysql", "PyMySQL", "1.1", extra="pymysql")

from sqlspec.adapters.pymysql.config import PyMysqlConfig, PyMysqlPoolConfig
from sqlspec.adapters.pymysql.driver import PyMysqlDriver

__all__ = ("PyMysqlConfig", "PyMysqlDriver", "PyMysqlPoolConfig")
