"""The overview in a real browser: what it shows is what the API says; it fits, it is quiet, it stays fresh."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.api.wire import JSON, Wire
from tests.api.world import DAY, MONDAY, World
from tests.conftest import need, new_account
from tests.web.conftest import Visitor, beside
from tests.web.test_pages import PAYLOADS
from voldaan.web.amounts import money

WIDTHS = {1440: 900, 390: 844}
SCHEMES = ("light", "dark")
MONTH = 31 * DAY
READY = ".kpi, .welcome"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=need("chromium"), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@dataclass
class Window:
    """A page with what its console said."""

    page: Page
    said: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()


Open = Callable[..., Window]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens an address in a browser of its own, and fails the test if its console says anything."""
    windows: list[Window] = []

    def open(address: str, width: int = 1440, scheme: str = "light", **options: Any) -> Window:
        context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme, **options)  # type: ignore[arg-type]
        window = Window(context.new_page())
        window.page.on("console", lambda message: window.said.append(message.text))
        window.page.on("pageerror", lambda error: window.said.append(str(error)))
        window.page.on("dialog", lambda dialog: window.said.append(f"dialog {dialog.message}") or dialog.dismiss())
        window.page.goto(address)
        windows.append(window)
        return window

    yield open
    for window in windows:
        window.page.context.close()
    assert [said for window in windows for said in window.said] == []


# ── a business that has lived ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Bakery:
    visitor: Visitor
    world: World
    clock: str


@pytest.fixture(scope="module")
def bakery(api_server: str, dsn: str) -> Iterator[Bakery]:
    """Four months of subscriptions in two currencies, a decline, a debtor, a refund, somebody who leaves."""
    made = beside(lambda: new_account(dsn, business_name="De Goede Bakkerij"))
    world = World(Wire(api_server, made.secret_key))
    clock = world.clock()["id"]
    yearly, dollars = world.price(24000, "year")["id"], world.price(1900, currency="usd")["id"]
    anna, bob = world.payer(name="Anna de Vries", test_clock=clock), world.payer(name="Bob Jansen", test_clock=clock)
    zoe = world.payer(name="Zoë <b>Müller</b>", test_clock=clock)
    world.subscription(anna["id"])
    growing = world.subscription(bob["id"])
    world.subscription(zoe["id"], dollars)
    world.advance(clock, MONDAY + MONTH)
    late = world.payer(name="Late Payer", test_clock=clock)
    billed = world.subscription(late["id"], collection_method="send_invoice", days_until_due=7)
    failing = world.payer(token="tok_chargeCustomerFail", name="Falling Short", test_clock=clock)
    world.subscription(failing["id"], payment_behavior="allow_incomplete")
    world.wire.post(f"/v1/subscriptions/{growing['id']}", items=[{"id": growing["items"]["data"][0]["id"], "quantity": 3}])
    world.subscription(anna["id"], yearly)
    leaving = world.subscription(world.payer(name="Leaver", test_clock=clock)["id"])
    world.advance(clock, MONDAY + 2 * MONTH)
    world.wire.delete(f"/v1/subscriptions/{leaving['id']}")
    world.refund()
    world.subscription(world.payer(name="Trying", test_clock=clock)["id"], trial_period_days=30)
    world.advance(clock, MONDAY + 3 * MONTH)
    assert billed["collection_method"] == "send_invoice"
    with httpx.Client(base_url=api_server) as http:
        yield Bakery(Visitor(api_server, made.account.id, made.secret_key, world, http, dsn), world, clock)


def every(world: World, path: str, **params: Any) -> list[JSON]:
    """All objects of a list, page by page."""
    found: list[JSON] = []
    while True:
        page = world.wire.get(path, limit=100, **params, **({"starting_after": found[-1]["id"]} if found else {}))
        found += page["data"]
        if not page["has_more"]:
            return found


def a_months_worth(subscription: JSON) -> int:
    """By hand, from the API's object: monthly and yearly prices only."""
    if subscription["status"] not in ("active", "past_due") or subscription["cancel_at_period_end"]:
        return 0
    return sum(
        i["price"]["unit_amount"] * i["quantity"] // {"month": 1, "year": 12}[i["price"]["recurring"]["interval"]]
        for i in subscription["items"]["data"]
    )


# ── what it shows is what the API says ──────────────────────────────────────────────────────────────────────────────


