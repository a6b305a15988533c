"""The edge: one ASGI endpoint for /v1 and /v2. It parses, calls one command, renders; it decides nothing.

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
import psycopg

from voldaan.api import errors, expand, forms, idempotency
from voldaan.api.errors import ApiError
from voldaan.api.router import Route, Router
from voldaan.api.validate import parse_params
from voldaan.commands.answers import Answer
from voldaan.commands.attempts import carry_out, card_error_of
from voldaan.engine import Engine
from voldaan.resources.accounts import Account
from voldaan.resources.base import Resource, spec
from voldaan.resources.registry import BY_OBJECT
from voldaan.resources.render import encode
from voldaan.rules.decision import Refused
from voldaan.store import children, keys
from voldaan.store.ids import new_id
from voldaan.store.pages import Page, SearchPage
from voldaan.store.transaction import Missing, Transaction, transaction
from voldaan.store.writer import Conflict

VERSION = "2026-10-28.endive"
BODY_MAX = 1_048_576  # bytes
KEY_CACHE_SECONDS = 1  # a revoked key stops working within a second
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

    def failure(self, request: Request, error: ApiError) -> tuple[int, bytes, dict[str, str]]:
        body = msgspec.json.encode(error.to_body(f"{self.public_url}/logs/{request.id}"))
        return error.http_status, body, error.headers

    def headers(self, request: Request, body: bytes, extra: dict[str, str]) -> list[tuple[bytes, bytes]]:
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"request-id", request.id.encode()),
            (b"stripe-version", VERSION.encode()),
            (b"cache-control", b"no-cache, no-store"),
        ]
        if key := request.headers.get(b"idempotency-key"):
            headers.append((b"idempotency-key", key[: idempotency.KEY_MAX]))
        headers += [(name.encode(), value.encode()) for name, value in extra.items()]
        return headers

    async def handle(self, request: Request) -> tuple[int, bytes, dict[str, str]]:
        """Answers (status, body, headers of its own). Raises ApiError."""
        account = await self.authenticate(request)
        check_version(request)
        found = self.router.find(request.method, request.path)
        if found is None:
            raise errors.unrecognized_url(request.method, request.path)
        route, path = found
        params = parse_params(route.params, read_params(request))
        key = None
        if request.method == "POST" and (given := request.headers.get(b"idempotency-key")):
            key = idempotency.key_of(given.decode("latin-1"), request.method, request.path, request.body or request.query)
        return await self.perform(request, account, route, params, path, key)

    async def authenticate(self, request: Request) -> Account:
        """The account of the key. Refuses a request without a secret key that is in force."""
        given = key_of(request.headers.get(b"authorization", b""))
        if not given:
            raise errors.api_key_missing()
        now = self.engine.elapsed()
        cached = self._keys.get(given)
        if cached is None or now - cached[0] > KEY_CACHE_SECONDS:
            cached = (now, await keys.find(self.engine.pool, given))
            if len(self._keys) > 10_000:
                self._keys.clear()
            self._keys[given] = cached
        if cached[1] is None:
            raise errors.api_key_invalid(given)
        _, kind, account = cached[1]
        if kind == "publishable":
            raise errors.secret_key_required()
        return account

    async def perform(
        self, request: Request, account: Account, route: Route, params: Any, path: dict[str, str], key: idempotency.Key | None
    ) -> tuple[int, bytes, dict[str, str]]:
        """Runs the command in a transaction, then what must happen outside, and keeps the answer for the key."""
        wanted = expand.tree(params.expand)
        try:
            async with self.transaction(request, account, key) as tx:
                known = await idempotency.look(tx, key) if key else None
                if isinstance(known, idempotency.Replay):
                    return known.status, known.body, {"idempotent-replayed": "true", "original-request": known.request_id}
                if isinstance(known, idempotency.Recover):
                    result: Any = answer_of(known.subject)
                else:
                    result = await route.command(tx, params, **path)
                if not isinstance(result, Answer):
                    body = await self.render(tx, request, result, wanted)
                    if key:
                        await idempotency.keep(tx, key, 200, body)
                elif key and known is None:
                    await idempotency.begin(tx, key, subject_of(result))
            if tx.wakes:
                self.engine.wake.set()
            if not isinstance(result, Answer):
                return 200, body, {}
            await carry_out(self.engine, account, tx.attempts)
            return await self.answer(request, account, result, wanted, key)
        except psycopg.errors.UniqueViolation as twin:
            if key and twin.diag.constraint_name == "idempotency_keys_pkey":
                return await self.perform(request, account, route, params, path, key)
            raise
        except (Conflict, psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as busy:
            log.warning("request %s met another change: %s", request.id, busy)
            raise errors.lock_timeout() from busy
        except Missing as missing:
            in_path = missing.param is None
            raise errors.resource_missing(
                missing.object_name, missing.id, param=missing.param or "id", in_path=in_path
            ) from missing
        except Refused as refused:
            error = errors.from_refusal(refused.refusal)
            if key:
                await self.keep_failure(request, account, key, error)
            raise error from refused

    async def answer(
        self, request: Request, account: Account, answer: Answer, wanted: expand.Tree, key: idempotency.Key | None
    ) -> tuple[int, bytes, dict[str, str]]:
        """The object after its attempts, or the card error that they ended in."""
        async with self.transaction(request, account, None) as tx:
            resource = await tx.need(answer.cls, answer.id)
            declined = await card_error_of(tx, resource) if answer.decline_is_error else None
            if declined is None:
                status, body = 200, await self.render(tx, request, resource, wanted)
            else:
                status, body, _ = self.failure(request, errors.from_refusal(declined))
            if key:
                await idempotency.finish(tx, key, status, body)
        return status, body, {}

    async def keep_failure(self, request: Request, account: Account, key: idempotency.Key, error: ApiError) -> None:
        """Execution had begun: the refusal is the answer to every repeat."""
        _, body, _ = self.failure(request, error)
        try:
            async with self.transaction(request, account, key) as tx:
                await idempotency.keep(tx, key, error.http_status, body)
        except psycopg.errors.UniqueViolation:
            log.info("request %s: a twin has already answered", request.id)

    def transaction(self, request: Request, account: Account, key: idempotency.Key | None) -> Any:
        wall = self.engine.wall()
        return transaction(
            self.engine.pool, account, wall, wall, request_id=request.id, idempotency_key=key.value if key else None
        )

    async def render(self, tx: Transaction, request: Request, result: Any, wanted: expand.Tree) -> bytes:
        if isinstance(result, Resource):
            if not wanted and not getattr(result, "deleted_at", None):
                await children.attach(tx, [result])
                return encode(result)
            return msgspec.json.encode((await expand.render(tx, [result], wanted))[0])
        if isinstance(result, Page | SearchPage):
            data = await expand.render(tx, result.items, wanted.get("data", {}))
            return msgspec.json.encode({**result.envelope(), "url": request.path, "data": data})
        return msgspec.json.encode(result)


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
    if given and given != VERSION:
        raise errors.invalid_request(
            f"Invalid Stripe API version: {errors.quoted(given)}. This server speaks {VERSION}; "
            "send that version, or leave the Stripe-Version header out."
        )


def read_params(request: Request) -> dict[str, Any]:
    """The parameters of a request: the query of a GET or DELETE, the form of a /v1 POST, the JSON of a /v2 POST."""
    given = forms.parse(request.query) if request.query else {}
    if not request.body:
        return given
    if request.path.startswith("/v2/"):
        try:
            decoded = msgspec.json.decode(request.body)
        except msgspec.DecodeError as error:
            raise errors.invalid_request(f"Invalid JSON: {error}") from error
        if not isinstance(decoded, dict):
            raise errors.invalid_request("Invalid JSON: the body must be an object")
        return {**given, **decoded}
    kind = request.headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if kind not in (b"", b"application/x-www-form-urlencoded"):
        raise errors.invalid_request(
            f"Invalid request (check that your POST content type is application/x-www-form-urlencoded, not "
            f"{errors.quoted(kind.decode('latin-1'))})."
        )
    return {**given, **forms.parse(request.body)}


def subject_of(answer: Answer) -> str:
    """How an answer is remembered for recovery."""
    return f"{spec(answer.cls).object} {answer.id} {int(answer.decline_is_error)}"


def answer_of(subject: str) -> Answer:
    """The answer that `subject_of` remembered."""
    name, id, decline_is_error = subject.split(" ")
    return Answer(id, BY_OBJECT[name], decline_is_error == "1")


async def _read(receive: Receive, request: Request) -> bytes:
    """The whole body. Refuses more than a megabyte without reading on."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_MAX:
            raise errors.invalid_request("The request body is larger than 1 MB.", status=413)
        if not message.get("more_body"):
            return body
