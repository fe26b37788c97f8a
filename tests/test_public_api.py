"""The public surface. What is pinned here is deprecated for one minor release before it goes (rule X4).

A name that is added is added here; one that fails to be here any more needs a changelog entry and a deprecation.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest

from sqlspec import SQLResult, SQLSpec, exceptions
from sqlspec.adapters import ADAPTERS, load_config
from sqlspec.config import AsyncDatabaseConfig, FastAPIConfig, StarletteConfig, SyncDatabaseConfig
from sqlspec.driver import AsyncDriverAdapterBase, SyncDriverAdapterBase
from sqlspec.extensions import fastapi
from sqlspec.extensions.starlette import SQLSpecPlugin

MODULES = {
    "sqlspec": "SQLResult SQLSpec __version__",
    "sqlspec.adapters": "ADAPTERS load_config",
    "sqlspec.adapters.aiosqlite": "AiosqliteConfig AiosqliteDriver AiosqlitePoolConfig",
    "sqlspec.adapters.asyncpg": "AsyncpgConfig AsyncpgDriver AsyncpgPoolConfig",
    "sqlspec.adapters.adbc": "AdbcConfig AdbcDriver AdbcPoolConfig",
    "sqlspec.adapters.aiomysql": "AiomysqlConfig AiomysqlDriver AiomysqlPoolConfig",
    "sqlspec.adapters.asyncmy": "AsyncmyConfig AsyncmyDriver AsyncmyPoolConfig",
    "sqlspec.adapters.duckdb": "DuckDBConfig DuckDBDriver DuckDBPoolConfig",
    "sqlspec.adapters.psqlpy": "PsqlpyConfig PsqlpyDriver PsqlpyPoolConfig",
    "sqlspec.adapters.pymysql": "PyMysqlConfig PyMysqlDriver PyMysqlPoolConfig",
    "sqlspec.adapters.mysqlconnector": (
        "MysqlConnectorAsyncConfig MysqlConnectorAsyncDriver MysqlConnectorPoolConfig MysqlConnectorSyncConfig "
        "MysqlConnectorSyncDriver"
    ),
    "sqlspec.adapters.psycopg": (
        "PsycopgAsyncConfig PsycopgAsyncDriver PsycopgPoolConfig PsycopgSyncConfig PsycopgSyncDriver"
    ),
    "sqlspec.adapters.sqlite": "SqliteConfig SqliteDriver SqlitePoolConfig",
    "sqlspec.config": (
        "AsyncDatabaseConfig AsyncPooledConfig CommitMode FastAPIConfig StarletteConfig SyncDatabaseConfig "
        "SyncPooledConfig"
    ),
    "sqlspec.driver": ("AsyncDriverAdapterBase AsyncRowSource AsyncWire SyncDriverAdapterBase SyncRowSource SyncWire"),
    "sqlspec.extensions.starlette": "SQLSpecPlugin",
    "sqlspec.extensions.fastapi": "Dependency SQLSpecPlugin",
    "sqlspec.utils.logging": "add_request_id get_logger get_request_id",
}

FOR_ADAPTERS = {
    "sqlspec.core.address": "Address",
    "sqlspec.core.facts": "BeginOptions DialectFacts ErrorFacts LexicalFacts NATIVE_TYPES ParameterStyle",
    "sqlspec.core.options": (
        "CLASS COUNT ConfigOptions FLAG FUNCTION Kind MAPPING NONE SECONDS SECONDS_ABOVE_0 TEXT one_of"
    ),
    "sqlspec.core.plan": "Plan",
    "sqlspec.core.result": "Answer",
    "sqlspec.core.rows": "Shape",
    "sqlspec.core.transaction": "OpenTransactions",
    "sqlspec.core.versions": "require",
    "sqlspec.testing.compliance": "Adapter BREAKS CAPABILITIES Database KINDS PHRASES where",
}
"""What adapters of third parties are written with, beside ``sqlspec.config`` and ``sqlspec.driver``."""

SESSION = {
    "begin": "(*, isolation=None, read_only=False)",
    "close": "(reason=…)",
    "commit": "()",
    "execute": "(statement, /, *parameters, timeout=None)",
    "execute_many": "(statement, rows, /, *, timeout=None)",
    "execute_script": "(script, /, *, timeout=None)",
    "on_commit": "(hook)",
    "on_rollback": "(hook)",
    "rollback": "()",
    "select": "(statement, /, *parameters, schema_type=None, timeout=None)",
    "select_one": "(statement, /, *parameters, schema_type=None, timeout=None)",
    "select_one_or_none": "(statement, /, *parameters, schema_type=None, timeout=None)",
    "select_stream": "(statement, /, *parameters, schema_type=None, chunk_size=1000)",
    "select_value": "(statement, /, *parameters, schema_type=None, timeout=None)",
    "select_value_or_none": "(statement, /, *parameters, schema_type=None, timeout=None)",
    "set_rollback_only": "()",
    "transaction": "(*, isolation=None, read_only=False)",
}

RESULT = {
    "all": "(*, schema_type=None)",
    "column_names": "attribute",
    "get_first": "(*, schema_type=None)",
    "last_inserted_id": "attribute",
    "one": "(*, schema_type=None)",
    "one_or_none": "(*, schema_type=None)",
    "rows_affected": "attribute",
    "scalar": "(*, schema_type=None)",
    "scalar_or_none": "(*, schema_type=None)",
    "statement": "attribute",
}

REGISTRY = {
    "add_config": "(config, *, name=None)",
    "close_all_pools": "()",
    "close_all_sync_pools": "()",
    "close_pool": "(config)",
    "configs": "attribute",
    "get_config": "(config)",
    "get_pool": "(config)",
    "provide_connection": "(config)",
    "provide_session": "(config, *, hold=True)",
}

PLUGIN = {
    "get_connection": "(request, key=None)",
    "get_session": "(request, key=None)",
    "init_app": "(app)",
    "lifespan": "(app)",
}
DEPENDENCIES = {"provide_connection": "(key=None)", "provide_session": "(key=None)"}

CONFIG = (
    "(*, pool_config=None, extension_config=None, migration_config=None, driver_features=None, acquire_timeout=30.0, "
    "max_lifetime=None, leak_threshold=None, pooler=None, statement_timeout=None)"
)

POOL_KEYS = {
    "adbc": "conn_kwargs database db_kwargs driver_name dsn max_size min_size pool_size uri",
    "aiomysql": (
        "auth_plugin charset connect_timeout database db dsn host init_command local_infile max_size maxsize min_size "
        "minsize password pool_recycle pool_size port program_name server_public_key sql_mode ssl ssl_ca ssl_cert "
        "ssl_key ssl_verify_identity unix_socket user"
    ),
    "aiosqlite": "cached_statements database detect_types max_size min_size pool_size pragmas timeout uri",
    "asyncmy": (
        "charset connect_timeout database db dsn host init_command local_infile max_size maxsize min_size minsize "
        "password pool_recycle pool_size port program_name read_timeout server_public_key sql_mode ssl ssl_ca "
        "ssl_cert ssl_key ssl_verify_identity unix_socket user"
    ),
    "asyncpg": (
        "command_timeout connect connection_class database direct_tls dsn gsslib host init krbsrvname "
        "max_cacheable_statement_size max_cached_statement_lifetime max_inactive_connection_lifetime max_queries "
        "max_size min_size passfile password port record_class reset server_settings service servicefile setup ssl "
        "statement_cache_size target_session_attrs timeout user"
    ),
    "duckdb": "config database max_size min_size pool_size read_only",
    "mysqlconnector": (
        "allow_local_infile auth_plugin charset collation compress conn_attrs connect_timeout connection_timeout "
        "database dsn host init_command local_infile max_size min_size password pool_recycle pool_size port "
        "read_timeout sql_mode ssl ssl_ca ssl_cert ssl_key ssl_verify_identity time_zone unix_socket user "
        "write_timeout"
    ),
    "mysqlconnector_sync": (
        "allow_local_infile auth_plugin charset collation compress conn_attrs connect_timeout connection_timeout "
        "database dsn host init_command local_infile max_size min_size password pool_recycle pool_size port "
        "read_timeout sql_mode ssl ssl_ca ssl_cert ssl_key ssl_verify_identity time_zone unix_socket user "
        "write_timeout"
    ),
    "psqlpy": (
        "application_name ca_file connect_timeout_nanosec connect_timeout_sec database db_name dsn host hosts "
        "keepalives keepalives_idle_nanosec keepalives_idle_sec keepalives_interval_nanosec keepalives_interval_sec "
        "keepalives_retries load_balance_hosts max_db_pool_size max_size min_size options password port ports "
        "ssl_mode target_session_attrs tcp_user_timeout_nanosec tcp_user_timeout_sec user username"
    ),
    "psycopg": (
        "application_name channel_binding configure connect_timeout conninfo database dbname dsn "
        "fallback_application_name gssencmode gsslib host hostaddr keepalives keepalives_count keepalives_idle "
        "keepalives_interval krbsrvname kwargs load_balance_hosts max_lifetime max_size min_size options passfile "
        "password port prepare_threshold require_auth service ssl_max_protocol_version ssl_min_protocol_version "
        "sslcert sslcrl sslkey sslmode sslnegotiation sslpassword sslrootcert target_session_attrs tcp_user_timeout "
        "timeout user"
    ),
    "psycopg_sync": (
        "application_name channel_binding configure connect_timeout conninfo database dbname dsn "
        "fallback_application_name gssencmode gsslib host hostaddr keepalives keepalives_count keepalives_idle "
        "keepalives_interval krbsrvname kwargs load_balance_hosts max_lifetime max_size min_size options passfile "
        "password port prepare_threshold require_auth service ssl_max_protocol_version ssl_min_protocol_version "
        "sslcert sslcrl sslkey sslmode sslnegotiation sslpassword sslrootcert target_session_attrs tcp_user_timeout "
        "timeout user"
    ),
    "pymysql": (
        "charset connect_timeout database db dsn host init_command local_infile max_size maxsize min_size minsize "
        "password pool_recycle pool_size port program_name read_timeout server_public_key sql_mode ssl ssl_ca "
        "ssl_cert ssl_key ssl_verify_identity unix_socket user write_timeout"
    ),
    "sqlite": "cached_statements database detect_types max_size min_size pool_size pragmas timeout uri",
}

FEATURES = {
    "adbc": "dialect",
    "aiomysql": "",
    "aiosqlite": "",
    "asyncmy": "",
    "asyncpg": "json_deserializer json_serializer",
    "duckdb": "",
    "mysqlconnector": "",
    "mysqlconnector_sync": "",
    "psqlpy": "json_deserializer json_serializer",
    "psycopg": "json_deserializer json_serializer",
    "psycopg_sync": "json_deserializer json_serializer",
    "pymysql": "",
    "sqlite": "",
}

WEB_OPTIONS = "commit_mode connection_key extra_commit_statuses extra_rollback_statuses pool_key session_key"

TREE = """
SQLSpecError
    ImproperConfigurationError
        MissingDependencyError
    ParameterError
    MappingError
        DuplicateColumnError
    NotFoundError
    MultipleResultsFoundError
    SessionClosedError
    PoolTimeoutError
    TransactionError
        TransactionAbortedError
        CommitOutcomeUnknownError
        PartialCommitError
        ConcurrentTransactionError
        ImplicitCommitError
    DatabaseError
        IntegrityError
            UniqueViolationError
            ForeignKeyViolationError
            NotNullViolationError
            CheckViolationError
        ProgrammingError
            SQLSyntaxError
            UndefinedTableError
            UndefinedColumnError
            PermissionDeniedError
        DataError
        OperationalError
            ConnectionFailedError
            ConnectionLostError
            StatementTimeoutError
            LockTimeoutError
            SerializationError
            DeadlockError
