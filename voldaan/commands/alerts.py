"""Billing alerts: made, switched, archived; and looked at by due work when usage comes in."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.commands.usage import quantities
from voldaan.resources.alerts import Alert, AlertChange, AlertCreate, AlertFilter, AlertTriggered, UsageThreshold
from voldaan.resources.customers import Customer
from voldaan.resources.meters import Meter
from voldaan.rules import alerts as rules
from voldaan.rules.decision import Decision, Refusal, Refused, Update
from voldaan.rules.refusals import refused
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: AlertCreate) -> Alert:
    """An active alert. Refuses more for a meter and a customer than Stripe does."""
    wanted = params.usage_threshold
    meter = await tx.need(Meter, wanted.meter, lock=True, param="usage_threshold[meter]")
    if meter.status != "active":
        raise refused(f"The meter {meter.id} is inactive. This field only accepts active meters.", "usage_threshold[meter]")
    customer = wanted.filters[0].customer if wanted.filters else None
    if customer is not None:
        found = await tx.need(Customer, customer, param="usage_threshold[filters][0][customer]")
        if found.deleted_at is not None:
            raise Missing("customer", customer, "usage_threshold[filters][0][customer]")
    same = "t.meter_id = %(meter)s and t.customer_id is not distinct from %(customer)s and t.status <> 'archived'"
    if len(await tx.select(Alert, same, meter=meter.id, customer=customer)) >= rules.MOST:
        raise refused(f"You can have at most {rules.MOST} alerts for a meter and a customer.", "usage_threshold")
    alert = Alert(
        id=new_id("alrt"),
        created=tx.now,
        customer=customer,
        livemode=tx.account.livemode,
        meter=meter.id,
        title=params.title,
        usage_threshold=UsageThreshold(
            filters=[AlertFilter(customer=customer)] if customer else None, gte=wanted.gte, meter=meter.id
        ),
    )
    await write(tx, [Decision(inserts=[alert])])
    return alert


async def activate(tx: Transaction, params: AlertChange, id: str) -> Alert:
    """It is told again, for customers for whom it was not."""
    return await _move(tx, id, "activate")


async def deactivate(tx: Transaction, params: AlertChange, id: str) -> Alert:
    """It is not told until it is activated."""
    return await _move(tx, id, "deactivate")


async def archive(tx: Transaction, params: AlertChange, id: str) -> Alert:
    """It is over for good."""
    return await _move(tx, id, "archive")


async def _move(tx: Transaction, id: str, verb: str) -> Alert:
    was = await tx.need(Alert, id, lock=True)
    status: Any = rules.moved(was, verb)
    if isinstance(status, Refusal):
        raise Refused(status)
    alert = replace(was, status=status)
    await write(tx, [Decision(updates=[Update(alert, was)])])
    return alert


async def evaluate(tx: Transaction, subjects: list[str]) -> None:
    """Due work alert.evaluate: alerts whose threshold is reached are told, each once for a customer."""
    places = {rules.of(subject) for subject in subjects}
    meters, customers = [meter for meter, _ in places], [customer for _, customer in places]
    await tx.get(Customer, customers, lock=True)
    theirs = "t.meter_id = any(%(meters)s) and (t.customer_id is null or t.customer_id = any(%(customers)s))"
    alerts = await tx.select(Alert, f"t.status = 'active' and {theirs}", meters=meters, customers=customers)
    watched = [
        (alert, customer)
        for alert in alerts
        for meter, customer in sorted(places)
        if alert.meter == meter and alert.customer in (None, customer)
    ]
    told = await tx.get(AlertTriggered, [rules.told_as(alert, customer) for alert, customer in watched])
    waiting = [(alert, customer) for alert, customer in watched if rules.told_as(alert, customer) not in told]
    used = await quantities(tx, [rules.key(alert, customer) for alert, customer in waiting]) if waiting else {}
    await write(tx, [rules.trigger(alert, c, used[rules.key(alert, c)], tx.now) for alert, c in waiting])
