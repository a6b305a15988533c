"""Of tax: settings, registrations, codes."""

from __future__ import annotations

from itertools import count

from tests.api.calls.filing import ADDRESS, call, plain
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
