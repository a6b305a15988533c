"""Recorded answers of the live API, as a table, held against ours: conformance.txt."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from urllib.parse import quote_plus, unquote_plus

import pytest

from tests.api.wire import JSON
from tests.api.world import DAY, MONDAY, World
from tests.rules.table import Row, rows

TABLE = rows("../api/conformance.txt")
APRIL = 1_775_088_000  # 2 April 2026, 00:00 UTC: a month after the worlds' Monday
PLACE = re.compile(r"{(\w+)}")


def of(*rules: str) -> Any:
    chosen = [row for row in TABLE if row.rule in rules]
    ids = [f"{row.line} {row.cells.get('request', row.rule)} {row.cells.get('with', '')}" for row in chosen]
    return pytest.mark.parametrize("row", chosen, ids=ids)


# ---- the objects that the table names ----------------------------------------------------------------------------------


class Cast(dict[str, str]):
    """The objects of one row by name, made when they are first named; some come with others, such as its_customer."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def __missing__(self, name: str) -> str:
        made = OBJECTS[name](self)
        self[name] = made["id"] if isinstance(made, dict) else made
        return self[name]

    def fill(self, text: str) -> str:
        return PLACE.sub(lambda place: self[place[1]], text)


def with_customer(self: Cast, made: JSON) -> JSON:
    self["its_customer"] = made["customer"]
    return made


def taken_lookup_key(c: Cast) -> str:
    price = c.world.price(lookup_key=f"key {c.world.product()['id']}")
    c["its_price"] = price["id"]
    return price["lookup_key"]


def failed_intent(c: Cast) -> str:
    answer = c.world.wire.refused(
        "POST", "/v1/payment_intents",
        {"amount": 2000, "currency": "eur", "payment_method": c.world.method("tok_chargeCustomerFail")["id"], "confirm": True},
    )  # fmt: skip
    return answer.error["payment_intent"]["id"]


def held_charge(c: Cast) -> str:
    held = c.world.held_intent()
    c["its_intent"] = held["id"]
    return held["latest_charge"]


def ended_subscription(c: Cast) -> str:
    subscription = c.world.subscription()["id"]
    c.world.wire.delete(f"/v1/subscriptions/{subscription}")
    return subscription


def posted(c: Cast, path: str, **params: Any) -> JSON:
    return c.world.wire.post(path, **params)


def customer_with_item(c: Cast) -> str:
    customer = c.world.customer()["id"]
    c.world.item(customer)
    return customer


def small_draft(c: Cast, amount: int = 4) -> JSON:
    draft = posted(c, "/v1/invoices", customer=c.world.payer()["id"])
    c.world.item(draft["customer"], invoice=draft["id"], amount=amount)
    return draft


def dispute(c: Cast) -> str:
    """Of a charge on a clock: disputes come some time after the payment."""
    clock = c.world.clock()["id"]
    customer = c.world.payer("tok_createDispute", test_clock=clock)
    method = customer["invoice_settings"]["default_payment_method"]
    charge = c.world.intent(4000, customer=customer["id"], payment_method=method, confirm=True)["latest_charge"]
    c.world.advance(clock, MONDAY + DAY)
    c["disputed_charge"] = charge
    return c.world.wire.get("/v1/disputes", charge=charge)["data"][0]["id"]


def disputed_charge(c: Cast) -> str:
    dispute(c)
    return c["disputed_charge"]


OBJECTS: dict[str, Callable[[Cast], Any]] = {
    "customer": lambda c: c.world.customer(),
    "other_customer": lambda c: c.world.customer(),
    "customer_with_item": customer_with_item,
    "payer": lambda c: c.world.payer(),
    "asked_payer": lambda c: c.world.payer("tok_threeDSecure2Required"),
    "product": lambda c: c.world.product(),
    "priced_product": lambda c: c.world.price(product=c.world.product()["id"])["product"],
    "price": lambda c: c.world.price(2000),
    "taken_lookup_key": taken_lookup_key,
    "method": lambda c: c.world.method(),
    "declining_method": lambda c: c.world.method("tok_visa_chargeDeclined"),
    "asking_method": lambda c: c.world.attached(c["customer"], "tok_threeDSecure2Required"),
    "attached_method": lambda c: with_customer(c, c.world.attached(c.world.customer()["id"])),
    "others_method": lambda c: c.world.attached(c["other_customer"]),
    "intent": lambda c: c.world.intent(),
    "customers_intent": lambda c: with_customer(c, c.world.intent(customer=c.world.customer()["id"])),
    "paid_intent": lambda c: c.world.paid_intent(),
    "held_intent": lambda c: c.world.held_intent(),
    "canceled_intent": lambda c: posted(c, f"/v1/payment_intents/{c.world.intent()['id']}/cancel"),
    "failed_intent": failed_intent,
    "setup": lambda c: c.world.setup_intent(),
    "done_setup": lambda c: c.world.setup_intent(payment_method=c.world.method()["id"], confirm=True),
    "canceled_setup": lambda c: posted(c, f"/v1/setup_intents/{c.world.setup_intent()['id']}/cancel"),
    "charge": lambda c: c.world.charge(),
    "held_charge": held_charge,
    "refunded_charge": lambda c: c.world.refund()["charge"],
    "refund": lambda c: c.world.refund(),
    "subscription": lambda c: c.world.subscription(),
    "ended_subscription": ended_subscription,
    "draft": lambda c: c.world.draft(),
    "empty_draft": lambda c: posted(c, "/v1/invoices", customer=c.world.customer()["id"]),
    "small_draft": small_draft,
    "credit_draft": lambda c: small_draft(c, -334),
    "dispute": dispute,
    "lost_dispute": lambda c: posted(c, f"/v1/disputes/{dispute(c)}/close"),
    "disputed_charge": disputed_charge,
    "open_invoice": lambda c: c.world.open_invoice(),
    "paid_invoice": lambda c: c.world.paid_invoice(),
    "sent_invoice": lambda c: c.world.sent_invoice(),
    "uncollectible_invoice": lambda c: posted(c, f"/v1/invoices/{c.world.sent_invoice()['id']}/mark_uncollectible"),
}


