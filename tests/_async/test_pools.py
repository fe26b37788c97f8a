"""Our own pool, for drivers that have none, and configs on it: C2 F1 F2 F4 S16."""

from __future__ import annotations

from typing import Any

import pytest

from sqlspec._async.pool import AsyncPool
from sqlspec.exceptions import ImproperConfigurationError
from tests.support.configs import AsyncFixture, AsyncSqlite


class Factory:
    """Makes numbers and remembers what became of them; fails when it is told to."""

    def __init__(self) -> None:
        self.made: list[int] = []
        self.closed: list[int] = []
        self.failing = False

    async def connect(self) -> int:
        if self.failing:
            raise OSError("refused")
        self.made.append(len(self.made))
        return self.made[-1]

    async def close(self, connection: int) -> None:
        self.closed.append(connection)
        if self.failing:
            raise OSError(f"closing {connection}")

    def pool(self, **options: Any) -> AsyncPool[int]:
        return AsyncPool(self.connect, self.close, **{"min_size": 0, "max_size": 2, **options})


async def test_connections_are_made_when_wanted_and_used_again() -> None:
    """The one that came back last is handed out first."""  # C2
    factory = Factory()
    pool = factory.pool()
    one, two = await pool.acquire(1), await pool.acquire(1)
    await pool.release(one)
    await pool.release(two)
    assert await pool.acquire(1) == two
    assert (pool.size, pool.idle, factory.made) == (2, 1, [0, 1])


async def test_never_more_than_max_size() -> None:
    """Whoever waits too long gets a TimeoutError, and costs no slot."""  # F4
    pool = Factory().pool()
    one = await pool.acquire(1)
    await pool.acquire(1)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await pool.acquire(0.01)
    await pool.release(one)
    assert await pool.acquire(0.01) == one


async def test_a_failed_connect_costs_no_slot() -> None:
    """Ten are refused, then both slots work."""  # F4
    factory = Factory()
    pool = factory.pool()
    factory.failing = True
    for _ in range(10):
        with pytest.raises(OSError, match="refused"):
            await pool.acquire(0.01)
    factory.failing = False
    await pool.acquire(0.01)
    await pool.acquire(0.01)
    assert pool.size == 2


async def test_a_discarded_connection_frees_its_slot() -> None:
    """Even if closing it fails."""  # F4
    factory = Factory()
    pool = factory.pool(max_size=1)
    one = await pool.acquire(0.01)
    await pool.discard(one)
    two = await pool.acquire(0.01)
    factory.failing = True
    with pytest.raises(OSError, match="closing 1"):
        await pool.discard(two)
    factory.failing = False
    await pool.acquire(0.01)
    assert factory.closed == [0, 1]


async def test_an_old_connection_is_replaced_when_it_comes_back() -> None:
    """``max_lifetime`` counts from its opening."""  # C3
    factory = Factory()
    pool = factory.pool(max_lifetime=1e-12)
    for number in range(3):
        assert await pool.acquire(1) == number
        await pool.release(number)
    assert factory.closed == [0, 1, 2]
    assert pool.size == 0


async def test_closing_closes_all_that_come_back() -> None:
    """The idle ones at once, the others when they are released; errors after all were tried."""  # S16
    factory = Factory()
    pool = factory.pool(min_size=2, max_size=3)
    await pool.open()
    used = await pool.acquire(1)
    await pool.close()
    assert factory.closed == [0]
    await pool.release(used)
    assert factory.closed == [0, 1]
    assert pool.size == 0
    factory = Factory()
    pool = factory.pool(min_size=2)
    await pool.open()
    factory.failing = True
    with pytest.raises(ExceptionGroup, match="closing connections failed") as raised:
        await pool.close()
    assert [type(error) for error in raised.value.exceptions] == [OSError, OSError]
    assert sorted(factory.closed) == [0, 1]


async def test_opening_goes_on_after_a_failure() -> None:
    """What was opened before it counts."""  # C2
    factory = Factory()
    pool = factory.pool(min_size=2)
    factory.failing = True
    with pytest.raises(OSError, match="refused"):
        await pool.open()
    factory.failing = False
    await pool.open()
    assert (pool.size, pool.idle) == (2, 2)
    assert "open=2 idle=2 max=2" in repr(pool)


@pytest.mark.parametrize(("least", "most"), [(2, 1), (-1, 1), (0, 0)])
def test_sizes_that_can_not_be(least: int, most: int) -> None:
    """Are an error at once."""  # C1
    with pytest.raises(ImproperConfigurationError, match="min_size"):
        Factory().pool(min_size=least, max_size=most)


class Gone(BaseException):
    """Not an error: somebody was interrupted."""


class Picky(AsyncSqlite):
    """Finds fault with connections."""

    stale: Any = None
    refusal: BaseException | None = None

    def is_fresh(self, connection: Any) -> bool:
        """All but one."""
        return connection is not self.stale

    async def reset(self, connection: Any) -> None:
        """Once."""
        refusal, self.refusal = self.refusal, None
        if refusal is not None:
            raise refusal
        await super().reset(connection)


async def connection_of(config: Picky) -> Any:
    """The one that a session has."""
    async with config.provide_session() as db:
        return await db.acquire_connection()


@pytest.fixture
async def picky(config: AsyncSqlite) -> AsyncFixture[Picky]:
    """A pool of one."""
    pool_config: Any = {**config.pool_config, "max_size": 1}
    picky = Picky(pool_config=pool_config, acquire_timeout=0.2)
    yield picky
    await picky.close()


async def test_a_connection_that_is_not_fresh_is_replaced(picky: Picky) -> None:
    """And closed, so that there is room for the other."""  # F2
    first = await connection_of(picky)
    assert await connection_of(picky) is first
    picky.stale = first
    assert await connection_of(picky) is not first
    assert picky.connections.pool.size == 1


async def test_a_connection_that_can_not_be_reset_is_closed(picky: Picky, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it was that went wrong, the next user gets another; an interruption goes on."""  # F1
    first = await connection_of(picky)
    picky.refusal = ValueError("no")
    assert await connection_of(picky) is first
    assert "could not be settled and is closed: no" in caplog.text
    second = await connection_of(picky)
    assert second is not first
    picky.refusal = Gone()
    with pytest.raises(Gone):
        await connection_of(picky)
    assert await connection_of(picky) is not second
    assert picky.connections.pool.size == 1
