"""A client of one file for MySQL and MariaDB: log in, run statements, read text. Enough to set up a database.

It speaks protocol 4.1 over TCP or a Unix socket, and logs in by mysql_native_password or caching_sha2_password. With a
password it asks for TLS, if the server has it (unverified: it is for servers of tests).
"""

from __future__ import annotations

import hashlib
import ssl
import struct
from typing import TYPE_CHECKING, NamedTuple

from sqlspec.servers.client import Address, Connection, Scheme, ServerRefusedError

if TYPE_CHECKING:
    from sqlspec.servers.client import Row

__all__ = ("MYSQL", "run_sql")

MYSQL = Scheme(("mysql", "mariadb"), 3306, "root")
UTF8MB4 = 45
LARGEST = (1 << 24) - 1  # a packet of this size is continued by the next one

WITH_DATABASE, TLS = 0x8, 0x800
WANTED = 0x1 | 0x4 | 0x200 | 0x2000 | 0x8000 | 0x10000 | 0x20000 | 0x80000
"""Long passwords, all column flags, protocol 4.1, transactions, 20 bytes of challenge, several statements, their
results, and named ways of logging in."""
MORE_RESULTS = 0x8

OK, MORE, LOCAL_FILE, END, ERROR = 0x00, 0x01, 0xFB, 0xFE, 0xFF


def run_sql(dsn: str, sql: str, *, timeout: float = 10.0) -> list[Row]:
    """Log in, run one or more statements, log out. The rows of all of them, each value as text.

    Raises:
        ServerRefusedError: The server said no, to the login or to a statement.
        OSError: Nobody answers there, or not in time, or not in this protocol.
    """
    with _Connection(Address.parse(dsn, MYSQL), timeout) as connection:
        return connection.query(sql)


class _Greeting(NamedTuple):
    """What the server says first."""

    capabilities: int
    challenge: bytes
    method: str


