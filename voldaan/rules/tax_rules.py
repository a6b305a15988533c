"""Tax rules: what may be given, and what a provider makes of it."""

from __future__ import annotations

from msgspec.structs import replace

from voldaan.resources.tax_rules import TaxRule, TaxRuleCreate, TaxRuleUpdate
from voldaan.rules import tax_codes, tax_rates
from voldaan.rules.eu_vat import GivenRate
from voldaan.rules.refusals import refused

UNTAXED = ("product_exempt", "zero_rated")


def make(params: TaxRuleCreate, *, id: str, now: int, livemode: bool) -> TaxRule:
    """The rule that is asked for. Zero percent is only taken from who says why."""
    percentage = tax_rates.percentage(params.percentage)
    if (percentage == 0) != (params.taxability_reason in UNTAXED):
        message = "A percentage of 0 needs a `taxability_reason` of `zero_rated` or `product_exempt`, and they need it."
        raise refused(message, "percentage")
    if params.tax_code is not None:
        tax_codes.check(params.tax_code, "tax_code")
    active_from = now if params.active_from == "now" else int(params.active_from)
    if params.expires_at is not None and params.expires_at <= active_from:
        raise refused("`expires_at` must be after `active_from`.", "expires_at")
    country = tax_rates.country(params.country)
    assert country is not None
    return TaxRule(
        id=id,
        active_from=active_from,
        country=country,
        created=now,
        display_name=params.display_name,
        expires_at=params.expires_at,
        livemode=livemode,
        percentage=percentage,
        state=params.state,
        tax_code=params.tax_code,
        tax_type=params.tax_type,
        taxability_reason=params.taxability_reason,
    )


def ended(was: TaxRule, params: TaxRuleUpdate, now: int) -> TaxRule:
    """The rule with its end. What has ended stays ended."""
    at = now if params.expires_at == "now" else int(params.expires_at)
    if was.expires_at is not None and was.expires_at <= now:
        raise refused("This rule has expired. Create a new one.", "expires_at")
    if at < max(now, was.active_from):
        raise refused("`expires_at` must not be in the past, nor before `active_from`.", "expires_at")
    return replace(was, expires_at=at)


def given(rule: TaxRule) -> GivenRate:
    """As the provider decides with it."""
    return GivenRate(
        rule.country, rule.state, rule.tax_code, rule.percentage, rule.taxability_reason, rule.active_from, rule.expires_at,
        rule.display_name, rule.tax_type,
    )  # fmt: skip
