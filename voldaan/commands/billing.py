"""Loading what billing must know: for a thousand subscriptions in as many queries as there are kinds of facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from voldaan.commands import automatic_tax, contract_facts, tax_answers
from voldaan.commands.credit_grants import know as know_grants
from voldaan.resources.base import ListObject
from voldaan.resources.coupons import Coupon
from voldaan.resources.customers import Customer
from voldaan.resources.discounts import Discount
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoice_rendering_templates import InvoiceRenderingTemplate
from voldaan.resources.invoices import CustomerTaxId, Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.prices import Price
from voldaan.resources.shared import Address
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscription_schedules import SubscriptionSchedule
from voldaan.resources.subscriptions import Subscription
from voldaan.resources.tax_ids import TaxId
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import credit_grants, credits_used, shipping
from voldaan.rules.billing_facts import BillingFacts, Numbering
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.invoices import method_ids
from voldaan.rules.lines import price_id, rate_ids
from voldaan.rules.owing import Parties
from voldaan.settings import site
from voldaan.store.children import embed
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction


async def load(
    tx: Transaction,
    *,
    customers: Iterable[str] = (),
    subscriptions: Iterable[str] = (),
    prices: Iterable[str] = (),
    pending: bool = True,
) -> BillingFacts:
    """The facts for these customers and subscriptions, whose customers are locked first, in id order."""
    wanted = list(subscriptions)
    owners = set(customers)
    if wanted:
        owners |= {row[0] for row in await tx.all(query("subscriptions", "customers_of"), ids=wanted)}
    parties = Parties(await tx.get(Customer, owners, lock=True))
    parties.subscriptions = await tx.get(Subscription, wanted)
    parties.schedules = await managing(tx, parties.subscriptions.values())
    facts = empty(tx, parties)
    items: list[SubscriptionItem] = []
    if wanted:
        items = await tx.select(SubscriptionItem, "t.subscription_id = any(%(ids)s)", ids=wanted)
    if pending and owners:
        where = "t.customer_id = any(%(ids)s) and t.invoice_id is null"
        for waiting in await tx.select(InvoiceItem, where, ids=list(owners)):
            facts.pending.setdefault(waiting.customer, []).append(waiting)
    waiting_items = [item for each in facts.pending.values() for item in each]
    subs = parties.subscriptions.values()
    agreed = await contract_facts.know(tx, facts)
    await know(
        tx,
        facts,
        prices=[
            *prices,
            *agreed,
            *(price_id(item) for item in items),
            *(item.next_price for item in items if item.next_price),
            *(item.price for item in waiting_items if item.price),
        ],
        tax_rates=[
            *(id for s in subs for id in rate_ids(s.default_tax_rates)),
            *(id for item in items for id in rate_ids(item.tax_rates)),
            *(id for item in waiting_items for id in rate_ids(item.tax_rates)),
            *(tax.rate for item in waiting_items for tax in item.taxes_given or ()),
        ],
        discounts=[
            *(id for s in subs for id in s.discounts),
            *(id for item in items for id in item.discounts),
            *(id for item in waiting_items for id in item.discounts or []),
            *(c.discount.id for c in parties.customers.values() if c.discount),
        ],
    )
    _put_together(facts, items)
    await know_methods(tx, facts)
    if owners:
        await know_tax_ids(tx, facts)
    if any(s.automatic_tax.enabled for s in subs):
        await automatic_tax.know(tx, facts)
    await know_templates(tx, facts)
    if any(credit_grants.is_counted(price) for price in facts.catalogue.prices.values()):
        await know_grants(tx, parties)
    return facts


async def load_named(
    tx: Transaction, customer: str | None, subscription: str | None
) -> tuple[BillingFacts, Subscription | None]:
    """The facts of a customer and a subscription that a request names. Raises Missing, if there is no such subscription."""
    facts = await load(
        tx, customers=[customer] if customer else [], subscriptions=[subscription] if subscription else []
    )
    found = facts.parties.subscriptions.get(subscription or "")
    if subscription and found is None:
        raise Missing("subscription", subscription, "subscription")
    return facts, found


def living(facts: BillingFacts, id: str) -> Customer:
    """The customer whom a request names. Raises Missing, also where the customer was deleted."""
    customer = facts.parties.customers.get(id)
    if customer is None or customer.deleted_at is not None:
        raise Missing("customer", id, "customer")
    return customer


def empty(tx: Transaction, parties: Parties) -> BillingFacts:
    """The facts of a batch of which nothing but the parties is known yet."""
    return BillingFacts(tx.account, Catalogue(grain=tx.account.settings_billing.proration), parties, site(), tx.wall)


async def managing(tx: Transaction, subscriptions: Iterable[Subscription]) -> dict[str, SubscriptionSchedule]:
    """The schedules that manage these subscriptions, with their tax rates; no query where there are none."""
    found = await tx.get(SubscriptionSchedule, [s.schedule for s in subscriptions])
    if found:
        await embed(tx, list(found.values()))
    return found


async def know(
    tx: Transaction,
    facts: BillingFacts,
    *,
    prices: Iterable[str] = (),
    tax_rates: Iterable[str] = (),
    discounts: Iterable[str] = (),
) -> None:
    """Adds to the catalogue what it does not have yet."""
    catalogue = facts.catalogue
    catalogue.prices |= await tx.get(Price, set(prices) - catalogue.prices.keys())
    names = {p.product for p in catalogue.prices.values()} - catalogue.products.keys()
    if names:
        for id, name, tax_code, performed in await tx.all(query("subscriptions", "product_names"), ids=list(names)):
            catalogue.products[id] = name
            if tax_code:
                catalogue.tax_codes[id] = tax_code
            if performed:
                catalogue.performed[id] = msgspec.convert(performed, Address)
    catalogue.tax_rates |= await tx.get(TaxRate, set(tax_rates) - catalogue.tax_rates.keys())
    found = await tx.get(Discount, set(discounts) - catalogue.discounts.keys())
    if found:
        know_discounts(facts, found.values())
        coupons = {d.source.coupon for d in found.values()} - catalogue.coupons.keys()
        catalogue.coupons |= await tx.get(Coupon, coupons)


def know_discounts(facts: BillingFacts, discounts: Iterable[Discount]) -> None:
    for discount in discounts:
        facts.catalogue.discounts[discount.id] = discount


async def know_templates(tx: Transaction, facts: BillingFacts, own: Iterable[str | None] = ()) -> None:
    """The rendering templates of these invoices, and those that invoices of these customers begin with."""
    options = (customer.invoice_settings.rendering_options for customer in facts.parties.customers.values())
    wanted = {*own, *(o.template for o in options if o)} - facts.templates.keys()
    facts.templates |= await tx.get(InvoiceRenderingTemplate, wanted)


async def know_methods(tx: Transaction, facts: BillingFacts, own: Iterable[str | None] = ()) -> None:
    """The payment methods that any of these customers may be charged with."""
    parties = facts.parties
    ids = {id for id in own if id}
    for subscription in parties.subscriptions.values():
        ids.update(filter(None, (subscription.default_payment_method, subscription.default_source)))
    for customer in parties.customers.values():
        ids.update(method_ids(None, None, customer))
    facts.methods |= await tx.get(PaymentMethod, ids - facts.methods.keys())


async def know_tax_ids(tx: Transaction, facts: BillingFacts) -> None:
    """The tax ids that invoices of these customers show."""
    where = "t.customer_id = any(%(ids)s)"
    for tax_id in await tx.select(TaxId, where, ids=list(facts.parties.customers)):
        if tax_id.customer:
            shown = CustomerTaxId(type=tax_id.type, value=tax_id.value)
            facts.tax_ids.setdefault(tax_id.customer, []).append(shown)


def _put_together(facts: BillingFacts, items: Sequence[SubscriptionItem]) -> None:
    """Whole prices and tax rates into the items, items into their subscriptions, tax rates into what waits."""
    catalogue = facts.catalogue
    by_subscription: dict[str, list[SubscriptionItem]] = {}
    for item in items:
        item.price = catalogue.prices[price_id(item)]
        if item.tax_rates:
            item.tax_rates = catalogue.whole_rates(item.tax_rates)
        item.__post_init__()
        by_subscription.setdefault(item.subscription, []).append(item)
    for subscription in facts.parties.subscriptions.values():
        if subscription.default_tax_rates:
            subscription.default_tax_rates = catalogue.whole_rates(subscription.default_tax_rates)
        subscription.items = ListObject(
            data=by_subscription.get(subscription.id, []), url=f"/v1/subscription_items?subscription={subscription.id}"
        )
    for waiting in (item for each in facts.pending.values() for item in each):
        if waiting.tax_rates:
            waiting.tax_rates = catalogue.whole_rates(waiting.tax_rates)


async def load_drafts(tx: Transaction, ids: Iterable[str]) -> tuple[BillingFacts, dict[str, Invoice]]:
    """These invoices with all of their lines, and the facts to change or finalize them. Their customers are locked."""
    wanted = sorted(set(ids))
    parties = await tx.all(query("invoices", "parties_of"), ids=wanted)
    facts = await load(tx, customers=[c for c, _ in parties], subscriptions=[s for _, s in parties if s], pending=False)
    invoices = await tx.get(Invoice, wanted)
    await whole(tx, facts, list(invoices.values()))
    return facts, invoices


async def whole(tx: Transaction, facts: BillingFacts, invoices: Sequence[Invoice]) -> None:
    """Gives invoices all of their lines, however many, and the catalogue what these are made of."""
    lines: dict[str, list[LineItem]] = {}
    found = await tx.select(LineItem, "t.invoice_id = any(%(ids)s)", "t.id", ids=[i.id for i in invoices])
    for line in found:
        lines.setdefault(line.invoice or "", []).append(line)
    automatic = {i.id for i in invoices if i.automatic_tax.enabled}
    if any(credits_used.may_pay(line, facts.catalogue.prices) for line in found):
        await know_grants(tx, facts.parties)
    priced = any(facts.parties.grants.values()) or automatic
    await know(
        tx,
        facts,
        prices=[line.price for line in found if line.price and priced],
        tax_rates=[
            *(id for i in invoices for id in rate_ids(i.default_tax_rates)),
            *(id for line in found for id in line.tax_rates or []),
            *(id for i in invoices for id in shipping.rates_of(i)),
        ],
        discounts=[*(id for i in invoices for id in i.discounts), *(id for line in found for id in line.discounts)],
    )
    for invoice in invoices:
        if invoice.default_tax_rates:
            invoice.default_tax_rates = facts.catalogue.whole_rates(invoice.default_tax_rates)
        if invoice.shipped is not None:
            invoice.shipping_tax_rates = facts.catalogue.whole_rates(invoice.shipping_tax_rates)
            invoice.__post_init__()
        invoice.lines = ListObject(data=lines.get(invoice.id, []), url=f"/v1/invoices/{invoice.id}/lines")
    await know_methods(tx, facts, [i.default_payment_method for i in invoices])
    if automatic:
        await automatic_tax.know(tx, facts)
    await know_templates(tx, facts, [i.rendering.template for i in invoices if i.rendering])


async def number_whole_book(tx: Transaction, facts: BillingFacts) -> None:
    """Where the book has one series of numbers, locks its counter. Always after the customers."""
    if facts.account.settings_billing.numbering == "account":
        prefix, following = await tx.one(query("invoices", "lock_counter"))
        facts.numbering = Numbering(prefix, following)


async def keep_number(tx: Transaction, facts: BillingFacts) -> None:
    """Writes how far the book's series has come, and what automatic tax needed for the first time: rates and answers."""
    await automatic_tax.keep_rates(tx, facts)
    await tax_answers.need(tx, facts.taxes)
    if facts.numbering is not None:
        await tx.run(query("invoices", "move_counter"), next=facts.numbering.next)
