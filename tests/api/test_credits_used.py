"""Billing credits used up: shown beforehand, taken at finalization, given back by a void; and two who want the last of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.api.calls.reductions import grant
from tests.api.racing import done, together
from tests.api.test_credit_grants import money, movements, summary
from tests.api.wire import JSON
from tests.api.world import DAY, MONDAY, World

HOUR = 3600
MONTH_END = MONDAY + 31 * DAY  # 2 April 2026


@dataclass
class Metered:
    """A customer on a clock, with a subscription to calls at 0.01 each."""

    world: World
    clock: str
    customer: str
    price: JSON
    subscription: JSON

    def uses(self, calls: int) -> None:
        self.world.uses(self.customer, calls, MONDAY + DAY)

    def grant(self, value: int, **params: Any) -> JSON:
        return grant(self.world, customer=self.customer, amount=money(value), **params)

    def drafts(self) -> list[JSON]:
        """What there is half an hour after the month's end: drafts, not final yet."""
        self.world.advance(self.clock, MONTH_END + HOUR // 2)
        return self.world.wire.get("/v1/invoices", customer=self.customer, status="draft")["data"]


def metered(w: World, items: int = 1, **params: Any) -> Metered:
    price = w.metered(1)
    clock = w.clock()["id"]
    customer = w.payer(test_clock=clock)["id"]
    made = [w.subscription(customer, items=[{"price": price["id"]}], **params) for _ in range(items)]
    it = Metered(w, clock, customer, price, made[0])
    w.advance(clock, MONDAY + 2 * DAY)
    return it


def credits(invoice: JSON) -> list[JSON]:
    return [c for c in invoice["total_pretax_credit_amounts"] if c["type"] == "credit_balance_transaction"]


def test_credits_pay_at_finalization_and_come_back_with_a_void(fresh: World):
    sent = {"collection_method": "send_invoice", "days_until_due": 30, "default_tax_rates": [fresh.vat["id"]]}
    calls = metered(fresh, **sent)
    calls.uses(1500)
    given = calls.grant(1000)
    preview = fresh.wire.post("/v1/invoices/create_preview", subscription=calls.subscription["id"])
    assert (preview["subtotal"], preview["total"]) == (1500, 605)
    assert credits(preview) == [{"amount": 1000, "credit_balance_transaction": None, "type": "credit_balance_transaction"}]
    [draft] = calls.drafts()
    assert (draft["total"], credits(draft)) == (605, credits(preview))
    assert movements(fresh, given["id"]) == [("credit", "credits_granted", 1000)]

    expand = ["total_pretax_credit_amounts.credit_balance_transaction"]
    final = fresh.wire.post(f"/v1/invoices/{draft['id']}/finalize", expand=expand)
    assert (final["status"], final["subtotal"], final["total_excluding_tax"], final["total"]) == ("open", 1500, 500, 605)
    [used] = credits(final)
    [line] = final["lines"]["data"]
    applied = used["credit_balance_transaction"]
    assert applied["debit"]["credits_applied"] == {"invoice": final["id"], "invoice_line_item": line["id"]}
    assert line["pretax_credit_amounts"][0]["credit_balance_transaction"] == applied["id"]
    assert line["taxes"][0]["taxable_amount"] == 500
    explained = fresh.wire.get(f"/voldaan/invoices/{final['id']}/explain")
    assert (explained["holds"], explained["lines"][0]["credits"], explained["lines"][0]["net"]) == (True, 1000, 500)
    page = fresh.wire.http.get(final["hosted_invoice_url"]).text
    assert "Credit grant applied" in page
    assert fresh.wire.send("POST", f"/v1/billing/credit_grants/{given['id']}/void", {}).status == 400

    fresh.wire.post(f"/v1/invoices/{final['id']}/void")
    assert movements(fresh, given["id"]) == [
        ("credit", "credits_granted", 1000), ("debit", "credits_applied", 1000),
        ("credit", "credits_application_invoice_voided", 1000),
    ]  # fmt: skip
    assert summary(fresh, calls.customer) == [{"available": 1000, "ledger": 1000, "currency": "eur"}]


def test_two_invoices_finalized_at_once_share_what_there_is(fresh: World):
    """Both drafts show the same credits; whoever comes first has them, and no cent is used twice."""
    calls = metered(fresh, items=2)
    calls.uses(700)  # by a meter of the customer, whom both subscriptions bill for it
    given = calls.grant(1000)
    drafts = calls.drafts()
    assert [d["total"] for d in drafts] == [0, 0]
    answers = together(lambda n: fresh.wire.send("POST", f"/v1/invoices/{drafts[n % 2]['id']}/finalize"), 4)
    assert len(done(answers)) == 2
    totals = sorted(fresh.wire.get(f"/v1/invoices/{d['id']}")["total"] for d in drafts)
    assert totals == [0, 400]
    assert sorted(movements(fresh, given["id"])[1:]) == [("debit", "credits_applied", 300), ("debit", "credits_applied", 700)]
    assert summary(fresh, calls.customer) == [{"available": 0, "ledger": 0, "currency": "eur"}]


def test_of_finalizing_and_ending_the_grant_one_comes_first(fresh: World):
    calls = metered(fresh)
    calls.uses(700)
    given = calls.grant(1000)
    [draft] = calls.drafts()
    ways = [f"/v1/invoices/{draft['id']}/finalize", f"/v1/billing/credit_grants/{given['id']}/expire"]
    answers = together(lambda n: fresh.wire.send("POST", ways[n]), 2)
    assert len(done(answers)) == 2
    total = fresh.wire.get(f"/v1/invoices/{draft['id']}")["total"]
    ended = {0: [("debit", "credits_applied", 700), ("debit", "credits_expired", 300)], 700: [("debit", "credits_expired", 1000)]}
    assert movements(fresh, given["id"])[1:] == ended[total]


def test_what_is_not_for_this_usage_pays_nothing(fresh: World):
    calls = metered(fresh)
    calls.uses(700)
    other = metered(fresh)
    calls.grant(1000, applicability_config={"scope": {"prices": [{"id": other.price["id"]}]}})
    calls.grant(1000, expires_at=MONTH_END)
    calls.grant(1000, effective_at=MONTH_END + 1)
    other.grant(1000)
    grant(fresh, customer=calls.customer, amount=money(1000, "usd"))
    [draft] = calls.drafts()
    assert (draft["total"], credits(draft)) == (700, [])
    assert fresh.wire.post(f"/v1/invoices/{draft['id']}/finalize")["total"] == 700


def test_credits_pay_for_usage_and_not_for_its_shipping(fresh: World):
    calls = metered(fresh, default_tax_rates=[fresh.vat["id"]])
    calls.uses(1500)
    calls.grant(5000)
    [draft] = calls.drafts()
    sent = fresh.wire.post(f"/v1/invoices/{draft['id']}", shipping_cost={"shipping_rate": fresh.shipping_rate(500)["id"]})
    final = fresh.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    for each in (sent, final):
        assert (each["subtotal"], each["amount_shipping"], each["total_excluding_tax"], each["total"]) == (1500, 500, 500, 605)
        assert [c["amount"] for c in credits(each)] == [1500]
    assert fresh.wire.get(f"/voldaan/invoices/{final['id']}/explain")["holds"] is True
