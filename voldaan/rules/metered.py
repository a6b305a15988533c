"""Metered prices: usage becomes lines, once, when its period is over; and what arrives later becomes the difference.

A usage period is rated as a whole each time. A line holds what that comes to, less what earlier lines for the same
period came to, so all of them together are always the price of the whole quantity, tiers and rounding included.
Sources: docs/behaviour-billing.md, "Usage". Amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import combinations

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.basis import Basis
from voldaan.resources.invoice_items import InvoiceItem
from voldaan.resources.invoices import Invoice
from voldaan.resources.line_items import LineItem, LineUsage, TierUsage
from voldaan.resources.numbers import plain
from voldaan.resources.subscription_items import SubscriptionItem
from voldaan.resources.subscription_schedules import Phase
from voldaan.resources.subscriptions import Subscription
from voldaan.resources.usage_periods import UsagePeriod
from voldaan.rules import commitments, invoices, lines, pause_schedules, pricing
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.catalogue import Catalogue, shown
from voldaan.rules.decision import Decision, Update
from voldaan.rules.ids import NewId
from voldaan.rules.lines import day, is_metered, price_id, rate_ids
from voldaan.rules.money import DECIMALS, is_within_maximum, maximum_amount
from voldaan.rules.refusals import refused
from voldaan.rules.usage import LATE, UsageKey

NOTHING = Decimal(0)
PLACES = Decimal(1).scaleb(-DECIMALS)
EXACTLY = Context(prec=80, rounding=ROUND_HALF_UP)  # more digits than the sum of any usage has


# What must be known ----------------------------------------------------------------------------------------------------


def keys(facts: BillingFacts, now: int) -> set[UsageKey]:
    """The usage that a change, a renewal or the end of these subscriptions may bill, and what may be late."""
    wanted = {_key(facts, period) for period in facts.usage.periods.values()}
    for subscription in facts.parties.subscriptions.values():
        phases = _phases(facts, subscription, now)
        dates = [at for phase in phases for at in (phase.start_date, phase.end_date)]
        turns = [now, subscription.current_period_end, *_pauses(facts, subscription), *dates]
        for item in subscription.items.data:
            if is_metered(facts.catalogue, price_id(item)):
                start, end = since(item), item.current_period_end
                wanted |= _between(facts.catalogue, subscription, price_id(item), [start, *turns, end], start, end)
        coming = {item.price for phase in phases for item in phase.items} & facts.catalogue.prices.keys()  # where they may begin
        for price in (price for price in coming if is_metered(facts.catalogue, price)):
            end = max(now, subscription.current_period_end)
            wanted |= _between(facts.catalogue, subscription, price, [*turns, end], phases[0].start_date, end)
    return wanted


def _phases(facts: BillingFacts, subscription: Subscription, now: int) -> list[Phase]:
    """Those of its schedule that may change it before its next renewal, or should have by now; and the present one."""
    schedule = facts.parties.schedules.get(subscription.schedule or "")
    if schedule is None:
        return []
    last = max(now, subscription.current_period_end)
    return [p for p in schedule.agreed if p.end_date > subscription.current_period_start and p.start_date <= last]


def _pauses(facts: BillingFacts, subscription: Subscription) -> Iterable[int]:
    """When its schedule is to pause and to resume it."""
    schedule = facts.parties.schedules.get(subscription.schedule or "")
    return () if schedule is None else pause_schedules.to_come(schedule).values()


def _between(
    catalogue: Catalogue, subscription: Subscription, price: str, instants: Sequence[int], start: int, end: int
) -> set[UsageKey]:
    """The usage of a price from each to each of these instants that lie in [start, end]."""
    meter = catalogue.prices[price].recurring_meter or ""
    inside = sorted({at for at in instants if start <= at <= end})
    return {UsageKey(meter, subscription.customer, a, b) for a, b in combinations(inside, 2)}


def quantity(facts: BillingFacts, key: UsageKey) -> Decimal:
    """What the meter says, to twelve places. Of a time that began after it was asked nothing is known: nothing was used."""
    at = facts.usage.asked_at
    if at is not None and key.start >= at and key not in facts.usage.counted:
        return NOTHING
    return plain(facts.usage.counted[key].quantize(PLACES, context=EXACTLY))


def since(item: SubscriptionItem) -> int:
    """From when on the item's usage is not billed yet."""
    return item.current_period_start if item.usage_since is UNSET else item.usage_since


# Billing it ------------------------------------------------------------------------------------------------------------


