"""Random journeys: one customer lives through months of everything that billing can do, on a test clock, over the official SDK.

A seed decides all of it. What a request is refused changes nothing and is counted; what happens is held against itself by
tests/campaign/journey_checks.py after each journey, and each renewal against its preview as it comes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import stripe

JSON = dict[str, Any]
DAY = 86_400
BEGIN = 1_926_201_600  # 15 January 2031, 00:00 UTC: ahead of any registration, and short months lie ahead
HOP = 13 * DAY                    # a clock goes two of its shortest interval at once: weeks
COUNTRIES = ("NL", "DE", "FR", "US")
ZONES = ("UTC", "UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Europe/Amsterdam")
CURRENCIES = ("eur", "usd", "jpy", "kwd")
BAD = "tok_chargeCustomerFail"


class Broken(AssertionError):
    """A journey that showed a fault."""


@dataclass
class Journey:
    """One seed's account, customer and clock; and all that was asked for, to be read when it went wrong."""

    client: stripe.StripeClient
    seed: int
    random: Random = field(init=False)
    said: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    previewed: int = 0
    now: int = BEGIN
    clock: str = ""
    customer: str = ""
    currency: str = "eur"
    event_name: str = ""
    event_names: dict[str, str] = field(default_factory=dict)
    licensed: list[str] = field(default_factory=list)
    metered: list[str] = field(default_factory=list)
    once: str = ""
    coupons: list[str] = field(default_factory=list)
    rates: list[str] = field(default_factory=list)
    features: dict[str, set[str]] = field(default_factory=dict)  # of products
    taxed: bool = False
    events_sent: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    # asking ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, method: str, path: str, **params: Any) -> JSON | None:
        """One request; None if it is refused, which must be told as the API tells it."""
        shown = f"{method} {path} {json.dumps(params)}"
        try:
            answer: JSON = json.loads(self.client.raw_request(method, path, **params).body or "{}")
        except stripe.StripeError as error:
            body = error.json_body if isinstance(error.json_body, dict) else {}
            said = body.get("error", {})
            self.said.append(f"{shown}\n    {error.http_status} {said.get('code')} {said.get('param')}: {said.get('message')}")
            if error.http_status is None or error.http_status >= 500:
                self.faults.append(f"{error.http_status} of {shown}: {error}")
            self.refusals[f"{method} {generic(path)}: {said.get('param')}: {said.get('message')}"[:170]] += 1
            return None
        self.said.append(f"{shown}\n    {answer.get('id', '')} {answer.get('status', '')}")
        return answer

    def need(self, method: str, path: str, **params: Any) -> JSON:
        got = self.ask(method, path, **params)
        if got is None:
            raise Broken(f"refused: {self.said[-1]}")
        return got

    def get(self, path: str, **params: Any) -> JSON:
        return self.need("get", path, **params)

    def every(self, path: str, **params: Any) -> list[JSON]:
        """All of a list."""
        found: list[JSON] = []
        while True:
            more = {"starting_after": found[-1]["id"]} if found else {}
            page = self.get(path, limit=100, **params, **more)
            found += page["data"]
            if not page["has_more"]:
                return found

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def money(self, low: int = 1, high: int = 9_000) -> int:
        """An amount of the journey's currency, in minor units; dinars are charged by ten fils."""
        amount = self.random.randint(low, high)
        return amount * 10 if self.currency == "kwd" else amount

    def subscriptions(self, *statuses: str) -> list[JSON]:
        found = self.get("/v1/subscriptions", customer=self.customer, status="all", limit=100)["data"]
        return [s for s in found if s["status"] in (statuses or ("active", "trialing", "past_due"))]

    def one_of(self, *statuses: str) -> JSON | None:
        found = self.subscriptions(*statuses)
        return self.random.choice(found) if found else None

    # the world ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self) -> None:
        """How the book bills, what is for sale, and who buys."""
        pick = self.random.choice
        self.currency = pick(CURRENCIES)
        self.need(
            "post", "/voldaan/billing_settings", timezone=pick(ZONES), proration=pick(["second", "second", "day"]),
            tax_rounding=pick(["per_rate", "per_line"]), numbering=pick(["customer", "account"]),
            draft_seconds=pick([0, 3600, 3600, 2 * DAY]), retry_final_action=pick(["cancel", "unpaid", "past_due"]),
            upcoming_days=pick([0, 3]),
        )  # fmt: skip
        self.need("post", "/v1/tax/settings", head_office={"address": {"country": "NL", "city": "Delft"}},
                  defaults={"tax_behavior": pick(["exclusive", "inclusive"])})  # fmt: skip
        for kind in ("standard", "oss_union"):
            options = {"nl": {"type": kind}}
            self.need("post", "/v1/tax/registrations", country="NL", active_from="now", country_options=options)
        self.clock = self.need("post", "/v1/test_helpers/test_clocks", frozen_time=self.now)["id"]
        self.taxed = self.chance(0.5)
        address = {"country": pick(COUNTRIES), "postal_code": "94103", "line1": "Mill 1"}
        made = self.need(
            "post", "/v1/customers", name="Anna", email="anna@example.com", test_clock=self.clock, address=address,
            tax_exempt=pick(["none", "none", "none", "exempt", "reverse"]),
        )  # fmt: skip
        self.customer = made["id"]
        self.card("tok_visa")
        if self.chance(0.3):
            self.need("post", f"/voldaan/customers/{self.customer}/billing_settings", timezone=pick(ZONES))
        self.catalogue()

    def card(self, token: str) -> None:
        card = self.need("post", "/v1/payment_methods", type="card", card={"token": token})
        self.need("post", f"/v1/payment_methods/{card['id']}/attach", customer=self.customer)
        self.need("post", f"/v1/customers/{self.customer}", invoice_settings={"default_payment_method": card["id"]})

    def catalogue(self) -> None:
        pick, products = self.random.choice, []
        for name in ("Bread", "Mill"):
            product = self.need("post", "/v1/products", name=name)["id"]
            feature = self.need("post", "/v1/entitlements/features", name=name, lookup_key=name.lower())["id"]
            self.need("post", f"/v1/products/{product}/features", entitlement_feature=feature)
            products.append(product)
            self.features[product] = {name.lower()}

        def price(recurring: JSON | None, **more: Any) -> str:
            given = {"currency": self.currency, "product": pick(products), **more}
            if self.chance(0.3):
                given["tax_behavior"] = pick(["inclusive", "exclusive"])
            return str(self.need("post", "/v1/prices", **given, **({"recurring": recurring} if recurring else {}))["id"])

        month, week, year = {"interval": "month"}, {"interval": "week"}, {"interval": "year"}
        two = {"interval": "month", "interval_count": 2}
        self.licensed = [
            price(month, unit_amount=self.money()), price(month, unit_amount=self.money()), price(month, unit_amount=0),
            price(year, unit_amount=self.money(1_000, 90_000)), price(two, unit_amount=self.money()),
            price(week, unit_amount=self.money(1, 500)),
            price(month, **self.tiers("graduated")), price(month, **self.tiers("volume")),
            price(month, unit_amount=self.money(), transform_quantity={"divide_by": 3, "round": pick(["up", "down"])}),
        ]  # fmt: skip
        if self.currency in ("eur", "usd"):
            self.licensed.append(price(month, unit_amount_decimal="33.333333"))
        for formula in ("sum", pick(["last", "count"])):
            name = f"used_{formula}"
            meter = self.need("post", "/v1/billing/meters", display_name=name, event_name=name,
                              default_aggregation={"formula": formula})["id"]  # fmt: skip
            late = pick(["next_invoice", "credit", "ignore"])
            self.need("post", f"/voldaan/meters/{meter}/policy", late_events=late)
            used = {"interval": pick(["month", "month", "week"]), "usage_type": "metered", "meter": meter}
            whole = {"unit_amount": self.money(1, 40)} if self.currency in ("jpy", "kwd") else {"unit_amount_decimal": "0.7351"}
            for terms in (whole, self.tiers("graduated")):
                self.metered.append(price(used, **terms))
                self.event_names[self.metered[-1]] = name
        self.once = price(None, unit_amount=self.money())
        off = {"amount_off": self.money(1, 2_000), "currency": self.currency}
        for terms in ({"percent_off": 15, "duration": "forever"}, {"percent_off": 33.33, "duration": "once"},
                      {"percent_off": 100, "duration": "once"}, {**off, "duration": "repeating", "duration_in_months": 3},
                      {**off, "duration": "forever"},
                      {"percent_off": 50, "duration": "forever", "applies_to": {"products": products[:1]}}):  # fmt: skip
            self.coupons.append(self.need("post", "/v1/coupons", **terms)["id"])
        for percent, inclusive in ((21, False), (9, True), (2.5, False), (0, False)):
            rate = {"display_name": "VAT", "percentage": percent, "inclusive": inclusive}
            self.rates.append(self.need("post", "/v1/tax_rates", **rate)["id"])

    def tiers(self, mode: str) -> JSON:
        tiers = [
            {"up_to": 3, "unit_amount": self.money(0, 500), "flat_amount": self.money(0, 300)},
            {"up_to": 10, "unit_amount": self.money(0, 400)},
            {"up_to": "inf", "unit_amount": self.money(0, 300), "flat_amount": self.money(0, 100)},
        ]
        return {"billing_scheme": "tiered", "tiers_mode": mode, "tiers": tiers}

    # time ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def advance(self, to: int) -> None:
        """On to an instant, in hops that the clock allows."""
        while self.now < to:
            self.now = min(to, self.now + HOP)
            path = f"/v1/test_helpers/test_clocks/{self.clock}"
            if self.ask("post", f"{path}/advance", frozen_time=self.now) is None:
                raise Broken(f"the clock: {self.said[-1]}")
            while (got := json.loads(self.client.raw_request("get", path).body))["status"] == "advancing":
                pass
            if got["status"] != "ready":
                raise Broken(f"the clock is {got['status']} at {got['frozen_time']}")

    def events(self, count: int) -> None:
        for _ in range(count):
            price = self.random.choice(self.metered)
            at = max(BEGIN, self.now - self.random.choice([0, 60, DAY, 5 * DAY, 20 * DAY]))
            made = self.ask(
                "post", "/v1/billing/meter_events", event_name=self.event_names[price], timestamp=at,
                payload={"stripe_customer_id": self.customer, "value": str(self.random.choice([0, 1, 2, 7, 13, 40]))},
            )  # fmt: skip
            if made:
                self.events_sent.append((made["event_name"], made["identifier"]))

    def run(self, acts: list[Callable[[Journey], object]], weights: list[int], length: int) -> None:
        """Begins, and does so many things of these."""
        self.begin()
        for _ in range(length):
            act = self.random.choices(acts, weights)[0]
            self.said.append(f"-- {act.__name__} at {self.now}")
            self.done[act.__name__] += 1
            act(self)


def generic(path: str) -> str:
    return "/".join("{}" if "_" in part and any(c.isdigit() for c in part) else part for part in path.split("/"))
