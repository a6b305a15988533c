"""Drafts: made, changed, deleted, and their lines. Every change computes the whole invoice anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from voldaan.commands import automatic_tax, billing, clocks, lookups, revisions, shipping_rates
from voldaan.commands import invoice_rendering_templates as templates
from voldaan.commands.invoices import load_draft
from voldaan.resources.billing import CustomField
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoice_params import (
    InvoiceCreate,
    InvoiceDelete,
    InvoicePaymentSettingsParams,
    InvoiceUpdate,
    InvoiceWrite,
    RenderingParams,
)
from voldaan.resources.invoices import Invoice, InvoicePaymentSettings, Rendering, RenderingPdf
from voldaan.resources.line_items import LineItem
from voldaan.rules import automatic_tax as tax_rules
from voldaan.rules import invoice_verbs as verbs
from voldaan.rules import invoices as rules
from voldaan.rules import renewals
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.customer_balance_transactions import refusal as other_currency
from voldaan.rules.decision import Decision, Due, Event, Refused, Update
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import missing, refused
from voldaan.rules.subscription_fields import method_options
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

DAY = 86_400
ORIGINAL_SAYS = {"currency", "customer", "pending_invoice_items_behavior", "subscription"}
AFTER_FINALIZATION = {
    "metadata", "auto_advance", "default_payment_method", "payment_settings", "rendering", "statement_descriptor", "expand",
}  # fmt: skip


async def create(tx: Transaction, params: InvoiceCreate) -> Invoice:
    """A draft for a customer, or for what waits to be billed for a subscription."""
    decision = Decision()
    waiting: list[InvoiceItem] = []
    if params.from_invoice is None:
        facts, invoice = await _blank(tx, params)
    elif said := sorted(params.model_fields_set.intersection(ORIGINAL_SAYS)):
        raise refused(f"A revision keeps the {said[0]} of the invoice.", said[0])
    else:
        facts, invoice, waiting = await revisions.begin(tx, params.from_invoice, decision)
    customer = facts.parties.customers[invoice.customer]
    await _said(tx, facts, invoice, params, decision, new=True)
    if params.pending_invoice_items_behavior == "include" or params.subscription:
        waiting = [*waiting, *_take_pending(facts, invoice, params)]
    swept, drawn = renewals.sweep(waiting, invoice, new_id)
    lookups.suit(facts, invoice.currency, drawn)
    rules.complete(facts, invoice, drawn)
    decision.add(swept)
    decision.due += rules.scheduled(invoice, tx.now, facts.account.settings_billing.draft_seconds)
    decision.inserts[:0] = [invoice, *drawn]
    decision.events.append(Event("invoice.created", rules.told(invoice)))
    if customer.currency is None:
        own = replace(customer, currency=invoice.currency)
        decision.updates.append(Update(own, customer))
        decision.events.append(Event("customer.updated", own, customer))
    await save(tx, facts, decision)
    return invoice


async def update(tx: Transaction, params: InvoiceUpdate, id: str) -> Invoice:
    """Changes a draft; of a finalized invoice only what no amount and no law depends on."""
    facts, was = await load_draft(tx, id)
    given = params.model_fields_set
    fixed = sorted(given - AFTER_FINALIZATION)
    if fixed and (no := verbs.not_a_draft(was, fixed[0])):
        raise Refused(no)
    decision = Decision()
    invoice = replace(was)
    await _said(tx, facts, invoice, params, decision, new=False)
    if was.status == "draft":
        recompute(facts, was, invoice, list(was.lines.data), decision)
        _reschedule(facts, was, invoice, tx.now, decision)
    decision.updates.append(Update(invoice, was))
    if invoice != was:
        decision.events.append(Event("invoice.updated", rules.told(invoice), rules.told(was)))
    await save(tx, facts, decision)
    return invoice


async def delete(tx: Transaction, params: InvoiceDelete, id: str) -> dict[str, object]:
    """Takes back a draft that no subscription made. What it had swept up waits again."""
    _, was = await load_draft(tx, id)
    if no := verbs.not_a_draft(was, "delete"):
        raise Refused(no)
    if was.subscription is not None:
        raise refused(
            "You can only delete one-off invoice drafts: this one belongs to a subscription.", code="invoice_not_editable"
        )
    items = await tx.select(InvoiceItem, "t.invoice_id = %(id)s", id=id)
    decision = Decision(
        updates=[Update(replace(item, invoice=None), item) for item in items],
        deletes=[*was.lines.data, was],
        events=[Event("invoice.deleted", rules.told(was))],
        due_cancelled=[("invoice.finalize", id)],
    )
    await write(tx, [decision])
    return {"id": id, "object": "invoice", "deleted": True}


async def save(tx: Transaction, facts: BillingFacts, decision: Decision) -> None:
    """Writes a change of a draft, and the tax rates that it needed for the first time."""
    await write(tx, [decision])
    await automatic_tax.keep_rates(tx, facts)


def recompute(
    facts: BillingFacts,
    was: Invoice,
    invoice: Invoice,
    kept: Sequence[LineItem],
    decision: Decision,
    new: Sequence[LineItem] = (),
) -> None:
    """Computes the draft `invoice` anew from the lines that it keeps, of which copies are made, and from `new` ones."""
    fresh = [replace(line) for line in kept]
    lookups.suit(facts, invoice.currency, [*fresh, *new])
    rules.complete(facts, invoice, [*fresh, *new], was.created)
    before = {line.id: line for line in was.lines.data}
    decision.updates += [Update(line, before[line.id]) for line in fresh if line.id in before]


async def _blank(tx: Transaction, params: InvoiceCreate) -> tuple[BillingFacts, Invoice]:
    """An empty draft with what customer and subscription give it."""
    if params.customer is None and params.subscription is None:
        raise missing("customer")
    facts, subscription = await billing.load_named(tx, params.customer, params.subscription)
    owner = params.customer or (subscription.customer if subscription else "")
    customer = billing.living(facts, owner)
    if subscription is not None and subscription.customer != customer.id:
        raise refused("The subscription does not belong to the customer.", "subscription")
    await clocks.now_for(tx, customer.test_clock)
    currency = params.currency or (subscription.currency if subscription else customer.currency)
    currency = currency or tx.account.default_currency
    if no := other_currency(customer, currency):
        raise Refused(no)
    invoice = rules.draft(
        facts,
        customer,
        id=new_id("in"),
        currency=currency,
        now=tx.now,
        reason="manual",
        period_start=subscription.current_period_start if subscription else tx.now,
        period_end=tx.now,
        subscription=subscription,
    )
    invoice.discounts = [customer.discount.id] if customer.discount else []
    if subscription is not None:
        invoice.discounts = renewals.discounts_of(facts, subscription)
    return facts, invoice


async def _said(
    tx: Transaction,
    facts: BillingFacts,
    invoice: Invoice,
    params: InvoiceCreate | InvoiceUpdate,
    decision: Decision,
    *,
    new: bool,
) -> None:
    """Puts what the request says into this invoice, which nobody else holds."""
    given = params.model_fields_set
    for name in ("description", "footer", "statement_descriptor"):
        if name in given:
            setattr(invoice, name, getattr(params, name) or None)
    if "metadata" in given:
        invoice.metadata = merged(invoice.metadata or {}, params.metadata)
    if "auto_advance" in given:
        invoice.auto_advance = params.auto_advance
    if "automatically_finalizes_at" in given:
        invoice.automatically_finalizes_at = params.automatically_finalizes_at
        invoice.auto_advance = True
    if "account_tax_ids" in given:
        await lookups.own_tax_ids(tx, (params.account_tax_ids, ""))
        invoice.account_tax_ids = list(params.account_tax_ids or []) or None
    if "custom_fields" in given:
        fields = [CustomField(name=f.name, value=f.value) for f in params.custom_fields or []]
        invoice.custom_fields = fields or None
    if "effective_at" in given:
        invoice.effective_at = params.effective_at or None
    if "number" in given:
        invoice.number = await _free_number(tx, params.number or None, invoice.id)
    if "rendering" in given and params.rendering is not None:
        asked = params.rendering
        await templates.usable(tx, asked.template, asked.template_version or None, "rendering")
        invoice.rendering = _rendering(asked)
    if "shipping_details" in given:
        invoice.shipping_details = params.shipping_details.shipping() if params.shipping_details else None
    if "shipping_cost" in given:
        invoice.shipped = await shipping_rates.charged(tx, params.shipping_cost, invoice.currency, decision)
    if params.default_payment_method is not None:
        await lookups.payment_method(tx, facts, params.default_payment_method, invoice.customer)
        invoice.default_payment_method = params.default_payment_method
    if params.payment_settings is not None:
        invoice.payment_settings = _payment_settings(invoice.payment_settings, params.payment_settings)
    if "default_tax_rates" in given:
        invoice.default_tax_rates = await lookups.tax_rates(tx, facts, params.default_tax_rates, "default_tax_rates")
    if "discounts" in given:
        invoice.discounts = await lookups.discounts(
            tx, facts, params.discounts, "discounts", decision, customer=invoice.customer, invoice=invoice.id
        )
    if params.automatic_tax is not None:
        invoice.automatic_tax = tax_rules.enabled(params.automatic_tax.enabled)
    if invoice.automatic_tax.enabled:
        await automatic_tax.know(tx, facts)
        tax_rules.check(facts.taxes, invoice.default_tax_rates)
        invoice.automatic_tax = tax_rules.enabled(True)
    _terms(invoice, params, new=new)


def _terms(invoice: Invoice, params: InvoiceWrite, *, new: bool) -> None:
    """How it is collected, and when it is due."""
    given = params.model_fields_set
    if "collection_method" in given:
        invoice.collection_method = params.collection_method
    if invoice.collection_method == "charge_automatically":
        for name in ("days_until_due", "due_date"):
            if getattr(params, name) is not None:
                raise refused(
                    "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'.", name
                )
        invoice.due_date = invoice.days_until_due = None
        return
    if params.days_until_due is not None:
        invoice.days_until_due = params.days_until_due
        invoice.due_date = invoice.created + params.days_until_due * DAY
    elif params.due_date is not None:
        if params.due_date < invoice.created:
            raise refused("`due_date` must be in the future.", "due_date")
        invoice.days_until_due, invoice.due_date = None, params.due_date
    elif invoice.due_date is None and new:
        raise refused(
            "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'.",
            "days_until_due",
            "parameter_missing",
        )


def _reschedule(facts: BillingFacts, was: Invoice, invoice: Invoice, now: int, decision: Decision) -> None:
    before = (was.auto_advance, was.automatically_finalizes_at)
    due: list[Due] = rules.scheduled(invoice, now, facts.account.settings_billing.draft_seconds)
    if (invoice.auto_advance, invoice.automatically_finalizes_at) != before:
        decision.due_cancelled.append(("invoice.finalize", invoice.id))
        decision.due += due


def _take_pending(facts: BillingFacts, invoice: Invoice, params: InvoiceCreate) -> list[InvoiceItem]:
    """The customer's waiting items in this currency: of the subscription that was named, or all."""
    waiting = [i for i in facts.pending.get(invoice.customer, []) if i.currency == invoice.currency]
    taken = [i for i in waiting if params.subscription in (None, i.subscription)]
    return sorted(taken, key=lambda item: item.id)


async def _free_number(tx: Transaction, number: str | None, id: str) -> str | None:
    if number is not None and await tx.one(query("invoices", "numbered"), number=number, id=id):
        raise refused(f"The invoice number {number} is in use already.", "number")
    return number


def _rendering(given: RenderingParams) -> Rendering:
    return Rendering(
        amount_tax_display=given.amount_tax_display or None,
        pdf=RenderingPdf(page_size=given.pdf.page_size) if given.pdf else None,
        template=given.template,
        template_version=given.template_version or None,
    )


def _payment_settings(was: InvoicePaymentSettings, given: InvoicePaymentSettingsParams) -> InvoicePaymentSettings:
    values: dict[str, Any] = {}
    if given.default_mandate is not None:
        values["default_mandate"] = given.default_mandate or None
    if given.payment_method_options is not None:
        values["payment_method_options"] = rules.method_options(method_options(given.payment_method_options))
    if given.payment_method_types is not None:
        values["payment_method_types"] = list(given.payment_method_types) or None
    return replace(was, **values)


