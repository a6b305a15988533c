"""Changing subscriptions: what a request names looked up, the change decided and written. Used by updates, items and previews."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.commands import billing, clocks, lookups, metered, pending_updates, posting, thresholds
from voldaan.commands.answers import Answer
from voldaan.resources.base import UnsetType
from voldaan.resources.invoice_params import PreviewPause, PreviewSubscription
from voldaan.resources.pause_schedules import (
    PauseBillFor,
    PauseOutstandingUsage,
    PauseSettings,
    PauseUnusedTime,
    ResumePayment,
    ResumeSettings,
)
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscriptions import (
    CancellationDetails,
    CancellationDetailsParams,
    PauseCollection,
    Subscription,
    SubscriptionItemChange,
    SubscriptionPause,
    SubscriptionResume,
    SubscriptionUpdate,
)
from voldaan.rules import automatic_tax as tax_rules
from voldaan.rules import changes, finalization, invoices, pending_intervals, schedules, states
from voldaan.rules import subscription_fields as rules
from voldaan.rules import subscription_items as items
from voldaan.rules import thresholds as threshold_rules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Change, ItemChange
from voldaan.rules.decision import Decision
from voldaan.rules.ids import NewId
from voldaan.rules.lines import period_at, price_id
from voldaan.rules.refusals import check_once, refused
from voldaan.rules.subscription_due import follow_up
from voldaan.rules.subscriptions import NO_METHOD
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

DAY = 86_400
OUTSIDE = "Cannot specify `proration_date` outside of the subscription's current period."
ENDS = ("max_billed_until", "max_period_end", "min_period_end")


async def apply(
    tx: Transaction,
    facts: BillingFacts,
    was: Subscription,
    changed: Subscription,
    change: Change,
    payment_behavior: str,
    decision: Decision,
) -> Subscription | Answer:
    """Decides and writes a change that is looked up."""
    change.must_be_paid = pending_updates.must_be_paid(payment_behavior, changed)
    lookups.suit(facts, was.currency, None)
    await billing.number_whole_book(tx, facts)
    decision.add(changes.apply(facts, was, changed, change, tx.now, new_id))
    after = facts.parties.subscriptions[was.id]
    fails = after.held is not None and after.held.must_be_paid
    if fails and not decision.attempts:
        raise refused(NO_METHOD, code="resource_missing")
    if after.next_pending_invoice_item_invoice != was.next_pending_invoice_item_invoice:
        decision.due_cancelled.append(("subscription.bill_pending", was.id))
        decision.due += pending_intervals.due(after)
    decision.add(follow_up(was, after, tx.now))
    threshold_rules.check(facts.catalogue, after)
    decision.add(thresholds.looked_at(was, after, tx.now))
    decision.add(schedules.mirrored(facts.parties, was, after))
    await write(tx, [posting.post(decision, tx.now)])
    await billing.keep_number(tx, facts)
    return Answer(was.id, Subscription, decline_is_error=fails) if tx.attempts else facts.parties.subscriptions[was.id]


async def fields(
    tx: Transaction, facts: BillingFacts, was: Subscription, params: SubscriptionUpdate, decision: Decision
) -> Subscription:
    """The subscription with everything that is not about items, trial or anchor."""
    given = params.model_fields_set
    changed = pending_intervals.agreed(rules.simple(was, params), params.pending_invoice_item_interval, tx.now)
    values: dict[str, Any] = {}
    await lookups.payment_method(tx, facts, params.default_payment_method, was.customer)
    if params.invoice_settings:
        await lookups.own_tax_ids(tx, (params.invoice_settings.account_tax_ids, "invoice_settings"))
    if "description" in given:
        values["description"] = params.description or None
    if "discounts" in given:
        values["discounts"] = await lookups.discounts(
            tx, facts, params.discounts, "discounts", decision, customer=was.customer, subscription=was.id
        )
        values["ignores_customers_discount"] = False  # a schedule's phase had said so
    if "default_tax_rates" in given:
        values["default_tax_rates"] = await lookups.tax_rates(tx, facts, params.default_tax_rates, "default_tax_rates")
    if "cancellation_details" in given:
        values["cancellation_details"] = details_of(was.cancellation_details, params.cancellation_details)
    if "pause_collection" in given:
        paused = params.pause_collection
        values["pause_collection"] = (
            PauseCollection(behavior=paused.behavior, resumes_at=paused.resumes_at) if paused else None
        )
    changed = replace(changed, **values)
    if changed.automatic_tax.enabled:
        await lookups.automatic_tax(tx, facts, params.automatic_tax, changed.default_tax_rates or [])
        method = invoices.payment_method_of(facts, changed)
        tax_rules.check_place(facts.parties.customers[was.customer], method)
    return rules.ending(changed, params, tx.now)


def check_trial(params: SubscriptionUpdate) -> None:
    """Refuses a trial by the price together with one until an instant."""
    if params.trial_from_plan and params.trial_end is not None:
        raise refused("You cannot set `trial_end` when `trial_from_plan=true`.", "trial_from_plan")


async def change_of(
    tx: Transaction, facts: BillingFacts, was: Subscription, params: SubscriptionUpdate, decision: Decision
) -> Change:
    """What the request says of items, trial and anchor, looked up."""
    check_trial(params)
    return Change(
        ends=params.cancel_at if params.cancel_at in ENDS else None,
        sets_end="cancel_at_period_end" in params.model_fields_set,
        trial_from_plan=True if params.trial_from_plan else None,
        metadata=dict(params.metadata or {}) if "metadata" in params.model_fields_set else None,
        at=prorated_at(was, params.proration_date, params.billing_cycle_anchor is not None, tx.now),
        behavior=params.proration_behavior,
        items=(moving := await item_changes(tx, facts, was, params.items, decision)),
        anchor=params.billing_cycle_anchor.type if params.billing_cycle_anchor else None,
        trial_end=_plan_trial(facts, moving, tx.now) if params.trial_from_plan else _trial_end(params.trial_end, tx.now),
        extra=await lookups.extra_items(
            tx, facts, params.add_invoice_items, customer=was.customer, subscription=was.id, currency=was.currency,
            period=(was.current_period_start, was.current_period_end), decision=decision,
        ),
        billing_schedules=params.billing_schedules,
        debits=await lookups.debits(tx, was.items.data),
        collect=collect_by(params.payment_behavior, params.off_session),
    )  # fmt: skip


async def item_changes(
    tx: Transaction,
    facts: BillingFacts,
    was: Subscription,
    wanted: list[SubscriptionItemChange],
    decision: Decision,
) -> list[ItemChange]:
    """Each named item as it is and as it shall be. Refuses what no subscription can consist of."""
    check_once((want.id, f"items[{number}][id]") for number, want in enumerate(wanted))
    await lookups.know_items(tx, facts, wanted)
    own = {item.id: item for item in was.items.data}
    found: list[ItemChange] = []
    amounts: list[tuple[items.NewItem, str]] = []
    after = {item.id: (price_id(item), "items") for item in was.items.data}
    for number, want in enumerate(wanted):
        here = f"items[{number}]"
        item = own.get(want.id or "")
        if want.id is not None and item is None:
            raise Missing("subscription_item", want.id, f"{here}[id]")
        if item is not None and want.deleted:
            found.append(ItemChange(item, None))
            after.pop(item.id, None)
            continue
        if item is not None and want.price is None and want.plan is None and want.price_data is None:
            want = want.model_copy(update={"price": price_id(item)})
        new = await lookups.new_item(
            tx, facts, want, here, customer=was.customer, subscription=was.id, decision=decision
        )
        if item is not None:
            new = items.kept(item, new, want)
        found.append(ItemChange(item, new))
        after[new.id] = (new.price, f"{here}[price]")
        amounts.append((new, f"{here}[quantity]"))
    if not after:
        raise items.none_left(was.id, "items")
    if found:
        fixed = {price_id(item) for item in was.items.data} | {p.id for p in decision.inserts}
        items.check_items(facts.catalogue, list(after.values()), was.currency, was.billing_mode.type, fixed)
        items.check_amounts(facts.catalogue, [new for new, _ in amounts], was.currency, [param for _, param in amounts])
    return found


def prorated_at(was: Subscription, date: int | None, anchored: bool, now: int) -> int:
    """The instant that prorations are computed for."""
    if date is None:
        return now
    if anchored:
        raise refused("You cannot use `proration_date` together with `billing_cycle_anchor`.", "proration_date")
    if not was.current_period_start <= date <= was.current_period_end:
        raise refused(OUTSIDE, "proration_date")
    return date


def _stub_since(facts: BillingFacts, was: Subscription, date: int | None, now: int, param: str) -> int | None:
    """The instant from which a resumption bills what is left of the periods that run: since it was paused, and within them."""
    if date is None:
        return None
    details = was.status_details
    paused = was.start_date if isinstance(details, UnsetType) else details.paused.transitioned_at
    ends = [{period_at(facts.catalogue, was, price_id(item), at).end for at in (date, now)} for item in was.items.data]
    if not paused <= date <= now or any(len(of_item) > 1 for of_item in ends):
        raise refused(OUTSIDE, param)
    return date


def collect_by(payment_behavior: str, off_session: bool) -> finalization.Collect:
    """How an invoice that a request causes is collected."""
    if payment_behavior == "default_incomplete":
        return "later"
    return "off_session" if off_session else "on_session"


def _trial_end(given: int | str | None, now: int) -> int | None:
    if given is None:
        return None
    if given == "now":
        return 0
    assert isinstance(given, int)
    if given <= now:
        raise refused("Invalid timestamp: must be an integer Unix timestamp in the future.", "trial_end")
    rules.check_not_too_far(given, now, "trial_end")
    return given


def _plan_trial(facts: BillingFacts, moving: list[ItemChange], now: int) -> int | None:
    """The longest trial that the new items' prices give; None if they give none."""
    prices = [each.wanted.price for each in moving if each.wanted is not None]
    days = max((facts.catalogue.prices[id].recurring_trial_period_days or 0 for id in prices), default=0)
    return now + days * DAY if days else None


