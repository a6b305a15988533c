"""Of what is ours, under /voldaan."""

from __future__ import annotations

from tests.api.calls.filing import METADATA, call, plain
from tests.api.wire import JSON
from tests.api.world import DAY, MONDAY, World

plain("GET /voldaan/billing_settings")
plain("POST /voldaan/billing_settings", draft_seconds=3600, retry_offsets="", retry_final_action="cancel", numbering="customer",
      timezone="UTC", will_be_due_days=0)  # fmt: skip


@call("GET /voldaan/invoices/{}/explain")
def _(w: World):
    return w.paid_invoice()["id"]


plain("POST /voldaan/invoice_rendering_templates", nickname="Winter", footer="Until the thaw", memo="Thank you",
      accent_color="#0a7d5a", page_size="a4", metadata=METADATA)  # fmt: skip


@call("GET /voldaan/invoice_rendering_templates/{}")
def _(w: World):
    return template(w)


@call("POST /voldaan/invoice_rendering_templates/{}", footer="", memo="Thanks", metadata={"a": ""})
def _(w: World):
    return template(w)


@call("GET /v1/invoice_rendering_templates", status="active", limit=3)
def _(w: World):
    template(w)
    return ()


@call("GET /v1/invoice_rendering_templates/{}", version=1)
def _(w: World):
    return template(w)


@call("POST /v1/invoice_rendering_templates/{}/archive")
def _(w: World):
    return template(w)


@call("POST /v1/invoice_rendering_templates/{}/unarchive")
def _(w: World):
    return template(w)


def template(w: World) -> str:
    return w.wire.post("/voldaan/invoice_rendering_templates", footer="Until the thaw")["id"]


@call("POST /voldaan/replays", limit=10)
def _(w: World):
    cheaper = w.price(900)["id"]
    return (), {"start": MONDAY, "end": MONDAY + 10 * 365 * DAY, "prices": [{"price": w.monthly["id"], "replace_with": cheaper}]}


@call("POST /voldaan/subscriptions/quantities", proration_behavior="none")
def _(w: World):
    made = w.subscription(w.payer()["id"])
    return (), {"items": [{"subscription_item": made["items"]["data"][0]["id"], "quantity": 3}]}


@call("POST /voldaan/subscription_items/move", proration_behavior="none")
def _(w: World):
    customer = w.payer()["id"]
    items = [{"price": w.monthly["id"]}, {"price": w.price(700)["id"]}]
    made = w.wire.post("/v1/subscriptions", customer=customer, items=items)
    other = w.subscription(customer, w.price(800)["id"])
    return (), {"subscription_item": made["items"]["data"][0]["id"], "to": other["id"]}


def migration(w: World) -> str:
    old = w.price(1000)["id"]
    w.subscription(w.payer()["id"], old)
    return w.wire.post("/voldaan/price_migrations", price=old, to=w.price(1200)["id"])["id"]


plain("GET /voldaan/price_migrations", status="draft", limit=3)


@call("POST /voldaan/price_migrations", when="now", proration_behavior="create_prorations")
def _(w: World):
    cohort = {"collection_method": "charge_automatically", "currency": "eur", "metadata": {"plan": "old"}, "created": {"gt": 1}}
    return (), {"product": w.product()["id"], "to": w.price(1200)["id"], "filter": cohort}


@call("GET /voldaan/price_migrations/{}")
def _(w: World):
    return migration(w)


@call("GET /voldaan/price_migrations/{}/preview", limit=3)
def _(w: World):
    return migration(w)


@call("POST /voldaan/price_migrations/{}/start")
def _(w: World):
    return migration(w)


@call("POST /voldaan/price_migrations/{}/cancel")
def _(w: World):
    return migration(w)


@call("GET /voldaan/price_migrations/{}/subscriptions", status="pending")
def _(w: World):
    return migration(w)


def contract(w: World, **more: object) -> JSON:
    """A contract over a subscription of a customer who had none."""
    customer = w.payer()["id"]
    subscription = w.subscription(customer)["id"]
    minimum = {"amount": 5000, "interval": "month"}
    given = {"customer": customer, "subscription": subscription, "name": "As agreed", "minimum": minimum, **more}
    return w.wire.post("/voldaan/contracts", **given)


@call("GET /voldaan/contracts", status="active", limit=3)
def _(w: World):
    contract(w)
    return ()


@call("POST /voldaan/contracts", name="Bakers' guild", terms="Thirty days", metadata=METADATA,
      minimum={"amount": 90000, "interval": "year", "early_end": "full"})  # fmt: skip
def _(w: World):
    customer = w.payer()["id"]
    override = {"price": w.monthly["id"], "override_data": {"unit_amount": 800}}
    return (), {"customer": customer, "subscription": w.subscription(customer)["id"], "price_overrides": [override]}


@call("GET /voldaan/contracts/{}", expand=["customer", "subscription"])
def _(w: World):
    return contract(w)["id"]


@call("POST /voldaan/contracts/{}", name="Renamed", terms="", metadata={"a": ""}, price_overrides="")
def _(w: World):
    return contract(w)["id"]


@call("POST /voldaan/contracts/{}/end")
def _(w: World):
    return contract(w)["id"]


@call("GET /voldaan/contracts/{}/commitment_periods", limit=3)
def _(w: World):
    return contract(w)["id"]


@call("GET /voldaan/customers/{}/contract_terms")
def _(w: World):
    return contract(w)["customer"]


@call("GET /voldaan/customers/{}/billing_settings")
def _(w: World):
    return w.customer()["id"]


@call("POST /voldaan/customers/{}/billing_settings", timezone="Europe/Amsterdam")
def _(w: World):
    return w.customer()["id"]