"""

ERROR_ATTRIBUTES = {
    "DatabaseError": "(message, *, code=None, sqlstate=None, constraint=None, table=None, column=None, statement=None)",
    "MappingError": "(message, *, statement=None, row=None, column=None, field=None, wanted=None, found=None)",
    "MissingDependencyError": "(package, extra)",
    "ParameterError": "(message, *, statement=None)",
    "PartialCommitError": "(committed, failed, rolled_back)",
    "TransactionAbortedError": "(message, *, statement=None)",
}

DRIVERS = "adbc_driver_manager aiomysql aiosqlite asyncmy asyncpg duckdb mysql psqlpy psycopg pymysql sqlite3"
STRANGERS = f"{DRIVERS} anyio asyncio attr attrs click fastapi httpx pyarrow pydantic pytest rich sqlglot starlette"


def words(text: str) -> set[str]:
    return set(text.split())


def shown(owner: type[Any], name: str) -> str:
    """A method as it is called, or ``attribute``."""
    member = inspect.getattr_static(owner, name)
    if not callable(member):
        return "attribute"
    signature = inspect.signature(member)
    return called(signature.replace(parameters=list(signature.parameters.values())[1:]))


def called(signature: inspect.Signature) -> str:
    """Parameters without annotations; a text as a default is its author's business."""
    empty = inspect.Parameter.empty
    parameters = [parameter.replace(annotation=empty) for parameter in signature.parameters.values()]
    texts = [repr(parameter.default) for parameter in parameters if isinstance(parameter.default, str)]
    text = str(signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty))
    for default in texts:
        text = text.replace(default, "…")
    return text


