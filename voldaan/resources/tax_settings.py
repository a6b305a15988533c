"""Tax settings of the account: where it is established, and what holds for prices and products that say nothing."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from voldaan.resources.base import UNSET, Column, Hidden, Instant, Part, Resource, Table, UnsetType
from voldaan.resources.params import Hash, Params
from voldaan.resources.shared import Address

DefaultBehavior = Literal["exclusive", "inclusive", "inferred_by_currency"]


class TaxDefaults(Part, kw_only=True):
    provider: Literal["anrok", "avalara", "sphere", "stripe"] = "stripe"
    tax_behavior: DefaultBehavior | None = None
    tax_code: str | None = None


class HeadOffice(Part, kw_only=True):
    address: Address


class TaxActive(Part, kw_only=True):
    pass


class TaxPending(Part, kw_only=True):
    missing_fields: list[str] | None = None


class TaxStatusDetails(Part, kw_only=True):
    active: TaxActive | UnsetType = UNSET
    pending: TaxPending | UnsetType = UNSET


class TaxSettings(Resource, kw_only=True):
    """One for each account. Nothing that was set can be taken away again. `id` stands in its events only."""

    TABLE: ClassVar[Table] = Table("tax_settings", prefix="taxset")
    object: Literal["tax.settings"] = "tax.settings"
    id: Annotated[str, Hidden()] = "settings"
    created: Annotated[Instant, Column("created_at"), Hidden()] = 0
    defaults: TaxDefaults = TaxDefaults()
    head_office: HeadOffice | None = None
    livemode: bool
    status: Literal["active", "pending"] = "pending"
    status_details: TaxStatusDetails = TaxStatusDetails(pending=TaxPending(missing_fields=["head_office"]))


class TaxDefaultsParams(Hash):
    tax_behavior: DefaultBehavior | None = None
    tax_code: str | None = None


class HeadOfficeAddressParams(Hash):
    city: str | None = None
    country: str | None = None
    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    state: str | None = None


class HeadOfficeParams(Hash):
    address: HeadOfficeAddressParams


class TaxSettingsUpdate(Params):
    defaults: TaxDefaultsParams | None = None
    head_office: HeadOfficeParams | None = None
