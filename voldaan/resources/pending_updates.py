"""Pending updates: a change of a subscription that waits for its invoice to be paid."""

from __future__ import annotations

from typing import Annotated, Any

from voldaan.resources.base import Expandable, Part
from voldaan.resources.render import to_dict
from voldaan.resources.subscription_items import SubscriptionItem


class PendingUpdate(Part, kw_only=True):
    """What the API shows of it: the values that the subscription will have; null stays as it is."""

    billing_cycle_anchor: int | None = None
    cancel_at_period_end: bool | None = None
    discount: dict[str, Any] | None = None
    discounts: list[Annotated[str, Expandable("discount")]] | None = None
    expires_at: int
    metadata: dict[str, str] | None = None
    subscription_items: list[dict[str, Any]] | None = None
    trial_end: int | None = None
    trial_from_plan: bool | None = None


class HeldUpdate(Part, kw_only=True):
    """What is kept of it: the subscription as it will be. `items` are all that there will be, with their periods."""

    invoice: str
    expires_at: int                            # epoch seconds
    must_be_paid: bool = False                 # error_if_incomplete: a payment that fails ends it at once
    items: list[SubscriptionItem]
    changes_items: bool = False
    billing_cycle_anchor: int
    anchored: bool = False
    status: str
    trial_start: int | None = None
    trial_end: int | None = None
    sets_trial: bool = False
    trial_from_plan: bool | None = None
    cancel_at: int | None = None
    cancel_at_period_end: bool | None = None   # None: stays as it is
    discounts: list[str] | None = None
    metadata: dict[str, str] | None = None     # merged into what there is by then
    fields: dict[str, Any] = {}                # what else changes, in the API's shape


def shown(held: HeldUpdate) -> PendingUpdate:
    """The update as the API shows it."""
    return PendingUpdate(
        billing_cycle_anchor=held.billing_cycle_anchor if held.anchored else None,
        cancel_at_period_end=held.cancel_at_period_end,
        discounts=held.discounts,
        expires_at=held.expires_at,
        metadata=held.metadata,
        subscription_items=[to_dict(item) for item in held.items] if held.changes_items else None,
        trial_end=held.trial_end if held.sets_trial else None,
        trial_from_plan=held.trial_from_plan,
    )
