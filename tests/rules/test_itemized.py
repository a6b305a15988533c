"""Itemized discounts of prorations. Cases in itemized.txt; and whatever changes, the customer pays what they would have paid
with discounts included, every invoice explains itself, and all of it computed again is the same."""

from __future__ import annotations

import random
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from tests.rules import billing
from tests.rules.billing import DAY, START
from tests.rules.table import Row, rows
from voldaan.resources.base import ListObject
from voldaan.resources.billing import DiscountAmount
from voldaan.resources.coupons import Coupon, CouponCurrencyOption
from voldaan.resources.discounts import Discount, DiscountSource
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import BillingMode, FlexibleBilling, Subscription
from voldaan.rules import changes, itemizing, renewals
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, ItemChange
from voldaan.rules.decision import Decision
from voldaan.rules.explaining import Explained, explain
from voldaan.rules.proration import Share
from voldaan.rules.recomputing import Charged
from voldaan.rules.replaying import Terms, replay
from voldaan.rules.subscription_fields import cancel_at_of
from voldaan.rules.subscription_items import NewItem

LIVES = 300


def off(cell: str | None) -> list[DiscountAmount]:
    named = [each.split() for each in (cell or "").split(", ") if each]
    return [DiscountAmount(discount=name, amount=int(amount)) for name, amount in named]


@pytest.mark.parametrize("row", rows("itemized.txt"), ids=str)
def test_itemized(row: Row) -> None:
    part, whole = (int(each) for each in row["part / whole"].split(" / "))
    found = itemizing.itemize(
        row.number("net"), row.number("charge"), off(row.get("off")), Share(part, whole), back=row["gives back"] == "yes"
    )
    assert found == (row.number("gross"), off(row.get("taken")))
    gross, taken = found
    assert gross - itemizing.total(taken) == row.number("net")


# Lives of chance, lived twice -----------------------------------------------------------------------------------------


class Life:
    """One subscription of two items under discounts, in one of the two ways of showing them."""

    def __init__(self, shown: str, discounts: list[Discount], coupons: list[Coupon], own: list[str]) -> None:
        self.book: BillingFacts = billing.facts()
        self.book.catalogue.coupons = {c.id: c for c in coupons}
        self.book.catalogue.discounts = {d.id: d for d in discounts}
        self.new_id = billing.ids()
        self.invoices: list[Invoice] = []
        items = [self._item("si_1", "pro", own), self._item("si_2", "max", [])]
        mode = BillingMode(flexible=FlexibleBilling(proration_discounts=shown))  # type: ignore[arg-type]
        made = billing.subscription(billing_mode=mode, discounts=[d.id for d in discounts if d.id not in own])
        was = replace(
            made, items=ListObject(data=items, url=""), current_period_start=START - 30 * DAY, current_period_end=START
        )
        self.book.parties.subscriptions[was.id] = was
        self._keep(renewals.renew(self.book, was, START, self.new_id))

    def _item(self, id: str, price: str, own: list[str]) -> SubscriptionItem:
        return SubscriptionItem(
            id=id, subscription="sub_1", price=self.book.catalogue.prices[price], quantity=1, created=START,
            current_period_start=START - 30 * DAY, current_period_end=START, discounts=own,
        )  # fmt: skip

    @property
    def now(self) -> Subscription:
        return self.book.parties.subscriptions["sub_1"]

    def live(self, step: tuple[Any, ...]) -> None:
        kind, at, *said = step
        was = self.now
        if kind == "renew":
            self._keep(renewals.renew(self.book, was, was.current_period_end, self.new_id))
            return
        debits = {item.id: list(item.debits) for item in was.items.data}
        change = Change(at=at, behavior=said[0], debits=debits)
        changed = was
        if kind == "anchor":
            change.anchor = "now"
        elif kind == "end":
            changed = replace(was, cancel_at=cancel_at_of(said[1], [i.current_period_end for i in was.items.data]))
        else:
            item = next(i for i in was.items.data if i.id == said[1])
            change.items = [ItemChange(item, NewItem(item.id, said[2], said[3], discounts=item.discounts))]
        self._keep(changes.apply(self.book, was, changed, change, at, self.new_id))

    def _keep(self, decision: Decision) -> None:
        self.invoices += [made for made in decision.inserts if isinstance(made, Invoice)]

    def waits(self) -> list[int]:
        return [item.amount - itemizing.total(itemizing.taken_of(item) or []) for item in self.waiting()]

    def waiting(self) -> list[InvoiceItem]:
        return self.book.pending.get("cus_anna", [])

    def debited(self) -> dict[str, Charged]:
        """By line and by invoice item, what was charged, for the explanations."""
        found = {}
        for invoice in self.invoices:
            for line in invoice.lines.data:
                charged = Charged(line.amount - line.discount, line.discount_amounts or [])
                found |= {name: charged for name in (line.id, line.invoice_item) if name}
        return found


