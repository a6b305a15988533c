"""Billing thresholds: when one is reached, what it bills, and that the whole costs what it does. Cases in thresholds.txt."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.rules.billing import DAY, START, ids
from tests.rules.table import Row, rows
from tests.rules.test_metered import OCTOBER, PRICES, QUANTITY, drawn, used, world
from voldaan.resources.base import ListObject
from voldaan.resources.billing import BillingThresholds, BillingThresholdsParams
from voldaan.resources.coupons import Coupon
from voldaan.resources.discounts import Discount, DiscountSource
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.subscription_items import ItemThresholds
from voldaan.resources.subscriptions import Subscription
from voldaan.resources.usage_periods import UsagePeriod
from voldaan.rules import changes, crossing, metered, pricing, renewals, thresholds
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, ItemChange
from voldaan.rules.decision import Decision, Refused
from voldaan.rules.subscription_items import NewItem

CASES = rows("thresholds.txt")
TENTH = START + 10 * DAY


def of(rule: str) -> list[Row]:
    return [row for row in CASES if row.rule == rule]


def bounded(price: str, terms: str, **more: Any) -> tuple[BillingFacts, Subscription]:
    """Anna's subscription with a threshold: "amount=1000", or "usage=50" of its item."""
    book, anna = world(price, status="active", **more)
    kind, _, value = terms.partition("=")
    if kind == "amount":
        anna = replace(anna, billing_thresholds=BillingThresholds(amount_gte=int(value)))
    else:
        items = [replace(item, billing_thresholds=ItemThresholds(usage_gte=int(value))) for item in anna.items.data]
        anna = replace(anna, items=ListObject(data=items, url=""))
    book.parties.subscriptions[anna.id] = anna
    return book, anna


def kept(book: BillingFacts, decision: Decision) -> None:
    """What it writes of usage periods is known from now on."""
    book.usage.periods |= {one.id: one for one in drawn(decision, UsagePeriod)}
    book.usage.periods |= {u.new.id: u.new for u in decision.updates if isinstance(u.new, UsagePeriod)}


def look(book: BillingFacts, quantity: str | Decimal, at: int, new_id: Any) -> Decision:
    """Thresholds looked at, after so much was used in the whole period."""
    for anna in list(book.parties.subscriptions.values()):
        for item in anna.items.data:
            used(book, metered.since(item), item.current_period_end, quantity, at)
            used(book, metered.since(item), at, quantity, at)
        return crossing.cross(book, anna, {}, at, new_id)
    raise AssertionError


@pytest.mark.parametrize("row", of("reached"), ids=str)
def test_reached(row: Row) -> None:
    book, anna = bounded(row["price"], row["set"])
    new_id = ids()
    if row["billed"] != "0":
        lowest = replace(anna, billing_thresholds=BillingThresholds(amount_gte=50))
        book.parties.subscriptions[anna.id] = lowest
        kept(book, look(book, row["billed"], TENTH - DAY, new_id))
        book.parties.subscriptions[anna.id] = anna
    decision = look(book, row["used"], TENTH, new_id)
    if row.get("amount") is None:
        assert decision == Decision()
        return
    [line] = drawn(decision)
    [invoice] = drawn(decision, Invoice)
    assert (line.amount, str(line.quantity_decimal)) == (row.number("amount"), row["units"])
    assert (line.period_start, line.period_end) == (START, TENTH)
    assert (invoice.billing_reason, invoice.total) == ("subscription_threshold", line.amount)
    reason = invoice.threshold_reason
    if row["set"].startswith("amount"):
        assert (reason.amount_gte, reason.item_reasons) == (1000, [])
    else:
        assert (reason.amount_gte, [(r.line_item_ids, r.usage_gte) for r in reason.item_reasons]) == (None, [([line.id], 50)])
    kept(book, decision)
    assert look(book, row["used"], TENTH, new_id) == Decision()  # once


@pytest.mark.parametrize("row", of("silent"), ids=str)
def test_silent(row: Row) -> None:
    book, anna = bounded("one", "amount=1000")
    when, at = row["when"], TENTH
    if when == "last_day":
        at = OCTOBER - DAY
    elif when == "off":
        anna = replace(anna, billing_thresholds=BillingThresholds(reset_billing_cycle_anchor=True))
    else:
        anna = replace(anna, status=when)
    book.parties.subscriptions[anna.id] = anna
    assert look(book, "1000", at, ids()) == Decision()


@pytest.mark.parametrize("row", of("counts"), ids=str)
def test_counts(row: Row) -> None:
    book, anna = bounded("one", "amount=1000")
    if row["what"] == "waiting":
        waits = InvoiceItem(
            id="ii_1", amount=400, created=START, currency="eur", customer="cus_anna", livemode=False, period_start=START,
            period_end=START, subscription="sub_1",
        )  # fmt: skip
        book.pending["cus_anna"] = [waits]
    else:
        book.catalogue.coupons["half"] = Coupon(
            id="half", created=START, livemode=False, duration="once", percent_off=Decimal(50), valid=True, times_redeemed=1
        )
        book.catalogue.discounts["di_1"] = Discount(id="di_1", source=DiscountSource(coupon="half"), start=START)
        book.parties.subscriptions[anna.id] = replace(anna, discounts=["di_1"])
    decision = look(book, row["used"], TENTH, ids())
    totals = [invoice.total for invoice in drawn(decision, Invoice)]
    assert totals == ([row.number("amount")] if row.get("amount") else [])
    if row["what"] == "discount":  # which was for one invoice
        assert book.parties.subscriptions[anna.id].discounts == ([] if totals else ["di_1"])
    assert bool(book.pending.get("cus_anna")) == (row["what"] == "waiting" and not totals)


