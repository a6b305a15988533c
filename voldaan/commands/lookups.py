"""What a billing request names, looked up: prices, also those it makes itself, tax rates, discounts, payment methods.

Nothing is written here; what must be is added to a decision, so that a preview can leave it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from voldaan.commands import billing
from voldaan.commands import discounts as discounting
from voldaan.commands.automatic_tax import know as know_taxes
from voldaan.resources.billing import AutomaticTaxParams, DiscountAmount, OneTimePriceData, RecurringPriceData
from voldaan.resources.coupons import Coupon
from voldaan.resources.discounts import DiscountParams
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.line_items import LineHash, LineItem
from voldaan.resources.params import Unset
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.prices import Price, PriceCreate, RecurringParams
from voldaan.resources.products import Product
from voldaan.resources.schedule_params import PhaseItemParams
from voldaan.resources.subscription_items import ItemHash, SubscriptionItem
from voldaan.resources.subscriptions import AddInvoiceItem, ItemPeriodParams
from voldaan.resources.tax_ids import TaxId
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import invoice_items as item_rules
from voldaan.rules import itemizing, thresholds
from voldaan.rules import prices as price_rules
from voldaan.rules.automatic_tax import check as check_taxes
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Debits
from voldaan.rules.decision import Decision, Refused
from voldaan.rules.lines import is_metered
from voldaan.rules.promotion_codes import not_for
from voldaan.rules.refusals import check_type, missing, refused
from voldaan.rules.subscription_items import NewItem, units
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction

NOT_THEIRS = (
    "The customer does not have a payment method with the ID {id}. The payment method must be attached to the customer."
)


async def know_prices(tx: Transaction, facts: BillingFacts, ids: Iterable[tuple[str | None, str]]) -> None:
    """Reads these prices; each id comes with the parameter to blame if there is none."""
    wanted = [(id, param) for id, param in ids if id is not None]
    await billing.know(tx, facts, prices=[id for id, _ in wanted])
    for id, param in wanted:
        found = facts.catalogue.prices.get(id)
        if found is None or found.deleted_at is not None:
            raise Missing("price", id, param)


async def inline_price(
    tx: Transaction, facts: BillingFacts, data: OneTimePriceData | RecurringPriceData, param: str, decision: Decision
) -> Price:
    """The price that a request describes: made for this use alone, and so not active for any other."""
    product = await tx.need(Product, data.product, param=f"{param}[product]")
    recurring = None
    if isinstance(data, RecurringPriceData):
        recurring = RecurringParams(interval=data.recurring.interval, interval_count=data.recurring.interval_count)
    made = price_rules.make(
        PriceCreate(
            currency=data.currency,
            product=data.product,
            recurring=recurring,
            tax_behavior=data.tax_behavior,
            unit_amount=data.unit_amount,
            unit_amount_decimal=data.unit_amount_decimal,
        ),
        id=new_id("price"),
        sort_key=new_id("at"),
        product=product.id,
        at=tx.now,
        livemode=tx.account.livemode,
    )
    price = replace(made, active=False)
    decision.inserts.append(price)
    facts.catalogue.prices[price.id] = price
    await billing.know(tx, facts)
    return price


async def price_of(
    tx: Transaction, facts: BillingFacts, want: ItemHash | PhaseItemParams, here: str, decision: Decision
) -> str:
    """The price that an item of a request names, perhaps as its `plan`, or describes."""
    if want.price_data is not None:
        return (await inline_price(tx, facts, want.price_data, _at(here, "price_data"), decision)).id
    id = want.price or want.plan
    if id is None:
        raise missing(_at(here, "price"))
    await know_prices(tx, facts, [(id, _at(here, "price" if want.price else "plan"))])
    return id


async def one_time_price_of(
    tx: Transaction, facts: BillingFacts, want: AddInvoiceItem, currency: str, here: str, decision: Decision
) -> str:
    """The price that something billed once names or describes, in this currency."""
    if want.price_data is not None:
        made = await inline_price(tx, facts, want.price_data, f"{here}[price_data]", decision)
        item_rules.check_currency(made, currency, f"{here}[price_data][currency]")
        return made.id
    if want.price is None:
        raise missing(f"{here}[price]")
    await know_prices(tx, facts, [(want.price, f"{here}[price]")])
    item_rules.check_price(facts.catalogue.prices[want.price], currency, f"{here}[price]")
    return want.price


async def know_items(tx: Transaction, facts: BillingFacts, wanted: Sequence[ItemHash]) -> None:
    """Reads all that these items name at once. What is not there is refused by whoever looks it up."""
    prices = [want.price or want.plan for want in wanted]
    await know_named(tx, facts, wanted, [id for id in prices if id is not None])


async def know_named(
    tx: Transaction, facts: BillingFacts, wanted: Sequence[ItemHash | AddInvoiceItem | LineHash], prices: Sequence[str]
) -> None:
    """Reads these prices, and the tax rates and discounts that the parts of a request name, at once."""
    rates = [id for want in wanted for id in want.tax_rates or ()]
    off = [each for want in wanted for each in want.discounts or ()]
    kept = [each.discount for each in off if each.discount is not None]
    await billing.know(tx, facts, prices=prices, tax_rates=rates, discounts=kept)
    await discounting.know(tx, facts.named, off)


async def new_items(
    tx: Transaction,
    facts: BillingFacts,
    wanted: Sequence[ItemHash],
    *,
    customer: str,
    subscription: str,
    decision: Decision,
    param: str = "items",
) -> list[NewItem]:
    """The items of a request, each with an id of its own."""
    await know_items(tx, facts, wanted)
    return [
        await new_item(
            tx, facts, want, f"{param}[{number}]", customer=customer, subscription=subscription, decision=decision
        )
        for number, want in enumerate(wanted)
    ]


async def new_item(
    tx: Transaction,
    facts: BillingFacts,
    want: ItemHash,
    here: str,
    *,
    customer: str,
    subscription: str,
    decision: Decision,
) -> NewItem:
    """An item of a request, with an id of its own. `here` is how the request calls it: "" where it is about nothing else."""
    price = await price_of(tx, facts, want, here, decision)
    counted = is_metered(facts.catalogue, price)
    id = new_id("si")
    return NewItem(
        id=id,
        price=price,
        quantity=units(want.quantity, counted=counted, param=_at(here, "quantity")),
        discounts=await discounts(
            tx, facts, want.discounts, _at(here, "discounts"), decision,
            customer=customer, subscription=subscription, subscription_item=id,
        ),
        tax_rates=await tax_rates(tx, facts, want.tax_rates, _at(here, "tax_rates")),
        metadata=dict(getattr(want, "metadata", None) or {}),
        thresholds=thresholds.of_item(want.billing_thresholds, counted=counted, param=_at(here, "billing_thresholds")),
    )  # fmt: skip


async def tax_rates(
    tx: Transaction, facts: BillingFacts, ids: Sequence[str] | Unset | None, param: str
) -> list[TaxRate | str]:
    """Active tax rates in the order of the request."""
    wanted = list(ids or [])
    await billing.know(tx, facts, tax_rates=wanted)
    for number, id in enumerate(wanted):
        rate = facts.catalogue.tax_rates.get(id)
        if rate is None:
            raise Missing("tax_rate", id, f"{param}[{number}]")
        if not rate.active:
            raise refused(f"The tax rate {id} is not active.", f"{param}[{number}]")
    return [facts.catalogue.tax_rates[id] for id in wanted]


async def automatic_tax(
    tx: Transaction, facts: BillingFacts, asked: AutomaticTaxParams | None, default_tax_rates: Sequence[object]
) -> None:
    """Knows what automatic tax needs, if a request turns it on. Refuses where it cannot work."""
    if asked is not None and asked.enabled:
        await know_taxes(tx, facts)
        check_taxes(facts.taxes, default_tax_rates)


async def own_tax_ids(tx: Transaction, *named: tuple[object, str]) -> None:
    """Refuses `account_tax_ids` that are no tax ids of the business itself; each list comes with the hash that holds it."""
    wanted = [
        (id, f"{here}[account_tax_ids][{place}]" if here else f"account_tax_ids[{place}]")
        for ids, here in named
        for place, id in enumerate(ids if isinstance(ids, list) else ())
    ]
    found = await tx.get(TaxId, [id for id, _ in wanted])
    for id, param in wanted:
        if id not in found or found[id].customer is not None:
            raise Missing("tax_id", id, param)


async def discounts(
    tx: Transaction,
    facts: BillingFacts,
    wanted: Sequence[DiscountParams] | Unset | None,
    param: str,
    decision: Decision,
    *,
    customer: str | None,
    subscription: str | None = None,
    subscription_item: str | None = None,
    invoice: str | None = None,
    invoice_item: str | None = None,
) -> list[str]:
    """The discounts that a request asks for: those that exist, and coupons redeemed, which `suit` must look at."""
    if not wanted:
        return []
    found, redeemed, written = await discounting.redeem(
        tx,
        facts.named,
        wanted,
        decision,
        customer=customer,
        subscription=subscription,
        subscription_item=subscription_item,
        invoice=invoice,
        invoice_item=invoice_item,
        param=param,
    )
    decision.add(written)
    facts.redeemed += redeemed
    billing.know_discounts(facts, found)
    coupons = {d.source.coupon for d in found} - facts.catalogue.coupons.keys()
    facts.catalogue.coupons |= {id: coupon for id, coupon in facts.named.coupons.items() if id in coupons}
    facts.catalogue.coupons |= await tx.get(Coupon, coupons - facts.catalogue.coupons.keys())
    return [discount.id for discount in found]


def suit(facts: BillingFacts, currency: str, purchase: Iterable[LineItem | InvoiceItem] | None) -> None:
    """Refuses what this request has redeemed if it is not for this currency, or for so small a purchase.

    `purchase` is what is bought, before discounts; None where what is bought may still change.
    """
    amount = None if purchase is None else sum(each.amount for each in purchase)
    for redemption in facts.redeemed:
        if no := not_for(redemption, currency, amount):
            raise Refused(no)
    facts.redeemed.clear()


async def payment_method(
    tx: Transaction, facts: BillingFacts, id: str | None, customer: str, param: str = "default_payment_method"
) -> None:
    """Makes sure that the method is the customer's, and knows it from then on."""
    if id is None or id in facts.methods:
        return
    method = (await tx.get(PaymentMethod, [id])).get(id)
    if method is None:
        raise Missing("payment_method", id, param)
    if method.customer != customer:
        raise refused(NOT_THEIRS.format(id=id), param)
    facts.methods[id] = method


