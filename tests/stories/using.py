"""What people use: events of a meter, as they happen or told later."""

from __future__ import annotations

from tests.stories.grammar import ANSWER, STEP
from tests.stories.language import Phrase
from tests.stories.stage import Stage


@STEP("<who> uses <n> <price:who>", below=ANSWER)
def uses(stage: Stage, said: Phrase, who: str, n: int, price: str) -> None:
    _event(stage, who, n, price, stage.now)


@STEP("<who> is told to have used <n> <price:who> at <when>", below=ANSWER)
def used(stage: Stage, said: Phrase, who: str, n: int, price: str, when: int) -> None:
    _event(stage, who, n, price, when)


@STEP("<who> is told to have used <n> <price:who> less at <when>", below=ANSWER)
def used_less(stage: Stage, said: Phrase, who: str, n: int, price: str, when: int) -> None:
    _event(stage, who, -n, price, when)


def _event(stage: Stage, who: str, n: int, price: str, when: int) -> None:
    payload = {"stripe_customer_id": stage.customers[who], "value": str(n)}
    stage.v1.billing.meter_events.create({"event_name": stage.meters[price], "payload": payload, "timestamp": when})
