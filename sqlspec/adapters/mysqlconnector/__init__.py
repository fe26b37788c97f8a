"""MySQL and MariaDB by mysql.connector (mysql-connector-python), async and sync, on our own pool."""

from sqlspec.core.versions import require

require("mysql.connector", "mysql-connector-python", "9.4", extra="mysqlconnector")  # 9.2 leaves sockets open

from sqlspec.adapters.mysqlconnector._async.config import MysqlConnectorAsyncConfig
from sqlspec.adapters.mysqlconnector._async.driver import MysqlConnectorAsyncDriver
from sqlspec.adapters.mysqlconnector._sync.config import MysqlConnectorSyncConfig
from sqlspec.adapters.mysqlconnector._sync.driver import MysqlConnectorSyncDriver
from sqlspec.adapters.mysqlconnector.options import MysqlConnectorPoolConfig

__all__ = (
    "MysqlConnectorAsyncConfig",
    "MysqlConnectorAsyncDriver",
    "MysqlConnectorPoolConfig",
    "MysqlConnectorSyncConfig",
    "MysqlConnectorSyncDriver",
)
