"""SQLAlchemy's ORM on asyncpg: a session per request, as a ``yield`` dependency gives it, that commits at its end.

Unlike a dependency of FastAPI it ends before the response is sent, so that no success is told before COMMIT.
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.requests import Request


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[int]


class Saved(Base):
    __tablename__ = "saved"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[int]


engine = create_async_engine(
    os.environ["DSN"].replace("postgresql:", "postgresql+asyncpg:", 1), pool_size=10, max_overflow=0
)
new_session = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def session_of_request() -> AsyncGenerator[AsyncSession]:
    async with new_session() as session:
        yield session
        await session.commit()


async def plain(request: Request) -> Response:
    return PlainTextResponse("ok")


async def row(request: Request) -> Response:
    async with session_of_request() as session:
        found = await session.get_one(Item, 1)
    return JSONResponse({"id": found.id, "name": found.name, "price": found.price})


async def add(request: Request) -> Response:
    async with session_of_request() as session:
        session.add(Saved(name="new", price=7))
    return JSONResponse({"created": True}, status_code=201)


async def refuse(request: Request) -> Response:
    async with session_of_request() as session:
        session.add(Saved(name="new", price=7))
        await session.flush()
        raise HTTPException(409)


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncGenerator[None]:
    yield
    await engine.dispose()


app = Starlette(
    routes=[
        Route("/plain", plain),
        Route("/row", row),
        Route("/rows", add, methods=["POST"]),
        Route("/refused", refuse, methods=["POST"]),
    ],
    lifespan=lifespan,
)
