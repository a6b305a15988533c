"""The world of payments with billing in it: a catalogue, customers with cards, and a clock that runs everything due."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.api.contract.checker import check
from tests.store import payments_world
from tests.store.payments_world import World
from voldaan.commands import (
    alerts,
    coupons,
    credit_grants,
    customers,
    invoices,
    meter_events,
    meters,
    payment_methods,
    previews,
    prices,
    products,
    renewals,
    revenue,
    subscriptions,
    thresholds,
)
from voldaan.ledger.chart import CHART
from voldaan.resources.coupons import CouponCreate
from voldaan.resources.credit_notes import CreditNote, CreditNoteLine
from voldaan.resources.customers import Customer, CustomerCreate, CustomerUpdate
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoice_params import InvoiceCreatePreview
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.meters import Meter, MeterCreate
from voldaan.resources.payment_methods import PaymentMethodAttach
from voldaan.resources.prices import Price, PriceCreate
from voldaan.resources.products import ProductCreate
from voldaan.resources.render import to_dict
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import Subscription, SubscriptionCreate
from voldaan.rules.coupons import discount
from voldaan.rules.decision import Decision, Update
from voldaan.rules.usage import Given
from voldaan.store.children import attach
from voldaan.store.ids import new_id
from voldaan.store.queries import shelf
from voldaan.store.transaction import transaction
from voldaan.store.writer import write

payments_world.INSIDE.update(
    {
        "revenue.recognise": revenue.recognise,
        "subscription.expire": subscriptions.expire,
        "subscription.trial_will_end": subscriptions.trial_will_end,
        "subscription.resume_collection": subscriptions.resume_collection,
        "subscription.cancel": subscriptions.cancel_due,
        "credit_grant.expire": credit_grants.expire_due,
        "subscription.renew": renewals.renew,
        "alert.evaluate": alerts.evaluate,
        "subscription.threshold": thresholds.evaluate,
        "usage.settle": subscriptions.settle_usage,
        "invoice.finalize": invoices.finalize_due,
        "invoice.attempt": invoices.attempt_due,
        "invoice.overdue": invoices.overdue,
    }
)
SHAPES = {
    CreditNote: "stripe.CreditNote",
    CreditNoteLine: "stripe.CreditNoteLineItem",
    Invoice: "stripe.Invoice",
    InvoiceItem: "stripe.InvoiceItem",
    InvoicePayment: "stripe.InvoicePayment",
    LineItem: "stripe.InvoiceLineItem",
    Subscription: "stripe.Subscription",
    SubscriptionItem: "stripe.SubscriptionItem",
}
payments_world.NAMES.update(
    {
        "credit_note": "stripe.CreditNote",
        "invoice": "stripe.Invoice",
        "invoiceitem": "stripe.InvoiceItem",
        "invoice_payment": "stripe.InvoicePayment",
        "subscription": "stripe.Subscription",
    }
)
# The invariants that concern billing (store/verify.sql).
INVARIANTS = [name for name in shelf("verify") if name[0] in "LIMNTC" or name.startswith(("P1", "P4", "E1"))]


GRADUATED = [{"up_to": 100, "unit_amount": 10}, {"up_to": "inf", "unit_amount": 5}]


def shown(invoice: Invoice) -> list[tuple[str | None, int]]:
    """What an invoice says, line by line."""
    return [(line.description, line.amount) for line in invoice.lines.data]


class BillingWorld(World):
    """What the doors do for billing, without them."""

    calls: Meter | None = None

    async def price(self, unit_amount: int = 3100, interval: str | None = "month", **more: Any) -> Price:
        product = await self.do(products.create, ProductCreate(name=more.pop("name", "Pro")))
        recurring = {"interval": interval, "interval_count": more.pop("count", 1)} if interval else None
        amount = {} if "tiers" in more else {"unit_amount": unit_amount}
        params = {"currency": "eur", "product": product.id, "recurring": recurring, **amount, **more}
        made: Price = await self.do(prices.create, PriceCreate(**params))
        return made

    async def meter(self) -> Meter:
        """The meter of calls, made when it is first wanted."""
        if self.calls is None:
            params = {"default_aggregation": {"formula": "sum"}, "display_name": "Calls", "event_name": "calls"}
            self.calls = await self.do(meters.create, MeterCreate.model_validate(params))
        return self.calls

    async def metered(self, unit_amount: int = 10, interval: str = "month", **more: Any) -> Price:
        recurring = {"interval": interval, "usage_type": "metered", "meter": (await self.meter()).id}
        return await self.price(unit_amount, interval, **{"name": "Calls", "recurring": recurring, **more})

    async def used(self, customer: Customer, value: float | str, ago: int = 0) -> None:
        """So many calls of the customer, some seconds ago."""
        await self.meter()
        event = Given("calls", {"stripe_customer_id": customer.id, "value": str(value)}, new_id("e"), self.now - ago)
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            assert await meter_events.record(tx, [event]) == [None]

    async def customer(self, card: str | None = "pm_card_visa", **more: Any) -> Customer:
        params: dict[str, Any] = {"email": "anna@example.com", "name": "Anna", **more}
        if card:
            params |= {"payment_method": card, "invoice_settings": {"default_payment_method": card}}
        made: Customer = await self.do(customers.create, CustomerCreate(**params))
        return made

    async def always_off(self, customer: Customer, percent: str = "10") -> None:
        """The customer has a discount of their own, as one that was brought along has it: no request gives one any more."""
        coupon = await self.do(coupons.create, CouponCreate(percent_off=percent, duration="forever"))
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            was = await tx.need(Customer, customer.id)
            found = discount(coupon, self.now, new_id, customer=was.id)
            await write(tx, [Decision(inserts=[found], updates=[Update(replace(was, discount=found), was)])])

    async def give_card(self, customer: Customer, card: str) -> None:
        """The card that the customer pays with from now on."""
        method = await self.do(payment_methods.attach, PaymentMethodAttach(customer=customer.id), card)
        settings = {"default_payment_method": method.id}
        await self.do(customers.update, CustomerUpdate(invoice_settings=settings), customer.id)

    async def subscribe(self, customer: Customer, *items: Price | dict[str, Any], **more: Any) -> Subscription:
        wanted = [{"price": i.id} if isinstance(i, Price) else i for i in items]
        made = await self.do(subscriptions.create, SubscriptionCreate(customer=customer.id, items=wanted, **more))
        return await self.whole(made)

    async def preview(self, subscription: Subscription) -> Invoice:
        """What the subscription would bill next."""
        made: Invoice = await self.do(previews.create, InvoiceCreatePreview(subscription=subscription.id))
        return made

    async def whole(self, resource: Any) -> Any:
        """The object as it is now, with what stands inside it."""
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            found = await tx.need(type(resource), resource.id)
            await attach(tx, [found])
            return found

    async def invoices(self, subscription: Subscription | None = None) -> list[Invoice]:
        """All invoices, or those of a subscription, oldest first, with their lines."""
        found = await self.rows(Invoice) if subscription is None else await self.rows(
            Invoice, "t.subscription_id = %(id)s", id=subscription.id
        )  # fmt: skip
        async with transaction(self.pool, self.account, self.now, self.now) as tx:
            await attach(tx, found)
        return found

    async def balances(self) -> dict[str, int]:
        """What each account of the ledger holds, on its debit side."""
        rows = await self.all(
            "select account, sum(amount)::bigint from (select debit as account, amount from postings "
            "where account_id = %(account)s union all select credit, -amount from postings where account_id = %(account)s) p "
            "group by 1 having sum(amount) <> 0"
        )
        return dict(rows)

    async def breaches(self) -> dict[str, list[Any]]:
        """The invariants that do not hold now, by number, and what breaks them."""
        values = {"only": self.account.id, "chart": list(CHART), "now": self.now}
        async with self.pool.connection() as connection:
            found = {name: await (await connection.execute(shelf("verify")[name], values)).fetchall() for name in INVARIANTS}
        return {name.partition("_")[0]: rows for name, rows in found.items() if rows}

    async def check_invariants(self) -> None:
        broken = await self.breaches()
        assert not broken, broken

    async def check_shapes(self) -> None:
        await super().check_shapes()
        wrong: dict[str, Any] = {}
        for cls, name in SHAPES.items():
            found = await self.rows(cls)
            async with transaction(self.pool, self.account, self.now, self.now) as tx:
                await attach(tx, found)
            for resource in found:
                wrong |= {str(problem): resource.id for problem in check(to_dict(resource), name)}
        assert not wrong, wrong
