"""The pages that customers see: an invoice by its private address, and the sandbox bank's question."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.wire import JSON
from tests.web.conftest import Visitor
from tests.web.test_pages import PAYLOADS
from voldaan.documents import sheets

RETURN = "https://shop.example/done?order=7"


def path_of(address: str) -> str:
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")


# ── the hosted invoice ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invoice_shows_what_is_to_be_paid(visitor: Visitor) -> None:
    world = visitor.world
    address = {"line1": "Kade 1", "city": "Utrecht", "postal_code": "3511 AB", "country": "NL"}
    anna = world.customer(name="Anna de Vries", address=address)
    draft = world.wire.post(
        "/v1/invoices", customer=anna["id"], collection_method="send_invoice", days_until_due=14, footer="Thank you",
        default_tax_rates=[world.vat["id"]], description="As we agreed",
    )  # fmt: skip
    world.item(anna["id"], invoice=draft["id"], amount=10000, description="Forty loaves")
    invoice = world.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    page = visitor.http.get(path_of(invoice["hosted_invoice_url"]))
    assert page.status_code == 200
    said = ["Forty loaves", "€100.00", "VAT 21%", "€21.00", "€121.00", "Anna de Vries", "Kade 1", "Utrecht", "Test bakery"]
    for text in (invoice["number"], *said, "As we agreed", "Thank you", "Due"):
        assert text in page.text, text
    paper = visitor.http.get(path_of(invoice["invoice_pdf"]))
    assert (paper.status_code, paper.headers["content-type"], paper.content[:5]) == (200, "application/pdf", b"%PDF-")
    assert paper.headers["content-disposition"] == f'inline; filename="{invoice["number"]}.pdf"'
    assert visitor.http.get(path_of(invoice["invoice_pdf"]).replace("/pdf", "x/pdf")).status_code == 404


def test_an_invoice_says_who_sends_it_under_which_number(visitor: Visitor) -> None:
    """Directive 2006/112/EC, article 226, points 3 and 5: without a word of the invoice's own, all numbers of the business."""
    world = visitor.world
    world.wire.post("/v1/tax/settings", head_office={"address": {"line1": "Dijk 7", "city": "Utrecht", "country": "NL"}})
    numbers = [world.wire.post("/v1/tax_ids", type="eu_vat", value=value) for value in ("NL123456789B13", "DE123456789")]
    customer = world.customer(tax_id_data=[{"type": "eu_vat", "value": "BE0123456789"}])
    plain, own = world.sent_invoice(customer=customer["id"]), world.sent_invoice(account_tax_ids=[numbers[1]["id"]])
    page = visitor.http.get(path_of(plain["hosted_invoice_url"])).text
    for text in ("Dijk 7", "Netherlands", "VAT NL123456789B13", "VAT DE123456789", "VAT BE0123456789"):
        assert text in page, text
    page = visitor.http.get(path_of(own["hosted_invoice_url"])).text
    assert "VAT DE123456789" in page
    assert "NL123456789B13" not in page


def test_an_invoice_shows_the_days_of_its_customers_calendar(visitor: Visitor) -> None:
    """Its month begins at midnight in Amsterdam, which is the day before in UTC; a bill sent at eleven there is of that day."""
    world = visitor.world
    midnight = 1_798_758_000  # 31 December 2026, 23:00 UTC
    clock = world.wire.post("/v1/test_helpers/test_clocks", frozen_time=midnight)
    anna = world.payer(test_clock=clock["id"])
    world.wire.post(f"/voldaan/customers/{anna['id']}/billing_settings", timezone="Europe/Amsterdam")
    invoice = world.subscription(anna["id"], expand=["latest_invoice"])["latest_invoice"]
    page = visitor.http.get(path_of(invoice["hosted_invoice_url"])).text
    for day in ("Paid on", ">1 Jan 2027<", ">1 Feb 2027<"):
        assert day in page, day
    assert "2026<" not in page
    world.wire.post(f"/voldaan/customers/{anna['id']}/billing_settings", timezone="America/New_York")
    again = visitor.http.get(path_of(invoice["hosted_invoice_url"])).text
    assert ">1 Jan 2027<" in again, "a subscription keeps its calendar"
    [line] = invoice["lines"]["data"]
    assert sheets.period(line["period"]["start"], line["period"]["end"], "Europe/Amsterdam") == "1 Jan 2027 – 1 Feb 2027"


