"""The phases of a request, and the settings that hold in all of them, with all that they name looked up."""

from __future__ import annotations

from collections.abc import Sequence

from voldaan.commands import agreed_discounts, billing, lookups
from voldaan.resources.base import UNSET
from voldaan.resources.billing import CustomField
from voldaan.resources.params import Unset
from voldaan.resources.schedule_params import (
    PhaseAddedItemParams,
    PhaseItemParams,
    PhaseItemPeriodParams,
    PhaseParams,
    ScheduleDefaultsParams,
    ScheduleInvoiceSettingsParams,
)
from voldaan.resources.subscription_schedules import (
    Phase,
    PhaseAddedItem,
    PhaseItem,
    PhaseItemEnd,
    PhaseItemPeriod,
    PhaseItemStart,
    ScheduleDefaults,
    ScheduleInvoiceSettings,
)
from voldaan.resources.tax_rates import TaxRate
from voldaan.rules import automatic_tax as tax_rules
from voldaan.rules import thresholds
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.decision import Decision
from voldaan.rules.lines import is_metered, rate_ids
from voldaan.rules.promotion_codes import Redeemer
from voldaan.rules.refusals import check_type
from voldaan.rules.schedule_phases import Wanted
from voldaan.rules.subscription_items import units
from voldaan.store.transaction import Transaction


async def wanted(
    tx: Transaction, facts: BillingFacts, phases: Sequence[PhaseParams], customer: str, decision: Decision
) -> list[Wanted]:
    """The phases of a request with all that they name; prices that they describe are made."""
    who = await _know(tx, facts, phases, customer)
    found = []
    for number, params in enumerate(phases):
        here = f"phases[{number}]"
        found.append(Wanted(params, await _phase(tx, facts, who, params, here, decision), here))
    return found


async def _phase(
    tx: Transaction, facts: BillingFacts, who: Redeemer, params: PhaseParams, here: str, decision: Decision
) -> Phase:
    """The phase without its dates, which follow from those before it."""
    items = [
        await _item(tx, facts, who, item, f"{here}[items][{place}]", decision) for place, item in enumerate(params.items)
    ]
    currency = params.currency or facts.catalogue.prices[items[0].price].currency
    method, param = params.default_payment_method, f"{here}[default_payment_method]"
    await lookups.payment_method(tx, facts, method, who.customer or "", param)
    await lookups.automatic_tax(tx, facts, params.automatic_tax, params.default_tax_rates or [])
    return Phase(
        add_invoice_items=[
            await _added(tx, facts, who, item, f"{here}[add_invoice_items][{place}]", currency, decision)
            for place, item in enumerate(params.add_invoice_items)
        ],
        automatic_tax=UNSET if params.automatic_tax is None else tax_rules.of_subscription(params.automatic_tax.enabled),
        billing_cycle_anchor=params.billing_cycle_anchor,
        billing_thresholds=thresholds.given(None, params.billing_thresholds),
        collection_method=params.collection_method,
        currency=currency,
        default_payment_method=method,
        default_tax_rates=await _rates(tx, facts, params.default_tax_rates, f"{here}[default_tax_rates]"),
        description=params.description or None,
        discounts=agreed_discounts.agreed(facts, who, params.discounts, f"{here}[discounts]", tx.now),
        end_date=0,
        ignores_customers_discount=True if params.discounts == "" else UNSET,
        invoice_settings=_invoice_settings(params.invoice_settings),
        items=items,
        metadata=dict(params.metadata),
        proration_behavior=params.proration_behavior,
        start_date=0,
    )


async def _know(
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
    return await agreed_discounts.know(tx, facts, [want for each in offered for want in each or ()], customer)


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
    price = await lookups.price_of(tx, facts, want, here, decision)
    counted = is_metered(facts.catalogue, price)
    return PhaseItem(
        billing_thresholds=thresholds.of_item(
            want.billing_thresholds, counted=counted, param=f"{here}[billing_thresholds]"
        ),
        discounts=agreed_discounts.agreed(facts, who, want.discounts, f"{here}[discounts]", tx.now),
        metadata=dict(want.metadata),
        plan=price,
        price=price,
        quantity=units(want.quantity, counted=counted, param=f"{here}[quantity]"),
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
    price = await lookups.one_time_price_of(tx, facts, want, currency, here, decision)
    return PhaseAddedItem(
        discountable=want.discountable is not False,
        discounts=agreed_discounts.agreed(facts, who, want.discounts, f"{here}[discounts]", tx.now),
        metadata=dict(want.metadata),
        period=_period(want.period, f"{here}[period]"),
        price=price,
        quantity=1 if want.quantity is None else want.quantity,
        tax_rates=await _rates(tx, facts, want.tax_rates, f"{here}[tax_rates]"),
    )


def _period(given: PhaseItemPeriodParams | None, here: str) -> PhaseItemPeriod:
    """What it is billed for: from the latest start to the earliest end of the items' periods, unless it is said."""
    if given is None:
        return PhaseItemPeriod()
    first, last = given.start, given.end
    check_type(first, f"{here}[start]", "timestamp")
    check_type(last, f"{here}[end]", "timestamp")
    return PhaseItemPeriod(
        start=PhaseItemStart(type=first.type, timestamp=UNSET if first.timestamp is None else first.timestamp),
        end=PhaseItemEnd(type=last.type, timestamp=UNSET if last.timestamp is None else last.timestamp),
    )


async def _rates(
    tx: Transaction, facts: BillingFacts, ids: Sequence[str] | Unset | None, param: str
) -> list[TaxRate | str]:
    return list(rate_ids(await lookups.tax_rates(tx, facts, ids, param)))


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
