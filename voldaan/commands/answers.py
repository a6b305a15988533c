"""What a command may answer besides a resource: "show this object once its attempts are settled"."""

from __future__ import annotations

from dataclasses import dataclass

from voldaan.resources.base import Resource
from voldaan.resources.subscriptions import Subscription
from voldaan.rules.decision import Refusal
from voldaan.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Answer:
    """The object to show after the attempts of this request are settled.

    `decline_is_error`: a declined attempt answers 402 with the card error, as confirm and pay do.
    `within`: the subscription of an item, which tells of the payment, and of an item that exists only once it is paid.
    """

    id: str
    cls: type[Resource]
    decline_is_error: bool = False
    within: str | None = None


async def look(tx: Transaction, answer: Answer) -> tuple[Resource, Resource]:
    """The object to show, and the one whose payment was asked for. Raises Missing."""
    if answer.within is None:
        resource = await tx.need(answer.cls, answer.id)
        return resource, resource
    subscription = await tx.need(Subscription, answer.within)
    held = subscription.held.items if subscription.held is not None else []
    item = next((item for item in held if item.id == answer.id), None)
    return item or (await tx.get(answer.cls, [answer.id])).get(answer.id, subscription), subscription


@dataclass(frozen=True, slots=True)
class Failure:
    """What was written stands, and the request is answered with this refusal: the finalization of an invoice that failed."""

    refusal: Refusal
