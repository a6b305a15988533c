"""A tax provider over real HTTP: asked between two transactions, and down, slow, wrong, or survived by nobody who asked."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import psycopg
import pytest

from tests.api.waiting import until
from tests.api.wire import JSON, Wire
from tests.api.world import DAY, MONDAY, World
from tests.conftest import ROOT, free_port, new_account
from tests.store.test_killed_server import server
from voldaan.resources.accounts import BillingSettings
from voldaan.store.queries import shelf

STATE = {"country": "US", "state": "NY", "percentage": "4", "reason": "standard_rated", "level": "state",
         "tax_type": "sales_tax", "name": "Sales Tax", "jurisdiction": "New York"}  # fmt: skip
CITY = {**STATE, "percentage": "4.50", "level": "city", "jurisdiction": "New York City"}
NEW_YORK = {"country": "US", "state": "NY", "postal_code": "10001", "line1": "1 Main St"}
AUTOMATIC = {"enabled": True}


@dataclass
class Provider:
    """A provider on loopback. `says` is what it answers now: a body, a status, or whether it hangs."""

    port: int
    asked: list[JSON] = field(default_factory=list)
    body: Any = None
    status: int = 200
    hangs: bool = False
    released: threading.Event = field(default_factory=threading.Event)

    def __call__(self, question: JSON) -> tuple[int, bytes]:
        self.asked.append(question)
        if self.hangs:
            self.released.wait(20)
        body = {"lines": [[STATE, CITY] for _ in question["lines"]]} if self.body is None else self.body
        return self.status, body if isinstance(body, bytes) else json.dumps(body).encode()

    @property
    def registered(self) -> str:
        """What the environment says of it, and of one that is down."""
        down = {"url": f"http://127.0.0.1:{free_port()}", "secret": "s"}
        here = {"url": f"http://127.0.0.1:{self.port}/quote", "secret": "s", "seconds": 1}
        return json.dumps({"near": here, "down": down})


@pytest.fixture(scope="module")
def listening() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Authorization"] == "Bearer s"
            status, body = provider(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *said: object) -> None:
            """Says nothing."""

        def finish(self) -> None:
            with suppress(OSError):  # who asked is gone
                super().finish()

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(http.server_port)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield provider
    provider.released.set()
    http.shutdown()


@pytest.fixture
def provider(listening: Provider) -> Iterator[Provider]:
    """The same, at its best again."""
    listening.asked, listening.body, listening.status, listening.hangs = [], None, 200, False
    yield listening
    listening.released.set()
    listening.released = threading.Event()


@pytest.fixture(scope="module")
def address(dsn: str, listening: Provider) -> Iterator[str]:
    with server(dsn, VOLDAAN_TAX_PROVIDERS=listening.registered) as (address, _):
        yield address


@pytest.fixture
def shop(dsn: str, address: str) -> World:
    """A business in the United States whose taxes the provider knows."""
    return opened(dsn, address, "near")


def opened(dsn: str, address: str, name: str, **settings: Any) -> World:
    made = new_account(dsn, settings_billing=BillingSettings(tax_provider=name, **settings))
    world = World(Wire(address, made.secret_key))
    office = {"address": {"country": "US", "state": "NY", "postal_code": "10001"}}
    world.wire.post("/v1/tax/settings", head_office=office, defaults={"tax_behavior": "exclusive"})
    return world


def terms(world: World, customer: JSON, **more: Any) -> JSON:
    """What a subscription of 10.00 a month is asked for with."""
    return {"customer": customer["id"], "items": [{"price": world.monthly["id"]}], "automatic_tax": AUTOMATIC, **more}


def taxes(world: World, invoice: JSON) -> list[tuple[str, int]]:
    rates = [world.wire.get(f"/v1/tax_rates/{t['tax_rate_details']['tax_rate']}") for t in invoice["total_taxes"]]
    return sorted((rate["jurisdiction"], t["amount"]) for rate, t in zip(rates, invoice["total_taxes"], strict=True))


def test_one_question_serves_preview_and_purchase(shop: World, provider: Provider) -> None:
    anna = shop.payer(address=NEW_YORK, test_clock=shop.clock()["id"])  # on one day, whenever this runs
    details = {"items": [{"price": shop.monthly["id"]}]}
    preview = shop.wire.post(
        "/v1/invoices/create_preview", customer=anna["id"], automatic_tax=AUTOMATIC, subscription_details=details
    )
    assert (preview["total"], taxes(shop, preview)) == (1085, [("New York", 40), ("New York City", 45)])
    made = shop.wire.post("/v1/subscriptions", **terms(shop, anna))
    invoice = shop.wire.get(f"/v1/invoices/{made['latest_invoice']}")
    assert (invoice["status"], invoice["total"], taxes(shop, invoice)) == ("paid", 1085, taxes(shop, preview))
    assert invoice["automatic_tax"]["provider"] == "near"
    assert len(provider.asked) == 1
    asked = provider.asked[0]
    assert (asked["buyer"]["postal_code"], asked["exempt"], asked["currency"]) == ("10001", "none", "eur")
    line = {"tax_code": "txcd_10000000", "amount": 1000, "tax_behavior": "exclusive", "performed": None}
    assert asked["lines"] == [line]
    two = {**terms(shop, anna), "items": [{"price": shop.monthly["id"], "quantity": 2}]}
    shop.wire.post("/v1/subscriptions", **two)
    assert [each["lines"][0]["amount"] for each in provider.asked] == [1000, 2000]


def test_a_calculation_and_a_customer_are_asked_about_too(shop: World, provider: Provider) -> None:
    details = {"address": NEW_YORK, "address_source": "billing"}
    lines = [{"amount": 1000, "reference": "coat"}]
    made = shop.wire.post("/v1/tax/calculations", currency="usd", customer_details=details, line_items=lines)
    assert (made["amount_total"], made["tax_amount_exclusive"]) == (1085, 85)
    anna = shop.customer(address=NEW_YORK)
    shown = shop.wire.get(f"/v1/customers/{anna['id']}", expand=["tax"])
    assert shown["tax"]["automatic_tax"] == "supported"
    assert len(provider.asked) == 2


WRONG: dict[str, tuple[int, Any]] = {
    "an error": (500, {"lines": [[STATE]]}),
    "elsewhere": (302, b""),
    "no JSON": (200, b"<html>"),
    "too few lines": (200, {"lines": []}),
    "a line without a tax": (200, {"lines": [[]]}),
    "zero without a reason": (200, {"lines": [[{**STATE, "percentage": "0"}]]}),
    "no zero with a reason for it": (200, {"lines": [[{**STATE, "reason": "reverse_charge"}]]}),
    "more than all": (200, {"lines": [[{**STATE, "percentage": "100.1"}]]}),
    "less than nothing": (200, {"lines": [[{**STATE, "percentage": "-4"}]]}),
    "a number that is a float": (200, {"lines": [[{**STATE, "percentage": 4.5}]]}),
    "finer than can be kept": (200, {"lines": [[{**STATE, "percentage": "4.00001"}]]}),
    "a word nobody knows": (200, {"lines": [[{**STATE, "amount": 12}]]}),
    "too much": (200, b" " * 1_100_000),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_answer_is_none(shop: World, provider: Provider, what: str) -> None:
    provider.status, provider.body = WRONG[what]
    refused_and_then_made(shop, provider)


def test_a_slow_answer_is_none(shop: World, provider: Provider) -> None:
    provider.hangs = True
    refused_and_then_made(shop, provider)


def refused_and_then_made(shop: World, provider: Provider) -> None:
    """Nothing is left of the refused request, and nothing of the answer: the next one asks anew."""
    anna = shop.payer(address=NEW_YORK)
    no = shop.wire.refused("POST", "/v1/subscriptions", terms(shop, anna))
    assert no.error["code"] == "taxes_calculation_failed"
    assert shop.wire.get("/v1/subscriptions", customer=anna["id"])["data"] == []
    assert shop.wire.get("/v1/invoices", customer=anna["id"])["data"] == []
    provider.status, provider.body, provider.hangs = 200, None, False
    provider.released.set()
    made = shop.wire.post("/v1/subscriptions", **terms(shop, anna), expand=["latest_invoice"])
    assert (made["status"], made["latest_invoice"]["total"]) == ("active", 1085)
    assert len(provider.asked) == 2


def test_what_the_provider_does_not_know_is_said(shop: World, provider: Provider) -> None:
    provider.body = {"unknown": {"status": "requires_location_inputs", "message": "Which street?"}}
    no = shop.wire.refused("POST", "/v1/subscriptions", terms(shop, shop.payer(address=NEW_YORK)))
    assert (no.error["code"], no.error["message"]) == ("customer_tax_location_invalid", "Which street?")


def test_a_provider_that_is_down_refuses_nothing_else(dsn: str, address: str, provider: Provider) -> None:
    world = opened(dsn, address, "down")
    anna = world.payer(address=NEW_YORK)
    no = world.wire.refused("POST", "/v1/subscriptions", terms(world, anna))
    assert (no.error["code"], "ConnectError" in no.error["message"]) == ("taxes_calculation_failed", True)
    made = world.wire.post("/v1/subscriptions", **{**terms(world, anna), "automatic_tax": {"enabled": False}})
    assert made["status"] == "active"
    gone = opened(dsn, address, "gone")
    no = gone.wire.refused("POST", "/v1/subscriptions", terms(gone, gone.payer(address=NEW_YORK)))
    assert "is not registered" in no.error["message"]
    assert provider.asked == []


def test_only_a_registered_provider_can_be_chosen(shop: World) -> None:
    no = shop.wire.refused("POST", "/voldaan/billing_settings", {"tax_provider": "nobody"})
    assert (no.error["param"], "eu, down, near" in no.error["message"]) == ("tax_provider", True)
    assert shop.wire.post("/voldaan/billing_settings", tax_provider="eu")["tax_provider"] == "eu"


POINTS = {"tax.before_call": 1, "tax.after_call": 2, "tax.kept": 1}  # and how often the provider has been asked in the end


@pytest.mark.parametrize("point", POINTS)
def test_a_request_killed_in_between_is_made_once(dsn: str, address: str, provider: Provider, point: str) -> None:
    world = opened(dsn, address, "near")
    asked = terms(world, world.payer(address=NEW_YORK))
    headers = {"Idempotency-Key": f"subscribe-{point}"}
    with server(dsn, f"{point}:1:kill", VOLDAAN_TAX_PROVIDERS=provider.registered) as (mortal, process):
        with pytest.raises(httpx.TransportError):
            Wire(mortal, world.wire.key).send("POST", "/v1/subscriptions", asked, headers=headers)
        assert process.wait(20) == -signal.SIGKILL
    assert world.wire.get("/v1/subscriptions")["data"] == []
    made = world.wire.ok("POST", "/v1/subscriptions", asked, headers=headers)
    assert made["status"] == "active"
    assert len(provider.asked) == POINTS[point]
    assert [i["total"] for i in world.wire.get("/v1/invoices")["data"]] == [1085]
    assert len(world.wire.get("/v1/charges")["data"]) == 1


@contextmanager
def worker(dsn: str, provider: Provider, failpoints: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A worker as a process of its own, which gives up what a dead one has leased after a second."""
    environment = {"DATABASE_URL": dsn, "FAILPOINTS": failpoints, "VOLDAAN_TAX_PROVIDERS": provider.registered,
                   "VOLDAAN_LEASE_SECONDS": "1"}  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "voldaan.cli", "work"], env={**os.environ, **environment}, cwd=ROOT)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(20)


