"""Tax rates: made, and changed in everything but the percentage."""

from __future__ import annotations

from voldaan.resources.tax_rates import TaxRate, TaxRateCreate, TaxRateUpdate
from voldaan.rules import tax_rates as rules
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.metadata import merged
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: TaxRateCreate) -> TaxRate:
    """A tax rate; what it taxes names it."""
    rate = TaxRate(
        id=new_id("txr"),
        active=params.active,
        country=rules.country(params.country),
        created=tx.now,
        description=params.description,
        display_name=params.display_name,
        inclusive=params.inclusive,
        jurisdiction=params.jurisdiction,
        livemode=tx.account.livemode,
        metadata=merged({}, params.metadata),
        percentage=rules.percentage(params.percentage),
        state=params.state,
        tax_type=params.tax_type,
    )
    await write(tx, [Decision(inserts=[rate], events=[Event("tax_rate.created", rate)])])
    return rate


async def update(tx: Transaction, params: TaxRateUpdate, id: str) -> TaxRate:
    """The changed tax rate. Another percentage is another rate: invoices rely on it."""
    was = await tx.need(TaxRate, id, lock=True)
    rate = rules.update(was, params)
    if rate == was:
        return was
    event = Event("tax_rate.updated", rate, was)
    await write(tx, [Decision(updates=[Update(rate, was)], events=[event])])
    return rate


