"""Previews: the invoice that would come next, made by the very functions that would make it, and written nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from voldaan.commands import automatic_tax as taxing
from voldaan.commands import billing, clocks, lookups, metered, schedule_facts, schedule_previews
from voldaan.commands import subscription_changes as changing
from voldaan.resources.customers import Customer, CustomerTax
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoice_params import (
    InvoiceCreatePreview,
    PreviewCustomer,
    PreviewItem,
    PreviewPause,
    PreviewSubscription,
)
from voldaan.resources.invoices import CustomerTaxId, Invoice
from voldaan.resources.subscriptions import Subscription, SubscriptionCreate, SubscriptionUpdate
from voldaan.rules import automatic_tax, changes, crediting, invoices, owing, renewals, schedules, states, tax_codes
from voldaan.rules import invoice_items as item_rules
from voldaan.rules import subscriptions as rules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision, Refusal, Refused
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import missing, refused, renamed
from voldaan.rules.subscription_fields import billing_mode
from voldaan.rules.subscription_items import check_amounts, check_items
from voldaan.store import ids
from voldaan.store.transaction import Missing, Transaction

NOBODY = "cus_preview"
NAMES = {"in": "upcoming_in", "il": "il_tmp", "ii": "ii_tmp", "si": "si_tmp", "sub": "sub_tmp"}
NOTHING_COMES = Refusal("invoice_upcoming_none", "No upcoming invoices for customer", status=404)


def new_id(prefix: str) -> str:
    """Ids that cannot be taken for those of things that exist."""
    return ids.new_id(NAMES.get(prefix, prefix))


async def create(tx: Transaction, params: InvoiceCreatePreview) -> Invoice:
    """POST /v1/invoices/create_preview"""
    if params.schedule is not None or params.schedule_details is not None:
        facts, decision = await schedule_previews.decided(tx, params, new_id)
        await taxing.keep_rates(tx, facts)
        return as_upcoming(_drawn(decision))
    facts, customer, subscription = await _who(tx, params)
    await lookups.automatic_tax(tx, facts, params.automatic_tax, [])
    scratch = Decision()
    said = params.subscription_details
    await _invoice_items(tx, facts, customer, params, subscription, scratch)
    if subscription is not None:
        made = await _of_existing(tx, facts, subscription, params, scratch)
    elif said is not None and said.items:
        made = await _of_new(tx, facts, customer, params, said, scratch)
    else:
        made = await _of_items(tx, facts, customer, params, scratch)
    lookups.suit(facts, made.currency, made.lines.data if subscription is None else None)
    await taxing.keep_rates(tx, facts)  # nothing of the preview is kept, but the tax rates that it names exist
    as_upcoming(made)
    if customer.id == NOBODY:
        made.customer = None  # type: ignore[assignment]
    return made


def as_upcoming(made: Invoice) -> Invoice:
    """The invoice as it is shown before its time."""
    made.billing_reason = "upcoming" if made.billing_reason == "subscription_cycle" else made.billing_reason
    made.auto_advance, made.automatically_finalizes_at = True, None
    return made


async def _of_existing(
    tx: Transaction, facts: BillingFacts, was: Subscription, params: InvoiceCreatePreview, scratch: Decision
) -> Invoice:
    """What a subscription is billed next, after the changes that are asked about."""
    said = params.subscription_details or PreviewSubscription()
    if was.status in states.SUBSCRIPTION_ENDED or was.status == "incomplete":
        raise Refused(NOTHING_COMES)
    if said.billing_cycle_anchor is not None and said.billing_cycle_anchor.type == "timestamp":
        raise refused(
            "`billing_cycle_anchor` of an existing subscription can only be `now` or `unchanged`.",
            "subscription_details[billing_cycle_anchor][type]",
        )
    if said.pause is not None and said.pause.model_fields_set:
        return await _of_the_pause(tx, facts, was, said.pause)
    if said.resume_at is not None:
        if was.status != "paused":
            raise refused("You can only resume a subscription if it is `paused`.", "subscription_details[resume_at]")
        param = "subscription_details[proration_date]"
        return _drawn(changing.resume(facts, was, said, "resume_on_payment_attempt", tx.now, new_id, param=param))
    if said.cancel_now:
        return await _of_the_end(tx, facts, was, said)
    decision = await _changed(tx, facts, was, params, said, scratch)
    if made := drawn(decision):
        return made
    after = facts.parties.subscriptions[was.id]
    if params.preview_mode == "recurring":
        facts.pending = {}
        for item in after.items.data:
            item.debits = []
            item.__post_init__()
        after = facts.parties.subscriptions[was.id] = replace(after, billing_schedules=[])
    debits = await schedule_facts.know_due(tx, facts)
    await metered.know_more(tx, facts)
    return _drawn(schedules.renew(facts, debits, after, after.current_period_end, new_id))


async def _changed(
    tx: Transaction,
    facts: BillingFacts,
    was: Subscription,
    params: InvoiceCreatePreview,
    said: PreviewSubscription,
    scratch: Decision,
) -> Decision:
    """The changes decided as an update would decide them."""
    given: dict[str, Any] = {
        name: getattr(said, name)
        for name in ("billing_schedules", "cancel_at", "cancel_at_period_end", "default_tax_rates", "metadata")
        if name in said.model_fields_set
    }
    if "discounts" in params.model_fields_set:
        given["discounts"] = params.discounts
    update = SubscriptionUpdate(
        items=said.items,
        proration_behavior=said.proration_behavior,
        proration_date=said.proration_date,
        trial_end=said.trial_end,
        automatic_tax=params.automatic_tax,
        **given,
    )
    changed = await changing.fields(tx, facts, was, update, scratch)
    if params.discounts == "":
        changed = replace(changed, ignores_customers_discount=True)
    change = await changing.change_of(tx, facts, was, update, scratch)
    if said.billing_cycle_anchor is not None:
        assert said.billing_cycle_anchor.type != "timestamp"
        change.anchor = said.billing_cycle_anchor.type
    change.collect = "later"
    facts.parties.subscriptions[was.id] = changed
    with _of_details("billing_schedules"):
        return changes.apply(facts, was, changed, change, tx.now, new_id)


@contextmanager
def _of_details(name: str) -> Iterator[None]:
    """What is wrong with this parameter of a subscription stands in `subscription_details` here."""
    try:
        yield
    except Refused as no:
        param = no.refusal.param or ""
        if not param.startswith(name):
            raise
        raise renamed(no, f"subscription_details[{name}]{param.removeprefix(name)}") from None


async def _of_the_pause(tx: Transaction, facts: BillingFacts, was: Subscription, pause: PreviewPause) -> Invoice:
    """What is billed when the subscription is paused now; nothing, where that makes items that wait."""
    changing.check_pausable(was)
    if pause.invoicing_behavior != "invoice":
        raise Refused(NOTHING_COMES)
    return _drawn(await changing.pause(tx, facts, was, pause, new_id))


async def _of_the_end(tx: Transaction, facts: BillingFacts, was: Subscription, said: PreviewSubscription) -> Invoice:
    """What is billed when the subscription is canceled now: what waits, and what is given back."""
    at = tx.now if said.proration_date is None else said.proration_date
    if said.proration_behavior != "none":
        debits = await lookups.debits(tx, was.items.data)
        facts.pending.setdefault(was.customer, []).extend(crediting.credits(facts, was, debits, at, new_id))
    owing.end_subscription(facts.parties, was, tx.now, None)
    return _drawn(renewals.final_invoice(facts, facts.parties.subscriptions[was.id], tx.now, new_id))


async def _of_new(
    tx: Transaction,
    facts: BillingFacts,
    customer: Customer,
    params: InvoiceCreatePreview,
    said: PreviewSubscription,
    scratch: Decision,
) -> Invoice:
    """The first invoice of a subscription that does not exist yet."""
    given: dict[str, Any] = {}
    if said.cancel_at not in (None, ""):
        given["cancel_at"] = said.cancel_at
    if said.billing_cycle_anchor is not None and said.billing_cycle_anchor.timestamp is not None:
        given["billing_cycle_anchor"] = said.billing_cycle_anchor.timestamp
    if said.billing_mode is not None:
        given["billing_mode"] = said.billing_mode
    if said.start_date is not None and said.start_date < tx.now:
        given["backdate_start_date"] = said.start_date
    if said.trial_end is not None:
        given["trial_end"] = said.trial_end
    if said.billing_schedules:
        given["billing_schedules"] = said.billing_schedules
    wanted = SubscriptionCreate(
        customer=customer.id,
        payment_behavior="default_incomplete",
        automatic_tax=params.automatic_tax,
        proration_behavior=said.proration_behavior,
        cancel_at_period_end=bool(said.cancel_at_period_end),
        metadata=said.metadata,
        **given,
    )
    id = new_id("sub")
    items = await lookups.new_items(
        tx, facts, said.items, customer=customer.id, subscription=id, decision=scratch, param="subscription_details[items]"
    )
    currency = params.currency or facts.catalogue.prices[items[0].price].currency
    named = [(item.price, f"subscription_details[items][{number}][price]") for number, item in enumerate(items)]
    inline = {made.id for made in scratch.inserts}
    check_items(facts.catalogue, named, currency, billing_mode(said.billing_mode).type, fixed=inline)
    params_of = [f"subscription_details[items][{number}][quantity]" for number in range(len(items))]
    check_amounts(facts.catalogue, items, currency, params_of)
    new = rules.Beginning(
        id=id,
        params=wanted,
        customer=customer,
        currency=currency,
        items=items,
        discounts=await _discounts(tx, facts, customer, params, scratch),
        ignores_customers_discount=params.discounts == "",
        default_tax_rates=await lookups.tax_rates(
            tx, facts, said.default_tax_rates, "subscription_details[default_tax_rates]"
        ),
    )
    with _of_details("billing_schedules"):
        begun = rules.begin(facts, new, tx.now, new_id)
    return drawn(begun) or _of_nothing(facts, customer, facts.parties.subscriptions[id], tx.now)


def _of_nothing(facts: BillingFacts, customer: Customer, subscription: Subscription, now: int) -> Invoice:
    """What a subscription of nothing but usage costs when it begins."""
    invoice = invoices.draft(
        facts, customer, id=new_id("in"), currency=subscription.currency, now=now, reason="subscription_create",
        period_start=now, period_end=now, subscription=subscription,
    )  # fmt: skip
    invoices.complete(facts, invoice, [])
    return invoice


async def _of_items(
    tx: Transaction, facts: BillingFacts, customer: Customer, params: InvoiceCreatePreview, scratch: Decision
) -> Invoice:
    """A one-off invoice for what waits, and for the items that are asked about."""
    waiting = facts.pending.get(customer.id, [])
    currency = params.currency or customer.currency or (waiting[0].currency if waiting else tx.account.default_currency)
    taken = [item for item in waiting if item.currency == currency and item.subscription is None]
    if not taken:
        raise Refused(NOTHING_COMES)
    invoice = invoices.draft(
        facts, customer, id=new_id("in"), currency=currency, now=tx.now, reason="upcoming",
        period_start=tx.now, period_end=tx.now,
    )  # fmt: skip
    invoice.discounts = [customer.discount.id] if customer.discount else []
    if "discounts" in params.model_fields_set:
        invoice.discounts = await _discounts(tx, facts, customer, params, scratch)
    if params.automatic_tax is not None:
        invoice.automatic_tax = automatic_tax.enabled(params.automatic_tax.enabled)
    _, drawn = renewals.sweep(sorted(taken, key=lambda item: item.id), invoice, new_id)
    invoices.complete(facts, invoice, drawn)
    return invoice


async def _invoice_items(
    tx: Transaction,
    facts: BillingFacts,
    customer: Customer,
    params: InvoiceCreatePreview,
    subscription: Subscription | None,
    scratch: Decision,
) -> None:
    """Adds the items that are asked about to those that wait, or changes these."""
    waiting = facts.pending.setdefault(customer.id, [])
    for number, want in enumerate(params.invoice_items):
        here = f"invoice_items[{number}]"
        was = next((item for item in waiting if item.id == want.invoiceitem), None)
        if want.invoiceitem is not None and was is None:
            raise Missing("invoiceitem", want.invoiceitem, f"{here}[invoiceitem]")
        item = await _item(tx, facts, customer, want, was, subscription, params.currency, here, scratch)
        if was is not None:
            waiting.remove(was)
        waiting.append(item)


async def _item(
    tx: Transaction,
    facts: BillingFacts,
    customer: Customer,
    want: PreviewItem,
    was: InvoiceItem | None,
    subscription: Subscription | None,
    currency: str | None,
    here: str,
    scratch: Decision,
) -> InvoiceItem:
    price = want.price
    if want.price_data is not None:
        price = (await lookups.inline_price(tx, facts, want.price_data, f"{here}[price_data]", scratch)).id
    elif price is not None:
        await lookups.know_prices(tx, facts, [(price, f"{here}[price]")])
    unit = want.unit_amount_decimal if want.unit_amount is None else Decimal(want.unit_amount)
    if want.quantity_decimal is not None:
        quantity = want.quantity_decimal
    else:
        quantity = Decimal(want.quantity) if want.quantity is not None else was.quantity_decimal if was else Decimal(1)
    currency = want.currency or (was.currency if was else None) or (subscription.currency if subscription else None) or currency
    if price is not None:
        currency = currency or facts.catalogue.prices[price].currency
        item_rules.check_price(replace(facts.catalogue.prices[price], active=True), currency, f"{here}[price]")
    amount = want.amount
    if was is not None and (price, unit, amount) == (None, None, None):
        price, unit, amount = was.price, None if was.price else was.unit_amount_decimal, was.amount
        amount = None if price or unit is not None else amount
        await billing.know(tx, facts, prices=[price] if price else [])
    if (price, unit, amount) == (None, None, None):
        raise missing(f"{here}[amount]")
    given = want.model_fields_set
    return item_rules.make(
        facts.catalogue,
        id=was.id if was else new_id("ii"),
        customer=customer.id,
        currency=currency or customer.currency or tx.account.default_currency,
        livemode=tx.account.livemode,
        now=tx.now,
        quantity=quantity,
        price=price,
        amount=amount,
        unit_amount=unit,
        period=(want.period.start, want.period.end) if want.period else (was.period_start, was.period_end) if was else None,
        description=want.description or (was.description if was else None),
        discountable=want.discountable if want.discountable is not None else (amount or 0) >= 0,
        discounts=await lookups.discounts(tx, facts, want.discounts, f"{here}[discounts]", scratch, customer=customer.id)
        if "discounts" in given or was is None
        else was.discounts,
        metadata=merged(was.metadata if was else {}, want.metadata),
        proration=was.proration if was else False,
        subscription=was.subscription if was else subscription.id if subscription else None,
        tax_rates=await lookups.tax_rates(tx, facts, want.tax_rates, f"{here}[tax_rates]")
        if "tax_rates" in given or was is None
        else was.tax_rates,
        tax_behavior=want.tax_behavior or (was.tax_behavior if was else None),
        tax_code=tax_codes.own(want.tax_code, f"{here}[tax_code]") if "tax_code" in given or was is None else was.tax_code,
        test_clock=customer.test_clock,
    )


async def _who(
    tx: Transaction, params: InvoiceCreatePreview
) -> tuple[BillingFacts, Customer, Subscription | None]:
    """The customer, who need not exist, and the subscription."""
    facts, subscription = await billing.load_named(tx, params.customer, params.subscription)
    owner = subscription.customer if subscription else params.customer
    if owner is None:
        if params.customer_details is None:
            raise missing("customer")
        customer = _nobody(tx, params.customer_details)
        facts.parties.customers[NOBODY] = customer
        ids_of = params.customer_details.tax_ids
        facts.tax_ids[NOBODY] = [CustomerTaxId(type=t.type, value=t.value) for t in ids_of]
        return facts, customer, None
    found = billing.living(facts, owner)
    if params.customer is not None and subscription is not None and params.customer != subscription.customer:
        raise refused("The subscription does not belong to the customer.", "subscription")
    await clocks.now_for(tx, found.test_clock)
    await metered.know(tx, facts)
    return facts, found, subscription


def _nobody(tx: Transaction, given: PreviewCustomer) -> Customer:
    ip_address = given.tax.ip_address or None if given.tax else None
    return Customer(
        id=NOBODY,
        address=given.address.address() if given.address else None,
        created=tx.now,
        invoice_prefix="PREVIEW",
        livemode=tx.account.livemode,
        shipping=given.shipping.shipping() if given.shipping else None,
        tax=CustomerTax(ip_address=ip_address),
        tax_exempt=given.tax_exempt or "none",
    )


async def _discounts(
    tx: Transaction, facts: BillingFacts, customer: Customer, params: InvoiceCreatePreview, scratch: Decision
) -> list[str]:
    owner = None if customer.id == NOBODY else customer.id
    return await lookups.discounts(tx, facts, params.discounts, "discounts", scratch, customer=owner)


def _drawn(decision: Decision) -> Invoice:
    made = drawn(decision)
    if made is None:
        raise Refused(NOTHING_COMES)
    return made


def drawn(decision: Decision) -> Invoice | None:
    """The draft that a decision makes, as it was before it was finalized; None if it bills nothing."""
    return next((made for made in decision.inserts if isinstance(made, Invoice)), None)
