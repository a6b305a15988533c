"""A book to measure with: customers who pay by card, each with a monthly subscription whose period has just ended."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.bench.mix import Mix, prepare
from voldaan.commands import prices, products, tokens
from voldaan.resources.accounts import Account, BillingSettings
from voldaan.resources.base import ListObject
from voldaan.resources.customers import Customer, CustomerInvoiceSettings
from voldaan.resources.discounts import Discount
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.prices import PriceCreate
from voldaan.resources.products import ProductCreate
from voldaan.resources.shared import Address
from voldaan.resources.subscription_items import Debit, SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import periods
from voldaan.rules.decision import Decision, Due
from voldaan.store import accounts
from voldaan.store.ids import new_id
from voldaan.store.pool import Pool
from voldaan.store.transaction import Transaction, transaction
from voldaan.store.writer import write

CHUNK = 1000
SPREAD = 3600  # seconds over which the periods have ended
AMOUNT = 1900


async def account(pool: Pool, wall: int, name: str, *, draft_seconds: int = 0, **settings: Any) -> tuple[Account, str]:
    """A sandbox account, and the id of its monthly price. Drafts are finalized at once, or after some seconds."""
    billing = BillingSettings(draft_seconds=draft_seconds, **settings)
    book = (await accounts.create(pool, wall, business_name=name, settings_billing=billing)).account
    async with transaction(pool, book, wall, wall) as tx:
        product = await products.create(tx, ProductCreate(name="Pro"))
        recurring = {"currency": "eur", "product": product.id, "unit_amount": AMOUNT, "recurring": {"interval": "month"}}
        price = await prices.create(tx, PriceCreate.model_validate(recurring))
    return book, price.id


async def subscribers(
    pool: Pool, book: Account, price: str, count: int, wall: int, card: str = "pm_card_visa", *, mixed: bool = False
) -> None:
    """Adds `count` customers with card, subscription and due renewal, in transactions of a thousand.

    All pay the same price, or (`mixed`) are as different as businesses' customers are (bench/mix.py).
    """
    mix = None
    if mixed:
        async with transaction(pool, book, wall, wall) as tx:
            product = await tx.all("select product_id from prices where account_id = %(account)s and id = %(id)s", id=price)
            mix = await prepare(tx, product[0][0])
    for start in range(0, count, CHUNK):
        async with transaction(pool, book, wall, wall) as tx:
            await write(tx, [subscriber(tx, price, card, n, mix) for n in range(start, min(start + CHUNK, count))])
            if mix:
                await mix.record(tx)
    if mix:
        async with transaction(pool, book, wall, wall) as tx:
            await mix.count_redemptions(tx)


def subscriber(tx: Transaction, price: str, card: str, number: int, mix: Mix | None = None) -> Decision:
    """One customer with all that a renewal needs."""
    began = periods.add_interval(tx.wall - number % SPREAD, "month", 1, -1)
    ended = periods.next_period(began, "month", 1, began)[1]
    method: PaymentMethod = tokens.from_magic(tx, card, "payment_method")
    customer = Customer(
        id=new_id("cus"),
        address=Address(city="Amsterdam", country="NL", line1=f"Keizersgracht {number % 700 + 1}", postal_code="1015 CS"),
        created=began,
        currency="eur",
        email=f"customer{number}@example.com",
        invoice_prefix=new_id("")[-12:].upper(),
        invoice_settings=CustomerInvoiceSettings(default_payment_method=method.id),
        livemode=False,
        metadata={"shop": str(number)},
        name=f"Customer {number}",
        next_invoice_sequence=2,
    )
    id, latest = new_id("sub"), new_id("in")  # billed before, so that rows are as long as the renewal leaves them
    item = SubscriptionItem(
        id=new_id("si"), subscription=id, price=price, quantity=1, created=began, current_period_start=began,
        current_period_end=ended, debits=[Debit(line=new_id("il"), invoice=latest, amount=AMOUNT, start=began, end=ended)],
    )  # fmt: skip
    subscription = Subscription(
        id=id,
        billing_cycle_anchor=began,
        created=began,
        currency="eur",
        current_period_end=ended,
        current_period_start=began,
        customer=customer.id,
        items=ListObject(data=[], url=""),
        latest_invoice=latest,
        livemode=False,
        start_date=began,
        status="active",
    )
    discounts: list[Discount] = []
    if mix:
        subscription, item, discounts = mix.vary(subscription, item, number)
    return Decision(
        inserts=[customer, replace(method, customer=customer.id), subscription, item, *discounts],
        due=[Due("subscription.renew", id, ended)],
    )
