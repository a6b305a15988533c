"""Usage periods: what was billed of a meter for an item and a stretch of time. Ours alone, never shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar

from voldaan.resources.base import Column, Instant, Resource, Table


class UsagePeriod(Resource, kw_only=True):
    """Usage of [period_start, period_end) that was billed. Its id is the item and the start, so there is only one.

    `quantity` is what the meter said when it was last billed, `amount` what all lines and invoice items for it come to,
    in minor units before discounts and tax. What arrives later is the difference, never less and never twice. `open` as
    long as something may still arrive.
    """

    TABLE: ClassVar[Table] = Table("usage_periods", prefix="")
    customer: Annotated[str, Column("customer_id")]
    subscription: Annotated[str, Column("subscription_id")]
    subscription_item: Annotated[str, Column("subscription_item_id")]
    meter: Annotated[str, Column("meter_id")]
    price: Annotated[str, Column("price_id")]
    currency: Annotated[str, Column()]
    period_start: Annotated[Instant, Column("period_start_at")]
    period_end: Annotated[Instant, Column("period_end_at")]
    quantity: Annotated[Decimal, Column()]
    amount: Annotated[int, Column()]
    open: Annotated[bool, Column()] = True
    tax_rates: list[str] = []   # of the item, as they were
