"""Invoices: how a draft is made, and what finalization does to it. Which verbs a state allows is in rules/invoice_verbs.py.

Finalization and all after it put what they changed back into the facts (see rules/collection.py). Postings are added by
commands/posting.py. Amounts are minor units.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from msgspec.structs import replace

from voldaan.resources.accounts import Account
from voldaan.resources.base import ListObject
from voldaan.resources.billing import CustomField, InvoiceCardOptions, InvoicePaymentMethodOptions, PaymentMethodOptions
from voldaan.resources.credit_balance import CreditBalanceTransaction
from voldaan.resources.customers import Customer
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.invoice_rendering_templates import InvoiceRenderingTemplate
from voldaan.resources.invoices import (
    ConfirmationSecret,
    CustomerTaxId,
    Invoice,
    InvoicePaymentSettings,
    Rendering,
)
from voldaan.resources.line_items import LineItem
from voldaan.resources.payment_intents import CardOptions
from voldaan.resources.payment_intents import PaymentMethodOptions as IntentOptions
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.subscriptions import Subscription
from voldaan.resources.usage_periods import UsagePeriod
from voldaan.rules import attempts, automatic_tax, collection, credit_grants, owing, payments, shipping, totals
from voldaan.rules.automatic_tax import Buyer, TaxFacts
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.commitments import Commitments
from voldaan.rules.credit_grants import Use
from voldaan.rules.customer_balance_transactions import move
from voldaan.rules.decision import Decision, Due, Event, Refusal, Update
from voldaan.rules.ids import NewId
from voldaan.rules.invoice_rendering_templates import filled_in
from voldaan.rules.money import minimum_charge, round_to_step
from voldaan.rules.owing import CollectionFacts, Parties
from voldaan.rules.promotion_codes import Redemption
from voldaan.rules.reminders import before_due
from voldaan.rules.usage import UsageKey

DAY = 86_400
EMBEDDED = 10  # lines that an invoice shows of itself; the rest is at the list's address


@dataclass(slots=True)
class Numbering:
    """One series of numbers for the whole book; where customers have their own, there is none."""

    prefix: str
    next: int


@dataclass(slots=True)
class BillingFacts:
    """What a batch of billing must know. `pending` holds, by customer, the invoice items that wait for an invoice."""

    account: Account
    catalogue: Catalogue
    parties: Parties
    site: str                                        # the address of hosted pages
    wall: int                                        # real time, for attempts
    methods: dict[str, PaymentMethod] = field(default_factory=dict)
    tax_ids: dict[str, list[CustomerTaxId]] = field(default_factory=dict)
    pending: dict[str, list[InvoiceItem]] = field(default_factory=dict)
    numbering: Numbering | None = None
    templates: dict[str, InvoiceRenderingTemplate] = field(default_factory=dict)
    commitments: Commitments = field(default_factory=Commitments)
    redeemed: list[Redemption] = field(default_factory=list)  # by this request, not yet held against what is bought
    taxes: TaxFacts | None = None                    # where somebody has automatic tax
    usage: dict[UsageKey, Decimal] = field(default_factory=dict)
    usage_at: int = 0                                # when usage was asked for: what begins later has none yet
    usage_periods: dict[str, UsagePeriod] = field(default_factory=dict)  # billed, and perhaps to be billed further
    usage_items: dict[str, InvoiceItem] = field(default_factory=dict)    # that lines of drafts with usage stand for
    late_events: dict[str, str] = field(default_factory=dict)            # by meter: what becomes of late usage
    _sorted_periods: tuple[int, dict[str, list[str]]] = (0, {})  # how many, and their ids by subscription

    def usage_periods_of(self, subscription: str) -> list[UsagePeriod]:
        """Those of one subscription, in the order of their ids. A batch sorts all of them once: none goes or moves."""
        if self._sorted_periods[0] != len(self.usage_periods):
            self._sorted_periods = (len(self.usage_periods), {})
            for id in sorted(self.usage_periods):
                self._sorted_periods[1].setdefault(self.usage_periods[id].subscription, []).append(id)
        return [self.usage_periods[id] for id in self._sorted_periods[1].get(subscription, ())]


# Drafts ----------------------------------------------------------------------------------------------------------------


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
    shipping.keep(invoice, shipped, facts.catalogue.tax_rates)
    grants = credit_grants.usable(facts.parties.grants.get(invoice.customer, {}), invoice, now)
    return totals.compute(invoice, lines, facts.catalogue, at, rounding, credit_grants.paying(grants, new_id))


def is_charged(invoice: Invoice) -> bool:
    """Whether finalizing this draft leaves anything to collect."""
    return due_of(invoice, invoice.starting_balance)[0] > 0


def _put_in_order(lines: list[LineItem]) -> None:
    """The lines of a new invoice take their ids in the order in which they are shown: what had waited, then the items of
    the subscription, each the latest first. What is added to a draft later comes last."""
    ids = sorted(line.id for line in lines)
    latest_first = sorted(lines, key=lambda line: line.id, reverse=True)
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


# Finalization ----------------------------------------------------------------------------------------------------------

Collect = Literal["off_session", "on_session", "later"]


def finalize(
    facts: BillingFacts, invoice: Invoice, now: int, new_id: NewId, *, collect: Collect = "off_session"
) -> tuple[Decision, CollectionFacts]:
    """A draft, with all of its lines, becomes an invoice: numbered, its amounts final, the customer's balance used.

    What is then to be paid gets a payment intent and, unless collection waits (`later`), an attempt with the best
    payment method there is. Nothing to be paid: it is paid.
    """
    customer = facts.parties.customers[invoice.customer]
    was, priced = invoice, Decision()
    grants = facts.parties.grants.get(customer.id, {})
    exempt = invoice.customer_tax_exempt != customer.tax_exempt  # otherwise than when the draft was made
    if invoice.automatic_tax.enabled or exempt or credit_grants.matter(grants, invoice, now):
        invoice, uses = _priced_anew(facts, was, now, new_id)
        if no := automatic_tax.refusal(invoice):
            return not_finalized(facts, invoice, was, no, automatic_tax.again(invoice, now))
        priced = credit_grants.used(grants, invoice, uses, now)
        both = zip(invoice.lines.data, was.lines.data, strict=True)
        priced.updates += [Update(line, before) for line, before in both if line != before]
    number = invoice.number
    if number is None:
        number, customer = _number(facts, customer)
    due, ending = due_of(invoice, customer.balance)
    subscription = facts.parties.subscriptions.get(invoice.subscription or "")
    opened = replace(
        invoice,
        status="open",
        number=number,
        finalized_at=now,
        effective_at=now if invoice.effective_at is None else invoice.effective_at,
        starting_balance=customer.balance,
        ending_balance=ending,
        applied_balance=ending - customer.balance,
        amount_due=due,
        amount_remaining=due,
        automatically_finalizes_at=None,
        last_finalization_error=None,
        due_date=_due_date(invoice, now),
        hosted_invoice_url=(address := f"{facts.site}/i/{facts.account.id}/{invoice.id}_{new_id('')[10:]}"),
        invoice_pdf=f"{address}/pdf",
        subscription_metadata=subscription.metadata if subscription else None,
        **filled_in(invoice, facts.templates),
    )
    of_customer(opened, customer, facts.tax_ids.get(customer.id, []))
    decision = Decision(due_cancelled=[("invoice.finalize", invoice.id)] if invoice.automatically_finalizes_at else [])
    decision.add(priced)
    _use_balance(facts, decision, opened, customer, now, new_id)
    known = CollectionFacts(opened, facts.parties, facts.account.settings_billing)
    known.applied = [made for made in priced.inserts if isinstance(made, CreditBalanceTransaction)]
    decision.updates.append(Update(opened, was))
    if not due:
        decision.events.append(Event("invoice.finalized", told(opened)))
        return decision.add(owing.settled(known, opened, now)), known
    if paused := _paused(known, now, new_id):
        decision.events.append(Event("invoice.finalized", told(opened)))
        return decision.add(paused), known
    return decision.add(_ask_for_payment(facts, known, now, new_id, collect)), known


def _priced_anew(
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


def not_finalized(
    facts: BillingFacts, draft: Invoice, was: Invoice, no: Refusal, again: int | None = None
) -> tuple[Decision, CollectionFacts]:
    """It stays a draft and says why: its tax is not known, and nothing is taken to be free of tax; or what it revises stands.

    `again` is when it is tried once more.
    """
    kept = replace(
        was,
        automatic_tax=draft.automatic_tax,
        automatically_finalizes_at=again,
        last_finalization_error=automatic_tax.error(no),
        tax_evidence=draft.tax_evidence,
        tax_failure=draft.tax_failure,
    )
    decision = Decision(updates=[Update(kept, was)], events=[Event("invoice.finalization_failed", told(kept))])
    if was.automatically_finalizes_at:
        decision.due_cancelled.append(("invoice.finalize", was.id))
    if again is not None:
        decision.due.append(Due("invoice.finalize", was.id, again, was.test_clock))
    return decision, CollectionFacts(kept, facts.parties, facts.account.settings_billing)


def _ask_for_payment(
    facts: BillingFacts, known: CollectionFacts, now: int, new_id: NewId, collect: Collect
) -> Decision:
    invoice, subscription = known.invoice, known.subscription
    method = payment_method(facts, invoice)
    intent = payments.intent_for_invoice(
        invoice, method, now, new_id=new_id, clock=known.clock, off_session_later=subscription is not None
    )
    options = invoice.payment_settings.payment_method_options
    if options is not None and options.card is not None and options.card.request_three_d_secure is not None:
        asked = CardOptions(request_three_d_secure=options.card.request_three_d_secure)
        intent = replace(intent, payment_method_options=IntentOptions(card=asked))
    invoice.confirmation_secret = ConfirmationSecret(client_secret=intent.client_secret or "")
    payment = InvoicePayment(
        id=new_id("inpay"),
        amount_requested=invoice.amount_due,
        created=now,
        currency=invoice.currency,
        invoice=invoice.id,
        is_default=True,
        livemode=invoice.livemode,
        payment_intent=intent.id,
    )
    known.payments.append(payment)
    decision = Decision(inserts=[payment], events=[Event("invoice.finalized", told(invoice))])
    if invoice.collection_method == "send_invoice":
        decision.inserts.append(intent)
        decision.events.append(Event("payment_intent.created", intent))
        if invoice.auto_advance:
            decision.events.append(Event("invoice.sent", told(invoice)))
        if invoice.due_date is not None:
            decision.due.append(Due("invoice.overdue", invoice.id, max(invoice.due_date, now), known.clock))
            decision.due += before_due(facts.account.settings_billing, invoice, now)
        return decision
    decision.events.append(Event("payment_intent.created", intent))
    if collect == "later" or method is None:
        decision.inserts.append(intent)
        if collect == "off_session":
            decision.add(collection.payment_failed(known, None, now, new_id))
        return decision
    attempt = attempts.attempt_for(
        intent,
        method,
        off_session=collect == "off_session",
        initiator="merchant" if collect == "off_session" else "customer",
        now=now,
        wall=facts.wall,
        new_id=new_id,
    )
    decision.inserts.append(payments.dispatched(intent, attempt))
    return decision.add(attempts.dispatch(attempt))


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


def _number(facts: BillingFacts, customer: Customer) -> tuple[str, Customer]:
    """The next number of the customer's series, or of the book's."""
    if facts.numbering is not None:
        facts.numbering.next += 1
        return f"{facts.numbering.prefix}-{facts.numbering.next - 1:04}", customer
    number = f"{customer.invoice_prefix}-{customer.next_invoice_sequence:04}"
    return number, replace(customer, next_invoice_sequence=customer.next_invoice_sequence + 1)


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


def _due_date(invoice: Invoice, now: int) -> int | None:
    if invoice.collection_method != "send_invoice":
        return None
    if invoice.days_until_due is not None:
        return now + invoice.days_until_due * DAY
    return now if invoice.due_date is None else invoice.due_date


def _use_balance(
    facts: BillingFacts, decision: Decision, invoice: Invoice, customer: Customer, now: int, new_id: NewId
) -> None:
    """Moves the customer's balance and counter on."""
    was = facts.parties.customers[customer.id]
    if invoice.applied_balance:
        too_small = invoice.amount_due == 0 and (invoice.ending_balance or 0) > 0
        customer, transaction = move(
            customer,
            invoice.applied_balance,
            "invoice_too_small" if too_small else "applied_to_invoice",
            id=new_id("cbtxn"),
            at=now,
            currency=invoice.currency,
            invoice=invoice.id,
        )
        decision.inserts.append(transaction)
        decision.events.append(Event("customer.updated", customer, was))
    if customer is not was:
        facts.parties.customers[customer.id] = customer
        decision.updates.append(Update(customer, was))


def _paused(known: CollectionFacts, now: int, new_id: NewId) -> Decision | None:
    """What pause_collection of the subscription makes of a new invoice."""
    subscription = known.subscription
    if subscription is None or subscription.pause_collection is None:
        return None
    match subscription.pause_collection.behavior:
        case "mark_uncollectible":
            return owing.mark_uncollectible(known, now, "subscription_paused")
        case "void":
            return owing.void(known, now, new_id)
        case _:
            return None