def line_of(
    facts: BillingFacts, subscription: Subscription, item: SubscriptionItem, until: int, invoice: str, new_id: NewId
) -> tuple[LineItem, Decision] | None:
    """The item's usage that is not billed yet, until then. None if that is no time at all: in a trial it is free."""
    rated = _rated(facts, subscription, item, until)
    if rated is None:
        return None
    was, period = rated
    before = None if was is None else was.quantity
    line = _line(facts, subscription, period, _more(rated), before, invoice, new_id, in_time=was is not None)
    line.discounts = item.discounts
    return line, _kept(rated)


def so_far(facts: BillingFacts, subscription: Subscription, now: int, new_id: NewId) -> list[LineItem]:
    """The lines that the usage of the present periods has come to by now, and what is late for those before."""
    billed = [line_of(facts, subscription, i, i.current_period_end, "", new_id) for i in metered_items(facts, subscription)]
    drawn, _ = late(facts, subscription, "", now, new_id, subscription.items.data)
    return [line for line, _ in filter(None, billed)] + drawn


def forget(facts: BillingFacts, item: SubscriptionItem, now: int) -> list[Update]:
    """The item's usage until now that nobody has billed stays so. What a threshold has billed of it stands."""
    was = _running(facts, item)
    if was is None or was.period_end <= now:
        return []
    return [Update(replace(was, period_end=now, open=False), was)]


def nothing_yet(facts: BillingFacts, subscription: Subscription, item: SubscriptionItem, invoice: str, new_id: NewId) -> LineItem:
    """The line of zero with which classic billing announces a metered item."""
    start, end = item.current_period_start, item.current_period_end
    period = _period(facts.catalogue, subscription, item, start, end, NOTHING, 0)
    return replace(_line(facts, subscription, period, 0, None, invoice, new_id), usage=None, basis=Basis(kind="free"))


def waiting(
    facts: BillingFacts, subscription: Subscription, item: SubscriptionItem, until: int, new_id: NewId
) -> tuple[InvoiceItem | None, Decision] | None:
    """The same as an invoice item that waits, for an item that goes or changes its price. None of it for no cost."""
    rated = _rated(facts, subscription, item, until)
    if rated is None:
        return None
    was, period = rated
    before = None if was is None else was.quantity
    units, amount = _units(period.quantity, before), _more(rated)
    if not units and not amount:
        return None, _kept(rated)
    catalogue = facts.catalogue
    made = InvoiceItem(
        id=new_id("ii"),
        amount=amount,
        created=until,
        currency=period.currency,
        customer=period.customer,
        description=_said(catalogue, period, units),
        discounts=item.discounts,
        livemode=subscription.livemode,
        metadata=subscription.metadata,
        period_start=period.period_start,
        period_end=period.period_end,
        price=period.price,
        product=catalogue.prices[period.price].product,
        quantity_decimal=units,
        subscription=period.subscription,
        subscription_item=period.subscription_item,
        tax_rates=list(item.tax_rates or []),
        test_clock=subscription.test_clock,
        unit_amount_decimal=catalogue.unit_amount(period.price, period.currency),
        usage=_usage(catalogue, period, before, in_time=was is not None),
    )
    return made, _kept(rated)


def late(
    facts: BillingFacts,
    subscription: Subscription,
    invoice: str,
    now: int,
    new_id: NewId,
    present: Sequence[SubscriptionItem],
) -> tuple[list[LineItem], Decision]:
    """What has arrived for periods that were billed before, as the meter's policy says, and what can change no more.

    The caller bills the usage of the `present` items that is not over: what thresholds have billed of it is not late. A
    subscription that ended because it was not paid for is billed no more; it only gets back.
    """
    drawn: list[LineItem] = []
    decision = Decision()
    known = facts.usage.periods_of(subscription.id)
    running = {_id(item) for item in present} if known else set()
    for was in known:
        if not was.open or was.id in running:
            continue
        key = _key(facts, was)
        counted = quantity(facts, key)
        amount = _amount(facts.catalogue, was, counted)
        allowed = _allowed(_policy(facts, subscription, was.meter), amount - was.amount)
        after = replace(was, period_end=key.end, open=now < key.end + LATE)
        if allowed and counted != was.quantity:
            after = replace(after, quantity=counted, amount=amount)
            if amount != was.amount:
                drawn.append(_line(facts, subscription, after, amount - was.amount, was.quantity, invoice, new_id))
        if after != was:
            facts.usage.periods[was.id] = after
            decision.updates.append(Update(after, was))
    return drawn, decision


def _policy(facts: BillingFacts, subscription: Subscription, meter: str) -> str:
    policy, details = facts.usage.late_events.get(meter, "next_invoice"), subscription.cancellation_details
    given_up = subscription.ended_at is not None and details is not None and details.reason == "payment_failed"
    return "credit" if given_up and policy == "next_invoice" else policy


