"""Tax calculations that payment intents name: committed when the payment succeeds, taken back as it is refunded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.test_tax_calculations import to
from tests.api.wire import JSON, Wire
from tests.api.world import DAY, MONDAY, World


@pytest.fixture
def shop(fresh: World) -> World:
    """A Dutch business in the one-stop shop."""
    return fresh.dutch("oss_union", tax_code="txcd_10103001")


def calculated(shop: World, *amounts: int, currency: str = "eur") -> JSON:
    lines = [{"amount": amount, "reference": str(number)} for number, amount in enumerate(amounts or (1000,))]
    return shop.wire.post("/v1/tax/calculations", currency=currency, customer_details=to("DE"), line_items=lines)


def hook(calculation: JSON | str) -> JSON:
    id = calculation if isinstance(calculation, str) else calculation["id"]
    return {"hooks": {"inputs": {"tax": {"calculation": id}}}}


def attempts(shop: World, intent: JSON) -> list[JSON] | None:
    return shop.wire.get("/v1/tax/associations/find", payment_intent=intent["id"])["tax_transaction_attempts"]


def lines_of(shop: World, attempt: JSON) -> list[tuple[int, int]]:
    found = shop.wire.get(f"/v1/tax/transactions/{attempt['committed']['transaction']}/line_items")
    return [(line["amount"], line["amount_tax"]) for line in found["data"]]


def test_a_payment_makes_its_tax_due_and_refunds_take_it_back(shop: World):
    calculation = calculated(shop, 1000, 500)
    assert calculation["amount_total"] == 1785
    intent = shop.intent(1785, **hook(calculation))
    assert intent["hooks"] == {"inputs": {"tax": {"calculation": calculation["id"]}}}
    assert attempts(shop, intent) is None
    shop.wire.post(f"/v1/payment_intents/{intent['id']}/confirm", payment_method=shop.method()["id"], return_url="https://a.b")
    first = attempts(shop, intent)
    assert first is not None
    assert [(a["source"], a["status"]) for a in first] == [(intent["id"], "committed")]
    assert lines_of(shop, first[0]) == [(1000, 190), (500, 95)]
    sale = shop.wire.get(f"/v1/tax/transactions/{first[0]['committed']['transaction']}")
    assert (sale["reference"], sale["type"]) == (intent["id"], "transaction")

    part = shop.wire.post("/v1/refunds", payment_intent=intent["id"], amount=357)
    rest = shop.wire.post("/v1/refunds", payment_intent=intent["id"])
    again = attempts(shop, intent)
    assert again is not None
    assert [(a["source"], a["status"]) for a in again[1:]] == [(part["id"], "committed"), (rest["id"], "committed")]
    taken = [lines_of(shop, a) for a in again[1:]]
    assert sum(amount + tax for amount, tax in taken[0]) == -357
    assert [sum(column) for column in zip(*taken[0], strict=True)] == [-300, -57]
    assert [(a + c, b + d) for (a, b), (c, d) in zip(*taken, strict=True)] == [(-1000, -190), (-500, -95)]
    back = shop.wire.get(f"/v1/tax/transactions/{again[1]['committed']['transaction']}")
    assert (back["type"], back["reference"], back["reversal"]) == (
        "reversal", part["id"], {"original_transaction": sale["id"]},
    )  # fmt: skip


def test_a_refund_that_failed_makes_the_tax_due_again(shop: World):
    clock = shop.clock()
    method = shop.attached(shop.customer(test_clock=clock["id"])["id"], "tok_refundFail")
    given = {"customer": method["customer"], "payment_method": method["id"], "return_url": "https://a.b"}
    intent = shop.intent(1190, confirm=True, **given, **hook(calculated(shop)))
    refund = shop.wire.post("/v1/refunds", payment_intent=intent["id"], amount=595)
    before = attempts(shop, intent)
    shop.advance(clock["id"], MONDAY + 40 * DAY)
    assert shop.wire.get(f"/v1/refunds/{refund['id']}")["status"] == "failed"
    found = attempts(shop, intent)
    assert before is not None
    assert found is not None
    assert [a["source"] for a in found] == [intent["id"], refund["id"], refund["id"]]
    assert found[:2] == before
    assert [lines_of(shop, a) for a in found] == [[(1000, 190)], [(-500, -95)], [(500, 95)]]
    taken, again = (shop.wire.get(f"/v1/tax/transactions/{a['committed']['transaction']}") for a in found[1:])
    assert again["reversal"] == {"original_transaction": taken["id"]}
    rest = shop.wire.post("/v1/refunds", payment_intent=intent["id"])
    assert lines_of(shop, (attempts(shop, intent) or [])[-1]) == [(-1000, -190)]
    assert rest["amount"] == 1190
    shop.advance(clock["id"], MONDAY + 80 * DAY)  # it fails too: the books of all accounts are held against the network later
    assert shop.wire.get(f"/v1/refunds/{rest['id']}")["status"] == "failed"


def test_a_calculation_is_committed_by_one_payment_only(shop: World):
    calculation = calculated(shop)
    shop.paid_intent(1190, **hook(calculation))
    second = shop.paid_intent(1190, **hook(calculation))
    errored = {"errored": {"reason": "another_payment_associated_with_calculation"}, "status": "errored"}
    assert attempts(shop, second) == [{**errored, "source": second["id"]}]
    refund = shop.wire.post("/v1/refunds", payment_intent=second["id"], amount=100)
    assert attempts(shop, second) == [{**errored, "source": second["id"]}, {**errored, "source": refund["id"]}]


def test_of_payments_at_once_one_commits_the_calculation(shop: World):
    calculation = calculated(shop)
    intents = [shop.intent(1190, **hook(calculation)) for _ in range(4)]
    methods = [shop.method()["id"] for _ in intents]

    def confirm(intent: JSON, method: str) -> JSON:
        path = f"/v1/payment_intents/{intent['id']}/confirm"
        return Wire(shop.wire.address, shop.wire.key).post(path, payment_method=method, return_url="https://a.b")

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(confirm, intents, methods))
    assert [each["status"] for each in done] == ["succeeded"] * 4
    found = [attempts(shop, each) or [] for each in intents]
    assert sorted(each[0]["status"] for each in found) == ["committed", "errored", "errored", "errored"]


def test_what_cannot_be_committed_does_not_stop_the_payment(shop: World):
    foreign = shop.paid_intent(1190, **hook(calculated(shop, currency="usd")))
    assert (foreign["status"], attempts(shop, foreign)) == (
        "succeeded", [{"source": foreign["id"], "status": "errored", "errored": {"reason": "currency_mismatch"}}],
    )  # fmt: skip
    taken = shop.intent(1190, **hook(calculated(shop)))
    other = calculated(shop)["id"]
    shop.wire.post("/v1/tax/transactions/create_from_calculation", calculation=other, reference=taken["id"])
    method = shop.method()["id"]
    shop.wire.post(f"/v1/payment_intents/{taken['id']}/confirm", payment_method=method, return_url="https://a.b")
    found = attempts(shop, taken)
    assert found is not None
    assert [a["errored"]["reason"] for a in found] == ["unique_reference_violation"]


def test_a_hold_is_due_when_it_is_captured_with_the_calculation_of_the_capture(shop: World):
    held = shop.held_intent(1190, **hook(calculated(shop)))
    assert attempts(shop, held) is None
    last = calculated(shop, 500)
    shop.wire.post(f"/v1/payment_intents/{held['id']}/capture", amount_to_capture=595, **hook(last))
    found = attempts(shop, held)
    assert found is not None
    assert lines_of(shop, found[0]) == [(500, 95)]


def test_a_calculation_can_be_taken_away(shop: World):
    intent = shop.intent(1190, **hook(calculated(shop)))
    changed = shop.wire.post(f"/v1/payment_intents/{intent['id']}", **hook(""))
    assert "hooks" not in changed
    no = shop.wire.refused("GET", "/v1/tax/associations/find", {"payment_intent": intent["id"]})
    assert no.error["code"] == "resource_missing"


def test_more_than_the_tax_transaction_takes_back_all_of_it_and_then_nothing(shop: World):
    intent = shop.paid_intent(5000, **hook(calculated(shop)))
    for amount in (2000, 1000):
        shop.wire.post("/v1/refunds", payment_intent=intent["id"], amount=amount)
    found = attempts(shop, intent)
    assert found is not None
    assert lines_of(shop, found[1]) == [(-1000, -190)]
    assert found[2]["errored"] == {"reason": "original_transaction_voided"}


@pytest.mark.parametrize(("change", "param"), [
    (hook("taxcalc_none"), "hooks[inputs][tax][calculation]"),
    ({"hooks": {"inputs": {"fraud": 1}}}, "hooks[inputs][fraud]"),
])  # fmt: skip
def test_what_cannot_be_named_is_refused(shop: World, change: Any, param: str):
    no = shop.wire.refused("POST", "/v1/payment_intents", {"amount": 1190, "currency": "eur", **change})
    assert no.error["param"] == param


def test_it_is_too_late_once_the_money_is_here(shop: World):
    paid = shop.paid_intent(1190)
    no = shop.wire.refused("POST", f"/v1/payment_intents/{paid['id']}", hook(calculated(shop)))
    assert (no.error["code"], no.error["param"]) == ("payment_intent_unexpected_state", "hooks[inputs][tax][calculation]")
    invoice = shop.open_invoice(shop.customer()["id"])
    of_invoice = shop.wire.get(f"/v1/invoices/{invoice['id']}", expand=["payments.data.payment.payment_intent"])
    intent = of_invoice["payments"]["data"][0]["payment"]["payment_intent"]["id"]
    no = shop.wire.refused("POST", f"/v1/payment_intents/{intent}", hook(calculated(shop)))
    assert no.error["param"] == "hooks[inputs][tax][calculation]"
