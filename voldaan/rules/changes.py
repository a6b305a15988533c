"""Changing a subscription in the middle of a period: its items, its trial, its anchor, and when the change is billed.

What is given back and charged is in rules/crediting.py. What a decision changes is put back into the facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from voldaan.resources.base import UNSET, ListObject
from voldaan.resources.billing_schedules import BillingSchedule
from voldaan.resources.pause_schedules import PauseSettings, ResumeSettings
from voldaan.resources.subscription_items import Debit, ProrationBehavior, SubscriptionItem
from voldaan.resources.subscriptions import Paused, PausedSubscription, Subscription, SubscriptionStatusDetails
from voldaan.rules import billing_schedules, lines, metered, pending_updates, prebilling, states
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.change_invoices import write_change
from voldaan.rules.crediting import Change, Debits, ItemChange, Work, close_usage, credit, debit, lengthened, shortened
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.finalization import Collect
from voldaan.rules.ids import NewId
from voldaan.rules.new_periods import resets, turns
from voldaan.rules.subscription_due import cancellation, no_more_due
from voldaan.rules.subscription_fields import cancel_at_of
from voldaan.rules.subscription_items import NewItem


def apply(
    facts: BillingFacts, was: Subscription, changed: Subscription, change: Change, now: int, new_id: NewId
) -> Decision:
    """The subscription `changed` in its simple fields, with this change of items and time on top of them."""
    work = Work(facts, was, change, now, new_id, list(changed.items.data), turns=turns(was, change.at))
    anew = resets(facts, changed, change)
    if anew and work.turns and change.drafts and all(item.current_period_end <= now for item in work.items):
        changed, anew = replace(changed, billing_cycle_anchor=now), False  # nobody waits: the renewal bills the new periods
    if change.ends is not None:
        changed = replace(changed, cancel_at=None)
    if change.billing_schedules is not None:
        changed = replace(changed, billing_schedules=_billing_schedules(work, changed, anew))
    if anew:
        changed = _ending(work, _restart(work, changed))
        for item in work.items:  # nobody else holds them yet
            item.current_period_end = min(item.current_period_end, changed.cancel_at or item.current_period_end)
    elif change.trial_end is not None:
        changed = _ending(work, _try_out(work, changed, change.trial_end))
    else:
        for each in change.items:
            _change_item(work, changed, each)
        changed = _ending(work, changed)
        if not work.turns:
            _cut(work, changed)
        if change.billing_schedules is not None:
            _bill_ahead(work, changed)
    work.decision.inserts += change.extra
    work.decision.events += [Event("invoiceitem.created", item) for item in (*work.waiting, *change.extra)]
    decided = write_change(work, _with_items(changed, work.items), anew=anew)
    return pending_updates.hold(facts, was, change, decided, now) if change.must_be_paid else decided


def resume(
    facts: BillingFacts,
    was: Subscription,
    settings: ResumeSettings,
    now: int,
    new_id: NewId,
    *,
    since: int | None = None,
    unattended: bool = False,
) -> Decision:
    """A paused subscription is billed again, from now or for the stub until its anchor's next boundary; or it stays paused
    until the invoice for that is paid. `since` is when the stub begins, if not now. `unattended`: its schedule does it, not a
    request."""
    change = Change(at=now, behavior=settings.proration_behavior, collect=_by(unattended), unattended=unattended)
    work = Work(facts, was, change, now, new_id, list(was.items.data))
    anew = settings.billing_cycle_anchor == "resume_at"
    changed = replace(was, billing_cycle_anchor=now if anew else was.billing_cycle_anchor)
    items = []
    for item in work.items:
        counts = lines.is_metered(facts.catalogue, lines.price_id(item))  # from now on: nothing is billed of the pause
        after = _billed_anew(work, changed, item, since=None if anew or counts else since)
        work.decision.updates.append(Update(after, item))
        items.append(after)
    changed = _with_items(changed, items)
    waits = settings.payment_behavior == "resume_on_payment_success"
    if not waits:
        changed = replace(changed, status="active", status_details=UNSET)
        work.decision.events.append(Event("customer.subscription.resumed", changed))
    return write_change(work, changed, anew=True, waits=waits)


def pause(
    facts: BillingFacts,
    was: Subscription,
    settings: PauseSettings,
    debits: Debits,
    now: int,
    new_id: NewId,
    *,
    unattended: bool = False,
) -> Decision:
    """Nothing is billed until it is resumed. What is left of the periods is given back, from now, from their start, or not at
    all, and usage until now is billed, or not: as items that wait, or at once. An end that was agreed comes all the same."""
    unused, usage = settings.bill_for.unused_time_from.type, settings.bill_for.outstanding_usage_through.type
    behavior: ProrationBehavior = "always_invoice" if settings.invoicing_behavior == "invoice" else "create_prorations"
    change = Change(at=now, behavior=behavior, debits=debits, collect=_by(unattended), unattended=unattended)
    work = Work(facts, was, change, now, new_id, list(was.items.data))
    items = []
    for item in work.items:
        if unused != "none":
            credit(work, was, item, item.current_period_start if unused == "item_current_period_start" else now)
        if usage == "pause_at":
            close_usage(work, was, item, always=True)
        else:
            work.decision.updates += metered.forget(facts, item, now)
        after = _without_usage(work, replace(item, debits=[]), max(now, item.current_period_end))
        work.decision.updates.append(Update(after, item))
        items.append(after)
    details = SubscriptionStatusDetails(
        paused=Paused(transitioned_at=now, subscription=PausedSubscription(type="pause_requested"))
    )
    changed = replace(_with_items(was, items), status="paused", status_details=details)
    work.decision.due_cancelled += no_more_due(was.id)
    work.decision.due += cancellation(was)
    work.decision.events += [Event("invoiceitem.created", item) for item in work.waiting]
    work.decision.events.append(Event("customer.subscription.paused", changed))
    return write_change(work, changed, anew=False)


def _by(unattended: bool) -> Collect:
    return "off_session" if unattended else "on_session"


# The three ways of changing -------------------------------------------------------------------------------------------


def _change_item(work: Work, subscription: Subscription, each: ItemChange) -> None:
    """One item comes, goes, or becomes another, within the periods as they are."""
    was, wanted = each.was, each.wanted
    if was is not None and wanted is not None and not _is_other(was, wanted):
        _replace_item(work, was, _fields(was, wanted))
        return
    if work.turns and _turn(work, subscription, each):
        return
    spent: list[Debit] = []
    if was is not None:
        spent = credit(work, subscription, was)
        close_usage(work, subscription, was)
    if wanted is None:
        assert was is not None
        work.items = [item for item in work.items if item.id != was.id]
        work.decision.deletes.append(was)
        return
    if was is not None:
        after = _fields(was, wanted)
        same = lines.interval(work.facts.catalogue, lines.price_id(was)) == lines.interval(
            work.facts.catalogue, wanted.price
        )
        if not same:
            start, end = _period(work, subscription, wanted.price)
            after = replace(after, current_period_start=start, current_period_end=end)
        after = _counts_from(work, subscription, replace(after, price=work.facts.catalogue.prices[wanted.price]))
        _replace_item(work, was, debit(work, subscription, after, spent))
        return
    start, end = _period(work, subscription, wanted.price)
    fresh = debit(work, subscription, _fresh(work, subscription, wanted, start, end))
    work.items.append(fresh)
    work.decision.inserts.append(fresh)


def _turn(work: Work, subscription: Subscription, each: ItemChange) -> bool:
    """One item comes, goes, or becomes another once its period is over: it costs nothing by itself, since the renewal that is
    due bills what it finds. False for an item of another rhythm, which is in the middle of its period."""
    was, wanted, over = each.was, each.wanted, work.was.current_period_end
    if was is not None and prebilling.covered(was) > over:
        return False
    if was is not None:
        close_usage(work, subscription, was, always=True)
    if was is not None and wanted is not None:
        after = replace(_fields(was, wanted), price=work.facts.catalogue.prices[wanted.price], debits=[])
        _replace_item(work, was, _without_usage(work, after, over))
        return True
    if was is not None:
        work.items = [item for item in work.items if item.id != was.id]
        work.decision.deletes.append(was)
        return True
    assert wanted is not None
    every = lines.interval(work.facts.catalogue, wanted.price)
    same = [item for item in work.items if lines.interval(work.facts.catalogue, lines.price_id(item)) == every]
    if any(item.current_period_end > over for item in same):
        return False
    counts = lines.is_metered(work.facts.catalogue, wanted.price)  # from now on
    start = over if counts else min(subscription.current_period_start, over)
    fresh = _fresh(work, subscription, wanted, start, over)
    work.items.append(fresh)
    work.decision.inserts.append(fresh)
    return True


def _fresh(work: Work, subscription: Subscription, wanted: NewItem, start: int, end: int) -> SubscriptionItem:
    made = SubscriptionItem(
        id=wanted.id,
        subscription=subscription.id,
        price=work.facts.catalogue.prices[wanted.price],
        quantity=wanted.quantity,
        created=work.now,
        current_period_start=start,
        current_period_end=end,
        discounts=wanted.discounts,
        tax_rates=wanted.tax_rates,
        metadata=wanted.metadata,
        billing_thresholds=wanted.thresholds,
        next_price=wanted.next_price,
    )
    return _counts_from(work, subscription, made)


def _restart(work: Work, subscription: Subscription) -> Subscription:
    """All periods begin now: the rest of the old ones is given back, and the new ones are billed at once."""
    changes = {each.was.id: each for each in work.change.items if each.was is not None}
    fresh = [each.wanted for each in work.change.items if each.was is None and each.wanted is not None]
    if not _keeps_anchor(work, subscription):
        subscription = replace(subscription, billing_cycle_anchor=work.now)
    if subscription.status in ("trialing", "paused"):
        subscription = replace(subscription, status="active", trial_end=_ended(subscription, work.now))
    kept: list[SubscriptionItem] = []
    for item in work.items:
        spent = credit(work, subscription, item)
        each = changes.get(item.id)
        stays = each is None or (each.wanted is not None and each.wanted.price == lines.price_id(item))
        close_usage(work, subscription, item, always=stays)
        if each is not None and each.wanted is None:
            work.decision.deletes.append(item)
            continue
        after = item if each is None or each.wanted is None else _fields(item, each.wanted)
        if each is not None and each.wanted is not None:
            after = replace(after, price=work.facts.catalogue.prices[each.wanted.price])
        after = _billed_anew(work, subscription, after, spent)
        work.decision.updates.append(Update(after, item))
        kept.append(after)
    for wanted in fresh:
        item = _billed_anew(work, subscription, _fresh(work, subscription, wanted, work.now, work.now))
        work.decision.inserts.append(item)
        kept.append(item)
    work.items = kept
    return subscription


def _keeps_anchor(work: Work, subscription: Subscription) -> bool:
    """Whether a trial that is ended now leaves the anchor where it is, for a stub until its next boundary."""
    settings = subscription.trial_settings
    kept = settings is not None and settings.end_behavior.billing_cycle_anchor == "unchanged"
    return kept and work.change.trial_end == 0 and work.change.anchor != "now"


def _try_out(work: Work, subscription: Subscription, trial_end: int) -> Subscription:
    """A trial until then, whatever was billed: the rest of it is given back, and the next period starts with its end.

    Other items or quantities are part of the trial: they cost nothing.
    """
    for item in work.items:
        credit(work, subscription, item)
    work.tries = True
    for each in work.change.items:
        _change_item(work, replace(subscription, status="trialing", trial_end=trial_end), each)
    items = []
    for item in work.items:
        close_usage(work, subscription, item)
        start = work.now if work.turns else item.current_period_start
        after = replace(item, current_period_start=start, current_period_end=trial_end, debits=[])
        after = _without_usage(work, after, trial_end)
        work.decision.updates.append(Update(after, item))
        items.append(after)
    work.items = items
    began = subscription.trial_start if subscription.status == "trialing" else work.now
    status: Any = states.advance(states.SUBSCRIPTION, subscription.status, "start_trial") or subscription.status
    return replace(
        subscription, status=status, trial_start=began, trial_end=trial_end, billing_cycle_anchor=trial_end
    )


def _ending(work: Work, subscription: Subscription) -> Subscription:
    """An end that is one of the periods' ends is that of the periods as they are after the change."""
    if work.change.ends is None:
        return subscription
    ends = [_natural_end(work, subscription, item, lines.price_id(item)) for item in work.items]
    if work.change.ends == "max_billed_until":
        ends += [prebilling.covered(item) for item in work.items]
    return replace(subscription, cancel_at=cancel_at_of(work.change.ends, ends))


