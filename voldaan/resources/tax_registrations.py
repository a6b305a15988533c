"""Tax registrations: where, for what and since when the business is registered to collect tax."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import model_validator

from voldaan.resources.base import Column, Hidden, Instant, Resource, Table
from voldaan.resources.params import Hash, PageParams, Params, Timestamp, Unset, refuse

RegistrationStatus = Literal["active", "expired", "scheduled"]


class TaxRegistration(Resource, kw_only=True):
    """Cannot be deleted, only ended. `status` is of the instant that it is read at; `scheme` is what `country_options` say."""

    TABLE: ClassVar[Table] = Table("tax_registrations", prefix="taxreg")
    object: Literal["tax.registration"] = "tax.registration"
    active_from: Annotated[Instant, Column("active_from_at")]
    country: Annotated[str, Column()]
    country_options: dict[str, Any]
    created: Annotated[Instant, Column("created_at")]
    expires_at: Annotated[Instant | None, Column()] = None
    livemode: bool
    status: RegistrationStatus = "active"
    scheme: Annotated[str, Column(), Hidden()]  # standard, small_seller, oss_union, …
    state: Annotated[str | None, Column(), Hidden()] = None

    def as_of(self, now: int) -> TaxRegistration:
        """As it stands at that instant."""
        if now < self.active_from:
            self.status = "scheduled"
        else:
            self.status = "active" if self.expires_at is None or now < self.expires_at else "expired"
        return self


class StandardParams(Hash):
    place_of_supply_scheme: Literal["inbound_goods", "small_seller", "standard"] = "standard"


class ProvinceParams(Hash):
    province: str


class LocalTaxParams(Hash):
    jurisdiction: str


class CountryParams(Hash):
    """What a country asks for; which of it, says rules/tax_registrations.py."""

    type: str
    standard: StandardParams | None = None
    province_standard: ProvinceParams | None = None
    state: str | None = None
    local_amusement_tax: LocalTaxParams | None = None
    local_lease_tax: LocalTaxParams | None = None


class TaxRegistrationCreate(Params):
    active_from: Timestamp | Literal["now"]
    country: str
    country_options: dict[str, CountryParams]
    expires_at: Timestamp | None = None

    @model_validator(mode="after")
    def _one_country(self) -> TaxRegistrationCreate:
        if set(self.country_options) != {self.country.lower()}:
            message = "`country_options` must hold the options of the registration's country, {country}, and no other."
            raise refuse("", message, country=self.country.lower()[:10], param="country_options")
        return self


class TaxRegistrationUpdate(Params):
    active_from: Timestamp | Literal["now"] | None = None
    expires_at: Timestamp | Literal["now"] | Unset | None = None


class TaxRegistrationList(PageParams):
    status: Literal["active", "all", "expired", "scheduled"] | None = None

    FILTERS: ClassVar[dict[str, str]] = {
        "status": (  # by the wall clock: the registrations are the account's, which lives by no test clock
            "%(status)s = 'all' or case when t.active_from_at > now() then 'scheduled'"  # the wall clock
            " when t.expires_at is null or t.expires_at > now() then 'active' else 'expired' end = %(status)s"  # the wall clock
        ),
    }
