"""The API as it is on the wire: forms out, JSON back, and nothing that an SDK would hide.

    wire = Wire(address, key)
    wire.post("/v1/customers", email="a@example.com")["id"]          200, or the test fails with the answer
    wire.refused("GET", "/v1/customers/cus_x").error["code"]         400 or more, and never our own fault
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import httpx

from voldaan.api.edge import VERSION
from voldaan.api.errors import ApiError
from voldaan.api.forms import parse

JSON = dict[str, Any]


def pairs(params: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """`{"items": [{"price": "p"}]}` as `items[0][price]=p`; None is an empty value."""
    if isinstance(params, dict):
        for key, value in params.items():
            yield from pairs(value, f"{name}[{key}]" if name else str(key))
    elif isinstance(params, list | tuple):
        for index, value in enumerate(params):
            yield from pairs(value, f"{name}[{index}]")
    elif isinstance(params, bool):
        yield name, "true" if params else "false"
    else:
        yield name, "" if params is None else str(params)


def form(params: JSON) -> str:
    return "&".join(f"{quote_plus(name, safe='[]')}={quote_plus(value)}" for name, value in pairs(params))


@dataclass(slots=True, repr=False)
class Answer:
    """What came back."""

    status: int
    headers: httpx.Headers
    raw: bytes

    @property
    def body(self) -> JSON:
        return json.loads(self.raw)

    @property
    def error(self) -> JSON:
        return self.body["error"]

    def __repr__(self) -> str:
        return f"{self.status} {self.raw[:2000].decode(errors='replace')}"


STREAM = "/v2/billing/meter_event_stream"
JSON_PATHS = {"/voldaan/meter_events/bulk"}


def as_json(params: JSON | str) -> str:
    """The body of a JSON request."""
    if isinstance(params, dict):
        return json.dumps(params)
    try:
        return json.dumps(parse(params.encode()))
    except ApiError:
        return params


@dataclass(slots=True)
class Wire:
    """A caller with one key."""

    address: str
    key: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))
    token: str = ""  # of the stream of events

    def send(
        self, method: str, path: str, params: JSON | str | None = None, *, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request, whatever it is answered. Params are a form for POST, a query otherwise; text is sent as it is.

        Of /v2, and where many events are sent at once, the body is JSON; a form given as text becomes JSON if it can.
        """
        if path.startswith("/v2/") or path in JSON_PATHS:
            return self.send_json(method, path, params or {}, headers or {})
        text = params if isinstance(params, str) else form(params or {})
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        url = self.address + path
        if method == "POST":
            content = {"Content-Type": "application/x-www-form-urlencoded"}
            got = self.http.request(method, url, content=text, headers={**content, **sent})
        else:
            got = self.http.request(method, f"{url}?{text}" if text else url, headers=sent)
        return Answer(got.status_code, got.headers, got.content)

    def send_json(self, method: str, path: str, params: JSON | str, headers: dict[str, str]) -> Answer:
        """A request in the way of /v2."""
        key = self.key
        if path == STREAM and "Authorization" not in headers:
            self.token = key = self.token or self.post("/v2/billing/meter_event_session")["authentication_token"]
        sent = {"Authorization": f"Bearer {key}", "Stripe-Version": VERSION, "Content-Type": "application/json", **headers}
        if method == "GET":
            text = params if isinstance(params, str) else form(params)
            got = self.http.request(method, self.address + (f"{path}?{text}" if text else path), headers=sent)
        else:
            got = self.http.request(method, self.address + path, content=as_json(params), headers=sent)
        return Answer(got.status_code, got.headers, got.content)

    def ok(self, method: str, path: str, params: JSON | None = None, **more: Any) -> JSON:
        answer = self.send(method, path, params, **more)
        assert answer.status == 200, f"{method} {path} {params}: {answer}"
        return answer.body

    def get(self, path: str, **params: Any) -> JSON:
        return self.ok("GET", path, params)

    def post(self, path: str, **params: Any) -> JSON:
        return self.ok("POST", path, params)

    def delete(self, path: str, **params: Any) -> JSON:
        return self.ok("DELETE", path, params)

    def refused(self, method: str, path: str, params: JSON | str | None = None, **more: Any) -> Answer:
        answer = self.send(method, path, params, **more)
        assert 400 <= answer.status < 500, f"{method} {path} {params}: {answer}"
        return answer

    def until(self, path: str, met: Callable[[JSON], Any], *, seconds: float = 30, **params: Any) -> JSON:
        """Reads until the answer meets the condition."""
        end = time.monotonic() + seconds
        while True:
            body = self.get(path, **params)
            if met(body):
                return body
            assert time.monotonic() < end, f"{path} did not come to it in {seconds} s: {json.dumps(body)[:2000]}"
            time.sleep(0.03)
