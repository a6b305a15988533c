"""Where a sale is taxed, and whether the seller is the one to collect: the value added tax of the European Union.

Pure: who sells from where and is registered for what, who buys and where, what kind of thing. Instants are epoch seconds.
Sources, rule by rule: docs/behaviour-rules.md, "Place of supply".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from voldaan.rules.countries import EUROPEAN_UNION

Kind = Literal["digital", "service", "goods", "nontaxable"]
Sourcing = Literal["origin", "destination", "performance"]
NoTax = Literal["reverse_charge", "customer_exempt", "not_collecting", "not_subject_to_tax"]

# A scheme of registration, as the API names it; a standard one also says which sales it covers.
Scheme = Literal["standard", "small_seller", "inbound_goods", "oss_union", "oss_non_union", "ioss", "other"]


class Registration(NamedTuple):
    """The seller is known to a tax office for [start, end)."""

    country: str
    scheme: Scheme
    start: int
    end: int | None = None
    state: str | None = None


class Sale(NamedTuple):
    """One kind of thing, sold to one buyer at one instant. Countries are those whose tax holds there."""

    seller: str                       # country of the seller's head office
    buyer: str                        # country of the buyer
    kind: Kind
    at: int
    outside: bool = False             # the buyer's place lies outside its country's value added tax
    state: str | None = None          # the buyer's region, where it has rates of its own
    business: bool = False            # the buyer has a VAT id of a member state
    exempt: Literal["none", "exempt", "reverse"] = "none"
    performed: str | None = None      # country where it takes place, of what is attended


class Place(NamedTuple):
    """Where a sale is taxed; `untaxed` says why nothing is collected there."""

    country: str
    state: str | None
    sourcing: Sourcing
    untaxed: NoTax | None = None


def place(sale: Sale, registrations: Sequence[Registration]) -> Place:
    """Where the sale is taxed, and why not if it is not."""
    there = Place(sale.buyer, sale.state, "destination")
    if sale.kind == "nontaxable":
        return there._replace(untaxed="not_subject_to_tax")
    if sale.exempt == "exempt":
        return there._replace(untaxed="customer_exempt")
    if sale.exempt == "reverse":
        return there._replace(untaxed="reverse_charge")
    active = [r for r in registrations if is_active(r, sale.at)]
    if sale.performed is not None:
        here = Place(sale.performed, None, "performance")
        return here if _registered(active, sale.performed) else here._replace(untaxed="not_collecting")
    if sale.buyer not in EUROPEAN_UNION or sale.outside:
        return _abroad(sale, there, active)
    if sale.buyer == sale.seller:
        return there if _registered(active, sale.buyer) else there._replace(untaxed="not_collecting")
    if sale.business:
        return _to_business(sale, there, active)
    return _to_consumer(sale, there, active)


def is_active(registration: Registration, at: int) -> bool:
    """Whether it covers the instant."""
    return registration.start <= at and (registration.end is None or at < registration.end)


def _abroad(sale: Sale, there: Place, active: Sequence[Registration]) -> Place:
    """Out of the union: taxed only where the seller is registered, by rates that somebody has to give."""
    if not sale.outside and any(r.country == sale.buyer and r.state in (None, sale.state) for r in active):
        return there
    return there._replace(untaxed="not_collecting")


def _to_business(sale: Sale, there: Place, active: Sequence[Registration]) -> Place:
    """Across a border the buyer owes the tax; goods brought in from outside the union are taxed by who is registered there."""
    if sale.kind == "goods" and sale.seller not in EUROPEAN_UNION and _registered(active, sale.buyer):
        return there
    known = any(r.country in EUROPEAN_UNION for r in active)
    return there._replace(untaxed="reverse_charge" if known else "not_collecting")


def _to_consumer(sale: Sale, there: Place, active: Sequence[Registration]) -> Place:
    """Taxed where the buyer is: by a registration there or one of the one-stop shops. Taxed at home: services, and all below
    the threshold."""
    at_home = Place(sale.seller, None, "origin")
    within = sale.seller in EUROPEAN_UNION
    if within and sale.kind == "service":
        return at_home if _registered(active, sale.seller) else at_home._replace(untaxed="not_collecting")
    if _registered(active, sale.buyer) or _one_stop(sale, within, active):
        return there
    if within and any(r.country == sale.seller and r.scheme == "small_seller" for r in active):
        return at_home
    return there._replace(untaxed="not_collecting")


def _registered(active: Sequence[Registration], country: str) -> bool:
    return any(r.country == country and r.scheme in ("standard", "small_seller", "inbound_goods") for r in active)


def _one_stop(sale: Sale, within: bool, active: Sequence[Registration]) -> bool:
    """Whether a one-stop shop covers the sale: the union's for sellers in it, else the import's for goods and the non-union's."""
    if within:
        wanted = "oss_union"
    else:
        wanted = "ioss" if sale.kind == "goods" else "oss_non_union"
    return any(r.scheme == wanted and r.country in EUROPEAN_UNION for r in active)
