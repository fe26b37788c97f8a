"""The configs that a web plugin serves, and the life of their pools. Knows no framework and no request.

attached     options are checked, keys assigned; again with every config that is added
lifespan     pools open in order, and close at the end of the outermost lifespan of the loop
never        no lifespan ran: pools open with their first use, and one warning says so
is_over      the last lifespan has ended: no request gets a working session until the app starts again
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from sqlspec._async.config import AsyncDatabaseConfig
from sqlspec.exceptions import OperationalError
from sqlspec.extensions.keys import Database, KeyTable, assign_keys
from sqlspec.extensions.outcome import WebOptions, read_options
from sqlspec.extensions.places import warn_of_blocking
from sqlspec.extensions.threads import in_thread
from sqlspec.logging import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from sqlspec.registry import Config, SQLSpec

    Publish = Callable[[str, object], None]

__all__ = ("Databases",)

_logger = get_logger("web")


class Databases:
    """All configs of one registry, as one plugin reads their options.

    Args:
        registry: Where the configs are.
        sections: The sections of ``extension_config`` that the plugin reads; the first that is there counts.

    Attributes:
        table: The configs with their keys. Replaced as a whole when a config is added.
        warn_of_blocking: For sync sessions, see ``places``.
    """

    def __init__(self, registry: SQLSpec, sections: Sequence[str]) -> None:
        self.registry = registry
        self.table = KeyTable(())
        self.warn_of_blocking = partial(warn_of_blocking, set[str]())
        self._sections = sections
        self._wanted: list[tuple[Config, WebOptions]] = []
        self._attached = False
        self._running: dict[asyncio.AbstractEventLoop, int] = {}
        self._has_run = False
        self._was_late = False

    # Configs

    def attach(self) -> None:
        """Check the options of all configs, and of those that are added later when they are. Repeatable.

        Raises:
            ImproperConfigurationError: An option or a key is wrong.
        """
        if self._attached:
            return
        wanted = [(config, self._options(config)) for config in self.registry.configs]
        self._assign(wanted)
        self.registry.on_add(self._add)
        self._attached = True

    def _add(self, config: Config) -> None:
        self._assign([*self._wanted, (config, self._options(config))])

    def _options(self, config: Config) -> WebOptions:
        return read_options(config.extension_config, self._sections, repr(config))

    def _assign(self, wanted: list[tuple[Config, WebOptions]]) -> None:
        self.table = KeyTable(assign_keys(wanted))
        self._wanted = wanted

    # Pools

    @property
    def is_over(self) -> bool:
        """Whether the app was shut down and has not started again."""
        return self._has_run and not self._running

    @asynccontextmanager
    async def lifespan(self, publish: Publish) -> AsyncGenerator[None]:
        """Open all pools, and close them at the end. Of several in one loop the outermost does it.

        Args:
            publish: Puts a pool where the app's users find it by its key.

        Raises:
            ConnectionFailedError: A pool could not be opened; it is named, and the others are closed.
        """
        await self._start(publish)
        try:
            yield
        except BaseException as error:
            await self._stop_after(error)
            raise
        await self._stop()

    async def _start(self, publish: Publish) -> None:
        loop = asyncio.get_running_loop()
        self._running[loop] = self._running.get(loop, 0) + 1
        self._wanted = [database.fixed() for database in self.table.databases]
        try:
            for database in self.table.databases:
                await _open_pool(database)
                publish(database.pool_key, database.config.connections.pool)
        except BaseException as error:
            await self._stop_after(error)
            raise
        self._has_run = True

    async def _stop_after(self, error: BaseException) -> None:
        try:
            await self._stop()
        except Exception as failure:  # noqa: BLE001 (it must not hide what came first)
            error.add_note(f"Closing the pools failed too: {failure}")

    async def _stop(self) -> None:
        loop = asyncio.get_running_loop()
        self._running[loop] -= 1
        if not self._running[loop]:
            del self._running[loop]
            await self.registry.close_all_pools()

    def notice_late_pools(self, publish: Publish) -> None:
        """Say once that pools were opened by a request, because no lifespan had done it."""
        if self._running or self._has_run:
            return
        late = [database for database in self.table.databases if database.config.is_open]
        for database in late:
            publish(database.pool_key, database.config.connections.pool)
        if late and not self._was_late:
            self._was_late = True
            _logger.warning(
                "a pool is open though the app's lifespan did not run, and nothing will close it (%s). "
                "Let the server run it (in tests: `with TestClient(app)`), or call close_all_pools() at the end",
                ", ".join(database.label for database in late),
            )


async def _open_pool(database: Database) -> None:
    config = database.config
    try:
        if isinstance(config, AsyncDatabaseConfig):
            await config.open()
        else:
            await in_thread(config.open)
    except OperationalError as error:
        message = f"The app can't start: the pool of {database.label!r} can't be opened. {error}"
        raise type(error)(message, code=error.code, sqlstate=error.sqlstate) from error