def test_figures_are_those_of_the_api(bakery: Bakery, open_page: Open) -> None:
    window = open_page(bakery.visitor.link())
    expect(window.page).to_have_title(re.compile("De Goede Bakkerij"))
    for currency in ("eur", "usd"):
        window.page.goto(f"{bakery.visitor.address}/?currency={currency}")
        balance = bakery.world.wire.get("/v1/balance")
        for kind in ("available", "pending"):
            amount = sum(part["amount"] for part in balance[kind] if part["currency"] == currency)
            assert window.text(f"#cash-{kind}") == money(amount, currency)
        subscriptions = every(bakery.world, "/v1/subscriptions", status="all", test_clock=bakery.clock)
        worth = sum(a_months_worth(s) for s in subscriptions if s["currency"] == currency)
        assert worth > 0
        assert window.text("#kpi-mrr") == money(worth, currency)
        invoices = [i for i in every(bakery.world, "/v1/invoices", status="open") if i["currency"] == currency]
        assert window.text("#kpi-receivables") == money(sum(i["amount_remaining"] for i in invoices), currency)


def test_subscriptions_are_counted_by_status(bakery: Bakery, open_page: Open) -> None:
    window = open_page(bakery.visitor.link())
    found = every(bakery.world, "/v1/subscriptions", status="all", test_clock=bakery.clock)
    shown = window.text("#customers")
    for status in {s["status"] for s in found if s["currency"] == "eur"}:
        count = sum(1 for s in found if s["status"] == status and s["currency"] == "eur")
        assert re.search(rf"{status.replace('_', ' ').capitalize()}\s+{count}\b", shown), (status, shown)


def test_the_movements_of_the_month_add_up(bakery: Bakery, open_page: Open) -> None:
    window = open_page(bakery.visitor.link())

    def units(text: str) -> int:
        return int(re.sub(r"[^\d−-]", "", text).replace("−", "-") or 0)

    amounts = [units(cell) for cell in window.page.locator("#mrr .bridge dd").all_inner_texts()]
    assert sum(amounts[:-1]) == amounts[-1] > 0
    window.page.locator("#mrr summary").click()
    rows = window.page.locator('table[data-figures="mrr-moves"] tbody tr').all()
    ends = [units(r.locator("td").inner_text()) for r in window.page.locator('table[data-figures="mrr-stand"] tbody tr').all()]
    running = 0
    for row, end in zip(rows, ends, strict=True):
        *moved, net = (units(cell) for cell in row.locator("td").all_inner_texts())
        running += net
        assert (sum(moved), running) == (net, end)


def test_the_books_are_in_order_and_it_says_so(bakery: Bakery, open_page: Open) -> None:
    window = open_page(bakery.visitor.link())
    expect(window.page.locator("#ledger .badge")).to_have_text("Balanced")
    expect(window.page.locator("#ledger .verdict")).to_have_text(re.compile(r"All \d+ hold"), timeout=20_000)
    checks = window.page.locator("#ledger .checks li")
    expect(checks.first).not_to_be_visible()
    window.page.get_by_text("Show what holds").click()
    assert window.text("#ledger .verdict") == f"All {checks.count()} hold"
    expect(checks.last).to_be_visible()
    total = window.page.locator("#ledger tfoot td").all_inner_texts()
    assert total[0] == total[1]


def test_it_is_the_time_of_the_test_clock(bakery: Bakery, open_page: Open) -> None:
    window = open_page(bakery.visitor.link())
    assert "Test clock" in window.text("#head")
    shown = window.page.locator("#head time").first.get_attribute("datetime")
    assert shown == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(MONDAY + 3 * MONTH))


# ── it fits and it is quiet ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("who", ["lived", "fresh"])
def test_it_fits_every_window(
    bakery: Bakery, visitor: Visitor, open_page: Open, tmp_path: Path, who: str, width: int, scheme: str
) -> None:
    window = open_page((bakery.visitor if who == "lived" else visitor).link(), width, scheme)
    page = window.page
    expect(page.locator(READY).first).to_be_visible()
    page.wait_for_load_state("networkidle")
    folder = Path(os.environ.get("VOLDAAN_SCREENSHOTS", tmp_path))
    page.screenshot(path=folder / f"overview-{who}-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    wider = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => !e.closest('.hidden, .scroll, svg, pre')"
        " && e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML.slice(0, 80))"
    )
    assert wider == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(c => Number(c) < 60)")
    assert dark == (scheme == "dark")
    assert page.evaluate("document.fonts.check('14px Inter')")


def test_a_fresh_account_is_told_what_to_do(visitor: Visitor, open_page: Open) -> None:
    window = open_page(visitor.link())
    assert "Nothing has happened yet" in window.text("#welcome")
    assert visitor.address in window.text("#welcome code")


def test_it_works_without_script(bakery: Bakery, open_page: Open) -> None:
    window = open_page(bakery.visitor.link(), java_script_enabled=False)
    window.page.locator(".to-dark").click()
    assert window.page.locator("html").get_attribute("data-theme") == "dark"
    window.page.locator(".switch a", has_text="USD").click()
    assert window.text("#kpi-mrr").startswith("$")
    window.page.get_by_text("Sign out").click()
    expect(window.page).to_have_url(re.compile("/sign-in$"))


