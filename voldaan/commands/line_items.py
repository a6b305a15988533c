"""The lines of a draft: added, changed, removed. Whatever is added stands on an invoice item of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from voldaan.commands import automatic_tax, lookups, products
from voldaan.commands.invoice_drafts import recompute, save
from voldaan.commands.invoice_items import put_on, take_off
from voldaan.commands.invoices import load_draft
from voldaan.resources.basis import Basis
from voldaan.resources.billing import OneTimePriceData
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import (
    LineAdd,
    LineHash,
    LineItem,
    LinePriceData,
    LineProductData,
    LinesAdd,
    LinesRemove,
    LinesUpdate,
    LineUpdate,
)
from voldaan.resources.params import Unset
from voldaan.resources.products import Product, ProductCreate
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import given_taxes, invoices, itemizing, lines
from voldaan.rules import invoice_items as rules
from voldaan.rules import invoice_verbs as verbs
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision, Event, Refused, Update
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import check_once, missing, refused, renamed
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write


async def add(tx: Transaction, params: LinesAdd, id: str) -> Invoice:
    """POST /v1/invoices/{id}/add_lines"""
    facts, draft = await _draft(tx, id)
    decision = Decision()
    new: list[LineItem] = []
    check_once((want.invoice_item, f"lines[{number}][invoice_item]") for number, want in enumerate(params.lines))
    await _know(tx, facts, params.lines)
    waiting = await tx.get(InvoiceItem, [want.invoice_item for want in params.lines])
    for number, want in enumerate(params.lines):
        here = f"lines[{number}]"
        if want.invoice_item is not None:
            item = _taken(draft, waiting.get(want.invoice_item), want.invoice_item, f"{here}[invoice_item]", decision)
        else:
            item = await _item(tx, facts, draft, want, here, decision)
        new.append(lines.for_invoice_item(item, id, new_id))
    invoice = put_on(facts, draft, new, decision)
    _metadata(invoice, params.invoice_metadata)
    await save(tx, facts, decision)
    return invoice


async def update_many(tx: Transaction, params: LinesUpdate, id: str) -> Invoice:
    """POST /v1/invoices/{id}/update_lines"""
    facts, draft = await _draft(tx, id)
    decision = Decision()
    check_once((want.id, f"lines[{number}][id]") for number, want in enumerate(params.lines))
    await _know(tx, facts, params.lines)
    wanted = {want.id: (want, f"lines[{number}]") for number, want in enumerate(params.lines)}
    invoice = await _rewrite(tx, facts, draft, wanted, decision)
    _metadata(invoice, params.invoice_metadata)
    await save(tx, facts, decision)
    return invoice


async def update(tx: Transaction, params: LineUpdate, id: str, line: str) -> LineItem:
    """POST /v1/invoices/{id}/lines/{line}"""
    facts, draft = await _draft(tx, id)
    decision = Decision()
    invoice = await _rewrite(tx, facts, draft, {line: (params, "")}, decision)
    await save(tx, facts, decision)
    return next(each for each in invoice.lines.data if each.id == line)


async def remove(tx: Transaction, params: LinesRemove, id: str) -> Invoice:
    """POST /v1/invoices/{id}/remove_lines: an unassigned line's item waits again, a deleted one's is gone."""
    facts, draft = await _draft(tx, id)
    own = {line.id: line for line in draft.lines.data}
    gone: list[LineItem] = []
    decision = Decision()
    items = await tx.get(InvoiceItem, [line.invoice_item for line in draft.lines.data])
    check_once((want.id, f"lines[{number}][id]") for number, want in enumerate(params.lines))
    for number, want in enumerate(params.lines):
        line = own.get(want.id)
        if line is None:
            raise Missing("line_item", want.id, f"lines[{number}][id]")
        gone.append(line)
        item = items.get(line.invoice_item or "")
        if item is None:
            if want.behavior == "unassign":
                raise refused("Only lines that come from invoice items can be unassigned.", f"lines[{number}][behavior]")
            continue
        decision.updates.append(Update(replace(item, invoice=None), item))
        if want.behavior == "delete":
            decision.deletes.append(item)
            decision.events.append(Event("invoiceitem.deleted", item))
    invoice = take_off(facts, draft, gone, decision)
    _metadata(invoice, params.invoice_metadata)
    await save(tx, facts, decision)
    return invoice


async def _know(tx: Transaction, facts: BillingFacts, wanted: Sequence[LineHash]) -> None:
    """Reads the prices, tax rates and discounts that these lines name at once."""
    prices = [want.pricing.price for want in wanted if want.pricing and want.pricing.price]
    await lookups.know_named(tx, facts, wanted, prices)


async def _rewrite(
    tx: Transaction,
    facts: BillingFacts,
    draft: Invoice,
    wanted: Mapping[str, tuple[LineHash, str]],
    decision: Decision,
) -> Invoice:
    """The draft with these lines changed, and the invoice items behind them."""
    own = {line.id: line for line in draft.lines.data}
    for id, (_, here) in wanted.items():
        if id not in own:
            raise Missing("line_item", id, f"{here}[id]" if here else None)
    items = await tx.get(InvoiceItem, [own[id].invoice_item for id in wanted])
    drawn: list[LineItem] = []
    for line in draft.lines.data:
        if line.id not in wanted:
            drawn.append(line)
            continue
        want, here = wanted[line.id]
        changed = await _changed(tx, facts, draft, line, want, here, decision)
        drawn.append(changed)
        if item := items.get(line.invoice_item or ""):
            decision.updates.append(Update(_behind(item, changed), item))
    invoice = replace(draft)
    recompute(facts, draft, invoice, drawn, decision)
    decision.updates.append(Update(invoice, draft))
    decision.events.append(Event("invoice.updated", invoices.told(invoice), invoices.told(draft)))
    return invoice


async def _changed(
    tx: Transaction, facts: BillingFacts, draft: Invoice, line: LineItem, want: LineHash, here: str, decision: Decision
) -> LineItem:
    given = want.model_fields_set
    itemized = itemizing.taken_of(line) is not None
    if itemized and (fixed := sorted(given & {"discountable", "discounts"})):
        raise refused(f"You cannot change `{fixed[0]}` of a proration whose discounts are itemized.", _at(here, fixed[0]))
    values = rules.plain(line, want)
    if "tax_rates" in given:
        rates = await lookups.tax_rates(tx, facts, want.tax_rates, _at(here, "tax_rates"))
        values |= {"tax_rates": lines.rate_ids(rates) or None, "taxes_given": None}
    values |= await _given_taxes(tx, facts, draft, want, here)
    if "discounts" in given:
        values["discounts"] = await lookups.discounts(
            tx, facts, want.discounts, _at(here, "discounts"), decision, customer=draft.customer, invoice=draft.id
        )
    quantity = _quantity(want)
    price = await _price(tx, facts, draft, want, here, decision)
    unit = None if price or want.amount is not None else line.unit_amount_decimal
    if quantity is None and price is None and want.amount is None:
        return replace(line, **values)
    if want.amount is None and price is None and unit is None and line.price is None:
        raise refused("You can only change the quantity of a line with a unit amount or a price.", _at(here, "quantity"))
    if want.amount is None and price is None and line.price is not None:
        price, unit = line.price, None
        await lookups.know_prices(tx, facts, [(price, _at(here, "pricing[price]"))])
    blank = InvoiceItem(
        id="", amount=0, created=tx.now, currency=draft.currency, customer=draft.customer, livemode=draft.livemode,
        period_start=line.period_start, period_end=line.period_end, description=line.description,
        quantity_decimal=quantity if quantity is not None else line.quantity_decimal or Decimal(1),
    )  # fmt: skip
    priced = rules.priced(facts.catalogue, blank, price=price, amount=want.amount, unit_amount=unit)
    if itemized:  # what was taken off goes with the amount that it was taken off
        values["discounts"] = []
    return replace(
        line,
        amount=priced.amount,
        subtotal=priced.amount,
        price=priced.price,
        product=priced.product,
        quantity_decimal=priced.quantity_decimal,
        unit_amount_decimal=priced.unit_amount_decimal,
        basis=GIVEN if want.amount is not None else None,
        usage=None,  # it says what somebody wants it to say
        **values,
    )


GIVEN = Basis(kind="given")


def _behind(item: InvoiceItem, line: LineItem) -> InvoiceItem:
    """The invoice item of a line that was changed: it says the same."""
    return replace(
        item,
        amount=line.amount,
        basis=line.basis,
        description=line.description,
        discountable=line.discountable,
        discounts=line.discounts,
        metadata=line.metadata,
        period_start=line.period_start,
        period_end=line.period_end,
        price=line.price,
        product=line.product,
        quantity_decimal=line.quantity_decimal or Decimal(1),
        tax_rates=[] if line.taxes_given else list(line.tax_rates or []),
        taxes_given=line.taxes_given,
        unit_amount_decimal=line.unit_amount_decimal,
    )


def _taken(draft: Invoice, item: InvoiceItem | None, id: str, param: str, decision: Decision) -> InvoiceItem:
    """The invoice item that waits, and is the draft's from now on. Raises Missing."""
    if item is None:
        raise Missing("invoiceitem", id, param)
    if item.invoice is not None or item.customer != draft.customer or item.currency != draft.currency:
        raise refused("The invoice item cannot be put on this invoice.", param)
    taken = replace(item, invoice=draft.id)
    decision.updates.append(Update(taken, item))
    return taken


