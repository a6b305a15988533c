"""Revisions: a finalized invoice drafted anew. Finalizing the revision voids what it revises, in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from voldaan.commands import billing, clocks
from voldaan.commands.collection import load_collection
from voldaan.commands.withdrawing import cancel_intents
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoice_params import FromInvoiceParams
from voldaan.resources.invoices import Invoice
from voldaan.rules import invoices as rules
from voldaan.rules import owing, revisions
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision, Event, Refusal, Update
from voldaan.rules.invoice_verbs import not_voidable
from voldaan.rules.owing import CollectionFacts
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction


async def begin(
    tx: Transaction, given: FromInvoiceParams, decision: Decision
) -> tuple[BillingFacts, Invoice, list[InvoiceItem]]:
    """An empty draft with all that the original says, and copies of its items. Raises Missing or Refused."""
    facts, found = await billing.load_drafts(tx, [given.invoice])
    original = found.get(given.invoice)
    if original is None:
        raise Missing("invoice", given.invoice, "from_invoice[invoice]")
    revisions.check(original)
    customer = facts.parties.customers[original.customer]
    if customer.deleted_at is not None:
        raise Missing("customer", customer.id)
    await clocks.now_for(tx, customer.test_clock)
    blank = rules.draft(
        facts, customer, id=new_id("in"), currency=original.currency, now=tx.now, reason="manual",
        period_start=tx.now, period_end=tx.now,
    )  # fmt: skip
    draft = revisions.copied(blank, original, tx.now)
    items = await tx.get(InvoiceItem, [line.invoice_item for line in original.lines.data])
    copies: list[InvoiceItem] = []
    for line in reversed(original.lines.data):       # the last one first: the latest item is shown first
        item = items[line.invoice_item or ""]
        copy = replace(item, id=new_id("ii"), created=tx.now, invoice=None, tax_rates=facts.catalogue.whole_rates(item.tax_rates))
        copies.append(copy)
        decision.inserts.append(copy)
        decision.events.append(Event("invoiceitem.created", replace(copy, invoice=draft.id)))
    return facts, draft, copies


@dataclass(slots=True)
class Original:
    """What a draft revises: void it once the draft is an invoice, or do not finalize that because of `refusal`."""

    known: CollectionFacts
    refusal: Refusal | None
    withdrawn: Decision
    before: list[Invoice] = field(default_factory=list)   # what it had revised itself, long void


async def originals(tx: Transaction, drafts: Iterable[Invoice]) -> dict[str, Original]:
    """What these drafts revise, by draft. Their customers are locked already."""
    revising = {d.from_invoice.invoice: d.id for d in drafts if d.from_invoice is not None and d.status == "draft"}
    if not revising:
        return {}
    ids = list(revising)
    known = await load_collection(tx, ids, recognised=True)
    live = {row[0] for row in await tx.all(query("invoices", "live_attempts"), ids=ids)}
    chains: dict[str, list[str]] = {}
    for id, earlier in await tx.all(query("invoices", "revised_before"), ids=ids):
        chains.setdefault(id, []).append(earlier)
    ancestors = await tx.get(Invoice, [id for chain in chains.values() for id in chain])
    found: dict[str, Original] = {}
    for id, one in known.items():
        no = not_voidable(one.invoice, id in live)
        gone = Decision() if no else await cancel_intents(tx, [id], "void_invoice")
        found[revising[id]] = Original(one, no, gone, [ancestors[each] for each in chains.get(id, [])])
    return found


def replaced(facts: BillingFacts, original: Original, draft: Invoice, now: int) -> Decision:
    """The original is void and names its revision, and so do those before it. What the balance had paid is there again.
    The postings are the caller's."""
    one = original.known
    one.parties = facts.parties
    named = replace(one.invoice, latest_revision=draft.id)
    decision = Decision(updates=[Update(named, one.invoice)]).add(original.withdrawn)
    decision.updates += [Update(replace(each, latest_revision=draft.id), each) for each in original.before]
    one.invoice = named
    return decision.add(owing.void(one, now, new_id))
