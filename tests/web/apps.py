"""The app that most web tests use, and what it logged."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.routing import Route

from sqlspec import SQLSpec
from sqlspec.extensions.starlette import SQLSpecPlugin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import pytest
    from starlette.requests import Request
    from starlette.responses import Response

    from tests.web.conftest import Backend

    Endpoint = Callable[[Request, Any], Awaitable[Response]]


METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]


def app_with(backend: Backend, endpoint: Endpoint, **options: Any) -> Starlette:
    """An app of one route, ``/items/{name}``, whose endpoint gets the request and its session."""

    async def route(request: Request) -> Response:
        return await endpoint(request, plugin.get_session(request))

    app = Starlette(routes=[Route("/items/{name}", route, methods=METHODS)])
    spec = SQLSpec()
    spec.add_config(backend.config(**options), name="main")
    plugin = SQLSpecPlugin(spec, app)
    return app


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "sqlspec.web" and record.levelno == logging.WARNING
    ]