class _Connection(Connection):
    """One logged-in connection."""

    def __init__(self, address: Address, timeout: float) -> None:
        self._sequence = 0
        self._is_private = address.host.startswith("/")
        super().__init__(address, timeout, socket_file=address.host)

    def query(self, sql: str) -> list[Row]:
        """Rows of all statements."""
        self._command(b"\x03" + sql.encode())
        rows: list[Row] = []
        while self._result(rows):
            pass
        return rows

    def _result(self, rows: list[Row]) -> bool:
        """Read one result. Is there another one?"""
        body = self._answer()
        if body[0] == OK:
            _, at = _number(body, 1)
            _, at = _number(body, at)
            return bool(body[at] & MORE_RESULTS)
        if body[0] == LOCAL_FILE:
            message = "the server wants to read a file of this machine"
            raise ServerRefusedError(message)
        count, _ = _number(body, 0)
        for _ in range(count + 1):  # the columns, and the end of them
            self._receive()
        while not _is_end(body := self._answer()):
            rows.append(_row(body, count))
        return bool(body[3] & MORE_RESULTS)

    # Logging in and out

    def _log_in(self, address: Address) -> None:
        greeting = _greeting(self._answer())
        capabilities = WANTED | (WITH_DATABASE if address.database else 0)
        if address.password and not self._is_private and greeting.capabilities & TLS:
            capabilities |= TLS
            self._send(_settings(capabilities))
            self._encrypt()
        proof = _proof(greeting.method, address.password, greeting.challenge) or b""
        names = [address.user.encode(), bytes([len(proof)]) + proof]
        if address.database:
            names.append(address.database.encode() + b"\0")
        self._send(_settings(capabilities) + names[0] + b"\0" + b"".join(names[1:]) + greeting.method.encode() + b"\0")
        while (body := self._answer())[0] != OK:
            self._prove(body, address.password)

    def _log_out(self) -> None:
        self._command(b"\x01")

    def _prove(self, request: bytes, password: str) -> None:
        """Do what the server asks for before it lets us in."""
        if request[0] == END:  # log in by another method
            method, _, challenge = request[1:].partition(b"\0")
            proof = _proof(method.decode(), password, challenge[:20])
            if proof is None:
                message = f"the server wants login by {method.decode()}, which this small client does not know"
                raise ServerRefusedError(message)
            self._send(proof)
        elif request[:2] == b"\x01\x04":  # caching_sha2_password has not cached it yet: the password itself
            if not self._is_private:
                message = "the server wants the password itself, and has no TLS to send it over"
                raise ServerRefusedError(message)
            self._send(password.encode() + b"\0")
        elif request[:2] != b"\x01\x03":  # that one is: wait for OK
            message = "the answer to the login is not in MySQL's protocol"
            raise ConnectionError(message)

    def _encrypt(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._socket = context.wrap_socket(self._socket)
        self._is_private = True

    # Packets: three bytes of length, one that counts, the body

    def _command(self, body: bytes) -> None:
        self._sequence = 0
        self._send(body)

    def _send(self, body: bytes) -> None:
        for at in range(0, len(body) + 1, LARGEST):
            part = body[at : at + LARGEST]
            self._socket.sendall(len(part).to_bytes(3, "little") + bytes([self._sequence]) + part)
            self._sequence = (self._sequence + 1) % 256

    def _answer(self) -> bytes:
        """The next packet. An error is raised."""
        body = self._receive()
        if not body:
            message = "the answer is not in MySQL's protocol"
            raise ConnectionError(message)
        if body[0] == ERROR:
            raise ServerRefusedError(_message(body))
        return body

    def _receive(self) -> bytes:
        body, size = b"", LARGEST
        while size == LARGEST:
            head = self._exactly(4)
            if head[3] != self._sequence:
                message = "the answer is not in MySQL's protocol"
                raise ConnectionError(message)
            self._sequence = (head[3] + 1) % 256
            size = int.from_bytes(head[:3], "little")
            body += self._exactly(size)
        return body


def _greeting(body: bytes) -> _Greeting:
    version_end = body.find(b"\0", 1)
    if body[0] != 10 or not 0 < version_end <= len(body) - 32:
        message = "the answer is not in MySQL's protocol"
        raise ConnectionError(message)
    fixed = body[version_end + 5 :]  # behind the number of the connection
    low, high, size = struct.unpack_from("<H3xHB", fixed, 9)
    rest = fixed[27:]
    method = rest[max(13, size - 8) :].split(b"\0")[0].decode()
    return _Greeting(low | high << 16, fixed[:8] + rest[:12], method or "mysql_native_password")


def _settings(capabilities: int) -> bytes:
    return struct.pack("<IIB23x", capabilities, LARGEST, UTF8MB4)


def _proof(method: str, password: str, challenge: bytes) -> bytes | None:
    """That we know the password. None: this method is not known here."""
    if method == "mysql_native_password":
        inner = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
        stored = hashlib.sha1(inner, usedforsecurity=False).digest()
        outer = hashlib.sha1(challenge + stored, usedforsecurity=False).digest()
    elif method == "caching_sha2_password":
        inner = hashlib.sha256(password.encode()).digest()
        outer = hashlib.sha256(hashlib.sha256(inner).digest() + challenge).digest()
    else:
        return None
    return bytes(a ^ b for a, b in zip(inner, outer, strict=True)) if password else b""


def _number(body: bytes, at: int) -> tuple[int, int]:
    """A number of one to nine bytes, and what comes behind it."""
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(body[at], 0)
    if not size:
        return body[at], at + 1
    return int.from_bytes(body[at + 1 : at + 1 + size], "little"), at + 1 + size


def _row(body: bytes, count: int) -> Row:
    values: list[str | None] = []
    at = 0
    for _ in range(count):
        if body[at] == LOCAL_FILE:  # here it means NULL
            values.append(None)
            at += 1
            continue
        size, at = _number(body, at)
        values.append(body[at : at + size].decode(errors="backslashreplace"))
        at += size
    return tuple(values)


def _is_end(body: bytes) -> bool:
    return body[0] == END and len(body) < 9


def _message(body: bytes) -> str:
    code = int.from_bytes(body[1:3], "little")
    text = body[3:].decode(errors="replace")
    state, text = (text[1:6], text[6:]) if text.startswith("#") else ("?", text)
    return f"{text} (error {code}, SQLSTATE {state})"
