"""Tax codes: what kind of thing a product is. The ids are Stripe's; names and descriptions are our own words.

Only the main codes are listed. Any other well-formed code may be given to a product: its first digits say its kind.
"""

from __future__ import annotations

import re

from voldaan.resources.tax_codes import TaxCode
from voldaan.rules.place_of_supply import Kind
from voldaan.rules.refusals import refused

DEFAULT = "txcd_10000000"
SHIPPING = "txcd_92010001"
SENDING = "txcd_9201"  # shipping, handling, and both in one
FORM = re.compile(r"txcd_\d{8}")

# Digits that a code begins with -> kind. Source: the categories of docs.stripe.com/tax/tax-codes.
KINDS: dict[str, Kind] = {"0": "nontaxable", "1": "digital", "2": "service"}

CODES = [
    TaxCode(id=id, name=name, description=description)
    for id, name, description in [
        ("txcd_00000000", "Nontaxable", "Nothing is taxed, wherever it is sold."),
        ("txcd_10000000", "General - Electronically supplied services", "Whatever a network delivers by itself."),
        ("txcd_10010001", "Infrastructure as a service - personal use", "Rented servers and storage, for private persons."),
        ("txcd_10101000", "Infrastructure as a service - business use", "Rented servers and storage, for businesses."),
        ("txcd_10102000", "Platform as a service - business use", "A hosted platform that others build and run programs on."),
        ("txcd_10103000", "Software as a service - personal use", "Hosted software, for private persons."),
        ("txcd_10103001", "Software as a service - business use", "Hosted software, for businesses."),
        ("txcd_10202000", "Downloaded software - personal use", "Ready-made software to be downloaded, for private persons."),
        ("txcd_10202003", "Downloaded software - business use", "Ready-made software to be downloaded, for businesses."),
        ("txcd_10302000", "Digital books", "Books to be downloaded, to keep."),
        ("txcd_10401100", "Digital audio - downloaded", "Music, podcasts and audio books to be downloaded, to keep."),
        ("txcd_10401200", "Digital audio - streamed by subscription", "Music and podcasts while the subscription runs."),
        ("txcd_20020018", "Installation of goods", "Putting things in place at the buyer's."),
        ("txcd_20030000", "General - Services", "Whatever people do for others."),
        ("txcd_20090022", "Assembly of goods", "Putting together what was bought."),
        ("txcd_92010000", "Shipping and handling", "Packing and sending, in one charge."),
        ("txcd_92010001", "Shipping", "Sending what was bought."),
        ("txcd_92010004", "Handling", "Packing what was bought."),
        ("txcd_99999999", "General - Tangible goods", "Whatever can be touched and moved."),
    ]
]  # fmt: skip
BY_ID = {code.id: code for code in CODES}


def kind(code: str) -> Kind:
    """What kind of thing a code stands for."""
    return KINDS.get(code.removeprefix("txcd_")[:1], "goods")


def is_shipping(code: str) -> bool:
    """Whether it stands for packing and sending what is sold."""
    return code.startswith(SENDING)


def check(code: str, param: str) -> None:
    """Refuses what has not the form of a tax code."""
    if not FORM.fullmatch(code):
        raise refused(f"No such tax code: '{code}'", param, "resource_missing")


def own(code: str | None, param: str) -> str | None:
    """The code that a request gives a thing; None where it gives none, or takes it away ("")."""
    if code:
        check(code, param)
    return code or None
