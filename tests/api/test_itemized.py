"""Prorations whose discounts are itemized, as HTTP shows them: on items, lines, invoices, notes, and whatever is asked."""

from __future__ import annotations

import pytest

from tests.api.wire import JSON
from tests.api.world import DAY, MONDAY, World

MODE = {"type": "flexible", "flexible": {"proration_discounts": "itemized"}}


def changed(w: World, **more: object) -> JSON:
    """A subscription for 10.00 with 25% off that became one for 40.00 after ten of the 31 days, billed at once."""
    clock = w.clock()["id"]
    given = {"discounts": [{"coupon": w.coupon()["id"]}], "billing_mode": MODE, **more}
    made = w.subscription(w.payer(test_clock=clock)["id"], **given)
    w.advance(clock, MONDAY + 10 * DAY)
    item = {"id": made["items"]["data"][0]["id"], "quantity": 4}
    return w.wire.post(f"/v1/subscriptions/{made['id']}", items=[item], proration_behavior="always_invoice")


def test_items_and_lines_show_what_stands_before_discounts(fresh: World):
    made = changed(fresh)
    assert made["billing_mode"]["flexible"] == {"proration_discounts": "itemized"}
    [discount] = made["discounts"]
    invoice = fresh.wire.get(f"/v1/invoices/{made['latest_invoice']}")
    debit, credit = invoice["lines"]["data"]
    assert (debit["amount"], debit["discount_amounts"]) == (2710, [{"amount": 678, "discount": discount}])
    assert (credit["amount"], credit["discount_amounts"]) == (-677, [{"amount": -169, "discount": discount}])
    assert (debit["discounts"], debit["discountable"]) == ([discount], False)
    assert debit["pretax_credit_amounts"] == [{"amount": 678, "discount": discount, "type": "discount"}]
    assert invoice["total_discount_amounts"] == [{"amount": 678 - 169, "discount": discount}]
    assert invoice["subtotal"] == invoice["total"] == 2710 - 678 - (677 - 169)
    items = [fresh.wire.get(f"/v1/invoiceitems/{line['parent']['subscription_item_details']['invoice_item']}")
             for line in (debit, credit)]  # fmt: skip
    assert [(i["amount"], i["net_amount"], i["discounts"]) for i in items] == [(2710, 2032, [discount]), (-677, -508, [discount])]
    shown = [i["proration_details"]["discount_amounts"] for i in items]
    assert shown == [debit["discount_amounts"], credit["discount_amounts"]]
    said = fresh.wire.get(f"/v1/invoiceitems/{items[0]['id']}", expand=["discounts"])
    assert said["discounts"][0]["object"] == "discount"


def test_the_arithmetic_is_explained(fresh: World):
    made = changed(fresh)
    found = fresh.wire.get(f"/voldaan/invoices/{made['latest_invoice']}/explain")
    assert found["holds"] is True
    debit, credit = found["lines"]
    assert (debit["of"]["gross"], debit["of"]["discounts"], debit["of"]["amount"]) == (4000, 1000, 3000)
    assert (credit["of"]["gross"], credit["of"]["discounts"], credit["of"]["amount"]) == (1000, 250, 750)
    assert [d["amount"] for d in debit["discounts"] + credit["discounts"]] == [678, -169]


def test_other_prices_take_their_discounts_with_them(fresh: World):
    """A replay with another price comes to what the same subscription would have been billed."""
    other = fresh.price(2000)["id"]
    made = changed(fresh)
    pair = [{"price": fresh.monthly["id"], "replace_with": other}]
    during = {"start": MONDAY - DAY, "end": MONDAY + 40 * DAY}
    replayed = fresh.wire.post("/voldaan/replays", **during, customer=made["customer"], prices=pair)
    [after] = replayed["sums"]
    clock = fresh.clock()["id"]
    twin = fresh.subscription(
        fresh.payer(test_clock=clock)["id"], other, billing_mode=MODE, discounts=[{"coupon": fresh.coupon()["id"]}]
    )
    fresh.advance(clock, MONDAY + 10 * DAY)
    item = {"id": twin["items"]["data"][0]["id"], "quantity": 4}
    fresh.wire.post(f"/v1/subscriptions/{twin['id']}", items=[item], proration_behavior="always_invoice")
    invoices = fresh.wire.get("/v1/invoices", customer=twin["customer"])["data"]
    assert after["after"] == sum(i["total"] for i in invoices)


def test_a_credit_note_takes_the_discount_back_with_the_line(fresh: World):
    made = changed(fresh, default_tax_rates=[fresh.vat["id"]])
    invoice = fresh.wire.get(f"/v1/invoices/{made['latest_invoice']}")
    debit, credit = invoice["lines"]["data"]
    lines = [{"type": "invoice_line_item", "invoice_line_item": each["id"], "amount": each["amount"]} for each in (debit, credit)]
    note = fresh.wire.post("/v1/credit_notes", invoice=invoice["id"], lines=lines, credit_amount=invoice["total"])
    assert (note["total"], note["discount_amount"]) == (invoice["total"], 678 - 169)
    assert note["subtotal"] == invoice["subtotal"]
    assert [line["discount_amount"] for line in note["lines"]["data"]] == [678, -169]


