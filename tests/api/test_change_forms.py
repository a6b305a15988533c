"""The forms that a change may take: when it ends, how a trial ends, what is added once, and items that move."""

from __future__ import annotations

from tests.api.world import DAY, MONDAY, World


def test_the_end_is_that_of_the_periods_after_the_change(fresh: World):
    """cancel_at by a name is taken once the other changes of the request have moved the periods."""
    clock = fresh.clock()["id"]
    made = fresh.subscription(fresh.payer(test_clock=clock)["id"])
    item = made["items"]["data"][0]["id"]
    yearly = fresh.price(9000, "year")["id"]
    fresh.advance(clock, MONDAY + 5 * DAY)
    path = f"/v1/subscriptions/{made['id']}"
    named = fresh.wire.post(path, cancel_at="min_period_end")
    assert (named["cancel_at"], named["cancel_at_period_end"]) == (named["items"]["data"][0]["current_period_end"], False)
    moved = fresh.wire.post(path, items=[{"id": item, "price": yearly}], cancel_at="max_period_end")
    end = moved["items"]["data"][0]["current_period_end"]
    assert end > MONDAY + 360 * DAY
    assert moved["cancel_at"] == end
    both = fresh.wire.post(path, items=[{"price": fresh.monthly["id"]}], cancel_at="max_billed_until")
    ends = [i["current_period_end"] for i in both["items"]["data"]]
    assert both["cancel_at"] == max(ends) > min(ends)


def test_a_trial_ended_early_may_keep_its_anchor(fresh: World):
    clock = fresh.clock()["id"]
    kept = {"end_behavior": {"missing_payment_method": "create_invoice", "billing_cycle_anchor": "unchanged"}}
    made = fresh.subscription(fresh.payer(test_clock=clock)["id"], trial_end=MONDAY + 10 * DAY, trial_settings=kept)
    fresh.advance(clock, MONDAY + 5 * DAY)
    ended = fresh.wire.post(f"/v1/subscriptions/{made['id']}", trial_end="now")
    assert ended["status"] == "active"
    assert ended["billing_cycle_anchor"] == MONDAY + 10 * DAY
    [item] = ended["items"]["data"]
    assert (item["current_period_start"], item["current_period_end"]) == (MONDAY + 5 * DAY, MONDAY + 10 * DAY)
    invoice = fresh.wire.get(f"/v1/invoices/{ended['latest_invoice']}")
    assert invoice["total"] == 179  # 5 of the 28 days from 12 February to 12 March


def test_a_price_brings_its_trial_when_the_change_asks_for_it(fresh: World):
    tried = fresh.price(2000, recurring={"interval": "month", "trial_period_days": 7})["id"]
    made = fresh.subscription(fresh.payer()["id"])
    item = made["items"]["data"][0]["id"]
    path = f"/v1/subscriptions/{made['id']}"
    changed = fresh.wire.post(path, items=[{"id": item, "price": tried}], trial_from_plan=True)
    assert changed["status"] == "trialing"
    assert 0 <= changed["trial_end"] - changed["trial_start"] - 7 * DAY <= 2
    both = {"trial_from_plan": True, "trial_end": changed["trial_end"] + DAY}
    assert fresh.wire.send("POST", path, both).error["param"] == "trial_from_plan"


def test_what_is_added_once_waits_in_flexible_billing_and_is_billed_in_classic(fresh: World):
    once = [{"price": fresh.price(500, None)["id"]}]
    for mode, invoices in (("flexible", 1), ("classic", 2)):
        made = fresh.subscription(fresh.payer()["id"], billing_mode={"type": mode})
        fresh.wire.post(
            f"/v1/subscriptions/{made['id']}", add_invoice_items=once, proration_behavior="always_invoice"
        )
        assert len(fresh.wire.get("/v1/invoices", subscription=made["id"])["data"]) == invoices, mode


def test_an_item_moves_to_another_subscription_and_costs_nothing_where_the_periods_are_the_same(fresh: World):
    clock = fresh.clock()["id"]
    customer = fresh.payer(test_clock=clock)["id"]
    more = fresh.price(2000)["id"]
    one = fresh.wire.post(
        "/v1/subscriptions", customer=customer, items=[{"price": fresh.monthly["id"]}, {"price": more, "quantity": 3}]
    )
    other = fresh.subscription(customer, fresh.price(300)["id"])
    item = next(i for i in one["items"]["data"] if i["price"]["id"] == more)
    fresh.advance(clock, MONDAY + 12 * DAY)
    moved = fresh.wire.post("/voldaan/subscription_items/move", subscription_item=item["id"], to=other["id"])
    assert (moved["subscription"], moved["quantity"], moved["price"]["id"]) == (other["id"], 3, more)
    assert len(fresh.wire.get(f"/v1/subscriptions/{one['id']}")["items"]["data"]) == 1
    waiting = fresh.wire.get("/v1/invoiceitems", customer=customer)["data"]
    told = [(w["amount"], w["parent"]["subscription_details"]["subscription"]) for w in waiting]
    assert told == [(3677, other["id"]), (-3677, one["id"])]  # 19 of 31 days of 60.00


