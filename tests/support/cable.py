"""A cable between a test and its server, to be cut or frayed."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ("Cable", "cable")


class Cable:
    """Between us and the server.

    Attributes:
        cut: Nothing comes through any more, and nothing says so.
        delay: Seconds that everything takes longer, each way.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.cut = False
        self.delay = 0.0
        self._connections = 0
        self._frayed = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: list[asyncio.StreamWriter] = []
        self._over = False

    def fray(self) -> None:
        """Every connection of now breaks as soon as something is sent through it; later ones are sound."""
        self._frayed = self._connections

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self._connections += 1
        number = self._connections
        self._ends.append(writer)
        far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        self._ends.append(far_writer)
        if self._over:  # a cancel request that came at the last moment
            self._hang_up()
            return
        for source, target in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._carry(number, source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, number: int, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while (data := await source.read(65536)) and number > self._frayed:
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
    server = await asyncio.start_server(between.connect, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    query = "sslmode=disable" if url.scheme.startswith("postgres") else url.query
    near = url._replace(netloc=f"{url.netloc.rpartition('@')[0]}@127.0.0.1:{port}", query=query)
    try:
        yield between, near.geturl()
    finally:
        server.close()
        await between.close()
