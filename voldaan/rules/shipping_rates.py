"""Shipping rates: what may be asked for, what an update changes, and what a rate costs in a currency."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.billing import Behavior
from voldaan.resources.shipping_rates import (
    DeliveryBound,
    DeliveryBoundParams,
    DeliveryEstimate,
    FixedAmount,
    ShippingCurrencyOption,
    ShippingRate,
    ShippingRateData,
    ShippingRateUpdate,
)
from voldaan.rules import tax_codes
from voldaan.rules.metadata import merged
from voldaan.rules.refusals import missing, refused

Options = dict[str, ShippingCurrencyOption]


def make(params: ShippingRateData, *, id: str, at: int, livemode: bool, under: str = "") -> ShippingRate:
    """The rate that these parameters describe. `under` is the hash of the request in which they stand. Raises Refused."""
    given = params.fixed_amount
    if given is None:
        raise missing(_param(under, "fixed_amount"))
    if params.tax_code is not None:
        tax_codes.check(params.tax_code, _param(under, "tax_code"))
    options: Options = {}
    for currency, option in (given.currency_options or {}).items():
        if currency != given.currency:
            options[currency] = ShippingCurrencyOption(amount=option.amount, tax_behavior=option.tax_behavior)
        elif option.amount != given.amount:
            raise refused(
                "The option of the rate's own currency must have the rate's own amount.",
                _param(under, f"fixed_amount[currency_options][{currency}][amount]"),
            )
    estimate = params.delivery_estimate
    return ShippingRate(
        id=id,
        created=at,
        delivery_estimate=None if estimate is None else DeliveryEstimate(
            maximum=_bound(estimate.maximum), minimum=_bound(estimate.minimum)
        ),
        display_name=params.display_name,
        fixed_amount=FixedAmount(amount=given.amount, currency=given.currency, currency_options=options or UNSET),
        livemode=livemode,
        metadata=merged({}, params.metadata),
        tax_behavior=params.tax_behavior,
        tax_code=params.tax_code,
    )  # fmt: skip


def update(rate: ShippingRate, params: ShippingRateUpdate) -> ShippingRate:
    """The rate with what the parameters say. What it costs in its own currency stays. Raises Refused."""
    changed = replace(rate, metadata=merged(rate.metadata, params.metadata))
    if params.active is not None:
        changed = replace(changed, active=params.active)
    if params.tax_behavior is not None:
        changed = replace(changed, tax_behavior=params.tax_behavior)
    fixed = changed.fixed_amount
    if params.fixed_amount is None or params.fixed_amount.currency_options is None or fixed is None:
        return changed
    options: Options = {} if fixed.currency_options is UNSET else dict(fixed.currency_options)
    for currency, said in params.fixed_amount.currency_options.items():
        here = f"fixed_amount[currency_options][{currency}]"
        if currency == fixed.currency:
            raise refused("The amount in the rate's own currency cannot be changed: make another rate.", here)
        was = options.get(currency)
        amount = said.amount if said.amount is not None else was.amount if was else None
        if amount is None:
            raise missing(f"{here}[amount]")
        behavior: Behavior = said.tax_behavior or (was.tax_behavior if was else "unspecified")
        options[currency] = ShippingCurrencyOption(amount=amount, tax_behavior=behavior)
    return replace(changed, fixed_amount=replace(fixed, currency_options=options))


def cost(rate: ShippingRate, currency: str) -> tuple[int, Behavior | None] | None:
    """What the rate costs in a currency, in minor units, and whether tax is inside it; None if it says nothing of it."""
    fixed = rate.fixed_amount
    if fixed is None:
        return None
    if fixed.currency == currency:
        return fixed.amount, rate.tax_behavior
    option = None if fixed.currency_options is UNSET else fixed.currency_options.get(currency)
    return None if option is None else (option.amount, option.tax_behavior)


def _bound(given: DeliveryBoundParams | None) -> DeliveryBound | None:
    return None if given is None else DeliveryBound(unit=given.unit, value=given.value)


def _param(under: str, name: str) -> str:
    if not under:
        return name
    head, bracket, rest = name.partition("[")
    return f"{under}[{head}]{bracket}{rest}"
