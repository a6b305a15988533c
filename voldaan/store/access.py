"""Access follows subscriptions: in the transaction that changes one, whoever decided it, entitlements change too."""

from __future__ import annotations

from collections.abc import Iterable

from voldaan.resources.entitlements import ActiveEntitlement
from voldaan.rules import entitlements as rules
from voldaan.rules.decision import Decision
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction


async def following(tx: Transaction, customers: Iterable[str]) -> Decision:
    """What these customers are given and lose, by the subscriptions that they have now. One query if that is nothing."""
    wanted = sorted(customers)
    rows = await tx.all(query("entitlements", "differences"), customers=wanted, statuses=sorted(rules.GIVES_ACCESS))
    if not rows:
        return Decision()
    differences = [rules.Difference(*row) for row in rows]
    before = await tx.select(ActiveEntitlement, "t.customer_id = any(%(ids)s)", ids=[d.customer for d in differences])
    return rules.follow(differences, before, tx.account.livemode, new_id)
