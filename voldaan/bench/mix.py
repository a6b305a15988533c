"""A book as businesses have them, to measure with: of ten subscriptions three are metered, two pay by tiers, the others the
plain price; two have a coupon, by percentage or by amount, and five a tax rate. Who has what depends on nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from msgspec.structs import replace

from voldaan.commands import coupons, meter_events, meters, prices, tax_rates
from voldaan.resources.coupons import Coupon, CouponCreate
from voldaan.resources.discounts import Discount
from voldaan.resources.meters import MeterCreate
from voldaan.resources.prices import PriceCreate
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.resources.tax_rates import TaxRateCreate
from voldaan.rules import coupons as coupon_rules
from voldaan.rules.decision import Decision, Update
from voldaan.rules.usage import Given
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

METERED, TIERED, DISCOUNTED, TAXED = 0.3, 0.2, 0.2, 0.5  # shares of all subscriptions
SEATS = 12               # of a subscription that pays by tiers
EVENTS = 3               # of usage, of a metered subscription in its period
USED_BEFORE_END = 86_400  # seconds
NAME = "requests"        # of the meter's events

TIERS = [{"up_to": 10, "unit_amount": 300}, {"up_to": 100, "unit_amount": 200}, {"up_to": "inf", "unit_amount": 100}]
USAGE_TIERS = [{"up_to": 100, "unit_amount_decimal": "12.5"}, {"up_to": "inf", "unit_amount_decimal": "7.25"}]


@dataclass(slots=True)
class Mix:
    """What the subscriptions of one book differ in, and the usage that is still to be recorded."""

    tiered: str
    metered: str
    coupons: list[Coupon]
    tax_rate: str
    used: list[Given] = field(default_factory=list)
    redeemed: Counter[str] = field(default_factory=Counter)

    def vary(
        self, subscription: Subscription, item: SubscriptionItem, number: int
    ) -> tuple[Subscription, SubscriptionItem, list[Discount]]:
        """Subscriber `number` on terms of the mix; the same number always gets the same."""
        chance = Random(number)
        kind, discounted, taxed = chance.random(), chance.random() < DISCOUNTED, chance.random() < TAXED
        discounts: list[Discount] = []
        if kind < METERED:
            item = SubscriptionItem(
                id=item.id, subscription=item.subscription, price=self.metered, created=item.created,
                current_period_start=item.current_period_start, current_period_end=item.current_period_end,
            )  # fmt: skip
            payload = {"stripe_customer_id": subscription.customer, "value": str(chance.randrange(1, 200))}
            at = subscription.current_period_end - USED_BEFORE_END
            self.used += [Given(NAME, payload, f"{item.id}/{n}", at - n) for n in range(EVENTS)]
        elif kind < METERED + TIERED:
            item = replace(item, price=self.tiered, quantity=SEATS)
        if discounted:
            coupon = chance.choice(self.coupons)
            owner = {"customer": subscription.customer, "subscription": subscription.id}
            discounts.append(coupon_rules.discount(coupon, subscription.created, new_id, **owner))
            self.redeemed[coupon.id] += 1
            subscription = replace(subscription, discounts=[discounts[0].id])
        if taxed:
            subscription = replace(subscription, default_tax_rates=[self.tax_rate])
        return subscription, item, discounts

    async def record(self, tx: Transaction) -> None:
        """The usage of those who were varied since the last time."""
        used, self.used = self.used, []
        if any(await meter_events.record(tx, used)):
            raise RuntimeError("usage was refused: nothing is measured")

    async def count_redemptions(self, tx: Transaction) -> None:
        updates = [Update(coupon_rules.redeemed(was, self.redeemed[was.id]), was) for was in self.coupons]
        await write(tx, [Decision(updates=updates)])


async def prepare(tx: Transaction, product: str) -> Mix:
    """The prices, the meter, the coupons and the tax rate of a mixed book."""
    recurring = {"interval": "month"}
    counted = {"display_name": "Requests", "event_name": NAME, "default_aggregation": {"formula": "sum"}}
    meter = await meters.create(tx, MeterCreate.model_validate(counted))
    tiers = {"currency": "eur", "product": product, "billing_scheme": "tiered", "tiers_mode": "graduated"}
    tiered = await prices.create(tx, PriceCreate.model_validate({**tiers, "recurring": recurring, "tiers": TIERS}))
    by_usage = {**recurring, "usage_type": "metered", "meter": meter.id}
    metered = await prices.create(tx, PriceCreate.model_validate({**tiers, "recurring": by_usage, "tiers": USAGE_TIERS}))
    percent = await coupons.create(tx, CouponCreate(percent_off=Decimal(15), duration="forever"))
    amount = await coupons.create(tx, CouponCreate(amount_off=500, currency="eur", duration="forever"))
    vat = await tax_rates.create(tx, TaxRateCreate(display_name="VAT", percentage=Decimal(21), inclusive=False, country="NL"))
    return Mix(tiered.id, metered.id, [percent, amount], vat.id)
