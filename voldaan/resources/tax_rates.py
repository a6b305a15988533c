"""Tax rates: a percentage, where it applies, and whether prices contain it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field as Limit

from voldaan.resources.base import Column, Hidden, Instant, Part, Resource, Table
from voldaan.resources.numbers import Number
from voldaan.resources.params import DecimalString, ListParams, Metadata, Params, Unset

TaxType = Literal[
    "admissions_tax", "amusement_tax", "attendance_tax", "communications_tax", "digital_excise_tax",
    "entertainment_tax", "get_fund", "gross_receipts_tax", "gst", "hospitality_tax", "hst", "igst", "jct", "lease_tax",
    "luxury_tax", "mass_transit_parking_tax", "nhil", "parking_tax", "pst", "qst", "resort_tax", "retail_delivery_fee",
    "rst", "sales_tax", "service_tax", "tourism_tax", "utility_users_tax", "vat",
]  # fmt: skip


JurisdictionLevel = Literal["city", "country", "county", "district", "multiple", "state"]
TaxabilityReason = Literal[
    "customer_exempt", "not_collecting", "not_subject_to_tax", "not_supported", "portion_product_exempt",
    "portion_reduced_rated", "portion_standard_rated", "product_exempt", "product_exempt_holiday", "proportionally_rated",
    "reduced_rated", "reverse_charge", "standard_rated", "taxable_basis_reduced", "zero_rated",
]  # fmt: skip


class FlatAmount(Part, kw_only=True):
    amount: int
    currency: str


class TaxRate(Resource, kw_only=True):
    """`percentage` of the net amount, with up to four decimals; `inclusive`: the price already contains the tax."""

    TABLE: ClassVar[Table] = Table("tax_rates", prefix="txr")
    object: Literal["tax_rate"] = "tax_rate"
    active: Annotated[bool, Column()] = True
    country: str | None = None
    created: Annotated[Instant, Column("created_at")]
    description: str | None = None
    display_name: str
    effective_percentage: Number | None = None
    flat_amount: FlatAmount | None = None
    inclusive: Annotated[bool, Column()]
    jurisdiction: str | None = None
    jurisdiction_level: JurisdictionLevel | None = None
    livemode: bool
    metadata: dict[str, str] = {}
    percentage: Number
    rate_type: Literal["flat_amount", "percentage"] | None = "percentage"
    state: str | None = None
    tax_type: TaxType | None = None
    taxability_reason: Annotated[str | None, Hidden()] = None  # of a rate that automatic tax or a given tax made


class TaxRateCreate(Params):
    active: bool = True
    country: str | None = None
    description: str | None = None
    display_name: Annotated[str, Limit(max_length=50)]
    inclusive: bool
    jurisdiction: Annotated[str, Limit(max_length=50)] | None = None
    metadata: Metadata | Unset = {}
    percentage: DecimalString
    state: str | None = None
    tax_type: TaxType | None = None


class TaxRateUpdate(Params):
    active: bool | None = None
    country: str | Unset | None = None
    description: str | Unset | None = None
    display_name: Annotated[str, Limit(max_length=50)] | None = None
    jurisdiction: Annotated[str, Limit(max_length=50)] | Unset | None = None
    metadata: Metadata | Unset = {}
    state: str | Unset | None = None
    tax_type: TaxType | None = None


class TaxRateList(ListParams):
    active: bool | None = None
    inclusive: bool | None = None