def advance(world: World, clock: JSON, to: int) -> None:
    world.wire.post(f"/v1/test_helpers/test_clocks/{clock['id']}/advance", frozen_time=to)


def arrived(world: World, clock: JSON) -> None:
    moved = world.wire.until(f"/v1/test_helpers/test_clocks/{clock['id']}", lambda c: c["status"] != "advancing")
    assert moved["status"] == "ready"


@pytest.mark.parametrize("point", POINTS)
def test_a_renewal_whose_worker_died_is_billed_once(dsn: str, address: str, provider: Provider, point: str) -> None:
    world = opened(dsn, address, "near")
    clock = world.clock()
    anna = world.payer(address=NEW_YORK, test_clock=clock["id"])
    made = world.wire.post("/v1/subscriptions", **terms(world, anna))
    advance(world, clock, MONDAY + 32 * DAY)
    with worker(dsn, provider, f"{point}:1:kill") as mortal:
        assert mortal.wait(30) == -signal.SIGKILL
    with worker(dsn, provider):
        arrived(world, clock)
    invoices = world.wire.get("/v1/invoices", subscription=made["id"])["data"]
    assert [(i["billing_reason"], i["status"], i["total"]) for i in invoices] == [
        ("subscription_cycle", "paid", 1085), ("subscription_create", "paid", 1085),
    ]  # fmt: skip
    verify(dsn, world)


