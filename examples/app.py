"""A web app whose requests commit or roll back by themselves, on SQLite or PostgreSQL.

    uvicorn app:app --app-dir examples                                            keeps users.db in this folder
    DATABASE_URL=postgresql://me@localhost/mine uvicorn app:app --app-dir examples

A handler that answers 200-299 has stored what it did; one that answers anything else, or raises, has stored nothing.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.config import AsyncDatabaseConfig, StarletteConfig
from sqlspec.driver import AsyncDriverAdapterBase
from sqlspec.exceptions import UniqueViolationError
from sqlspec.extensions.starlette import SQLSpecPlugin

# The database: an adapter's config, registered once ---------------------------------------------------------------


def database(url: str) -> AsyncDatabaseConfig[Any, Any, Any]:
    web = {"starlette": StarletteConfig(commit_mode="autocommit", session_key="db")}
    if url.startswith("sqlite:"):
        from sqlspec.adapters.aiosqlite import AiosqliteConfig

        return AiosqliteConfig(pool_config={"uri": url}, extension_config=web)
    from sqlspec.adapters.asyncpg import AsyncpgConfig

    return AsyncpgConfig(pool_config={"dsn": url}, extension_config=web)


spec = SQLSpec()
config = spec.add_config(database(os.environ.get("DATABASE_URL", "sqlite:///users.db")))

SCHEMA = "CREATE TABLE IF NOT EXISTS users (id UUID PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL)"


# What goes in, and what a row becomes -----------------------------------------------------------------------------


class NewUser(msgspec.Struct):
    email: str
    name: str


class User(msgspec.Struct):
    id: UUID
    email: str
    name: str


# Handlers: no commit, no rollback, no clean-up --------------------------------------------------------------------


async def list_users(request: Request) -> Response:
    db = plugin.get_session(request)
    users = await db.select("SELECT id, email, name FROM users ORDER BY email", schema_type=User)
    return as_json(users)


async def create_user(request: Request) -> Response:
    db = plugin.get_session(request)
    user = await insert_user(db, msgspec.json.decode(await request.body(), type=NewUser))
    return as_json(user, status=201)


async def create_user_and_fail(request: Request) -> Response:
    """The statement runs, the request fails: the user is not stored."""
    db = plugin.get_session(request)
    user = await insert_user(db, msgspec.json.decode(await request.body(), type=NewUser))
    raise RuntimeError(f"the welcome mail for user {user.id} could not be sent")


async def insert_user(db: AsyncDriverAdapterBase, new: NewUser) -> User:
    values = {"id": uuid4(), "email": new.email, "name": new.name}
    statement = "INSERT INTO users (id, email, name) VALUES (:id, :email, :name) RETURNING id, email, name"
    return await db.select_one(statement, values, schema_type=User)


def as_json(content: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, media_type="application/json")


# Errors become answers --------------------------------------------------------------------------------------------


async def conflict(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "a user with this email exists already"}, status_code=409)


async def bad_request(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)


# The app ----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None]:
    async with spec.provide_session(config) as db:
        await db.execute(SCHEMA)
    yield


app = Starlette(
    routes=[
        Route("/users", list_users),
        Route("/users", create_user, methods=["POST"]),
        Route("/users/failing", create_user_and_fail, methods=["POST"]),
    ],
    exception_handlers={UniqueViolationError: conflict, msgspec.DecodeError: bad_request},
    lifespan=lifespan,
)
plugin = SQLSpecPlugin(spec, app)
