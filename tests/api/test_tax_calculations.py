"""Tax calculations and transactions over HTTP: what they come to, and that no more is taken back than there was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.test_automatic_tax import DUTCH
from tests.api.wire import JSON
from tests.api.world import World

PATH = "/v1/tax/calculations"
BACK = "/v1/tax/transactions/create_reversal"
LOCATION = "customer_tax_location_invalid"


@pytest.fixture
def shop(fresh: World) -> World:
    return fresh.dutch("standard", "oss_union", tax_code="txcd_10103001")


def to(country: str, **more: Any) -> JSON:
    return {"address": {"country": country}, "address_source": "billing", **more}


def calculate(shop: World, *lines: JSON, **more: Any) -> JSON:
    given = {"currency": "eur", "customer_details": to("DE"), "line_items": list(lines), **more}
    return shop.wire.post(PATH, **given)


def test_lines_and_shipping_are_taxed_as_an_invoice_would_be(shop: World):
    made = calculate(
        shop,
        {"amount": 333, "reference": "a"},
        {"amount": 999, "reference": "b"},
        {"amount": 1190, "reference": "c", "tax_behavior": "inclusive", "quantity": 3},
        shipping_cost={"amount": 500},
        expand=["line_items", "line_items.data.tax_breakdown"],
    )
    # 19 % of 333 + 999 + 500 is 348.08, rounded once and shared by largest remainder
    assert (made["tax_amount_exclusive"], made["tax_amount_inclusive"]) == (348, 190)
    assert made["amount_total"] == 333 + 999 + 1190 + 500 + 348
    assert [line["amount_tax"] for line in made["line_items"]["data"]] == [63, 190, 190]
    assert made["shipping_cost"]["amount_tax"] == 95
    assert [(b["amount"], b["inclusive"], b["taxable_amount"], b["taxability_reason"]) for b in made["tax_breakdown"]] == [
        (190, True, 1000, "standard_rated"),
        (348, False, 1832, "standard_rated"),
    ]
    (detail,) = made["line_items"]["data"][0]["tax_breakdown"]
    assert detail["jurisdiction"] == {"country": "DE", "display_name": "DE", "level": "country", "state": None}
    assert (detail["sourcing"], detail["tax_rate_details"]["percentage_decimal"]) == ("destination", "19.0")
    assert made["expires_at"] - made["tax_date"] == 90 * 86_400
    again = shop.wire.get(f"{PATH}/{made['id']}", expand=["line_items"])
    assert again["line_items"]["data"] == [{k: v for k, v in line.items() if k != "tax_breakdown"}
                                           for line in made["line_items"]["data"]]  # fmt: skip
    assert len(shop.wire.get(f"{PATH}/{made['id']}/line_items")["data"]) == 3


def test_a_known_customer_is_taken_as_it_is(shop: World):
    otto = shop.customer(**DUTCH, tax_id_data=[{"type": "eu_vat", "value": "DE136695976"}],
                         shipping={"address": {"country": "DE"}, "name": "Otto"})  # fmt: skip
    made = shop.wire.post(PATH, currency="eur", customer=otto["id"], line_items=[{"amount": 1000}])
    assert (made["tax_amount_exclusive"], made["tax_breakdown"][0]["taxability_reason"]) == (0, "reverse_charge")
    details = made["customer_details"]
    assert (details["address"]["country"], details["address_source"]) == ("DE", "shipping")
    assert details["tax_ids"] == [{"type": "eu_vat", "value": "DE136695976"}]
    exempt = calculate(shop, {"amount": 1000}, customer_details=to("DE", taxability_override="customer_exempt"))
    assert exempt["tax_breakdown"][0]["taxability_reason"] == "customer_exempt"


def test_a_performance_is_taxed_where_it_is(shop: World):
    hall = shop.wire.post("/v1/tax/locations", type="performance", address={"country": "NL", "city": "Delft"})
    line = {"amount": 1000, "tax_code": "txcd_20030000", "performance_location": hall["id"]}
    made = calculate(shop, line, expand=["line_items.data.tax_breakdown"])
    (detail,) = made["line_items"]["data"][0]["tax_breakdown"]
    assert (detail["amount"], detail["sourcing"], detail["jurisdiction"]["country"]) == (210, "performance", "NL")


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"customer_details": {"ip_address": "192.0.2.7"}}, LOCATION, "customer_details[address]"),
        ({"customer_details": {"address": {"country": "DE"}}}, "parameter_missing", "customer_details[address_source]"),
        ({"customer_details": to("US")}, LOCATION, "customer_details[address]"),
        ({"customer_details": to("ZZ")}, "country_code_invalid", "customer_details[address][country]"),
        ({"customer": "cus_nobodynobody1"}, None, "customer"),
        ({"line_items": [{"amount": 1, "reference": "a"}] * 2}, None, "line_items[1][reference]"),
        ({"line_items": [{"amount": 1, "product": "prod_nothing"}]}, "resource_missing", "line_items[0][product]"),
        ({"line_items": [{"amount": 1, "tax_code": "bread"}]}, "resource_missing", "line_items[0][tax_code]"),
        ({"tax_date": 1_577_836_800}, None, "tax_date"),
        ({"shipping_cost": {"tax_behavior": "inclusive"}}, "parameter_missing", "shipping_cost[amount]"),
        ({"ship_from_details": {"address": {"country": "CN"}}}, None, "ship_from_details[address][country]"),
    ],
)
def test_what_cannot_be_calculated_is_refused(shop: World, change: JSON, code: str | None, param: str):
    given = {"currency": "eur", "customer_details": to("DE"), "line_items": [{"amount": 1000}], **change}
    error = shop.wire.refused("POST", PATH, given).error
    assert (error.get("code"), error["param"]) == (code, param)


def transaction(shop: World, *lines: JSON, reference: str = "order 1", **more: Any) -> JSON:
    made = calculate(shop, *lines, **more)
    path = "/v1/tax/transactions/create_from_calculation"
    return shop.wire.post(path, calculation=made["id"], reference=reference, expand=["line_items"])


def test_a_transaction_is_what_was_calculated_and_its_reference_is_its_own(shop: World):
    made = transaction(shop, {"amount": 1000, "reference": "a"}, shipping_cost={"amount": 500})
    assert (made["type"], made["reversal"], made["reference"]) == ("transaction", None, "order 1")
    (line,) = made["line_items"]["data"]
    assert (line["amount"], line["amount_tax"], line["type"]) == (1000, 190, "transaction")
    calculation = calculate(shop, {"amount": 1})["id"]
    given = {"calculation": calculation, "reference": "order 1"}
    assert shop.wire.refused("POST", "/v1/tax/transactions/create_from_calculation", given).error["param"] == "reference"


def test_all_that_is_left_is_taken_back_once(shop: World):
    made = transaction(shop, {"amount": 1000, "reference": "a"}, {"amount": 119, "reference": "b", "tax_behavior": "inclusive"},
                       shipping_cost={"amount": 500})  # fmt: skip
    first, _ = made["line_items"]["data"]
    line = {"amount": -400, "amount_tax": -76, "original_line_item": first["id"], "reference": "a"}
    shop.wire.post(BACK, original_transaction=made["id"], mode="partial", reference="back 1", line_items=[line])
    rest = shop.wire.post(BACK, original_transaction=made["id"], mode="full", reference="back 2", expand=["line_items"])
    assert (rest["type"], rest["reversal"]) == ("reversal", {"original_transaction": made["id"]})
    assert [(line["amount"], line["amount_tax"]) for line in rest["line_items"]["data"]] == [(-600, -114), (-119, -19)]
    assert (rest["shipping_cost"]["amount"], rest["shipping_cost"]["amount_tax"]) == (-500, -95)
    again = {"original_transaction": made["id"], "mode": "full", "reference": "back 3"}
    assert shop.wire.refused("POST", BACK, again).error["param"] == "original_transaction"
    assert "cannot" in shop.wire.refused("POST", BACK, {**again, "original_transaction": rest["id"]}).error["message"]


def test_a_flat_amount_is_shared_with_its_tax(shop: World):
    inside = {"amount": 1190, "reference": "b", "tax_behavior": "inclusive"}
    made = transaction(shop, {"amount": 1000, "reference": "a"}, inside)
    back = shop.wire.post(BACK, original_transaction=made["id"], mode="partial", flat_amount=-1190, reference="back",
                          expand=["line_items"])  # fmt: skip
    assert [(line["amount"], line["amount_tax"]) for line in back["line_items"]["data"]] == [(-500, -95), (-595, -95)]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"flat_amount": -1191}, "flat_amount"),
        ({"flat_amount": 0}, "flat_amount"),
        ({"flat_amount": 5}, "flat_amount"),
        ({}, "line_items"),
        ({"mode": "full", "flat_amount": -1}, "mode"),
        ({"line_items": [{"amount": -1001, "amount_tax": 0, "reference": "a"}]}, "line_items[0][amount]"),
        ({"line_items": [{"amount": 0, "amount_tax": -191, "reference": "a"}]}, "line_items[0][amount]"),
        ({"shipping_cost": {"amount": -1, "amount_tax": 0}}, "shipping_cost[amount]"),
        ({"original_transaction": "tax_nothing"}, "original_transaction"),
        ({"reference": "order 1", "flat_amount": -1}, "reference"),
    ],
)
def test_no_more_is_taken_back_than_there_was(shop: World, change: JSON, param: str):
    made = transaction(shop, {"amount": 1000, "reference": "a"})
    given = {"original_transaction": made["id"], "mode": "partial", "reference": "back", **change}
    for line in given.get("line_items", []):
        line["original_line_item"] = made["line_items"]["data"][0]["id"]
    assert shop.wire.refused("POST", BACK, given).error["param"] == param


def test_of_reversals_at_once_no_more_goes_through_than_there_was(shop: World):
    made = transaction(shop, {"amount": 1000, "reference": "a"})

    def back(number: int) -> int:
        given = {"original_transaction": made["id"], "mode": "partial", "flat_amount": -500, "reference": f"back {number}"}
        return shop.wire.send("POST", BACK, given).status

    with ThreadPoolExecutor(6) as many:
        assert sorted(many.map(back, range(6))) == [200, 200, 400, 400, 400, 400]
