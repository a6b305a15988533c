"""Where a customer is, for tax: the first address there is, and everything else that was known, kept as evidence.

Order: shipping address, billing address, the payment method's billing address (docs.stripe.com/tax/customer-locations). The
card's country and the IP address are kept as evidence and decide nothing: cards travel, and no table of addresses is at hand.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from voldaan.resources.base import UNSET
from voldaan.resources.customers import Customer
from voldaan.resources.payment_methods import PaymentMethod
from voldaan.resources.shared import Address, Shipping

Source = Literal["billing_address", "ip_address", "payment_method", "shipping_destination"]


class Located(NamedTuple):
    """An address and where it was found."""

    address: Address
    source: Source


def locate(address: Address | None, shipping: Shipping | None, method: PaymentMethod | None = None) -> Located | None:
    """The address that the customer is taxed at; None if there is none with a country."""
    if (to := ship_to(shipping)) and to.country:
        return Located(to, "shipping_destination")
    if address and address.country:
        return Located(address, "billing_address")
    of_method = _of_method(method)
    return Located(of_method, "payment_method") if of_method and of_method.country else None


def is_precise(address: Address) -> bool:
    """Whether the address says enough to be taxed at. Source: docs.stripe.com/tax/customer-locations."""
    postal_code = (address.postal_code or "").strip()
    if address.country == "US":
        return len(postal_code) >= 5 and postal_code[:5].isdecimal()
    if address.country == "CA":
        return bool(address.state or postal_code)
    return address.country is not None


def ship_to(shipping: Shipping | None) -> Address | None:
    """Where goods go."""
    return shipping.address if shipping and shipping.address is not UNSET else None


def evidence(customer: Customer, shipping: Shipping | None, method: PaymentMethod | None, used: Located | None) -> dict[str, Any]:
    """All that speaks for a place, and what was relied on. Kept with the invoice, for whoever checks it later."""
    to, of_method = ship_to(shipping), _of_method(method)
    return {
        "used": used.source if used else None,
        "shipping_destination": to.country if to else None,
        "billing_address": customer.address.country if customer.address else None,
        "payment_method": of_method.country if of_method else None,
        "card_country": _card_country(method),
        "ip_address": customer.tax.ip_address,
    }


def _of_method(method: PaymentMethod | None) -> Address | None:
    return method.billing_details.address if method else None


def _card_country(method: PaymentMethod | None) -> str | None:
    card = method.card if method else UNSET
    return card.country if card else None
