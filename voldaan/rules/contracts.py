"""Contracts: which price may stand in for which, and which contracts cannot both hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from voldaan.resources.base import UNSET
from voldaan.resources.contracts import Contract
from voldaan.resources.prices import Price
from voldaan.rules.refusals import refused


def is_in_force(contract: Contract, now: int) -> bool:
    """Whether what was agreed holds now."""
    return contract.starts_at <= now and (contract.ends_at is None or now < contract.ends_at)


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