def asked(world: World, row: Row) -> tuple[Cast, str, str, str]:
    """The cast of a row, and its request: method, path and form."""
    cast = Cast(world)
    method, path = row["request"].split(" ")
    return cast, method, cast.fill(path), encoded(cast.fill(row.get("with") or ""))


def encoded(form: str) -> str:
    """A readable form as it travels."""
    pairs = (pair.partition("=") for pair in form.split("&") if pair)
    return "&".join(f"{name}={quote_plus(unquote_plus(value))}" for name, _, value in pairs)


def matches(expected: str, given: str) -> bool:
    """An ellipsis stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, expected.split("…"))), given, re.DOTALL) is not None


# ---- the rows ----------------------------------------------------------------------------------------------------------


@of("refused", "more")
def test_a_refusal_is_the_recorded_one(world: World, row: Row):
    cast, method, path, form = asked(world, row)
    answer = world.wire.refused(method, path, form)
    error = answer.error
    said = {"status": str(answer.status), "code": error.get("code"), "param": error.get("param")}
    assert said == {name: row.get(name) for name in said}, f"{answer}"
    assert matches(cast.fill(row["message"]), error["message"]), f"{answer}"


@of("answers")
def test_an_answer_is_the_recorded_one(world: World, row: Row):
    cast, method, path, form = asked(world, row)
    value: Any = world.wire.ok(method, path, form)
    for step in row["field"].split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    assert value == json.loads(cast.fill(row["value"]))


@of("total")
def test_a_total_is_the_recorded_one(world: World, row: Row):
    more: JSON = {}
    if percent := row.get("percent off"):
        more["discounts"] = [{"coupon": world.coupon(percent_off=percent)["id"]}]
    if percent := row.get("tax percent"):
        more["default_tax_rates"] = [world.tax_rate(percentage=percent, inclusive=row["inclusive"])["id"]]
    draft = world.wire.post("/v1/invoices", customer=world.customer()["id"], **more)
    world.item(draft["customer"], invoice=draft["id"], amount=row.number("amount"))
    draft = world.wire.get(f"/v1/invoices/{draft['id']}")
    assert draft["total"] == row.number("total")
    for name, column in (("total_taxes", "tax"), ("total_discount_amounts", "discount")):
        assert [part["amount"] for part in draft[name] or []] == [int(cell) for cell in [row.get(column)] if cell]


@of("change")
def test_a_change_costs_what_was_recorded(world: World, row: Row):
    lines = changed(world, row)
    assert lines == [row.number("credit"), row.number("debit")]
    assert sum(lines) == row.number("net")


@of("differs")
def test_a_known_difference_is_still_the_one_we_know(world: World, row: Row):
    assert changed(world, row) == [row.number("credit"), row.number("debit")]
    assert row["recorded"] != f"{row['credit']} {row['debit']}"


def changed(world: World, row: Row) -> list[int]:
    """The lines of the invoice that a change makes, the credit first."""
    clock = world.clock()["id"]
    customer = world.payer(test_clock=clock)["id"]
    item = {"price": world.price(row.number("old price"))["id"], "quantity": row.number("old quantity")}
    subscription = world.subscription(customer, items=[item])
    left = Fraction(row["left"]) * (APRIL - MONDAY)
    assert left.denominator == 1
    price = item["price"] if row["old price"] == row["new price"] else world.price(row.number("new price"))["id"]
    item = {"id": subscription["items"]["data"][0]["id"], "price": price, "quantity": row.number("new quantity")}
    changed = world.wire.post(
        f"/v1/subscriptions/{subscription['id']}", items=[item], proration_behavior="always_invoice",
        proration_date=APRIL - int(left), expand=["latest_invoice"],
    )  # fmt: skip
    return sorted(line["amount"] for line in changed["latest_invoice"]["lines"]["data"])