@pytest.mark.parametrize("draft_seconds", [3600, 0])
def test_a_draft_waits_while_the_provider_is_away_and_is_then_paid(
    dsn: str, address: str, provider: Provider, draft_seconds: int
) -> None:
    world = opened(dsn, address, "near", draft_seconds=draft_seconds)
    clock = world.clock()
    anna = world.payer(address=NEW_YORK, test_clock=clock["id"])
    made = world.wire.post("/v1/subscriptions", **terms(world, anna))
    provider.status = 503
    advance(world, clock, renewed := MONDAY + 31 * DAY + 2 * 3600)
    with worker(dsn, provider):
        arrived(world, clock)
        draft = world.wire.get("/v1/invoices", subscription=made["id"])["data"][0]
        assert (draft["status"], draft["automatic_tax"]["status"], draft["total"]) == ("draft", "failed", 1000)
        assert draft["last_finalization_error"]["code"] == "taxes_calculation_failed"
        assert draft["automatically_finalizes_at"] > renewed
        no = world.wire.refused("POST", f"/v1/invoices/{draft['id']}/finalize")
        assert no.error["code"] == "taxes_calculation_failed"
        assert world.wire.get(f"/v1/subscriptions/{made['id']}")["status"] == "active"
        provider.status = 200
        advance(world, clock, renewed + DAY)
        arrived(world, clock)
        paid = world.wire.get(f"/v1/invoices/{draft['id']}")
        assert (paid["status"], paid["total"], paid["last_finalization_error"]) == ("paid", 1085, None)
        assert taxes(world, paid) == [("New York", 40), ("New York City", 45)]
    verify(dsn, world)


