"""A cable between a test and its server, to be cut or frayed."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

__all__ = ("Cable", "cable")


class Cable:
    """Between us and the server.

    Attributes:
        cut: Nothing comes through any more, and nothing says so.
        delay: Seconds that everything takes longer, each way.
        port_here: Where its near end is plugged in.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.cut = False
        self.delay = 0.0
        self.port_here = 0
        self._server: asyncio.Server | None = None
        self._loses: tuple[bytes, bool] | None = None
        self._answerless: set[int] = set()
        self._connections = 0
        self._frayed = 0
        self._pulled = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: list[asyncio.StreamWriter] = []
        self._over = False

    def fray(self) -> None:
        """Every connection of now breaks as soon as something is sent through it; later ones are sound."""
        self._frayed = self._connections

    async def plug_in(self) -> None:
        """Listen: for the first time on any port, later on the same."""
        self._server = await asyncio.start_server(self.connect, "127.0.0.1", self.port_here)
        self.port_here = self._server.sockets[0].getsockname()[1]

    def pull_out(self) -> None:
        """As if the server were gone: every connection breaks, and new ones are refused until ``plug_in()``."""
        self._pulled = self._connections
        if self._server is not None:
            self._server.close()
        self._hang_up()

    def break_at(self, text: bytes, *, delivered: bool) -> None:
        """The next connection on which this is sent to the server breaks, once.

        Args:
            text: What to wait for.
            delivered: The server gets it, and only its answer is lost.
        """
        self._loses = text, delivered

    def _is_lost(self, number: int, data: bytes) -> bool:
        """Whether this, on its way to the server, is where the connection breaks now."""
        if self._loses is None or self._loses[0] not in data:
            return False
        _, delivered = self._loses
        self._loses = None
        if delivered:
            self._answerless.add(number)
        return not delivered

    def _is_answer_lost(self, number: int, data: bytes) -> bool:
        return number in self._answerless

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self._connections += 1
        number = self._connections
        self._ends.append(writer)
        far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        self._ends.append(far_writer)
        if self._over or number <= self._pulled:  # it came at the last moment, as a cancel request may
            writer.transport.abort()
            far_writer.transport.abort()
            return
        for source, target, breaks in (
            (reader, far_writer, self._is_lost),
            (far_reader, writer, self._is_answer_lost),
        ):
            task = asyncio.create_task(self._carry(number, source, target, breaks))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(
        self,
        number: int,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        breaks: Callable[[int, bytes], bool],
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while (data := await source.read(65536)) and number > self._frayed and not breaks(number, data):
                if self.delay:
                    await asyncio.sleep(self.delay)
                if not self.cut:
                    target.write(data)
        target.close()

    def _hang_up(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def close(self) -> None:
        """Stop carrying, and leave no socket behind."""
        self._over = True
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._hang_up()
        await asyncio.sleep(0.05)  # the loop closes them in its next rounds


@asynccontextmanager
async def cable(dsn: str) -> AsyncGenerator[tuple[Cable, str]]:
    """A cable to the server, and the DSN of its near end."""
    url = urlsplit(dsn)
    between = Cable(url.hostname or "127.0.0.1", url.port or 5432)
    await between.plug_in()
    query = "sslmode=disable" if url.scheme.startswith("postgres") else url.query
    near = url._replace(netloc=f"{url.netloc.rpartition('@')[0]}@127.0.0.1:{between.port_here}", query=query)
    try:
        yield between, near.geturl()
    finally:
        await between.close()
