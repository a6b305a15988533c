"""Rendering templates: versions, and what a finalized invoice keeps of the one that it was made with."""

from __future__ import annotations

import pytest
import stripe

from tests.api.world import World

OWN = "/voldaan/invoice_rendering_templates"
STRIPES = "/v1/invoice_rendering_templates"


def test_what_is_seen_makes_a_new_version_and_the_rest_does_not(fresh: World):
    made = fresh.wire.post(OWN, footer="Delft", nickname="Plain")
    assert (made["version"], made["footer"], made["status"]) == (1, "Delft", "active")
    assert fresh.wire.post(f"{OWN}/{made['id']}", nickname="Fancy")["version"] == 1
    changed = fresh.wire.post(f"{OWN}/{made['id']}", footer="Leiden", accent_color="#0A7D5A")
    assert (changed["version"], changed["footer"], changed["accent_color"]) == (2, "Leiden", "#0a7d5a")
    assert fresh.wire.get(f"{STRIPES}/{made['id']}", version=1)["version"] == 1
    assert fresh.wire.refused("GET", f"{STRIPES}/{made['id']}", {"version": 3}).error["param"] == "version"
    assert fresh.wire.refused("POST", OWN, {"accent_color": "red"}).error["param"] == "accent_color"


def test_a_finalized_invoice_keeps_its_version(fresh: World):
    template = fresh.wire.post(OWN, footer="Delft", memo="Thank you", page_size="a4")["id"]
    settings = {"rendering_options": {"template": template}}
    anna = fresh.wire.post(f"/v1/customers/{fresh.payer()['id']}", invoice_settings=settings)["id"]
    invoice = fresh.open_invoice(anna)
    assert (invoice["footer"], invoice["description"]) == ("Delft", "Thank you")
    assert invoice["rendering"]["template_version"] == 1
    assert invoice["rendering"]["pdf"] == {"page_size": "a4"}
    fresh.wire.post(f"{OWN}/{template}", footer="Leiden")
    again = fresh.wire.get(f"/v1/invoices/{invoice['id']}")
    assert (again["footer"], again["rendering"]["template_version"]) == ("Delft", 1)
    newer = fresh.open_invoice(anna, footer="My own")
    assert (newer["footer"], newer["rendering"]["template_version"]) == ("My own", 2)
    older = fresh.open_invoice(anna, rendering={"template": template, "template_version": 1})
    assert (older["footer"], older["rendering"]["template_version"]) == ("Delft", 1)


@pytest.mark.parametrize("version", [0, 2])
def test_a_template_that_cannot_be_used_is_refused_by_name(fresh: World, version: int):
    template = fresh.wire.post(OWN, footer="Delft")["id"]
    anna = fresh.customer()["id"]

    def refused(**rendering: object) -> str:
        return fresh.wire.refused("POST", "/v1/invoices", {"customer": anna, "rendering": rendering}).error["param"]

    assert refused(template="inrtem_nobody") == "rendering[template]"
    assert refused(template_version=1) == "rendering[template_version]"
    assert refused(template=template, template_version=version) == "rendering[template_version]"
    fresh.wire.post(f"{STRIPES}/{template}/archive")
    assert refused(template=template) == "rendering[template]"
    given = {"invoice_settings": {"rendering_options": {"template": template}}}
    param = fresh.wire.refused("POST", f"/v1/customers/{anna}", given).error["param"]
    assert param == "invoice_settings[rendering_options][template]"
    fresh.wire.post(f"{STRIPES}/{template}/unarchive")
    assert fresh.wire.post(f"/v1/customers/{anna}", **given)["invoice_settings"]["rendering_options"]["template"] == template


def test_the_sdk_archives_and_reads_them(client: stripe.StripeClient, secret_key: str, api_server: str):
    from tests.api.wire import Wire

    template = Wire(api_server, secret_key).post(OWN, nickname="Plain")["id"]
    v1 = client.v1
    assert v1.invoice_rendering_templates.archive(template).status == "archived"
    assert [t.id for t in v1.invoice_rendering_templates.list({"status": "archived"})] == [template]
    assert v1.invoice_rendering_templates.unarchive(template).status == "active"