def check_pausable(was: Subscription) -> None:
    """Refuses to pause what is not running."""
    if states.advance(states.SUBSCRIPTION, was.status, "pause") is None:
        raise refused(f"A subscription that is {was.status} cannot be paused.")


def resume(
    facts: BillingFacts,
    was: Subscription,
    said: SubscriptionResume | PreviewSubscription,
    payment_behavior: ResumePayment,
    now: int,
    new_id: NewId,
    *,
    param: str = "proration_date",
) -> Decision:
    """The resumption that a request asks for, or asks about. `param` is how the request calls its proration date."""
    stays = said.billing_cycle_anchor is not None and said.billing_cycle_anchor.type == "unchanged"
    settings = ResumeSettings(
        billing_cycle_anchor="unchanged" if stays else "resume_at",
        payment_behavior=payment_behavior,
        proration_behavior=said.proration_behavior,
    )
    since = _stub_since(facts, was, said.proration_date, now, param)
    return changes.resume(facts, was, settings, now, new_id, since=since)


async def pause(
    tx: Transaction, facts: BillingFacts, was: Subscription, said: SubscriptionPause | PreviewPause, new_id: NewId
) -> Decision:
    """The pause that a request asks for, or asks about."""
    unused = said.bill_for.unused_time_from.type if said.bill_for and said.bill_for.unused_time_from else "now"
    usage = said.bill_for.outstanding_usage_through.type if said.bill_for and said.bill_for.outstanding_usage_through else "now"
    settings = PauseSettings(
        bill_for=PauseBillFor(
            outstanding_usage_through=PauseOutstandingUsage(type="pause_at" if usage == "now" else usage),
            unused_time_from=PauseUnusedTime(type="pause_at" if unused == "now" else unused),
        ),
        invoicing_behavior=said.invoicing_behavior or "pending_invoice_item",
    )
    return changes.pause(facts, was, settings, await lookups.debits(tx, was.items.data), tx.now, new_id)


def details_of(was: CancellationDetails | None, given: CancellationDetailsParams | None) -> CancellationDetails:
    details = was or CancellationDetails()
    if given is None:
        return details
    said = given.model_fields_set
    return replace(
        details,
        comment=(given.comment or None) if "comment" in said else details.comment,
        feedback=(given.feedback or None) if "feedback" in said else details.feedback,
    )


async def load_one(tx: Transaction, id: str, param: str | None = None) -> tuple[BillingFacts, Subscription]:
    """A subscription with its facts, its customer locked, at the customer's time. Raises Missing."""
    facts = await billing.load(tx, subscriptions=[id])
    subscription = facts.parties.subscriptions.get(id)
    if subscription is None:
        raise Missing("subscription", id, param)
    await clocks.now_for(tx, subscription.test_clock)
    await metered.know(tx, facts)
    return facts, subscription


def item_of(subscription: Subscription, id: str, param: str | None = None) -> SubscriptionItem:
    """The subscription's item, as it is now that nobody else changes it. Raises Missing."""
    for item in subscription.items.data:
        if item.id == id:
            return item
    raise Missing("subscription_item", id, param)
