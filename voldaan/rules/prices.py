"""Prices: what may be asked for, what a price becomes of it, and what the engine reads from it.

Amounts are minor units; decimals of a minor unit have up to twelve places.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.numbers import plain
from voldaan.resources.params import AMOUNT_MAX
from voldaan.resources.prices import (
    CurrencyOptionParams,
    CustomUnitAmount,
    CustomUnitAmountParams,
    Price,
    PriceCreate,
    PriceCurrencyOption,
    PriceTier,
    PriceTransformQuantity,
    PriceUpdate,
    Recurring,
    RecurringParams,
    TierParams,
)
from voldaan.rules.metadata import merged
from voldaan.rules.pricing import PriceTerms, Tier, TransformQuantity
from voldaan.rules.refusals import exclusive, missing, refused

LONGEST = {"day": 1095, "week": 156, "month": 36, "year": 3}  # three years: docs.stripe.com/api/prices/create


# ── what the engine reads ───────────────────────────────────────────────────────────────────────────────────────────


def terms(price: Price, currency: str) -> PriceTerms:
    """What decides an amount in `currency`. Raises KeyError if the price is not offered in it."""
    option = offered_in(price, currency)
    transform = price.transform_quantity
    return PriceTerms(
        billing_scheme=price.billing_scheme,
        unit_amount_decimal=option.unit_amount_decimal or 0,
        tiers=tuple(_tier_terms(t) for t in option.tiers) if option.tiers is not UNSET else (),
        tiers_mode=price.tiers_mode,
        transform_quantity=TransformQuantity(transform.divide_by, transform.round) if transform else None,
    )


def offered_in(price: Price, currency: str) -> PriceCurrencyOption:
    """The price's amounts in `currency`. Raises KeyError if it is not offered in it."""
    if currency == price.currency:
        return PriceCurrencyOption(
            custom_unit_amount=price.custom_unit_amount,
            tax_behavior=price.tax_behavior,
            tiers=price.tiers,
            unit_amount=price.unit_amount,
            unit_amount_decimal=price.unit_amount_decimal,
        )
    if price.currency_options is UNSET:
        raise KeyError(currency)
    return price.currency_options[currency]


def _tier_terms(tier: PriceTier) -> Tier:
    return Tier(tier.up_to, tier.unit_amount_decimal or 0, tier.flat_amount_decimal or 0)


# ── making and changing one ─────────────────────────────────────────────────────────────────────────────────────────


def make(params: PriceCreate, *, id: str, sort_key: str, product: str, at: int, livemode: bool) -> Price:
    """The price that these parameters describe. Refuses what Stripe refuses, blaming the same parameter."""
    _check_scheme(params)
    recurring = _recurring(params.recurring) if params.recurring else None
    own = _option(params, params, "")
    others = {
        currency: _option(params, option, f"currency_options[{currency}]")
        for currency, option in _other_currencies(params.currency, params.currency_options or {})
    }
    transform = params.transform_quantity
    return with_recurring(
        Price(
            id=id,
            active=params.active,
            billing_scheme=params.billing_scheme,
            created=at,
            currency=params.currency,
            currency_options={params.currency: own, **others},
            custom_unit_amount=own.custom_unit_amount,
            livemode=livemode,
            lookup_key=params.lookup_key,
            metadata=merged({}, params.metadata),
            nickname=params.nickname or None,
            product=product,
            sort_key=sort_key,
            tax_behavior=own.tax_behavior,
            tiers=own.tiers,
            tiers_mode=params.tiers_mode,
            transform_quantity=PriceTransformQuantity(divide_by=transform.divide_by, round=transform.round)
            if transform
            else None,
            type="one_time",
            unit_amount=own.unit_amount,
            unit_amount_decimal=own.unit_amount_decimal,
        ),
        recurring,
    )


