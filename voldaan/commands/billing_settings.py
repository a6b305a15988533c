"""How a book bills by itself, and where a customer differs: read and changed. Numbers and periods that exist stay."""

from __future__ import annotations

from msgspec.structs import asdict, replace

from voldaan.resources.accounts import Account
from voldaan.resources.billing_settings import (
    BillingSettingsShown,
    BillingSettingsUpdate,
    CustomerBillingSettings,
    CustomerBillingSettingsUpdate,
)
from voldaan.resources.customers import Customer
from voldaan.resources.params import Params
from voldaan.rules.decision import Decision, Event, Update
from voldaan.rules.refusals import refused
from voldaan.rules.tax_provider import LOCAL
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write
from voldaan.taxes import registry


async def retrieve(tx: Transaction, params: Params) -> BillingSettingsShown:
    """How this account bills."""
    return _shown(await tx.need(Account, tx.account.id))


async def update(tx: Transaction, params: BillingSettingsUpdate) -> BillingSettingsShown:
    """Changes how this account bills from now on; what is scheduled already happens as it was scheduled."""
    was = await tx.need(Account, tx.account.id, lock=True)
    given = {name: value for name, value in params.given().items() if value is not None and name != "expand"}
    if "retry_offsets" in given:
        given["retry_offsets"] = _ascending(given["retry_offsets"])
    if "tax_provider" in given:
        _check_provider(given["tax_provider"])
    account = replace(was, settings_billing=replace(was.settings_billing, **given))
    if account != was:
        await write(tx, [Decision(updates=[Update(account, was)], events=[Event("account.updated", account, was)])])
    return _shown(account)


update.changes_account = True  # type: ignore[attr-defined]


async def retrieve_of_customer(tx: Transaction, params: Params, id: str) -> CustomerBillingSettings:
    """Where this customer is billed differently."""
    return _of_customer(await _living(tx, id))


async def update_of_customer(
    tx: Transaction, params: CustomerBillingSettingsUpdate, id: str
) -> CustomerBillingSettings:
    """Changes it for what the customer subscribes to from now on."""
    was = await _living(tx, id, lock=True)
    customer = replace(was, timezone=params.timezone or None) if "timezone" in params.model_fields_set else was
    if customer != was:
        await write(tx, [Decision(updates=[Update(customer, was)])])
    return _of_customer(customer)


def _ascending(offsets: list[int] | str) -> list[int] | None:
    """Seconds after the first failure; "" is the recommended schedule."""
    if isinstance(offsets, str):
        return None
    if offsets != sorted(set(offsets)):
        raise refused("`retry_offsets` must be in ascending order.", "retry_offsets")
    return offsets


def _check_provider(name: str) -> None:
    """Ours, or one that is registered where this runs."""
    if name not in (known := [LOCAL, *sorted(registry.remote())]):
        raise refused(f"Invalid tax_provider: must be one of {', '.join(known)}", "tax_provider")


def _shown(account: Account) -> BillingSettingsShown:
    return BillingSettingsShown(id=account.id, **asdict(account.settings_billing))


def _of_customer(customer: Customer) -> CustomerBillingSettings:
    return CustomerBillingSettings(id=customer.id, customer=customer.id, timezone=customer.timezone)


async def _living(tx: Transaction, id: str, *, lock: bool = False) -> Customer:
    customer = await tx.need(Customer, id, lock=lock)
    if customer.deleted_at is not None:
        raise Missing("customer", id)
    return customer