def _allowed(policy: str, difference: int) -> bool:
    """next_invoice: whatever it is. credit: only what the customer gets back. ignore: nothing."""
    return policy == "next_invoice" or (policy == "credit" and difference < 0)


def is_watched(facts: BillingFacts, subscription: Subscription) -> bool:
    """Whether usage of the subscription may still arrive."""
    open = any(period.open for period in facts.usage.periods_of(subscription.id))
    return open or bool(metered_items(facts, subscription))


# Finalization ----------------------------------------------------------------------------------------------------------


def rated_anew(facts: BillingFacts, was: Invoice, new_id: NewId) -> tuple[Invoice, Decision]:
    """A draft with the usage that has arrived since it was made; the draft itself if there is none.

    A threshold's holds what was used when it was reached. Only the line that billed a period last is counted anew.
    """
    decision = Decision()
    if was.billing_reason == "subscription_threshold":
        return was, decision
    last = {line.usage.usage_period: line for line in was.lines.data if line.usage and _is_last(facts, line.usage)}
    drawn: dict[str, LineItem] = {}
    for id, line in last.items():
        period = facts.usage.periods[id]
        counted = quantity(facts, _key(facts, period))
        if counted == period.quantity:
            continue
        after = replace(period, quantity=counted, amount=_amount(facts.catalogue, period, counted))
        facts.usage.periods[id] = after
        decision.updates.append(Update(after, period))
        now_says = drawn[line.id] = _recounted(facts.catalogue, line, after, after.amount - period.amount)
        if item := facts.usage.items.get(line.invoice_item or ""):
            decision.updates.append(Update(_as(item, now_says), item))
    if not drawn:
        return was, decision
    fresh = replace(was)
    every = [drawn.get(line.id) or replace(line) for line in was.lines.data]
    decision.add(commitments.again(facts.commitments, was, every, new_id))
    invoices.complete(facts, fresh, every, was.created)
    before = {line.id: line for line in was.lines.data}
    decision.updates += [Update(line, before[line.id]) for line in every if line.id in before]
    return fresh, decision


def _as(item: InvoiceItem, line: LineItem) -> InvoiceItem:
    """The invoice item with what its line was counted to."""
    units = item.quantity_decimal if line.quantity_decimal is None else line.quantity_decimal
    return replace(item, amount=line.amount, description=line.description, quantity_decimal=units, usage=line.usage)


def _recounted(catalogue: Catalogue, line: LineItem, period: UsagePeriod, more: int) -> LineItem:
    """The line with the whole quantity of its period, and what that costs more, or less."""
    assert line.usage is not None
    usage = replace(line.usage, quantity=period.quantity, tiers=_tiers(catalogue, period))
    units = _units(period.quantity, usage.before)
    said = _said(catalogue, period, units, late=usage.is_late)
    return replace(
        line,
        amount=line.amount + more,
        subtotal=line.amount + more,
        description=said,
        quantity_decimal=units,
        usage=usage,
    )


# Pieces ----------------------------------------------------------------------------------------------------------------


def _key(facts: BillingFacts, period: UsagePeriod) -> UsageKey:
    """What is used of a period; nothing counts once its subscription has ended."""
    subscription = facts.parties.subscriptions.get(period.subscription)
    ended = None if subscription is None else subscription.ended_at
    end = period.period_end if ended is None else max(min(period.period_end, ended), period.period_start + 1)
    return UsageKey(period.meter, period.customer, period.period_start, end)


def _id(item: SubscriptionItem) -> str:
    """The usage period of the item's usage that is not over."""
    return f"{item.id}/{since(item)}"


def _running(facts: BillingFacts, item: SubscriptionItem) -> UsagePeriod | None:
    """What thresholds have billed of the item's usage that is not over."""
    return facts.usage.periods.get(_id(item))


def _is_last(facts: BillingFacts, usage: LineUsage) -> bool:
    """Whether no line after this one has billed more of its period."""
    return usage.quantity == facts.usage.periods[usage.usage_period].quantity


def _of_item(
    catalogue: Catalogue, subscription: Subscription, item: SubscriptionItem, start: int, end: int
) -> UsageKey:
    return UsageKey(catalogue.prices[price_id(item)].recurring_meter or "", subscription.customer, start, end)


Rated = tuple[UsagePeriod | None, UsagePeriod]  # as it was billed before, if it was, and as it is billed now


