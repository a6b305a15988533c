"""What people do with their subscriptions: each phrase is one call of the SDK, and its clauses are the parameters."""

from __future__ import annotations

from tests.stories.grammar import ANSWER, FOR_CANCEL, FOR_SUBSCRIPTION, STEP, Params, over, params
from tests.stories.language import Money, Phrase
from tests.stories.stage import Stage


@STEP("<who> subscribes to <items>", clauses=FOR_SUBSCRIPTION, below=ANSWER)
def subscribes(stage: Stage, said: Phrase, who: str, items: list[tuple[str, int]]) -> None:
    wanted = stage.wanted(items)
    terms = params(stage, said.clauses, customer=stage.customers[who], items=wanted)
    name = terms.pop("called", None)
    made = over(stage, terms).subscriptions.create(terms)
    stage.subscriptions[f"{who}'s {name}" if name else who] = made.id


@STEP("<sub> changes to <items>", clauses=FOR_SUBSCRIPTION, below=ANSWER)
def changes(stage: Stage, said: Phrase, sub: str, items: list[tuple[str, int]]) -> None:
    _update(stage, sub, params(stage, said.clauses, items=change(stage, sub, items)))


def change(stage: Stage, sub: str, items: list[tuple[str, int]]) -> list[Params]:
    """The one item of a subscription becomes what is wanted; of several, the one of the same price."""
    here = stage.subscription(sub)["items"].data
    found = []
    for name, quantity in items:
        price = stage.prices[name]
        item = here[0] if len(here) == 1 else next(i for i in here if i.price.id == price)
        found.append({"id": item.id, **stage.wanted([(name, quantity)])[0]})
    return found


@STEP("<sub> adds <items>", clauses=FOR_SUBSCRIPTION, below=ANSWER)
def adds(stage: Stage, said: Phrase, sub: str, items: list[tuple[str, int]]) -> None:
    wanted = stage.wanted(items)
    _update(stage, sub, params(stage, said.clauses, items=wanted))


@STEP("<sub> drops <price:who>", clauses=FOR_SUBSCRIPTION, below=ANSWER)
def drops(stage: Stage, said: Phrase, sub: str, price: str) -> None:
    item = next(i for i in stage.subscription(sub)["items"].data if i.price.id == stage.prices[price])
    _update(stage, sub, params(stage, said.clauses, items=[{"id": item.id, "deleted": True}]))


@STEP("<price:who> of <sub> is billed at every <n> units", below=ANSWER)
def units_threshold(stage: Stage, said: Phrase, price: str, sub: str, n: int) -> None:
    item = next(i for i in stage.subscription(sub)["items"].data if i.price.id == stage.prices[price])
    stage.v1.subscription_items.update(item.id, {"billing_thresholds": {"usage_gte": n}})


@STEP("<sub> is updated", clauses=FOR_SUBSCRIPTION, below=ANSWER)
def is_updated(stage: Stage, said: Phrase, sub: str) -> None:
    _update(stage, sub, params(stage, said.clauses))


def _update(stage: Stage, sub: str, terms: Params) -> None:
    stage.v1.subscriptions.update(stage.subscriptions[sub], terms)


@STEP("<sub> cancels now", clauses=FOR_CANCEL, below=ANSWER)
def cancels_now(stage: Stage, said: Phrase, sub: str) -> None:
    stage.v1.subscriptions.cancel(stage.subscriptions[sub], params(stage, said.clauses))


@FOR_CANCEL("prorated")
def prorated(stage: Stage) -> Params:
    return {"prorate": True}


@FOR_CANCEL("billed at once")
def billed_at_once(stage: Stage) -> Params:
    return {"invoice_now": True}


@STEP("<sub> cancels at period end", below=ANSWER)
def cancels_at_end(stage: Stage, said: Phrase, sub: str) -> None:
    _update(stage, sub, {"cancel_at_period_end": True})


@STEP("<sub> stays", below=ANSWER)
def stays(stage: Stage, said: Phrase, sub: str) -> None:
    _update(stage, sub, {"cancel_at_period_end": False})


