"""Invoices on paper: what is said, and that it stays in its place however long it is."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from voldaan.documents import invoices, pdf, sheets
from voldaan.documents.sheets import Look
from voldaan.resources.accounts import Account
from voldaan.resources.base import ListObject
from voldaan.resources.billing import CustomField
from voldaan.resources.invoices import CustomerTaxId, Invoice, Rendering, RenderingPdf
from voldaan.resources.line_items import LineItem
from voldaan.resources.shared import Address
from voldaan.resources.tax_ids import TaxId

START = 1_767_225_600  # 1 January 2026
BAKERY = {"name": "Bakery on the Dike", "lines": []}


def line(description: str = "Bread", amount: int = 3100, currency: str = "eur", **more: Any) -> LineItem:
    return LineItem(
        id="il_1", invoice="in_1", amount=amount, currency=currency, livemode=False, period_start=START, period_end=START,
        subtotal=amount, description=description, **more,
    )  # fmt: skip


def sheet(*lines: LineItem, accent: str | None = None, **more: Any) -> dict[str, Any]:
    total = sum(each.amount for each in lines)
    given = {
        "id": "in_1", "created": START, "currency": "eur", "customer": "cus_1", "customer_name": "Anna", "livemode": False,
        "lines": ListObject(data=[], url=""), "period_start": START, "period_end": START, "effective_at": START,
        "status": "open", "subtotal": total, "total": total, "amount_remaining": total, "number": "BAKERY-0001",
    }  # fmt: skip
    return invoices.sheet(BAKERY, Invoice(**given | more), lines, [], [], Look(accent))


def test_the_sums_begin_with_what_the_lines_come_to() -> None:
    """The invoice's subtotal is after the lines' own discounts, which are listed with the others."""
    given = Invoice(
        id="in_1", created=START, currency="eur", customer="cus_1", livemode=False, lines=ListObject(data=[], url=""),
        period_start=START, period_end=START, status="paid", subtotal=5600, total=5600, amount_paid=5600,
    )  # fmt: skip
    [sums] = invoices.sheet(BAKERY, given, [line(), line()], [("SPRING", -600)], [])["sums"]
    rows = [(row["name"], row["amount"]) for row in sums["rows"]]
    assert rows == [("Subtotal", "€62.00"), ("SPRING", "−€6.00"), ("Total", "€56.00"), ("Paid", "−€56.00")]


def pages(printed: bytes) -> int:
    found = re.search(rb"/Count (\d+)", printed)
    assert found
    return int(found[1])


def unpacked(printed: bytes) -> Iterator[bytes]:
    """Every stream of it that is packed as streams usually are."""
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", printed, re.DOTALL):
        try:
            yield zlib.decompress(stream)
        except zlib.error:
            continue


def test_the_law_is_satisfied_on_paper_too() -> None:
    """As on the page that the customer sees."""
    assert sheet(line(), customer_tax_exempt="reverse")["notes"] == ["Reverse charge: the customer accounts for the VAT."]
    assert sheet(line())["notes"] == []


def test_who_sells_to_whom() -> None:
    """By names that people know: of countries, and of the kinds of numbers."""
    account = Account(id="acct_1", created=START, business_name="Bakery on the Dike", email="us@bakery.example")
    number = TaxId(id="txi_1", created=START, livemode=False, type="eu_vat", value="NL123456789B13")
    seller = sheets.issuer(account, Address(line1="Kade 1", city="Utrecht", country="NL"), [number])
    assert seller["lines"] == ["Kade 1", "Utrecht", "Netherlands", "VAT NL123456789B13", "us@bakery.example"]
    assert sheets.issuer(account, None, name="Bakery")["name"] == "Bakery"
    buyer = sheet(line(), customer_tax_ids=[CustomerTaxId(type="us_ein", value="12-3456789")])["recipient"]
    assert buyer == {"name": "Anna", "lines": ["EIN 12-3456789"]}


@pytest.mark.parametrize(
    ("quantity", "shown"), [(None, ""), ("1", "1"), ("1500", "1,500"), ("1234567.000125", "1,234,567.000125")]
)
def test_a_quantity_has_all_its_digits(quantity: str | None, shown: str) -> None:
    each = line(quantity_decimal=None if quantity is None else Decimal(quantity))
    assert sheet(each)["lines"][0]["quantity"] == shown


@pytest.mark.parametrize(
    ("currency", "unit", "shown"),
    [
        ("eur", "3100", "€31.00"), ("eur", "0.25", "€0.0025"), ("jpy", "3100", "¥3,100"), ("jpy", "0.5", "¥0.5"),
        ("kwd", "3100500", "KWD\N{NO-BREAK SPACE}3,100.500"), ("eur", None, ""),
    ],
)  # fmt: skip
def test_a_unit_price_has_the_digits_that_it_has(currency: str, unit: str | None, shown: str) -> None:
    each = line(currency=currency, unit_amount_decimal=None if unit is None else Decimal(unit))
    assert sheet(each, currency=currency)["lines"][0]["unit"] == shown


def test_a_template_gives_its_color() -> None:
    green = b"0 0.5019608 0"
    assert any(green in each for each in unpacked(pdf.make(sheet(line(), accent="#008000"), START)))
    assert not any(green in each for each in unpacked(pdf.make(sheet(line()), START)))


def test_a_pale_color_is_for_lines_and_not_for_letters() -> None:
    """Which nobody could read. In a PDF SCN is the color of lines and scn that of letters, RG and rg the same."""
    for color, letters in (("#008000", True), ("#ffe680", False)):
        drawn = b"".join(unpacked(pdf.make(sheet(line(), accent=color), START)))
        red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
        used = {operator for *rgb, operator in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) (SCN|scn|RG|rg)", drawn)
                if max(abs(float(a) - b) for a, b in zip(rgb, (red, green, blue), strict=True)) < 0.001}  # fmt: skip
        assert {operator.isupper() for operator in used} == {True, not letters}


@pytest.mark.parametrize(("size", "box"), [("letter", b"612 792"), ("a4", b"595.2756 841.8898"), (None, b"595.2756 841.8898")])
def test_it_is_on_the_paper_that_was_asked_for(size: Any, box: bytes) -> None:
    asked = Rendering(pdf=RenderingPdf(page_size=size)) if size else None
    assert b"/MediaBox[0 0 " + box + b"]" in pdf.make(sheet(line(), rendering=asked), START)


@pytest.mark.parametrize(
    "more",
    [
        {"customer_name": "The Very Long Name of a Company " * 8},
        {"custom_fields": [CustomField(name="A name of some forty letters or perhaps", value="A value of many words " * 6)]},
        {"customer_name": "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" * 4},
    ],
    ids=["a long name", "a long field", "a long word"],
)
def test_what_is_long_takes_lines_and_no_more_pages(more: dict[str, Any]) -> None:
    long = {"customer_name": "The Very Long Name of a Company " * 4} | more
    assert pages(pdf.make(sheet(line(), **long), START)) == 1


def test_many_lines_take_as_many_pages_as_they_need() -> None:
    assert pages(pdf.make(sheet(*[line(f"Bread {number}") for number in range(60)]), START)) == 3
    assert pages(pdf.make(sheet(line("word " * 900)), START)) == 2
    assert pages(pdf.make(sheet(line("bread" * 900)), START)) == 2


def fonts(printed: bytes) -> set[str]:
    found = [each for part in (printed, *unpacked(printed)) for each in re.findall(rb"/BaseFont */[A-Z]{6}\+([A-Za-z]+)", part)]
    return {each.decode() for each in found}


EUROPE = "Łódź, İstanbul, Việt Nam, Ελλάδα, Київ — €, £"


def test_europe_is_set_in_one_font_that_comes_along() -> None:
    """So that it looks the same wherever it is set, and gives the same bytes."""
    europe = sheet(line(EUROPE), customer_name=EUROPE)
    printed = pdf.make(europe, START)
    assert fonts(printed) == {"LibertinusSerif"}
    assert pdf.make(europe, START) == printed


@pytest.mark.parametrize(
    ("name", "needed"),
    [(EUROPE, False), ("株式会社", True), ("한국", True), ("شركة", True), ("חברה", True), ("บริษัท", True), ("😀", True)],
)
def test_the_fonts_of_the_machine_are_used_only_where_others_lack_letters(
    monkeypatch: pytest.MonkeyPatch, name: str, needed: bool
) -> None:
    asked: list[bool] = []
    compiler = pdf._compiler
    monkeypatch.setattr(pdf, "_compiler", lambda machine: asked.append(machine) or compiler(machine))
    assert pages(pdf.make(sheet(line(), customer_name=name), START)) == 1
    assert asked == [needed]
