"""Taking back the payment intents of invoices that are no longer to be paid."""

from __future__ import annotations

from collections.abc import Iterable

from voldaan.resources.attempts import Attempt
from voldaan.resources.payment_intents import CancellationReason, PaymentIntent
from voldaan.rules import holds, states
from voldaan.rules.decision import Decision, Refusal, Refused
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction


async def cancel_intents(
    tx: Transaction, invoices: Iterable[str], reason: CancellationReason | None, *, keep: str | None = None
) -> Decision:
    """Cancels the open payment intents of these invoices, all but `keep`. One that waits for its customer is withdrawn at
    the processor. Refuses if one is under way."""
    ids = list(invoices)
    decision = Decision()
    if not ids:
        return decision
    where = "t.id in (select p.payment_intent_id from invoice_payments p where p.account_id = %(account)s"
    where += " and p.invoice_id = any(%(ids)s) and p.status = 'open')"
    intents = [i for i in await tx.select(PaymentIntent, where, ids=ids) if i.id != keep]
    intents = [i for i in intents if i.status not in states.PAYMENT_INTENT_FINAL]
    authorizations = await tx.get(Attempt, [i.attempt for i in intents])
    for intent in intents:
        gone = holds.cancel(
            intent, authorizations.get(intent.attempt or ""), reason, now=tx.now, wall=tx.wall, new_id=new_id
        )
        if isinstance(gone, Refusal):
            raise Refused(gone)
        decision.add(gone)
    return decision
