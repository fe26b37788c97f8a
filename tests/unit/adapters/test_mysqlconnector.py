"""mysqlconnector without a server: keys and their mistakes, what the driver is called with, columns: C1 C2 E4 E5 P5."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from mysql.connector import InterfaceError, InternalError, OperationalError, ProgrammingError
from mysql.connector.constants import ClientFlag

from sqlspec.adapters import load_config
from sqlspec.adapters.mysqlconnector import (
    MysqlConnectorAsyncConfig,
    MysqlConnectorAsyncDriver,
    MysqlConnectorSyncConfig,
    MysqlConnectorSyncDriver,
)
from sqlspec.adapters.mysqlconnector.columns import Result
from sqlspec.exceptions import ImproperConfigurationError

COLOURS = pytest.mark.parametrize("name", ["mysqlconnector", "mysqlconnector_sync"])


def made(name: str, **pool_config: Any) -> Any:
    return load_config(name)(pool_config=pool_config)


def test_names_lead_to_both_colours() -> None:
    """Each with its own driver, and its own name in a repr."""  # S2
    for name, config, driver in (
        ("mysqlconnector", MysqlConnectorAsyncConfig, MysqlConnectorAsyncDriver),
        ("mysqlconnector_sync", MysqlConnectorSyncConfig, MysqlConnectorSyncDriver),
    ):
        assert load_config(name) is config
        assert (config.adapter, config.driver_type) == (name, driver)
        assert repr(made(name, host="db")) == f"<{config.__name__} mysql://db/>"


@COLOURS
def test_a_url_and_keys_name_one_place(name: str) -> None:
    """Keys win over the URL's parts, the driver's names serve, and the password is nowhere to be seen."""  # C1 C2 E5
    config = made(
        name,
        dsn="mysql+mysqlconnector://an%40na:ge%3Aheim@db:3307/app?connect_timeout=2.5",
        user="bob",
        allow_local_infile=True,
        pool_size=3,
    )
    told = config._arguments
    assert {key: told[key] for key in ("host", "port", "user", "password", "database", "allow_local_infile")} == {
        "host": "db",
        "port": 3307,
        "user": "bob",
        "password": "ge:heim",
        "database": "app",
        "allow_local_infile": True,
    }
    assert (config.place.connect_timeout, config.min_size, config.max_size) == (2.5, 1, 3)
    assert config.target == "mysql://bob@db:3307/app"
    assert "heim" not in repr(config)
    assert config.redact("ge:heim ge%3Aheim") == "*** ***"


@COLOURS
def test_one_statement_at_a_time_and_found_rows(name: str) -> None:
    """The driver's default takes several statements in one text: an injected one, too."""  # P1 R7
    flags = made(name, host="db")._arguments["client_flags"]
    assert flags & ClientFlag.FOUND_ROWS
    assert not flags & ClientFlag.MULTI_STATEMENTS
    assert flags & ClientFlag.MULTI_RESULTS


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"hots": "db"}, "Did you mean 'host'"),
    ({"host": "mysql://root:geheim@db"}, "a URL with the scheme 'mysql'"),
    ({"port": 0}, "1 to 65535"),
    ({"charset": "latin1"}, "'utf8mb4'"),
    ({"collation": "x'; DROP TABLE t"}, "a name"),
    ({"connection_timeout": 0}, "above 0"),
    ({"connection_timeout": 1, "connect_timeout": 2}, "'connection_timeout' and 'connect_timeout'"),
    ({"raw": True}, "Unknown key 'raw'"),
    ({"autocommit": False}, "Unknown key 'autocommit'"),
    ({"use_pure": False}, "Unknown key 'use_pure'"),
    ({"conn_attrs": {"a": 1}}, "a dict of texts"),
    ({"dsn": "postgresql://root:geheim@db/app"}, "mysql://user@host"),
    ({"dsn": "mysql://root:ge@heim@db/app"}, "can't be read"),
    ({"ssl": False, "ssl_ca": "/ca.pem"}, "'ssl_ca' too"),
    ({"min_size": 3, "max_size": 2}, "0 <= min_size <= max_size"),
]


@COLOURS
@pytest.mark.parametrize(("options", "said"), WRONG, ids=[said for _, said in WRONG])
def test_mistakes_are_told_when_the_config_is_made(name: str, options: dict[str, Any], said: str) -> None:
    """By key, with what would do, and without secrets."""  # C1 E4 E5
    with pytest.raises(ImproperConfigurationError) as failed:
        made(name, **options)
    assert said in str(failed.value)
    assert "geheim" not in str(failed.value)


COLUMNS: list[tuple[int, int, bytes, Any]] = [
    (3, 63, b"-7", -7),
    (8, 63, b"18446744073709551615", 2**64 - 1),
    (13, 63, b"2024", 2024),
    (246, 63, b"-1.50", Decimal("-1.50")),
    (5, 63, b"1.1", 1.1),
    (253, 45, "ä".encode(), "ä"),
    (253, 63, b"\xff", b"\xff"),
    (252, 63, b"text", b"text"),
    (252, 46, b"text", "text"),
    (254, 45, b"a,b", "a,b"),  # a SET
    (255, 63, b"POINT", b"POINT"),  # a GEOMETRY that happens to be UTF-8
    (245, 63, b'{"a":1}', '{"a":1}'),
    (16, 63, b"\x01\x01", b"\x01\x01"),
    (10, 63, b"2024-02-29", dt.date(2024, 2, 29)),
    (10, 63, b"0000-00-00", "0000-00-00"),
    (12, 63, b"2024-02-29 12:30:00", dt.datetime(2024, 2, 29, 12, 30)),
    (12, 63, b"2024-02-29 12:30:00.12", dt.datetime(2024, 2, 29, 12, 30, 0, 120000)),
    (7, 63, b"0000-00-00 00:00:00", "0000-00-00 00:00:00"),
    (11, 63, b"12:30:00.5", dt.timedelta(hours=12, minutes=30, microseconds=500000)),
    (11, 63, b"-838:59:59.000001", -dt.timedelta(hours=838, minutes=59, seconds=59, microseconds=1)),
    (11, 63, b"-00:00:00.5", -dt.timedelta(microseconds=500000)),
]


@pytest.mark.parametrize(("kind", "charset", "sent", "value"), COLUMNS)
def test_columns_as_python_values(kind: int, charset: int, sent: bytes, value: Any) -> None:
    """By the column's type and character set, never by what is in it."""  # P5
    column = ("a", kind, None, None, None, None, 1, 0, charset)
    rows: Any = Result({"columns": [column]}, [(sent,), (None,)], has_next=False).rows
    assert rows == [(value,), (None,)]
    assert type(rows[0][0]) is type(value)


@COLOURS
def test_what_the_driver_says_by_itself_is_told_from_the_servers_words(name: str) -> None:
    """Only the server's messages quote values; what has no number is the driver's own."""  # E2 E5
    read = made(name, host="db").wire.read_error
    server = read(ProgrammingError("Duplicate entry 'geheim' for key 'email'", 1062, sqlstate="23000"))
    assert (server.code, server.sqlstate, server.constraint) == (1062, "23000", "email")
    assert "geheim" not in server.message
    assert not server.from_client
    lost = read(OperationalError("MySQL Connection not available"))
    assert (lost.code, lost.from_client) == (2006, True)
    assert read(InternalError("Unread result found")).code is None
    refused = read(InterfaceError(errno=2003, values=("db", 3306, "111 Connection refused")))
    assert refused.message == "Can't connect to MySQL server on 'db:3306' (111 Connection refused)"
