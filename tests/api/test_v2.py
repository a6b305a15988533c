"""/v2 is JSON: read within limits, into the same declared parameters, under the same rules for keys and versions.

Nothing of /v2 is served yet, so the edge is driven here with a route of the test's own.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from voldaan.api.edge import VERSION, Edge
from voldaan.api.router import Router
from voldaan.engine import Engine
from voldaan.resources.params import Hash, Params
from voldaan.store import accounts
from voldaan.store.pool import Pool
from voldaan.work import clock

pytestmark = pytest.mark.anyio


class Inner(Hash):
    key: str


class Echo(Params):
    name: str
    amount: int = 0
    live: bool = False
    inner: list[Inner] = []


async def echo(tx: Any, params: Echo) -> dict[str, Any]:
    return params.model_dump(exclude={"expand"}, mode="json")


@pytest.fixture
async def ask(pool: Pool) -> Any:
    key = (await accounts.create(pool, clock.wall())).secret_key
    engine = Engine(pool, lambda name: None, clock.wall, clock.elapsed)  # type: ignore[arg-type,return-value]
    edge = Edge(engine, Router([("POST", "/v2/test/echo", echo, Echo, None)]), "http://here")

    async def call(body: bytes, **headers: str) -> tuple[int, dict[str, Any], dict[bytes, bytes]]:
        given = {"authorization": f"Bearer {key}", "stripe-version": VERSION, "content-type": "application/json", **headers}
        scope = {
            "method": "POST", "path": "/v2/test/echo", "query_string": b"", "raw_path": b"/v2/test/echo",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items() if value],
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        response = await edge.respond(scope, receive)
        return response.status, json.loads(response.body), dict(response.headers)

    return call


async def test_json_is_read_into_the_declared_parameters(ask: Any) -> None:
    body = json.dumps({"name": "Zoë", "amount": 5, "live": True, "inner": [{"key": "a"}]}).encode()
    status, answer, _ = await ask(body)
    assert (status, answer) == (200, {"name": "Zoë", "amount": 5, "live": True, "inner": [{"key": "a"}]})


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        (b'{"name": "a", "nope": 1}', "nope", "unknown parameter"),
        (b"{}", "name", "Missing required param"),
        (b'{"name": "a", "inner": [{"key": ""}]}', "inner[0][key]", "empty"),
        (b'{"name": "a", "amount": 1.5}', "amount", ""),
        (b"[1]", None, "must be an object"),
        (b'{"name": ', None, "Invalid JSON"),
        (b"[" * 500_000, None, "Invalid JSON"),
        (b'{"a":' * 9 + b"1" + b"}" * 9, None, "at most"),
        (json.dumps({"name": "a", "inner": [{"key": "k"}] * 1000}).encode(), None, "at most"),
        (b'{"name": "\\ud800"}', None, ""),
        (b"name=a", None, "Invalid JSON"),
    ],
)
async def test_what_cannot_be_read_is_refused(ask: Any, body: bytes, param: str | None, says: str) -> None:
    status, answer, _ = await ask(body)
    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"
    assert answer["error"].get("param") == param
    assert says in answer["error"]["message"]


async def test_a_version_is_required_and_must_be_ours(ask: Any) -> None:
    status, answer, _ = await ask(b'{"name": "a"}', **{"stripe-version": ""})
    assert (status, "required by /v2" in answer["error"]["message"]) == (400, True)
    status, answer, _ = await ask(b'{"name": "a"}', **{"stripe-version": "2020-08-27"})
    assert (status, "Invalid Stripe API version" in answer["error"]["message"]) == (400, True)


async def test_a_repeat_is_replayed(ask: Any) -> None:
    first = await ask(b'{"name": "a"}', **{"idempotency-key": "k"})
    again = await ask(b'{"name": "a"}', **{"idempotency-key": "k"})
    other = await ask(b'{"name": "b"}', **{"idempotency-key": "k"})
    assert first[:2] == again[:2]
    assert again[2][b"idempotent-replayed"] == b"true"
    assert (other[0], other[1]["error"]["type"]) == (400, "idempotency_error")