def with_recurring(price: Price, recurring: Recurring | None) -> Price:
    """The price with these recurring terms, and with them in the columns that repeat them."""
    return replace(
        price,
        type="recurring" if recurring else "one_time",
        recurring=recurring,
        recurring_interval=recurring.interval if recurring else None,
        recurring_interval_count=recurring.interval_count if recurring else None,
        recurring_usage_type=recurring.usage_type if recurring else None,
        recurring_meter=recurring.meter if recurring else None,
        recurring_trial_period_days=recurring.trial_period_days if recurring else None,
    )


def update(price: Price, params: PriceUpdate) -> Price:
    """The price after an update. What it costs in its own currency never changes: subscriptions rely on it."""
    given = params.model_fields_set
    changed = replace(price, metadata=merged(price.metadata, params.metadata))
    if params.active is not None:
        changed = replace(changed, active=params.active)
    if "nickname" in given:
        changed = replace(changed, nickname=params.nickname or None)
    if "lookup_key" in given:
        changed = replace(changed, lookup_key=params.lookup_key or None)
    options = {} if price.currency_options is UNSET else dict(price.currency_options)
    if params.currency_options == "":
        options = {price.currency: offered_in(price, price.currency)}
    elif params.currency_options is not None:
        for currency, option in _other_currencies(price.currency, params.currency_options):
            options[currency] = _option(price, option, f"currency_options[{currency}]")
    if params.tax_behavior is not None and params.tax_behavior != price.tax_behavior:
        if price.tax_behavior not in (None, "unspecified"):
            raise refused("You cannot change `tax_behavior` once it is set to `inclusive` or `exclusive`.", "tax_behavior")
        changed = replace(changed, tax_behavior=params.tax_behavior)
        options[price.currency] = replace(offered_in(price, price.currency), tax_behavior=params.tax_behavior)
    return replace(changed, currency_options=options)


# ── the checks ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_scheme(params: PriceCreate) -> None:
    """What goes with a price per unit, and what with tiers."""
    if params.billing_scheme == "tiered":
        if params.recurring is None:
            raise refused("Prices with `type=one_time` are not supported with tiered billing.", "interval")
        for name in ("unit_amount", "unit_amount_decimal", "custom_unit_amount", "transform_quantity"):
            if getattr(params, name) is not None:
                raise refused(f"`{name}` cannot be set when `billing_scheme` is `tiered`.", name)
        if params.tiers is None:
            raise missing("tiers")
        if params.tiers_mode is None:
            raise missing("tiers_mode")
        return
    for name in ("tiers", "tiers_mode"):
        if getattr(params, name) is not None:
            raise refused(f"`{name}` can only be set when `billing_scheme` is `tiered`.", name)
    if params.custom_unit_amount is None:
        return
    for name in ("recurring", "transform_quantity", "currency_options"):
        if getattr(params, name) is not None:
            raise refused(f"`{name}` cannot be set together with `custom_unit_amount`.", name)


def _recurring(params: RecurringParams) -> Recurring:
    """Refuses an interval beyond three years, and usage without a meter."""
    longest = LONGEST[params.interval]
    if params.interval_count > longest:
        raise refused(
            f"You can bill every three years at most: `interval_count` is {longest} at most "
            f"when `interval` is `{params.interval}`.",
            "recurring[interval_count]",
        )
    if params.usage_type == "metered" and params.meter is None:
        raise refused("A price with `usage_type` `metered` needs a meter.", "recurring[meter]", "parameter_missing")
    if params.usage_type == "licensed" and params.meter is not None:
        raise refused("Only a price with `usage_type` `metered` can have a meter.", "recurring[meter]")
    return Recurring(
        interval=params.interval,
        interval_count=params.interval_count,
        meter=params.meter,
        trial_period_days=params.trial_period_days,
        usage_type=params.usage_type,
    )


def _other_currencies(
    own: str, options: dict[str, CurrencyOptionParams]
) -> list[tuple[str, CurrencyOptionParams]]:
    if own in options:
        raise refused(f"`currency_options` repeats the currency of the price itself, {own}.", f"currency_options[{own}]")
    return list(options.items())