@STEP("<sub> resumes", clauses=FOR_SUBSCRIPTION, below=ANSWER)
def resumes(stage: Stage, said: Phrase, sub: str) -> None:
    stage.v1.subscriptions.resume(stage.subscriptions[sub], params(stage, said.clauses))


@STEP("collection of <sub> pauses: <behavior:word>", below=ANSWER)
def pauses(stage: Stage, said: Phrase, sub: str, behavior: str) -> None:
    _update(stage, sub, {"pause_collection": {"behavior": behavior}})


@STEP("collection of <sub> pauses until <when>: <behavior:word>", below=ANSWER)
def pauses_until(stage: Stage, said: Phrase, sub: str, when: int, behavior: str) -> None:
    _update(stage, sub, {"pause_collection": {"behavior": behavior, "resumes_at": when}})


@STEP("collection of <sub> resumes", below=ANSWER)
def collects_again(stage: Stage, said: Phrase, sub: str) -> None:
    _update(stage, sub, {"pause_collection": ""})


# What may be said of a subscription: the parameters of create, update and preview ----------------------------------------


@FOR_SUBSCRIPTION("called <name:word>")
def called(stage: Stage, name: str) -> Params:
    return {"called": name}


@FOR_SUBSCRIPTION("trial of <n> days")
def trial_days(stage: Stage, n: int) -> Params:
    return {"trial_period_days": n}


@FOR_SUBSCRIPTION("trial until <when>")
def trial_until(stage: Stage, when: int) -> Params:
    return {"trial_end": when}


@FOR_SUBSCRIPTION("trial ends now")
def trial_ends(stage: Stage) -> Params:
    return {"trial_end": "now"}


@FOR_SUBSCRIPTION("billed at every <amount>")
def amount_threshold(stage: Stage, amount: Money) -> Params:
    return {"billing_thresholds": {"amount_gte": amount.amount}}


@FOR_SUBSCRIPTION("billed at every <amount> which begins a new period")
def resetting_threshold(stage: Stage, amount: Money) -> Params:
    return {"billing_thresholds": {"amount_gte": amount.amount, "reset_billing_cycle_anchor": True}}


@FOR_SUBSCRIPTION("without thresholds")
def no_thresholds(stage: Stage) -> Params:
    return {"billing_thresholds": ""}


@FOR_SUBSCRIPTION("without a card then <behavior:word>")
def without_card(stage: Stage, behavior: str) -> Params:
    return {"trial_settings": {"end_behavior": {"missing_payment_method": behavior}}}


@FOR_SUBSCRIPTION("sent and due in <n> days")
def sent_in(stage: Stage, n: int) -> Params:
    return {"collection_method": "send_invoice", "days_until_due": n}


@FOR_SUBSCRIPTION("what waits billed every <n> <interval:who>s")
def waiting_billed(stage: Stage, n: int, interval: str) -> Params:
    return {"pending_invoice_item_interval": {"interval": interval, "interval_count": n}}


@FOR_SUBSCRIPTION("what waits billed with the renewal")
def waiting_billed_later(stage: Stage) -> Params:
    return {"pending_invoice_item_interval": ""}


@FOR_SUBSCRIPTION("coupon <code>")
def with_coupon(stage: Stage, code: str) -> Params:
    return {"discounts": [{"coupon": code}]}


@FOR_SUBSCRIPTION("tax <rate:who>")
def with_tax(stage: Stage, rate: str) -> Params:
    return {"default_tax_rates": [stage.rates[rate]]}


@FOR_SUBSCRIPTION("proration <behavior:word>")
def proration(stage: Stage, behavior: str) -> Params:
    return {"proration_behavior": behavior}


@FOR_SUBSCRIPTION("prorated from <when>")
def prorated_from(stage: Stage, when: int) -> Params:
    return {"proration_date": when}


@FOR_SUBSCRIPTION("anchor <when>")
def anchor(stage: Stage, when: int) -> Params:
    return {"billing_cycle_anchor": when}


