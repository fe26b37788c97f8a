"""The FastAPI example: its own tests, run as its reader runs them, and the app behind a real uvicorn."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import websockets

from tests.web.uvicorn_server import uvicorn_serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    import httpx

    from sqlspec.servers import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
LAMP = {"sku": "L1", "name": "lamp", "cents": 1990}
CHAIR = {"sku": "C1", "name": "chair", "cents": 4990}


# Its own tests


def run_its_tests(root: Path, *options: str) -> tuple[int, str]:
    """Status and output of pytest; ``root`` has the example, the package is ours."""
    tests = str(root / "examples" / "test_fastapi_app.py")
    command = [sys.executable, "-m", "pytest", tests, "-q", "-p", "no:cacheprovider", *options]
    paths = os.pathsep.join(filter(None, (str(root), str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=50, check=False)
    return done.returncode, done.stdout + done.stderr


def test_its_tests_pass() -> None:
    """In this checkout, under its settings: every warning is an error."""
    status, output = run_its_tests(ROOT)
    assert status == 0, output
    assert " passed" in output
    assert not list(ROOT.glob("*.db"))


@pytest.mark.parametrize(
    ("old", "new", "failing"),
    [
        ('commit_mode="autocommit"', 'commit_mode="manual"', "a_product_is_stored"),
        ("@app.exception_handler(UniqueViolationError)\n", "", "a_product_that_exists_is_a_conflict"),
        ('raise HTTPException(404, "there is no such product")\n    return', "pass\n    return", "what_does_not_exist"),
        ("background.add_task(announce, product.sku)", "pass", "and_announced"),
        ("Depends(plugin.provide_session(shop_config))", "Depends(lambda: None)", "a_shop_that_was_filled_before"),
    ],
    ids=["nothing-stored", "no-handler", "no-404", "no-background-task", "no-override"],
)
def test_its_tests_notice(tmp_path: Path, old: str, new: str, failing: str) -> None:
    """An app that does not keep its word fails a test of that name."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    source = (tmp_path / "examples" / "fastapi_app.py").read_text()
    assert old in source
    (tmp_path / "examples" / "fastapi_app.py").write_text(source.replace(old, new))
    status, output = run_its_tests(tmp_path)
    assert status == pytest.ExitCode.TESTS_FAILED, output
    assert any(line.startswith("FAILED") and failing in line for line in output.splitlines()), output


# The app, served


@pytest.fixture(params=["sqlite", "postgres"])
def example(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ModuleType]:
    """The module, read anew, on two new databases."""
    if request.param == "sqlite":
        monkeypatch.setenv("SHOP_URL", f"sqlite:///{tmp_path}/shop.db")
        monkeypatch.setenv("LOG_URL", f"sqlite:///{tmp_path}/log.db")
        yield loaded()
        return
    with (
        postgres_server.temporary_database("sqlspec_shop") as shop,
        postgres_server.temporary_database("sqlspec_log") as log,
    ):
        monkeypatch.setenv("SHOP_URL", shop)
        monkeypatch.setenv("LOG_URL", log)
        yield loaded()


def loaded() -> ModuleType:
    name = f"example_{uuid4().hex}"
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / "fastapi_app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # FastAPI resolves annotations there
    spec.loader.exec_module(module)
    return module


async def texts(client: httpx.AsyncClient, count: int) -> list[str]:
    """What was noted, when that much was: a background task goes on after its client has the answer."""
    async with asyncio.timeout(10):
        while True:
            noted: list[dict[str, Any]] = (await client.get("/events")).json()
            if len(noted) >= count:
                return [event["text"] for event in noted]
            await asyncio.sleep(0.01)


async def test_it_is_served(example: ModuleType) -> None:
    """By uvicorn, on SQLite files and on PostgreSQL: every kind of endpoint."""  # W11 W12 W14 W16 W18
    async with uvicorn_serving(example.app) as client:
        statuses = [(await client.post("/products", json=product)).status_code for product in (LAMP, CHAIR, LAMP)]
        assert statuses == [201, 201, 409]
        assert (await client.get("/products/L1")).json() == LAMP
        assert (await client.get("/export")).text.splitlines() == [
            '{"sku":"C1","name":"chair","cents":4990}',
            '{"sku":"L1","name":"lamp","cents":1990}',
        ]
        assert sorted(await texts(client, 4)) == [
            "C1 was added",
            "C1 was announced",
            "L1 was added",
            "L1 was announced",
        ]
        async with websockets.connect(f"ws://127.0.0.1:{client.base_url.port}/search", proxy=None) as socket:
            await socket.send("ai")
            assert await socket.recv() == '[{"sku":"C1","name":"chair","cents":4990}]'
        assert (await client.delete("/products/L1")).json() == LAMP
        assert (await client.delete("/products/L1")).status_code == 404
        assert (await client.post("/products", json={"sku": "L2"})).status_code == 422
        assert len(await texts(client, 5)) == 5