def _cut(work: Work, subscription: Subscription) -> None:
    """A new cancel_at inside the present period shortens it, and gives the rest back; taken away, it grows again."""
    if subscription.cancel_at == work.was.cancel_at:
        return
    _cut_ahead(work, subscription)
    if subscription.cancel_at_period_end:
        return
    limit = subscription.cancel_at
    for item in list(work.items):
        price = lines.price_id(item)
        natural = _natural_end(work, subscription, item, price)
        end = natural if limit is None else min(natural, max(limit, work.now))
        if end == item.current_period_end:
            continue
        if end < item.current_period_end:
            after = shortened(work, subscription, item, end)
        else:
            after = lengthened(work, subscription, item, end)
        _replace_item(work, item, after)


def _cut_ahead(work: Work, subscription: Subscription) -> None:
    """What was billed in advance for a time after the end is given back."""
    limit = subscription.cancel_at
    for item in list(work.items):
        end = item.current_period_end
        if limit is not None and end <= limit < prebilling.covered(item):
            _replace_item(work, item, replace(shortened(work, subscription, item, limit), current_period_end=end))


def _billing_schedules(work: Work, subscription: Subscription, anew: bool) -> list[BillingSchedule]:
    """What the request says of them, for the items as they will be."""
    wanted = {each.was.id: each.wanted for each in work.change.items if each.was is not None}
    items = []
    for item in work.items:
        new = wanted.get(item.id)
        if item.id in wanted and new is None:
            continue
        items.append(item if new is None else replace(item, price=work.facts.catalogue.prices[new.price]))
    fresh = [each.wanted for each in work.change.items if each.was is None and each.wanted is not None]
    items += [_fresh(work, subscription, new, *_period(work, subscription, new.price)) for new in fresh]
    base = max(subscription.current_period_start, subscription.trial_end or 0)
    asked = billing_schedules.Asked(work.facts.catalogue, subscription, items, work.now if anew else base, work.now)
    return billing_schedules.given(asked, work.change.billing_schedules, work.new_id)


