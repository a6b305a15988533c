"""Everything that people look at, in one readable table of routes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from voldaan.engine import Engine
from voldaan.settings import Settings


def routes(engine: Engine, settings: Settings) -> list[Route | Mount]:
    """The pages, for the Starlette application beside the API."""

    async def healthz(request: Request) -> Response:
        """200 while the database answers, for load balancers and for whoever waits until the server is up."""
        async with engine.pool.connection(timeout=5) as connection:
            await connection.execute("select 1")
        return JSONResponse({"status": "ok"})

    return [Route("/healthz", healthz)]
