"""The ASGI application: the API's endpoint for /v1, /v2 and /voldaan, Starlette for everything people look at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from voldaan.api import openapi
from voldaan.api.edge import Edge
from voldaan.api.router import Router
from voldaan.api.routes import ROUTES
from voldaan.engine import Engine
from voldaan.settings import Settings
from voldaan.web import pages

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


DOORS = ("/v1/", "/v2/", "/voldaan/")  # what programs ask; /v1 and /v2 are Stripe's dialect, /voldaan is ours


class App:
    """Sends what programs ask to the edge and the rest to the pages."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.edge = Edge(engine, Router(ROUTES), settings.public_url)
        self.pages = Starlette(
            routes=[*pages.routes(engine, settings), Route("/openapi.json", specification)],
            exception_handlers=pages.problems(settings),  # type: ignore[arg-type]  # as async functions they are
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(DOORS):
            await self.edge(scope, receive, send)
        else:
            await self.pages(scope, receive, send)


async def specification(request: Request) -> JSONResponse:
    """The OpenAPI document, made from the declarations."""
    return JSONResponse(openapi.document(Router(ROUTES).routes))


async def _lifespan(receive: Receive, send: Send) -> None:
    """Nothing starts or stops with the server: the engine is opened around it."""
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
