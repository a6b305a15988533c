"""Quotes: what is offered, and what it becomes when somebody says yes."""

from __future__ import annotations

from typing import Any

from tests.stories.expecting import Pair, facts
from tests.stories.grammar import ANSWER, STEP, Params, params
from tests.stories.language import Grammar, Money, Phrase, written
from tests.stories.stage import Stage

FOR_QUOTE = Grammar("clause of a quote")
OF_QUOTE = Grammar("fact of a quote")


@STEP("<who> is quoted <items>", clauses=FOR_QUOTE, below=ANSWER)
def quoted(stage: Stage, said: Phrase, who: str, items: list[tuple[str, int]]) -> None:
    lines = [{"price": stage.prices[name], "quantity": quantity} for name, quantity in items]
    terms = params(stage, said.clauses, customer=stage.customers[who], line_items=lines)
    later = {name: terms.pop(name) for name in ("trial_period_days", "effective_date") if name in terms}
    stage.quotes[who] = stage.v1.quotes.create({**terms, **({"subscription_data": later} if later else {})}).id


@STEP("the quote of <who> is finalized", below=ANSWER)
def finalized(stage: Stage, said: Phrase, who: str) -> None:
    stage.v1.quotes.finalize_quote(stage.quotes[who])


@STEP("the quote of <who> is revised", below=ANSWER)
def revised(stage: Stage, said: Phrase, who: str) -> None:
    made = stage.v1.quotes.create({"from_quote": {"quote": stage.quotes[who], "is_revision": True}})
    stage.quotes[who] = made.id


@STEP("the quote of <who> becomes <items>", clauses=FOR_QUOTE, below=ANSWER)
def changed(stage: Stage, said: Phrase, who: str, items: list[tuple[str, int]]) -> None:
    lines = [{"price": stage.prices[name], "quantity": quantity} for name, quantity in items]
    stage.v1.quotes.update(stage.quotes[who], params(stage, said.clauses, line_items=lines))


@STEP("<who> accepts the quote", below=ANSWER)
def accepted(stage: Stage, said: Phrase, who: str) -> None:
    made = stage.v1.quotes.accept(stage.quotes[who])
    if made.subscription:
        stage.subscriptions[who] = made.subscription
    if made.subscription_schedule:
        stage.schedules[who] = made.subscription_schedule


@STEP("<who> turns the quote down", below=ANSWER)
def turned_down(stage: Stage, said: Phrase, who: str) -> None:
    stage.v1.quotes.cancel(stage.quotes[who])


# What may be said of a quote -----------------------------------------------------------------------------------------------


@FOR_QUOTE("coupon <code>")
def with_coupon(stage: Stage, code: str) -> Params:
    return {"discounts": [{"coupon": code}]}


@FOR_QUOTE("tax <rate:who>")
def with_tax(stage: Stage, rate: str) -> Params:
    return {"default_tax_rates": [stage.rates[rate]]}


@FOR_QUOTE("trial of <n> days")
def with_trial(stage: Stage, n: int) -> Params:
    return {"trial_period_days": n}


@FOR_QUOTE("from <when>")
def effective(stage: Stage, when: int) -> Params:
    return {"effective_date": when}


@FOR_QUOTE("sent and due in <n> days")
def sent_in(stage: Stage, n: int) -> Params:
    return {"collection_method": "send_invoice", "invoice_settings": {"days_until_due": n}}


@FOR_QUOTE("valid until <when>")
def valid(stage: Stage, when: int) -> Params:
    return {"expires_at": when}


# What is so ----------------------------------------------------------------------------------------------------------------


@STEP("quote <who> <status:word> <amount>", clauses=OF_QUOTE)
def quote(stage: Stage, said: Phrase, who: str, status: str, amount: Money) -> list[Pair]:
    """`amount` is the total of all of its lines."""
    found = stage.v1.quotes.retrieve(stage.quotes[who])
    return [
        (f"{status} {amount}", f"{found.status} {Money(found.amount_total, found.currency)}"),
        *facts(said.clauses, found, stage),
    ]


@OF_QUOTE("number <name:label>")
def number(stage: Stage, found: Any, name: str) -> Pair:
    return name, str(found.number).replace("-", " ")


@OF_QUOTE("at first <amount>")
def upfront(stage: Stage, found: Any, amount: Money) -> Pair:
    return str(amount), str(Money(found.computed.upfront.amount_total, found.currency))


@OF_QUOTE("then <amount> a <interval:who>")
def recurring(stage: Stage, found: Any, amount: Money, interval: str) -> Pair:
    again = found.computed.recurring
    return f"{amount} a {interval}", f"{Money(again.amount_total, found.currency)} a {again.interval}"


@OF_QUOTE("nothing after that")
def never_again(stage: Stage, found: Any) -> Pair:
    return "None", str(found.computed.recurring)


@OF_QUOTE("expires <when>")
def expires(stage: Stage, found: Any, when: int) -> Pair:
    return written(when), written(found.expires_at)


@OF_QUOTE("on paper")
def on_paper(stage: Stage, found: Any) -> Pair:
    """It can be printed."""
    return "%PDF", b"".join(stage.files.v1.quotes.pdf(found.id).stream()).decode("latin-1")[:4]
