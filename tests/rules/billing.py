"""What tests of billing rules are made of, without a database: a book, a customer, prices, ids that count."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import count
from typing import Any

from voldaan.resources.accounts import Account, BillingSettings
from voldaan.resources.base import ListObject
from voldaan.resources.customers import Customer
from voldaan.resources.invoices import Invoice
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.prices import Price, Recurring
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.catalogue import Catalogue
from voldaan.rules.owing import Parties

START = 1_788_220_800  # 1 September 2026, a month of thirty days
DAY = 86_400


def ids() -> Callable[[str], str]:
    """Ids that sort as they are made."""
    numbers = count(1)
    return lambda prefix: f"{prefix}_{next(numbers):06}"


def price(id: str, unit_amount: int, interval: Any = "month", every: int = 1) -> Price:
    return Price(
        id=id,
        created=START,
        currency="eur",
        livemode=False,
        product=f"prod_{id}",
        recurring=Recurring(interval=interval, interval_count=every),
        recurring_interval=interval,
        recurring_interval_count=every,
        recurring_usage_type="licensed",
        sort_key="",
        type="recurring",
        unit_amount=unit_amount,
        unit_amount_decimal=Decimal(unit_amount),
    )


def facts(**settings: Any) -> BillingFacts:
    """A book with Anna, her card, and a few prices."""
    account = Account(id="acct_1", created=START, settings_billing=BillingSettings(**settings))
    anna = Customer(id="cus_anna", created=START, currency="eur", invoice_prefix="ANNA", livemode=False)
    anna.invoice_settings = type(anna.invoice_settings)(default_payment_method="pm_1")
    card = PaymentMethod(id="pm_1", created=START, customer=anna.id, processor="sandbox", token="tok", type="card")
    prices = [price("pro", 3000), price("max", 9000), price("year", 36500, "year"), price("week", 700, "week"), price("free", 0)]
    catalogue = Catalogue(
        prices={p.id: p for p in prices}, products={f"prod_{p.id}": p.id.capitalize() for p in prices}
    )
    return BillingFacts(
        account, catalogue, Parties({anna.id: anna}), "https://books.example", START, methods={card.id: card}
    )


def subscription(status: Any = "active", **more: Any) -> Subscription:
    """Anna's subscription to Pro for September."""
    item = SubscriptionItem(
        id="si_1", subscription="sub_1", price=price("pro", 3000), quantity=1, created=START,
        current_period_start=START, current_period_end=START + 30 * DAY,
    )  # fmt: skip
    ended = {"ended_at": START, "canceled_at": START} if status == "canceled" else {}
    return Subscription(
        id="sub_1",
        billing_cycle_anchor=START,
        created=START,
        currency="eur",
        customer="cus_anna",
        items=ListObject(data=[item], url=""),
        latest_invoice="in_1",
        livemode=False,
        start_date=START,
        status=status,
        current_period_start=START,
        current_period_end=START + 30 * DAY,
        **{**ended, **more},
    )


def invoice(status: Any = "open", total: int = 3000, **more: Any) -> Invoice:
    """An invoice of that subscription."""
    given: dict[str, Any] = {
        "id": "in_1", "amount_due": total, "amount_remaining": total, "auto_advance": True, "created": START,
        "currency": "eur", "customer": "cus_anna", "lines": ListObject(data=[], url=""), "livemode": False,
        "number": None if status == "draft" else "ANNA-0001", "period_start": START, "period_end": START,
        "status": status, "subscription": "sub_1", "subtotal": total, "total": total,
    }  # fmt: skip
    return Invoice(**{**given, **more})
