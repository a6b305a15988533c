"""What there is before a story begins: how the account bills, what is sold, and who buys."""

from __future__ import annotations

from typing import Any

from tests.stories.grammar import BOOK, FOR_COUPON, FOR_CUSTOMER, FOR_PRICE, HEAD, MORE, Params, listed, params
from tests.stories.language import Money, Phrase
from tests.stories.listener import Listener
from tests.stories.stage import HOPS, Stage

# The account -----------------------------------------------------------------------------------------------------------


@BOOK("account tries again after <numbers> days and then <end:word>")
def tries_again(numbers: list[int], end: str) -> Params:
    return {"retry_offsets": [n * 86_400 for n in numbers], "retry_final_action": end}


@BOOK("account never tries again and then <end:word>")
def never_tries_again(end: str) -> Params:
    return {"retry_offsets": [], "retry_final_action": end}


@BOOK("account gives up invoices as uncollectible")
def gives_up() -> Params:
    return {"retry_final_invoice": "uncollectible"}


@BOOK("account bills by the days of <zone>")
def by_the_days_of(zone: str) -> Params:
    return {"timezone": zone}


@BOOK("account shares time by the day")
def by_the_day() -> Params:
    return {"proration": "day"}


@BOOK("account tells of renewals <n> days before")
def tells_of_renewals(n: int) -> Params:
    return {"upcoming_days": n}


@BOOK("account tells of due dates <n> days before")
def tells_of_due_dates(n: int) -> Params:
    return {"will_be_due_days": n}


@BOOK("account pays out daily")
def pays_out() -> Params:
    return {"payout_interval": "daily"}


@BOOK("account numbers all its invoices in one series")
def one_series() -> Params:
    return {"numbering": "account"}


# What there is ---------------------------------------------------------------------------------------------------------


@HEAD("ignoring <words>", below=MORE)
def ignoring(stage: Stage, said: Phrase, words: list[str]) -> None:
    """Event types that the story does not tell."""
    stage.ignored.update(listed(said))


@HEAD("counting <one:words> and <other:words> as <name:word>")
def counting(stage: Stage, said: Phrase, one: list[str], other: list[str], name: str) -> None:
    stage.counted_as |= {"_".join(one): name, "_".join(other): name}


@HEAD("price <name:who> <amount> a <interval:who>", clauses=FOR_PRICE)
def price(stage: Stage, said: Phrase, name: str, amount: Money, interval: str) -> None:
    _price(stage, said, name, amount, recurring={"interval": interval})


@HEAD("price <name:who> <amount> every <n> <interval:who>s", clauses=FOR_PRICE)
def price_every(stage: Stage, said: Phrase, name: str, amount: Money, n: int, interval: str) -> None:
    _price(stage, said, name, amount, recurring={"interval": interval, "interval_count": n})


@HEAD("price <name:who> <amount> once", clauses=FOR_PRICE)
def price_once(stage: Stage, said: Phrase, name: str, amount: Money) -> None:
    _price(stage, said, name, amount)


def _price(stage: Stage, said: Phrase, name: str, amount: Money, **given: Any) -> None:
    if every := given.get("recurring"):
        stage.hop = min(stage.hop, HOPS[every["interval"]])
    made = params(stage, said.clauses, unit_amount=amount.amount, currency=amount.currency, **given)
    if made.pop("metered", False):
        _count(stage, name, made)
    stage.prices[name] = stage.v1.prices.create({"product_data": {"name": name.title()}, **made}).id


def _count(stage: Stage, name: str, made: Params) -> None:
    """The price is for what a meter of its name counts; above a number of units, at another amount."""
    event = f"{name}_of_{stage.account}"
    adds_up = {"display_name": name, "event_name": event, "default_aggregation": {"formula": "sum"}}
    stage.meters[name] = event
    made["recurring"] = {**made["recurring"], "usage_type": "metered", "meter": stage.v1.billing.meters.create(adds_up).id}
    if above := made.pop("above", None):
        [(bound, other)] = above
        tiers = [{"up_to": bound, "unit_amount": made.pop("unit_amount")}, {"up_to": "inf", "unit_amount": other}]
        made |= {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers}