def surface(owner: type[Any], names: dict[str, str]) -> dict[str, str]:
    """What a class has of the names that are pinned."""
    return {name: shown(owner, name) for name in names if hasattr(owner, name)}


# Modules and methods --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
def test_a_module_exports_exactly_its_names(module: str) -> None:
    """And has what it exports."""  # X4
    found = import_module(module)
    assert set(found.__all__) == words(MODULES[module])
    assert all(hasattr(found, name) for name in found.__all__)


@pytest.mark.parametrize("module", FOR_ADAPTERS)
def test_third_parties_find_what_adapters_are_made_of(module: str) -> None:
    """These modules have more names, which may change."""  # X4
    assert words(FOR_ADAPTERS[module]) <= set(import_module(module).__all__)


def test_there_is_a_module_for_every_adapter() -> None:
    """None is left out above."""  # X4
    assert {place.partition(":")[0] for place in ADAPTERS.values()} == {
        module for module in MODULES if module.startswith("sqlspec.adapters.")
    }


@pytest.mark.parametrize("session", [AsyncDriverAdapterBase, SyncDriverAdapterBase])
def test_sessions_have_their_methods(session: type[Any]) -> None:
    """Both colours the same."""  # R2 S4 X4
    assert surface(session, SESSION) == SESSION


