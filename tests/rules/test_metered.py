"""Metered prices: what usage costs, what late usage costs, what a change bills. Cases in metered.txt."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.rules.billing import DAY, START, facts, ids, price, subscription
from tests.rules.table import Row, rows
from voldaan.resources.base import UNSET, ListObject
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.prices import Price, PriceTier, PriceTransformQuantity
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import BillingMode, Subscription
from voldaan.resources.usage_periods import UsagePeriod
from voldaan.rules import changes, metered, pricing, renewals
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, ItemChange
from voldaan.rules.decision import Decision, Refused
from voldaan.rules.subscription_items import NewItem
from voldaan.rules.usage import UsageKey

CASES = rows("metered.txt")
OCTOBER = START + 30 * DAY
NOVEMBER = OCTOBER + 31 * DAY


def of(rule: str) -> list[Row]:
    return [row for row in CASES if row.rule == rule]


def counted(id: str, unit_amount: int, **more: Any) -> Price:
    made = price(id, unit_amount)
    assert made.recurring is not None
    recurring = replace(made.recurring, usage_type="metered", meter="mtr_calls")
    given = {"recurring": recurring, "recurring_usage_type": "metered", "recurring_meter": "mtr_calls", **more}
    return replace(made, product="prod_calls", **given)


def tier(up_to: int | None, unit: int, flat: int = 0) -> PriceTier:
    return PriceTier(up_to=up_to, unit_amount_decimal=Decimal(unit), flat_amount_decimal=Decimal(flat))


TIERS: dict[str, Any] = {"billing_scheme": "tiered", "tiers": [tier(100, 10), tier(None, 5)], "unit_amount_decimal": None}
PRICES = {
    "one": counted("one", 10),
    "dearer": counted("dearer", 20),
    "tiers": counted("tiers", 0, tiers_mode="graduated", **TIERS),
    "volume": counted("volume", 0, tiers_mode="volume", **TIERS),
    "packs": counted("packs", 100, transform_quantity=PriceTransformQuantity(divide_by=10, round="up")),
    "base": counted("base", 0, tiers_mode="graduated", **{**TIERS, "tiers": [tier(100, 10, 200), tier(None, 5)]}),
}


def world(*names: str, **more: Any) -> tuple[BillingFacts, Subscription]:
    """Anna's subscription for September to these prices."""
    book = facts()
    book.catalogue.prices |= PRICES
    book.catalogue.products["prod_calls"] = "Calls"
    items = [
        SubscriptionItem(
            id=f"si_{name}", subscription="sub_1", price=book.catalogue.prices[name],
            quantity=UNSET if name in PRICES else 1, created=START, current_period_start=START, current_period_end=OCTOBER,
        )
        for name in names
    ]  # fmt: skip
    whole = replace(subscription(**more), items=ListObject(data=items, url=""))
    book.parties.subscriptions[whole.id] = whole
    return book, whole


def used(book: BillingFacts, start: int, end: int, quantity: str | Decimal, at: int) -> None:
    book.usage.counted[UsageKey("mtr_calls", "cus_anna", start, end)] = Decimal(quantity)
    book.usage.asked_at = at


def drawn(decision: Decision, kind: type[Any] = LineItem) -> list[Any]:
    return [one for one in decision.inserts if isinstance(one, kind)]


def keep(book: BillingFacts, decision: Decision) -> None:
    book.usage.periods |= {one.id: one for one in drawn(decision, UsagePeriod)}


@pytest.mark.parametrize("row", of("usage"), ids=str)
def test_usage(row: Row) -> None:
    book, anna = world(row["price"])
    used(book, START, OCTOBER, row["used"], OCTOBER)
    decision = renewals.renew(book, anna, OCTOBER, ids())
    [line] = drawn(decision)
    assert (line.amount, str(line.quantity_decimal)) == (row.number("amount"), row["shown"])
    assert (line.period_start, line.period_end) == (START, OCTOBER)
    if line.usage.tiers:
        assert sum(each.amount for each in line.usage.tiers) == line.amount


@pytest.mark.parametrize("row", of("late"), ids=str)
def test_late(row: Row) -> None:
    book, anna = world(row["price"])
    used(book, START, OCTOBER, row["billed"], OCTOBER)
    keep(book, renewals.renew(book, anna, OCTOBER, ids()))
    used(book, START, OCTOBER, row["then"], NOVEMBER)
    used(book, OCTOBER, NOVEMBER, "0", NOVEMBER)
    book.usage.late_events["mtr_calls"] = row["policy"]
    decision = renewals.renew(book, book.parties.subscriptions["sub_1"], NOVEMBER, ids())
    late = [line for line in drawn(decision) if line.period_start == START]
    if row.get("amount") is None:
        assert late == []
        return
    [line] = late
    assert (line.amount, str(line.quantity_decimal)) == (row.number("amount"), row["shown"])
    assert line.period_end == OCTOBER


