"""The whole story through the official SDK, unmodified: purchase, invoice, charge, books, payout, renewal, failure, retry.

Time is a test clock's. Every amount is exact: 31.00 EUR a month, of which the sandbox network keeps 1.5 % and 0.25.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
import stripe

from tests.api.waiting import until
from tests.api.world import DAY, MONDAY

APRIL, MAY, JUNE = 1_775_088_000, 1_777_680_000, 1_780_358_400  # the 2nd of each month, 00:00 UTC
HOUR = 3_600


@dataclass
class Shop:
    """What the story's teller does over and over: move the clock, and look what has happened since."""

    client: stripe.StripeClient
    clock: str
    seen: set[str] = field(default_factory=set)

    def advance(self, to: int) -> None:
        self.client.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": to})
        moved = until(
            lambda: self.client.v1.test_helpers.test_clocks.retrieve(self.clock), lambda c: c.status != "advancing"
        )
        assert (moved.status, moved.frozen_time) == ("ready", to)

    def news(self) -> list[str]:
        """The types of the events since the last look, in order, without those of the clock."""
        events = list(self.client.v1.events.list({"limit": 100}).auto_paging_iter())[::-1]
        fresh = [e for e in events if e.id not in self.seen]
        self.seen.update(e.id for e in fresh)
        return [e.type for e in fresh if not e.type.startswith("test_helpers.")]


@pytest.fixture
def shop(client: stripe.StripeClient) -> Shop:
    return Shop(client, client.v1.test_helpers.test_clocks.create({"frozen_time": MONDAY, "name": "The story"}).id)


