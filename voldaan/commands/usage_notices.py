"""Usage has come in: whoever waits for it is looked at by due work, once it is committed."""

from __future__ import annotations

from collections.abc import Iterable

from voldaan.rules import alerts, thresholds
from voldaan.rules.decision import Decision, Due
from voldaan.store.adapt import Texts
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def notice(tx: Transaction, used: Iterable[tuple[str, str]]) -> None:
    """Usage of (meter, customer): alerts that wait for it, and subscriptions that are billed when a threshold is reached."""
    places = sorted(set(used))
    if not places:
        return
    meters, customers = Texts(meter for meter, _ in places), Texts(customer for _, customer in places)
    found = await tx.all(query("usage", "watched"), meters=meters, customers=customers)
    if not found:
        return
    due: list[Due] = []
    token = new_id("use")
    for meter, customer, subscription, clock, frozen in found:
        if subscription is None:
            due.append(alerts.due(meter, customer, token, tx.wall))
        else:
            due.append(thresholds.due(subscription, token, tx.wall if frozen is None else frozen, clock))
    await write(tx, [Decision(due=due)])
