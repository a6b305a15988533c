"""What subscription schedules must know: the phases of a request looked up, and for a batch what its next phases name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voldaan.commands import automatic_tax, billing, discounts, lookups, metered, promotion_codes
from voldaan.resources.base import UNSET
from voldaan.resources.billing import CustomField
from voldaan.resources.coupons import Coupon
from voldaan.resources.discounts import DiscountParams
from voldaan.resources.params import Unset
from voldaan.resources.promotion_codes import PromotionCode
from voldaan.resources.schedule_params import (
    PhaseAddedItemParams,
    PhaseItemParams,
    PhaseParams,
    ScheduleDefaultsParams,
    ScheduleInvoiceSettingsParams,
)
from voldaan.resources.subscription_schedules import (
    Phase,
    PhaseAddedItem,
    PhaseDiscount,
    PhaseItem,
    PhaseItemEnd,
    PhaseItemPeriod,
    PhaseItemStart,
    ScheduleDefaults,
    ScheduleInvoiceSettings,
    SubscriptionSchedule,
)
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import automatic_tax as tax_rules
from voldaan.rules import coupons as coupon_rules
from voldaan.rules import invoice_items as item_rules
from voldaan.rules import pause_schedules, phase_terms, prebilling, thresholds
from voldaan.rules import promotion_codes as code_rules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.crediting import Debits
from voldaan.rules.decision import Decision, Refused
from voldaan.rules.lines import is_metered, rate_ids
from voldaan.rules.promotion_codes import Redeemer
from voldaan.rules.refusals import missing, refused
from voldaan.rules.schedule_phases import Wanted
from voldaan.rules.schedules import next_step
from voldaan.store.children import embed
from voldaan.store.transaction import Missing, Transaction

# For a batch -----------------------------------------------------------------------------------------------------------


async def load(tx: Transaction, ids: Sequence[str]) -> tuple[BillingFacts, Debits]:
    """These schedules with their customers (locked) and subscriptions, and what their next phases name."""
    before = await tx.get(SubscriptionSchedule, ids)
    owners = [schedule.customer for schedule in before.values()]
    facts = await billing.load(tx, customers=owners, subscriptions=[s.subscription for s in before.values() if s.subscription])
    schedules = await tx.get(SubscriptionSchedule, ids)  # as they are now that nobody else changes them
    await embed(tx, list(schedules.values()))
    facts.parties.schedules |= schedules
    debits = await know(tx, facts, schedules.values())
    await metered.know(tx, facts)
    return facts, debits


async def know_due(tx: Transaction, facts: BillingFacts) -> Debits:
    """What the phases name that begin no later than the periods of their subscriptions end; nothing, if none does. What was
    billed in advance is known as it stands now: an invoice may have been voided since."""
    items = [item for s in facts.parties.subscriptions.values() for item in s.items.data if prebilling.is_ahead(item)]
    stands = await lookups.debits(tx, items) if items else {}
    for item in items:
        item.debits = stands[item.id]
        item.__post_init__()
    ends = {s.schedule: s.current_period_end for s in facts.parties.subscriptions.values() if s.schedule}
    steps = {s.id: next_step(s) for s in facts.parties.schedules.values()}
    due = [s for s in facts.parties.schedules.values() if (step := steps[s.id]) is not None and step[0] <= ends.get(s.id, 0)]
    return await know(tx, facts, due) if due else {}


def finalizes(tx: Transaction, facts: BillingFacts) -> bool:
    """Whether what these schedules do by themselves may finalize invoices at once: a pause or a resumption does."""
    pauses = any(pause_schedules.awaits(schedule) for schedule in facts.parties.schedules.values())
    return pauses or not tx.account.settings_billing.draft_seconds


async def know(tx: Transaction, facts: BillingFacts, schedules: Iterable[SubscriptionSchedule]) -> Debits:
    """Adds to the facts what the coming phases of these schedules name; returns what was debited for their subscriptions."""
    found = list(schedules)
    phases = [phase for s in found for phase in s.agreed if phase.end_date > (s.next_at or 0)]
    await know_phases(tx, facts, phases)
    if any(s.default_settings.automatic_tax and s.default_settings.automatic_tax.enabled for s in found):
        await automatic_tax.know(tx, facts)
    subscriptions = [facts.parties.subscriptions.get(s.subscription or "") for s in found]
    return await lookups.debits(tx, [item for s in subscriptions if s for item in s.items.data])


async def know_phases(tx: Transaction, facts: BillingFacts, phases: Sequence[Phase]) -> None:
    """Prices, tax rates, discounts and payment methods of these phases, and their coupons, locked."""
    named = [d for phase in phases for d in _discounts_of(phase)]
    await billing.know(
        tx,
        facts,
        prices=[*(i.price for p in phases for i in p.items), *(i.price for p in phases for i in p.add_invoice_items)],
        tax_rates=phase_terms.named_rates(phases),
        discounts=[d.discount for d in named if d.discount],
    )
    await know_coupons(tx, facts, named)
    if any(phase.automatic_tax is not UNSET and phase.automatic_tax.enabled for phase in phases):
        await automatic_tax.know(tx, facts)


async def know_coupons(tx: Transaction, facts: BillingFacts, named: Sequence[PhaseDiscount]) -> None:
    """The coupons and promotion codes that are named, locked."""
    codes = await tx.get(PromotionCode, [d.promotion_code for d in named])
    coupons = [*(d.coupon for d in named), *(code.coupon for code in codes.values())]
    facts.catalogue.coupons |= await tx.get(Coupon, coupons, lock=True)
    facts.catalogue.promotion_codes |= await tx.get(PromotionCode, codes, lock=True)  # after their coupons


async def codes_of_ended_coupons(tx: Transaction, decision: Decision) -> Decision:
    """A coupon that phases have used up takes its promotion codes along."""
    valid = {u.was.id for u in decision.updates if isinstance(u.was, Coupon) and u.was.valid}
    ended = {u.new.id for u in decision.updates if isinstance(u.new, Coupon) and not u.new.valid} & valid
    known = [u.new.id for u in decision.updates if isinstance(u.new, PromotionCode)]
    return await promotion_codes.of_coupons_that_ended(tx, ended, known)


def _discounts_of(phase: Phase) -> list[PhaseDiscount]:
    return [
        *phase.discounts,
        *(d for item in phase.items for d in item.discounts),
        *(d for item in phase.add_invoice_items for d in item.discounts),
    ]


# Of a request ----------------------------------------------------------------------------------------------------------


async def wanted(
    tx: Transaction, facts: BillingFacts, phases: Sequence[PhaseParams], customer: str, decision: Decision
) -> list[Wanted]:
    """The phases of a request with all that they name; prices that they describe are made."""
    found = []
    who = await _know_said(tx, facts, phases, customer)
    for number, params in enumerate(phases):
        here = f"phases[{number}]"
        items = [
            await _item(tx, facts, who, item, f"{here}[items][{place}]", decision)
            for place, item in enumerate(params.items)
        ]
        currency = params.currency or facts.catalogue.prices[items[0].price].currency
        await lookups.payment_method(
            tx, facts, params.default_payment_method, customer, f"{here}[default_payment_method]"
        )
        await lookups.automatic_tax(tx, facts, params.automatic_tax, params.default_tax_rates or [])
        phase = Phase(
            add_invoice_items=[
                await _added(tx, facts, who, item, f"{here}[add_invoice_items][{place}]", currency, decision)
                for place, item in enumerate(params.add_invoice_items)
            ],
            automatic_tax=UNSET if params.automatic_tax is None else tax_rules.of_subscription(params.automatic_tax.enabled),
            billing_cycle_anchor=params.billing_cycle_anchor,
            billing_thresholds=thresholds.given(None, params.billing_thresholds),
            collection_method=params.collection_method,
            currency=currency,
            default_payment_method=params.default_payment_method,
            default_tax_rates=await _rates(tx, facts, params.default_tax_rates, f"{here}[default_tax_rates]"),
            description=params.description or None,
            discounts=agreed_discounts(facts, who, params.discounts, f"{here}[discounts]", tx.now),
            end_date=0,
            ignores_customers_discount=True if params.discounts == "" else UNSET,
            invoice_settings=_invoice_settings(params.invoice_settings),
            items=items,
            metadata=dict(params.metadata),
            proration_behavior=params.proration_behavior,
            start_date=0,
        )
        found.append(Wanted(params, phase, here))
    return found


async def _know_said(
    tx: Transaction, facts: BillingFacts, phases: Sequence[PhaseParams], customer: str
) -> Redeemer:
    """All prices, tax rates and coupons of a request at once, and who is to redeem these."""
    items = [item for phase in phases for item in phase.items]
    added = [item for phase in phases for item in phase.add_invoice_items]
    rates = [p.default_tax_rates for p in phases] + [i.tax_rates for i in items] + [a.tax_rates for a in added]
    prices = [*(item.price or item.plan for item in items), *(item.price for item in added)]
    await billing.know(tx, facts, prices=filter(None, prices), tax_rates=[id for each in rates for id in each or ()])
    settings = [(p.invoice_settings, f"phases[{place}][invoice_settings]") for place, p in enumerate(phases)]
    await lookups.own_tax_ids(tx, *((said.account_tax_ids, here) for said, here in settings if said))
    offered = [p.discounts for p in phases] + [i.discounts for i in items] + [a.discounts for a in added]
    return await know_named(tx, facts, [want for each in offered for want in each or ()], customer)


async def defaults(
    tx: Transaction, facts: BillingFacts, was: ScheduleDefaults, params: ScheduleDefaultsParams | None, customer: str
) -> ScheduleDefaults:
    """The default settings with what the request says of them."""
    if params is None:
        return was
    await lookups.payment_method(
        tx, facts, params.default_payment_method, customer, "default_settings[default_payment_method]"
    )
    await lookups.automatic_tax(tx, facts, params.automatic_tax, [])
    if said := params.invoice_settings:
        await lookups.own_tax_ids(tx, (said.account_tax_ids, "default_settings[invoice_settings]"))
    given, tax = params.model_fields_set, params.automatic_tax
    return ScheduleDefaults(
        automatic_tax=was.automatic_tax if tax is None else tax_rules.of_subscription(tax.enabled),
        billing_cycle_anchor=params.billing_cycle_anchor or was.billing_cycle_anchor,
        billing_thresholds=thresholds.given(was.billing_thresholds, params.billing_thresholds)
        if "billing_thresholds" in given
        else was.billing_thresholds,
        collection_method=params.collection_method or was.collection_method,
        default_payment_method=params.default_payment_method or was.default_payment_method,
        description=(params.description or None) if "description" in given else was.description,
        invoice_settings=_invoice_settings(params.invoice_settings) or was.invoice_settings,
    )


async def _item(
    tx: Transaction, facts: BillingFacts, who: Redeemer, want: PhaseItemParams, here: str, decision: Decision
) -> PhaseItem:
    id = want.price or want.plan
    if want.price_data is not None:
        id = (await lookups.inline_price(tx, facts, want.price_data, f"{here}[price_data]", decision)).id
    if id is None:
        raise missing(f"{here}[price]")
    await lookups.know_prices(tx, facts, [(id, f"{here}[{'price' if want.price else 'plan'}]")])
    counted = is_metered(facts.catalogue, id)
    if counted and want.quantity is not None:
        raise refused("You cannot set the quantity for metered plans.", f"{here}[quantity]")
    return PhaseItem(
        billing_thresholds=thresholds.of_item(
            want.billing_thresholds, counted=counted, param=f"{here}[billing_thresholds]"
        ),
        discounts=agreed_discounts(facts, who, want.discounts, f"{here}[discounts]", tx.now),
        metadata=dict(want.metadata),
        plan=id,
        price=id,
        quantity=UNSET if counted else 1 if want.quantity is None else want.quantity,
        tax_rates=await _rates(tx, facts, want.tax_rates, f"{here}[tax_rates]"),
    )


async def _added(
    tx: Transaction,
    facts: BillingFacts,
    who: Redeemer,
    want: PhaseAddedItemParams,
    here: str,
    currency: str,
    decision: Decision,
) -> PhaseAddedItem:
    id = want.price
    if want.price_data is not None:
        id = (await lookups.inline_price(tx, facts, want.price_data, f"{here}[price_data]", decision)).id
    elif id is not None:
        await lookups.know_prices(tx, facts, [(id, f"{here}[price]")])
        item_rules.check_price(facts.catalogue.prices[id], currency, f"{here}[price]")
    if id is None:
        raise missing(f"{here}[price]")
    period = PhaseItemPeriod()
    if want.period is not None:
        first, last = want.period.start, want.period.end
        for name, part in (("start", first), ("end", last)):
            if part.type == "timestamp" and part.timestamp is None:
                raise missing(f"{here}[period][{name}][timestamp]")
        period = PhaseItemPeriod(
            start=PhaseItemStart(type=first.type, timestamp=UNSET if first.timestamp is None else first.timestamp),
            end=PhaseItemEnd(type=last.type, timestamp=UNSET if last.timestamp is None else last.timestamp),
        )
    return PhaseAddedItem(
        discountable=want.discountable is not False,
        discounts=agreed_discounts(facts, who, want.discounts, f"{here}[discounts]", tx.now),
        metadata=dict(want.metadata),
        period=period,
        price=id,
        quantity=1 if want.quantity is None else want.quantity,
        tax_rates=await _rates(tx, facts, want.tax_rates, f"{here}[tax_rates]"),
    )


async def _rates(
    tx: Transaction, facts: BillingFacts, ids: Sequence[str] | Unset | None, param: str
) -> list[TaxRate | str]:
    return list(rate_ids(await lookups.tax_rates(tx, facts, ids, param)))


async def know_named(
    tx: Transaction, facts: BillingFacts, wanted: Iterable[DiscountParams], customer: str | None
) -> Redeemer:
    """The coupons, codes and discounts that a request names, and who is to redeem them one day. Nothing is locked."""
    named, catalogue = list(wanted), facts.catalogue
    await billing.know(tx, facts, discounts=[want.discount for want in named if want.discount])
    codes = await tx.get(PromotionCode, [want.promotion_code for want in named])
    catalogue.promotion_codes |= codes
    catalogue.coupons |= await tx.get(Coupon, [*(w.coupon for w in named), *(code.coupon for code in codes.values())])
    return await discounts.redeemer(tx, customer, codes)


def agreed_discounts(
    facts: BillingFacts, who: Redeemer, wanted: Sequence[DiscountParams] | Unset | None, param: str, now: int
) -> list[PhaseDiscount]:
    """Coupons and codes that can be redeemed as of now, and discounts that are the customer's; all of them are known."""
    catalogue = facts.catalogue
    found = []
    for number, (kind, id) in enumerate(discounts.the_ones(wanted or (), param)):
        here = f"{param}[{number}][{kind}]"
        if kind == "discount":
            discount = catalogue.discounts.get(id)
            if discount is None or discount.customer not in (None, who.customer):
                raise Missing("discount", id, here)
            found.append(PhaseDiscount(discount=id))
            continue
        code = catalogue.promotion_codes.get(id) if kind == "promotion_code" else None
        if kind == "promotion_code" and code is None:
            raise Missing("promotion_code", id, here)
        coupon = catalogue.coupons.get(code.coupon if code else id)
        if coupon is None or coupon.deleted_at is not None:
            raise Missing("coupon", id, here)
        if no := code_rules.refusal(code, coupon, who, now, here) if code else coupon_rules.refusal(coupon, now, here):
            raise Refused(no)
        found.append(PhaseDiscount(promotion_code=id) if code else PhaseDiscount(coupon=id))
    return found


def _invoice_settings(given: ScheduleInvoiceSettingsParams | None) -> ScheduleInvoiceSettings | None:
    if given is None:
        return None
    return ScheduleInvoiceSettings(
        account_tax_ids=given.account_tax_ids or None,
        custom_fields=[CustomField(name=f.name, value=f.value) for f in given.custom_fields or ()] or None,
        days_until_due=given.days_until_due,
        description=given.description or None,
        footer=given.footer or None,
    )
