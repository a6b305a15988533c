"""What a subscription is worth a month, and what changes of it are called: a table and a property."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voldaan.reports.recurring import (
    GAINS,
    Book,
    Facts,
    SeenItem,
    SeenItems,
    SeenRate,
    SeenSubscription,
    Standing,
    monthly_amount,
)
from voldaan.resources.coupons import Coupon, CouponAppliesTo
from voldaan.resources.discounts import Discount, DiscountSource
from voldaan.resources.numbers import Number
from voldaan.resources.prices import Price, PriceTier, PriceTransformQuantity
from voldaan.rules.catalogue import Catalogue

NOW = 1_790_000_000


def price(id: str, amount: int, interval: str, count: int = 1, **facts: Any) -> Price:
    given = {"recurring_usage_type": "licensed", "unit_amount_decimal": Decimal(amount), **facts}
    return Price(
        id=id, created=0, currency="eur", livemode=False, product=f"prod_{id}", type="recurring", recurring_interval=interval,  # type: ignore[arg-type]
        recurring_interval_count=count, **given,
    )  # fmt: skip


TIERS = [PriceTier(up_to=5, unit_amount_decimal=Decimal(1000)), PriceTier(up_to=None, unit_amount_decimal=Decimal(800))]
PRICES = {
    p.id: p
    for p in (
        price("month", 1000, "month"), price("quarter", 9000, "month", 3), price("year", 60000, "year"),
        price("odd", 10000, "year"), price("week", 1200, "week"), price("day", 120, "day"),
        price("metered", 5, "month", recurring_usage_type="metered"),
        price("tiered", 0, "month", billing_scheme="tiered", tiers_mode="graduated", tiers=TIERS),
        price("dozens", 900, "month", transform_quantity=PriceTransformQuantity(divide_by=12, round="up")),
        price("listed", 5000, "month"), price("own", 4000, "month"), price("former", 1, "month"), price("future", 2, "month"),
        price("many", 5000, "year", 2),
        price("fewer", 0, "year", 2, billing_scheme="tiered", tiers_mode="graduated", tiers=TIERS),
    )
}  # fmt: skip
AGREED: dict[tuple[str, str], list[tuple[int, int | None, str]]] = {
    ("cus", "listed"): [(NOW - 90, NOW, "former"), (NOW, NOW + 90, "own"), (NOW + 90, None, "future")],
    ("cus", "many"): [(0, None, "fewer")],
    ("cus_other", "month"): [(0, None, "former")],
}
COUPONS = {
    "half": {"percent_off": Number(50), "duration": "forever"},
    "once": {"percent_off": Number(50), "duration": "once"},
    "months": {"percent_off": Number(50), "duration": "repeating"},
    "three": {"amount_off": 300, "currency": "eur", "duration": "forever"},
    "huge": {"amount_off": 10**6, "currency": "eur", "duration": "forever"},
    "month_only": {"percent_off": Number(50), "duration": "forever", "applies_to": CouponAppliesTo(products=["prod_month"])},
}


def facts(of_customer: list[str]) -> Facts:
    discounts = {name: Discount(id=name, source=DiscountSource(coupon=name), start=NOW - 10) for name in COUPONS}
    ended = Discount(id="ended", source=DiscountSource(coupon="half"), start=NOW - 10, end=NOW)
    coupons = {name: Coupon(id=name, created=0, livemode=False, **terms) for name, terms in COUPONS.items()}
    catalogue = Catalogue(prices=PRICES, discounts={**discounts, "ended": ended}, coupons=coupons, agreements=AGREED)
    return Facts(catalogue, {"cus": [discounts[name] for name in of_customer]}, ignoring={"sub_alone"})


# items as "price*quantity", separated by blanks; discounts of the subscription; of the customer -> a month's worth
WORTH = [
    ("month", "", "", 1000),
    ("month*3", "", "", 3000),
    ("quarter", "", "", 3000),
    ("year", "", "", 5000),
    ("odd", "", "", 833),                  # 833.33
    ("odd*2", "", "", 1667),               # 1666.67: rounded once an item
    ("week", "", "", 5200),                # 52 weeks a year
    ("day", "", "", 3650),                 # 365 days a year
    ("metered*7", "", "", 0),
    ("month metered", "", "", 1000),
    ("tiered*7", "", "", 6600),
    ("month year", "", "", 6000),
    ("month", "half", "", 500),
    ("month", "once months", "", 1000),
    ("month", "three", "", 700),
    ("year", "three", "", 4975),           # off each invoice, and so off a year
    ("month", "huge", "", 0),
    ("month", "half three", "", 200),
    ("month", "ended", "", 1000),
    ("month", "", "half", 500),
    ("month", "three", "half", 700),       # its own discounts instead of the customer's
    ("month year", "month_only", "", 5500),
    ("dozens*13", "", "", 1800),           # two packages
    ("listed*2", "", "", 8000),            # at the price of a contract
    ("listed", "half", "", 2000),
    ("many*7", "", "", 275),               # at its tiers: 66.00 for two years
]


@pytest.mark.parametrize(("items", "own", "customers", "worth"), WORTH)
def test_a_months_worth(items: str, own: str, customers: str, worth: int) -> None:
    assert monthly_amount(seen(items, own), facts(customers.split()), NOW) == worth


def test_an_items_own_discounts_leave_the_customers_to_the_whole() -> None:
    """As renewals bill it; but not where the subscription shall not inherit it."""
    both = seen("month month")
    both.items.data[0].discounts = ["three"]
    assert monthly_amount(both, facts(["half"]), NOW) == (700 + 1000) // 2
    both.id = "sub_alone"
    assert monthly_amount(both, facts(["half"]), NOW) == 1700


@pytest.mark.parametrize(("after", "worth"), [(-90, 1), (-1, 1), (0, 4000), (89, 4000), (90, 2), (10**8, 2), (-91, 5000)])
def test_a_contract_counts_from_its_start_to_its_end(after: int, worth: int) -> None:
    assert monthly_amount(seen("listed"), facts([]), NOW + after) == worth


def seen(items: str, own: str = "", **more: Any) -> SeenSubscription:
    parts = [(name, int(quantity or 1)) for name, _, quantity in (item.partition("*") for item in items.split())]
    given = {"status": "active", "cancel_at_period_end": False, **more}
    return SeenSubscription(
        id="sub", customer="cus", currency="eur", items=SeenItems([SeenItem(name, quantity) for name, quantity in parts]),
        discounts=own.split(), **given,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "counts"),
    [("active", True), ("past_due", True), ("trialing", False), ("incomplete", False), ("incomplete_expired", False),
     ("unpaid", False), ("paused", False), ("canceled", False)],
)  # fmt: skip
def test_which_states_count(status: str, counts: bool) -> None:
    assert monthly_amount(seen("month", status=status), facts([]), NOW) == (1000 if counts else 0)


def test_who_has_said_to_leave_counts_no_more() -> None:
    assert monthly_amount(seen("month", cancel_at_period_end=True), facts([]), NOW) == 0


def test_tax_that_the_price_includes_is_no_revenue() -> None:
    rates = [SeenRate(Decimal(21), True), SeenRate(Decimal(5), False)]
    taxed = seen("month", default_tax_rates=rates)
    assert monthly_amount(taxed, facts([]), NOW) == 826
    taxed.items.data[0].tax_rates = [SeenRate(Decimal(25), True)]
    assert monthly_amount(taxed, facts([]), NOW) == 800


CHANGES = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 4), st.sampled_from([10, 7200])), max_size=40
)


@given(CHANGES)
def test_movements_add_up(changes: list[tuple[str, str, int, int]]) -> None:
    """Whatever happens: per customer start + gains - losses = end, and each movement is called what it is."""
    book = Book({}, {})
    now = 0
    for number, (customer, sub, amount, later) in enumerate(changes):
        now += later
        before = sum(s.amount for s in book.of(customer))
        known = len(book.movements)
        standing = Standing(f"{customer}{sub}", customer, "eur", amount, f"{number:05}", f"{number:05}", now)
        book.enter(standing, now)
        after = sum(s.amount for s in book.of(customer))
        made = book.movements[known:]
        assert after - before == sum(m.amount if m.kind in GAINS else -m.amount for m in made)
        assert len(made) <= 1
        for movement in made:
            earlier = [m for m in book.movements[:known] if m.customer == customer]
            assert movement.amount > 0
            assert (movement.kind == "churn") == (after == 0)
            if before == 0:
                assert movement.kind == ("reactivation" if earlier else "new")
            if movement.kind == "expansion":
                assert before > 0


def test_an_old_event_changes_nothing() -> None:
    book = Book({}, {})
    book.enter(Standing("s", "c", "eur", 5, "2", "2", 10), 10)
    book.enter(Standing("s", "c", "eur", 9, "1", "1", 5), 5)
    assert [(m.kind, m.amount) for m in book.movements] == [("new", 5)]
    assert book.of("c")[0].amount == 5
