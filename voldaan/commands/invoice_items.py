"""Invoice items: amounts that wait for an invoice, or that are put on a draft."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from voldaan.commands import billing, clocks, lookups
from voldaan.commands.invoice_drafts import recompute, save
from voldaan.commands.invoices import load_draft
from voldaan.resources.invoice_items import (
    InvoiceItem,
    InvoiceItemCreate,
    InvoiceItemDelete,
    InvoiceItemHash,
    InvoiceItemUpdate,
)
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import invoice_items as rules
from voldaan.rules import invoices, lines, tax_codes
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.customer_balance_transactions import refusal as other_currency
from voldaan.rules.decision import Decision, Event, Refused, Update
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import missing, refused
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction


async def create(tx: Transaction, params: InvoiceItemCreate) -> InvoiceItem:
    """An item that waits for the customer's next invoice, or stands on the draft that it names."""
    facts, draft = await _for_whom(tx, params)
    customer = facts.parties.customers[params.customer]
    decision, id = Decision(), new_id("ii")
    price = await _price(tx, facts, params, decision)
    currency = _currency(tx, facts, params, draft, price)
    if no := other_currency(customer, currency):
        raise Refused(no)
    if draft is not None and draft.currency != currency:
        raise refused(f"The invoice's currency is {draft.currency}.", "currency")
    if price is not None:
        rules.check_price(replace(facts.catalogue.prices[price], active=True), currency, "pricing[price]")
    item = rules.make(
        facts.catalogue,
        id=id,
        customer=customer.id,
        currency=currency,
        livemode=tx.account.livemode,
        now=tx.now,
        quantity=_quantity(params) or Decimal(1),
        price=price,
        amount=params.amount,
        unit_amount=params.unit_amount_decimal,
        period=(params.period.start, params.period.end) if params.period else None,
        description=params.description,
        discountable=_discountable(params),
        discounts=await lookups.discounts(
            tx, facts, params.discounts, "discounts", decision, customer=customer.id, invoice_item=id
        ),
        invoice=draft.id if draft else None,
        metadata=merged({}, params.metadata),
        subscription=params.subscription or (draft.subscription if draft else None),
        tax_behavior=params.tax_behavior,
        tax_code=tax_codes.own(params.tax_code, "tax_code"),
        tax_rates=await lookups.tax_rates(tx, facts, params.tax_rates, "tax_rates"),
        test_clock=customer.test_clock,
    )
    if draft is None:
        lookups.suit(facts, currency, [item])
    decision.inserts.append(item)
    decision.events.append(Event("invoiceitem.created", item))
    if draft is not None:
        put_on(facts, draft, [lines.for_invoice_item(item, draft.id, new_id)], decision)
    if customer.currency is None:
        own = replace(customer, currency=currency)
        decision.updates.append(Update(own, customer))
        decision.events.append(Event("customer.updated", own, customer))
    await save(tx, facts, decision)
    return item


async def update(tx: Transaction, params: InvoiceItemUpdate, id: str) -> InvoiceItem:
    """Changes an item that waits, or stands on a draft."""
    facts, draft, was = await _load(tx, id)
    no = rules.not_editable(was, draft.status if draft else None, params.model_fields_set)
    if no:
        raise Refused(no)
    decision = Decision()
    item = await _changed(tx, facts, was, params, decision)
    if draft is None:
        lookups.suit(facts, item.currency, [item])
    decision.updates.append(Update(item, was))
    if draft is not None:
        _redraw(facts, draft, item, decision)
    await save(tx, facts, decision)
    return item


async def delete(tx: Transaction, params: InvoiceItemDelete, id: str) -> dict[str, object]:
    """Takes back an item that waits, or stands on a draft."""
    facts, draft, was = await _load(tx, id)
    if draft is not None and draft.status != "draft":
        raise refused(
            "You can only delete invoice items that are not part of a finalized invoice.", code="invoice_not_editable"
        )
    decision = Decision(deletes=[was], events=[Event("invoiceitem.deleted", was)])
    if draft is not None:
        gone = [line for line in draft.lines.data if line.invoice_item == id]
        take_off(facts, draft, gone, decision)
        decision.updates.insert(0, Update(replace(was, invoice=None), was))
    await save(tx, facts, decision)
    return {"id": id, "object": "invoiceitem", "deleted": True}


# What a draft's lines need too -------------------------------------------------------------------------------------------


def put_on(facts: BillingFacts, draft: Invoice, new: list[LineItem], decision: Decision) -> Invoice:
    """The draft with these new lines."""
    invoice = replace(draft)
    recompute(facts, draft, invoice, draft.lines.data, decision, new)
    decision.inserts += new
    decision.updates.append(Update(invoice, draft))
    decision.events.append(Event("invoice.updated", invoices.told(invoice), invoices.told(draft)))
    return invoice


def take_off(facts: BillingFacts, draft: Invoice, gone: list[LineItem], decision: Decision) -> Invoice:
    """The draft without these lines."""
    invoice = replace(draft)
    ids = {line.id for line in gone}
    recompute(facts, draft, invoice, [line for line in draft.lines.data if line.id not in ids], decision)
    decision.deletes[:0] = gone
    decision.updates.append(Update(invoice, draft))
    decision.events.append(Event("invoice.updated", invoices.told(invoice), invoices.told(draft)))
    return invoice