async def _item(
    tx: Transaction, facts: BillingFacts, draft: Invoice, want: LineAdd, here: str, decision: Decision
) -> InvoiceItem:
    """The invoice item that is made for a new line to stand on."""
    price = await _price(tx, facts, draft, want, here, decision)
    if price is None and want.amount is None:
        raise missing(f"{here}[amount]")
    id = new_id("ii")
    item = rules.make(
        facts.catalogue,
        id=id,
        customer=draft.customer,
        currency=draft.currency,
        livemode=draft.livemode,
        now=tx.now,
        quantity=_quantity(want) or Decimal(1),
        price=price,
        amount=want.amount,
        period=(want.period.start, want.period.end) if want.period else None,
        description=want.description,
        discountable=want.discountable if want.discountable is not None else (want.amount or 0) >= 0,
        discounts=await lookups.discounts(
            tx, facts, want.discounts, f"{here}[discounts]", decision, customer=draft.customer, invoice_item=id
        ),
        invoice=draft.id,
        metadata=merged({}, want.metadata),
        subscription=draft.subscription,
        tax_rates=await lookups.tax_rates(tx, facts, want.tax_rates, f"{here}[tax_rates]"),
        taxes_given=(await _given_taxes(tx, facts, draft, want, here)).get("taxes_given"),
        test_clock=draft.test_clock,
    )
    decision.inserts.append(item)
    decision.events.append(Event("invoiceitem.created", item))
    return item