def test_an_invoice_says_that_its_payment_failed(visitor: Visitor) -> None:
    world = visitor.world
    payer = world.payer("tok_chargeCustomerFail")
    subscription = world.subscription(payer["id"], payment_behavior="allow_incomplete", expand=["latest_invoice"])
    assert "The payment failed." in visitor.http.get(path_of(subscription["latest_invoice"]["hosted_invoice_url"])).text
    assert "The payment failed." not in visitor.http.get(path_of(world.sent_invoice()["hosted_invoice_url"])).text


def test_a_number_may_have_any_letters(visitor: Visitor) -> None:
    """Which a header may not."""
    world = visitor.world
    anna = world.customer()
    draft = world.wire.post(
        "/v1/invoices", customer=anna["id"], collection_method="send_invoice", days_until_due=14, number='№ 7/"é"'
    )
    world.item(anna["id"], invoice=draft["id"], amount=100)
    invoice = world.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    paper = visitor.http.get(path_of(invoice["invoice_pdf"]))
    assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")
    named = "filename=\"_ 7/___.pdf\"; filename*=UTF-8''%E2%84%96%207%2F%22%C3%A9%22.pdf"
    assert paper.headers["content-disposition"] == f"inline; {named}"


def test_an_invoice_tells_its_state(visitor: Visitor) -> None:
    world = visitor.world
    paid = world.paid_invoice()
    assert "Paid on" in visitor.http.get(path_of(paid["hosted_invoice_url"])).text
    void = world.wire.post(f"/v1/invoices/{world.sent_invoice()['id']}/void")
    assert "withdrawn" in visitor.http.get(path_of(void["hosted_invoice_url"])).text


