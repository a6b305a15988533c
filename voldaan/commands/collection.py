"""Collecting invoices: the facts for a batch of them, and the outcomes of their payments with the postings that go with
them. Whoever settles attempts calls the four outcomes here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voldaan.commands.billing import managing
from voldaan.commands.credit_grants import know_applied
from voldaan.commands.posting import post
from voldaan.ledger import invoices as ledger
from voldaan.resources.accounts import BillingSettings
from voldaan.resources.customers import Customer
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.invoices import Invoice
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import collection as rules
from voldaan.rules import dunning
from voldaan.rules.decision import Decision
from voldaan.rules.ids import NewId
from voldaan.rules.owing import CollectionFacts, Parties
from voldaan.store.children import attach
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction


async def load_collection(
    tx: Transaction, invoice_ids: Iterable[str], *, recognised: bool = False
) -> dict[str, CollectionFacts]:
    """The facts of these invoices by id, their customers locked. They share their parties, and so see each other's changes.

    `recognised` asks for what was posted as revenue of each; it is always there for an invoice that was written off.
    """
    wanted = sorted(set(invoice_ids))
    if not wanted:
        return {}
    owners = await tx.all(query("invoices", "parties_of"), ids=wanted)
    parties = Parties(await tx.get(Customer, [customer for customer, _ in owners], lock=True))
    invoices = list((await tx.get(Invoice, wanted)).values())
    parties.subscriptions = await tx.get(Subscription, [i.subscription for i in invoices])
    parties.schedules = await managing(tx, parties.subscriptions.values())
    await attach(tx, [*invoices, *parties.subscriptions.values()])

    payments: dict[str, list[InvoicePayment]] = {}
    for payment in await tx.select(InvoicePayment, "t.invoice_id = any(%(ids)s)", ids=wanted):
        payments.setdefault(payment.invoice, []).append(payment)
    settings = tx.account.settings_billing
    all_may_end = recognised or settings.retry_final_invoice == "uncollectible"
    posted = await _recognised(tx, [i.id for i in invoices if all_may_end or _may_end(i, parties)])
    troubled = [s.id for s in parties.subscriptions.values() if s.status in ("past_due", "unpaid")]
    latest = dict(await tx.all(query("invoices", "latest_finalized"), ids=troubled)) if troubled else {}
    used = await _with_late_usage(tx, parties, settings)
    known = {
        invoice.id: CollectionFacts(
            invoice=invoice,
            parties=parties,
            settings=settings,
            payments=payments.get(invoice.id, []),
            recognised=posted.get(invoice.id, 0),
            latest_finalized=latest.get(invoice.subscription or ""),
            late_usage=invoice.subscription in used,
        )
        for invoice in invoices
    }
    await know_applied(tx, known.values())
    return known


def _may_end(invoice: Invoice, parties: Parties) -> bool:
    """Whether a payment's outcome may take back what the invoice has earned, or was taken back."""
    subscription = parties.subscriptions.get(invoice.subscription or "")
    return invoice.status == "uncollectible" or (
        subscription is not None and (subscription.must_be_paid or subscription.held is not None)
    )


async def _with_late_usage(tx: Transaction, parties: Parties, settings: BillingSettings) -> set[str]:
    """Of the subscriptions that a payment which fails may end, those whose usage may still change what was billed."""
    if settings.retry_final_action != "cancel":
        return set()
    ids = [s.id for s in parties.subscriptions.values() if s.status in ("past_due", "unpaid") or not settings.retry_offsets]
    return {row[0] for row in await tx.all(query("subscriptions", "with_late_usage"), ids=ids)} if ids else set()


async def _recognised(tx: Transaction, ids: Sequence[str]) -> dict[str, int]:
    return dict(await tx.all(query("invoices", "recognised"), ids=list(ids))) if ids else {}


def payment_succeeded(
    facts: CollectionFacts,
    amount: int,
    now: int,
    new_id: NewId,
    *,
    payment_intent: str,
    payment_method: str | None = None,
    automatic: bool = True,
    counted: bool = False,
) -> Decision:
    """`amount` (all of it posted as cash against the receivable by the caller) arrived for the invoice."""
    was = facts.invoice
    decision = rules.payment_succeeded(
        facts,
        amount,
        now,
        new_id,
        payment_intent=payment_intent,
        payment_method=payment_method,
        automatic=automatic,
        counted=counted,
    )
    applied = facts.invoice.amount_paid - was.amount_paid
    if excess := amount - applied:
        decision.postings += ledger.overpaid(was, payment_intent, excess, now)
    if was.status == "uncollectible" and applied:
        decision.postings += ledger.recovered(was, payment_intent, applied, facts.recognised, now)
    return decision


def payment_failed(
    facts: CollectionFacts,
    decline: dunning.Meaning | None,
    now: int,
    new_id: NewId,
    *,
    payment_method: str | None = None,
    automatic: bool = True,
    counted: bool = False,
) -> Decision:
    """No money came for the invoice; `decline` as dunning.meaning() reads it."""
    decision = rules.payment_failed(
        facts, decline, now, new_id, payment_method=payment_method, automatic=automatic, counted=counted
    )
    return post(decision, now, {facts.invoice.id: facts.recognised})


def payment_requires_action(
    facts: CollectionFacts,
    now: int,
    new_id: NewId,
    *,
    payment_method: str | None = None,
    automatic: bool = True,
    on_session: bool = False,
) -> Decision:
    """The bank wants to see its customer, who is there (`on_session`) or not."""
    decision = rules.payment_requires_action(
        facts, now, new_id, payment_method=payment_method, automatic=automatic, on_session=on_session
    )
    return post(decision, now, {facts.invoice.id: facts.recognised})


def payment_processing(facts: CollectionFacts, now: int, *, automatic: bool = True) -> Decision:
    """Accepted; the money comes in some days, or does not."""
    return rules.payment_processing(facts, now, automatic=automatic)
