"""Metadata: fifty keys of one's own on nearly everything, merged key by key."""

from __future__ import annotations

import pytest

from tests.api.world import World

KEEPERS = {
    "customers": lambda w: w.customer(),
    "products": lambda w: w.product(),
    "prices": lambda w: w.price(),
    "coupons": lambda w: w.coupon(),
    "tax_rates": lambda w: w.tax_rate(),
    "shipping_rates": lambda w: w.shipping_rate(),
    "payment_methods": lambda w: w.attached(w.customer()["id"]),
    "payment_intents": lambda w: w.intent(),
    "setup_intents": lambda w: w.setup_intent(),
    "charges": lambda w: w.charge(),
    "refunds": lambda w: w.refund(),
    "invoices": lambda w: w.draft(),
    "invoiceitems": lambda w: w.item(),
    "subscriptions": lambda w: w.subscription(),
    "subscription_items": lambda w: w.subscription()["items"]["data"][0],
}


@pytest.mark.parametrize("noun", KEEPERS)
def test_keys_are_merged_deleted_and_cleared(world: World, noun: str):
    wire, path = world.wire, f"/v1/{noun}/{KEEPERS[noun](world)['id']}"

    def after(**params):
        changed = wire.post(path, **params)["metadata"]
        assert wire.get(path)["metadata"] == changed
        return changed

    assert after(metadata={"a": "1", "b": "2"}) == {"a": "1", "b": "2"}
    assert after(metadata={"b": "3", "c": "4"}) == {"a": "1", "b": "3", "c": "4"}
    assert after(metadata={"a": ""}) == {"b": "3", "c": "4"}
    assert after(metadata={"never": ""}) == {"b": "3", "c": "4"}
    assert after(metadata="") == {}


def test_an_update_says_in_its_event_what_changed(fresh: World):
    customer = fresh.customer(metadata={"a": "1", "b": "2"})["id"]
    fresh.wire.post(f"/v1/customers/{customer}", metadata={"b": "3", "c": "4"})
    event = fresh.wire.get("/v1/events", type="customer.updated")["data"][0]
    assert event["data"]["object"]["metadata"] == {"a": "1", "b": "3", "c": "4"}
    assert event["data"]["previous_attributes"] == {"metadata": {"b": "2", "c": None}}


def test_an_update_without_metadata_leaves_it(world: World):
    customer = world.customer(metadata={"a": "1"})["id"]
    assert world.wire.post(f"/v1/customers/{customer}", name="Bea")["metadata"] == {"a": "1"}


@pytest.mark.parametrize("key", ["a", "Å ø €", "0", "12", "x" * 40, "a.b", "__proto__", "expand", "%"])
def test_keys_are_any_short_text(world: World, key):
    assert world.customer(metadata={key: "v"})["metadata"] == {key: "v"}


@pytest.mark.parametrize("value", ["0", "é" * 500, "{}", "null", " x ", "a\nb", "'\"\\"])
def test_values_are_any_text_and_come_back_as_sent(world: World, value):
    assert world.customer(metadata={"k": value})["metadata"] == {"k": value}


def test_fifty_keys_and_no_more(world: World):
    fifty = {f"k{n}": "v" for n in range(50)}
    customer = world.customer(metadata=fifty)
    assert customer["metadata"] == fifty
    path = f"/v1/customers/{customer['id']}"
    refused = world.wire.refused("POST", path, {"metadata": {"one": "more", "and": "another"}})
    assert refused.error["message"] == "Metadata can have up to 50 keys, but you've set 52."
    assert world.wire.post(path, metadata={"k0": "", "one": "more"})["metadata"]["one"] == "more"
    assert len(world.wire.get(path)["metadata"]) == 50


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"k" * 41: "v"}, "Metadata keys can have up to 40 characters, but you passed in a key that is 41 characters."),
        ({"k": "v" * 501}, "Metadata values can have up to 500 characters, but you passed in a value that is 501 characters."),
        ({"k": ["a", "b"]}, "Invalid string"),
    ],
)
def test_what_is_too_long_is_refused(world: World, metadata, message):
    refused = world.wire.refused("POST", "/v1/customers", {"metadata": metadata})
    assert refused.status == 400
    assert refused.error["message"].startswith(message)
