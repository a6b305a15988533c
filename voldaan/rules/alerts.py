"""Billing alerts: which states they have, and when one is told. Sources: docs/behaviour-billing.md, "Usage alerts"."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from voldaan.resources.alerts import Alert, AlertTriggered
from voldaan.rules.decision import Decision, Due, Event, Refusal
from voldaan.rules.states import ALERT, advance
from voldaan.rules.usage import UsageKey

MOST = 25             # alerts for one meter and one customer, or all
END = 4_102_444_800   # 2100: whatever is reported, however far ahead a test clock is


def due(meter: str, customer: str, token: str, now: int) -> Due:
    """The work of looking at a customer's usage of a meter.

    Each has a subject of its own, so that none is lost because another one, that has counted already, is there still.
    """
    return Due("alert.evaluate", f"{meter}:{customer}:{token}", now)


def of(subject: str) -> tuple[str, str]:
    """The meter and the customer that due work is about."""
    meter, _, rest = subject.partition(":")
    return meter, rest.rpartition(":")[0]


def key(alert: Alert, customer: str) -> UsageKey:
    """The usage that counts: what happened since the alert was made."""
    return UsageKey(alert.meter, customer, alert.created, END)


def told_as(alert: Alert, customer: str) -> str:
    """The id of the row that says that the alert was told for the customer."""
    return f"{alert.id}/{customer}"


def trigger(alert: Alert, customer: str, used: Decimal, now: int) -> Decision:
    """Tells that the threshold is reached; nothing if it is not. The caller asks for no customer a second time."""
    assert alert.usage_threshold is not None
    if alert.status != "active" or used < alert.usage_threshold.gte or alert.customer not in (None, customer):
        return Decision()
    told = AlertTriggered(
        id=told_as(alert, customer),
        alert=msgspec.to_builtins(shown(alert)),
        alert_id=alert.id,
        created=now,
        customer=customer,
        livemode=alert.livemode,
        quantity=used,
        value=int(used),
    )
    return Decision(inserts=[told], events=[Event("billing.alert.triggered", told)])


def shown(alert: Alert) -> dict[str, object]:
    """The alert as another object holds it."""
    return {
        "id": alert.id,
        "object": alert.object,
        "alert_type": alert.alert_type,
        "livemode": alert.livemode,
        "status": alert.status,
        "title": alert.title,
        "usage_threshold": alert.usage_threshold,
    }


def moved(alert: Alert, verb: str) -> str | Refusal:
    """The state after a verb; one that is archived stays so."""
    assert alert.status is not None
    status = advance(ALERT, alert.status, verb)
    if status is None:
        return Refusal("", f"You cannot {verb} an alert that is {alert.status}.")
    return status