def _bill_ahead(work: Work, subscription: Subscription) -> None:
    """What the billing schedules say and nobody has billed yet is billed now, if the subscription is billed at all."""
    if subscription.status not in ("active", "past_due"):
        return
    for item in list(work.items):
        found = prebilling.ahead(work.facts.catalogue, subscription, item, prebilling.covered(item))
        if found:
            after = replace(item)
            _replace_item(work, item, after)
            work.ahead.append((after, found))


def _billed_anew(
    work: Work,
    subscription: Subscription,
    item: SubscriptionItem,
    spent: Sequence[Debit] = (),
    since: int | None = None,
) -> SubscriptionItem:
    """A whole new period from now, or from `since`, as a line of the invoice that is made at once (see `_write`)."""
    start = work.now if since is None else since
    end = lines.period_at(work.facts.catalogue, subscription, lines.price_id(item), work.now).end
    if subscription.cancel_at is not None and subscription.cancel_at > work.now:
        end = min(end, subscription.cancel_at)
    return replace(item, current_period_start=start, current_period_end=end, debits=list(spent), usage_since=UNSET)


def _counts_from(work: Work, subscription: Subscription, item: SubscriptionItem) -> SubscriptionItem:
    """An item that is new, or has a new price: usage counts from now, after a trial from its end."""
    trial = subscription.trial_end if subscription.status == "trialing" else None
    return _without_usage(work, item, work.now if trial is None else trial)


