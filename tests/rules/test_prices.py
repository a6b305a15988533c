"""Prices: what may be asked for, what the engine reads. Cases in prices.txt."""

from decimal import Decimal
from typing import TypeVar

import pytest

from tests.rules.table import Row, rows
from voldaan.api import forms
from voldaan.resources.params import Params
from voldaan.resources.plans import Plan, plan_of
from voldaan.resources.prices import Price, PriceCreate, PriceUpdate
from voldaan.rules import prices, pricing
from voldaan.rules.decision import Refused

NOW = 1_767_225_600
P = TypeVar("P", bound=Params)


def read(cls: type[P], cell: str | None, **defaults: str) -> P:
    given = dict(pair.split("=", 1) for pair in (cell or "").split())
    form = "&".join(f"{name}={value}" for name, value in {**defaults, **given}.items())
    return cls.model_validate(forms.parse(form.encode()))


def make(cell: str | None, **defaults: str) -> Price:
    params = read(PriceCreate, cell, currency="eur", **defaults)
    return prices.make(params, id="price_1", sort_key="1", product="prod_1", at=NOW, livemode=False)


def shown(value: object) -> str:
    return "-" if value is None else str(value)


def asked(row: Row) -> None:
    price = make(row.get("parameters"))
    amounts = f"{shown(price.unit_amount)} {shown(price.unit_amount_decimal)}"
    assert f"{price.billing_scheme} {price.type} {amounts}" == row["becomes"]


def refused(row: Row) -> None:
    with pytest.raises(Refused) as error:
        make(row.get("parameters"))
    assert error.value.refusal.param == row["blamed"]


def amount(row: Row) -> None:
    price = make(row.get("parameters"))
    if row["amount"] == "not offered":
        with pytest.raises(KeyError):
            prices.terms(price, row["currency"])
        return
    assert pricing.amount(prices.terms(price, row["currency"]), row.number("quantity")) == row.number("amount")


def update(row: Row) -> None:
    behavior = {"tax_behavior": was} if (was := row.get("was")) else {}
    price = make("unit_amount=1000 recurring[interval]=month", **behavior)
    assert updated(price, read(PriceUpdate, row.get("parameters"))) == row["becomes"]


def updated(price: Price, params: PriceUpdate) -> str:
    try:
        after = prices.update(price, params)
    except Refused as error:
        return f"blames {error.refusal.param}"
    assert prices.terms(after, "eur") == prices.terms(price, "eur")
    assert after.currency_options["eur"] == prices.offered_in(after, "eur")
    return f"{shown(after.nickname)} {after.active} {after.tax_behavior} {','.join(after.currency_options)}"


CHECKS = {"asked": asked, "refused": refused, "amount": amount, "update": update}


@pytest.mark.parametrize("row", rows("prices.txt"), ids=str)
def test_prices(row: Row) -> None:
    CHECKS[row.rule](row)


def test_the_columns_repeat_the_recurring_terms() -> None:
    price = make(
        "unit_amount=5 recurring[interval]=week recurring[interval_count]=2 recurring[usage_type]=metered "
        "recurring[meter]=mtr_1 recurring[trial_period_days]=7"
    )
    repeated = (
        price.recurring_interval, price.recurring_interval_count, price.recurring_usage_type, price.recurring_meter,
        price.recurring_trial_period_days,
    )  # fmt: skip
    assert repeated == ("week", 2, "metered", "mtr_1", 7)


def test_a_plan_is_the_recurring_price_in_older_words() -> None:
    price = make("unit_amount_decimal=0.5 recurring[interval]=year transform_quantity[divide_by]=5 transform_quantity[round]=up")
    plan = plan_of(price)
    assert isinstance(plan, Plan)
    assert (plan.id, plan.amount, plan.amount_decimal, plan.interval) == ("price_1", None, Decimal("0.5"), "year")
    assert plan.transform_usage == price.transform_quantity
    with pytest.raises(ValueError, match="does not recur"):
        plan_of(make("unit_amount=5"))
