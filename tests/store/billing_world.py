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
    prices,
    products,
    renewals,
    revenue,
    subscriptions,
    thresholds,
)
from voldaan.resources.coupons import CouponCreate
from voldaan.resources.credit_notes import CreditNote, CreditNoteLine
from voldaan.resources.customers import Customer, CustomerCreate
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoice_payments import InvoicePayment
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.prices import Price, PriceCreate
from voldaan.resources.products import ProductCreate
from voldaan.resources.render import to_dict
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import Subscription, SubscriptionCreate
from voldaan.rules.coupons import discount
from voldaan.rules.decision import Decision, Update
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


class BillingWorld(World):
    """What the doors do for billing, without them."""

    async def price(self, unit_amount: int = 3100, interval: str | None = "month", **more: Any) -> Price:
        product = await self.do(products.create, ProductCreate(name=more.pop("name", "Pro")))
        recurring = {"interval": interval, "interval_count": more.pop("count", 1)} if interval else None
        amount = {} if "tiers" in more else {"unit_amount": unit_amount}
        params = {"currency": "eur", "product": product.id, "recurring": recurring, **amount, **more}
        made: Price = await self.do(prices.create, PriceCreate(**params))
        return made

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

    async def subscribe(self, customer: Customer, *items: Price | dict[str, Any], **more: Any) -> Subscription:
        wanted = [{"price": i.id} if isinstance(i, Price) else i for i in items]
        made = await self.do(subscriptions.create, SubscriptionCreate(customer=customer.id, items=wanted, **more))
        return await self.whole(made)

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

    async def check_invariants(self) -> None:
        """Nothing breaks the invariants."""
        from voldaan.ledger.chart import CHART

        for name in INVARIANTS:
            async with self.pool.connection() as connection:
                values = {"only": self.account.id, "chart": list(CHART), "now": self.now}
                cursor = await connection.execute(shelf("verify")[name], values)
                broken = await cursor.fetchall()
            assert not broken, (name, broken)

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