async def _changed(
    tx: Transaction, facts: BillingFacts, was: InvoiceItem, params: InvoiceItemUpdate, decision: Decision
) -> InvoiceItem:
    given = params.model_fields_set
    values = rules.plain(was, params)
    if "tax_rates" in given:
        values["tax_rates"] = await lookups.tax_rates(tx, facts, params.tax_rates, "tax_rates")
    if params.tax_behavior is not None:
        values["tax_behavior"] = params.tax_behavior
    if "tax_code" in given:
        values["tax_code"] = tax_codes.own(params.tax_code, "tax_code")
    if "discounts" in given:
        values["discounts"] = await lookups.discounts(
            tx, facts, params.discounts, "discounts", decision, customer=was.customer, invoice_item=was.id
        )
    quantity = _quantity(params)
    if quantity is not None:
        values["quantity_decimal"] = quantity
    item = replace(was, **values)
    price = await _price(tx, facts, params, decision)
    if price is not None:
        rules.check_price(replace(facts.catalogue.prices[price], active=True), was.currency, "pricing[price]")
    amount, unit = params.amount, params.unit_amount_decimal
    if (price, amount, unit) == (None, None, None):
        if quantity is None:
            return item
        price, unit = was.price, None if was.price else was.unit_amount_decimal
        if price is None and unit is None:
            raise refused("You can only change the quantity of an item with a unit amount or a price.", "quantity")
        await billing.know(tx, facts, prices=[price] if price else [])
    item = replace(item, usage=None)  # it says what somebody wants it to say
    return rules.priced(facts.catalogue, item, price=price, amount=amount, unit_amount=unit)


def _redraw(facts: BillingFacts, draft: Invoice, item: InvoiceItem, decision: Decision) -> None:
    """The item's line says what the item now says."""
    invoice = replace(draft)
    redrawn = []
    for line in draft.lines.data:
        if line.invoice_item == item.id:
            redrawn.append(replace(lines.for_invoice_item(item, draft.id, new_id), id=line.id))
        else:
            redrawn.append(line)
    recompute(facts, draft, invoice, redrawn, decision)
    decision.updates.append(Update(invoice, draft))
    decision.events.append(Event("invoice.updated", invoices.told(invoice), invoices.told(draft)))


async def _for_whom(tx: Transaction, params: InvoiceItemCreate) -> tuple[BillingFacts, Invoice | None]:
    """The facts for the customer, and the draft that the item shall stand on. Refuses what does not go together."""
    draft = None
    if params.invoice is not None:
        facts, draft = await load_draft(tx, params.invoice)
        if draft.customer != params.customer:
            raise refused("The invoice does not belong to the customer.", "invoice")
        if draft.status != "draft":
            raise refused("You can only add items to invoices that are drafts.", "invoice", "invoice_not_editable")
    else:
        facts = await billing.load(tx, customers=[params.customer], pending=False)
    customer = billing.living(facts, params.customer)
    await clocks.now_for(tx, customer.test_clock)
    if params.subscription is not None:
        subscription = await tx.need(Subscription, params.subscription, param="subscription")
        if subscription.customer != customer.id:
            raise refused("The subscription does not belong to the customer.", "subscription")
    return facts, draft


async def _load(tx: Transaction, id: str) -> tuple[BillingFacts, Invoice | None, InvoiceItem]:
    """An item with what it is part of, the customer locked, at the customer's time."""
    found = await tx.need(InvoiceItem, id)
    draft = None
    if found.invoice is not None:
        facts, draft = await load_draft(tx, found.invoice)
    else:
        facts = await billing.load(tx, customers=[found.customer], pending=False)
        await clocks.now_for(tx, found.test_clock)
    was = await tx.need(InvoiceItem, id)
    await billing.know(tx, facts, tax_rates=lines.rate_ids(was.tax_rates), discounts=was.discounts or [])
    was.tax_rates = facts.catalogue.whole_rates(was.tax_rates)
    return facts, draft, was


async def _price(
    tx: Transaction, facts: BillingFacts, params: InvoiceItemCreate | InvoiceItemUpdate, decision: Decision
) -> str | None:
    """The price that the request names or describes."""
    if params.price_data is not None:
        return (await lookups.inline_price(tx, facts, params.price_data, "price_data", decision)).id
    if params.pricing is None or params.pricing.price is None:
        return None
    await lookups.know_prices(tx, facts, [(params.pricing.price, "pricing[price]")])
    if not facts.catalogue.prices[params.pricing.price].active:
        raise refused("The price specified is inactive. This field only accepts active prices.", "pricing[price]")
    return params.pricing.price


def _currency(
    tx: Transaction, facts: BillingFacts, params: InvoiceItemCreate, draft: Invoice | None, price: str | None
) -> str:
    if params.currency is not None:
        return params.currency
    if draft is not None:
        return draft.currency
    if price is not None:
        return facts.catalogue.prices[price].currency
    customer = facts.parties.customers[params.customer]
    if customer.currency is None and params.amount is not None:
        raise missing("currency")
    return customer.currency or tx.account.default_currency


def _quantity(params: InvoiceItemHash) -> Decimal | None:
    if params.quantity_decimal is not None:
        return params.quantity_decimal
    return None if params.quantity is None else Decimal(params.quantity)


def _discountable(params: InvoiceItemCreate) -> bool:
    """Credits are not discounted unless that is said."""
    if params.discountable is not None:
        return params.discountable
    return (params.amount or 0) >= 0
