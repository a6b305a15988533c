"""The lines of quotes: what a request says of them, with all that they name looked up."""

from __future__ import annotations

from collections.abc import Sequence

from voldaan.commands import agreed_discounts, billing, lookups
from voldaan.resources.base import UNSET
from voldaan.resources.billing import OneTimePriceData, RecurringPriceData
from voldaan.resources.discounts import DiscountParams
from voldaan.resources.params import Unset
from voldaan.resources.quotes import Quote, QuoteLineChange, QuoteLineItem, QuoteLineParams, QuotePriceData
from voldaan.resources.subscription_schedules import PhaseDiscount
from voldaan.rules import coupons
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision
from voldaan.rules.lines import is_metered, rate_ids
from voldaan.rules.promotion_codes import Redeemer
from voldaan.rules.quote_amounts import price_id
from voldaan.rules.refusals import check_once, missing, refused
from voldaan.rules.subscription_items import units
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction

LINES_MAX = 250


async def items(
    tx: Transaction,
    facts: BillingFacts,
    quote: Quote,
    wanted: Sequence[QuoteLineParams | QuoteLineChange],
    before: Sequence[QuoteLineItem],
    decision: Decision,
) -> list[QuoteLineItem]:
    """The lines of a request, with all that they name; those that exist keep what is not said of them."""
    if len(wanted) > LINES_MAX:
        raise refused(f"A quote can have up to {LINES_MAX} line items.", "line_items")
    check_once((getattr(want, "id", None), f"line_items[{number}][id]") for number, want in enumerate(wanted))
    there = {item.id: item for item in before}
    rates = [id for want in wanted for id in want.tax_rates or ()]
    await billing.know(tx, facts, prices=[want.price for want in wanted if want.price], tax_rates=rates)
    named = [each for want in wanted for each in want.discounts or ()]
    who = await agreed_discounts.know(tx, facts, named, quote.customer)
    found = []
    for number, want in enumerate(wanted):
        here, id = f"line_items[{number}]", getattr(want, "id", None)
        was = there.get(id or "")
        if id is not None and was is None:
            raise Missing("item", id, f"{here}[id]")
        found.append(await _item(tx, facts, who, quote, want, was, here, decision))
    return found


async def _item(
    tx: Transaction,
    facts: BillingFacts,
    who: Redeemer,
    quote: Quote,
    want: QuoteLineParams,
    was: QuoteLineItem | None,
    here: str,
    decision: Decision,
) -> QuoteLineItem:
    given = want.model_fields_set
    id = want.price or (price_id(was) if was else None)
    if want.price_data is not None:
        id = (await lookups.inline_price(tx, facts, _described(want.price_data), f"{here}[price_data]", decision)).id
    if id is None:
        raise missing(f"{here}[price]")
    await lookups.know_prices(tx, facts, [(id, f"{here}[price]")])
    quantity = _quantity(want, was, counted=is_metered(facts.catalogue, id), param=f"{here}[quantity]")
    wanted, shown = (was.wanted, was.discounts) if was else ([], [])
    if "discounts" in given:
        wanted, shown = discounts(facts, who, want.discounts, f"{here}[discounts]", tx.now, decision)
    rates = was.tax_rates if was else []
    if "tax_rates" in given:
        rates = rate_ids(await lookups.tax_rates(tx, facts, want.tax_rates, f"{here}[tax_rates]"))
    price = facts.catalogue.prices[id]
    return QuoteLineItem(
        id=was.id if was else new_id("li"),
        currency=quote.currency or price.currency,
        description=facts.catalogue.name(id),
        price=price,
        quantity=quantity,
        quote=quote.id,
        wanted=wanted,
        discounts=shown,
        tax_rates=rates,
    )


def _quantity(want: QuoteLineParams, was: QuoteLineItem | None, *, counted: bool, param: str) -> int | None:
    """What is said, what it was, or one; of what a meter counts none."""
    said = units(want.quantity, counted=counted, param=param)
    if said is UNSET:
        return None
    return was.quantity if want.quantity is None and was is not None and was.quantity is not None else said


def _described(data: QuotePriceData) -> OneTimePriceData | RecurringPriceData:
    said = {name: getattr(data, name) for name in data.model_fields_set}
    return RecurringPriceData(**said) if data.recurring is not None else OneTimePriceData(**said)


def discounts(
    facts: BillingFacts,
    who: Redeemer,
    wanted: Sequence[DiscountParams] | Unset | None,
    param: str,
    now: int,
    decision: Decision,
) -> tuple[list[PhaseDiscount], list[str]]:
    """What is redeemed when the quote is accepted, and discounts that show until then what that takes off."""
    agreed = agreed_discounts.agreed(facts, who, wanted, param, now)
    shown = []
    for each in agreed:
        if each.discount is not None:
            shown.append(each.discount)
            continue
        code = facts.catalogue.promotion_codes.get(each.promotion_code or "")
        coupon = facts.catalogue.coupons[code.coupon if code else each.coupon or ""]
        made = coupons.discount(coupon, now, new_id, customer=who.customer, promotion_code=code.id if code else None)
        facts.catalogue.discounts[made.id] = made
        decision.inserts.append(made)
        shown.append(made.id)
    return agreed, shown
