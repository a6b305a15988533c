"""Invoices: how a draft is made and what it comes to. What finalization does to it is in rules/finalization.py, which verbs
a state allows in rules/invoice_verbs.py. Amounts are minor units."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import ListObject
from voldaan.resources.billing import CustomField, InvoiceCardOptions, InvoicePaymentMethodOptions, PaymentMethodOptions
from voldaan.resources.customers import Customer
from voldaan.resources.invoices import (
    CustomerTaxId,
    Invoice,
    InvoicePaymentSettings,
    Rendering,
)
from voldaan.resources.line_items import LineItem
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import automatic_tax, credits_used, shipping, totals
from voldaan.rules.automatic_tax import Buyer
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.credits_used import Use
from voldaan.rules.decision import Due
from voldaan.rules.ids import NewId
from voldaan.rules.money import minimum_charge, round_to_step

DAY = 86_400
EMBEDDED = 10  # lines that an invoice shows of itself; the rest is at the list's address


def draft(
    facts: BillingFacts,
    customer: Customer,
    *,
    id: str,
    currency: str,
    now: int,
    reason: Any,
    period_start: int,
    period_end: int,
    subscription: Subscription | None = None,
) -> Invoice:
    """An empty draft with what it takes over from customer and subscription. `complete` adds lines and amounts."""
    invoice = Invoice(
        id=id,
        account_country=facts.account.country,
        account_name=facts.account.business_name,
        billing_reason=reason,
        created=now,
        currency=currency,
        customer=customer.id,
        lines=ListObject(data=[], url=f"/v1/invoices/{id}/lines"),
        livemode=facts.account.livemode,
        period_end=period_end,
        period_start=period_start,
        test_clock=customer.test_clock,
        webhooks_delivered_at=now,
    )
    of_customer(invoice, customer, facts.tax_ids.get(customer.id, []))
    settings = customer.invoice_settings
    invoice.custom_fields = _fields(settings.custom_fields)
    invoice.footer = settings.footer
    if options := settings.rendering_options:
        invoice.rendering = Rendering(amount_tax_display=options.amount_tax_display, template=options.template)
    if subscription is None:
        return invoice
    invoice.subscription = subscription.id
    invoice.subscription_metadata = subscription.metadata
    invoice.collection_method = subscription.collection_method
    invoice.default_tax_rates = list(subscription.default_tax_rates or [])
    invoice.description = subscription.invoice_settings.description
    own = subscription.invoice_settings
    invoice.custom_fields = own.custom_fields or invoice.custom_fields
    invoice.footer = own.footer or invoice.footer
    invoice.account_tax_ids = own.account_tax_ids
    if subscription.automatic_tax.enabled:
        invoice.automatic_tax = automatic_tax.enabled(True)
    payment = subscription.payment_settings
    if payment and not (payment.payment_method_options is None and payment.payment_method_types is None):
        invoice.payment_settings = InvoicePaymentSettings(
            payment_method_options=method_options(payment.payment_method_options),
            payment_method_types=payment.payment_method_types,
        )
    if subscription.collection_method == "send_invoice":
        invoice.days_until_due = subscription.days_until_due
        invoice.due_date = now + (subscription.days_until_due or 0) * DAY
    invoice.__post_init__()
    return invoice


def method_options(given: PaymentMethodOptions | None) -> InvoicePaymentMethodOptions | None:
    """Of what a subscription tells to payment methods, what an invoice tells them."""
    if given is None:
        return None
    card = InvoiceCardOptions(request_three_d_secure=given.card.request_three_d_secure) if given.card else None
    return InvoicePaymentMethodOptions(
        card=card, customer_balance=given.customer_balance, sepa_debit=given.sepa_debit
    )


def of_customer(invoice: Invoice, customer: Customer, tax_ids: list[CustomerTaxId]) -> None:
    """What an invoice says of its customer; a draft follows the customer, a finalized invoice does not."""
    invoice.customer_address = customer.address
    invoice.customer_email = customer.email
    invoice.customer_name = customer.name
    invoice.customer_phone = customer.phone
    invoice.customer_shipping = customer.shipping
    invoice.customer_tax_exempt = customer.tax_exempt
    invoice.customer_tax_ids = tax_ids


def complete(facts: BillingFacts, invoice: Invoice, lines: list[LineItem], at: int | None = None) -> None:
    """Gives a draft that nobody else holds its lines, in the order they are shown in, and all amounts.

    `at` says which discounts are in force; if not given, its creation.
    """
    if at is None and len(lines) > 1:
        _put_in_order(lines)
    lines.sort(key=lambda line: line.id)
    _compute(facts, invoice, lines, invoice.created if at is None else at, invoice.created)
    invoice.lines = ListObject(data=lines, url=f"/v1/invoices/{invoice.id}/lines")
    invoice.starting_balance = facts.parties.customers[invoice.customer].balance
    invoice.amount_due = invoice.amount_remaining = max(0, invoice.total + invoice.starting_balance)


def _compute(
    facts: BillingFacts, invoice: Invoice, lines: list[LineItem], at: int, now: int, new_id: NewId | None = None
) -> list[tuple[LineItem, Use]]:
    """Discounts in force at `at`; credits and tax as of `now`. Automatic tax is always rounded per rate, other tax as the
    book says."""
    rounding = facts.account.settings_billing.tax_rounding
    shipped = shipping.line_of(invoice)
    taxed = lines if shipped is None else [*lines, shipped]
    if invoice.automatic_tax.enabled:
        customer = facts.parties.customers[invoice.customer]
        buyer = Buyer(customer, facts.tax_ids.get(customer.id, []), payment_method(facts, invoice))
        automatic_tax.apply(facts.taxes, facts.catalogue, invoice, taxed, buyer, now)
        rounding = "per_rate"
    else:
        automatic_tax.forget(invoice, taxed)
    grants = credits_used.usable(facts.parties.grants.get(invoice.customer, {}), invoice, now)
    paying = credits_used.paying(grants, new_id)
    return totals.compute(invoice, lines, shipped, facts.catalogue, at, rounding, paying)


def is_charged(invoice: Invoice) -> bool:
    """Whether finalizing this draft leaves anything to collect."""
    return due_of(invoice, invoice.starting_balance)[0] > 0


def _put_in_order(lines: list[LineItem]) -> None:
    """The lines of a new invoice take their ids in the order in which they are shown: what had waited, then the items of
    the subscription, each the latest first; what these lack to a minimum. What is added to a draft later comes last."""
    ids = sorted(line.id for line in lines)
    latest_first = sorted(lines, key=lambda line: (line.commitment is None, line.id), reverse=True)
    for id, line in zip(ids, latest_first, strict=True):
        line.id = id


def told(invoice: Invoice) -> Invoice:
    """The invoice as an event tells of it: with its first lines only."""
    lines = invoice.lines
    if len(lines.data) <= EMBEDDED:
        return invoice
    return replace(invoice, lines=ListObject(data=lines.data[:EMBEDDED], has_more=True, url=lines.url))


def scheduled(invoice: Invoice, now: int, draft_seconds: int) -> list[Due]:
    """When a draft that advances by itself is finalized; null for one that waits for somebody."""
    if not invoice.auto_advance:
        invoice.automatically_finalizes_at = None
        return []
    at = invoice.automatically_finalizes_at or now + draft_seconds
    invoice.automatically_finalizes_at = at
    return [Due("invoice.finalize", invoice.id, at, invoice.test_clock)]


def _fields(fields: Any) -> list[CustomField] | None:
    return [CustomField(name=f.name, value=f.value) for f in fields] if fields else None


def priced_anew(
    facts: BillingFacts, was: Invoice, now: int, new_id: NewId
) -> tuple[Invoice, list[tuple[LineItem, Use]]]:
    """The draft as of this instant, and what billing credits now pay of it.

    Since it was made, tax rates, registrations and addresses may have changed, and whether the customer is exempt; credits
    that it showed may have been used by others, or have ended.
    """
    fresh = [replace(line) for line in was.lines.data]
    invoice = replace(was, lines=ListObject(data=fresh, url=was.lines.url))
    of_customer(invoice, facts.parties.customers[was.customer], facts.tax_ids.get(was.customer, []))
    return invoice, _compute(facts, invoice, fresh, was.created, now, new_id)


def payment_method(facts: BillingFacts, invoice: Invoice) -> PaymentMethod | None:
    """What an invoice is collected from: its own method, the subscription's, or the customer's default."""
    subscription = facts.parties.subscriptions.get(invoice.subscription or "")
    return _first_method(facts, invoice.default_payment_method, subscription, invoice.customer)


def payment_method_of(facts: BillingFacts, subscription: Subscription) -> PaymentMethod | None:
    """What a subscription's next invoice is collected from."""
    return _first_method(facts, None, subscription, subscription.customer)


def _first_method(
    facts: BillingFacts, own: str | None, subscription: Subscription | None, owner: str
) -> PaymentMethod | None:
    for id in method_ids(own, subscription, facts.parties.customers[owner]):
        method = facts.methods.get(id)
        if method is not None and method.customer == owner:
            return method
    return None


def method_ids(own: str | None, subscription: Subscription | None, customer: Customer) -> list[str]:
    """Payment methods in the order in which they are used (docs/behaviour-billing.md, "Which payment method")."""
    ids = [own]
    if subscription is not None:
        ids += [subscription.default_payment_method, subscription.default_source]
    ids += [customer.invoice_settings.default_payment_method, customer.default_source]
    return [id for id in ids if id]


def due_of(invoice: Invoice, balance: int) -> tuple[int, int]:
    """What is to be collected, and the customer's balance afterwards.

    Credit pays, debt is billed, a negative total becomes credit. What is too little to be charged, or not a sum that
    exists in coins, stays on the balance.
    """
    due = invoice.total + balance
    if due <= 0:
        return 0, due
    if due < minimum_charge(invoice.currency):
        return 0, due
    charged = round_to_step(due, invoice.currency)
    return charged, due - charged