def coupon(id: str, percent: Decimal | None, amount: int | None) -> Coupon:
    return Coupon(
        id=id, created=START, livemode=False, duration="forever", percent_off=percent, amount_off=amount,
        currency=None if amount is None else "eur",
        currency_options={} if amount is None else {"eur": CouponCurrencyOption(amount_off=amount)},
    )  # fmt: skip


def plan(chance: random.Random) -> list[tuple[Any, ...]]:
    """What happens in a life, in order of time."""
    at, steps = START, []
    behaviors = ("create_prorations", "always_invoice", "always_invoice", "none")
    for _ in range(chance.randrange(2, 12)):
        at += chance.randrange(1, 9 * DAY)
        behavior = chance.choice(behaviors)
        kind = chance.choice(("change", "change", "change", "anchor", "end", "grow"))
        if kind == "end":
            steps.append(("end", at, behavior, at + chance.randrange(1, 20 * DAY)))
        elif kind == "grow":
            steps.append(("end", at, behavior, ""))
        elif kind == "anchor":
            steps.append(("anchor", at, behavior))
        else:
            price = chance.choice(("pro", "max", "week", "year", "free"))
            steps.append(("change", at, behavior, chance.choice(("si_1", "si_2")), price, chance.randrange(1, 9)))
    return steps


@cache
def lived(seed: int) -> tuple[Life, Life]:
    chance = random.Random(seed)
    coupons, discounts = [], []
    for number in range(chance.randrange(1, 4)):
        percent = Decimal(chance.randrange(1, 10_001)) / 100 if chance.randrange(2) else None
        coupons.append(coupon(f"c{number}", percent, None if percent else chance.randrange(1, 6000)))
        discounts.append(Discount(id=f"di_{number}", start=START, source=DiscountSource(coupon=f"c{number}")))
    own = [d.id for d in discounts if chance.randrange(3) == 0]
    lives = tuple(Life(shown, discounts, coupons, own) for shown in ("included", "itemized"))
    for step in plan(chance):
        for life in lives:
            while life.now.status == "active" and life.now.current_period_end <= step[1]:
                life.live(("renew", step[1]))
            if life.now.status == "active":
                life.live(step)
    return lives[0], lives[1]


def test_what_is_paid_is_the_same_to_the_cent() -> None:
    itemized = credits = 0
    for seed in range(LIVES):
        included, other = lived(seed)
        sums = [(i.subtotal, i.total_excluding_tax, i.total, i.amount_due) for i in included.invoices]
        assert sums == [(i.subtotal, i.total_excluding_tax, i.total, i.amount_due) for i in other.invoices], seed
        assert included.waits() == other.waits(), seed
        for one, twin in zip(included.invoices, other.invoices, strict=True):
            assert [line.net for line in one.lines.data] == [line.net for line in twin.lines.data], seed
            for line in twin.lines.data:
                taken = itemizing.taken_of(line)
                assert (taken is not None) == line.proration
                assert line.net == line.amount - sum(each.amount for each in line.discount_amounts or [])
                assert [each.discount for each in taken or []] == (line.discounts if line.proration else [])
                if taken:
                    itemized += 1
                    credits += line.amount < 0
                    assert all((each.amount < 0) <= (line.amount < 0) for each in taken)
    assert itemized > 500
    assert credits > 100


def test_no_discount_is_given_back_beyond_what_it_took() -> None:
    for seed in range(LIVES):
        _, life = lived(seed)
        kept: dict[str, int] = {}
        for line in [line for invoice in life.invoices for line in invoice.lines.data]:
            for each in line.discount_amounts or []:
                kept[each.discount] = kept.get(each.discount, 0) + each.amount
        for item in life.waiting():
            for each in itemizing.taken_of(item) or []:
                kept[each.discount] = kept.get(each.discount, 0) + each.amount
        assert all(amount >= 0 for amount in kept.values()), seed


def test_every_invoice_explains_itself_and_is_the_same_again() -> None:
    for seed in range(LIVES):
        _, life = lived(seed)
        catalogue, debited = life.book.catalogue, life.debited()
        for invoice in life.invoices:
            found = explain(Explained(invoice, catalogue, debited, "per_rate"))
            assert found.holds, (seed, [e for e in found.equations if not e.holds])
        again = replay(life.invoices, Terms(catalogue, {}, "per_rate"), {})
        assert again.differences == [], seed
        assert again.same_lines == again.lines