def test_flat_fees_alone_do_not_reach_it() -> None:
    book, anna = bounded("base", "amount=200")
    with pytest.raises(Refused, match=r"2\.00"):
        thresholds.check(book.catalogue, anna)
    thresholds.check(book.catalogue, replace(anna, billing_thresholds=BillingThresholds(amount_gte=201)))


def test_what_is_not_said_of_thresholds_stays() -> None:
    was = BillingThresholds(amount_gte=1000)
    both = thresholds.given(was, BillingThresholdsParams(reset_billing_cycle_anchor=True))
    assert both == BillingThresholds(amount_gte=1000, reset_billing_cycle_anchor=True)
    assert thresholds.given(both, "") is None


MOMENTS = st.lists(st.tuples(st.sampled_from(["look", "close", "forget"]), QUANTITY), max_size=6)


@given(st.sampled_from(sorted(PRICES)), st.sampled_from(["amount=50", "amount=1000", "usage=1", "usage=100"]), MOMENTS, QUANTITY)
def test_all_bills_of_a_period_are_the_price_of_all_that_was_used(
    name: str, terms: str, moments: list[tuple[str, Decimal]], last: Decimal
) -> None:
    """Whatever arrives or is taken back, whenever thresholds fire, and whether the period ends of itself or by a change of the
    price in the middle of it."""
    book, anna = bounded(name, terms)
    new_id, lines = ids(), []
    at = START + DAY
    for what, quantity in moments:
        at += DAY
        if what == "look":
            decision = look(book, quantity, at, new_id)
            kept(book, decision)
            lines += drawn(decision)
            continue
        classic = what == "forget"
        current = book.parties.subscriptions[anna.id]
        mode = replace(current.billing_mode, type="classic") if classic else current.billing_mode
        item = current.items.data[0]
        used(book, START, at, quantity, at)
        used(book, START, item.current_period_end, quantity, at)
        used(book, at, item.current_period_end, "0", at)
        dear = NewItem(id=item.id, price="dearer" if name != "dearer" else "one", quantity=item.quantity)
        change = Change(at=at, items=[ItemChange(item, dear)])
        decision = changes.apply(book, current, replace(current, billing_mode=mode), change, at, new_id)
        kept(book, decision)
        lines += drawn(decision, InvoiceItem)
        _is_paid_for(book, name, lines, book.usage.periods.get(f"si_{name}/{START}"))
        return
    used(book, START, OCTOBER, last, OCTOBER)
    decision = renewals.renew(book, book.parties.subscriptions[anna.id], OCTOBER, new_id)
    kept(book, decision)
    lines += drawn(decision)
    period = book.usage.periods[f"si_{name}/{START}"]
    assert (period.quantity, period.period_end) == (last.quantize(Decimal("1e-12")), OCTOBER)
    _is_paid_for(book, name, lines, period)


def _is_paid_for(book: BillingFacts, name: str, lines: list[Any], period: UsagePeriod | None) -> None:
    if period is None:
        assert lines == []
        return
    rated = pricing.amount(book.catalogue.terms(name, "eur"), max(period.quantity, Decimal(0)))
    assert sum(line.amount for line in lines) == period.amount == rated
    units = sum((line.quantity_decimal for line in lines), Decimal(0))
    assert units == max(period.quantity, Decimal(0))
    assert period.period_end <= OCTOBER


def test_a_threshold_that_begins_anew_bills_all_of_the_old_period() -> None:
    book, anna = bounded("tiers", "amount=1000")
    anna = replace(anna, billing_thresholds=BillingThresholds(amount_gte=1000, reset_billing_cycle_anchor=True))
    book.parties.subscriptions[anna.id] = anna
    new_id = ids()
    decision = look(book, "120", TENTH, new_id)
    kept(book, decision)
    [invoice] = drawn(decision, Invoice)
    [line] = [each for each in drawn(decision) if isinstance(each, LineItem)]
    assert (invoice.billing_reason, invoice.threshold_reason.amount_gte, line.amount) == ("subscription_threshold", 1000, 1100)
    after = book.parties.subscriptions[anna.id]
    assert (after.billing_cycle_anchor, after.current_period_start) == (TENTH, TENTH)
    book.pending.clear()
    used(book, TENTH, after.current_period_end, "100", TENTH + DAY)
    used(book, TENTH, TENTH + DAY, "100", TENTH + DAY)
    again = crossing.cross(book, after, {}, TENTH + DAY, new_id)
    [fresh] = drawn(again)
    assert (fresh.amount, fresh.period_start) == (1000, TENTH)  # the tiers begin anew


def test_what_is_used_in_the_second_of_a_new_period_is_in_it() -> None:
    book, anna = bounded("one", "amount=1000")
    anna = replace(anna, billing_thresholds=BillingThresholds(amount_gte=1000, reset_billing_cycle_anchor=True))
    book.parties.subscriptions[anna.id] = anna
    used(book, START, OCTOBER, "100", TENTH)
    used(book, START, TENTH, "99", TENTH)
    decision = crossing.cross(book, anna, {}, TENTH, ids())
    assert decision.inserts == []
    assert [(due.kind, due.at) for due in decision.due] == [("subscription.threshold", TENTH + 1)]
