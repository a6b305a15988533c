"""Of entitlements: features, products that bring them, and who has them."""

from __future__ import annotations

from tests.api.calls.filing import METADATA, call
from tests.api.waiting import until
from tests.api.world import JSON, World


def feature(w: World) -> JSON:
    """A feature with a lookup key that nobody had."""
    w.made = getattr(w, "made", 0) + 1
    return w.wire.post("/v1/entitlements/features", name="Sourdough", lookup_key=f"sourdough-{w.made}")


def attached(w: World) -> tuple[str, str]:
    """A product with a feature: their ids, the feature's as the product's."""
    product = w.product()["id"]
    place = f"/v1/products/{product}/features"
    return product, w.wire.post(place, entitlement_feature=feature(w)["id"])["id"]


def entitled(w: World) -> JSON:
    """What somebody has who subscribes to a product with a feature."""
    product, _ = attached(w)
    customer = w.payer()["id"]
    w.subscription(customer, w.price(product=product)["id"])
    place = "/v1/entitlements/active_entitlements"
    found = until(lambda: w.wire.get(place, customer=customer), lambda page: page["data"])
    return {**found["data"][0], "customer": customer}


@call("POST /v1/entitlements/features", name="Sourdough", metadata=METADATA)
def _(w: World):
    w.made = getattr(w, "made", 0) + 1
    return (), {"lookup_key": f"made-{w.made}"}


@call("GET /v1/entitlements/features", limit=3)
def _(w: World):
    feature(w)
    return ()


@call("GET /v1/entitlements/features/{}")
def _(w: World):
    return feature(w)["id"]


@call("POST /v1/entitlements/features/{}", name="Rye", metadata={"a": ""}, active=False)
def _(w: World):
    return feature(w)["id"]


@call("GET /v1/entitlements/active_entitlements", limit=3, expand=["data.feature"])
def _(w: World):
    return (), {"customer": entitled(w)["customer"]}


@call("GET /v1/entitlements/active_entitlements/{}")
def _(w: World):
    return entitled(w)["id"]


@call("GET /v1/products/{}/features", limit=3)
def _(w: World):
    return attached(w)[0]


@call("POST /v1/products/{}/features")
def _(w: World):
    return w.product()["id"], {"entitlement_feature": feature(w)["id"]}


@call("GET /v1/products/{}/features/{}")
def _(w: World):
    return attached(w)


@call("DELETE /v1/products/{}/features/{}")
def _(w: World):
    return attached(w)