def _option(scheme: PriceCreate | Price, params: PriceCreate | CurrencyOptionParams, path: str) -> PriceCurrencyOption:
    """The amounts in one currency: tiers if the price has tiers, else one amount, or bounds for the buyer's own."""
    behavior = params.tax_behavior or "unspecified"
    if scheme.billing_scheme == "tiered":
        if not params.tiers:
            raise missing(_within(path, "tiers"))
        return PriceCurrencyOption(tax_behavior=behavior, tiers=_tiers(params.tiers, _within(path, "tiers")))
    names = ("unit_amount", "unit_amount_decimal", "custom_unit_amount")
    given = [_within(path, name) for name in names if getattr(params, name) is not None]
    if not given:
        raise refused(
            "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.", _within(path, "unit_amount")
        )
    if len(given) > 1:
        raise exclusive(*given)
    if params.custom_unit_amount:
        return PriceCurrencyOption(
            tax_behavior=behavior, custom_unit_amount=_custom(params.custom_unit_amount, _within(path, names[2]))
        )
    whole, exact = _amount(params.unit_amount, params.unit_amount_decimal, path, "unit_amount")
    return PriceCurrencyOption(tax_behavior=behavior, unit_amount=whole, unit_amount_decimal=exact)


def _custom(params: CustomUnitAmountParams, path: str) -> CustomUnitAmount:
    """Bounds that do not contradict each other."""
    if not params.enabled:
        raise refused(f"`{path}[enabled]` must be true, or leave `{path}` out.", f"{path}[enabled]")
    low, high, preset = params.minimum or 0, params.maximum if params.maximum is not None else AMOUNT_MAX, params.preset
    if low > high:
        raise refused("`minimum` must not be greater than `maximum`.", f"{path}[minimum]")
    if preset is not None and not low <= preset <= high:
        raise refused("`preset` must be between `minimum` and `maximum`.", f"{path}[preset]")
    return CustomUnitAmount(maximum=params.maximum, minimum=params.minimum, preset=preset)


def _tiers(tiers: Sequence[TierParams], path: str) -> list[PriceTier]:
    """Tiers that follow each other without a gap, the last without end."""
    found: list[PriceTier] = []
    below = 0
    for number, tier in enumerate(tiers):
        here, last = f"{path}[{number}]", number == len(tiers) - 1
        if (tier.up_to == "inf") != last:
            raise refused("The last tier, and only it, must have `up_to` set to `inf`.", f"{here}[up_to]")
        if tier.up_to != "inf":
            if tier.up_to <= below:
                raise refused("Every tier's `up_to` must be greater than that of the tier before it.", f"{here}[up_to]")
            below = tier.up_to
        unit, unit_exact = _amount(tier.unit_amount, tier.unit_amount_decimal, here, "unit_amount")
        flat, flat_exact = _amount(tier.flat_amount, tier.flat_amount_decimal, here, "flat_amount")
        if unit_exact is None and flat_exact is None:
            raise refused("A tier needs a `unit_amount` or a `flat_amount`.", f"{here}[unit_amount]", "parameter_missing")
        found.append(
            PriceTier(
                flat_amount=flat,
                flat_amount_decimal=flat_exact,
                unit_amount=unit,
                unit_amount_decimal=unit_exact,
                up_to=None if tier.up_to == "inf" else tier.up_to,
            )
        )
    return found


def _amount(whole: int | None, exact: Decimal | None, path: str, name: str) -> tuple[int | None, Decimal | None]:
    """Both forms of an amount that was given in one: whole minor units only where it is whole."""
    if whole is not None and exact is not None:
        raise exclusive(_within(path, name), _within(path, f"{name}_decimal"))
    if whole is not None:
        return whole, Decimal(whole)
    if exact is None:
        return None, None
    if not 0 <= exact <= AMOUNT_MAX:
        raise refused(f"This value must be between 0 and {AMOUNT_MAX}.", _within(path, f"{name}_decimal"))
    return int(exact) if exact == int(exact) else None, plain(exact)


def _within(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


