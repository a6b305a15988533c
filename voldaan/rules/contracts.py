"""Contracts: which price may stand in for which, and which contracts cannot both hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.contracts import Contract, FormerPrice
from voldaan.resources.prices import Price
from voldaan.rules.refusals import refused


def is_in_force(contract: Contract, now: int) -> bool:
    """Whether what was agreed holds now."""
    return contract.starts_at <= now and (contract.ends_at is None or now < contract.ends_at)


class Agreed(NamedTuple):
    """That `override` was charged for `price`, as it was known in that time: [start, end), without an end it goes on."""

    price: str
    start: int
    end: int | None
    override: str


def agreed(contract: Contract) -> list[Agreed]:
    """All that holds and has held. A contract may begin before it was made, or changed: until then nobody knew of it."""
    past = [Agreed(was.price, was.starts_at, was.ends_at, was.override) for was in contract.formerly]
    return [*past, *_now_agreed(contract)]


def turns(contract: Contract) -> set[int]:
    """When what is agreed begins, changes and ends."""
    spells = [*((each.start, each.end) for each in agreed(contract)), (_known_since(contract), contract.ends_at)]
    return {at for spell in spells for at in spell if at is not None}


def changed(contract: Contract, was: Contract, now: int) -> Contract:
    """The contract with other prices or another end from now on: what held until now is kept."""
    if (contract.price_overrides, contract.ends_at) == (was.price_overrides, was.ends_at):
        return contract
    held = [
        FormerPrice(price=each.price, override=each.override, starts_at=each.start, ends_at=min(now, each.end or now))
        for each in _now_agreed(was)
    ]
    return replace(contract, agreed_at=now, formerly=[*was.formerly, *(each for each in held if each.starts_at < each.ends_at)])


def _now_agreed(contract: Contract) -> list[Agreed]:
    since = _known_since(contract)
    return [Agreed(each.price, since, contract.ends_at, each.override) for each in contract.price_overrides]


def _known_since(contract: Contract) -> int:
    return max(contract.starts_at, contract.created, contract.agreed_at)


def check_override(listed: Price, override: Price, already: Collection[str]) -> None:
    """Refuses a price that cannot be charged in the place of the listed one, blaming `price` or `override`."""
    if listed.id in already:
        raise refused(f"The price `{listed.id}` is overridden twice.", "price")
    if listed.type != "recurring":
        raise refused("Only recurring prices can be overridden.", "price")
    if override.id == listed.id:
        raise refused("A price cannot stand in for itself.", "override")
    if override.product != listed.product:
        raise refused("The override must be a price of the same product.", "override")
    if override.recurring is None or _rhythm(override) != _rhythm(listed):
        raise refused("The override must recur as the price does, and count as it does.", "override")
    if missing := sorted(_currencies(listed) - _currencies(override)):
        raise refused(f"The override is not offered in {missing[0]}, as the price is.", "override")


def check_overlap(contract: Contract, others: Iterable[Contract]) -> None:
    """Refuses a second price for the same listed one at the same time."""
    own = {each.price for each in contract.price_overrides}
    for other in others:
        if other.id == contract.id or not _meet(contract, other):
            continue
        if twice := sorted(own & {each.price for each in other.price_overrides}):
            raise refused(f"The price `{twice[0]}` is overridden by {other.id} in the same time.", "price_overrides")


def _meet(one: Contract, other: Contract) -> bool:
    return (one.ends_at is None or other.starts_at < one.ends_at) and (other.ends_at is None or one.starts_at < other.ends_at)


def _rhythm(price: Price) -> tuple[object, ...]:
    return price.recurring_interval, price.recurring_interval_count, price.recurring_usage_type, price.recurring_meter


def _currencies(price: Price) -> set[str]:
    return {price.currency, *({} if price.currency_options is UNSET else price.currency_options)}