def test_an_answer_that_is_not_kept_is_found_out(dsn: str, shop: World, provider: Provider) -> None:
    anna = shop.payer(address=NEW_YORK)
    shop.wire.post("/v1/subscriptions", **terms(shop, anna))
    verify(dsn, shop)
    with psycopg.connect(dsn) as connection:
        only = shop.wire.get("/v1/account")["id"]
        connection.execute("delete from tax_answers where account_id = %s", (only,))
        assert connection.execute(shelf("verify")["T3_remote_taxes_were_answered"], {"only": only}).fetchall()
        connection.rollback()


def test_answers_are_pruned_but_for_those_that_invoices_rest_on(dsn: str, shop: World, provider: Provider) -> None:
    anna = shop.payer(address=NEW_YORK)
    details = {"items": [{"price": shop.monthly["id"], "quantity": 2}]}
    preview = {"customer": anna["id"], "automatic_tax": AUTOMATIC, "subscription_details": details}
    assert shop.wire.post("/v1/invoices/create_preview", **preview)["total"] == 2170
    made = shop.wire.post("/v1/subscriptions", **terms(shop, anna))
    assert len(provider.asked) == 2
    only = shop.wire.get("/v1/account")["id"]
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("update tax_answers set recorded_at = recorded_at - interval '3 days' where account_id = %s", (only,))
        due = "update due set due_at = due_at - interval '3 days' where account_id = %s and kind = 'tax_answers.prune'"
        assert connection.execute(due, (only,)).rowcount
        waits = "select due_at, error from due where account_id = %s and kind = 'tax_answers.prune'"
        with worker(dsn, provider):
            until(lambda: connection.execute(waits, (only,)).fetchall(), lambda rows: not rows)
        left = connection.execute("select question->'lines'->0->'amount' from tax_answers where account_id = %s", (only,))
        assert left.fetchall() == [(1000,)]
    verify(dsn, shop)
    assert shop.wire.get(f"/v1/invoices/{made['latest_invoice']}")["status"] == "paid"
    assert shop.wire.post("/v1/invoices/create_preview", **preview)["total"] == 2170
    assert len(provider.asked) == 3


def verify(dsn: str, world: World) -> None:
    """All invariants of the taxes."""
    only = world.wire.get("/v1/account")["id"]
    with psycopg.connect(dsn) as connection:
        for name in (each for each in shelf("verify") if each.startswith("T")):
            broken = connection.execute(shelf("verify")[name], {"only": only}).fetchall()
            assert not broken, (name, broken)
