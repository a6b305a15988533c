"""The edge: one ASGI endpoint for /v1, /v2 and /voldaan. It parses, calls one command, renders; it decides nothing.

request -> key -> route -> parameters -> idempotency -> transaction(command) -> [outside, settle] -> answer
"""

from __future__ import annotations

import base64
import binascii
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

import msgspec

from voldaan.api import errors, event_bodies, expand, forms, idempotency
from voldaan.api.call import Call, Outcome
from voldaan.api.errors import ApiError
from voldaan.api.perform import Performer
from voldaan.api.router import Route, Router
from voldaan.api.validate import parse_params
from voldaan.engine import Engine
from voldaan.resources.accounts import Account
from voldaan.resources.meter_events import EventBatch
from voldaan.resources.params import Params
from voldaan.store import keys
from voldaan.store.ids import new_id

VERSION = "2026-10-28.endive"
BODY_MAX = 1_048_576  # bytes
BODY_MAX_OF = {"/voldaan/meter_events/bulk": event_bodies.BODY_MAX}
BY_SESSION = frozenset({"/v2/billing/meter_event_stream"})  # asked with a session's token instead of a key
KEY_CACHE_SECONDS = 1  # a revoked key stops working within a second, and a setting holds everywhere; here at once
log = logging.getLogger("voldaan.api")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Request:
    """What the edge knows of a request before its command runs."""

    id: str
    method: str
    path: str
    headers: dict[bytes, bytes]
    query: bytes
    body: bytes


@dataclass(slots=True)
class Response:
    status: int
    body: bytes
    headers: list[tuple[bytes, bytes]]


