"""Tax locations: where something is performed."""

from __future__ import annotations

from voldaan.resources.tax_locations import TaxLocation, TaxLocationCreate
from voldaan.rules.customers import check_country
from voldaan.rules.decision import Decision
from voldaan.store.ids import new_id
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def create(tx: Transaction, params: TaxLocationCreate) -> TaxLocation:
    """POST /v1/tax/locations"""
    check_country(params.address.country, "address[country]")
    location = TaxLocation(
        id=new_id("taxloc"),
        address=params.address.address(),
        created=tx.now,
        description=params.description,
        livemode=tx.account.livemode,
    )
    await write(tx, [Decision(inserts=[location])])
    return location