def test_the_page_of_a_revised_invoice_leads_to_the_latest_revision(visitor: Visitor) -> None:
    """However often it was revised; what was printed of it stays what it was."""
    world = visitor.world
    first = world.sent_invoice(description="As first agreed")
    second, third = (first, first)
    for _ in range(2):
        second, third = third, world.wire.post("/v1/invoices", from_invoice={"action": "revision", "invoice": third["id"]})
        before = visitor.http.get(path_of(second["hosted_invoice_url"]), follow_redirects=False)
        assert before.status_code == 200
        third = world.wire.post(f"/v1/invoices/{third['id']}/finalize")
    for old in (first, second):
        answer = visitor.http.get(path_of(old["hosted_invoice_url"]), follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (302, path_of(third["hosted_invoice_url"]))
        assert visitor.http.get(path_of(old["invoice_pdf"]), follow_redirects=False).status_code == 200
    assert third["number"] in visitor.http.get(path_of(third["hosted_invoice_url"])).text


def test_the_sums_of_an_invoice_add_up_whatever_its_discounts_are_off(visitor: Visitor) -> None:
    """Those of a line too, which the API's `subtotal` has in it already."""
    world = visitor.world
    anna = world.customer()["id"]
    draft = world.wire.post("/v1/invoices", customer=anna, collection_method="send_invoice", days_until_due=14,
                            discounts=[{"coupon": world.coupon(percent_off=50, name="Half")["id"]}])  # fmt: skip
    off = [{"coupon": world.coupon(percent_off=10, name="Tenth")["id"]}]
    world.item(anna, invoice=draft["id"], amount=10000, discounts=off)
    invoice = world.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    assert (invoice["subtotal"], invoice["total"]) == (9000, 4500)
    page = visitor.http.get(path_of(invoice["hosted_invoice_url"])).text
    totals = page[page.index("Totals") :]
    found = re.findall(r'<th scope="row">([^<]+)</th><td class="num">([^<]+)</td>', totals)
    assert found[:4] == [("Subtotal", "€100.00"), ("Tenth", "−€10.00"), ("Half", "−€45.00"), ("Total", "€45.00")]


def test_an_invoice_shows_what_was_credited(visitor: Visitor) -> None:
    world = visitor.world
    invoice = world.sent_invoice()
    world.wire.post("/v1/credit_notes", invoice=invoice["id"], amount=400)
    page = visitor.http.get(path_of(invoice["hosted_invoice_url"])).text
    for text in ("Credit notes", "€4.00", "€15.00", "€11.00"):
        assert text in page, text


def test_a_credit_note_is_on_paper_at_its_address(visitor: Visitor) -> None:
    world = visitor.world
    invoice = world.sent_invoice(default_tax_rates=[world.vat["id"]])
    line = invoice["lines"]["data"][0]["id"]
    lines = [{"type": "invoice_line_item", "invoice_line_item": line, "amount": 500}]
    preview = world.wire.get("/v1/credit_notes/preview", invoice=invoice["id"], lines=lines)
    note = world.wire.post("/v1/credit_notes", invoice=invoice["id"], lines=lines, memo="We are sorry")
    other = world.wire.post("/v1/credit_notes", invoice=invoice["id"], amount=400)
    for each in (note, other):
        paper = visitor.http.get(path_of(each["pdf"]))
        assert (paper.status_code, paper.headers["content-type"], paper.content[:5]) == (200, "application/pdf", b"%PDF-")
        assert paper.headers["content-disposition"] == f'inline; filename="{each["number"]}.pdf"'
    path = path_of(note["pdf"]).removesuffix("/pdf")
    head, _, secret = path.rpartition("_")
    wrong = [
        head, f"{head}_", f"{head}_{secret[:-1]}", f"{path}x", path.replace("/acct_", "/acct_x"), path.replace("/cn_", "/cn_x"),
        f"{head}_{path_of(other['pdf']).removesuffix('/pdf').rpartition('_')[2]}", path_of(preview["pdf"]).removesuffix("/pdf"),
    ]  # fmt: skip
    assert {visitor.http.get(f"{each}/pdf").status_code for each in wrong} == {404}


def test_only_the_whole_address_opens_it(visitor: Visitor) -> None:
    world = visitor.world
    invoice, other = world.sent_invoice(), world.sent_invoice()
    path = path_of(invoice["hosted_invoice_url"])
    head, _, secret = path.rpartition("_")
    wrong = [
        head, f"{head}_", f"{head}_{secret[:-1]}", f"{head}_{secret[:-1]}{'A' if secret[-1] != 'A' else 'B'}", path + "x",
        f"{head}_{path_of(other['hosted_invoice_url']).rpartition('_')[2]}", path.replace("/i/acct_", "/i/acct_x"), "/i/x/y",
    ]  # fmt: skip
    answers = {visitor.http.get(each).text for each in wrong}
    assert {visitor.http.get(each).status_code for each in wrong} == {404}
    assert len({a.replace(path, "") for a in answers}) == 1, "a wrong address says nothing about what exists"


def test_what_is_written_on_an_invoice_never_runs(visitor: Visitor) -> None:
    world = visitor.world
    customer = world.customer(name=PAYLOADS[0], address={"line1": PAYLOADS[1]})
    draft = world.wire.post(
        "/v1/invoices", customer=customer["id"], collection_method="send_invoice", days_until_due=3, footer=PAYLOADS[3],
        description=PAYLOADS[5], custom_fields=[{"name": "<b>PO</b>", "value": PAYLOADS[2]}],
    )  # fmt: skip
    world.item(customer["id"], invoice=draft["id"], description=PAYLOADS[1])
    invoice = world.wire.post(f"/v1/invoices/{draft['id']}/finalize")
    page = visitor.http.get(path_of(invoice["hosted_invoice_url"])).text
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "<b>PO" not in page
    assert "{{7*7}}" in page


# ── the sandbox bank ────────────────────────────────────────────────────────────────────────────────────────────────


def waiting(visitor: Visitor, return_url: str | None = RETURN) -> JSON:
    """A payment that the bank asks its customer about."""
    more: dict[str, Any] = {"return_url": return_url} if return_url else {}
    return visitor.world.paid_intent(2500, token="tok_threeDSecure2Required", **more)


def bank(intent: JSON) -> str:
    action = intent["next_action"]
    address = action["redirect_to_url"]["url"] if action["type"] == "redirect_to_url" else action["use_stripe_sdk"]["stripe_js"]
    return path_of(address)


@pytest.mark.parametrize(("answer", "status", "result"), [
    ("complete", "succeeded", "succeeded"), ("fail", "requires_payment_method", "failed"),
])  # fmt: skip
def test_the_banks_answer_decides_the_payment(visitor: Visitor, answer: str, status: str, result: str) -> None:
    intent = waiting(visitor)
    assert intent["status"] == "requires_action"
    page = visitor.http.get(bank(intent))
    assert page.status_code == 200
    assert "€25.00" in page.text
    assert "Test bakery" in page.text
    assert "form-action 'self' https://shop.example;" in page.headers["content-security-policy"]
    back = visitor.http.post(bank(intent), data={"answer": answer})
    assert back.status_code == 303
    where = urlsplit(back.headers["location"])
    assert (where.scheme, where.netloc, where.path) == ("https", "shop.example", "/done")
    assert parse_qs(where.query) == {
        "order": ["7"], "payment_intent": [intent["id"]], "payment_intent_client_secret": [intent["client_secret"]],
        "redirect_status": [result],
    }  # fmt: skip
    assert visitor.world.wire.get(f"/v1/payment_intents/{intent['id']}")["status"] == status


def test_the_first_answer_stands(visitor: Visitor) -> None:
    intent = waiting(visitor)
    visitor.http.post(bank(intent), data={"answer": "complete"})
    again = visitor.http.post(bank(intent), data={"answer": "fail"})
    assert again.status_code == 404
    assert visitor.http.get(bank(intent)).status_code == 404
    assert visitor.world.wire.get(f"/v1/payment_intents/{intent['id']}")["status"] == "succeeded"


def test_without_a_shop_to_go_back_to_the_page_says_how_it_ended(visitor: Visitor) -> None:
    intent = waiting(visitor, None)
    assert "Confirmed" in visitor.http.post(bank(intent), data={"answer": "complete"}).text
    intent = waiting(visitor, None)
    assert "Not confirmed" in visitor.http.post(bank(intent), data={"answer": "fail"}).text


def test_another_site_cannot_answer_for_the_customer(visitor: Visitor) -> None:
    intent = waiting(visitor)
    answer = visitor.http.post(bank(intent), data={"answer": "complete"}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert visitor.world.wire.get(f"/v1/payment_intents/{intent['id']}")["status"] == "requires_action"


def test_a_card_is_set_up_with_the_banks_word(visitor: Visitor) -> None:
    method = visitor.world.method("tok_threeDSecure2Required")
    intent = visitor.world.setup_intent(payment_method=method["id"], confirm=True, return_url=RETURN)
    assert intent["status"] == "requires_action"
    assert "Confirm your payment method" in visitor.http.get(bank(intent)).text
    back = visitor.http.post(bank(intent), data={"answer": "complete"})
    assert parse_qs(urlsplit(back.headers["location"]).query)["setup_intent"] == [intent["id"]]
    assert visitor.world.wire.get(f"/v1/setup_intents/{intent['id']}")["status"] == "succeeded"


def test_an_invoice_that_waits_for_the_bank_leads_there_and_back(visitor: Visitor) -> None:
    world = visitor.world
    payer = world.payer("tok_threeDSecure2Required")
    subscription = world.subscription(payer["id"], payment_behavior="default_incomplete", expand=["latest_invoice"])
    invoice = subscription["latest_invoice"]
    intents = world.wire.get("/v1/invoice_payments", invoice=invoice["id"])["data"]
    intent = intents[0]["payment"]["payment_intent"]
    world.wire.post(f"/v1/payment_intents/{intent}/confirm", payment_method=payer["invoice_settings"]["default_payment_method"])
    path = path_of(invoice["hosted_invoice_url"])
    page = visitor.http.get(path).text
    link = page.partition('class="button primary" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert link.startswith("/sandbox/3ds/"), page
    back = visitor.http.post(link, data={"answer": "complete"})
    assert (back.status_code, back.headers["location"]) == (303, path)
    assert "Paid on" in visitor.http.get(path).text
    assert world.wire.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "active"


def test_an_invoice_says_who_owes_the_tax(visitor: Visitor) -> None:
    customer = visitor.world.payer(tax_exempt="reverse")
    invoice = visitor.world.paid_invoice(customer["id"])
    said = "Reverse charge: the customer accounts for the VAT"
    assert said in visitor.http.get(path_of(invoice["hosted_invoice_url"])).text
    world = visitor.world
    taxed = world.sent_invoice(customer=customer["id"], default_tax_rates=[world.vat["id"]])
    assert "VAT 21%" not in visitor.http.get(path_of(taxed["hosted_invoice_url"])).text, "which nobody levies"
    other = visitor.world.paid_invoice()
    assert said not in visitor.http.get(path_of(other["hosted_invoice_url"])).text
