"""Hashes that several objects have in common."""

from __future__ import annotations

from voldaan.resources.base import UNSET, Part, UnsetType
from voldaan.resources.params import Hash, Unset


class Address(Part, kw_only=True):
    """A postal address; `country` is a two-letter code."""

    city: str | None = None
    country: str | None = None
    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    state: str | None = None


class Shipping(Part, kw_only=True):
    """Where goods go, and whom the parcel is for."""

    address: Address | UnsetType = UNSET
    carrier: str | UnsetType | None = UNSET
    name: str | UnsetType = UNSET
    phone: str | None = None
    tracking_number: str | UnsetType | None = UNSET


class AddressParams(Hash):
    city: str | Unset | None = None
    country: str | Unset | None = None
    line1: str | Unset | None = None
    line2: str | Unset | None = None
    postal_code: str | Unset | None = None
    state: str | Unset | None = None

    def address(self) -> Address:
        """As it is stored: what is empty is null, the country in capitals."""
        given = {name: value or None for name, value in self.given().items()}
        if given.get("country"):
            given["country"] = given["country"].upper()
        return Address(**given)


class ShippingParams(Hash):
    address: AddressParams
    name: str
    phone: str | Unset | None = None

    def shipping(self) -> Shipping:
        return Shipping(address=self.address.address(), name=self.name, phone=self.phone or None)
