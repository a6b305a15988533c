"""Entitlements: who has access to what, and which changes may have altered it.

Access follows the subscription (docs/behaviour-billing.md, "Entitlements"): a customer has the features of every product
that a subscription with access consists of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voldaan.resources.base import ListObject
from voldaan.resources.entitlements import ActiveEntitlement, ActiveEntitlementSummary
from voldaan.resources.subscriptions import Subscription
from voldaan.rules.decision import Decision, Event
from voldaan.rules.ids import NewId
from voldaan.rules.lines import price_id

GIVES_ACCESS = frozenset({"trialing", "active", "past_due"})
SHOWN = 10  # entitlements that a summary shows of itself; the rest is at the list's address


@dataclass(frozen=True, slots=True)
class Difference:
    """An entitlement that is to be given (`lookup_key` of a feature) or, where `had` names it, taken away."""

    customer: str
    feature: str
    lookup_key: str
    had: str | None


def affected(decision: Decision) -> set[str]:
    """The customers whose access this decision may alter. A renewal alters nobody's."""
    customers = {s.customer for s in decision.inserts if type(s) is Subscription and s.status in GIVES_ACCESS}
    for update in decision.updates:
        new, was = update.new, update.was
        if type(new) is not Subscription or type(was) is not Subscription:
            continue
        if new.status == was.status and [i.price for i in new.items.data] == [i.price for i in was.items.data]:
            continue
        if _gives(new) != _gives(was):
            customers.add(new.customer)
    return customers


def follow(
    differences: Sequence[Difference], before: Sequence[ActiveEntitlement], livemode: bool, new_id: NewId
) -> Decision:
    """What is given and taken away, and for each customer one summary of what they have now.

    `before` is all that these customers had.
    """
    decision = Decision()
    now = {entitlement.id: entitlement for entitlement in before}
    for difference in differences:
        if difference.had is not None:
            decision.deletes.append(now.pop(difference.had))
            continue
        given = ActiveEntitlement(
            id=new_id("ent"),
            feature=difference.feature,
            livemode=livemode,
            lookup_key=difference.lookup_key,
            customer=difference.customer,
        )
        decision.inserts.append(given)
        now[given.id] = given
    for customer in sorted({difference.customer for difference in differences}):
        summary = _summary(customer, list(now.values()), livemode)
        was = _summary(customer, before, livemode)
        decision.events.append(Event("entitlements.active_entitlement_summary.updated", summary, was))
    return decision


def _gives(subscription: Subscription) -> tuple[str, ...]:
    """The prices that the subscription gives access by."""
    if subscription.status not in GIVES_ACCESS:
        return ()
    return tuple(sorted(price_id(item) for item in subscription.items.data))


def _summary(customer: str, entitlements: Sequence[ActiveEntitlement], livemode: bool) -> ActiveEntitlementSummary:
    own = sorted((e for e in entitlements if e.customer == customer), key=lambda e: e.id, reverse=True)
    return ActiveEntitlementSummary(
        id=customer,
        customer=customer,
        livemode=livemode,
        entitlements=ListObject(
            data=own[:SHOWN],
            has_more=len(own) > SHOWN,
            url=f"/v1/customer/{customer}/entitlements",
        ),
    )