def _rated(facts: BillingFacts, subscription: Subscription, item: SubscriptionItem, until: int) -> Rated | None:
    start = since(item)
    if start >= until:
        return None
    counted = quantity(facts, _of_item(facts.catalogue, subscription, item, start, until))
    was = _running(facts, item)
    if was is None:
        period = _period(facts.catalogue, subscription, item, start, until, counted, 0)
    else:
        period = replace(was, period_end=until, quantity=counted, tax_rates=rate_ids(item.tax_rates))
    return was, replace(period, amount=_amount(facts.catalogue, period, counted))


def _more(rated: Rated) -> int:
    """What is billed of it now."""
    was, period = rated
    return period.amount - (0 if was is None else was.amount)


def _kept(rated: Rated) -> Decision:
    was, period = rated
    if was is None:
        return Decision(inserts=[period])
    return Decision(updates=[Update(period, was)] if period != was else [])


def _period(
    catalogue: Catalogue, subscription: Subscription, item: SubscriptionItem, start: int, end: int, counted: Decimal, amount: int
) -> UsagePeriod:
    price = lines.rated_by(catalogue, subscription, item, start)
    return UsagePeriod(
        id=f"{item.id}/{start}",
        customer=subscription.customer,
        subscription=subscription.id,
        subscription_item=item.id,
        meter=catalogue.prices[price].recurring_meter or "",
        price=price,
        currency=subscription.currency,
        period_start=start,
        period_end=end,
        quantity=counted,
        amount=amount,
        tax_rates=rate_ids(item.tax_rates),
    )


def _amount(catalogue: Catalogue, period: UsagePeriod, counted: Decimal) -> int:
    """The price of the whole quantity, rounded once. Less than nothing was not used. Refuses more than can be charged."""
    cost = pricing.amount(catalogue.terms(period.price, period.currency), max(counted, NOTHING))
    if not is_within_maximum(cost, period.currency):
        most = shown(maximum_amount(period.currency), period.currency)
        raise refused(f"The usage of {period.subscription_item} comes to more than {most}.", code="amount_too_large")
    return cost


def _line(
    facts: BillingFacts,
    subscription: Subscription,
    period: UsagePeriod,
    amount: int,
    before: Decimal | None,
    invoice: str,
    new_id: NewId,
    *,
    in_time: bool = False,
) -> LineItem:
    catalogue = facts.catalogue
    units = _units(period.quantity, before)
    usage = _usage(catalogue, period, before, in_time=in_time)
    return LineItem(
        id=new_id("il"),
        amount=amount,
        currency=period.currency,
        description=_said(catalogue, period, units, late=usage.is_late),
        invoice=invoice,
        livemode=subscription.livemode,
        metadata=subscription.metadata,
        quantity_decimal=units,
        subscription=period.subscription,
        subtotal=amount,
        period_start=period.period_start,
        period_end=period.period_end,
        price=period.price,
        product=catalogue.prices[period.price].product,
        subscription_item=period.subscription_item,
        unit_amount_decimal=catalogue.unit_amount(period.price, period.currency),
        tax_rates=period.tax_rates or None,
        usage=usage,
    )


def _usage(catalogue: Catalogue, period: UsagePeriod, before: Decimal | None, *, in_time: bool) -> LineUsage:
    return LineUsage(
        usage_period=period.id,
        meter=period.meter,
        start=period.period_start,
        end=period.period_end,
        quantity=period.quantity,
        before=before,
        in_time=in_time,
        tiers=_tiers(catalogue, period),
    )


def _units(counted: Decimal, before: Decimal | None) -> Decimal:
    """The quantity that a line shows: what was used, or how much more that is than before."""
    return plain(EXACTLY.subtract(max(counted, NOTHING), max(before or NOTHING, NOTHING)))


def _said(catalogue: Catalogue, period: UsagePeriod, units: Decimal, *, late: bool = False) -> str:
    """ "1200 × API calls (at €0.01 / month)"."""
    said = f"{plain(units)} × {catalogue.caption(period.price, period.currency)}"
    if not late:
        return said
    return f"{said}, reported after {day(period.period_end)}"


def _tiers(catalogue: Catalogue, period: UsagePeriod) -> list[TierUsage]:
    terms = catalogue.terms(period.price, period.currency)
    if terms.billing_scheme != "tiered":
        return []
    steps = pricing.tier_breakdown(terms, max(period.quantity, NOTHING))
    return [TierUsage(up_to=_bound(step.tier.up_to), quantity=plain(step.quantity), amount=step.amount) for step in steps]


def _bound(up_to: int | Decimal | None) -> int | None:
    return None if up_to is None else int(up_to)


def metered_items(facts: BillingFacts, subscription: Subscription) -> list[SubscriptionItem]:
    """The items of a subscription that are billed by usage."""
    return [item for item in subscription.items.data if is_metered(facts.catalogue, price_id(item))]