def test_both_colours_have_the_same_public_names() -> None:
    """One logic, two colours."""  # X3

    def public(owner: type[Any]) -> set[str]:
        return {name for name in dir(owner) if not name.startswith("_")}

    assert public(AsyncDriverAdapterBase) == public(SyncDriverAdapterBase)
    assert public(AsyncDatabaseConfig) == public(SyncDatabaseConfig)


def test_results_have_their_methods() -> None:
    """R1, and nothing else in public."""  # R1 X4
    assert surface(SQLResult, RESULT) == RESULT
    assert {name for name in dir(SQLResult) if not name.startswith("_")} == set(RESULT)
    assert {"__len__", "__iter__", "__getitem__"} <= set(dir(SQLResult))


def test_the_registry_has_its_methods() -> None:
    """And is a context manager of both colours."""  # S1 S10 X4
    assert surface(SQLSpec, REGISTRY) == REGISTRY
    assert {"__enter__", "__exit__", "__aenter__", "__aexit__"} <= set(dir(SQLSpec))


def test_the_plugin_has_its_methods() -> None:
    """Of what W1 names."""  # W1 X4
    assert surface(SQLSpecPlugin, PLUGIN) == PLUGIN
    assert called(inspect.signature(SQLSpecPlugin)) == "(sqlspec, app=None, *, request_id_header=None)"


def test_the_plugin_of_fastapi_has_dependencies_too() -> None:
    """For Depends."""  # W23 X4
    assert issubclass(fastapi.SQLSpecPlugin, SQLSpecPlugin)
    assert surface(fastapi.SQLSpecPlugin, PLUGIN | DEPENDENCIES) == PLUGIN | DEPENDENCIES


# Configs --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [AsyncDatabaseConfig, SyncDatabaseConfig])
def test_configs_are_made_with_these_keywords(base: type[Any]) -> None:
    """The same for every adapter."""  # C3 X4
    assert shown(base, "__init__") == CONFIG


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_a_config_takes_these_keys(adapter: str) -> None:
    """Of pool_config and driver_features; and all the keywords of its base."""  # C1 C3 X4
    make: Any = load_config(adapter)
    assert make.pool_keys | set(make.pool_aliases) == words(POOL_KEYS[adapter])
    assert make.feature_keys == words(FEATURES[adapter])
    keywords: dict[str, Any] = {
        name: parameter.default for name, parameter in inspect.signature(AsyncDatabaseConfig).parameters.items()
    }
    if adapter == "adbc":  # it has no database by default
        keywords["pool_config"] = {"driver_name": "sqlite"}
    config = make(**keywords)
    assert {name: getattr(config, name) for name in ("acquire_timeout", "pooler")} == {
        "acquire_timeout": 30.0,
        "pooler": None,
    }


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_the_typed_dicts_have_the_same_keys(adapter: str) -> None:
    """What type checkers accept is what the config accepts."""  # C1
    module = import_module(ADAPTERS[adapter].partition(":")[0])
    (name,) = (name for name in module.__all__ if name.endswith("PoolConfig"))
    assert set(getattr(module, name).__annotations__) == words(POOL_KEYS[adapter])


