"""Giving back what of a period lies ahead, and charging for the rest of it: the invoice items of a change.

In classic billing a change gives back the item's present price, in flexible billing what was really debited. Time is
shared by the second. Sources: docs/behaviour-rules.md, "Prorations".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec.structs import replace

from voldaan.resources.base import UNSET
from voldaan.resources.basis import Basis
from voldaan.resources.billing import DiscountAmount
from voldaan.resources.billing_schedules import BillingScheduleParams
from voldaan.resources.invoice_items import CreditedLines, InvoiceItem, InvoiceItemCredited, InvoiceItemProration
from voldaan.resources.line_items import LineItem
from voldaan.resources.params import Unset
from voldaan.resources.subscription_items import Debit, ProrationBehavior, SubscriptionItem
from voldaan.resources.subscriptions import Subscription
from voldaan.rules import discounts as discounting
from voldaan.rules import invoice_items, itemizing, lines, metered, prebilling
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision
from voldaan.rules.finalization import Collect
from voldaan.rules.ids import NewId
from voldaan.rules.lines import Calendar
from voldaan.rules.proration import Charge, Proration, Share, remaining_debit, unused_credits
from voldaan.rules.refusals import refused
from voldaan.rules.renewals import discounts_of
from voldaan.rules.subscription_items import NewItem
from voldaan.rules.thresholds import Reached

MustBePaid = Literal["or_waits", "or_fails"]
Debits = dict[str, list[Debit]]  # by subscription item: what of its present period was debited, as it stands now


@dataclass(slots=True)
class ItemChange:
    """`was` None: a new item. `wanted` None: the item goes."""

    was: SubscriptionItem | None
    wanted: NewItem | None


@dataclass(slots=True)
class Change:
    """What a request changes about items and time, with everything that it names looked up.

    `at` is the instant that prorations are computed for; `trial_end` None leaves the trial alone, 0 ends it now. `drafts`:
    an invoice for it is a draft for as long as a renewal's is.
    """

    at: int
    behavior: ProrationBehavior = "create_prorations"
    items: list[ItemChange] = field(default_factory=list)
    anchor: Literal["now", "unchanged"] | None = None
    trial_end: int | None = None
    extra: list[InvoiceItem] = field(default_factory=list)
    debits: Debits = field(default_factory=dict)
    collect: Collect = "on_session"
    must_be_paid: MustBePaid | None = None  # the change takes effect when its invoice is paid
    ends: str | None = None            # cancel_at as one of the periods' ends, which the change may move
    sets_end: bool = False
    trial_from_plan: bool | None = None
    metadata: dict[str, str] | None = None
    drafts: bool = False
    unattended: bool = False  # nobody waits for the answer: an invoice whose tax is not known stays a draft
    sleeps: bool = False      # the subscription is paused, and stays so: nothing is given back, charged or begun
    billing_schedules: Sequence[BillingScheduleParams] | Unset | None = None  # as the request says them
    reached: Reached | None = None  # the billing thresholds that are the reason


@dataclass(slots=True)
class Work:
    """The subscription while it is changed, and what that has made so far."""

    facts: BillingFacts
    was: Subscription
    change: Change
    now: int
    new_id: NewId
    items: list[SubscriptionItem]
    decision: Decision = field(default_factory=Decision)
    waiting: list[InvoiceItem] = field(default_factory=list)
    drawn: list[LineItem] = field(default_factory=list)
    ahead: list[tuple[SubscriptionItem, list[prebilling.Span]]] = field(default_factory=list)  # billed in advance, by lines
    turns: bool = False  # a period is over: the renewal bills what the change leaves
    tries: bool = False  # a trial begins with this change: nothing is given back or charged any more

    @property
    def prorates(self) -> bool:
        return self.change.behavior != "none" and self.was.status != "trialing" and not (self.tries or self.change.sleeps)



def credit(work: Work, subscription: Subscription, item: SubscriptionItem, at: int | None = None) -> list[Debit]:
    """What of the item's period lies ahead is given back, as invoice items that wait.

    Returns the item's debits that are used up by that, each with what used it up: they count again if that is void.
    """
    if not work.prorates or lines.is_metered(work.facts.catalogue, lines.price_id(item)):
        return []
    at = work.change.at if at is None else at
    price, units = lines.price_id(item), lines.quantity(item)
    debits = work.change.debits.get(item.id, item.debits)
    by_key = {_key(debit): debit for debit in debits}
    spent = [debit for debit in debits if debit.credited_by is not None and debit.end > at]
    for charge, basis in _charges(work, subscription, item, debits, at):
        for found in unused_credits([charge], at, basis.grain, basis.zone):
            source = by_key.get(charge.line or "")
            since = found.start if found.start >= item.current_period_end else at
            said = lines.unused(work.facts.catalogue, price, units, since)
            made = _proration(work, subscription, item, found, said, basis, source)
            if source is not None:
                spent.append(replace(source, credited_by=made.id))
    return spent


def debit(work: Work, subscription: Subscription, item: SubscriptionItem, spent: Sequence[Debit] = ()) -> SubscriptionItem:
    """The rest of the item's period is charged, as an invoice item that waits. Returns the item that knows of it, and of
    the debits before it that are used up."""
    if lines.is_metered(work.facts.catalogue, lines.price_id(item)):
        return replace(item, debits=list(spent))
    if not work.prorates:
        return replace(item, debits=[]) if work.was.status == "trialing" or work.tries else item
    if work.change.at >= item.current_period_end and any(d.ahead for d in spent):  # its period is over, what is ahead is not
        return _debit_ahead(work, subscription, replace(item, debits=list(spent)))
    at = work.change.at
    price, units = lines.price_id(item), lines.quantity(item)
    start, end = item.current_period_start, item.current_period_end
    whole_start = lines.period_at(work.facts.catalogue, subscription, price, max(start, end - 1)).start
    whole, taken = _after_discounts(work, subscription, item, whole_start, end)
    basis = _priced(work, subscription, "remaining", at, whole_start, end, whole, taken)
    cost = remaining_debit(Charge(whole, whole_start, end), at, basis.grain, basis.zone)
    said = lines.remaining(work.facts.catalogue, price, units, at)
    waiting = _proration(work, subscription, item, cost, said, basis)
    debits = [*spent, _debited(waiting, cost)]
    work.change.debits[item.id] = debits
    return _debit_ahead(work, subscription, replace(item, debits=debits))


def _debit_ahead(work: Work, subscription: Subscription, item: SubscriptionItem) -> SubscriptionItem:
    """What is billed in advance of the item, each period as an invoice item that waits."""
    for start, end in prebilling.ahead(work.facts.catalogue, subscription, item, item.current_period_end):
        item = _charged(work, subscription, item, start, end, ahead=True)
    work.change.debits[item.id] = item.debits
    return item


def close_usage(work: Work, subscription: Subscription, item: SubscriptionItem, *, always: bool = False) -> None:
    """Usage until now, or until the period was over, is billed as an invoice item that waits, because the item goes, changes
    its price or begins anew.

    Classic billing forgets it when a price goes, and so does flexible billing without prorations; `always`: nobody does.
    """
    if work.was.status == "paused" or not lines.is_metered(work.facts.catalogue, lines.price_id(item)):
        return  # what is used while it is paused is free
    if not always and (subscription.billing_mode.type == "classic" or work.change.behavior == "none"):
        if work.change.must_be_paid and metered.forget(work.facts, item, work.now):
            raise refused("A change that ends a period of usage cannot wait for its payment.", "payment_behavior")
        work.decision.updates += metered.forget(work.facts, item, work.now)
        return
    billed = metered.waiting(work.facts, subscription, item, min(work.now, item.current_period_end), work.new_id)
    if billed is None:
        return
    if work.change.must_be_paid:
        raise refused("A change that bills usage cannot wait for its payment.", "payment_behavior")
    made, kept = billed
    work.decision.add(kept)
    if made is not None:
        work.decision.inserts.append(made)
        work.waiting.append(made)


def shortened(work: Work, subscription: Subscription, item: SubscriptionItem, end: int) -> SubscriptionItem:
    credit(work, subscription, item, end)
    calendar = Calendar.of(work.facts.catalogue, subscription)
    stand = [d for d in work.change.debits.get(item.id, item.debits) if d.credited_by is None and d.start < end]
    return replace(item, current_period_end=end, debits=[_left(d, end, calendar) for d in stand])


def lengthened(work: Work, subscription: Subscription, item: SubscriptionItem, end: int) -> SubscriptionItem:
    if not work.prorates or lines.is_metered(work.facts.catalogue, lines.price_id(item)):
        return replace(item, current_period_end=end)
    return replace(_charged(work, subscription, item, item.current_period_end, end), current_period_end=end)


def _charged(
    work: Work, subscription: Subscription, item: SubscriptionItem, start: int, end: int, *, ahead: bool = False
) -> SubscriptionItem:
    """The item, charged for [start, end) beyond its period by an invoice item that waits."""
    price, units = lines.price_id(item), lines.quantity(item)
    net, taken = _after_discounts(work, subscription, item, start, end)
    said = lines.remaining(work.facts.catalogue, price, units, start)
    basis = _priced(work, subscription, "longer", start, start, end, net, taken)
    cost = Proration(net, start, end, Share(1, 1))
    waiting = _proration(work, subscription, item, cost, said, basis)
    return replace(item, debits=[*item.debits, replace(_debited(waiting, cost), ahead=ahead)])


def credits(
    facts: BillingFacts, subscription: Subscription, debits: Debits, now: int, new_id: NewId
) -> list[InvoiceItem]:
    """What a subscription that ends now gives back, as invoice items that wait."""
    change = Change(at=now, debits=debits)
    work = Work(facts, subscription, change, now, new_id, list(subscription.items.data))
    for item in work.items:
        credit(work, subscription, item)
    return work.waiting


def _charges(
    work: Work, subscription: Subscription, item: SubscriptionItem, debits: Sequence[Debit], at: int
) -> Iterator[tuple[Charge, Basis]]:
    """What a change gives a part of back, each with what its amount is made of."""
    calendar = Calendar.of(work.facts.catalogue, subscription)
    if subscription.billing_mode.type == "flexible":
        for d in debits:
            if d.credited_by is None:
                basis = Basis(
                    kind="unused", start=d.start, end=d.end, at=at, whole=d.amount, credited=d.credited, source=_key(d),
                    off=d.off if itemizing.itemizes(subscription.billing_mode) else [], cut=d.cut,
                    grain=calendar.grain, zone=calendar.zone,
                )  # fmt: skip
                yield Charge(d.amount, d.start, d.end, _key(d), d.credited), basis
        return
    start, end = item.current_period_start, item.current_period_end
    net, taken = _after_discounts(work, work.was, item, start, end)
    yield Charge(net, start, end), _priced(work, work.was, "unused", at, start, end, net, taken)


def _priced(
    work: Work,
    subscription: Subscription,
    kind: Literal["unused", "remaining", "longer"],
    at: int,
    start: int,
    end: int,
    net: int,
    taken: list[DiscountAmount],
) -> Basis:
    """What a proration of [start, end) at the item's price is made of."""
    calendar = Calendar.of(work.facts.catalogue, subscription)
    gross = net + sum(each.amount for each in taken)
    return Basis(
        kind=kind, start=start, end=end, at=at, anchor=calendar.anchor, gross=gross, off=taken, whole=net,
        grain=calendar.grain, zone=calendar.zone,
    )  # fmt: skip