def test_there_is_no_way_back_to_included(fresh: World):
    made = fresh.subscription(fresh.payer()["id"])
    path = f"/v1/subscriptions/{made['id']}/migrate"
    assert fresh.wire.post(path, billing_mode=MODE)["billing_mode"]["flexible"]["proration_discounts"] == "itemized"
    for mode in ({"type": "flexible"}, {"type": "flexible", "flexible": {"proration_discounts": "included"}}):
        answer = fresh.wire.send("POST", path, {"billing_mode": mode})
        assert (answer.status, answer.error["param"]) == (400, "billing_mode[flexible][proration_discounts]")
    assert fresh.wire.get(f"/v1/subscriptions/{made['id']}")["billing_mode"]["flexible"]["proration_discounts"] == "itemized"


def test_what_was_billed_before_the_migration_is_given_back_with_its_discount(fresh: World):
    clock = fresh.clock()["id"]
    made = fresh.subscription(fresh.payer(test_clock=clock)["id"], discounts=[{"coupon": fresh.coupon()["id"]}])
    fresh.wire.post(f"/v1/subscriptions/{made['id']}/migrate", billing_mode=MODE)
    fresh.advance(clock, MONDAY + 10 * DAY)
    item = {"id": made["items"]["data"][0]["id"], "quantity": 4}
    given = {"subscription": made["id"], "subscription_details": {"items": [item], "proration_behavior": "always_invoice"}}
    preview = fresh.wire.post("/v1/invoices/create_preview", **given)
    assert [line["amount"] for line in preview["lines"]["data"]] == [2710, -677]
    assert sum(d["amount"] for d in preview["total_discount_amounts"]) == 678 - 169


@pytest.mark.parametrize("name", ["discounts", "discountable"])
def test_the_discounts_of_such_a_line_cannot_be_changed(fresh: World, name: str):
    made = changed(fresh, collection_method="send_invoice", days_until_due=10)
    draft = fresh.draft(made["customer"])
    items = [{"id": made["items"]["data"][0]["id"], "quantity": 1}]
    waits = fresh.wire.post(f"/v1/subscriptions/{made['id']}", items=items)
    item, _ = fresh.wire.get("/v1/invoiceitems", customer=waits["customer"], pending=True)["data"]
    put = fresh.wire.post(f"/v1/invoices/{draft['id']}/add_lines", lines=[{"invoice_item": item["id"]}])
    line = next(each for each in put["lines"]["data"] if each["parent"]["type"] == "subscription_item_details")
    path = f"/v1/invoices/{draft['id']}/lines/{line['id']}"
    wanted = {"discounts": [{"coupon": fresh.coupon()["id"]}], "discountable": True}
    answer = fresh.wire.send("POST", path, {name: wanted[name]})
    assert (answer.status, answer.error["param"]) == (400, name)
    given = fresh.wire.post(path, amount=500)  # what somebody says instead has no discounts
    assert (given["amount"], given["discounts"], given["discount_amounts"]) == (500, [], [])


def test_quotes_schedules_and_previews_take_it_too(fresh: World):
    customer = fresh.payer()["id"]
    coupon = [{"coupon": fresh.coupon()["id"]}]
    items = [{"price": fresh.monthly["id"]}]
    quote = fresh.wire.post(
        "/v1/quotes", customer=customer, line_items=items, subscription_data={"billing_mode": MODE}, discounts=coupon
    )
    assert quote["subscription_data"]["billing_mode"]["flexible"]["proration_discounts"] == "itemized"
    fresh.wire.post(f"/v1/quotes/{quote['id']}/finalize")
    accepted = fresh.wire.post(f"/v1/quotes/{quote['id']}/accept")
    sold = fresh.wire.get(f"/v1/subscriptions/{accepted['subscription']}")
    assert sold["billing_mode"]["flexible"]["proration_discounts"] == "itemized"
    schedule = fresh.wire.post(
        "/v1/subscription_schedules", customer=customer, start_date="now", billing_mode=MODE,
        phases=[{"items": items, "duration": {"interval": "month"}}],
    )  # fmt: skip
    assert schedule["billing_mode"]["flexible"]["proration_discounts"] == "itemized"
    planned = fresh.wire.get(f"/v1/subscriptions/{schedule['subscription']}")
    assert planned["billing_mode"]["flexible"]["proration_discounts"] == "itemized"
    given = {"customer": customer, "subscription_details": {"items": items, "billing_mode": MODE}, "discounts": coupon}
    assert fresh.wire.post("/v1/invoices/create_preview", **given)["total"] == 750


