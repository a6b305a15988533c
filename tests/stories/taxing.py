"""Automatic tax: where the business is and registered, where its customers are, and what was found for a line."""

from __future__ import annotations

from typing import Any

from tests.stories.expecting import OF_INVOICE, OF_LINE, Pair
from tests.stories.grammar import ANSWER, FOR_CUSTOMER, FOR_SUBSCRIPTION, HEAD, STEP, Params, params
from tests.stories.language import Grammar, Phrase
from tests.stories.stage import Stage

FOR_REGISTRATION = Grammar("clause of a tax registration")
EU_STANDARD = ("standard", "small_seller", "inbound_goods")


@HEAD("taxes of a business in <country:code> with <behavior:word> prices")
def business(stage: Stage, said: Phrase, country: str, behavior: str) -> None:
    """Where it is established, and whether prices hold the tax if they say nothing."""
    stage.v1.tax.settings.update(
        {"head_office": {"address": {"country": country}}, "defaults": {"tax_behavior": behavior}}
    )


@HEAD("registered in <country:code> as <scheme:word>", clauses=FOR_REGISTRATION)
@STEP("registered in <country:code> as <scheme:word>", clauses=FOR_REGISTRATION, below=ANSWER)
def registered(stage: Stage, said: Phrase, country: str, scheme: str) -> None:
    options: Params = {"type": "standard" if scheme in EU_STANDARD else scheme}
    if scheme in EU_STANDARD:
        options["standard"] = {"place_of_supply_scheme": scheme}
    terms = {"country": country, "active_from": "now", "country_options": {country.lower(): options}}
    stage.v1.tax.registrations.create({**terms, **params(stage, said.clauses)})


@FOR_REGISTRATION("since <when>")
def since(stage: Stage, when: int) -> Params:
    return {"active_from": when}


@FOR_REGISTRATION("until <when>")
def until(stage: Stage, when: int) -> Params:
    return {"expires_at": when}


@FOR_CUSTOMER("in <country:code>")
def lives_in(stage: Stage, country: str) -> Params:
    return {"address": {"country": country}}


@FOR_CUSTOMER("VAT id <code>")
def with_vat_id(stage: Stage, code: str) -> Params:
    return {"tax_id_data": [{"type": "eu_vat", "value": code}]}


@STEP("<who> moves to <country:code>")
def moves(stage: Stage, said: Phrase, who: str, country: str) -> None:
    stage.v1.customers.update(stage.customers[who], {"address": {"country": country}})


@STEP("nobody knows where <who> lives")
def lives_nowhere(stage: Stage, said: Phrase, who: str) -> None:
    stage.v1.customers.update(stage.customers[who], {"address": ""})


@FOR_SUBSCRIPTION("automatic tax")
def automatic_tax(stage: Stage) -> Params:
    return {"automatic_tax": {"enabled": True}}


@OF_INVOICE("tax status <word>")
def tax_status(stage: Stage, invoice: Any, word: str) -> Pair:
    return f"tax status {word}", f"tax status {invoice.automatic_tax.status}"


@OF_INVOICE("not finalized because of <reason:word>")
def not_finalized(stage: Stage, invoice: Any, reason: str) -> Pair:
    error = invoice.last_finalization_error
    return f"not finalized because of {reason}", f"not finalized because of {error and error.code}"


@OF_LINE("<n>% in <country:code>")
def rate_of_line(stage: Stage, line: Any, n: int, country: str) -> Pair:
    found = [stage.v1.tax_rates.retrieve(t.tax_rate_details.tax_rate) for t in line.taxes]
    return f"{n}% in {country}", ", ".join(f"{rate.percentage:g}% in {rate.country}" for rate in found)


@OF_LINE("as <reason:word>")
def reason_of_line(stage: Stage, line: Any, reason: str) -> Pair:
    return f"as {reason}", "as " + ", ".join(t.taxability_reason for t in line.taxes)
