"""Prorations whose discounts are itemized: the amount is before discounts, and what each takes off stands beside it.

What the customer pays is the same to the cent as with discounts included: the net amount is computed as ever, the gross is
the same share of the charge before discounts, and the discounts take what lies between them. Amounts are minor units.
Sources: docs/behaviour-billing.md, "Billing mode and changes".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from voldaan.resources.billing import DiscountAmount
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.line_items import LineItem
from voldaan.resources.subscriptions import BillingMode
from voldaan.rules.money import split
from voldaan.rules.proration import Share


def itemizes(mode: BillingMode) -> bool:
    """Whether prorations show their discounts beside the amount, and not in it."""
    return mode.flexible is not None and mode.flexible.proration_discounts == "itemized"


def total(off: Iterable[DiscountAmount]) -> int:
    return sum(each.amount for each in off)


def itemize(
    net: int, whole: int, off: Sequence[DiscountAmount], share: Share, *, back: bool
) -> tuple[int, list[DiscountAmount]]:
    """The proration that comes to `net`, before discounts, and what each discount takes off it.

    It is this share of a charge of `whole` after the discounts `off`. One that gives `back` is negative, and so is what
    discounts take off it: they were given for that time. Of no discount more is given back than it took.
    """
    if not total(off):
        return net, [replace(each, amount=0) for each in off]
    gross = share.of(whole + total(off)) * (-1 if back else 1)
    taken = split(gross - net, [each.amount for each in off])
    return gross, [replace(each, amount=amount) for each, amount in zip(off, taken, strict=True)]


def included(mode: BillingMode, off: Iterable[DiscountAmount]) -> list[DiscountAmount]:
    """What is shown of discounts that are in the amount: that they are. Classic billing shows nothing."""
    return [replace(each, amount=0) for each in off] if mode.type == "flexible" else []


def shown_of(waiting: InvoiceItem) -> list[DiscountAmount]:
    """The discounts of a proration that waits, with what each takes off its amount: 0 where they are in it already."""
    return waiting.proration_details.discount_amounts if waiting.proration_details else []


def taken_of(billed: LineItem | InvoiceItem) -> list[DiscountAmount] | None:
    """What discounts take off a line or an invoice item that itemizes them; None for any other."""
    return None if billed.basis is None else billed.basis.taken
