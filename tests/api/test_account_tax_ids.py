"""The tax ids that a bill names as its sender's are those of the business, and of nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.world import World


def asked(w: World, where: str, ids: list[str]) -> tuple[str, str, dict[str, Any]]:
    """A request that names these ids there."""
    customer, items, named = w.anna["id"], [{"price": w.monthly["id"]}], {"invoice_settings": {"account_tax_ids": ids}}
    begins: dict[str, Any] = {"customer": customer, "start_date": "now"}
    match where:
        case "account_tax_ids[0]":
            return "POST", "/v1/invoices", {"customer": customer, "account_tax_ids": ids}
        case "invoice_settings[account_tax_ids][0]":
            return "POST", "/v1/subscriptions", {"customer": customer, "items": items, **named}
        case "a change":
            return "POST", f"/v1/subscriptions/{w.subscription()['id']}", named
        case "phases[0][invoice_settings][account_tax_ids][0]":
            return "POST", "/v1/subscription_schedules", {**begins, "phases": [{"items": items, **named}]}
        case _:
            return "POST", "/v1/subscription_schedules", {**begins, "phases": [{"items": items}], "default_settings": named}


@pytest.mark.parametrize("where", [
    "account_tax_ids[0]", "invoice_settings[account_tax_ids][0]", "a change",
    "phases[0][invoice_settings][account_tax_ids][0]", "default_settings[invoice_settings][account_tax_ids][0]",
])  # fmt: skip
def test_only_the_own_can_be_named(world: World, where: str) -> None:
    own = world.wire.post("/v1/tax_ids", type="eu_vat", value="NL123456789B13")["id"]
    theirs = world.wire.post(f"/v1/customers/{world.anna['id']}/tax_ids", type="eu_vat", value="DE123456789")["id"]
    method, path, params = asked(world, where, [own])
    world.wire.ok(method, path, params)
    for wrong in (theirs, "txi_none"):
        method, path, params = asked(world, where, [wrong])
        error = world.wire.refused(method, path, params).error
        param = "invoice_settings[account_tax_ids][0]" if where == "a change" else where
        assert (error["code"], error["param"]) == ("resource_missing", param)
        assert error["message"] == f"No such tax_id: '{wrong}'"
    world.wire.delete(f"/v1/tax_ids/{own}")
    world.wire.delete(f"/v1/customers/{world.anna['id']}/tax_ids/{theirs}")