@pytest.mark.parametrize(("mode", "named"), [("flexible", True), ("classic", False)])
def test_discounts_that_are_included_are_named_and_take_nothing_more_off(fresh: World, mode: str, named: bool):
    """Of the item's own discounts a line says nothing, of the subscription's that they take 0."""
    clock = fresh.clock()["id"]
    given = {
        "customer": fresh.payer(test_clock=clock)["id"], "discounts": [{"coupon": fresh.coupon()["id"]}],
        "items": [{"price": fresh.monthly["id"], "discounts": [{"coupon": fresh.coupon(percent_off=10)["id"]}]}],
        "billing_mode": {"type": mode},
    }  # fmt: skip
    made = fresh.wire.post("/v1/subscriptions", **given)
    [shared], [item] = made["discounts"], made["items"]["data"]
    fresh.advance(clock, MONDAY + 10 * DAY)
    wanted = {"items": [{"id": item["id"], "quantity": 4}], "proration_behavior": "always_invoice"}
    changed = fresh.wire.post(f"/v1/subscriptions/{made['id']}", **wanted)
    invoice = fresh.wire.get(f"/v1/invoices/{changed['latest_invoice']}")
    debit, credit = invoice["lines"]["data"]
    assert (debit["amount"], credit["amount"]) == (1829, -457)  # 40.00 and 10.00 less 10%, less 25%, for 21 of 31 days
    assert invoice["total"] == invoice["subtotal"] == 1829 - 457
    assert sum(d["amount"] for d in invoice["total_discount_amounts"]) == 0
    for line in (debit, credit):
        assert line["discount_amounts"] == [{"amount": 0, "discount": shared}]
        waited = fresh.wire.get(f"/v1/invoiceitems/{line['parent']['subscription_item_details']['invoice_item']}")
        both = [{"amount": 0, "discount": item["discounts"][0]}, {"amount": 0, "discount": shared}]
        assert waited["proration_details"]["discount_amounts"] == (both if named else [])
        assert waited["net_amount"] == waited["amount"] == line["amount"]
    explained = fresh.wire.get(f"/voldaan/invoices/{invoice['id']}/explain")
    assert explained["holds"] is True


def test_a_credit_of_what_still_waits_names_its_discounts_too(fresh: World):
    clock = fresh.clock()["id"]
    made = fresh.subscription(fresh.payer(test_clock=clock)["id"], discounts=[{"coupon": fresh.coupon()["id"]}])
    [item], path = made["items"]["data"], f"/v1/subscriptions/{made['id']}"
    for days, quantity in ((10, 4), (20, 2)):
        fresh.advance(clock, MONDAY + days * DAY)
        fresh.wire.post(path, items=[{"id": item["id"], "quantity": quantity}])
    waiting = fresh.wire.get("/v1/invoiceitems", customer=made["customer"], pending=True)["data"]
    shown = [each["proration_details"]["discount_amounts"] for each in waiting]
    assert shown == [[{"amount": 0, "discount": made["discounts"][0]}]] * 4


def test_what_discounts_cannot_lower_any_more_has_a_net_amount(fresh: World):
    anna = fresh.payer()["id"]
    charge, credit = (fresh.item(anna, amount=amount, currency="eur") for amount in (500, -200))
    fixed = fresh.item(anna, amount=300, currency="eur", discountable=False)
    assert [each["net_amount"] for each in (charge, credit, fixed)] == [None, -200, 300]
    changed = fresh.wire.post(f"/v1/invoiceitems/{fixed['id']}", discountable=True)
    assert changed["net_amount"] is None
    assert fresh.wire.get(f"/v1/invoiceitems/{credit['id']}")["net_amount"] == -200


def test_only_flexible_billing_has_settings_of_its_own(fresh: World):
    mode = {"type": "classic", "flexible": {"proration_discounts": "included"}}
    customer, items = fresh.payer()["id"], [{"price": fresh.monthly["id"]}]
    made = fresh.subscription(customer)
    own, inner = "billing_mode[flexible]", "[billing_mode][flexible]"
    for path, given, param in (
        ("/v1/subscriptions", {"customer": customer, "items": items, "billing_mode": mode}, own),
        (f"/v1/subscriptions/{made['id']}/migrate", {"billing_mode": mode}, own),
        ("/v1/quotes", {"line_items": items, "subscription_data": {"billing_mode": mode}}, f"subscription_data{inner}"),
        ("/v1/subscription_schedules", {"customer": customer, "start_date": "now", "billing_mode": mode,
                                        "phases": [{"items": items, "duration": {"interval": "month"}}]}, own),
        ("/v1/invoices/create_preview", {"customer": customer, "subscription_details": {"items": items, "billing_mode": mode}},
         f"subscription_details{inner}"),
        ("/v1/invoices/create_preview", {"customer": customer, "schedule_details": {
            "billing_mode": mode, "phases": [{"items": items, "duration": {"interval": "month"}}]}},
         f"schedule_details{inner}"),
    ):  # fmt: skip
        answer = fresh.wire.send("POST", path, given)
        assert (answer.status, answer.error["param"]) == (400, param), path
    assert len(fresh.wire.get("/v1/subscriptions", customer=customer)["data"]) == 1
