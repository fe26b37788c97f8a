"""A PostgreSQL client of one file: log in, run one statement, read text. Enough to ask a server who it is.

It speaks protocol 3 over TCP or a Unix socket, without TLS, and logs in by trust, password, MD5 or SCRAM-SHA-256.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from typing import TYPE_CHECKING

from sqlspec.servers.client import Address, Connection, Scheme, ServerRefusedError

if TYPE_CHECKING:
    from sqlspec.servers.client import Row

__all__ = ("POSTGRES", "run_sql")

PROTOCOL = 196608  # 3.0
POSTGRES = Scheme(("postgresql", "postgres"), 5432, "postgres")


def run_sql(dsn: str, sql: str, *, timeout: float = 10.0) -> list[Row]:
    """Log in, run one statement, log out.

    Raises:
        ServerRefusedError: The server said no, to the login or to the statement.
        OSError: Nobody answers there, or not in time, or not in this protocol.
    """
    address = Address.parse(dsn, POSTGRES)
    with _Connection(address, timeout, socket_file=f"{address.host}/.s.PGSQL.{address.port}") as connection:
        return connection.query(sql)


class _Connection(Connection):
    """One logged-in connection."""

    def query(self, sql: str) -> list[Row]:
        """Rows of one statement, each value as text."""
        self._send(b"Q", sql.encode() + b"\0")
        rows: list[Row] = []
        refusal: ServerRefusedError | None = None
        kind = b""
        while kind != b"Z":
            try:
                kind, body = self._receive()
            except ConnectionError:
                if refusal is not None:  # it said why it hangs up
                    break
                raise
            if kind == b"D":
                rows.append(_row(body))
            elif kind == b"E":
                refusal = ServerRefusedError(_message(body))
        if refusal is not None:
            raise refusal
        return rows

    # Logging in and out

    def _log_in(self, address: Address) -> None:
        settings = {
            "user": address.user,
            "database": address.database or address.user,
            "application_name": "sqlspec.servers",
        }
        pairs = b"".join(f"{name}\0{value}\0".encode() for name, value in settings.items())
        self._send(b"", struct.pack("!I", PROTOCOL) + pairs + b"\0")
        while True:
            kind, body = self._receive()
            if kind == b"E":
                raise ServerRefusedError(_message(body))
            if kind == b"R":
                self._authenticate(address, body)
            elif kind == b"Z":
                return

    def _log_out(self) -> None:
        self._send(b"X")

    def _authenticate(self, address: Address, request: bytes) -> None:
        method = int.from_bytes(request[:4], "big")
        if method == 0:
            return
        if method == 3:
            self._send(b"p", address.password.encode() + b"\0")
        elif method == 5:
            inner = hashlib.md5((address.password + address.user).encode(), usedforsecurity=False).hexdigest()
            outer = hashlib.md5(inner.encode() + request[4:8], usedforsecurity=False).hexdigest()
            self._send(b"p", f"md5{outer}\0".encode())
        elif method == 10:
            self._scram(address.password)
        else:
            message = f"the server wants authentication method {method}, which this small client does not know"
            raise ServerRefusedError(message)

    def _scram(self, password: str) -> None:
        """SCRAM-SHA-256, RFC 5802, without channel binding."""
        opening = f"n=,r={secrets.token_urlsafe(18)}"
        first = f"n,,{opening}".encode()
        self._send(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first)
        challenge = self._challenge()
        fields = dict(part.split("=", 1) for part in challenge.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        bare = f"c=biws,r={fields['r']}"
        signed = f"{opening},{challenge},{bare}".encode()
        client_key = _hmac(salted, b"Client Key")
        signature = _hmac(hashlib.sha256(client_key).digest(), signed)
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()
        self._send(b"p", f"{bare},p={proof}".encode())
        self._challenge()

    def _challenge(self) -> str:
        kind, body = self._receive()
        if kind == b"E":
            raise ServerRefusedError(_message(body))
        return body[4:].decode()

    # Messages: one byte of kind, four of length, the body

    def _send(self, kind: bytes, body: bytes = b"") -> None:
        self._socket.sendall(kind + struct.pack("!I", len(body) + 4) + body)

    def _receive(self) -> tuple[bytes, bytes]:
        head = self._exactly(5)
        size = int.from_bytes(head[1:], "big")
        if not 4 <= size < 1 << 24:
            message = "the answer is not in PostgreSQL's protocol"
            raise ConnectionError(message)
        return head[:1], self._exactly(size - 4)


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def _row(body: bytes) -> Row:
    values: list[str | None] = []
    at = 2
    for _ in range(int.from_bytes(body[:2], "big")):
        size = int.from_bytes(body[at : at + 4], "big", signed=True)
        at += 4
        values.append(None if size < 0 else body[at : at + size].decode())
        at += max(size, 0)
    return tuple(values)


def _message(body: bytes) -> str:
    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    return f"{fields.get(b'M', 'no message')} (SQLSTATE {fields.get(b'C', '?')})"
