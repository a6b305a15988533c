"""Tax settings of the account."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from voldaan.resources.params import Params
from voldaan.resources.shared import Address
from voldaan.resources.tax_settings import (
    HeadOffice,
    TaxActive,
    TaxDefaults,
    TaxPending,
    TaxSettings,
    TaxSettingsUpdate,
    TaxStatusDetails,
)
from voldaan.rules import tax_codes
from voldaan.rules.customers import check_country
from voldaan.rules.decision import Decision, Event, Update
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write


async def retrieve(tx: Transaction, params: Params) -> TaxSettings:
    """GET /v1/tax/settings"""
    return await _load(tx) or TaxSettings(livemode=tx.account.livemode)


async def update(tx: Transaction, params: TaxSettingsUpdate) -> TaxSettings:
    """POST /v1/tax/settings. Nothing that was set is taken away."""
    await tx.run(query("taxes", "lock"))
    was = await _load(tx)
    blank = TaxSettings(id="settings", created=tx.now, livemode=tx.account.livemode)
    settings = _changed(was or blank, params)
    if settings == was:
        return settings
    decision = Decision(events=[Event("tax.settings.updated", settings, was)])
    if was is None:
        decision.inserts.append(settings)
    else:
        decision.updates.append(Update(settings, was))
    await write(tx, [decision])
    return settings


async def _load(tx: Transaction) -> TaxSettings | None:
    found = await tx.select(TaxSettings, "true")
    return found[0] if found else None


def _changed(was: TaxSettings, params: TaxSettingsUpdate) -> TaxSettings:
    settings = was
    if params.defaults is not None:
        given: dict[str, Any] = {name: value for name, value in params.defaults.given().items() if value is not None}
        if "tax_code" in given:
            tax_codes.check(given["tax_code"], "defaults[tax_code]")
        settings = replace(settings, defaults=TaxDefaults(**{
            "tax_behavior": was.defaults.tax_behavior, "tax_code": was.defaults.tax_code, **given,
        }))  # fmt: skip
    if params.head_office is not None:
        address = params.head_office.address
        if address.country is not None:
            check_country(address.country, "head_office[address][country]")
        settings = replace(settings, head_office=HeadOffice(address=_address(address.given())))
    missing = _missing(settings)
    details = TaxStatusDetails(pending=TaxPending(missing_fields=missing)) if missing else TaxStatusDetails(active=TaxActive())
    return replace(settings, status="pending" if missing else "active", status_details=details)


def _address(given: dict[str, Any]) -> Address:
    values = dict(given)
    if values.get("country"):
        values["country"] = values["country"].upper()
    return Address(**values)


def _missing(settings: TaxSettings) -> list[str]:
    if settings.head_office is None:
        return ["head_office"]
    return [] if settings.head_office.address.country else ["head_office.address.country"]
