"""The templates: autoescaped, strict about names, with the filters of amounts.py."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from voldaan.web import amounts

HERE = Path(__file__).parent
STATIC = HERE / "static"
FILTERS = ("money", "number", "quantity", "moment", "day", "short_day", "clock_time", "iso", "words", "invariant")
THEMES = ("light", "dark")
THEME_COOKIE = "voldaan_theme"


@cache
def environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update({name: getattr(amounts, name) for name in FILTERS})
    made.globals.update(static=static)
    return made


@cache
def static(name: str) -> str:
    """The address of a static file. It changes with the file, so that browsers may keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def theme(request: Request) -> str | None:
    """Light or dark as chosen; None leaves it to the system."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else None


def fragment(name: str, **facts: Any) -> str:
    """A template as text."""
    return environment().get_template(name).render(**facts)


def render(request: Request, name: str, *, status: int = 200, **facts: Any) -> HTMLResponse:
    """A whole page."""
    return HTMLResponse(fragment(name, theme=theme(request), path=request.url.path, **facts), status)