async def _price(
    tx: Transaction, facts: BillingFacts, draft: Invoice, want: LineHash, here: str, decision: Decision
) -> str | None:
    """The price that a line names or describes."""
    if want.price_data is not None:
        param = _at(here, "price_data")
        if want.price_data.currency != draft.currency:
            raise refused(f"The invoice's currency is {draft.currency}.", f"{param}[currency]")
        data = await _one_time(tx, want.price_data, param)
        return (await lookups.inline_price(tx, facts, data, param, decision)).id
    if want.pricing is None or want.pricing.price is None:
        return None
    param = _at(here, "pricing[price]")
    await lookups.know_prices(tx, facts, [(want.pricing.price, param)])
    rules.check_price(facts.catalogue.prices[want.pricing.price], draft.currency, param)
    return want.pricing.price


async def _one_time(tx: Transaction, data: LinePriceData, here: str) -> OneTimePriceData:
    product = data.product
    if data.product_data is not None:
        product = (await _product(tx, data.product_data, here)).id
    if product is None:
        raise missing(f"{here}[product]")
    return OneTimePriceData(
        currency=data.currency,
        product=product,
        tax_behavior=data.tax_behavior,
        unit_amount=data.unit_amount,
        unit_amount_decimal=data.unit_amount_decimal,
    )


async def _product(tx: Transaction, data: LineProductData, here: str) -> Product:
    """The product that a line describes: made for it, and there when its price is made."""
    try:
        product, made = await products.from_data(tx, ProductCreate(**data.given()))
    except Missing as no:
        raise Missing(no.object_name, no.id, f"{here}[{no.param}]") from no
    except Refused as no:
        raise renamed(no, _at(here, no.refusal.param or "product_data")) from no
    await write(tx, [made])
    return product


async def _given_taxes(
    tx: Transaction, facts: BillingFacts, draft: Invoice, want: LineHash, here: str
) -> dict[str, Any]:
    """What a line keeps of taxes that the seller has computed; nothing where the request says nothing of them."""
    if "tax_amounts" not in want.model_fields_set or want.tax_amounts is None:
        return {}
    if not want.tax_amounts:
        return {"tax_rates": None, "taxes_given": None}
    param = _at(here, "tax_amounts")
    given_taxes.check(draft, want.tax_amounts, param)
    rates = []
    for number, each in enumerate(want.tax_amounts):
        try:
            rates.append(given_taxes.rate(each, at=tx.now, livemode=tx.account.livemode))
        except Refused as no:
            raise renamed(no, f"{param}[{number}][tax_rate_data][{no.refusal.param}]") from no
    known = await tx.get(TaxRate, [rate.id for rate in rates])
    fresh = {rate.id: rate for rate in rates if rate.id not in known}
    if fresh:
        await automatic_tax.write_rates(tx, fresh.values())
    facts.catalogue.tax_rates |= fresh | known
    return {"tax_rates": [rate.id for rate in rates], "taxes_given": given_taxes.of_line(want.tax_amounts, rates)}


async def _draft(tx: Transaction, id: str) -> tuple[BillingFacts, Invoice]:
    facts, draft = await load_draft(tx, id)
    if no := verbs.not_a_draft(draft, "lines"):
        raise Refused(no)
    return facts, draft


def _metadata(invoice: Invoice, given: dict[str, str] | Unset) -> None:
    if given:
        invoice.metadata = merged(invoice.metadata or {}, given)


def _quantity(want: LineHash) -> Decimal | None:
    if want.quantity_decimal is not None:
        return want.quantity_decimal
    return None if want.quantity is None else Decimal(want.quantity)


def _at(here: str, name: str) -> str:
    """The full name of a parameter: `amount`, or `lines[0][amount]`."""
    if not here:
        return name
    first, bracket, rest = name.partition("[")
    return f"{here}[{first}]{bracket}{rest}"
