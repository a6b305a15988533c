"""What each kind of due work runs: one line a kind, in the order in which work of the same instant runs on a test clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from voldaan.commands import (
    alerts,
    attempts,
    charges,
    coupons,
    credit_grants,
    entitlements,
    invoices,
    ledger,
    meter_event_errors,
    payouts,
    pending_updates,
    price_migrations,
    promotion_codes,
    quotes,
    renewals,
    revenue,
    subscription_schedules,
    subscriptions,
    tax_answers,
    thresholds,
)
from voldaan.engine import Again, Engine, Leased
from voldaan.events import delivery
from voldaan.resources.accounts import Account
from voldaan.store.transaction import Transaction

InTransaction = Callable[[Transaction, list[str]], Awaitable[None]]


Outside = Callable[[Engine, Account, list[Leased], int], Awaitable[list[Again]]]


@dataclass(frozen=True, slots=True)
class Handler:
    """`inside` runs in the transaction that ends the due rows. `outside` runs between transactions, under a lease."""

    kind: str
    inside: InTransaction | None = None
    outside: Outside | None = None
    batch: int = 1000


HANDLERS = [
    Handler("attempt.look_after", inside=attempts.look_after),
    Handler("attempt.resolve", outside=attempts.resolve_due, batch=200),
    Handler("attempt.follow_up", outside=attempts.follow_up_due, batch=200),
    Handler("balance.available", inside=payouts.make_available),
    Handler("payout.create", inside=payouts.create_due),
    Handler("charge.expire_authorization", inside=charges.expire_authorizations),
    Handler("revenue.recognise", inside=revenue.recognise, batch=1),
    Handler("subscription.expire", inside=subscriptions.expire),
    Handler("invoice.expire", inside=pending_updates.expire),
    Handler("subscription.trial_will_end", inside=subscriptions.trial_will_end),
    Handler("subscription.resume_collection", inside=subscriptions.resume_collection),
    Handler("quote.expire", inside=quotes.expire),
    Handler("schedule.expiring", inside=subscription_schedules.expiring),
    Handler("schedule.phase", inside=subscription_schedules.begin_phases),
    Handler("schedule.pause", inside=subscription_schedules.begin_phases),
    Handler("subscription.cancel", inside=subscriptions.cancel_due),
    Handler("invoice.upcoming", inside=renewals.tell_upcoming),
    Handler("credit_grant.expire", inside=credit_grants.expire_due),
    Handler("subscription.renew", inside=renewals.renew),
    Handler("subscription.bill_pending", inside=renewals.bill_pending),
    Handler("alert.evaluate", inside=alerts.evaluate),
    Handler("subscription.threshold", inside=thresholds.evaluate),
    Handler("usage.settle", inside=subscriptions.settle_usage),
    Handler("invoice.finalize", inside=invoices.finalize_due),
    Handler("invoice.attempt", inside=invoices.attempt_due),
    Handler("invoice.will_be_due", inside=invoices.will_be_due),
    Handler("invoice.overdue", inside=invoices.overdue),
    Handler("coupon.expire", inside=coupons.expire),
    Handler("entitlements.follow", inside=entitlements.look_through, batch=1),
    Handler("promotion_code.expire", inside=promotion_codes.expire),
    Handler("price_migration.run", inside=price_migrations.run, batch=1),
    Handler("ledger.roll_up", inside=ledger.roll_up),
    Handler("tax_answers.prune", inside=tax_answers.prune),
    Handler("meter_event.report_errors", inside=meter_event_errors.report),
    Handler("webhook.deliver", outside=delivery.deliver, batch=100),
]
BY_KIND = {handler.kind: handler for handler in HANDLERS}
CLOCK_ORDER = [handler.kind for handler in HANDLERS]
