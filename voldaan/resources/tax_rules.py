"""Tax rules: rates that the seller gives, where the table of rates has none or another one holds. Our own, under /voldaan."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import Column, Instant, Resource, Table
from voldaan.resources.numbers import Number
from voldaan.resources.params import DecimalString, PageParams, Params, Timestamp
from voldaan.resources.tax_rates import TaxType

RuleReason = Literal["product_exempt", "reduced_rated", "standard_rated", "zero_rated"]


class TaxRule(Resource, kw_only=True):
    """In `country` (and `state`), things of `tax_code`, or all that no other rule names, are taxed at `percentage`.

    It never changes, since invoices rely on it; it only ends.
    """

    TABLE: ClassVar[Table] = Table("tax_rules", prefix="taxrule")
    object: Literal["voldaan.tax_rule"] = "voldaan.tax_rule"
    active_from: Annotated[Instant, Column("active_from_at")]
    country: Annotated[str, Column()]
    created: Annotated[Instant, Column("created_at")]
    display_name: str
    expires_at: Annotated[Instant | None, Column()] = None
    livemode: bool
    percentage: Number
    state: str | None = None
    tax_code: str | None = None
    tax_type: TaxType | None = None
    taxability_reason: RuleReason


class TaxRuleCreate(Params):
    active_from: Timestamp | Literal["now"] = "now"
    country: str
    display_name: Annotated[str, Limit(max_length=50)] = "VAT"
    expires_at: Timestamp | None = None
    percentage: DecimalString
    state: str | None = None
    tax_code: str | None = None
    tax_type: TaxType | None = "vat"
    taxability_reason: RuleReason = "standard_rated"


class TaxRuleUpdate(Params):
    expires_at: Timestamp | Literal["now"]


class TaxRuleList(PageParams):
    country: str | None = None