async def extra_items(
    tx: Transaction,
    facts: BillingFacts,
    wanted: Sequence[AddInvoiceItem],
    *,
    customer: str,
    subscription: str,
    currency: str,
    period: tuple[int, int],
    decision: Decision,
) -> list[InvoiceItem]:
    """What a request adds to the subscription's next invoice, once."""
    await know_named(tx, facts, wanted, [want.price for want in wanted if want.price])
    found = []
    for number, want in enumerate(wanted):
        here = f"add_invoice_items[{number}]"
        price = await one_time_price_of(tx, facts, want, currency, here, decision)
        id = new_id("ii")
        item = item_rules.make(
            facts.catalogue,
            id=id,
            customer=customer,
            currency=currency,
            livemode=tx.account.livemode,
            now=tx.now,
            quantity=Decimal(1 if want.quantity is None else want.quantity),
            price=price,
            period=_period(want.period, period, tx.now, f"{here}[period]"),
            discountable=want.discountable is not False,
            discounts=await discounts(
                tx, facts, want.discounts, f"{here}[discounts]", decision, customer=customer, invoice_item=id
            ),
            metadata=dict(want.metadata),
            subscription=subscription,
            tax_rates=await tax_rates(tx, facts, want.tax_rates, f"{here}[tax_rates]"),
            test_clock=facts.parties.customers[customer].test_clock if customer in facts.parties.customers else None,
        )
        found.append(item)
    return found