def test_the_whole_story(shop: Shop):
    v1 = shop.client.v1

    # The catalogue, and a customer with a card.
    product = v1.products.create({"name": "Bread box", "metadata": {"shelf": "3"}})
    price = v1.prices.create(
        {"product": product.id, "currency": "eur", "unit_amount": 3100, "recurring": {"interval": "month"}}
    )
    anna = v1.customers.create({"name": "Anna", "email": "anna@example.com", "test_clock": shop.clock})
    card = v1.payment_methods.attach("pm_card_visa", {"customer": anna.id})
    anna = v1.customers.update(anna.id, {"invoice_settings": {"default_payment_method": card.id}})
    assert anna.created == MONDAY
    assert shop.news() == [
        "product.created", "plan.created", "price.created", "customer.created", "payment_method.attached", "customer.updated",
    ]  # fmt: skip

    # The purchase: one call, and everything that belongs to it has happened.
    subscription = v1.subscriptions.create(
        {"customer": anna.id, "items": [{"price": price.id}], "expand": ["latest_invoice.payments"]}
    )
    assert subscription.status == "active"
    assert subscription.billing_cycle_anchor == MONDAY
    item = subscription["items"].data[0]
    assert (item.current_period_start, item.current_period_end, item.quantity) == (MONDAY, APRIL, 1)
    news = shop.news()
    assert sorted(news) == [
        "charge.succeeded", "customer.subscription.created", "customer.subscription.updated", "customer.updated",
        "invoice.created", "invoice.finalized", "invoice.paid", "invoice.payment_succeeded", "invoice_payment.paid",
        "payment_intent.created", "payment_intent.succeeded",
    ]  # fmt: skip
    assert news.index("customer.subscription.created") < news.index("invoice.created")
    assert news.index("invoice.created") < news.index("invoice.finalized") < news.index("invoice.paid")
    assert news.index("payment_intent.created") < news.index("payment_intent.succeeded")
    assert news.index("charge.succeeded") < news.index("payment_intent.succeeded") < news.index("invoice.paid")

    # Its invoice.
    first = subscription.latest_invoice
    assert (first.status, first.billing_reason) == ("paid", "subscription_create")
    assert first.collection_method == "charge_automatically"
    assert (first.total, first.amount_due, first.amount_paid, first.amount_remaining) == (3100, 3100, 3100, 0)
    assert (first.attempt_count, first.attempted, first.auto_advance) == (1, True, False)
    assert first.number == f"{anna.invoice_prefix}-0001"
    assert first.status_transitions.finalized_at == first.status_transitions.paid_at == MONDAY
    assert first.parent.subscription_details.subscription == subscription.id
    line = first.lines.data[0]
    assert (line.amount, line.quantity, line.description) == (3100, 1, "1 × Bread box (at €31.00 / month)")
    assert (line.period.start, line.period.end) == (MONDAY, APRIL)
    assert line.pricing.price_details.price == price.id

    # Its payment and charge, and what is left of it: 31.00 less 0.47 (1.5 % rounded half up) and 0.25.
    paid = first.payments.data[0]
    assert (paid.status, paid.amount_paid, paid.is_default) == ("paid", 3100, True)
    intent = v1.payment_intents.retrieve(paid.payment.payment_intent, {"expand": ["latest_charge.balance_transaction"]})
    assert (intent.status, intent.amount, intent.amount_received, intent.customer) == ("succeeded", 3100, 3100, anna.id)
    charge = intent.latest_charge
    assert (charge.status, charge.paid, charge.captured, charge.refunded) == ("succeeded", True, True, False)
    assert charge.payment_method_details.card.last4 == "4242"
    entry = charge.balance_transaction
    assert (entry.amount, entry.fee, entry.net, entry.type, entry.status) == (3100, 72, 3028, "charge", "pending")
    assert (entry.available_on, entry.source) == (MONDAY + 2 * DAY, charge.id)
    assert balance(v1) == {"available": 0, "pending": 3028}

    # Two days later it is available, and goes to the bank.
    shop.advance(MONDAY + 3 * DAY)
    assert balance(v1) == {"available": 0, "pending": 0}
    payout = v1.payouts.list().data[0]
    assert (payout.amount, payout.currency, payout.automatic, payout.status) == (3028, "eur", True, "paid")
    entries = v1.balance_transactions.list({"payout": payout.id}).data
    assert sorted((e.type, e.net) for e in entries) == [("charge", 3028), ("payout", -3028)]
    assert shop.news() == [
        "balance.available", "payout.created", "payout.updated", "payout.paid", "payout.reconciliation_completed",
    ]  # fmt: skip

    # A month later it renews by itself: an hour as a draft, then paid.
    shop.advance(APRIL + HOUR // 2)
    draft = v1.invoices.list({"subscription": subscription.id}).data[0]
    assert (draft.status, draft.billing_reason, draft.total) == ("draft", "subscription_cycle", 3100)
    assert draft.automatically_finalizes_at == APRIL + HOUR
    assert (draft.lines.data[0].period.start, draft.lines.data[0].period.end) == (APRIL, MAY)
    shop.advance(APRIL + 2 * HOUR)
    second = v1.invoices.retrieve(draft.id)
    assert (second.status, second.number) == ("paid", f"{anna.invoice_prefix}-0002")
    assert second.status_transitions.paid_at == APRIL + HOUR
    assert v1.subscriptions.retrieve(subscription.id)["items"].data[0].current_period_end == MAY
    assert balance(v1)["pending"] == 3028

    # Next month the card no longer works.
    broken = v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": anna.id})
    v1.customers.update(anna.id, {"invoice_settings": {"default_payment_method": broken.id}})
    shop.advance(MAY - HOUR)
    shop.news()
    shop.advance(MAY + 2 * HOUR)
    third = v1.invoices.list({"subscription": subscription.id, "limit": 1}).data[0]
    assert (third.status, third.amount_remaining, third.attempt_count, third.attempted) == ("open", 3100, 1, True)
    assert third.next_payment_attempt == MAY + HOUR + DAY
    assert v1.subscriptions.retrieve(subscription.id).status == "past_due"
    assert v1.customers.retrieve(anna.id).delinquent is True
    failed = v1.charges.list({"customer": anna.id, "limit": 1}).data[0]
    assert (failed.status, failed.paid, failed.failure_code) == ("failed", False, "card_declined")
    assert failed.outcome.type == "issuer_declined"
    news = shop.news()
    assert {"charge.failed", "payment_intent.payment_failed", "invoice.payment_failed"} <= set(news)
    assert "customer.subscription.updated" in news
    assert "invoice.paid" not in news

    # It is tried again a day later, in vain; then Anna gives another card, and the next try gets through.
    shop.advance(MAY + HOUR + DAY)
    third = v1.invoices.retrieve(third.id)
    assert (third.status, third.attempt_count, third.next_payment_attempt) == ("open", 2, MAY + HOUR + 2 * DAY)
    v1.customers.update(anna.id, {"invoice_settings": {"default_payment_method": card.id}})
    shop.advance(MAY + HOUR + 2 * DAY)
    third = v1.invoices.retrieve(third.id)
    assert (third.status, third.attempt_count, third.amount_paid, third.next_payment_attempt) == ("paid", 3, 3100, None)
    assert v1.subscriptions.retrieve(subscription.id).status == "active"
    assert v1.customers.retrieve(anna.id).delinquent is False
    assert {"invoice.paid", "invoice.payment_succeeded", "customer.subscription.updated"} <= set(shop.news())

    # Half a month on, half of what she paid for the month is given back, and the subscription ends with the month.
    charge = v1.charges.list({"customer": anna.id, "limit": 1}).data[0]
    refund = v1.refunds.create({"charge": charge.id, "amount": 1550, "reason": "requested_by_customer"})
    assert (refund.status, refund.amount) == ("succeeded", 1550)
    charge = v1.charges.retrieve(charge.id)
    assert (charge.amount_refunded, charge.refunded) == (1550, False)
    ending = v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert (ending.status, ending.cancel_at_period_end, ending.cancel_at) == ("active", True, JUNE)
    assert {"refund.created", "charge.refunded", "customer.subscription.updated"} <= set(shop.news())
    shop.advance(JUNE + 2 * HOUR)
    ended = v1.subscriptions.retrieve(subscription.id)
    assert (ended.status, ended.ended_at, ended.cancellation_details.reason) == ("canceled", JUNE, "cancellation_requested")
    assert "customer.subscription.deleted" in shop.news()
    assert [i.number for i in v1.invoices.list({"customer": anna.id})] == [f"{anna.invoice_prefix}-000{n}" for n in (3, 2, 1)]

    # In the end, what came in is what went out: three payments less fees, less the refund, are on the bank account.
    assert balance(v1) == {"available": 0, "pending": 0}
    out = sum(p.amount for p in v1.payouts.list({"limit": 100}).auto_paging_iter())
    assert out == 3 * 3028 - 1550
    entries = list(v1.balance_transactions.list({"limit": 100}).auto_paging_iter())
    assert sum(e.net for e in entries) == 0


def balance(v1) -> dict[str, int]:
    """Euros, in cents."""
    found = v1.balance.retrieve()
    return {
        name: sum(part.amount for part in getattr(found, name) if part.currency == "eur") for name in ("available", "pending")
    }


def test_nobody_pays_until_the_retries_are_used_up(shop: Shop):
    """Eight tries within a fortnight, each when it was announced; then the subscription is canceled and the invoice open."""
    v1 = shop.client.v1
    anna = v1.customers.create({"test_clock": shop.clock})
    good = v1.payment_methods.attach("pm_card_visa", {"customer": anna.id})
    v1.customers.update(anna.id, {"invoice_settings": {"default_payment_method": good.id}})
    price = v1.prices.create(
        {"product_data": {"name": "Roll"}, "currency": "eur", "unit_amount": 500, "recurring": {"interval": "month"}}
    )
    subscription = v1.subscriptions.create({"customer": anna.id, "items": [{"price": price.id}]})
    broken = v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": anna.id})
    v1.customers.update(anna.id, {"invoice_settings": {"default_payment_method": broken.id}})
    shop.advance(APRIL + HOUR)
    invoice = v1.invoices.list({"subscription": subscription.id, "limit": 1}).data[0]
    tries = [APRIL + HOUR]
    while invoice.next_payment_attempt:
        assert v1.subscriptions.retrieve(subscription.id).status == "past_due"
        tries.append(invoice.next_payment_attempt)
        shop.advance(invoice.next_payment_attempt)
        invoice = v1.invoices.retrieve(invoice.id)
        assert invoice.attempt_count == len(tries)
    assert [(at - tries[0]) // DAY for at in tries] == [0, 1, 2, 3, 5, 7, 9, 11, 14]
    assert invoice.status == "open"
    gone = v1.subscriptions.retrieve(subscription.id)
    assert (gone.status, gone.cancellation_details.reason) == ("canceled", "payment_failed")
    assert len([c for c in v1.charges.list({"customer": anna.id, "limit": 100}) if c.status == "failed"]) == 9


def test_a_trial_ends_in_a_payment(shop: Shop):
    v1 = shop.client.v1
    anna = v1.customers.create({"test_clock": shop.clock})
    card = v1.payment_methods.attach("pm_card_visa", {"customer": anna.id})
    price = v1.prices.create(
        {"product_data": {"name": "Roll"}, "currency": "eur", "unit_amount": 500, "recurring": {"interval": "month"}}
    )
    trial = v1.subscriptions.create(
        {"customer": anna.id, "items": [{"price": price.id}], "trial_period_days": 14, "default_payment_method": card.id,
         "expand": ["latest_invoice"]}
    )  # fmt: skip
    assert (trial.status, trial.trial_end) == ("trialing", MONDAY + 14 * DAY)
    assert (trial.latest_invoice.status, trial.latest_invoice.total) == ("paid", 0)
    shop.news()
    shop.advance(MONDAY + 11 * DAY + HOUR)
    assert "customer.subscription.trial_will_end" in shop.news()
    shop.advance(MONDAY + 14 * DAY + 2 * HOUR)
    active = v1.subscriptions.retrieve(trial.id, {"expand": ["latest_invoice"]})
    assert (active.status, active.latest_invoice.total, active.latest_invoice.status) == ("active", 500, "paid")
    assert active["items"].data[0].current_period_start == MONDAY + 14 * DAY


def boxes(shop: Shop, amount: int) -> stripe.Subscription:
    """Somebody who pays for a box each month, by card."""
    v1 = shop.client.v1
    anna = v1.customers.create({"test_clock": shop.clock})
    card = v1.payment_methods.attach("pm_card_visa", {"customer": anna.id})
    price = v1.prices.create(
        {"product_data": {"name": "Box"}, "currency": "eur", "unit_amount": amount, "recurring": {"interval": "month"}}
    )
    given = {"customer": anna.id, "items": [{"price": price.id}], "default_payment_method": card.id}
    return v1.subscriptions.create(given)


def test_a_pause_bills_nothing_and_gives_back_what_was_not_used(shop: Shop):
    v1 = shop.client.v1
    subscription = boxes(shop, 3100)
    shop.advance(MONDAY + 10 * DAY)
    paused = v1.subscriptions.pause(subscription.id, {"type": "subscription"})
    assert (paused.status, paused.status_details.paused.subscription.type) == ("paused", "pause_requested")
    waiting = v1.invoice_items.list({"customer": subscription.customer, "pending": True}).data
    assert [item.amount for item in waiting] == [-2100], "21 of 31 days"
    shop.news()
    shop.advance(APRIL + 5 * DAY)
    assert shop.news() == [], "nothing is billed while it is paused"
    resumed = v1.subscriptions.resume(subscription.id, {"billing_cycle_anchor": {"type": "now"}, "expand": ["latest_invoice"]})
    assert (resumed.status, resumed.latest_invoice.status) == ("active", "paid")
    assert sorted(line.amount for line in resumed.latest_invoice.lines) == [-2100, 3100]
    assert resumed.latest_invoice.total == 1000
    assert resumed["items"].data[0].current_period_start == APRIL + 5 * DAY
    assert "customer.subscription.resumed" in shop.news()


def test_a_resumption_bills_what_its_preview_said_as_of_then(shop: Shop):
    """`proration_date`: the rest of the running month since the preview, though it is resumed two days later."""
    v1 = shop.client.v1
    subscription = boxes(shop, 3000)
    v1.subscriptions.pause(subscription.id, {"type": "subscription", "bill_for": {"unused_time_from": {"type": "none"}}})
    then = APRIL + 5 * DAY
    shop.advance(then)
    resume = {"billing_cycle_anchor": {"type": "unchanged"}, "proration_date": then}
    preview = v1.invoices.create_preview(
        {"subscription": subscription.id, "subscription_details": {"resume_at": "now", **resume}}
    )
    assert preview.total == 2500, "25 of 30 days"
    shop.advance(then + 2 * DAY)
    for wrong in (then + 3 * DAY, MONDAY + DAY, MONDAY - DAY):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            v1.subscriptions.resume(subscription.id, {**resume, "proration_date": wrong})
        assert refused.value.param == "proration_date"
    resumed = v1.subscriptions.resume(subscription.id, {**resume, "expand": ["latest_invoice"]})
    assert (resumed.status, resumed.latest_invoice.total) == ("active", preview.total)
    assert resumed["items"].data[0].current_period_start == then


def test_an_upgrade_in_the_middle_of_the_month(shop: Shop):
    """Half a month of 10.00 back, half a month of 20.00 on top; the preview says the same as the invoice."""
    v1 = shop.client.v1
    anna = v1.customers.create({"test_clock": shop.clock})
    card = v1.payment_methods.attach("pm_card_visa", {"customer": anna.id})
    small, large = (
        v1.prices.create(
            {"product_data": {"name": name}, "currency": "eur", "unit_amount": amount, "recurring": {"interval": "month"}}
        )
        for name, amount in (("Small", 1000), ("Large", 2000))
    )
    given = {"customer": anna.id, "items": [{"price": small.id}], "default_payment_method": card.id}
    subscription = v1.subscriptions.create(given)
    item = subscription["items"].data[0]
    middle = (MONDAY + APRIL) // 2
    shop.advance(middle)
    change = {"items": [{"id": item.id, "price": large.id}], "proration_behavior": "always_invoice"}
    preview = v1.invoices.create_preview({"subscription": subscription.id, "subscription_details": change})
    changed = v1.subscriptions.update(subscription.id, {**change, "expand": ["latest_invoice"]})
    invoice = changed.latest_invoice
    assert (invoice.status, invoice.billing_reason, invoice.total) == ("paid", "subscription_update", 500)
    assert sorted(line.amount for line in invoice.lines) == [-500, 1000]
    assert preview.total == invoice.total
    assert sorted((line.amount, line.description) for line in preview.lines) == sorted(
        (line.amount, line.description) for line in invoice.lines
    )
    assert sorted(line.description for line in invoice.lines) == [
        "Remaining time on Large after 17 Mar 2026", "Unused time on Small after 17 Mar 2026",
    ]  # fmt: skip


def test_an_invoice_by_hand_with_tax_discount_and_credit(client: stripe.StripeClient):
    """20.00 less 25 % is 15.00; 21 % tax on it 3.15; 5.00 of credit: 13.15 to pay."""
    v1 = client.v1
    anna = v1.customers.create({"name": "Anna", "balance": -500})
    vat = v1.tax_rates.create({"display_name": "BTW", "percentage": 21, "inclusive": False})
    coupon = v1.coupons.create({"percent_off": 25, "duration": "once"})
    draft = v1.invoices.create(
        {"customer": anna.id, "collection_method": "send_invoice", "days_until_due": 30, "default_tax_rates": [vat.id],
         "discounts": [{"coupon": coupon.id}]}
    )  # fmt: skip
    v1.invoice_items.create({"customer": anna.id, "invoice": draft.id, "amount": 2000, "currency": "eur", "description": "Cake"})
    draft = v1.invoices.retrieve(draft.id)
    assert (draft.status, draft.subtotal, draft.total_excluding_tax, draft.total) == ("draft", 2000, 1500, 1815)
    assert [d.amount for d in draft.total_discount_amounts] == [500]
    assert [t.amount for t in draft.total_taxes] == [315]
    sent = v1.invoices.send_invoice(draft.id)
    assert (sent.status, sent.starting_balance, sent.ending_balance, sent.amount_due) == ("open", -500, 0, 1315)
    assert sent.due_date == sent.status_transitions.finalized_at + 30 * DAY
    assert v1.customers.retrieve(anna.id).balance == 0
    paid = v1.invoices.pay(sent.id, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_remaining) == ("paid", 0)
    assert v1.customers.balance_transactions.list(anna.id).data[0].type == "applied_to_invoice"


def test_a_credit_that_is_not_used_up_stays_with_the_customer(client: stripe.StripeClient):
    v1 = client.v1
    anna = v1.customers.create({"balance": -5000})
    draft = v1.invoices.create({"customer": anna.id})
    v1.invoice_items.create({"customer": anna.id, "invoice": draft.id, "amount": 2000, "currency": "eur"})
    done = v1.invoices.finalize_invoice(draft.id)
    assert (done.status, done.amount_due, done.ending_balance) == ("paid", 0, -3000)
    assert v1.customers.retrieve(anna.id).balance == -3000
