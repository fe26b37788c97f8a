"""A FastAPI app on two databases: one with the products of a shop, one that notes what happened to them.

    uvicorn fastapi_app:app --app-dir examples         keeps shop.db and log.db in this folder
    SHOP_URL=postgresql://me@localhost/shop LOG_URL=postgresql://me@localhost/log uvicorn ...

An endpoint that answers 200-299 has stored what it did, in both, before its client sees the status; one that answers
anything else, or raises, has stored nothing.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, PositiveInt

from sqlspec import SQLSpec
from sqlspec.config import AsyncDatabaseConfig, FastAPIConfig
from sqlspec.driver import AsyncDriverAdapterBase
from sqlspec.exceptions import UniqueViolationError
from sqlspec.extensions.fastapi import SQLSpecPlugin

# The databases ----------------------------------------------------------------------------------------------------


def database(url: str) -> AsyncDatabaseConfig[Any, Any, AsyncDriverAdapterBase]:
    web = {"fastapi": FastAPIConfig(commit_mode="autocommit")}
    if url.startswith("sqlite:"):
        from sqlspec.adapters.aiosqlite import AiosqliteConfig

        return AiosqliteConfig(pool_config={"uri": url}, extension_config=web)
    from sqlspec.adapters.asyncpg import AsyncpgConfig

    return AsyncpgConfig(pool_config={"dsn": url}, extension_config=web)


spec = SQLSpec()
shop_config = spec.add_config(database(os.environ.get("SHOP_URL", "sqlite:///shop.db")), name="shop")
log_config = spec.add_config(database(os.environ.get("LOG_URL", "sqlite:///log.db")), name="log")

PRODUCTS = """
CREATE TABLE IF NOT EXISTS products (sku TEXT PRIMARY KEY, name TEXT NOT NULL, cents INTEGER NOT NULL CHECK (cents > 0))
"""
EVENTS = "CREATE TABLE IF NOT EXISTS events (at TIMESTAMP WITH TIME ZONE NOT NULL, text TEXT NOT NULL)"


# What goes in and comes out, which is what a row becomes ----------------------------------------------------------


class Product(BaseModel):
    sku: str
    name: str
    cents: PositiveInt


class Event(BaseModel):
    at: datetime
    text: str


# The app, and the sessions of its requests ------------------------------------------------------------------------


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """The plugin opens the pools before this, and closes them after it."""
    async with spec.provide_session(shop_config) as shop, spec.provide_session(log_config) as log:
        await shop.execute(PRODUCTS)
        await log.execute(EVENTS)
    yield


app = FastAPI(title="Shop", lifespan=lifespan)
plugin = SQLSpecPlugin(spec, app)

Shop = Annotated[AsyncDriverAdapterBase, Depends(plugin.provide_session(shop_config))]
Log = Annotated[AsyncDriverAdapterBase, Depends(plugin.provide_session(log_config))]


@app.exception_handler(UniqueViolationError)
async def conflict(request: Request, error: Exception) -> JSONResponse:
    """Also asked when the error comes from a COMMIT, which runs after the endpoint has returned."""
    return JSONResponse({"detail": "there is such a product already"}, status_code=409)


# Endpoints: no commit, no rollback, no clean-up -------------------------------------------------------------------


@app.post("/products", status_code=201)
async def add_product(product: Product, shop: Shop, log: Log, background: BackgroundTasks) -> Product:
    """Stored in one database and noted in the other; then, in the background, announced."""
    insert = "INSERT INTO products (sku, name, cents) VALUES (:sku, :name, :cents)"
    await shop.execute(insert, product.model_dump())
    await note(log, f"{product.sku} was added")
    background.add_task(announce, product.sku)
    return product


@app.get("/products/{sku}")
async def get_product(sku: str, shop: Shop) -> Product:
    select = "SELECT sku, name, cents FROM products WHERE sku = ?"
    product = await shop.select_one_or_none(select, sku, schema_type=Product)
    if product is None:
        raise HTTPException(404, "there is no such product")
    return product


@app.delete("/products/{sku}")
async def remove_product(sku: str, shop: Shop, log: Log) -> Product:
    """The note is written first. It is gone again where the answer is 404."""
    await note(log, f"{sku} was removed")
    delete = "DELETE FROM products WHERE sku = ? RETURNING sku, name, cents"
    product = await shop.select_one_or_none(delete, sku, schema_type=Product)
    if product is None:
        raise HTTPException(404, "there is no such product")
    return product


@app.get("/events")
async def list_events(log: Log) -> list[Event]:
    return await log.select("SELECT at, text FROM events ORDER BY at", schema_type=Event)


async def note(log: AsyncDriverAdapterBase, text: str) -> None:
    await log.execute("INSERT INTO events (at, text) VALUES (?, ?)", datetime.now(UTC), text)


# Work after the answer has begun ----------------------------------------------------------------------------------


async def announce(sku: str) -> None:
    """Runs if COMMIT succeeded. Its request is over by then, so it opens a session of its own."""
    async with spec.provide_session(log_config) as log:
        await note(log, f"{sku} was announced")


@app.get("/export")
async def export(shop: Shop) -> StreamingResponse:
    """All products, a line of JSON each, however many: the stream of rows is opened inside the body."""

    async def lines() -> AsyncGenerator[str]:
        select = "SELECT sku, name, cents FROM products ORDER BY sku"
        async with shop.select_stream(select, schema_type=Product) as products:
            async for product in products:
                yield product.model_dump_json() + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


@app.websocket("/search")
async def search(socket: WebSocket, shop: Shop) -> None:
    """Each text is answered with the products named like it. Between two texts no connection is held."""
    await socket.accept()
    async for text in socket.iter_text():
        select = "SELECT sku, name, cents FROM products WHERE name LIKE :like ORDER BY sku"
        found = await shop.select(select, {"like": f"%{text}%"}, schema_type=Product)
        await socket.send_json([product.model_dump() for product in found])