@pytest.mark.parametrize("options", [StarletteConfig, FastAPIConfig])
def test_the_options_of_web_plugins(options: type[Any]) -> None:
    """TypedDicts that are called with keywords."""  # W2 X4
    assert inspect.get_annotations(StarletteConfig).keys() == words(WEB_OPTIONS)
    assert options.__optional_keys__ == words(WEB_OPTIONS)
    assert options(commit_mode="autocommit", session_key="db") == {"commit_mode": "autocommit", "session_key": "db"}


# Exceptions -----------------------------------------------------------------------------------------------------------


def tree_of(error: type[BaseException], depth: int = 0) -> list[str]:
    """A class and those below it, indented, in the order in which they were made."""
    ours = [below for below in error.__subclasses__() if below.__module__ == exceptions.__name__]
    return ["    " * depth + error.__name__, *(line for below in ours for line in tree_of(below, depth + 1))]


def test_the_tree_of_exceptions() -> None:
    """As NAMES draws it; all of it can be imported."""  # E1 X4
    assert tree_of(exceptions.SQLSpecError) == TREE.strip().splitlines()
    assert set(exceptions.__all__) == words(TREE)


def test_the_docstring_draws_the_same_tree() -> None:
    """What a reader sees first is true."""  # E1
    drawn = [line.split("─")[-1].split()[0] for line in (exceptions.__doc__ or "").splitlines() if "─ " in line]
    assert drawn == TREE.split()[1:]


@pytest.mark.parametrize("name", ERROR_ATTRIBUTES)
def test_what_exceptions_are_made_of(name: str) -> None:
    """Every parameter but the message is an attribute."""  # E1 X4
    error: type[Any] = getattr(exceptions, name)
    assert shown(error, "__init__") == ERROR_ATTRIBUTES[name]


def test_a_missing_extra_is_an_import_error_too() -> None:
    """So that ``except ImportError`` around an optional import works."""  # E1
    assert issubclass(exceptions.MissingDependencyError, ImportError)


# What an import loads -------------------------------------------------------------------------------------------------


def loaded_by(*modules: str) -> set[str]:
    """The top-level packages that are loaded once these modules are, in a process of its own."""
    program = f"import {', '.join(modules)}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return words(done.stdout)


def test_importing_sqlspec_loads_nothing_that_is_not_needed() -> None:
    """No driver, no SQL parser, no framework, no command line."""  # DESIGN 4 and 8
    assert loaded_by("sqlspec") & words(STRANGERS) == set()


def test_the_facades_load_no_driver() -> None:
    """What users import beside it; config and driver hold the async shell, so asyncio comes with them."""  # DESIGN 4
    assert loaded_by("sqlspec.exceptions", "sqlspec.adapters", "sqlspec.utils.logging") & words(STRANGERS) == set()
    assert loaded_by("sqlspec.config", "sqlspec.driver") & words(STRANGERS) <= {"asyncio"}


def test_the_plugin_loads_no_driver() -> None:
    """It serves all adapters and knows none."""  # DESIGN 4
    assert loaded_by("sqlspec.extensions.starlette") & {"aiosqlite", "asyncpg", "sqlglot", "sqlite3"} == set()


def test_an_adapter_loads_its_own_driver_only() -> None:
    """sqlite3 is what aiosqlite runs on."""  # DESIGN 5
    drivers = {"aiosqlite", "asyncpg", "sqlite3"}
    assert loaded_by("sqlspec.adapters.sqlite") & drivers == {"sqlite3"}
    assert loaded_by("sqlspec.adapters.aiosqlite") & drivers == {"aiosqlite", "sqlite3"}
    assert loaded_by("sqlspec.adapters.asyncpg") & drivers == {"asyncpg"}
