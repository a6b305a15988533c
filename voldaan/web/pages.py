"""Everything that people look at, in one readable table of routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from voldaan.engine import Engine
from voldaan.settings import Settings
from voldaan.web.bank_page import BankPage
from voldaan.web.headers import Secured
from voldaan.web.hosted_credit_note import HostedCreditNote
from voldaan.web.hosted_invoice import HostedInvoice
from voldaan.web.overview import OverviewPage
from voldaan.web.request_log import RequestLog
from voldaan.web.sign_in import SignIn, own_path, read_form, same_origin
from voldaan.web.templates import STATIC, THEME_COOKIE, THEMES, render

A_DAY = 86_400
A_YEAR = 365 * A_DAY


def routes(engine: Engine, settings: Settings) -> list[BaseRoute]:
    """The pages, for the Starlette application beside the API."""
    https = settings.public_url.startswith("https://")
    secured = [Middleware(Secured, https=https)]
    sign_in = SignIn(engine, settings)
    overview = OverviewPage(engine, settings, sign_in)
    log = RequestLog(engine, sign_in)
    bank = BankPage(engine)
    invoice = HostedInvoice(engine)
    note = HostedCreditNote(engine)

    async def healthz(request: Request) -> Response:
        """200 while the database answers, for load balancers and for whoever waits until the server is up."""
        async with engine.pool.connection(timeout=5) as connection:
            await connection.execute("select 1")
        return JSONResponse({"status": "ok"})

    async def theme(request: Request) -> Response:
        """POST /theme: light or dark, kept in a cookie."""
        form = await read_form(request)
        response = RedirectResponse(own_path(form.get("next", "/")), 303)
        if same_origin(request) and form.get("theme") in THEMES:
            response.set_cookie(THEME_COOKIE, form["theme"], max_age=A_YEAR, secure=https, samesite="lax")
        return response

    table = [
        ("GET",  "/healthz",                            healthz),
        ("GET",  "/",                                   overview.page),
        ("GET",  "/overview/main",                      overview.main),
        ("GET",  "/sign-in",                            sign_in.page),
        ("POST", "/sign-in",                            sign_in.submit),
        ("POST", "/sign-out",                           sign_in.out),
        ("POST", "/theme",                              theme),
        ("GET",  "/logs/{request_id}",                  log.page),
        ("GET",  "/i/{account}/{token}",                invoice.page),
        ("GET",  "/i/{account}/{token}/pdf",            invoice.pdf),
        ("GET",  "/credit_notes/{account}/{token}/pdf", note.pdf),
        ("GET",  "/sandbox/3ds/{id}",                   bank.page),
        ("POST", "/sandbox/3ds/{id}",                   bank.submit),
    ]  # fmt: skip
    made: list[BaseRoute] = [Route(path, endpoint, methods=[method], middleware=secured) for method, path, endpoint in table]
    return [*made, Mount("/static", Static(directory=STATIC), middleware=secured)]


Problem = Callable[[Request, Exception], Awaitable[Response]]


def problems(settings: Settings) -> dict[int, Problem]:
    """What people see where there is no page, and where one has failed; what failed is in the log."""
    https = settings.public_url.startswith("https://")

    def problem(status: int, title: str, text: str) -> Problem:
        async def shown(request: Request, error: Exception) -> Response:
            page = render(request, "problem.html", title=title, text=text, status=status)
            return cast(Response, Secured(page, https))  # it answers as a response does

        return shown

    return {
        404: problem(404, "Nothing here", "This address leads nowhere. The overview of a business is at the root of this site."),
        500: problem(500, "Something went wrong", "It is not your fault, and it is in the log. Try again in a moment."),
    }


class Static(StaticFiles):
    """Their addresses change with their content, so browsers keep them for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200 and b"v=" in scope["query_string"]:
            response.headers["cache-control"] = f"public, max-age={A_YEAR}, immutable"
        elif response.status_code in (200, 304):
            response.headers["cache-control"] = f"public, max-age={A_DAY}"  # named by the style sheet, as it is
        return response