def test_what_cannot_move_stays(fresh: World):
    made = fresh.subscription(fresh.payer()["id"])
    item = made["items"]["data"][0]["id"]
    theirs = fresh.subscription(fresh.payer()["id"])

    def refused(**params: object) -> str | None:
        answer = fresh.wire.send("POST", "/voldaan/subscription_items/move", params)
        assert answer.status in (400, 404)
        return answer.error.get("param")

    assert refused(subscription_item=item, to=theirs["id"]) == "to"
    assert refused(subscription_item=item, to=made["id"]) == "to"
    assert refused(subscription_item="si_nowhere", to=made["id"]) == "subscription_item"
    own = fresh.subscription(made["customer"], fresh.price(100)["id"])
    assert refused(subscription_item=item, to=own["id"]) == "subscription_item"  # the last one of its subscription


def test_what_is_wrong_with_an_item_is_said_by_its_place(fresh: World):
    made = fresh.subscription(fresh.payer()["id"])
    path, own = f"/v1/subscriptions/{made['id']}", made["items"]["data"][0]["id"]
    counted, dollars = fresh.metered()["id"], fresh.price(currency="usd")["id"]
    for second, param in (
        ({"price": "price_nowhere"}, "items[1][price]"),
        ({"quantity": 2}, "items[1][price]"),
        ({"price": counted, "quantity": 2}, "items[1][quantity]"),
        ({"price": dollars}, "items[1][price]"),
        ({"price": counted, "tax_rates": ["txr_nowhere"]}, "items[1][tax_rates][0]"),
        ({"price": counted, "discounts": [{"coupon": "nowhere"}]}, "items[1][discounts][0][coupon]"),
    ):
        no = fresh.wire.refused("POST", path, {"items": [{"id": own, "quantity": 2}, second]})
        assert no.error["param"] == param
    assert fresh.wire.get(path)["items"]["data"][0]["quantity"] == 1


def test_what_is_added_once_has_the_currency_of_its_subscription(fresh: World):
    """In a phase too, which would not begin otherwise."""
    customer = fresh.payer()["id"]
    items = [{"price": fresh.monthly["id"]}]
    extra = [{"price_data": {"currency": "usd", "product": fresh.bread["id"], "unit_amount": 500}}]
    param = "add_invoice_items[0][price_data][currency]"
    given = {"customer": customer, "items": items, "add_invoice_items": extra}
    assert fresh.wire.refused("POST", "/v1/subscriptions", given).error["param"] == param
    made = fresh.subscription(customer)
    no = fresh.wire.refused("POST", f"/v1/subscriptions/{made['id']}", {"add_invoice_items": extra})
    assert no.error["param"] == param
    phases = [{"items": items}, {"items": items, "add_invoice_items": extra}]
    given = {"customer": customer, "start_date": "now", "phases": phases}
    no = fresh.wire.refused("POST", "/v1/subscription_schedules", given)
    assert no.error["param"] == "phases[1][add_invoice_items][0][price_data][currency]"


def test_an_instant_of_what_is_added_once_goes_with_its_type(fresh: World):
    once = {"price": fresh.price(500, None)["id"]}
    period = {"start": {"type": "max_item_period_start", "timestamp": MONDAY}, "end": {"type": "min_item_period_end"}}
    given = {"items": [{"price": fresh.monthly["id"]}], "add_invoice_items": [{**once, "period": period}]}
    no = fresh.wire.refused("POST", "/v1/subscriptions", {"customer": fresh.payer()["id"], **given})
    assert no.error["param"] == "add_invoice_items[0][period][start][timestamp]"
    phases = {"start_date": "now", "phases": [given]}
    no = fresh.wire.refused("POST", "/v1/subscription_schedules", {"customer": fresh.payer()["id"], **phases})
    assert no.error["param"] == "phases[0][add_invoice_items][0][period][start][timestamp]"


def test_what_a_request_names_twice_is_refused(fresh: World):
    """An item that waits is billed once; an item of a subscription cannot go and stay."""
    customer = fresh.payer()["id"]
    item = fresh.item(customer)["id"]
    draft = fresh.wire.post("/v1/invoices", customer=customer)["id"]
    lines = [{"invoice_item": item}, {"invoice_item": item}]
    no = fresh.wire.refused("POST", f"/v1/invoices/{draft}/add_lines", {"lines": lines})
    assert no.error["param"] == "lines[1][invoice_item]"
    line = fresh.wire.post(f"/v1/invoices/{draft}/add_lines", lines=lines[:1])["lines"]["data"][0]["id"]
    for verb, said in (("update_lines", {"amount": 5}), ("remove_lines", {"behavior": "delete"})):
        no = fresh.wire.refused("POST", f"/v1/invoices/{draft}/{verb}", {"lines": [{"id": line, **said}] * 2})
        assert no.error["param"] == "lines[1][id]"
    assert fresh.wire.get(f"/v1/invoices/{draft}")["total"] == 1500
    made = fresh.subscription(customer)
    own = made["items"]["data"][0]["id"]
    items = [{"id": own, "deleted": True}, {"id": own, "quantity": 3}, {"price": fresh.price(800)["id"]}]
    no = fresh.wire.refused("POST", f"/v1/subscriptions/{made['id']}", {"items": items})
    assert no.error["param"] == "items[1][id]"
    assert fresh.wire.get("/v1/invoiceitems", customer=customer, pending=True)["data"] == []