def _after_discounts(
    work: Work, subscription: Subscription, item: SubscriptionItem, start: int, end: int
) -> tuple[int, list[DiscountAmount]]:
    """What the item costs for [start, end) after the discounts in force, and what each takes off.

    A fixed sum for the whole subscription is shared with its other items in flexible billing; in classic billing each
    item bears all of it.
    """
    currency = subscription.currency
    catalogue = work.facts.catalogue
    others = [
        each
        for each in work.items
        if subscription.billing_mode.type == "flexible"
        and each.id != item.id
        and not lines.is_metered(catalogue, lines.price_id(each))
    ]
    shared = catalogue.active(discounts_of(work.facts, subscription), currency, work.now)
    priced = []
    for each in (item, *others):
        price = lines.rated_by(catalogue, subscription, each, start)
        cost = lines.amount(catalogue, subscription, price, lines.quantity(each), start, end)
        own = tuple(catalogue.active(each.discounts, currency, work.now))
        priced.append(discounting.DiscountableLine(cost, own, catalogue.prices[price].product))
    taken = discounting.apply(priced, shared)[0]
    amounts = [DiscountAmount(amount=t.amount, discount=t.discount) for t in taken]
    return priced[0].amount - discounting.total(taken), amounts


def _proration(
    work: Work,
    subscription: Subscription,
    item: SubscriptionItem,
    found: Proration,
    description: str,
    basis: Basis,
    source: Debit | None = None,
) -> InvoiceItem:
    """The invoice item of a proration, which waits from now on; one that gives back knows what of."""
    amount = found.amount
    if itemizing.itemizes(subscription.billing_mode):
        amount, shown = itemizing.itemize(
            found.amount, basis.whole, basis.off, found.share, back=basis.kind == "unused"
        )
        basis = replace(basis, taken=shown)
    else:
        shown = itemizing.included(subscription.billing_mode, basis.off if source is None else source.off)
    made = invoice_items.of_proration(
        id=work.new_id("ii"),
        amount=amount,
        basis=basis,
        discounts=[each.discount for each in basis.taken or []],
        description=description,
        start=found.start,
        end=found.end,
        quantity=lines.quantity(item),
        price=lines.rated_by(work.facts.catalogue, subscription, item, found.start if basis.start is None else basis.start),
        catalogue=work.facts.catalogue,
        now=work.now,
        currency=subscription.currency,
        customer=subscription.customer,
        livemode=subscription.livemode,
        metadata=subscription.metadata,
        proration_details=InvoiceItemProration(credited_items=_credited(source), discount_amounts=shown),
        subscription=subscription.id,
        subscription_item=item.id,
        tax_rates=work.facts.catalogue.whole_rates(item.tax_rates),
        test_clock=subscription.test_clock,
    )
    work.decision.inserts.append(made)
    work.waiting.append(made)
    return made