@FOR_PRICE("metered")
def price_metered(stage: Stage) -> Params:
    return {"metered": True}


@FOR_PRICE("metered and <amount> above <n>")
def price_metered_above(stage: Stage, amount: Money, n: int) -> Params:
    return {"metered": True, "above": [(n, amount.amount)]}


@FOR_PRICE("tax <behavior:word>")
def price_tax(stage: Stage, behavior: str) -> Params:
    return {"tax_behavior": behavior}


@HEAD("tax rate <name:who> <percentage:n>% <kind:word>")
def tax_rate(stage: Stage, said: Phrase, name: str, percentage: int, kind: str) -> None:
    terms = {"display_name": name.upper(), "percentage": percentage, "inclusive": {"included": True, "added": False}[kind]}
    stage.rates[name] = stage.v1.tax_rates.create(terms).id


@HEAD("shipping <name:who> <amount>")
def shipping_rate(stage: Stage, said: Phrase, name: str, amount: Money) -> None:
    terms = {"display_name": name.title(), "fixed_amount": {"amount": amount.amount, "currency": amount.currency}}
    stage.shipping[name] = stage.v1.shipping_rates.create(terms).id


@HEAD("coupon <code> <percent:n>% <duration:word>", clauses=FOR_COUPON)
def coupon(stage: Stage, said: Phrase, code: str, percent: int, duration: str) -> None:
    stage.v1.coupons.create(params(stage, said.clauses, id=code, percent_off=percent, duration=duration))


@HEAD("coupon <code> <amount> <duration:word>", clauses=FOR_COUPON)
def coupon_amount(stage: Stage, said: Phrase, code: str, amount: Money, duration: str) -> None:
    terms = {"amount_off": amount.amount, "currency": amount.currency}
    stage.v1.coupons.create(params(stage, said.clauses, id=code, duration=duration, **terms))


@FOR_COUPON("<n> months")
def coupon_months(stage: Stage, n: int) -> Params:
    return {"duration_in_months": n}


@FOR_COUPON("on <price:who>")
def coupon_on(stage: Stage, price: str) -> Params:
    product = stage.v1.prices.retrieve(stage.prices[price]).product
    return {"applies_to": {"products": [product]}}


@HEAD("customer <who>", clauses=FOR_CUSTOMER)
def customer(stage: Stage, said: Phrase, who: str) -> None:
    """Their invoices are numbered by their name: ANNA-0001."""
    terms = params(stage, said.clauses, name=who.title(), email=f"{who}@example.com", invoice_prefix=who.upper())
    card, iban = terms.pop("card", None), terms.pop("iban", None)
    stage.customers[who] = stage.v1.customers.create({**terms, "test_clock": stage.clock}).id
    if card:
        stage.use_card(who, card)
    if iban:
        stage.use_account(who, iban)


@FOR_CUSTOMER("card <card>")
def with_card(stage: Stage, card: str) -> Params:
    return {"card": card}


@FOR_CUSTOMER("account <iban:code>")
def with_account(stage: Stage, iban: str) -> Params:
    return {"iban": iban}


@FOR_CUSTOMER("tax <exempt:word>")
def with_exemption(stage: Stage, exempt: str) -> Params:
    return {"tax_exempt": exempt}


@HEAD("a listener hears <words>", below=MORE)
def a_listener(stage: Stage, said: Phrase, words: list[str]) -> None:
    """A webhook endpoint for these types of events."""
    stage.listener = Listener()
    terms = {"url": stage.listener.url, "enabled_events": listed(said)}
    stage.listener.secret = stage.v1.webhook_endpoints.create(terms).secret
