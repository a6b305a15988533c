"""Credit notes on paper: that the sums add up, and who credits what of which invoice."""

from __future__ import annotations

from typing import Any

from tests.rules.billing import START
from voldaan.documents import credit_notes
from voldaan.resources.base import ListObject
from voldaan.resources.credit_notes import CreditNote, CreditNoteLine
from voldaan.resources.invoices import Invoice
from voldaan.resources.shipping_rates import Shipped

BAKERY = {"name": "Bakery on the Dike", "lines": []}


def invoice(**more: Any) -> Invoice:
    given = {"customer_name": "Anna", "number": "ANNA-0001", **more}
    return Invoice(
        id="in_1", created=START, currency="eur", customer="cus_1", lines=ListObject(data=[], url=""), livemode=False,
        period_start=START, period_end=START, **given,
    )  # fmt: skip


def note(*lines: CreditNoteLine, **more: Any) -> CreditNote:
    given = {"amount": 2783, "total": 2783, "subtotal": 2000, "pre_payment_amount": 783, "post_payment_amount": 2000, **more}
    return CreditNote(
        id="cn_1", created=START, currency="eur", customer="cus_1", invoice="in_1", lines=ListObject(data=[*lines], url=""),
        livemode=False, number="ANNA-0001-CN-01", pdf="", type="mixed", **given,
    )  # fmt: skip


def rows(sheet: dict[str, Any]) -> list[tuple[str, str]]:
    [sums] = sheet["sums"]
    return [(row["name"], row["amount"]) for row in sums["rows"]]


def test_a_note_says_what_it_credits_of_which_invoice_and_where_it_went() -> None:
    cake = CreditNoteLine(
        id="cnli_1", amount=2000, credit_note="cn_1", description="Cake", livemode=False, quantity=20, type="invoice_line_item",
        unit_amount=100,
    )  # fmt: skip
    shipped = Shipped(rate="shr_1", name="Post", amount=500)
    given = {"refund_amount": 1500, "credit_amount": 500, "reason": "order_change", "memo": "Sorry"}
    made = note(cake, amount_shipping=500, shipped=shipped, **given)
    sheet = credit_notes.sheet(BAKERY, made, [cake], invoice(), [("SPRING", -200)], [("VAT 21%", 483)])
    assert (sheet["title"], sheet["state"], sheet["text"], sheet["recipient"]["name"]) == (
        "Credit note ANNA-0001-CN-01", None, "Sorry", "Anna",
    )  # fmt: skip
    assert sheet["facts"][1:] == [["Invoice", "ANNA-0001"], ["Reason", "Order change"]]
    [line] = sheet["lines"]
    assert line == {"text": "Cake", "below": None, "quantity": "20", "unit": "€1.00", "amount": "€20.00"}
    assert rows(sheet) == [
        ("Subtotal", "€20.00"), ("SPRING", "−€2.00"), ("Shipping: Post", "€5.00"), ("VAT 21%", "€4.83"),
        ("Total credited", "€27.83"), ("Taken off the invoice", "€7.83"), ("Refunded", "€15.00"), ("To your credit", "€5.00"),
    ]  # fmt: skip


def test_its_sums_begin_with_what_its_lines_come_to() -> None:
    """The note's subtotal is after the lines' own discounts, which are listed with the others."""
    cake = CreditNoteLine(id="cnli_1", amount=2200, credit_note="cn_1", livemode=False, type="invoice_line_item")
    made = note(cake, total=2000, amount=2000, pre_payment_amount=0)
    assert rows(credit_notes.sheet(BAKERY, made, [cake], invoice(), [("SPRING", -200)], []))[:3] == [
        ("Subtotal", "€22.00"), ("SPRING", "−€2.00"), ("Total credited", "€20.00"),
    ]  # fmt: skip


def test_a_note_by_its_amount_alone_has_its_sum_as_a_line() -> None:
    sheet = credit_notes.sheet(BAKERY, note(status="void"), [], invoice(), [], [])
    assert [(line["text"], line["amount"]) for line in sheet["lines"]] == [("Credit of invoice ANNA-0001", "€20.00")]
    assert sheet["state"] == "Void"


def test_it_says_who_owes_the_tax() -> None:
    reverse = invoice(customer_tax_exempt="reverse")
    said = ["Reverse charge: the customer accounts for the VAT."]
    assert credit_notes.sheet(BAKERY, note(), [], reverse, [], [])["notes"] == said
    assert credit_notes.sheet(BAKERY, note(), [], invoice(), [], [])["notes"] == []
