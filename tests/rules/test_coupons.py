"""Coupons: what may be asked for, and when one can be redeemed. Cases in coupons.txt."""

import pytest
from msgspec.structs import replace

from tests.rules.table import Row, instant, rows
from voldaan.api import forms
from voldaan.resources.coupons import Coupon, CouponCreate
from voldaan.rules import coupons
from voldaan.rules.decision import Refused

NOW = instant("2026-01-01")


def make(cell: str) -> Coupon:
    params = CouponCreate.model_validate(forms.parse(cell.replace(" ", "&").encode()))
    return coupons.make(params, id="c", sort_key="1", at=NOW, livemode=False)


def asked(row: Row) -> None:
    assert outcome(row.get("parameters") or "") == row["becomes"]


def outcome(cell: str) -> str:
    try:
        coupon = make(cell)
    except Refused as error:
        return f"blames {error.refusal.param}"
    amounts = " ".join(f"{option.amount_off} {currency}" for currency, option in coupon.currency_options.items())
    months = f" {coupon.duration_in_months}" if coupon.duration_in_months else ""
    return f"{amounts or f'{coupon.percent_off} percent'}, {coupon.duration}{months}"


def redeem(row: Row) -> None:
    at_most = row.get("at most")
    by = row.get("redeem by")
    coupon = replace(
        make("percent_off=10"),
        redeem_by=instant(by) if by else None,
        max_redemptions=int(at_most) if at_most else None,
        times_redeemed=row.number("so far"),
    )
    refusal = coupons.refusal(coupon, instant(row["now"]), "coupon")
    assert (refusal.code if refusal else None) == row.get("refusal")


CHECKS = {"asked": asked, "redeem": redeem}


@pytest.mark.parametrize("row", rows("coupons.txt"), ids=str)
def test_coupons(row: Row) -> None:
    CHECKS[row.rule](row)


def test_the_last_redemption_makes_a_coupon_invalid() -> None:
    coupon = replace(make("percent_off=10"), max_redemptions=2)
    first = coupons.redeemed(coupon)
    second = coupons.redeemed(first)
    assert (first.times_redeemed, first.valid) == (1, True)
    assert (second.times_redeemed, second.valid) == (2, False)


def test_an_amount_is_taken_off_only_in_the_currencies_it_is_offered_in() -> None:
    coupon = make("amount_off=500 currency=eur currency_options[usd][amount_off]=600")
    assert [coupons.amount_off(coupon, currency) for currency in ("eur", "usd", "jpy")] == [500, 600, None]
    assert coupons.amount_off(make("percent_off=5"), "eur") is None
