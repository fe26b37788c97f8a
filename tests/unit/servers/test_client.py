"""The small PostgreSQL client: what a DSN says, and what is not a PostgreSQL server."""

from __future__ import annotations

import socket
import threading

import pytest

from sqlspec.servers.client import Address, run_sql, with_database
from sqlspec.servers.process import free_port


@pytest.mark.parametrize(
    ("dsn", "address"),
    [
        ("postgresql://u:p@h:1/d", Address("h", 1, "u", "d", "p")),
        ("postgres://u@h/d?sslmode=disable", Address("h", 5432, "u", "d")),
        ("postgresql://u:p%40%2F@h:1/d%20b", Address("h", 1, "u", "d b", "p@/")),
        ("postgresql:///d?host=/run/x&user=u&port=7&password=p", Address("/run/x", 7, "u", "d", "p")),
        ("postgresql://[::1]:6/d?user=u", Address("::1", 6, "u", "d")),
        ("postgresql://u@h", Address("h", 5432, "u", "u")),
    ],
)
def test_a_dsn_says_where_and_who(dsn: str, address: Address) -> None:
    assert Address.parse(dsn) == address


@pytest.mark.parametrize(
    "dsn", ["mysql://u:SECRET@h/d", "postgresql://u:SECRET", "postgresql://[u:SECRET@h", "SECRET", ""]
)
def test_what_is_no_dsn_is_an_error_without_its_password(dsn: str) -> None:
    with pytest.raises(ValueError, match="a DSN looks like postgresql://") as caught:
        Address.parse(dsn)
    assert "SECRET" not in str(caught.value)


def test_an_address_shows_no_password() -> None:  # E5
    assert repr(Address.parse("postgresql://u:SECRET@h/d")) == "u@h:5432/d"


def test_another_database_of_the_same_server() -> None:
    assert with_database("postgresql://u:p@h:1/d?x=y", "e") == "postgresql://u:p@h:1/e?x=y"


def test_where_nobody_listens_is_an_oserror() -> None:
    with pytest.raises(ConnectionRefusedError):
        run_sql(f"postgresql://u@127.0.0.1:{free_port()}/d", "SELECT 1")


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"R\0\0"])
def test_another_protocol_is_an_oserror(answer: bytes) -> None:
    with _answering(answer) as port, pytest.raises(ConnectionError):
        run_sql(f"postgresql://u@127.0.0.1:{port}/d", "SELECT 1")


def test_a_silent_server_is_an_oserror_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TimeoutError):
        run_sql(f"postgresql://u@127.0.0.1:{listener.getsockname()[1]}/d", "SELECT 1", timeout=0.1)


class _answering:
    """A server that says one thing and hangs up."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(self._answer)

    def __enter__(self) -> int:
        self._thread.start()
        return int(self._listener.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()
