"""Billing credits: granted, ended, taken back, and what is left of them."""

from __future__ import annotations

from typing import Any

from tests.stories.expecting import Pair
from tests.stories.grammar import ANSWER, FOR_GRANT, STEP, Params, params
from tests.stories.language import Money, Phrase
from tests.stories.stage import Stage


@STEP("grant <who> <amount>", clauses=FOR_GRANT, below=ANSWER)
def grant(stage: Stage, said: Phrase, who: str, amount: Money) -> None:
    """Paid credits for all usage, unless said otherwise. The latest of the customer's grants is the one that is meant."""
    terms = params(stage, said.clauses, customer=stage.customers[who])
    money = {"type": "monetary", "monetary": {"currency": amount.currency, "value": amount.amount}}
    scope = terms.pop("scope", {"price_type": "metered"})
    stage.v1.billing.credit_grants.create({**terms, "amount": money, "applicability_config": {"scope": scope}})


@FOR_GRANT("for free")
def for_free(stage: Stage) -> Params:
    return {"category": "promotional"}


@FOR_GRANT("until <when>")
def until(stage: Stage, when: int) -> Params:
    return {"expires_at": when}


@FOR_GRANT("from <when>")
def effective(stage: Stage, when: int) -> Params:
    return {"effective_at": when}


@FOR_GRANT("priority <n>")
def priority(stage: Stage, n: int) -> Params:
    return {"priority": n}


@FOR_GRANT("only for <price:who>")
def only_for(stage: Stage, price: str) -> Params:
    return {"scope": {"prices": [{"id": stage.prices[price]}]}}


@STEP("end the grant of <who>", below=ANSWER)
def ends(stage: Stage, said: Phrase, who: str) -> None:
    stage.v1.billing.credit_grants.expire(_latest(stage, who))


@STEP("take back the grant of <who>", below=ANSWER)
def takes_back(stage: Stage, said: Phrase, who: str) -> None:
    stage.v1.billing.credit_grants.void_grant(_latest(stage, who))


@STEP("<who> has credits <amount>")
def has_credits(stage: Stage, said: Phrase, who: str, amount: Money) -> list[Pair]:
    """What can be used now of all their grants, whatever these are for."""
    grants = stage.v1.billing.credit_grants.list({"customer": stage.customers[who], "limit": 100}).data
    left = 0
    for each in grants:
        wanted = {"customer": stage.customers[who], "filter": {"type": "credit_grant", "credit_grant": each.id}}
        for balance in stage.v1.billing.credit_balance_summary.retrieve(wanted).balances:
            money: Any = balance.available_balance.monetary
            left += money.value if money.currency == amount.currency else 0
    return [(str(amount), str(Money(left, amount.currency)))]


def _latest(stage: Stage, who: str) -> str:
    return str(stage.v1.billing.credit_grants.list({"customer": stage.customers[who], "limit": 1}).data[0].id)
