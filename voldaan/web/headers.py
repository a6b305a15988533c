"""What every page says to the browser: what it may load, who may frame it, and that nobody keeps a copy.

No inline script or style exists in these pages, so the policy needs no exception, and what a customer writes into a name
can never run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HSTS_SECONDS = 2 * 365 * 86_400


def policy(form_action: str = "'self'") -> str:
    """The Content-Security-Policy. `form_action` also names where a form's answer may redirect to."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
        f"form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    )


ALWAYS = {
    b"content-security-policy": policy().encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",            # "no-referrer" would hide the Origin of our own forms
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=(), payment=()",
    b"x-frame-options": b"DENY",
    b"cache-control": b"no-store",
}


class Secured:
    """Adds the headers that a response does not bring itself."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], https: bool = False) -> None:
        self.app = app
        self.headers = dict(ALWAYS)
        if https:
            self.headers[b"strict-transport-security"] = f"max-age={HSTS_SECONDS}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def secured(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((name, value) for name, value in self.headers.items() if name not in given),
                ]
            await send(message)

        await self.app(scope, receive, secured)