@pytest.mark.parametrize("row", of("change"), ids=str)
def test_change(row: Row) -> None:
    what = row["what"]
    names = ["one"] if what in ("dearer", "licensed") else ["one", "pro"] if what == "removed" else ["pro"]
    classic = row["mode"] == "classic"
    mode = BillingMode(type="classic", flexible=None) if classic else BillingMode()
    book, anna = world(*names, billing_mode=mode)
    at = START + 10 * DAY
    used(book, START, OCTOBER, "107", at)
    used(book, START, at, "100", at)
    used(book, at, OCTOBER, "7", at)
    first = anna.items.data[0]
    new = {"dearer": "dearer", "licensed": "pro", "added": "one"}.get(what)
    quantity = 1 if what == "licensed" else UNSET
    wanted = NewItem(id="si_new" if what == "added" else first.id, price=new, quantity=quantity) if new else None
    if what == "added":
        wanted = NewItem(id="si_new", price="dearer", quantity=UNSET)
        used(book, at, OCTOBER, "0.7", at)
    change = Change(at=at, behavior=row["behavior"], items=[ItemChange(None if what == "added" else first, wanted)])  # type: ignore[arg-type]
    decision = changes.apply(book, anna, anna, change, at, ids())
    waits = [item.amount for item in drawn(decision, InvoiceItem) if not item.proration]
    assert waits == ([row.number("waits")] if row.get("waits") else [])

    keep(book, decision)
    book.pending.clear()
    book.usage.asked_at = OCTOBER
    after = renewals.renew(book, book.parties.subscriptions["sub_1"], OCTOBER, ids())
    amounts = [line.amount for line in drawn(after) if line.subscription_item == first.id or what == "added"]
    amounts = [amount for amount in amounts if what != "added" or amount != 3000]
    assert amounts == ([row.number("next")] if row.get("next") else [])


def test_more_than_can_be_charged_is_refused() -> None:
    book, anna = world("one")
    used(book, START, OCTOBER, "100000000000", OCTOBER)
    with pytest.raises(Refused):
        renewals.renew(book, anna, OCTOBER, ids())


QUANTITY = st.decimals(min_value=-50, max_value=500, places=3)


ARRIVALS = st.lists(st.tuples(st.sampled_from(["draft", "renewal", "both"]), QUANTITY), min_size=1, max_size=6)


@given(st.sampled_from(sorted(PRICES)), ARRIVALS)
def test_whatever_arrives_whenever_is_billed_once(name: str, arrivals: list[tuple[str, Decimal]]) -> None:
    """All lines for September come to the price of all that was used in it, however it came: before a renewal, while a draft
    stands, or after. What was billed never depends on the order."""
    book, anna = world(name)
    new_id = ids()
    lines: dict[str, LineItem] = {}
    used(book, START, OCTOBER, arrivals[0][1], OCTOBER)
    at = OCTOBER
    for when, quantity in [*arrivals, ("renewal", arrivals[-1][1])]:
        if when in ("renewal", "both"):
            used(book, START, OCTOBER, quantity, at)
        current = book.parties.subscriptions[anna.id]
        used(book, current.current_period_start, current.current_period_end, "1" if at > OCTOBER else quantity, at)
        if at == OCTOBER:
            used(book, START, OCTOBER, quantity, at)
        decision = renewals.renew(book, current, current.current_period_end, new_id)
        keep(book, decision)
        [draft] = drawn(decision, Invoice)
        if when in ("draft", "both"):
            used(book, START, OCTOBER, quantity + 1 if when == "both" else quantity, at)
        counted, _ = metered.rated_anew(book, draft, new_id)
        lines |= {line.id: line for line in counted.lines.data}
        at = book.parties.subscriptions[anna.id].current_period_end
        period = book.usage.periods[f"si_{name}/{START}"]
        said = [line for line in lines.values() if line.period_start == START]
        rated = pricing.amount(book.catalogue.terms(name, "eur"), max(period.quantity, Decimal(0)))
        assert sum(line.amount for line in said) == period.amount == rated
        if period.open and when == "renewal":
            assert period.quantity == book.usage.counted[UsageKey("mtr_calls", "cus_anna", START, OCTOBER)]
