"""Tax registrations: made, begun and ended."""

from __future__ import annotations

from voldaan.resources.tax_registrations import TaxRegistration, TaxRegistrationCreate, TaxRegistrationUpdate
from voldaan.rules import tax_registrations as rules
from voldaan.rules.decision import Decision, Update
from voldaan.rules.refusals import refused
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: TaxRegistrationCreate) -> TaxRegistration:
    """POST /v1/tax/registrations. Two of the same kind in the same place do not cover the same time."""
    registration = rules.make(params, id=new_id("taxreg"), now=tx.now, livemode=tx.account.livemode)
    await _need_free(tx, registration, "country")
    await write(tx, [Decision(inserts=[registration])])
    return registration


async def update(tx: Transaction, params: TaxRegistrationUpdate, id: str) -> TaxRegistration:
    """POST /v1/tax/registrations/{id}"""
    was = await tx.need(TaxRegistration, id, lock=True)
    registration = rules.changed(was, params, tx.now)
    if registration == was:
        return registration
    await _need_free(tx, registration, "expires_at" if params.active_from is None else "active_from")
    await write(tx, [Decision(updates=[Update(registration, was)])])
    return registration


async def _need_free(tx: Transaction, registration: TaxRegistration, param: str) -> None:
    await tx.run(query("taxes", "lock"))
    others = await tx.select(TaxRegistration, "t.country = %(country)s and t.id <> %(id)s",
                             country=registration.country, id=registration.id)  # fmt: skip
    if any(rules.overlaps(registration, other) for other in others):
        raise refused(f"There is a registration in {registration.country} for this time already.", param)