NO_LINE = (0, 0, 0, "void", None)


async def debits(tx: Transaction, items: Sequence[SubscriptionItem]) -> Debits:
    """What was debited for the items' present periods, as it stands now: a draft may have been edited since, an invoice
    voided, an invoice item swept into one. What was given back by something that is void counts again."""
    waiting = {d.invoice_item for item in items for d in item.debits if d.line is None and d.invoice_item}
    waiting |= {d.credited_by for item in items for d in item.debits if d.credited_by}
    swept = {}
    if waiting:
        rows = await tx.all(query("subscriptions", "lines_of_invoice_items"), ids=list(waiting))
        swept = {invoice_item: (line, invoice) for invoice_item, line, invoice in rows}
    named = {d.line for item in items for d in item.debits if d.line} | {line for line, _ in swept.values()}
    lines = {id: rest for id, *rest in await tx.all(query("subscriptions", "debited_lines"), ids=list(named))} if named else {}
    pending = await tx.get(InvoiceItem, waiting - swept.keys())
    found: Debits = {}

    def stands(invoice_item: str) -> bool:
        line, _ = swept.get(invoice_item, ("", ""))
        return invoice_item in pending or lines.get(line, NO_LINE)[3] != "void"

    for item in items:
        found[item.id] = []
        for debit in item.debits:
            if debit.credited_by is not None and stands(debit.credited_by):
                found[item.id].append(debit)
                continue
            now = replace(debit, credited_by=None)
            if debit.line is None and debit.invoice_item in swept:
                line, invoice = swept[debit.invoice_item]
                now = replace(debit, line=line, invoice=invoice)
            if now.line is not None:
                amount, start, end, status, taken = lines.get(now.line, NO_LINE)
                if status == "void":
                    continue
                off = [DiscountAmount(**each) for each in taken or ()]
            elif now.invoice_item in pending:
                waits = pending[now.invoice_item]
                off = itemizing.shown_of(waits)
                amount, start, end = waits.amount - itemizing.total(off), waits.period_start, waits.period_end
            else:
                continue
            if (start, end) == (now.start, now.end):  # else a part of it was given back before
                now = replace(now, amount=amount, off=off)
            found[item.id].append(now)
    return found


def _period(given: ItemPeriodParams | None, default: tuple[int, int], now: int, here: str) -> tuple[int, int]:
    """The period of an added item: from now, an instant, or the items' start; to an instant or the items' end."""
    if given is None:
        return now, now
    check_type(given.start, f"{here}[start]", "timestamp")
    check_type(given.end, f"{here}[end]", "timestamp")
    start, end = default
    if given.start.type == "now":
        start = now
    elif given.start.timestamp is not None:
        start = given.start.timestamp
    if given.end.timestamp is not None:
        end = given.end.timestamp
    return start, max(start, end)


def _at(here: str, name: str) -> str:
    return f"{here}[{name}]" if here else name
