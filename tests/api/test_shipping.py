"""Shipping on invoices: what it costs, how it is taxed, and that it is credited no more than it was."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.api.books import breaches
from tests.api.test_automatic_tax import AUTOMATIC, GERMAN
from tests.api.wire import JSON, Answer
from tests.api.world import World


def refused(w: World, method: str, path: str, **params: Any) -> Answer:
    return w.wire.refused(method, path, params)


def amounts(invoice: JSON) -> tuple[int, ...]:
    """Subtotal, shipping, total without tax, total; and of the shipping subtotal, tax and total."""
    cost = invoice["shipping_cost"]
    of_cost = (cost["amount_subtotal"], cost["amount_tax"], cost["amount_total"])
    return (invoice["subtotal"], invoice["amount_shipping"], invoice["total_excluding_tax"], invoice["total"], *of_cost)


def holds(w: World, invoice: str) -> set[str]:
    found = w.wire.get(f"/voldaan/invoices/{invoice}/explain")
    assert found["holds"] is True, [e for e in found["equations"] if not e["holds"]]
    return {e["name"] for e in found["equations"]}


def test_shipping_is_taxed_by_the_default_rates_and_not_discounted(fresh: World):
    draft = fresh.draft(
        default_tax_rates=[fresh.vat["id"]], discounts=[{"coupon": fresh.coupon()["id"]}],
        shipping_cost={"shipping_rate": fresh.shipping_rate(500)["id"]},
    )  # fmt: skip
    assert amounts(draft) == (1500, 500, 1125 + 500, 1125 + 500 + 341, 500, 105, 605)
    [tax] = draft["shipping_cost"]["taxes"]
    assert (tax["amount"], tax["taxable_amount"], tax["rate"]["id"]) == (105, 500, fresh.vat["id"])
    assert "object" in tax["rate"]
    assert sum(t["amount"] for t in draft["total_taxes"]) == 341
    assert {"shipping", "shipping_tax", "shipping_net"} <= holds(fresh, draft["id"])
    final = fresh.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    assert amounts(final) == amounts(draft)
    told = fresh.wire.get("/v1/events", type="invoice.finalized")["data"][0]["data"]["object"]
    assert told["shipping_cost"] == final["shipping_cost"]


def test_inclusive_tax_is_inside_what_shipping_costs(fresh: World):
    inside = fresh.tax_rate(inclusive=True, percentage=19)["id"]
    draft = fresh.draft(default_tax_rates=[inside], shipping_cost={"shipping_rate": fresh.shipping_rate(595)["id"]})
    assert amounts(draft) == (1500, 595, 1261 + 500, 2095, 595, 95, 595)
    assert draft["subtotal_excluding_tax"] == 1261
    holds(fresh, draft["id"])


def test_a_draft_changes_and_drops_its_shipping(fresh: World):
    draft = fresh.draft(shipping_cost={"shipping_rate": fresh.shipping_rate(500)["id"]})
    path = f"/v1/invoices/{draft['id']}"
    dear = {"display_name": "Courier", "fixed_amount": {"amount": 2000, "currency": "eur"}}
    changed = fresh.wire.post(path, shipping_cost={"shipping_rate_data": dear}, expand=["shipping_cost.shipping_rate"])
    assert amounts(changed)[:4] == (1500, 2000, 3500, 3500)
    assert changed["shipping_cost"]["shipping_rate"]["display_name"] == "Courier"
    assert fresh.wire.post(path, description="x")["total"] == 3500
    gone = fresh.wire.post(path, shipping_cost="")
    assert (gone["shipping_cost"], gone["amount_shipping"], gone["total"]) == (None, 0, 1500)
    assert fresh.wire.get(path)["shipping_cost"] is None


def test_what_cannot_be_charged_is_refused_by_name(fresh: World):
    def no(**cost) -> tuple[str | None, str | None]:
        error = refused(fresh, "POST", "/v1/invoices", customer=fresh.anna["id"], currency="eur", shipping_cost=cost).error
        return error.get("code"), error.get("param")

    gone = fresh.shipping_rate()["id"]
    fresh.wire.post(f"/v1/shipping_rates/{gone}", active=False)
    dollars = fresh.shipping_rate(fixed_amount={"amount": 500, "currency": "usd"})["id"]
    rate = "shipping_cost[shipping_rate]"
    data = "shipping_cost[shipping_rate_data]"
    assert no(shipping_rate="shr_x") == ("resource_missing", rate)
    assert no(shipping_rate=gone)[1] == rate
    assert no(shipping_rate=dollars)[1] == rate
    assert no(shipping_rate=dollars, shipping_rate_data={"display_name": "Post"})[1] is not None
    assert no(shipping_rate_data={"display_name": "Post"}) == ("parameter_missing", f"{data}[fixed_amount]")
    free = {"display_name": "Post", "fixed_amount": {"amount": -1, "currency": "eur"}}
    assert no(shipping_rate_data=free)[1] == f"{data}[fixed_amount][amount]"
    unknown = {"display_name": "Post", "fixed_amount": {"amount": 1, "currency": "eur"}, "tax_code": "soap"}
    assert no(shipping_rate_data=unknown) == ("resource_missing", f"{data}[tax_code]")
    final = fresh.sent_invoice()["id"]
    late = refused(fresh, "POST", f"/v1/invoices/{final}", shipping_cost={"shipping_rate": fresh.shipping_rate()["id"]})
    assert late.error["code"] == "invoice_not_editable"


def test_a_rate_costs_what_it_says_in_each_currency(fresh: World):
    options = {"usd": {"amount": 700, "tax_behavior": "exclusive"}}
    rate = fresh.shipping_rate(fixed_amount={"amount": 500, "currency": "eur", "currency_options": options})["id"]
    path = f"/v1/shipping_rates/{rate}"
    assert refused(fresh, "POST", path, fixed_amount={"currency_options": {"eur": {"amount": 1}}}).status == 400
    missing = refused(fresh, "POST", path, fixed_amount={"currency_options": {"gbp": {"tax_behavior": "inclusive"}}})
    assert missing.error["code"] == "parameter_missing"
    fresh.wire.post(path, fixed_amount={"currency_options": {"usd": {"amount": 650}}})
    made = fresh.wire.post("/v1/invoices", customer=fresh.customer()["id"], currency="usd", shipping_cost={"shipping_rate": rate})
    assert (made["total"], made["subtotal"], made["amount_shipping"]) == (650, 0, 650)
    assert fresh.wire.get(path)["fixed_amount"]["currency_options"] == {"usd": {"amount": 650, "tax_behavior": "exclusive"}}


def test_automatic_tax_knows_shipping(fresh: World):
    fresh.dutch("standard", "oss_union", tax_behavior="exclusive")
    customer = fresh.payer(**GERMAN)["id"]
    rate = fresh.shipping_rate(1190, tax_behavior="inclusive")["id"]
    draft = fresh.draft(customer, automatic_tax=AUTOMATIC, shipping_cost={"shipping_rate": rate})
    assert amounts(draft) == (1500, 1190, 2500, 1785 + 1190, 1190, 190, 1190)
    assert draft["shipping_cost"]["taxes"][0]["taxability_reason"] == "standard_rated"
    final = fresh.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    assert amounts(final) == amounts(draft)
    holds(fresh, final["id"])


def paid(w: World) -> JSON:
    """15.00 and 5.00 of shipping, with 21% on both, paid."""
    draft = w.draft(default_tax_rates=[w.vat["id"]], shipping_cost={"shipping_rate": w.shipping_rate(500)["id"]})
    w.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    return w.wire.post(f"/v1/invoices/{draft['id']}/pay")


def test_a_note_takes_back_all_shipping_once(fresh: World):
    invoice = paid(fresh)
    rate = {"shipping_rate": invoice["shipping_cost"]["shipping_rate"]}
    seen = fresh.wire.get("/v1/credit_notes/preview", invoice=invoice["id"], shipping_cost=rate, credit_amount=605)
    made = fresh.wire.post("/v1/credit_notes", invoice=invoice["id"], shipping_cost=rate, credit_amount=605)
    for note in (seen, made):
        assert (note["subtotal"], note["amount_shipping"], note["total_excluding_tax"], note["total"]) == (0, 500, 500, 605)
        cost = note["shipping_cost"]
        assert (cost["amount_subtotal"], cost["amount_tax"], cost["amount_total"]) == (500, 105, 605)
        assert cost["taxes"][0]["rate"]["id"] == fresh.vat["id"]
    again = refused(fresh, "POST", "/v1/credit_notes", invoice=invoice["id"], shipping_cost=rate, credit_amount=605)
    assert again.error["param"] == "shipping_cost[shipping_rate]"
    rest = fresh.wire.post("/v1/credit_notes", invoice=invoice["id"], amount=1815, credit_amount=1815)
    assert (rest["subtotal"], rest["amount_shipping"], rest["shipping_cost"]) == (1500, 0, None)
    none = refused(fresh, "POST", "/v1/credit_notes", invoice=invoice["id"], amount=1, credit_amount=1)
    assert none.error["param"] == "amount"


def test_a_sum_takes_its_share_of_shipping_and_the_last_note_the_rest(fresh: World):
    invoice = paid(fresh)
    half = fresh.wire.post("/v1/credit_notes", invoice=invoice["id"], amount=1000, credit_amount=1000)
    assert half["amount_shipping"] == half["shipping_cost"]["amount_subtotal"]
    taxes = sum(t["amount"] for t in half["total_taxes"])
    assert half["total"] == half["subtotal"] + half["amount_shipping"] + taxes == 1000
    rate = {"shipping_rate": invoice["shipping_cost"]["shipping_rate"]}
    left = 605 - half["shipping_cost"]["amount_total"]
    rest = fresh.wire.post("/v1/credit_notes", invoice=invoice["id"], shipping_cost=rate, credit_amount=left)
    assert rest["amount_shipping"] == 500 - half["amount_shipping"]


@pytest.mark.parametrize(
    ("cost", "param"),
    [({}, "shipping_cost[shipping_rate]"), ({"shipping_rate": "shr_x"}, "shipping_cost[shipping_rate]")],
)
def test_a_note_names_the_rate_of_its_invoice(fresh: World, cost: JSON, param: str):
    invoice = paid(fresh)
    given = cost or {"shipping_rate": ""}
    answer = refused(fresh, "POST", "/v1/credit_notes", invoice=invoice["id"], shipping_cost=given, credit_amount=1)
    assert answer.error["param"] == param
    bare = refused(
        fresh, "POST", "/v1/credit_notes", invoice=fresh.paid_invoice()["id"], shipping_cost={"shipping_rate": "shr_x"}
    )
    assert bare.error["param"] == "shipping_cost"


def test_a_note_before_payment_is_voided_with_its_shipping(fresh: World):
    draft = fresh.draft(
        collection_method="send_invoice", days_until_due=30, shipping_cost={"shipping_rate": fresh.shipping_rate(500)["id"]}
    )
    fresh.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    rate = {"shipping_rate": draft["shipping_cost"]["shipping_rate"]}
    note = fresh.wire.post("/v1/credit_notes", invoice=draft["id"], shipping_cost=rate)
    assert fresh.wire.get(f"/v1/invoices/{draft['id']}")["amount_remaining"] == 1500
    fresh.wire.post(f"/v1/credit_notes/{note['id']}/void")
    assert fresh.wire.get(f"/v1/invoices/{draft['id']}")["amount_remaining"] == 2000
    once_more = fresh.wire.post("/v1/credit_notes", invoice=draft["id"], shipping_cost=rate)
    assert once_more["total"] == 500
    voided = fresh.wire.post(f"/v1/invoices/{draft['id']}/void")
    assert voided["status"] == "void"


def test_a_revision_ships_at_the_same_rate(fresh: World):
    draft = fresh.draft(
        collection_method="send_invoice", days_until_due=30, default_tax_rates=[fresh.vat["id"]],
        shipping_cost={"shipping_rate": fresh.shipping_rate(500)["id"]},
    )  # fmt: skip
    fresh.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    again = fresh.wire.post("/v1/invoices", from_invoice={"action": "revision", "invoice": draft["id"]})
    assert amounts(again) == amounts(draft)
    fresh.wire.post(f"/v1/invoices/{again['id']}/finalize")
    assert fresh.wire.get(f"/v1/invoices/{draft['id']}")["status"] == "void"


def test_a_replay_charges_the_same_shipping(fresh: World):
    invoice = paid(fresh)
    given = {"start": invoice["created"], "end": invoice["created"] + 1, "customer": invoice["customer"]}
    found = fresh.wire.post("/voldaan/replays", **given)
    assert (found["invoices"], found["differences"], found["sums"][0]["difference"]) == (1, [], 0)


def test_what_shipping_does_not_add_up_to_is_found(fresh: World, dsn: str):
    def broken() -> set[str]:
        return {found.partition(" ")[0] for found in breaches(dsn, account)}

    invoice = paid(fresh)
    rate = {"shipping_rate": invoice["shipping_cost"]["shipping_rate"]}
    note = fresh.wire.post("/v1/credit_notes", invoice=invoice["id"], shipping_cost=rate, credit_amount=605)
    with psycopg.connect(dsn, autocommit=True) as database:
        [account] = database.execute("select account_id from invoices where id = %s", [invoice["id"]]).fetchone()
        assert broken() == set()
        change = "update {} set doc = jsonb_set(doc, '{{shipped,net}}', '{}') where id = %s"
        database.execute(change.format("invoices", 499), [invoice["id"]])
        assert broken() >= {"I1_invoice_totals_are_their_lines", "N2_no_line_is_credited_beyond_what_it_was"}
        database.execute(change.format("invoices", 500), [invoice["id"]])
        database.execute(change.format("credit_notes", 499), [note["id"]])
        assert broken() == {"N3_a_note_is_its_parts"}
        database.execute(change.format("credit_notes", 500), [note["id"]])
        assert broken() == set()
        rate = "update invoices set doc = replace(doc::text, %s, %s)::jsonb where id = %s"
        database.execute(rate, [fresh.vat["id"], "txr_gone", invoice["id"]])
        assert "T1_taxes_have_their_rates" in broken()
        database.execute(rate, ["txr_gone", fresh.vat["id"], invoice["id"]])
        assert broken() == set()
