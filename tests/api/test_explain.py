"""An invoice explains its arithmetic; what is not so is named."""

from __future__ import annotations

import psycopg

from tests.api.wire import JSON
from tests.api.world import DAY, MONDAY, World


def explain(w: World, invoice: str) -> JSON:
    return w.wire.get(f"/voldaan/invoices/{invoice}/explain")


def test_discounts_tax_and_tiers_are_told_one_by_one(fresh: World):
    tiers = [{"up_to": 2, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 500, "flat_amount": 100}]
    price = fresh.wire.post(
        "/v1/prices", currency="eur", product=fresh.bread["id"], recurring={"interval": "month"}, billing_scheme="tiered",
        tiers_mode="graduated", tiers=tiers,
    )  # fmt: skip
    made = fresh.wire.post(
        "/v1/subscriptions", customer=fresh.payer()["id"], items=[{"price": price["id"], "quantity": 5}],
        default_tax_rates=[fresh.vat["id"]], discounts=[{"coupon": fresh.coupon()["id"]}],
    )  # fmt: skip
    found = explain(fresh, made["latest_invoice"])
    assert found["holds"] is True
    [line] = found["lines"]
    assert (line["made_of"], line["amount"], line["net"]) == ("price", 3600, 2700)
    assert [(t["quantity"], t["amount"]) for t in line["tiers"]] == [("2", 2000), ("3", 1600)]
    assert [(d["percent_off"], d["amount"]) for d in line["discounts"]] == [(25, 900)]
    assert [(t["percentage"], t["exact"], t["amount"]) for t in line["taxes"]] == [(21, "567.000000", 567)]
    total = next(e for e in found["equations"] if e["name"] == "total")
    assert (total["left"], total["right"]) == (3267, 3267)


def test_a_credit_names_the_line_that_it_is_a_share_of(fresh: World):
    clock = fresh.clock()["id"]
    made = fresh.subscription(fresh.payer(test_clock=clock)["id"])
    bought = fresh.wire.get(f"/v1/invoices/{made['latest_invoice']}")["lines"]["data"][0]
    fresh.advance(clock, MONDAY + 10 * DAY)
    item = {"id": made["items"]["data"][0]["id"], "quantity": 4}
    changed = fresh.wire.post(f"/v1/subscriptions/{made['id']}", items=[item], proration_behavior="always_invoice")
    found = explain(fresh, changed["latest_invoice"])
    assert found["holds"] is True
    debit, credit = found["lines"]
    assert (credit["made_of"], credit["of"]["source"], credit["of"]["amount"]) == ("unused_time", bought["id"], 1000)
    assert credit["share"] == debit["share"] == {"part": 21 * DAY, "whole": 31 * DAY, "unit": "second"}
    assert (credit["amount"], debit["amount"], debit["of"]["gross"]) == (-677, 2710, 4000)


def test_what_does_not_add_up_is_named(fresh: World, dsn: str):
    invoice = fresh.paid_invoice()["id"]
    with psycopg.connect(dsn, autocommit=True) as database:
        database.execute("update invoice_line_items set net = net + 1 where invoice_id = %s", [invoice])
        database.execute("update invoices set amount_due = amount_due - 2 where id = %s", [invoice])
    found = explain(fresh, invoice)
    with psycopg.connect(dsn, autocommit=True) as database:  # the books of all accounts are looked at later
        database.execute("update invoice_line_items set net = net - 1 where invoice_id = %s", [invoice])
        database.execute("update invoices set amount_due = amount_due + 2 where id = %s", [invoice])
    assert found["holds"] is False
    broken = {e["name"] for e in found["equations"] if not e["holds"]}
    assert broken == {"line_net", "total_excluding_tax", "amount_due"}
    assert all(e["left"] != e["right"] for e in found["equations"] if e["name"] in broken)
