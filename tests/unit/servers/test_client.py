"""The small clients of PostgreSQL and MySQL: what a DSN says, and what is no server of theirs."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from sqlspec.servers import MariaDBServer, mysql_client, postgres_client
from sqlspec.servers.client import Address, ServerRefusedError, with_database
from sqlspec.servers.mysql_client import LARGEST, MYSQL
from sqlspec.servers.postgres_client import POSTGRES
from sqlspec.servers.process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlspec.servers.client import Row, Scheme

    RunSql = Callable[..., list[Row]]

BOTH = pytest.mark.parametrize(
    ("run_sql", "scheme"), [(postgres_client.run_sql, "postgresql"), (mysql_client.run_sql, "mysql")]
)

# Addresses


@pytest.mark.parametrize(
    ("dsn", "scheme", "address"),
    [
        ("postgresql://u:p@h:1/d", POSTGRES, Address("h", 1, "u", "d", "p")),
        ("postgres://u@h/d?sslmode=disable", POSTGRES, Address("h", 5432, "u", "d")),
        ("postgresql://u:p%40%2F@h:1/d%20b", POSTGRES, Address("h", 1, "u", "d b", "p@/")),
        ("postgresql:///d?host=/run/x&user=u&port=7&password=p", POSTGRES, Address("/run/x", 7, "u", "d", "p")),
        ("postgresql://[::1]:6/d?user=u", POSTGRES, Address("::1", 6, "u", "d")),
        ("postgresql://h", POSTGRES, Address("h", 5432, "postgres", "")),
        ("mysql://u:p@h:1/d?charset=utf8mb4", MYSQL, Address("h", 1, "u", "d", "p")),
        ("mariadb://h/", MYSQL, Address("h", 3306, "root", "")),
        ("mysql://u@/d?unix_socket=/run/x.sock", MYSQL, Address("/run/x.sock", 3306, "u", "d")),
        ("mysql://", MYSQL, Address("127.0.0.1", 3306, "root", "")),
    ],
)
def test_a_dsn_says_where_and_who(dsn: str, scheme: Scheme, address: Address) -> None:
    assert Address.parse(dsn, scheme) == address


@pytest.mark.parametrize("scheme", [POSTGRES, MYSQL], ids=["postgres", "mysql"])
@pytest.mark.parametrize(
    "dsn",
    ["oracle://u:SECRET@h/d", "{}://u:SECRET", "{}://[u:SECRET@h", "{}://h/d?password=SECRET&port=x", "SECRET", ""],
)
def test_what_is_no_dsn_is_an_error_without_its_password(dsn: str, scheme: Scheme) -> None:
    with pytest.raises(ValueError, match=f"a DSN looks like {scheme.names[0]}://") as caught:
        Address.parse(dsn.format(scheme.names[0]), scheme)
    assert "SECRET" not in str(caught.value)


def test_an_address_shows_no_password() -> None:  # E5
    assert repr(Address.parse("postgresql://u:SECRET@h/d", POSTGRES)) == "u@h:5432/d"


def test_another_database_of_the_same_server() -> None:
    dsn = with_database("postgresql://u:p@h:1/d?x=y", "e/ä?#")
    assert dsn == "postgresql://u:p@h:1/e%2F%C3%A4%3F%23?x=y"
    assert Address.parse(dsn, POSTGRES).database == "e/ä?#"


# Who is no server


@BOTH
def test_where_nobody_listens_is_an_oserror(run_sql: RunSql, scheme: str) -> None:
    with pytest.raises(ConnectionRefusedError):
        run_sql(f"{scheme}://u@127.0.0.1:{free_port()}/d", "SELECT 1")


@BOTH
@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"R\0\0", b"\0\0\0\0", b"\1\0\0\0\x0a", b"\4\0\0\0\x0a1\0\0"],
)
def test_another_protocol_is_an_oserror(run_sql: RunSql, scheme: str, answer: bytes) -> None:
    with _answering(answer) as port, pytest.raises(ConnectionError):
        run_sql(f"{scheme}://u@127.0.0.1:{port}/d", "SELECT 1")


@BOTH
def test_a_silent_server_is_an_oserror_in_time(run_sql: RunSql, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TimeoutError):
        run_sql(f"{scheme}://u@127.0.0.1:{listener.getsockname()[1]}/d", "SELECT 1", timeout=0.1)


# MySQL's protocol, as a server speaks it that nobody has here


def greeting(method: bytes = b"mysql_native_password", capabilities: int = 0xFFFFF7FF) -> bytes:
    """Everything but TLS."""
    low, high = capabilities & 0xFFFF, capabilities >> 16
    return (
        b"\x0a9.9\0\1\0\0\0abcdefgh\0" + low.to_bytes(2, "little") + b"\x2d\2\0" + high.to_bytes(2, "little")
        + b"\x15" + bytes(10) + b"ijklmnopqrst\0" + method + b"\0"
    )  # fmt: skip


OK = b"\0\0\0\2\0\0\0"


def packets(*bodies: bytes, first: int = 0) -> bytes:
    return b"".join(
        len(body).to_bytes(3, "little") + bytes([(first + number) % 256]) + body for number, body in enumerate(bodies)
    )


@pytest.mark.parametrize(
    ("challenges", "match"),
    [
        ([b"\xfesha256_password\0" + b"x" * 20], "login by sha256_password, which this small client does not know"),
        ([b"\1\4"], "wants the password itself, and has no TLS to send it over"),
        ([b"\xff\x15\x04#28000Access denied"], r"^Access denied \(error 1045, SQLSTATE 28000\)$"),
        ([b"\xff\x10\x04Too many connections"], r"^Too many connections \(error 1040, SQLSTATE \?\)$"),
    ],
)
def test_a_login_that_is_refused_says_why(challenges: list[bytes], match: str) -> None:
    with (
        _answering(packets(greeting()), packets(*challenges, first=2)) as port,
        pytest.raises(ServerRefusedError, match=match) as caught,
    ):
        mysql_client.run_sql(f"mysql://u:SECRET@127.0.0.1:{port}/d", "SELECT 1")
    assert "SECRET" not in str(caught.value)


def test_a_server_that_wants_a_file_gets_none() -> None:
    with (
        _answering(packets(greeting()), packets(OK, first=2), packets(b"\xfb/etc/passwd", first=1)) as port,
        pytest.raises(ServerRefusedError, match="wants to read a file"),
    ):
        mysql_client.run_sql(f"mysql://u@127.0.0.1:{port}/d", "SELECT 1")


@pytest.mark.parametrize(
    ("version", "match"),
    [
        (b"10.5.29-MariaDB", r"^MariaDB 10\.5\.29-MariaDB is too old, 10\.6 is the oldest that will do$"),
        (b"5.7.44", r"^MySQL 5\.7\.44 is too old, 8\.0 is the oldest that will do$"),
    ],
)
def test_a_server_that_is_too_old_is_refused(version: bytes, match: str) -> None:
    row = b"".join(bytes([len(value)]) + value for value in (version, b"root@%", b"1"))
    end = b"\xfe\0\0\2\0"
    answer = packets(b"\3", b"column", b"column", b"column", end, row, end, first=1)
    with (
        _answering(packets(greeting()), packets(OK, first=2), answer) as port,
        pytest.raises(ServerRefusedError, match=match),
    ):
        MariaDBServer.at(f"mysql://127.0.0.1:{port}/", "env")


def test_a_row_may_be_longer_than_a_packet_and_count_past_255() -> None:
    text = b"x" * (LARGEST + 5)
    long = b"\xfe" + len(text).to_bytes(8, "little") + text
    end = b"\xfe\0\0\2\0"
    rows = [b"\1x"] * 300
    answer = packets(b"\1", b"column", end, *rows, long[:LARGEST], long[LARGEST:], b"\xfb", end, first=1)
    with _answering(packets(greeting(b"caching_sha2_password")), packets(b"\1\3", OK, first=2), answer) as port:
        found = mysql_client.run_sql(f"mysql://u:p@127.0.0.1:{port}/", "SELECT 1")
    assert found[:300] == [("x",)] * 300
    assert [found[300], found[301]] == [(text.decode(),), (None,)]


class _answering:
    """A server that says something, and something more after each thing it is told, and hangs up."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, suppress(ConnectionError):  # the client may hang up first
            connection.sendall(self._answers[0])
            for answer in self._answers[1:]:
                connection.recv(1000)
                connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1000):  # what is not read breaks the connection
                pass

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()
