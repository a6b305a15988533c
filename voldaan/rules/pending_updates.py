"""Changes of a subscription that wait for their payment: `pending_if_incomplete` and `error_if_incomplete`.

The change is decided as any other, and its invoice is made; what it would write of the subscription and its items is kept
in the subscription instead, until the invoice is paid. Sources: docs/behaviour-billing.md, "Changes that must be paid".
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from voldaan.resources.invoices import Invoice
from voldaan.resources.pending_updates import HeldUpdate
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change
from voldaan.rules.decision import Decision, Due, Event, Update

FIELDS = (
    "billing_thresholds", "cancellation_details", "collection_method", "days_until_due", "default_payment_method",
    "default_tax_rates",
    "description", "invoice_settings", "payment_settings", "trial_settings",
)  # fmt: skip


def hold(facts: BillingFacts, was: Subscription, change: Change, decided: Decision, now: int) -> Decision:
    """The decision of a change with its effect on the subscription put off until the invoice in it is paid.

    As it is where nothing is to be paid for it now.
    """
    invoice = next((u.new for u in decided.updates if isinstance(u.new, Invoice) and u.new.status == "open"), None)
    if invoice is None or not isinstance(invoice, Invoice):
        return decided
    after = facts.parties.subscriptions[was.id]
    ends = [now + facts.account.settings_billing.incomplete_seconds, was.current_period_end]
    if was.status == "trialing" and was.trial_end is not None:
        ends.append(was.trial_end)
    held = HeldUpdate(
        invoice=invoice.id,
        expires_at=max(min(ends), now),
        must_be_paid=change.must_be_paid == "or_fails",
        items=list(after.items.data),
        changes_items=bool(change.items),
        billing_cycle_anchor=after.billing_cycle_anchor,
        anchored=after.billing_cycle_anchor != was.billing_cycle_anchor,
        status=after.status,
        trial_start=after.trial_start,
        trial_end=after.trial_end,
        sets_trial=after.trial_end != was.trial_end,
        trial_from_plan=change.trial_from_plan,
        cancel_at=after.cancel_at,
        cancel_at_period_end=after.cancel_at_period_end if change.sets_end else None,
        discounts=after.discounts if after.discounts != was.discounts else None,
        metadata=change.metadata,
        fields=_plain(after, was),
    )
    marked = was.has_thresholds or after.has_thresholds
    waits = replace(was, held=held, latest_invoice=invoice.id, has_thresholds=marked)
    facts.parties.subscriptions[was.id] = waits
    decided.inserts = [made for made in decided.inserts if not isinstance(made, SubscriptionItem)]
    decided.cuts = []
    decided.deletes = [gone for gone in decided.deletes if not isinstance(gone, SubscriptionItem)]
    decided.updates = [u for u in decided.updates if not isinstance(u.new, SubscriptionItem | Subscription)]
    decided.updates.append(Update(waits, was))
    decided.events = [
        Event(e.type, waits, was) if isinstance(e.object, Subscription) else e for e in decided.events
    ]
    decided.due = [due for due in decided.due if due.subject != was.id]
    decided.due_cancelled = [(kind, subject) for kind, subject in decided.due_cancelled if subject != was.id]
    decided.due.append(Due("invoice.expire", invoice.id, held.expires_at, was.test_clock))
    return decided


def _plain(after: Subscription, was: Subscription) -> dict[str, Any]:
    """The fields that concern nothing else, where they change, in the API's shape."""
    changed = [name for name in FIELDS if getattr(after, name) != getattr(was, name)]
    return {name: msgspec.to_builtins(_ids(getattr(after, name))) for name in changed}


def _ids(value: Any) -> Any:
    return [rate.id if isinstance(rate, TaxRate) else rate for rate in value] if isinstance(value, list) else value
