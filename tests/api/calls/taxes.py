"""Of tax: settings, registrations, codes."""

from __future__ import annotations

from itertools import count
from uuid import uuid4

from tests.api.calls.filing import ADDRESS, METADATA, call, plain
from tests.api.world import World

FREE = count(1)  # registrations may not overlap, so each call takes a year of its own
YEAR = 366 * 86_400


def years() -> dict[str, int]:
    """A time that no other registration covers."""
    start = 2_000_000_000 + next(FREE) * YEAR
    return {"active_from": start, "expires_at": start + YEAR}


def registration(w: World) -> str:
    terms = {"country": "NL", "country_options": {"nl": {"type": "standard"}}, **years()}
    return w.wire.post("/v1/tax/registrations", **terms)["id"]


plain("GET /v1/tax/settings")
plain("POST /v1/tax/settings", head_office={"address": ADDRESS},
      defaults={"tax_behavior": "exclusive", "tax_code": "txcd_10103001"})


@call("GET /v1/tax/registrations", status="scheduled", limit=3)
def _(w: World):
    registration(w)


@call("POST /v1/tax/registrations", country="DE",
      country_options={"de": {"type": "standard", "standard": {"place_of_supply_scheme": "small_seller"}}})  # fmt: skip
def _(w: World):
    return (), years()


@call("GET /v1/tax/registrations/{}")
def _(w: World):
    return registration(w)


@call("POST /v1/tax/registrations/{}")
def _(w: World):
    terms = {"country": "NL", "country_options": {"nl": {"type": "oss_union"}}, **years()}
    made = w.wire.post("/v1/tax/registrations", **terms)
    return made["id"], {"active_from": made["active_from"] + 1, "expires_at": made["expires_at"] - 1}


plain("GET /v1/tax_codes", limit=3)
call("GET /v1/tax_codes/{}")(lambda w: "txcd_99999999")


def rule(w: World) -> str:
    return w.wire.post("/voldaan/tax_rules", country="DE", percentage="7", tax_code="txcd_10302000",
                       taxability_reason="reduced_rated")["id"]  # fmt: skip


@call("GET /voldaan/tax_rules", country="DE", limit=3)
def _(w: World):
    rule(w)


plain("POST /voldaan/tax_rules", country="PT", state="30", percentage="22", display_name="IVA", active_from=1_700_000_000,
      expires_at=1_900_000_000)  # fmt: skip
call("GET /voldaan/tax_rules/{}")(rule)
call("POST /voldaan/tax_rules/{}", expires_at=2_000_000_000)(rule)


def place(w: World) -> str:
    return w.wire.post("/v1/tax/locations", type="performance", address=ADDRESS)["id"]


@call("GET /v1/tax/locations", type="performance", limit=3)
def _(w: World):
    place(w)


plain("POST /v1/tax/locations", type="performance", address=ADDRESS, description="The new church")
call("GET /v1/tax/locations/{}")(place)


def calculation(w: World) -> str:
    w.wire.post("/v1/tax/settings", head_office={"address": ADDRESS}, defaults={"tax_behavior": "exclusive"})
    lines = [{"amount": 1000, "reference": "bread"}, {"amount": 250, "reference": "milk", "tax_behavior": "inclusive"}]
    details = {"address": ADDRESS, "address_source": "shipping"}
    given = {"currency": "eur", "customer_details": details, "line_items": lines, "shipping_cost": {"amount": 500}}
    return w.wire.post("/v1/tax/calculations", **given)["id"]


@call("POST /v1/tax/calculations", currency="eur", ship_from_details={"address": ADDRESS},
      shipping_cost={"amount": 395, "tax_behavior": "inclusive", "tax_code": "txcd_92010001"},
      expand=["line_items", "line_items.data.tax_breakdown"])
def _(w: World):
    calculation(w)
    lines = [{"amount": 1999, "quantity": 2, "reference": "a", "tax_code": "txcd_99999999", "product": w.product()["id"],
              "metadata": {"shelf": "3"}}, {"amount": 5000, "reference": "b", "performance_location": place(w)}]  # fmt: skip
    tax_ids = [{"type": "eu_vat", "value": "NL123456789B01"}]
    details = {"address": ADDRESS, "address_source": "billing", "ip_address": "192.0.2.7", "tax_ids": tax_ids,
               "taxability_override": "none"}  # fmt: skip
    return (), {"line_items": lines, "customer_details": details}


call("GET /v1/tax/calculations/{}")(calculation)
call("GET /v1/tax/calculations/{}/line_items", limit=3)(calculation)


def transaction(w: World) -> str:
    given = {"calculation": calculation(w), "reference": f"order {uuid4()}"}
    return w.wire.post("/v1/tax/transactions/create_from_calculation", **given)["id"]


@call("POST /v1/tax/transactions/create_from_calculation", metadata=METADATA, posted_at=1_780_000_000, expand=["line_items"])
def _(w: World):
    return (), {"calculation": calculation(w), "reference": f"order {uuid4()}"}


@call("POST /v1/tax/transactions/create_reversal", mode="partial", metadata=METADATA, expand=["line_items"],
      shipping_cost={"amount": -100, "amount_tax": 0})  # fmt: skip
def _(w: World):
    original = transaction(w)
    line = w.wire.get(f"/v1/tax/transactions/{original}/line_items")["data"][0]
    lines = [{"amount": -10, "amount_tax": 0, "original_line_item": line["id"], "quantity": 1, "reference": "back"}]
    return (), {"original_transaction": original, "reference": f"back {uuid4()}", "line_items": lines}


call("GET /v1/tax/transactions/{}")(transaction)
call("GET /v1/tax/transactions/{}/line_items", limit=3)(transaction)


@call("GET /v1/tax/associations/find")
def _(w: World):
    """Paid, refunded in part, and once more with the same calculation, which errs."""
    hooks = {"inputs": {"tax": {"calculation": calculation(w)}}}
    paid = w.paid_intent(1750, hooks=hooks)
    w.wire.post("/v1/refunds", payment_intent=paid["id"], amount=700)
    return (), {"payment_intent": paid["id"]}
