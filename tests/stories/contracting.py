"""Contracts: what was agreed with a customer beside the price list."""

from __future__ import annotations

import json
from typing import Any

from tests.stories.expecting import Pair
from tests.stories.grammar import ANSWER, STEP, Params, params
from tests.stories.language import Grammar, Money, Phrase
from tests.stories.stage import Stage

FOR_CONTRACT = Grammar("clause of a contract")


@STEP("contract with <who>", clauses=FOR_CONTRACT, below=ANSWER)
def contract(stage: Stage, said: Phrase, who: str) -> None:
    given = params(stage, said.clauses, customer=stage.customers[who], name="As agreed")
    if "minimum" in given:
        given["subscription"] = stage.subscriptions[who]
    made = _post(stage, "/voldaan/contracts", given)
    stage.contracts[who] = made["id"]
    names = {id: name for name, id in stage.prices.items()}
    stage.agreed |= {each["override"]: names[each["price"]] for each in made["price_overrides"]}


@STEP("the contract with <who> ends now", below=ANSWER)
def contract_ends(stage: Stage, said: Phrase, who: str) -> None:
    _post(stage, f"/voldaan/contracts/{stage.contracts[who]}/end", {})


@STEP("<who> has spent <spent:amount> of <committed:amount>")
def has_spent(stage: Stage, said: Phrase, who: str, spent: Money, committed: Money) -> list[Pair]:
    """Of the interval of the minimum that is running."""
    path = f"/voldaan/customers/{stage.customers[who]}/contract_terms"
    [found] = json.loads(stage.client.raw_request("get", path).body)["commitments"]
    now = Money(found["spent"], found["currency"]), Money(found["committed"], found["currency"])
    return [(f"{spent} of {committed}", f"{now[0]} of {now[1]}")]


@FOR_CONTRACT("at least <amount> a <interval:who>")
def at_least(stage: Stage, amount: Money, interval: str) -> Params:
    return {"minimum": {"amount": amount.amount, "interval": interval}}


@FOR_CONTRACT("all of it if it ends early")
def all_of_it(stage: Stage) -> Params:
    return {"minimum": {"early_end": "full"}}


@FOR_CONTRACT("<price:who> at <amount>")
def price_at(stage: Stage, price: str, amount: Money) -> Params:
    return {"price_overrides": [{"price": stage.prices[price], "override_data": {"unit_amount": amount.amount}}]}


@FOR_CONTRACT("until <when>")
def until(stage: Stage, when: int) -> Params:
    return {"ends_at": when}


def _post(stage: Stage, path: str, given: Params) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(stage.client.raw_request("post", path, **given).body)
    return made
