"""What an amount was computed from, where it is not simply price times quantity: kept so that it can be explained, and
computed again with other prices."""

from __future__ import annotations

from typing import Literal

from voldaan.resources.base import Part
from voldaan.resources.billing import DiscountAmount


class Basis(Part, kw_only=True, omit_defaults=True):
    """Amounts are minor units, instants epoch seconds.

    time: the price for a part of a period, or for several. trial, free: nothing is charged. given: somebody said so.
    unused: what of a charge lies after `at` and is given back. remaining: what of a period's cost lies after `at`.
    longer: a period that was cut short has grown again, and [start, end) is charged.
    `taken`: the amount of a proration is before discounts, and this is what each takes off it (rules/itemizing.py).
    """

    kind: Literal["time", "trial", "free", "given", "unused", "remaining", "longer"]
    start: int | None = None                  # the time that the whole charge is for
    end: int | None = None
    at: int | None = None                     # the instant of the change
    anchor: int | None = None                 # what periods were counted from; None: the whole was debited, not priced
    gross: int | None = None                  # what the price costs for the whole, before discounts
    off: list[DiscountAmount] = []            # the discounts in that
    taken: list[DiscountAmount] | None = None  # None: the amount is after discounts
    whole: int = 0                            # gross less discounts, or what was debited: what is shared
    credited: int = 0                         # given back of it before
    source: str | None = None                 # the line or invoice item that debited the whole
    cut: bool = False                         # a part of what that debited was given back before
    grain: Literal["second", "day"] = "second"
    zone: str = "UTC"
