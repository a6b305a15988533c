"""What the business sells, and how its customers deal with it: nothing but calls of the official SDK."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import stripe

from voldaan.demo.cast import Customer

VAT = "21"
CLOCK_PAUSE = 0.02       # seconds between two looks at an advancing clock


@dataclass(slots=True)
class Member:
    """A customer of the cast who has joined."""

    story: Customer
    id: str
    subscription: str
    ended: bool = False


class Business:
    """A small software company, through the SDK."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.v1 = client.v1
        self.clock = ""
        self.prices: dict[str, str] = {}
        self.tax_rate = ""
        self.members: dict[str, Member] = {}
        self.refused = 0

    def open(self, start: int) -> None:
        """The clock and the catalogue."""
        self.clock = self.v1.test_helpers.test_clocks.create({"frozen_time": start, "name": "A year of business"}).id
        self.tax_rate = self.v1.tax_rates.create(
            {"display_name": "BTW", "percentage": VAT, "inclusive": False, "country": "NL", "tax_type": "vat"}
        ).id
        basic, team, pro = (
            self.v1.products.create({"name": name, "description": text}).id
            for name, text in (
                ("Basic", "For one person"),
                ("Team", "For everyone who works together, per seat"),
                ("Pro", "Per seat, cheaper in larger numbers"),
            )
        )
        self.price("basic", basic, "month", unit_amount=1900)
        self.price("basic_yearly", basic, "year", unit_amount=19000)
        self.price("team", team, "month", unit_amount=1250)
        self.price("team_yearly", team, "year", unit_amount=12500)
        self.price(
            "pro", pro, "month", billing_scheme="tiered", tiers_mode="graduated",
            tiers=[{"up_to": 5, "unit_amount": 2900}, {"up_to": 20, "unit_amount": 2400}, {"up_to": "inf", "unit_amount": 1900}],
        )  # fmt: skip
        self.v1.coupons.create({"id": "LAUNCH20", "percent_off": 20, "duration": "repeating", "duration_in_months": 3})
        self.v1.coupons.create({"id": "FRIENDS", "amount_off": 500, "currency": "eur", "duration": "forever"})

    def price(self, key: str, product: str, interval: str, **terms: Any) -> None:
        made = self.v1.prices.create(
            {"product": product, "currency": "eur", "recurring": {"interval": interval}, "lookup_key": key, **terms}  # type: ignore[typeddict-item]
        )
        self.prices[key] = made.id

    def advance(self, to: int) -> None:
        """Lets time pass, and waits until all that was due has happened."""
        self.v1.test_helpers.test_clocks.advance(self.clock, {"frozen_time": to})
        while (clock := self.v1.test_helpers.test_clocks.retrieve(self.clock)).status == "advancing":
            time.sleep(CLOCK_PAUSE)
        if clock.status != "ready":
            raise RuntimeError(f"the test clock is {clock.status}")

    def join(self, story: Customer) -> None:
        """Signs up: a customer, a payment method, a subscription."""
        address: Any = {"line1": f"Kade {story.number}", "city": story.city, "country": "NL", "postal_code": "1000 AA"}
        customer = self.v1.customers.create(
            {"name": story.name, "email": story.email, "address": address, "test_clock": self.clock,
             "metadata": {"cast": str(story.number)}}
        ).id  # fmt: skip
        terms: dict[str, Any] = {
            "customer": customer,
            "items": [{"price": self.prices[story.plan], "quantity": story.seats}],
            "default_tax_rates": [self.tax_rate],
        }
        if story.coupon:
            terms["discounts"] = [{"coupon": story.coupon}]
        if story.trial_days:
            terms["trial_period_days"] = story.trial_days
        if story.pays_by_transfer:
            terms |= {"collection_method": "send_invoice", "days_until_due": 14}
        else:
            self.save_card(customer, story)
        subscription = self.v1.subscriptions.create(terms)  # type: ignore[arg-type]
        if subscription.status == "incomplete":  # the first payment was declined: another card, at once
            self.use_card(customer, "pm_card_visa")
            self.v1.invoices.pay(str(subscription.latest_invoice))
        self.members[customer] = Member(story, customer, subscription.id)

    def save_card(self, customer: str, story: Customer) -> None:
        """Some try a card that the bank declines, and take another one."""
        if story.first_tries_declined_card:
            try:
                self.v1.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer})
            except stripe.CardError:
                self.refused += 1
        self.use_card(customer, story.card)

    def use_card(self, customer: str, card: str) -> None:
        method = self.v1.payment_methods.attach(card, {"customer": customer})
        self.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": method.id}})

    def upgrade(self, member: Member) -> None:
        """More seats, or a larger plan, in the middle of a period: prorated by the second."""
        subscription = self.v1.subscriptions.retrieve(member.subscription)
        if subscription.status not in ("active", "trialing"):
            return
        item = subscription["items"].data[0]
        change: dict[str, Any] = {"id": item.id, "quantity": member.story.new_seats}
        if member.story.plan == "basic":
            change["price"] = self.prices["pro"]
        self.v1.subscriptions.update(
            member.subscription, {"items": [change], "proration_behavior": "create_prorations"}  # type: ignore[list-item]
        )

    def leave(self, member: Member) -> None:
        subscription = self.v1.subscriptions.retrieve(member.subscription)
        if subscription.status in ("canceled", "incomplete_expired"):
            return
        if member.story.cancels_at_once:
            self.v1.subscriptions.cancel(member.subscription, {"cancellation_details": {"feedback": "too_expensive"}})
        else:
            self.v1.subscriptions.update(member.subscription, {"cancel_at_period_end": True})

    def refund(self, member: Member) -> None:
        """Half of the latest payment comes back."""
        charges = [c for c in self.v1.charges.list({"customer": member.id, "limit": 3}).data if c.status == "succeeded"]
        if charges and charges[0].amount_refunded == 0 and not charges[0].disputed:
            self.v1.refunds.create(
                {"charge": charges[0].id, "amount": charges[0].amount // 2, "reason": "requested_by_customer"}
            )

    def transfer(self, invoice: str) -> None:
        """The money of an invoice arrives on the bank account."""
        if self.v1.invoices.retrieve(invoice).status == "open":
            self.v1.invoices.pay(invoice, {"paid_out_of_band": True})

    def write_off(self, invoice: str) -> None:
        if self.v1.invoices.retrieve(invoice).status == "open":
            self.v1.invoices.mark_uncollectible(invoice)

    def answer_dispute(self, dispute: str, number: int) -> None:
        """Every second dispute is won."""
        text = "winning_evidence" if number % 2 else "losing_evidence"
        self.v1.disputes.update(dispute, {"evidence": {"uncategorized_text": text}, "submit": True})

    def news(self, after: str | None) -> list[stripe.Event]:
        """What happened since the event `after`, oldest first: the business listens as any integration does."""
        types: Any = ["invoice.payment_failed", "invoice.finalized", "charge.dispute.created", "customer.subscription.deleted"]
        events: list[stripe.Event] = []
        query: Any = {"types": types, "limit": 100}
        if after:
            query["ending_before"] = after
            while page := self.v1.events.list(query).data:
                events = page + events
                query["ending_before"] = page[0].id
        else:
            events = list(self.v1.events.list(query).auto_paging_iter())
        return list(reversed(events))
