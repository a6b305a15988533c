"""Billing credits: which grants pay for what, in which order, and what that leaves to be taxed. Cases in credit_grants.txt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.rules.billing import DAY, START, facts, ids, invoice, price
from tests.rules.table import Row, rows
from voldaan.resources.base import ListObject
from voldaan.resources.coupons import Coupon
from voldaan.resources.credit_balance import CREDITS, CreditBalanceTransaction
from voldaan.resources.credit_grants import ApplicabilityConfig, CreditGrant, CreditScope, ScopePrice
from voldaan.resources.discounts import Discount, DiscountSource
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem
from voldaan.resources.numbers import Number
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import credit_grants, credits_used, finalization, invoices, owing
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.credits_used import Payable
from voldaan.rules.decision import Decision, Refused, Update

NOW = START + 19 * DAY


def grant(id: str, value: int = 100, **more: Any) -> CreditGrant:
    given: dict[str, Any] = {
        "id": id, "applicability_config": ApplicabilityConfig(scope=CreditScope(price_type="metered")), "balance": value,
        "created": START, "currency": "eur", "customer": "cus_anna", "effective_at": START, "livemode": False,
        "updated": START, "value": value,
    }  # fmt: skip
    return CreditGrant(**{**given, **more})


def grant_of(cell: str) -> CreditGrant:
    head, *special = cell.split(",")
    name, _, rest = head.partition(":")
    value, _, only = rest.partition("@")
    more: dict[str, Any] = {}
    if only:
        more["applicability_config"] = ApplicabilityConfig(scope=CreditScope(prices=[ScopePrice(id=only)]))
    for word in special:
        if word == "promo":
            more["category"] = "promotional"
        elif word.startswith("from"):
            more["effective_at"] = START + (int(word[4:]) - 1) * DAY
        elif word.startswith("until"):
            more["expires_at"] = START + (int(word[5:]) - 1) * DAY
        elif word == "usd":
            more["currency"] = "usd"
        elif word == "void":
            more["voided_at"] = NOW
        else:
            more["priority"] = int(word.removeprefix("p"))
    return grant(name, int(value), **more)


def line_of(cell: str) -> Payable:
    amount, _, metered = cell.partition("@")
    return Payable(int(amount), metered or None)


def apply(row: Row) -> None:
    grants = [grant_of(cell) for cell in row["grants"].split()]
    for order in (grants, grants[::-1]):  # whatever the order in which they are read
        usable = credits_used.usable({g.id: g for g in order}, invoice("draft", period_end=NOW), NOW)
        paid = credits_used.apply([line_of(cell) for cell in row["lines"].split()], usable)
        assert " | ".join(" ".join(f"{u.grant}:{u.amount}" for u in uses) or "-" for uses in paid) == row["paid"]


def book(**grants: CreditGrant) -> BillingFacts:
    known = facts()
    metered = replace(price("api", 1), recurring_usage_type="metered", recurring_meter="mtr_1")
    known.catalogue.prices["api"] = metered
    known.catalogue.products["prod_api"] = "API"
    known.parties.grants["cus_anna"] = dict(grants)
    return known


def line(id: str, amount: int, of: str) -> LineItem:
    return LineItem(
        id=id, amount=amount, currency="eur", invoice="in_1", livemode=False, period_start=START, period_end=NOW, price=of,
        product=f"prod_{of}", subscription="sub_1", subscription_item=f"si_{of}", subtotal=amount,
    )  # fmt: skip


def drafted(known: BillingFacts, *lines: LineItem, **more: Any) -> Invoice:
    draft = invoice("draft", 0, period_end=NOW, created=NOW, lines=ListObject(data=[], url=""), **more)
    invoices.complete(known, draft, list(lines))
    return draft


def total(row: Row) -> None:
    value = row.number("grant")
    known = book(**({"g": grant("g", value)} if value else {}))
    rate, _, inclusive = row["rate"].partition(" ")
    known.catalogue.tax_rates["txr_1"] = TaxRate(
        id="txr_1", created=START, display_name="VAT", inclusive=bool(inclusive), livemode=False, percentage=Number(rate)
    )
    more: dict[str, Any] = {"default_tax_rates": ["txr_1"]}
    if off := row.number("off"):
        known.catalogue.coupons["c"] = Coupon(id="c", created=START, duration="forever", livemode=False, percent_off=Number(off))
        known.catalogue.discounts["di_1"] = Discount(id="di_1", source=DiscountSource(coupon="c"), start=START)
        more["discounts"] = ["di_1"]
    lines = [line("il_1", row.number("metered"), "api"), line("il_2", row.number("licensed"), "pro")]
    draft = drafted(known, *lines, **more)
    _, done = finalization.finalize(known, draft, NOW, ids(), collect="later")
    for made in (draft, done.invoice):  # the draft shows what the invoice then says
        credits = [c for c in made.total_pretax_credit_amounts or [] if c.type == "credit_balance_transaction"]
        assert sum(d.amount for d in made.total_discount_amounts or []) == row.number("discount")
        assert sum(c.amount for c in credits) == row.number("credits")
        assert (made.tax, made.total_excluding_tax, made.total) == (row.number("tax"), row.number("net"), row.number("total"))
        assert made.subtotal_excluding_tax == row.number("before tax")
        assert made.subtotal == row.number("metered") + row.number("licensed")
        assert all((c.credit_balance_transaction is None) == (made is draft) for c in credits)
        assert made.total == sum(each.net + each.tax for each in made.lines.data)
    left = known.parties.grants["cus_anna"]["g"].balance if value else 0
    assert left == value - row.number("credits")


CHECKS = {"apply": apply, "total": total}


@pytest.mark.parametrize("row", rows("credit_grants.txt"), ids=str)
def test_credit_grants(row: Row) -> None:
    CHECKS[row.rule](row)


@given(
    lines=st.lists(st.tuples(st.integers(-500, 2000), st.sampled_from(["x", "y", None])), max_size=8),
    grants=st.lists(
        st.tuples(st.integers(1, 1500), st.integers(0, 3), st.sampled_from([None, "x", "y"]), st.booleans()), max_size=8
    ),
)
def test_no_more_is_paid_than_there_is(
    lines: list[tuple[int, str | None]], grants: list[tuple[int, int, str | None, bool]]
) -> None:
    found = []
    for number, (value, priority, only, promotional) in enumerate(grants):
        scope = CreditScope(prices=[ScopePrice(id=only)]) if only else CreditScope(price_type="metered")
        found.append(
            grant(f"g{number}", value, priority=priority, category="promotional" if promotional else "paid",
                  applicability_config=ApplicabilityConfig(scope=scope))
        )  # fmt: skip
    payable = [Payable(amount, of) for amount, of in lines]
    order = credits_used.usable({g.id: g for g in found}, invoice("draft", period_end=NOW), NOW)
    paid = credits_used.apply(payable, order)
    taken: Counter[str] = Counter()
    by_id = {g.id: g for g in found}
    for each, uses in zip(payable, paid, strict=True):
        assert all(use.amount > 0 for use in uses)
        assert credits_used.total(uses) <= (max(0, each.amount) if each.price else 0)
        for use in uses:
            taken[use.grant] += use.amount
            assert credit_grants.covers(by_id[use.grant], CreditScope(prices=[ScopePrice(id=each.price)]))
    assert all(taken[g.id] <= g.value for g in found)
    for g in found:  # nothing is left over that could have paid for something
        if taken[g.id] < g.value:
            for each, uses in zip(payable, paid, strict=True):
                if each.price and credit_grants.covers(g, CreditScope(prices=[ScopePrice(id=each.price)])):
                    assert credits_used.total(uses) == max(0, each.amount)


@given(
    amounts=st.lists(st.integers(0, 5000), min_size=1, max_size=4),
    values=st.lists(st.integers(1, 4000), min_size=1, max_size=4),
    voided=st.booleans(),
)
def test_grants_are_the_sum_of_their_transactions_through_finalization_and_void(
    amounts: list[int], values: list[int], voided: bool
) -> None:
    new_id = ids()
    known = book(**{f"g{n}": grant(f"g{n}", value) for n, value in enumerate(values)})
    made: list[CreditBalanceTransaction] = []
    for each in known.parties.grants["cus_anna"].values():
        made += of(credit_grants.granted(each, new_id))
    draft = drafted(known, *(line(f"il_{n}", amount, "api") for n, amount in enumerate(amounts)))
    decision, done = finalization.finalize(known, draft, NOW, new_id, collect="later")
    made += of(decision)
    check_chain(decision)
    assert sum(amounts) - done.invoice.total == sum(values) - sum(g.balance for g in known.parties.grants["cus_anna"].values())
    if voided and done.invoice.status == "open":
        undone = owing.void(done, NOW, new_id)
        made += of(undone)
        check_chain(undone)
        assert {g.balance - g.value for g in known.parties.grants["cus_anna"].values()} == {0}
    for each in known.parties.grants["cus_anna"].values():
        assert balance_of(t for t in made if t.credit_grant == each.id) == each.balance


def balance_of(transactions: Iterable[CreditBalanceTransaction]) -> int:
    """What the transactions of a grant come to."""
    return sum(t.value if t.movement in CREDITS else -t.value for t in transactions)


def of(decision: Decision) -> list[CreditBalanceTransaction]:
    return [made for made in decision.inserts if isinstance(made, CreditBalanceTransaction)]


def check_chain(decision: Decision) -> None:
    """Each update of a grant starts from where the one before left it: the writer keeps the last."""
    seen: dict[str, CreditGrant] = {}
    for update in decision.updates:
        if isinstance(update, Update) and isinstance(update.new, CreditGrant) and isinstance(update.was, CreditGrant):
            assert seen.get(update.new.id, update.was).balance == update.was.balance
            seen[update.new.id] = update.new


def test_credits_of_a_grant_that_has_ended_are_gone_when_its_invoice_is_void() -> None:
    known = book(g=grant("g", 500, expires_at=NOW + DAY))
    draft = drafted(known, line("il_1", 900, "api"))
    _, done = finalization.finalize(known, draft, NOW, ids(), collect="later")
    undone = owing.void(done, NOW + DAY, ids())
    assert [(t.movement, t.value) for t in of(undone)] == [
        ("credits_application_invoice_voided", 500), ("credits_expired", 500),
    ]  # fmt: skip
    assert known.parties.grants["cus_anna"]["g"].balance == 0


def test_a_draft_only_shows_what_others_may_use_first() -> None:
    known = book(g=grant("g", 500))
    first, second = drafted(known, line("il_1", 900, "api")), drafted(known, line("il_1", 900, "api"), id="in_2")
    assert (first.total, second.total) == (400, 400)
    finalization.finalize(known, first, NOW, ids(), collect="later")
    _, done = finalization.finalize(known, second, NOW, ids(), collect="later")
    assert (done.invoice.total, done.invoice.total_pretax_credit_amounts) == (900, [])
    assert done.invoice.lines.data[0].pretax_credit_amounts == []


def test_only_what_a_subscription_item_costs_by_a_meter_is_paid() -> None:
    known = book(g=grant("g", 500))
    once = replace(line("il_1", 900, "api"), subscription_item=None)
    prorated = replace(line("il_2", 900, "api"), proration=True)
    legacy = replace(line("il_3", 900, "old"))
    known.catalogue.prices["old"] = replace(price("old", 1), recurring_usage_type="metered")
    assert drafted(known, once, prorated, legacy).total == 2700
    assert drafted(known, line("il_1", 900, "api"), subscription=None).total == 900


@pytest.mark.parametrize("what", [credit_grants.expire, credit_grants.void])
@pytest.mark.parametrize("over", [{"voided_at": START}, {"expires_at": NOW}])
def test_what_is_over_is_over(what: Any, over: dict[str, int]) -> None:
    with pytest.raises(Refused):
        what(grant("g", **over), NOW, ids())


def test_a_grant_that_was_used_cannot_be_taken_back_but_ended() -> None:
    used = replace(grant("g", 100), balance=40)
    with pytest.raises(Refused, match="has been applied"):
        credit_grants.void(used, NOW, ids())
    assert [(t.movement, t.value) for t in of(credit_grants.expire(used, NOW, ids()))] == [("credits_expired", 40)]
