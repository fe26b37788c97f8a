"""The databases of the web tests, one table each, for the app and for the test beside it.

What differs between them is data: where the database is, and what the adapter's declaration says of it
(``tests/compliance/targets``). A test must not ask which one it has: it asks for a fixture of those that it is true of.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlspec import SQLSpec
from sqlspec.config import AsyncDatabaseConfig
from sqlspec.driver import AsyncDriverAdapterBase
from tests.compliance.targets import BY_NAME, SERVER_OF
from tests.support.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

__all__ = ("BACKENDS", "DEFERRING", "AsyncConfig", "Backend", "new_backend")

BACKENDS = ("aiosqlite", "asyncpg", "psycopg", "asyncmy")
"""Adapters by name: what they are called in the names of tests, and which servers these start."""
DEFERRING = tuple(name for name in BACKENDS if "deferred_constraints" in BY_NAME[name].can)
"""Those whose databases may check a foreign key at COMMIT."""

AsyncConfig = AsyncDatabaseConfig[Any, Any, AsyncDriverAdapterBase]


class Backend:
    """One table ``items`` in one database.

    Args:
        name: The adapter's.
        folder: For a database that is a file.

    Attributes:
        path: That file.
        key: The type of the table's only column, ``name``, which is its primary key: MariaDB wants a length there.
        slow: A statement that runs for 20 seconds and more.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.path = folder / f"{name}.db"
        self.key = BY_NAME[name].types["name"]
        self.slow = BY_NAME[name].sql["slow"]
        self.table = f"items_{uuid4().hex[:8]}"
        self.insert = f"INSERT INTO {self.table} (name) VALUES (?)"
        self.select = f"SELECT name FROM {self.table} ORDER BY name"
        self._beside = SQLSpec()
        self._config = self._beside.add_config(self.config(), name="beside")

    def config(self, *, pool_size: int = 2, **options: Any) -> AsyncConfig:
        """A config for the app; ``options`` are those of ``extension_config["starlette"]``."""
        config = BY_NAME[self.name].config()(
            pool_config={**self._place(), "max_size": pool_size},
            extension_config={"starlette": options},
            acquire_timeout=5,
        )
        assert isinstance(config, AsyncDatabaseConfig)
        return config

    def _place(self) -> dict[str, Any]:
        if self.name not in SERVER_OF:
            return {"database": str(self.path), "timeout": 1}
        return {"dsn": getattr(SERVERS, f"{SERVER_OF[self.name]}_dsn")}

    async def rows(self) -> list[str]:
        """What another connection sees."""
        async with self._beside.provide_session(self._config, hold=False) as db:
            return await db.select(self.select, schema_type=str)

    async def run(self, statement: str) -> None:
        """Run a statement that commits by itself."""
        async with self._beside.provide_session(self._config, hold=False) as db:
            await db.execute(statement)

    async def value(self, statement: str) -> Any:
        """The only value of a statement."""
        async with self._beside.provide_session(self._config, hold=False) as db:
            return await db.select_value(statement)

    async def close(self) -> None:
        """Close the connections beside the app's."""
        await self._beside.close_all_pools()


@asynccontextmanager
async def new_backend(name: str, folder: Path) -> AsyncGenerator[Backend]:
    """A backend until the end of the block, with its table."""
    backend = Backend(name, folder)
    try:
        await backend.run(f"CREATE TABLE {backend.table} (name {backend.key} PRIMARY KEY)")
        yield backend
        await backend.run(f"DROP TABLE {backend.table}")
    finally:
        await backend.close()
