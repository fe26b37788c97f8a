"""``pool_config`` of asyncmy, aiomysql and pymysql: the same keys, the same mistakes told: C1 C2 E4 E5."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from sqlspec.adapters import load_config
from sqlspec.exceptions import ImproperConfigurationError

FAMILY = pytest.mark.parametrize("name", ["asyncmy", "aiomysql", "pymysql"])


def made(name: str, **pool_config: Any) -> Any:
    return load_config(name)(pool_config=pool_config)


@FAMILY
def test_a_url_and_keys_name_one_place(name: str) -> None:
    """Keys win over the URL's parts; escaped signs are read; the password is nowhere to be seen."""  # C1 E5
    config = made(name, dsn="mysql://an%40na:ge%3Aheim@db:3307/app?connect_timeout=2.5&local_infile=true", user="bob")
    arguments = config.place.arguments()
    told = {key: arguments[key] for key in ("host", "port", "user", "password", "local_infile", "autocommit")}
    assert told == {
        "host": "db",
        "port": 3307,
        "user": "bob",
        "password": "ge:heim",
        "local_infile": True,
        "autocommit": True,
    }
    assert config.place.database == "app"
    assert config.place.connect_timeout == 2.5
    assert config.target == "mysql://bob@db:3307/app"
    assert "heim" not in repr(config)
    assert config.redact("ge:heim ge%3Aheim") == "*** ***"


@FAMILY
def test_what_every_connection_begins_with(name: str) -> None:
    """The character set, then what the user wants; no driver runs them in its own order."""  # S3
    config = made(name, host="db", sql_mode="ANSI_QUOTES,STRICT_TRANS_TABLES", init_command="SET @a = 1")
    assert config.place.greeting == [
        "SET NAMES utf8mb4",
        "SET sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'",
        "SET @a = 1",
    ]
    assert not {"init_command", "sql_mode"} & set(config.place.arguments())


@FAMILY
def test_names_of_the_drivers_serve_too(name: str) -> None:
    """minsize, maxsize, pool_size and db."""  # C1
    config = made(name, host="db", db="app", minsize=0, maxsize=3)
    assert (config.min_size, config.max_size, config.place.database) == (0, 3, "app")
    assert made(name, host="db", pool_size=2).max_size == 2
    with pytest.raises(ImproperConfigurationError, match="'db' and 'database'"):
        made(name, host="db", db="a", database="b")


@FAMILY
def test_a_socket_file_is_a_place(name: str) -> None:
    """Instead of host and port; in the URL as an option."""  # C1
    for options in ({"unix_socket": "/run/my.sock"}, {"dsn": "mysql://root@localhost/?unix_socket=/run/my.sock"}):
        config = made(name, **options)
        assert config.place.arguments()["unix_socket"] == "/run/my.sock"
        assert "/run/my.sock" in config.target


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"autocommit": False}, "Unknown key 'autocommit'"),
    ({"cursorclass": object}, "Unknown key 'cursorclass'"),
    ({"conv": {}}, "Unknown key 'conv'"),
    ({"client_flag": 1}, "Unknown key 'client_flag'"),
    ({"pasword": "geheim"}, "Did you mean 'password'"),
    ({"host": "mysql://root:geheim@db"}, "a URL belongs into dsn"),
    ({"host": None}, "'host'"),
    ({"port": 0}, "1 to 65535"),
    ({"charset": "latin1"}, "'utf8mb4'"),
    ({"sql_mode": "x'; DROP TABLE t"}, "a list of modes"),
    ({"connect_timeout": 0}, "above 0"),
    ({"pool_recycle": -2}, "-1"),
    ({"dsn": "postgresql://root:geheim@db/app"}, "mysql://user@host"),
    ({"dsn": "mysql://root:geheim@db,other/app"}, "several hosts"),
    ({"dsn": "mysql://root:ge@heim@db/app"}, "can't be read"),
    ({"dsn": "mysql://root@db/app?charst=utf8mb4"}, "Did you mean 'charset'"),
    ({"dsn": "mysql://root@db/app?autocommit=0"}, "Unknown key 'autocommit'"),
    ({"dsn": "mysql://root@db/app?ssl=maybe"}, "True or False"),
    ({"ssl": False, "ssl_ca": "/ca.pem"}, "'ssl_ca' too"),
    ({"ssl": ssl.create_default_context(), "ssl_cert": "/cert.pem"}, "'ssl_cert' too"),
    ({"ssl_ca": "/no/such/ca.pem"}, "can't be read"),
    ({"min_size": 3, "max_size": 2}, "0 <= min_size <= max_size"),
]


@FAMILY
@pytest.mark.parametrize(("options", "said"), WRONG, ids=[said for _, said in WRONG])
def test_mistakes_are_told_when_the_config_is_made(name: str, options: dict[str, Any], said: str) -> None:
    """By key, with what would do, and without secrets."""  # C1 E4 E5
    with pytest.raises(ImproperConfigurationError) as failed:
        made(name, **options)
    assert said in str(failed.value)
    assert "geheim" not in str(failed.value)


@FAMILY
def test_encryption_means_the_same_everywhere(name: str) -> None:
    """True: encrypted, whoever it is; with certificates to trust: by the right one; else the driver's way."""  # C1
    assert made(name, host="db").place.ssl is None
    assert made(name, host="db", ssl=False).place.ssl is False
    context = made(name, host="db", ssl=True).place.ssl
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    own = ssl.create_default_context()
    assert made(name, host="db", ssl=own).place.ssl is own
    assert made(name, dsn="mysql://root@db/?ssl=true").place.ssl.verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [("asyncmy", "write_timeout", 5), ("aiomysql", "read_timeout", 5), ("pymysql", "auth_plugin", "x")],
)
def test_a_key_that_only_another_driver_has_is_unknown(name: str, key: str, value: object) -> None:
    """It would be read by nobody."""  # C1
    with pytest.raises(ImproperConfigurationError, match=f"Unknown key '{key}'"):
        made(name, host="db", **{key: value})


@FAMILY
def test_a_password_is_sent_as_utf8(name: str) -> None:
    """The drivers encode it as latin1, servers have it in UTF-8."""  # C1
    config = made(name, host="db", password="密é")
    assert config.place.family_arguments()["password"].encode("latin1") == "密é".encode()