def test_the_keyboard_reaches_everything_and_the_way_past_the_head(bakery: Bakery, open_page: Open) -> None:
    window = open_page(bakery.visitor.link())
    window.page.keyboard.press("Tab")
    assert window.page.evaluate("document.activeElement.className") == "skip"
    seen = set()
    for _ in range(30):
        window.page.keyboard.press("Tab")
        seen.add(window.page.evaluate("document.activeElement.textContent.trim().slice(0, 20)"))
        outline = window.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none" or window.page.evaluate("document.activeElement === document.body")
    assert {"EUR", "USD", "Sign out", "Show figures"} <= seen


# ── it stays fresh ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_happens_appears_by_itself(visitor: Visitor, open_page: Open) -> None:
    visitor.world.paid_intent(2000)
    window = open_page(visitor.link())
    before = window.text("#cash-total")
    window.page.locator("#payments summary").click()
    visitor.world.paid_intent(7700)
    expect(window.page.locator("#cash-total")).not_to_have_text(before, timeout=15_000)
    expect(window.page.locator("#payments details")).to_have_attribute("open", "")
    assert window.page.locator("#activity li").count() == 2


def test_the_first_thing_that_happens_makes_the_page_anew(visitor: Visitor, open_page: Open) -> None:
    """With all that it does: figures show under the pointer."""
    window = open_page(visitor.link())
    expect(window.page.locator("#welcome")).to_be_visible()
    visitor.world.paid_intent(2000)
    expect(window.page.locator("#welcome")).to_have_count(0, timeout=15_000)
    window.page.locator('[data-chart="payments"] .column').last.hover()
    expect(window.page.locator('[data-chart="payments"] .tip')).to_be_visible()


def test_light_and_dark_change_at_once_and_stay(visitor: Visitor, open_page: Open) -> None:
    window = open_page(visitor.link())
    with window.page.expect_response("**/theme"):
        window.page.locator(".to-dark").click()
    assert window.page.evaluate("getComputedStyle(document.body).colorScheme || document.documentElement.dataset.theme")
    assert window.page.locator("html").get_attribute("data-theme") == "dark"
    window.page.reload()
    assert window.page.locator("html").get_attribute("data-theme") == "dark"


def test_figures_show_under_the_pointer(bakery: Bakery, open_page: Open) -> None:
    window = open_page(bakery.visitor.link())
    for chart in ("mrr-stand", "mrr-moves", "revenue", "payments"):
        columns = window.page.locator(f'[data-chart="{chart}"] .column')
        columns.last.hover()
        tip = window.page.locator(f'[data-chart="{chart}"] .tip')
        expect(tip).to_be_visible()
        assert "2026" in tip.inner_text()


# ── what people write never runs ────────────────────────────────────────────────────────────────────────────────────


def test_nothing_that_people_write_runs(visitor: Visitor, open_page: Open) -> None:
    for payload in PAYLOADS:
        visitor.world.paid_intent(1000, customer=visitor.world.payer(name=payload)["id"], description=payload)
    window = open_page(visitor.link())
    expect(window.page.locator("#activity li").first).to_be_visible()
    window.page.wait_for_timeout(300)
    assert window.page.locator("main img, main script, main a[href^='javascript']").count() == 0
    assert window.said == []


# ── what customers see ──────────────────────────────────────────────────────────────────────────────────────────────


class Shop(BaseHTTPRequestHandler):
    """A shop on another origin, to which the bank sends its customer back."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b'<!doctype html><title>Shop</title><link rel="icon" href="data:,"><p>Thank you')

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_bank_sends_its_customer_back_to_the_shop(visitor: Visitor, open_page: Open, shop: str, width: int) -> None:
    """Through the page's own policy, which names the shop as the only other place that a form may lead to."""
    intent = visitor.world.paid_intent(2500, token="tok_threeDSecure2Required", return_url=f"{shop}/done")
    window = open_page(intent["next_action"]["redirect_to_url"]["url"], width)
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    window.page.get_by_role("button", name="Complete").click()
    expect(window.page).to_have_title("Shop")
    assert f"payment_intent={intent['id']}" in window.page.url
    assert visitor.world.wire.get(f"/v1/payment_intents/{intent['id']}")["status"] == "succeeded"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_invoice_fits_every_window_and_prints(
    bakery: Bakery, open_page: Open, tmp_path: Path, width: int, scheme: str
) -> None:
    invoice = every(bakery.world, "/v1/invoices", status="open")[0]
    window = open_page(invoice["hosted_invoice_url"], width, scheme)
    expect(window.page.get_by_role("link", name="Download PDF")).to_be_visible()
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    folder = Path(os.environ.get("VOLDAAN_SCREENSHOTS", tmp_path))
    window.page.screenshot(path=folder / f"invoice-{width}-{scheme}.png", full_page=True)
    assert window.page.pdf(format="A4").startswith(b"%PDF")