def _without_usage(work: Work, item: SubscriptionItem, at: int) -> SubscriptionItem:
    """The item with its usage before `at` billed, or free."""
    counts = lines.is_metered(work.facts.catalogue, lines.price_id(item))
    return replace(item, usage_since=at if counts else UNSET)


# Pieces ---------------------------------------------------------------------------------------------------------------


def _period(work: Work, subscription: Subscription, price: str) -> tuple[int, int]:
    """The period that an item with this price is in: the trial, or from now to the anchor's next boundary."""
    if subscription.status == "trialing":
        return work.now, subscription.trial_end or work.now
    found = lines.period_at(work.facts.catalogue, subscription, price, work.now)
    same = [
        item
        for item in work.items
        if lines.interval(work.facts.catalogue, lines.price_id(item)) == lines.interval(work.facts.catalogue, price)
    ]
    start = same[0].current_period_start if same else work.now
    end = found.end if subscription.cancel_at is None else min(found.end, subscription.cancel_at)
    return start, end


def _natural_end(work: Work, subscription: Subscription, item: SubscriptionItem, price: str) -> int:
    if subscription.status == "trialing":
        return subscription.trial_end or item.current_period_end
    return lines.period_at(work.facts.catalogue, subscription, price, item.current_period_start).end


def _replace_item(work: Work, was: SubscriptionItem, after: SubscriptionItem) -> None:
    work.items = [after if item.id == was.id else item for item in work.items]
    work.decision.updates.append(Update(after, was))


def _fields(item: SubscriptionItem, wanted: NewItem) -> SubscriptionItem:
    return replace(
        item,
        quantity=wanted.quantity,
        discounts=wanted.discounts,
        tax_rates=wanted.tax_rates,
        metadata=wanted.metadata,
        billing_thresholds=wanted.thresholds,
        next_price=item.next_price if lines.price_id(item) == wanted.price else None,
    )


def _is_other(item: SubscriptionItem, wanted: NewItem) -> bool:
    """Whether price or quantity changes: only these are prorated."""
    return lines.price_id(item) != wanted.price or item.quantity != wanted.quantity


def _with_items(subscription: Subscription, items: list[SubscriptionItem]) -> Subscription:
    return replace(
        subscription,
        items=ListObject(data=items, url=subscription.items.url),
        current_period_start=max(item.current_period_start for item in items),
        current_period_end=min(item.current_period_end for item in items),
    )


def _ended(subscription: Subscription, now: int) -> int | None:
    return None if subscription.trial_end is None else min(subscription.trial_end, now)