@FOR_SUBSCRIPTION("anchor now")
def anchor_now(stage: Stage) -> Params:
    return {"billing_cycle_anchor": {"type": "now"}}


@FOR_SUBSCRIPTION("anchor on day <n>")
def anchor_day(stage: Stage, n: int) -> Params:
    return {"billing_cycle_anchor_config": {"day_of_month": n}}


@FOR_SUBSCRIPTION("with <items> once")
def with_once(stage: Stage, items: list[tuple[str, int]]) -> Params:
    return {"add_invoice_items": [{"price": stage.prices[name], "quantity": quantity} for name, quantity in items]}


@FOR_SUBSCRIPTION("payment <behavior:word>")
def payment_behavior(stage: Stage, behavior: str) -> Params:
    return {"payment_behavior": behavior}


@FOR_SUBSCRIPTION("until <when>")
def until(stage: Stage, when: int) -> Params:
    return {"cancel_at": when}


@FOR_SUBSCRIPTION("without an end")
def without_end(stage: Stage) -> Params:
    return {"cancel_at": ""}


@FOR_SUBSCRIPTION("billed ahead for <n> <interval:who>s")
def billed_ahead_for(stage: Stage, n: int, interval: str) -> Params:
    until = {"type": "duration", "duration": {"interval": interval, "interval_count": n}}
    return {"billing_schedules": [{"bill_until": until}]}


@FOR_SUBSCRIPTION("<price:who> billed ahead until <when>")
def billed_ahead_until(stage: Stage, price: str, when: int) -> Params:
    applies_to = [{"type": "price", "price": stage.prices[price]}]
    return {"billing_schedules": [{"applies_to": applies_to, "bill_until": {"type": "timestamp", "timestamp": when}}]}


@FOR_SUBSCRIPTION("prorations itemized")
def itemized(stage: Stage) -> Params:
    return {"billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "itemized"}}}


@FOR_SUBSCRIPTION("billing <mode:word>")
def billing_mode(stage: Stage, mode: str) -> Params:
    return {"billing_mode": {"type": mode}}


@FOR_SUBSCRIPTION("since <when>")
def since(stage: Stage, when: int) -> Params:
    return {"backdate_start_date": when}


# Previews ------------------------------------------------------------------------------------------------------------------

OF_INVOICE = ("automatic_tax", "discounts")  # all else that a preview says of a subscription is in subscription_details


@STEP("preview <who> with <items>", clauses=FOR_SUBSCRIPTION, below=ANSWER)
def preview_new(stage: Stage, said: Phrase, who: str, items: list[tuple[str, int]]) -> None:
    """A subscription that may begin."""
    wanted = stage.wanted(items)
    _preview(stage, params(stage, said.clauses, items=wanted), customer=stage.customers[who])


@STEP("preview <sub> changed to <items>", clauses=FOR_SUBSCRIPTION, below=ANSWER)
def preview_change(stage: Stage, said: Phrase, sub: str, items: list[tuple[str, int]]) -> None:
    _preview(stage, params(stage, said.clauses, items=change(stage, sub, items)), subscription=stage.subscriptions[sub])


@STEP("preview the next of <sub>", below=ANSWER)
def preview_next(stage: Stage, said: Phrase, sub: str) -> None:
    _preview(stage, {}, subscription=stage.subscriptions[sub])


@STEP("preview <sub> canceled now", clauses=FOR_SUBSCRIPTION, below=ANSWER)
def preview_cancel(stage: Stage, said: Phrase, sub: str) -> None:
    _preview(stage, params(stage, said.clauses, cancel_now=True), subscription=stage.subscriptions[sub])


def _preview(stage: Stage, terms: Params, **given: str) -> None:
    of_invoice = {name: terms.pop(name) for name in OF_INVOICE if name in terms}
    details = {"subscription_details": terms} if terms else {}
    stage.preview = stage.v1.invoices.create_preview({**given, **of_invoice, **details})
