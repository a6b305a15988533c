"""What an invoice says of its own arithmetic: how each line came about, and the sums that prove it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from voldaan.resources.base import Hidden, Part, Resource, Table
from voldaan.resources.billing import Period

MadeOf = Literal[
    "amount_given", "free_time", "longer_period", "price", "price_for_part_of_a_period", "remaining_time", "trial",
    "unit_amount", "unused_time", "usage",
]  # fmt: skip


class Equation(Part, kw_only=True):
    """left = right, in minor units; `line` where it is about one line."""

    name: str
    says: str
    left: int
    right: int
    holds: bool
    line: str | None = None


class ShownShare(Part, kw_only=True):
    """part / whole of a period, in seconds or in days."""

    part: int
    whole: int
    unit: Literal["second", "day"]


class ShownTier(Part, kw_only=True):
    """What one tier of a price contributes; up_to null is the last one."""

    up_to: Decimal | None
    unit_amount_decimal: Decimal
    flat_amount_decimal: Decimal
    quantity: Decimal
    amount: int


class ShownStretch(Part, kw_only=True):
    """A part of the time that a line is for, within one period of the subscription."""

    start: int
    end: int
    share: ShownShare
    amount: int


class ShownWhole(Part, kw_only=True):
    """The charge that a proration is a share of. `source` is the line or invoice item that debited it."""

    period: Period
    gross: int
    discounts: int
    amount: int
    credited_before: int
    source: str | None


class ShownDiscount(Part, kw_only=True):
    discount: str
    coupon: str | None
    percent_off: Decimal | None
    amount_off: int | None
    amount: int


class ShownTax(Part, kw_only=True):
    """`exact` is the tax before rounding; rounded per rate, the sum of a rate is rounded and shared over the lines."""

    tax_rate: str
    percentage: Decimal | None
    inclusive: bool
    taxable_amount: int | None
    exact: Decimal | None
    amount: int


class ShownUsage(Part, kw_only=True):
    """What a meter counted in [start, end), and what of it earlier lines had billed: the line is the difference."""

    meter: str
    period: Period
    quantity: Decimal
    billed_before: Decimal | None


class LineExplanation(Part, kw_only=True):
    """How a line came about. Amounts are minor units; null and empty where it has no such part."""

    line: str
    description: str | None
    made_of: MadeOf
    period: Period
    price: str | None
    quantity: Decimal | None
    unit_amount_decimal: Decimal | None
    tiers: list[ShownTier] = []
    stretches: list[ShownStretch] = []
    share: ShownShare | None = None
    of: ShownWhole | None = None
    usage: ShownUsage | None = None
    amount: int
    discounts: list[ShownDiscount] = []
    credits: int = 0  # what billing credits pay of it
    taxes: list[ShownTax] = []
    net: int


class InvoiceExplanation(Resource, kw_only=True):
    """The arithmetic of one invoice; `holds` says whether every equation does."""

    TABLE: ClassVar[Table] = Table("invoices", prefix="in")
    object: Literal["voldaan.invoice_explanation"] = "voldaan.invoice_explanation"
    id: Annotated[str, Hidden()]
    invoice: str
    status: str | None
    currency: str
    tax_rounding: Literal["per_rate", "per_line"]
    holds: bool
    lines: list[LineExplanation]
    equations: list[Equation]
