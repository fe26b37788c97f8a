"""How the app is tested: with FastAPI's TestClient, on databases in memory that are empty at the start of every test.

Run them with ``python -m pytest examples/test_fastapi_app.py``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Iterator

import pytest
from fastapi.testclient import TestClient

os.environ |= {"SHOP_URL": "sqlite:///:memory:", "LOG_URL": "sqlite:///:memory:"}  # before the app reads them

from examples.fastapi_app import PRODUCTS, app, log_config, plugin, shop_config
from sqlspec import SQLSpec
from sqlspec.adapters.aiosqlite import AiosqliteConfig
from sqlspec.driver import AsyncDriverAdapterBase
from sqlspec.exceptions import UndefinedTableError

LAMP = {"sku": "L1", "name": "lamp", "cents": 1990}


@pytest.fixture
def client() -> Iterator[TestClient]:
    """The running app. Its databases are gone when their pools close, at the end."""
    with TestClient(app) as client:
        yield client
    app.dependency_overrides.clear()


def events(client: TestClient) -> list[str]:
    return [event["text"] for event in client.get("/events").json()]


def test_a_product_is_stored_and_noted_and_announced(client: TestClient) -> None:
    assert client.post("/products", json=LAMP).status_code == 201
    assert client.get("/products/L1").json() == LAMP
    assert events(client) == ["L1 was added", "L1 was announced"]


def test_a_product_that_exists_is_a_conflict(client: TestClient) -> None:
    """409, and nothing is noted."""
    client.post("/products", json=LAMP)
    again = client.post("/products", json={**LAMP, "name": "another"})
    assert (again.status_code, again.json()) == (409, {"detail": "there is such a product already"})
    assert client.get("/products/L1").json() == LAMP
    assert len(events(client)) == 2


def test_what_does_not_exist_is_not_removed_and_not_noted(client: TestClient) -> None:
    client.post("/products", json=LAMP)
    assert [client.delete("/products/L1").status_code for _ in range(2)] == [200, 404]
    assert events(client)[2:] == ["L1 was removed"]


def test_the_export_has_a_line_for_each_product(client: TestClient) -> None:
    for number in range(3):
        client.post("/products", json={**LAMP, "sku": f"L{number}"})
    with client.stream("GET", "/export") as response:
        lines = list(response.iter_lines())
    assert lines == [f'{{"sku":"L{number}","name":"lamp","cents":1990}}' for number in range(3)]


def test_search_sees_what_is_added_meanwhile(client: TestClient) -> None:
    with client.websocket_connect("/search") as socket:
        for expected in ([], [LAMP]):
            socket.send_text("lam")
            assert socket.receive_json() == expected
            client.post("/products", json=LAMP)


# With dependency overrides ----------------------------------------------------------------------------------------


def another_database(*statements: str) -> Callable[[], AsyncGenerator[AsyncDriverAdapterBase]]:
    """A dependency in place of a request's session: a session of a new database, in which these statements ran."""

    async def session() -> AsyncGenerator[AsyncDriverAdapterBase]:
        async with SQLSpec() as spec:
            config = spec.add_config(AiosqliteConfig(pool_config={"database": ":memory:"}))
            async with spec.provide_session(config) as db:
                for statement in statements:
                    await db.execute(statement)
                yield db

    return session


def test_a_shop_that_was_filled_before(client: TestClient) -> None:
    """What is overridden is what the endpoint depends on; made again, it is the same."""
    filled = another_database(PRODUCTS, "INSERT INTO products VALUES ('C1', 'chair', 4990)")
    app.dependency_overrides[plugin.provide_session(shop_config)] = filled
    assert client.get("/products/C1").json() == {"sku": "C1", "name": "chair", "cents": 4990}


def test_a_log_that_can_not_be_written(client: TestClient) -> None:
    """Its table is missing. The request fails after the product was inserted, so the product is not there."""
    app.dependency_overrides[plugin.provide_session(log_config)] = another_database()
    with pytest.raises(UndefinedTableError, match="events"):
        client.post("/products", json=LAMP)
    assert client.get("/products/L1").status_code == 404