def _left(debit: Debit, end: int, calendar: Calendar) -> Debit:
    """What a debit still stands for once what lies after `end` was given back."""
    charge = Charge(debit.amount, debit.start, debit.end, None, debit.credited)
    amount, off = debit.amount, debit.off
    for found in unused_credits([charge], end, calendar.grain, calendar.zone):
        _, back = itemizing.itemize(found.amount, debit.amount, off, found.share, back=True)
        amount += found.amount
        off = [replace(each, amount=each.amount + given.amount) for each, given in zip(off, back, strict=True)]
    return replace(debit, end=min(debit.end, end), amount=amount, off=off, cut=debit.cut or debit.end > end)


def _debited(waiting: InvoiceItem, found: Proration) -> Debit:
    """What an invoice item has debited, and a later change may give back."""
    off = itemizing.shown_of(waiting)
    return Debit(invoice_item=waiting.id, amount=found.amount, off=off, start=found.start, end=found.end)


def _key(debit: Debit) -> str:
    return debit.line or debit.invoice_item or ""


def _credited(debit: Debit | None) -> InvoiceItemCredited | None:
    """What a credit names as its origin."""
    if debit is None:
        return None
    if debit.line and debit.invoice:
        details = CreditedLines(invoice=debit.invoice, invoice_line_items=[debit.line])
        return InvoiceItemCredited(type="invoice_line_items", invoice_line_item_details=details)
    return InvoiceItemCredited(type="invoice_item", invoice_item=debit.invoice_item or UNSET)
