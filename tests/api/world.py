"""Objects of every kind and in every state, made through the API itself, for tests that need one to try something on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

from tests.api.wire import JSON, Wire

MONDAY = 1_772_409_600  # 2 March 2026, 00:00 UTC
DAY = 86_400


@dataclass
class World:
    """One account. Methods make a new object each time; properties are made once and only read from."""

    wire: Wire

    # ---- catalogue ---------------------------------------------------------------------------------------------------

    def product(self, **params: Any) -> JSON:
        return self.wire.post("/v1/products", **{"name": "Bread", **params})

    def price(self, amount: int = 1000, interval: str | None = "month", **params: Any) -> JSON:
        recurring = {"recurring": {"interval": interval}} if interval else {}
        given = {"currency": "eur", "unit_amount": amount, **recurring, **params}
        if "product_data" not in given:
            given.setdefault("product", self.bread["id"])
        return self.wire.post("/v1/prices", **given)

    def coupon(self, **params: Any) -> JSON:
        return self.wire.post("/v1/coupons", **{"percent_off": 25, "duration": "forever", **params})

    def tax_rate(self, **params: Any) -> JSON:
        return self.wire.post("/v1/tax_rates", **{"display_name": "VAT", "inclusive": False, "percentage": 21, **params})

    def shipping_rate(self, amount: int = 500, **params: Any) -> JSON:
        given = {"display_name": "Post", "fixed_amount": {"amount": amount, "currency": "eur"}, **params}
        return self.wire.post("/v1/shipping_rates", **given)

    def meter(self, **params: Any) -> JSON:
        given = {"display_name": "Loaves", "event_name": f"loaves_{uuid4().hex}", "default_aggregation": {"formula": "sum"}}
        return self.wire.post("/v1/billing/meters", **{**given, **params})

    @cached_property
    def loaves(self) -> JSON:
        return self.meter()

    def usage(self, value: str = "2.5", **more: Any) -> JSON:
        """An event of Anna's, as it is sent."""
        payload = {"stripe_customer_id": self.anna["id"], "value": value}
        return {"event_name": self.loaves["event_name"], "payload": payload, **more}

    def metered(self, amount: int = 10, meter: JSON | None = None, **params: Any) -> JSON:
        """A monthly price for each unit that a meter counts: loaves, unless another is given."""
        counted = {"usage_type": "metered", "meter": (meter or self.loaves)["id"]}
        return self.price(amount, recurring={"interval": "month", **counted}, **params)

    def uses(self, customer: str, value: int, at: int) -> None:
        """So many loaves go to the customer."""
        payload = {"stripe_customer_id": customer, "value": str(value)}
        self.wire.post("/v1/billing/meter_events", event_name=self.loaves["event_name"], payload=payload, timestamp=at)

    @cached_property
    def error_report(self) -> JSON:
        """A thin event that tells of an event which could not be counted."""
        self.wire.post("/voldaan/meter_events/bulk", events=[self.usage("much")])
        return self.wire.until("/v2/core/events", lambda page: page["data"])["data"][0]

    @cached_property
    def bread(self) -> JSON:
        return self.product()

    @cached_property
    def monthly(self) -> JSON:
        return self.price(1000)

    @cached_property
    def vat(self) -> JSON:
        return self.tax_rate()

    # ---- tax ---------------------------------------------------------------------------------------------------------

    def dutch(self, *schemes: str, **defaults: str) -> World:
        """The account as a Dutch business that is registered so, with these defaults of tax."""
        self.wire.post("/v1/tax/settings", head_office={"address": {"country": "NL", "city": "Delft"}}, defaults=defaults)
        for scheme in schemes:
            self.register("NL", type=scheme)
        return self

    def register(self, country: str, **options: Any) -> JSON:
        given = {"country": country, "active_from": "now", "country_options": {country.lower(): options}}
        return self.wire.post("/v1/tax/registrations", **given)

    # ---- customers and how they pay ----------------------------------------------------------------------------------

    def customer(self, **params: Any) -> JSON:
        return self.wire.post("/v1/customers", **{"email": "anna@example.com", "name": "Anna", **params})

    def method(self, token: str = "tok_visa", **params: Any) -> JSON:
        return self.wire.post("/v1/payment_methods", **{"type": "card", "card": {"token": token}, **params})

    def attached(self, customer: str, token: str = "tok_visa") -> JSON:
        return self.wire.post(f"/v1/payment_methods/{self.method(token)['id']}/attach", customer=customer)

    def payer(self, token: str = "tok_visa", **params: Any) -> JSON:
        """A customer who pays with this card unless told otherwise."""
        customer = self.customer(**params)
        card = self.attached(customer["id"], token)
        settings = {"default_payment_method": card["id"]}
        return self.wire.post(f"/v1/customers/{customer['id']}", invoice_settings=settings)

    @cached_property
    def anna(self) -> JSON:
        return self.payer()

    def clock(self, at: int = MONDAY) -> JSON:
        return self.wire.post("/v1/test_helpers/test_clocks", frozen_time=at)

    def advance(self, clock: str, to: int) -> JSON:
        """Moves the clock and waits until it is there."""
        path = f"/v1/test_helpers/test_clocks/{clock}"
        self.wire.post(f"{path}/advance", frozen_time=to)
        moved = self.wire.until(path, lambda c: c["status"] != "advancing")
        assert (moved["status"], moved["frozen_time"]) == ("ready", to), moved
        return moved

    # ---- payments ----------------------------------------------------------------------------------------------------

    def intent(self, amount: int = 2000, **params: Any) -> JSON:
        return self.wire.post("/v1/payment_intents", **{"amount": amount, "currency": "eur", **params})

    def paid_intent(self, amount: int = 2000, token: str = "tok_visa", **params: Any) -> JSON:
        given = {"payment_method": self.method(token)["id"], "confirm": True, **params}
        return self.intent(amount, **given)

    def held_intent(self, amount: int = 2000, **params: Any) -> JSON:
        """Authorized, and waiting to be captured."""
        return self.paid_intent(amount, capture_method="manual", **params)

    def setup_intent(self, **params: Any) -> JSON:
        return self.wire.post("/v1/setup_intents", **params)

    def charge(self, **params: Any) -> JSON:
        return self.wire.get(f"/v1/charges/{self.paid_intent(**params)['latest_charge']}")

    def refund(self, **params: Any) -> JSON:
        return self.wire.post("/v1/refunds", **{"charge": self.charge()["id"], **params})

    # ---- billing -----------------------------------------------------------------------------------------------------

    def item(self, customer: str | None = None, **params: Any) -> JSON:
        """An amount that waits for an invoice."""
        customer = customer or self.customer()["id"]
        return self.wire.post("/v1/invoiceitems", **{"customer": customer, "amount": 1500, "currency": "eur", **params})

    def draft(self, customer: str | None = None, **params: Any) -> JSON:
        """A draft over 15.00."""
        customer = customer or self.anna["id"]
        draft = self.wire.post("/v1/invoices", **{"customer": customer, **params})
        self.item(customer, invoice=draft["id"])
        return self.wire.get(f"/v1/invoices/{draft['id']}")

    def open_invoice(self, customer: str | None = None, **params: Any) -> JSON:
        return self.wire.post(f"/v1/invoices/{self.draft(customer, **params)['id']}/finalize")

    def sent_invoice(self, **params: Any) -> JSON:
        """Open, to be paid by transfer within thirty days."""
        return self.open_invoice(collection_method="send_invoice", days_until_due=30, **params)

    def paid_invoice(self, customer: str | None = None) -> JSON:
        return self.wire.post(f"/v1/invoices/{self.open_invoice(customer)['id']}/pay")

    def subscription(self, customer: str | None = None, price: str | None = None, **params: Any) -> JSON:
        given = {"customer": customer or self.anna["id"], "items": [{"price": price or self.monthly["id"]}], **params}
        return self.wire.post("/v1/subscriptions", **given)

    def invoices(self, subscription: str) -> list[JSON]:
        """Those of a subscription, the oldest first."""
        return self.wire.get("/v1/invoices", subscription=subscription, limit=100)["data"][::-1]