class Edge:
    """The ASGI application for the API."""

    def __init__(self, engine: Engine, router: Router, public_url: str) -> None:
        self.engine = engine
        self.router = router
        self.public_url = public_url
        self.performer = Performer(engine, self.seal)
        self._keys: dict[str, tuple[float, tuple[str, str, Account] | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.respond(scope, receive)
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
        await send({"type": "http.response.body", "body": response.body})

    async def respond(self, scope: Scope, receive: Receive) -> Response:
        request = Request(new_id("req"), scope["method"], scope["path"], dict(scope["headers"]), scope["query_string"], b"")
        try:
            request.body = await _read(receive, request)
            status, body, extra = await self.handle(request)
        except ApiError as error:
            status, body, extra = self.failure(request, error)
        except Exception:
            log.exception("request %s failed: %s %s", request.id, request.method, request.path)
            status, body, extra = self.failure(request, errors.internal_error())
        return Response(status, body, self.headers(request, body, extra))

    def failure(self, request: Request, error: ApiError) -> Outcome:
        return error.http_status, self.seal(request.id, error), error.headers

    def seal(self, request_id: str, error: ApiError) -> bytes:
        """The body of an error."""
        return msgspec.json.encode(error.to_body(f"{self.public_url}/logs/{request_id}"))

    def headers(self, request: Request, body: bytes, own: dict[str, str]) -> list[tuple[bytes, bytes]]:
        extra = dict(own)
        headers = [
            (b"content-type", extra.pop("content-type", "application/json").encode()),
            (b"content-length", str(len(body)).encode()),
            (b"request-id", request.id.encode()),
            (b"stripe-version", VERSION.encode()),
            (b"cache-control", b"no-cache, no-store"),
        ]
        if key := request.headers.get(b"idempotency-key"):
            headers.append((b"idempotency-key", key[: idempotency.KEY_MAX]))
        headers += [(name.encode(), value.encode()) for name, value in extra.items()]
        return headers

    async def handle(self, request: Request) -> Outcome:
        """Answers (status, body, headers of its own). Raises ApiError."""
        account = await self.authenticate(request)
        found = self.router.find(request.method, request.path)
        if found is None:
            raise errors.unrecognized_url(request.method, request.path)
        check_version(request)
        route, path = found
        params = params_of(route, request)
        key = None
        if request.method == "POST" and (given := request.headers.get(b"idempotency-key")):
            key = idempotency.key_of(
                given.decode("latin-1"), request.method, request.path, b"?".join((request.query, request.body))
            )
        wanted = expand.tree(params.expand)
        expand.check(route.resource, wanted, many=getattr(route.command, "many", False))
        outcome = await self.performer.perform(Call(request.id, request.path, account, route, params, path, key, wanted))
        if getattr(route.command, "changes_account", False):
            self._keys = {given: each for given, each in self._keys.items() if each[1] is None or each[1][2].id != account.id}
        return outcome

    async def authenticate(self, request: Request) -> Account:
        """The account of the key. Refuses a request without a secret key, or a session's token, that is in force."""
        given = key_of(request.headers.get(b"authorization", b""))
        if not given:
            raise errors.api_key_missing()
        now = self.engine.elapsed()
        cached = self._keys.get(given)
        if cached is None or now - cached[0] > KEY_CACHE_SECONDS:
            cached = (now, await self.find_key(given))
            if len(self._keys) > 10_000:
                self._keys.clear()
            self._keys[given] = cached
        if cached[1] is None:
            raise errors.api_key_invalid(given)
        _, kind, account = cached[1]
        if kind == "publishable" or (kind == "session") != (request.path in BY_SESSION):
            raise errors.secret_key_required() if kind == "publishable" else errors.api_key_invalid(given)
        return account

    async def find_key(self, given: str) -> tuple[str, str, Account] | None:
        """Id and kind of a key or a token, and its account."""
        if given.startswith(keys.SESSION):
            return await keys.find_session(self.engine.pool, given, self.engine.wall())
        return await keys.find(self.engine.pool, given)


def key_of(authorization: bytes) -> str:
    """The API key of `Bearer <key>` or `Basic base64(<key>:)`; "" if there is none."""
    scheme, _, value = authorization.decode("latin-1").strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode("latin-1").partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def check_version(request: Request) -> None:
    """We answer in one version, and say so rather than answer in another one's words."""
    given = request.headers.get(b"stripe-version", b"").decode("latin-1").strip()
    if not given and request.path.startswith("/v2/"):
        raise errors.invalid_request(f"The Stripe-Version header is required by /v2. This server speaks {VERSION}.")
    if given and given != VERSION:
        raise errors.invalid_request(
            f"Invalid Stripe API version: {errors.quoted(given)}. This server speaks {VERSION}; "
            "send that version, or leave the Stripe-Version header out."
        )


def params_of(route: Route, request: Request) -> Params:
    """The typed parameters of a request."""
    if issubclass(route.params, EventBatch):
        return event_bodies.read(route.params, request.body, request.headers.get(b"content-type", b""))
    return parse_params(route.params, read_params(request))


def read_params(request: Request) -> dict[str, Any]:
    """The parameters of a request: the query of a GET or DELETE, the form of a POST, the JSON of a /v2 POST."""
    given = forms.parse(request.query) if request.query else {}
    if not request.body:
        return given
    if request.path.startswith("/v2/"):
        return {**given, **read_json(request.body)}
    kind = request.headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind not in (b"", b"application/x-www-form-urlencoded"):
        raise errors.invalid_request(
            f"Invalid request (check that your POST content type is application/x-www-form-urlencoded, not "
            f"{errors.quoted(kind.decode('latin-1'))})."
        )
    posted = forms.parse(request.body)
    if twice := given.keys() & posted.keys():
        name = errors.quoted(min(twice))
        raise errors.invalid_request(f"The parameter {name} was given more than once.", param=name)
    return {**given, **posted}


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object of a /v2 request, within the limits of a form."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise errors.invalid_request(f"Invalid JSON: {error}") from error
    if not isinstance(decoded, dict):
        raise errors.invalid_request("Invalid JSON: the body must be an object.")
    level, count = [decoded], 0
    for _ in range(forms.DEPTH_MAX):
        below = [value for node in level for value in (node.values() if isinstance(node, dict) else node)]
        count += len(below)
        level = [value for value in below if isinstance(value, dict | list)]
        if not level:
            break
    if level or count > forms.PARAMETERS_MAX:
        raise errors.invalid_request(
            f"Invalid JSON: at most {forms.DEPTH_MAX} levels and {forms.PARAMETERS_MAX} values can be read."
        )
    return decoded


async def _read(receive: Receive, request: Request) -> bytes:
    """The whole body. Refuses more than a megabyte, or what the path takes, without reading on."""
    most = BODY_MAX_OF.get(request.path, BODY_MAX)
    parts, size = [], 0
    while True:
        message = await receive()
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > most:
            raise errors.invalid_request(f"The request body is larger than {most // BODY_MAX} MB.", status=413)
        if not message.get("more_body"):
            return b"".join(parts)
