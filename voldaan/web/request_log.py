"""The page behind `request_log_url` of an error: what one request did."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from voldaan.engine import Engine
from voldaan.reports.activity import of_request
from voldaan.reports.overview import snapshot
from voldaan.web import wording
from voldaan.web.sign_in import SignIn
from voldaan.web.templates import render


class RequestLog:
    """GET /logs/{request_id}"""

    def __init__(self, engine: Engine, sign_in: SignIn) -> None:
        self.engine = engine
        self.sign_in = sign_in

    async def page(self, request: Request) -> Response:
        session = await self.sign_in.session(request)
        if session is None:
            return RedirectResponse("/sign-in", 303)
        id = request.path_params["request_id"]
        async with snapshot(self.engine.pool, session.account, self.engine.wall()) as tx:
            events = await of_request(tx, id)
        return render(
            request, "request_log.html", account=session.account, csrf=session.csrf, id=id, lines=wording.lines(events),
            status=200 if events else 404,
        )  # fmt: skip
