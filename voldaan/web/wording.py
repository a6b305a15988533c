"""What happens, in words for people: events as sentences, due work by name."""

from __future__ import annotations

from dataclasses import dataclass

from voldaan.reports.activity import Told
from voldaan.web.amounts import money, words

DUE = {
    "subscription.renew": "Renew subscriptions",
    "subscription.trial_will_end": "Announce the end of trials",
    "subscription.cancel": "End canceled subscriptions",
    "subscription.expire": "Expire unpaid first invoices",
    "subscription.resume_collection": "Resume collection",
    "invoice.finalize": "Finalize invoices",
    "invoice.attempt": "Retry payments",
    "invoice.upcoming": "Announce renewals",
    "subscription.bill_pending": "Bill what waits",
    "subscription.threshold": "Bill what reaches a threshold",
    "usage.settle": "Bill the last usage of what has ended",
    "alert.evaluate": "Look at usage alerts",
    "meter_event.report_errors": "Report usage that cannot be counted",
    "schedule.phase": "Begin phases of schedules",
    "schedule.pause": "Pause and resume by schedule",
    "schedule.expiring": "Announce the end of schedules",
    "quote.expire": "Expire quotes",
    "price_migration.run": "Move subscriptions to other prices",
    "invoice.expire": "Give up changes that were not paid",
    "invoice.will_be_due": "Announce due dates",
    "invoice.overdue": "Mark invoices overdue",
    "entitlements.follow": "Follow changed products",
    "attempt.look_after": "Look after attempts",
    "attempt.resolve": "Ask for outcomes of attempts",
    "attempt.follow_up": "Ask processors for news",
    "charge.expire_authorization": "Release expired holds",
    "balance.available": "Make balance available",
    "payout.create": "Pay out",
    "revenue.recognise": "Recognise revenue",
    "coupon.expire": "Expire coupons",
    "promotion_code.expire": "Expire promotion codes",
    "credit_grant.expire": "Expire billing credits",
    "ledger.roll_up": "Roll up the ledger",
    "tax_answers.prune": "Take away answers of tax providers that nobody needs",
    "webhook.deliver": "Deliver webhooks",
    "test_clock.advance": "Advance test clocks",
}

# type -> (words, tone, the amount's field). `{}` stands for what the object is called.
EVENTS: dict[str, tuple[str, str, str | None]] = {
    "customer.created": ("New customer", "", None),
    "customer.deleted": ("Customer deleted", "", None),
    "customer.subscription.created": ("Subscription started", "good", None),
    "customer.subscription.deleted": ("Subscription ended", "bad", None),
    "customer.subscription.paused": ("Subscription paused", "warn", None),
    "customer.subscription.resumed": ("Subscription resumed", "good", None),
    "customer.subscription.trial_will_end": ("Trial ends soon", "", None),
    "invoice.paid": ("Invoice {} paid", "good", "amount_paid"),
    "invoice.payment_failed": ("Payment of {} failed", "bad", "amount_due"),
    "invoice.payment_action_required": ("Payment of {} waits for the customer", "warn", "amount_due"),
    "invoice.sent": ("Invoice {} sent", "", "amount_due"),
    "invoice.overdue": ("Invoice {} is overdue", "warn", "amount_remaining"),
    "invoice.voided": ("Invoice {} voided", "", "total"),
    "invoice.marked_uncollectible": ("Invoice {} written off", "bad", "amount_remaining"),
    "payment_intent.succeeded": ("Payment succeeded", "good", "amount_received"),
    "payment_intent.payment_failed": ("Payment failed", "bad", "amount"),
    "charge.refunded": ("Refunded", "warn", "amount_refunded"),
    "charge.dispute.created": ("Disputed", "bad", "amount"),
    "charge.dispute.closed": ("Dispute {}", "", "amount"),
    "payout.created": ("Payout on its way", "", "amount"),
    "payout.paid": ("Payout arrived", "good", "amount"),
    "payout.failed": ("Payout failed", "bad", "amount"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the feed."""

    text: str
    tone: str
    who: str | None
    amount: str | None
    at: int
    id: str
    type: str
    object_id: str


def line(told: Told) -> Line:
    """An event as a sentence. A type without words of its own is named as it is."""
    template, tone, field = EVENTS.get(told.type, (words(told.type), "", None))
    seen = told.object
    name = seen.get("number") or seen.get("status") or ""
    if told.type == "charge.dispute.closed":
        tone = "good" if seen.get("status") == "won" else "bad"
    amount = money(seen[field], seen["currency"]) if field and seen.get(field) is not None and seen.get("currency") else None
    text = " ".join(template.format(name).split())
    return Line(text, tone, told.customer, amount, told.at, told.id, told.type, told.object_id)


def due_name(kind: str) -> str:
    return DUE.get(kind, words(kind))


def lines(events: list[Told]) -> list[Line]:
    return [line(told) for told in events]
