"""Automatic tax over HTTP: what is refused, what fails visibly, and that a preview is the invoice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.wire import JSON
from tests.api.world import World

OFFICE = {"address": {"country": "NL", "city": "Delft"}}
AUTOMATIC = {"enabled": True}
DUTCH = {"address": {"country": "NL"}}
GERMAN = {"address": {"country": "DE"}}


@pytest.fixture
def shop(fresh: World) -> World:
    """A Dutch business in the one-stop shop. Prices that say nothing are without tax."""
    return fresh.dutch("standard", "oss_union", tax_behavior="exclusive")


def subscribe(world: World, customer: str, *prices: JSON, **more: Any) -> JSON:
    items = [{"price": price["id"]} for price in prices]
    given = {"customer": customer, "items": items, "automatic_tax": AUTOMATIC, "payment_behavior": "default_incomplete", **more}
    return world.wire.post("/v1/subscriptions", **given)


def rate_of(world: World, tax: JSON) -> JSON:
    return world.wire.get(f"/v1/tax_rates/{tax['tax_rate_details']['tax_rate']}")


def test_a_subscription_is_taxed_where_its_customer_is(shop: World):
    anna = shop.payer(**GERMAN)
    made = subscribe(shop, anna["id"], shop.price(1000), shop.price(119, tax_behavior="inclusive"))
    assert made["automatic_tax"] == {"enabled": True, "disabled_reason": None, "liability": {"type": "self"}}
    invoice = shop.wire.get(f"/v1/invoices/{made['latest_invoice']}")
    assert invoice["automatic_tax"] == {
        "enabled": True, "disabled_reason": None, "liability": {"type": "self"}, "provider": "stripe", "status": "complete",
    }  # fmt: skip
    assert (invoice["subtotal"], invoice["total_excluding_tax"], invoice["total"]) == (1119, 1100, 1309)
    assert [(t["amount"], t["tax_behavior"], t["taxability_reason"]) for t in invoice["total_taxes"]] == [
        (19, "inclusive", "standard_rated"),
        (190, "exclusive", "standard_rated"),
    ]
    rate = rate_of(shop, invoice["total_taxes"][1])
    facts = {"active": False, "country": "DE", "jurisdiction": "DE", "jurisdiction_level": "country", "percentage": 19.0,
             "effective_percentage": 19.0, "rate_type": "percentage", "tax_type": "vat", "display_name": "VAT"}  # fmt: skip
    assert {name: rate[name] for name in facts} == facts


@pytest.mark.parametrize("behavior", ["exclusive", "inclusive"])
@pytest.mark.parametrize("terms", [GERMAN, {**GERMAN, "tax_exempt": "exempt"}, {**GERMAN, "tax_exempt": "reverse"},
                                   {**GERMAN, "tax_id_data": [{"type": "eu_vat", "value": "DE136695976"}]},
                                   {"address": {"country": "US", "postal_code": "94103"}}])  # fmt: skip
def test_a_preview_is_the_invoice(shop: World, behavior: str, terms: JSON):
    anna = shop.payer(**terms)
    prices = [shop.price(amount, tax_behavior=behavior) for amount in (333, 999, 1)]
    items = [{"price": price["id"]} for price in prices]
    preview = shop.wire.post(
        "/v1/invoices/create_preview", customer=anna["id"], automatic_tax=AUTOMATIC, subscription_details={"items": items}
    )
    made = subscribe(shop, anna["id"], *prices)
    invoice = shop.wire.get(f"/v1/invoices/{made['latest_invoice']}")
    same = ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax", "total_taxes", "amount_due", "automatic_tax")
    assert {name: preview[name] for name in same} == {name: invoice[name] for name in same}
    assert [line["taxes"] for line in preview["lines"]["data"]] == [line["taxes"] for line in invoice["lines"]["data"]]
    lines = sum(t["amount"] for line in invoice["lines"]["data"] for t in line["taxes"])
    assert lines == sum(t["amount"] for t in invoice["total_taxes"])


def test_an_inclusive_price_stays_what_it_is_when_the_buyer_owes_the_tax(shop: World):
    otto = shop.payer(**GERMAN, tax_id_data=[{"type": "eu_vat", "value": "DE136695976"}])
    made = subscribe(shop, otto["id"], shop.price(1190, tax_behavior="inclusive"))
    invoice = shop.wire.get(f"/v1/invoices/{made['latest_invoice']}")
    assert (invoice["total"], invoice["total_excluding_tax"]) == (1190, 1190)
    (tax,) = invoice["total_taxes"]
    assert (tax["amount"], tax["taxability_reason"], tax["taxable_amount"]) == (0, "reverse_charge", 1190)
    assert rate_of(shop, tax)["percentage"] == 0


def test_a_finalization_that_fails_says_so_and_stays_said(shop: World):
    anna = shop.payer()
    draft = shop.wire.post("/v1/invoices", customer=anna["id"], automatic_tax=AUTOMATIC)
    shop.item(anna["id"], invoice=draft["id"])
    path = f"/v1/invoices/{draft['id']}"
    assert shop.wire.get(path)["automatic_tax"]["status"] == "requires_location_inputs"
    headers = {"Idempotency-Key": "finalize-once"}
    for _ in range(2):
        answer = shop.wire.send("POST", f"{path}/finalize", headers=headers)
        assert (answer.status, answer.error["code"]) == (400, "customer_tax_location_invalid")
    kept = shop.wire.get(path)
    assert (kept["status"], kept["number"]) == ("draft", None)
    assert kept["last_finalization_error"]["code"] == "customer_tax_location_invalid"
    failed = shop.wire.get("/v1/events", type="invoice.finalization_failed")["data"]
    assert [event["data"]["object"]["id"] for event in failed] == [draft["id"]]
    assert shop.wire.refused("POST", f"{path}/pay").error["code"] == "customer_tax_location_invalid"

    shop.wire.post(f"/v1/customers/{anna['id']}", **DUTCH)
    done = shop.wire.post(f"{path}/finalize")
    assert (done["status"], done["total"], done["last_finalization_error"]) == ("open", 1815, None)
    assert done["automatic_tax"]["status"] == "complete"


def test_a_draft_that_cannot_be_sent_still_advances_by_itself(shop: World):
    anna = shop.payer()
    sent = {"collection_method": "send_invoice", "days_until_due": 14, "auto_advance": True, "automatic_tax": AUTOMATIC}
    draft = shop.wire.post("/v1/invoices", customer=anna["id"], **sent)
    shop.item(anna["id"], invoice=draft["id"])
    path = f"/v1/invoices/{draft['id']}"
    assert shop.wire.refused("POST", f"{path}/send").error["code"] == "customer_tax_location_invalid"
    kept = shop.wire.get(path)
    assert (kept["status"], kept["auto_advance"]) == ("draft", True)

    shop.wire.post(f"/v1/customers/{anna['id']}", **DUTCH)
    done = shop.wire.post(f"{path}/send")
    assert (done["status"], done["auto_advance"]) == ("open", True)
    told = {name: shop.wire.get("/v1/events", type=f"invoice.{name}")["data"] for name in ("finalized", "sent")}
    assert {name: [event["data"]["object"]["auto_advance"] for event in events] for name, events in told.items()} == {
        "finalized": [True], "sent": [True],
    }  # fmt: skip


def test_a_draft_follows_its_items_and_the_switch(shop: World):
    anna = shop.payer(**DUTCH)
    draft = shop.wire.post("/v1/invoices", customer=anna["id"], automatic_tax=AUTOMATIC)
    shop.item(anna["id"], invoice=draft["id"], amount=1000)
    shop.item(anna["id"], invoice=draft["id"], amount=1210, tax_behavior="inclusive")
    path = f"/v1/invoices/{draft['id']}"
    taxed = shop.wire.get(path)
    assert (taxed["subtotal"], taxed["total"], taxed["total_excluding_tax"]) == (2210, 2420, 2000)
    off = shop.wire.post(path, automatic_tax={"enabled": False})
    assert (off["total"], off["total_taxes"], off["automatic_tax"]["status"]) == (2210, [], None)
    assert all(line["taxes"] == [] for line in off["lines"]["data"])
    on = shop.wire.post(path, automatic_tax=AUTOMATIC)
    assert on["total"] == 2420
    assert shop.wire.post(f"{path}/finalize")["total"] == 2420


def test_an_item_says_its_own_tax_code_and_behavior(shop: World):
    """A food rate for a thing with no product, in the item, as it waits, in a preview of it and on the draft that it becomes."""
    shop.wire.post("/voldaan/tax_rules", country="NL", tax_code="txcd_40060003", percentage="9", active_from=1)
    anna = shop.payer(**DUTCH)
    bread = {"amount": 1090, "currency": "eur", "tax_code": "txcd_40060003", "tax_behavior": "inclusive"}
    asked = {"customer": anna["id"], "automatic_tax": AUTOMATIC}
    preview = shop.wire.post("/v1/invoices/create_preview", invoice_items=[bread], **asked)
    assert (preview["total"], preview["total_excluding_tax"]) == (1090, 1000)
    item = shop.wire.post("/v1/invoiceitems", customer=anna["id"], **bread)
    waits = shop.wire.post("/v1/invoices/create_preview", **asked)
    dearer = shop.wire.post("/v1/invoices/create_preview", invoice_items=[{"invoiceitem": item["id"], "amount": 2180}], **asked)
    assert [each["total_excluding_tax"] for each in (waits, dearer)] == [1000, 2000]
    draft = shop.wire.post("/v1/invoices", pending_invoice_items_behavior="include", **asked)
    assert (draft["total"], draft["total_excluding_tax"]) == (1090, 1000)
    shop.wire.post(f"/v1/invoiceitems/{item['id']}", tax_code="")
    assert shop.wire.get(f"/v1/invoices/{draft['id']}")["total_excluding_tax"] == 901
    shop.wire.post(f"/v1/invoiceitems/{item['id']}", tax_code="txcd_40060003")
    assert shop.wire.post(f"/v1/invoices/{draft['id']}/finalize")["total_excluding_tax"] == 1000
    wrong = {**bread, "tax_code": "bread"}
    assert shop.wire.refused("POST", "/v1/invoiceitems", {"customer": anna["id"], **wrong}).error["param"] == "tax_code"
    no = shop.wire.refused("POST", "/v1/invoices/create_preview", {"invoice_items": [wrong], **asked})
    assert no.error["param"] == "invoice_items[0][tax_code]"


def test_rates_by_hand_stay_on_their_line(shop: World):
    anna = shop.payer(**DUTCH)
    draft = shop.wire.post("/v1/invoices", customer=anna["id"], automatic_tax=AUTOMATIC)
    low = shop.tax_rate(percentage=9, display_name="Low")
    shop.item(anna["id"], invoice=draft["id"], amount=1000, tax_rates=[low["id"]])
    shop.item(anna["id"], invoice=draft["id"], amount=1000)
    assert shop.wire.post(f"/v1/invoices/{draft['id']}/finalize")["total"] == 1000 + 90 + 1000 + 210


def test_the_sellers_own_rate_is_needed_where_there_is_none(shop: World):
    madeira = shop.payer(address={"country": "PT", "postal_code": "9000-001"})
    price = shop.price(1000)
    given = {"customer": madeira["id"], "items": [{"price": price["id"]}], "automatic_tax": AUTOMATIC}
    refused = shop.wire.refused("POST", "/v1/subscriptions", given)
    assert refused.error["code"] == "taxes_calculation_failed"
    assert "PT-30" in refused.error["message"]
    shop.wire.post("/voldaan/tax_rules", country="PT", state="30", percentage="22", display_name="IVA")
    made = subscribe(shop, madeira["id"], price)
    (tax,) = shop.wire.get(f"/v1/invoices/{made['latest_invoice']}")["total_taxes"]
    rate = rate_of(shop, tax)
    assert (tax["amount"], rate["display_name"], rate["state"], rate["jurisdiction_level"]) == (220, "IVA", "30", "state")


@pytest.mark.parametrize(
    ("address", "code"),
    [({"country": "PT", "postal_code": "9000-001"}, "taxes_calculation_failed"), (None, "customer_tax_location_invalid")],
)
def test_a_quote_whose_tax_is_not_known_says_what_is_missing(shop: World, address: JSON | None, code: str):
    buyer = shop.payer(**({"address": address} if address else {}))
    items = [{"price": shop.price(1000)["id"]}]
    quote = shop.wire.post("/v1/quotes", customer=buyer["id"], line_items=items, automatic_tax=AUTOMATIC)
    assert shop.wire.refused("POST", f"/v1/quotes/{quote['id']}/finalize").error["code"] == code


@pytest.mark.parametrize(("percentage", "reason"), [("0", "standard_rated"), ("5", "zero_rated"), ("0", "reduced_rated")])
def test_zero_percent_is_only_taken_with_its_reason(shop: World, percentage: str, reason: str):
    given = {"country": "DE", "percentage": percentage, "taxability_reason": reason}
    assert shop.wire.refused("POST", "/voldaan/tax_rules", given).error["param"] == "percentage"


def test_what_automatic_tax_cannot_do_is_refused(fresh: World):
    anna = fresh.payer(**DUTCH)
    price = fresh.price(1000)
    given = {"customer": anna["id"], "items": [{"price": price["id"]}], "automatic_tax": AUTOMATIC}

    def no(path: str = "/v1/subscriptions", **more: Any) -> tuple[str | None, str | None]:
        error = fresh.wire.refused("POST", path, {**given, **more}).error
        return error.get("code"), error.get("param")

    assert no() == ("stripe_tax_inactive", "automatic_tax[enabled]")
    fresh.wire.post("/v1/tax/settings", head_office=OFFICE)
    assert no()[0] == "tax_behavior_unspecified"
    fresh.wire.post("/v1/tax/settings", defaults={"tax_behavior": "inferred_by_currency"})
    assert no(default_tax_rates=[fresh.vat["id"]]) == (None, "default_tax_rates")
    assert no(automatic_tax={"enabled": True, "liability": {"type": "account"}})[1] == "automatic_tax[liability][type]"
    nowhere = fresh.payer()
    assert no(customer=nowhere["id"])[0] == "customer_tax_location_invalid"
    plain = fresh.wire.post("/v1/subscriptions", customer=nowhere["id"], items=given["items"])
    refused = fresh.wire.refused("POST", f"/v1/subscriptions/{plain['id']}", {"automatic_tax": AUTOMATIC})
    assert refused.error["code"] == "customer_tax_location_invalid"
    made = fresh.wire.post("/v1/subscriptions", **given)
    (tax,) = fresh.wire.get(f"/v1/invoices/{made['latest_invoice']}")["total_taxes"]
    assert (tax["amount"], tax["taxability_reason"]) == (0, "not_collecting")  # nowhere registered
    found = fresh.wire.get("/v1/subscriptions", automatic_tax={"enabled": True})["data"]
    assert [s["id"] for s in found] == [made["id"]]


def test_settings_are_pending_until_the_head_office_is_known(fresh: World):
    settings = fresh.wire.get("/v1/tax/settings")
    assert (settings["status"], settings["status_details"]) == ("pending", {"pending": {"missing_fields": ["head_office"]}})
    settings = fresh.wire.post("/v1/tax/settings", defaults={"tax_code": "txcd_10103001"})
    assert settings["status"] == "pending"
    settings = fresh.wire.post("/v1/tax/settings", head_office=OFFICE)
    assert (settings["status"], settings["status_details"]) == ("active", {"active": {}})
    assert settings["defaults"] == {"provider": "stripe", "tax_behavior": None, "tax_code": "txcd_10103001"}
    for bad, param in (({"defaults": {"tax_code": "bread"}}, "defaults[tax_code]"),
                       ({"head_office": {"address": {"country": "ZZ"}}}, "head_office[address][country]")):  # fmt: skip
        assert fresh.wire.refused("POST", "/v1/tax/settings", bad).error["param"] == param
    told = fresh.wire.get("/v1/events", type="tax.settings.updated")["data"]
    assert [event["data"]["object"]["status"] for event in told] == ["active", "pending"]


@pytest.mark.parametrize(
    ("country", "options", "param"),
    [
        ("NL", {"nl": {"type": "simplified"}}, "country_options[nl][type]"),
        ("NL", {"de": {"type": "standard"}}, "country_options"),
        ("US", {"us": {"type": "state_sales_tax"}}, "country_options[us][state]"),
        ("NL", {"nl": {"type": "ioss", "standard": {"place_of_supply_scheme": "standard"}}}, "country_options[nl][standard]"),
        ("KP", {"kp": {"type": "standard"}}, "country"),
        ("NL", {"nl": {"type": "standard", "state": "ZH"}}, "country_options[nl][state]"),
    ],
)
def test_registrations_that_cannot_be_are_refused(fresh: World, country: str, options: JSON, param: str):
    given = {"country": country, "active_from": "now", "country_options": options}
    assert fresh.wire.refused("POST", "/v1/tax/registrations", given).error["param"] == param


def test_registrations_begin_and_end(fresh: World):
    made = fresh.register("NL", type="standard")
    assert (made["status"], made["country_options"]) == (
        "active", {"nl": {"type": "standard", "standard": {"place_of_supply_scheme": "standard"}}},
    )  # fmt: skip
    again = {"country": "NL", "active_from": "now", "country_options": {"nl": {"type": "standard"}}}
    assert "already" in fresh.wire.refused("POST", "/v1/tax/registrations", again).error["message"]
    later = fresh.wire.post("/v1/tax/registrations", **{**again, "country": "BE", "country_options": {"be": {"type": "standard"}},
                                                        "active_from": 2_000_000_000})  # fmt: skip
    assert later["status"] == "scheduled"
    path = f"/v1/tax/registrations/{made['id']}"
    assert fresh.wire.post(path, expires_at="now")["status"] == "expired"
    assert fresh.wire.get(path)["status"] == "expired"
    assert fresh.wire.refused("POST", path, {"expires_at": ""}).error["param"] == "expires_at"
    assert fresh.wire.post("/v1/tax/registrations", **again)["status"] == "active"

    def listed(**params: Any) -> list[str]:
        return [r["status"] for r in fresh.wire.get("/v1/tax/registrations", **params)["data"]]

    assert listed(status="expired") == ["expired"]
    assert listed(status="active") == ["active"]
    assert listed(status="scheduled") == ["scheduled"]
    assert listed(status="all") == ["active", "scheduled", "expired"]


def test_tax_codes_are_listed_page_by_page(fresh: World):
    first = fresh.wire.get("/v1/tax_codes", limit=5)
    rest = fresh.wire.get("/v1/tax_codes", limit=100, starting_after=first["data"][-1]["id"])
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert len({code["id"] for code in first["data"] + rest["data"]}) == len(first["data"]) + len(rest["data"]) == 19
    back = fresh.wire.get("/v1/tax_codes", limit=5, ending_before=rest["data"][0]["id"])
    assert back["data"] == first["data"]
    assert fresh.wire.refused("GET", "/v1/tax_codes", {"starting_after": "txcd_77777777"}).error["param"] == "starting_after"
    assert fresh.wire.send("GET", "/v1/tax_codes/txcd_77777777").status == 404


def test_a_customer_shows_whether_tax_is_collected(shop: World):
    def standing(customer: JSON) -> tuple[str, str | None]:
        tax = shop.wire.get(f"/v1/customers/{customer['id']}", expand=["tax"])["tax"]
        return tax["automatic_tax"], tax["location"] and tax["location"]["source"]

    assert standing(shop.customer(**GERMAN)) == ("supported", "billing_address")
    abroad = shop.customer(**GERMAN, shipping={"address": {"country": "GB"}, "name": "Anna"})
    assert standing(abroad) == ("not_collecting", "shipping_destination")
    shop.register("GB", type="standard")
    assert standing(abroad) == ("failed", "shipping_destination")  # of Great Britain no rate is known
    assert standing(shop.customer()) == ("unrecognized_location", None)
    no = {"address": {"country": "US"}, "tax": {"validate_location": "immediately"}}
    assert shop.wire.refused("POST", "/v1/customers", no).error["code"] == "customer_tax_location_invalid"


def test_a_phase_begins_without_a_place_and_its_bill_waits(shop: World):
    clock = shop.clock()
    anna = shop.payer(**GERMAN, test_clock=clock["id"])
    start = clock["frozen_time"] + 86_400
    phase = {"items": [{"price": shop.price(1000)["id"]}], "duration": {"interval": "month", "interval_count": 3}}
    schedule = shop.wire.post("/v1/subscription_schedules", customer=anna["id"], start_date=start, phases=[phase],
                              default_settings={"automatic_tax": AUTOMATIC})  # fmt: skip
    shop.wire.post(f"/v1/customers/{anna['id']}", address="")
    shop.advance(clock["id"], start + 7200)
    begun = shop.wire.get(f"/v1/subscription_schedules/{schedule['id']}")
    assert begun["status"] == "active"
    invoice = shop.wire.get("/v1/invoices", subscription=begun["subscription"])["data"][0]
    assert (invoice["status"], invoice["automatic_tax"]["status"]) == ("draft", "requires_location_inputs")
    assert invoice["last_finalization_error"]["code"] == "customer_tax_location_invalid"


def test_what_is_performed_is_taxed_where_it_is(shop: World):
    """A concert in Delft, for an Austrian: on an invoice, in a preview of it, with a price of its own, and in a calculation."""
    hall = shop.wire.post("/v1/tax/locations", type="performance", address={"country": "NL", "city": "Delft"})
    details = {"performance_location": hall["id"], "tax_code": "txcd_20030000"}
    concert = shop.product(name="Concert", tax_details=details)
    anna = shop.payer(address={"country": "AT"})
    price = shop.price(1000, product=concert["id"])
    items = {"subscription_details": {"items": [{"price": price["id"]}]}}
    preview = shop.wire.post("/v1/invoices/create_preview", customer=anna["id"], automatic_tax=AUTOMATIC, **items)
    made = subscribe(shop, anna["id"], price)
    inline = {"currency": "eur", "unit_amount": 1000, "product": concert["id"], "recurring": {"interval": "month"}}
    other = shop.wire.post("/v1/subscriptions", customer=anna["id"], items=[{"price_data": inline}], automatic_tax=AUTOMATIC)
    found = [preview, *(shop.wire.get(f"/v1/invoices/{each['latest_invoice']}") for each in (made, other))]
    assert [(each["total"], rate_of(shop, each["total_taxes"][0])["country"]) for each in found] == [(1210, "NL")] * 3
    lines = [{"amount": 1000, "reference": "ticket", "product": concert["id"]}]
    asked = {"currency": "eur", "customer": anna["id"], "line_items": lines, "expand": ["line_items"]}
    calculation = shop.wire.post("/v1/tax/calculations", **asked)
    assert (calculation["amount_total"], calculation["line_items"]["data"][0]["performance_location"]) == (1210, hall["id"])


@pytest.mark.parametrize(("details", "param"), [
    ({"performance_location": "taxloc_nowhere"}, "tax_details[performance_location]"),
    ({"tax_code": "bread"}, "tax_details[tax_code]"),
])  # fmt: skip
def test_a_product_is_performed_and_coded_as_something_known(shop: World, details: JSON, param: str):
    no = shop.wire.refused("POST", "/v1/products", {"name": "Concert", "tax_details": details})
    assert (no.error["code"], no.error["param"]) == ("resource_missing", param)
    product = shop.product()
    no = shop.wire.refused("POST", f"/v1/products/{product['id']}", {"tax_details": details})
    assert no.error["param"] == param
    data = {"currency": "eur", "unit_amount": 1, "product_data": {"name": "Concert", "tax_details": details}}
    assert shop.wire.refused("POST", "/v1/prices", data).error["param"] == f"product_data[{param.replace('[', '][', 1)}"
