"""Taxes that the seller has computed: they stand on the lines as they were given, through discount, credit note and revision."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.books import breaches
from tests.api.test_automatic_tax import AUTOMATIC
from tests.api.test_shipping import holds
from tests.api.wire import JSON
from tests.api.world import World


def tax(amount: int, taxable: int, **more: Any) -> JSON:
    reason = {"taxability_reason": more.pop("reason")} if "reason" in more else {}
    data = {"display_name": "Sales tax", "percentage": "8.875", "inclusive": False, "country": "US", "state": "NY", **more}
    return {"amount": amount, "taxable_amount": taxable, "tax_rate_data": data, **reason}


def given(w: World, draft: JSON, *taxes: JSON, line: int = 0) -> JSON:
    id = draft["lines"]["data"][line]["id"]
    return w.wire.post(f"/v1/invoices/{draft['id']}/update_lines", lines=[{"id": id, "tax_amounts": list(taxes)}])


def test_they_stand_as_they_were_given(fresh: World, dsn: str):
    draft = fresh.draft(fresh.payer()["id"], discounts=[{"coupon": fresh.coupon()["id"]}])  # 15.00 less a quarter
    fresh.item(draft["customer"], invoice=draft["id"], amount=1000)
    draft = fresh.wire.get(f"/v1/invoices/{draft['id']}")
    given(fresh, draft, tax(101, 1125, reason="standard_rated"), tax(0, 1125, display_name="City", percentage=0, country="US"))
    taxed = given(fresh, draft, tax(50, 700, inclusive=True), line=1)
    assert (taxed["subtotal"], taxed["total_excluding_tax"], taxed["total"]) == (2500, 1825, 1976)
    assert [(t["amount"], t["taxable_amount"], t["tax_behavior"]) for t in taxed["total_taxes"]] == [
        (101, 1125, "exclusive"), (0, 1125, "exclusive"), (50, 700, "inclusive"),
    ]  # fmt: skip
    assert {t["taxability_reason"] for t in taxed["total_taxes"]} == {"standard_rated", "not_available"}
    assert taxed["subtotal_excluding_tax"] == 2450
    holds(fresh, draft["id"])
    paid = fresh.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    paid = fresh.wire.post(f"/v1/invoices/{draft['id']}/pay")
    assert (paid["status"], paid["amount_paid"]) == ("paid", 1976)
    [line] = [line for line in paid["lines"]["data"] if line["amount"] == 1500]
    note = fresh.wire.post(
        "/v1/credit_notes", invoice=paid["id"], credit_amount=1226,
        lines=[{"type": "invoice_line_item", "invoice_line_item": line["id"], "quantity": 1}],
    )  # fmt: skip
    assert sum(t["amount"] for t in note["total_taxes"]) == 101
    holds(fresh, draft["id"])
    assert breaches(dsn, fresh.wire.get("/v1/account")["id"]) == []


def test_the_same_words_are_the_same_rate_which_nobody_can_use_by_hand(fresh: World):
    first, second = (given(fresh, fresh.draft(), tax(10, 100)) for _ in range(2))
    ids = {each["total_taxes"][0]["tax_rate_details"]["tax_rate"] for each in (first, second)}
    assert len(ids) == 1
    other = given(fresh, fresh.draft(), tax(10, 100, percentage="8.8750"))
    assert other["total_taxes"][0]["tax_rate_details"]["tax_rate"] in ids
    rate = fresh.wire.get(f"/v1/tax_rates/{ids.pop()}")
    assert (rate["active"], rate["percentage"], rate["display_name"]) == (False, 8.875, "Sales tax")
    no = fresh.wire.refused("POST", "/v1/invoices", {"customer": fresh.anna["id"], "default_tax_rates": [rate["id"]]})
    assert no.error["param"] == "default_tax_rates[0]"


def test_they_outlive_a_change_of_the_item_and_go_when_they_are_taken_away(fresh: World):
    draft = given(fresh, fresh.draft(), tax(150, 1500))
    [line] = draft["lines"]["data"]
    item = line["parent"]["invoice_item_details"]["invoice_item"]
    assert fresh.wire.get(f"/v1/invoiceitems/{item}")["tax_rates"] == []
    fresh.wire.post(f"/v1/invoiceitems/{item}", amount=1600)
    path = f"/v1/invoices/{draft['id']}"
    assert fresh.wire.get(path)["total"] == 1750
    fresh.wire.post(f"{path}/lines/{line['id']}", tax_amounts="")
    assert (fresh.wire.get(path)["total"], fresh.wire.get(path)["total_taxes"]) == (1600, [])
    added = fresh.wire.post(f"{path}/add_lines", lines=[{"amount": 400, "tax_amounts": [tax(40, 400)]}])
    assert added["total"] == 2040
    fresh.wire.post(f"{path}/finalize")
    revision = fresh.wire.post("/v1/invoices", from_invoice={"action": "revision", "invoice": draft["id"]})
    assert (revision["total"], sum(t["amount"] for t in revision["total_taxes"])) == (2040, 40)


@pytest.mark.parametrize(("more", "amounts", "param"), [
    ({"default_tax_rates": True}, [tax(1, 1)], "lines[0][tax_amounts]"),
    ({"automatic_tax": AUTOMATIC}, [tax(1, 1)], "lines[0][tax_amounts]"),
    ({}, [tax(1, 1, display_name=str(n)) for n in range(11)], "lines[0][tax_amounts]"),
    ({}, [tax(1, 1, percentage="8.87501")], "lines[0][tax_amounts][0][tax_rate_data][percentage]"),
    ({}, [tax(1, 1, country="XX")], "lines[0][tax_amounts][0][tax_rate_data][country]"),
    ({}, [{**tax(1, 1), "taxability_reason": "too_rich"}], "lines[0][tax_amounts][0][taxability_reason]"),
    ({}, [{"amount": 1, "taxable_amount": 1}], "lines[0][tax_amounts][0][tax_rate_data]"),
])  # fmt: skip
def test_what_cannot_be_is_refused_and_changes_nothing(fresh: World, more: JSON, amounts: list[JSON], param: str):
    if "automatic_tax" in more:
        fresh.dutch()
    if "default_tax_rates" in more:
        more = {"default_tax_rates": [fresh.vat["id"]]}
    draft = fresh.draft(**more)
    lines = [{"id": draft["lines"]["data"][0]["id"], "tax_amounts": amounts}]
    no = fresh.wire.refused("POST", f"/v1/invoices/{draft['id']}/update_lines", {"lines": lines})
    assert no.error["param"] == param
    assert fresh.wire.get(f"/v1/invoices/{draft['id']}") == draft


def test_a_line_makes_a_product_of_its_own(fresh: World):
    draft = fresh.draft()
    said = {"name": "Cake for Anna", "description": "Chocolate", "unit_label": "cake", "metadata": {"size": "XL"}}
    data = {"currency": "eur", "unit_amount": 2500, "product_data": said}
    path = f"/v1/invoices/{draft['id']}/add_lines"
    added = fresh.wire.post(path, lines=[{"price_data": data, "quantity": 2}])
    [line] = [line for line in added["lines"]["data"] if line["amount"] == 5000]
    product = fresh.wire.get(f"/v1/products/{line['pricing']['price_details']['product']}")
    assert {name: product[name] for name in said} == said
    assert line["description"] == "Cake for Anna"
    wrong = {**data, "product_data": {"name": "Cake", "tax_code": "cake"}}
    no = fresh.wire.refused("POST", path, {"lines": [{"price_data": wrong}]})
    assert no.error["param"] == "lines[0][price_data][product_data][tax_code]"
    no = fresh.wire.refused("POST", path, {"lines": [{"price_data": {"currency": "eur", "unit_amount": 1}}]})
    assert no.error["param"] == "lines[0][price_data][product]"
