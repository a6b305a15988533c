"""Tax ids of customers and of the business itself."""

from __future__ import annotations

from collections.abc import Sequence

from voldaan.commands import customers
from voldaan.resources.base import UNSET
from voldaan.resources.tax_ids import CustomerTaxIdCreate, TaxId, TaxIdCreate, TaxIdData, TaxIdDelete, TaxIdOwner
from voldaan.rules import tax_ids as rules
from voldaan.rules.decision import Decision, Event, Refused
from voldaan.rules.refusals import missing, refused, renamed
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

Given = TaxIdData | CustomerTaxIdCreate


async def create(tx: Transaction, params: TaxIdCreate) -> TaxId:
    """POST /v1/tax_ids: of the business itself, or of the customer that `owner` names."""
    owner = params.owner
    if owner is None or owner.type == "self":
        rules.check(params.type, params.value, tx.account.livemode)
        tax_id = _tax_id(tx, params, None)
        await write(tx, [Decision(inserts=[tax_id])])
        return tax_id
    if owner.type != "customer":
        raise refused("Tax ids belong to the account itself or to a customer.", "owner[type]")
    if owner.customer is None:
        raise missing("owner[customer]")
    return await _create_for(tx, params, owner.customer, "owner[customer]")


async def create_for_customer(tx: Transaction, params: CustomerTaxIdCreate, customer: str) -> TaxId:
    """POST /v1/customers/{customer}/tax_ids"""
    return await _create_for(tx, params, customer, None)


async def delete(tx: Transaction, params: TaxIdDelete, id: str) -> dict[str, object]:
    """DELETE /v1/tax_ids/{id}"""
    return await _delete(tx, await tx.need(TaxId, id, lock=True))


async def delete_for_customer(tx: Transaction, params: TaxIdDelete, id: str, customer: str) -> dict[str, object]:
    """DELETE /v1/customers/{customer}/tax_ids/{id}"""
    return await _delete(tx, await _of_customer(tx, id, customer))


def made_with(tx: Transaction, customer: str, given: Sequence[TaxIdData]) -> Decision:
    """What writes the tax ids that a customer is created with."""
    decision = Decision()
    for number, data in enumerate(given):
        try:
            rules.check(data.type, data.value, tx.account.livemode)
        except Refused as error:
            raise renamed(error, f"tax_id_data[{number}][{error.refusal.param}]") from error
        decision.add(_created(_tax_id(tx, data, customer)))
    return decision


async def _create_for(tx: Transaction, params: Given, customer: str, param: str | None) -> TaxId:
    """A customer has five at most; the customer's lock makes that certain."""
    await customers.living(tx, customer, lock=True, param=param)
    rules.check(params.type, params.value, tx.account.livemode)
    count = (await tx.one(query("tax_ids", "count"), customer=customer))[0]
    if count >= rules.MAX_PER_CUSTOMER:
        raise refused(f"A customer can have at most {rules.MAX_PER_CUSTOMER} tax ids.", "value", "tax_id_limit")
    tax_id = _tax_id(tx, params, customer)
    await write(tx, [_created(tax_id)])
    return tax_id


async def _delete(tx: Transaction, tax_id: TaxId) -> dict[str, object]:
    events = [Event("customer.tax_id.deleted", tax_id)] if tax_id.customer else []
    await write(tx, [Decision(deletes=[tax_id], events=events)])
    return {"id": tax_id.id, "object": tax_id.object, "deleted": True}


async def _of_customer(tx: Transaction, id: str, customer: str) -> TaxId:
    tax_id = await tx.need(TaxId, id)
    if tax_id.customer != customer:
        raise Missing("tax_id", id)
    return tax_id


def _created(tax_id: TaxId) -> Decision:
    return Decision(inserts=[tax_id], events=[Event("customer.tax_id.created", tax_id)])


def _tax_id(tx: Transaction, params: Given, customer: str | None) -> TaxId:
    return TaxId(
        id=new_id("txi"),
        country=rules.country(params.type, params.value),
        created=tx.now,
        customer=customer,
        livemode=tx.account.livemode,
        owner=TaxIdOwner(type="customer" if customer else "self", customer=customer or UNSET),
        type=params.type,
        value=params.value,
        verification=rules.verification(params.type, params.value, tx.account.livemode),
    )
