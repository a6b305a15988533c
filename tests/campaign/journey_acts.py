"""What people do on a journey: each function one thing, drawn by chance from what the customer has."""

from __future__ import annotations

from typing import Any

from tests.campaign.journey_checks import differences, renewal_as_previewed
from tests.campaign.journeys import BAD, COUNTRIES, DAY, HOP, JSON, Journey

PRORATIONS = ["create_prorations", "always_invoice", "none"]
ITEMIZED: JSON = {"type": "flexible", "flexible": {"proration_discounts": "itemized"}}


def items(j: Journey, most: int = 3) -> list[JSON]:
    """Some prices, each once; metered ones without a quantity."""
    chosen = j.random.sample(j.licensed + j.metered, j.random.randint(1, most))
    made = []
    for price in chosen:
        item: JSON = {"price": price}
        if price in j.licensed:
            item["quantity"] = j.random.choice([1, 1, 2, 5, 12, 0])
        if j.chance(0.15):
            item["discounts"] = [{"coupon": j.random.choice(j.coupons)}]
        if not j.taxed and j.chance(0.15):
            item["tax_rates"] = [j.random.choice(j.rates)]
        made.append(item)
    return made


def terms(j: Journey) -> JSON:
    """What a subscription may be held to beside its items."""
    said: JSON = {}
    if j.taxed:
        said["automatic_tax"] = {"enabled": True}
    elif j.chance(0.5):
        said["default_tax_rates"] = j.random.sample(j.rates, j.random.randint(1, 2))
    if j.chance(0.2):
        said["billing_thresholds"] = {"amount_gte": j.money(500, 4_000), "reset_billing_cycle_anchor": j.chance(0.4)}
    if j.chance(0.4):
        said["discounts"] = [{"coupon": c} for c in j.random.sample(j.coupons, j.random.randint(1, 2))]
    return said


def subscribe(j: Journey) -> None:
    if len(j.subscriptions("active", "trialing", "past_due", "paused", "unpaid")) >= 3:
        return advance_some(j)
    said = terms(j)
    if j.chance(0.25):
        said["trial_period_days"] = j.random.choice([1, 7, 30])
    if j.chance(0.3):
        said["billing_mode"] = j.random.choice([{"type": "classic"}, {"type": "flexible"}, ITEMIZED])
    if j.chance(0.2):
        said |= {"collection_method": "send_invoice", "days_until_due": 14}
    if j.chance(0.2):
        said["add_invoice_items"] = [{"price": j.once, "quantity": j.random.choice([1, 3])}]
    if j.chance(0.15):
        said["billing_cycle_anchor"] = j.now + j.random.choice([1, 3, 6]) * DAY
        said["proration_behavior"] = j.random.choice(PRORATIONS[:1] + PRORATIONS[2:])
    elif j.chance(0.15):
        said["backdate_start_date"] = j.now - j.random.choice([3, 20, 45]) * DAY
    if j.chance(0.1):
        said["cancel_at"] = j.now + j.random.choice([20, 75]) * DAY
    if j.chance(0.1):
        said["billing_schedules"] = [in_advance(j)]
    if j.chance(0.15):
        said["pending_invoice_item_interval"] = {"interval": "week"}
    ask = {"customer": j.customer, "currency": j.currency, "items": items(j), **said}
    details = {k: ask[k] for k in ("items",)}
    if set(said) <= {"automatic_tax", "default_tax_rates", "discounts", "billing_mode"}:
        preview_of_new(j, ask, details, said)
    else:
        j.ask("post", "/v1/subscriptions", **ask)
    return None


def preview_of_new(j: Journey, ask: JSON, details: JSON, said: JSON) -> None:
    """A purchase is what its preview said."""
    details |= {k: said[k] for k in ("billing_mode", "default_tax_rates") if k in said}
    outer = {k: said[k] for k in ("automatic_tax", "discounts") if k in said}
    before = j.ask("post", "/v1/invoices/create_preview", customer=j.customer, currency=j.currency,
                   subscription_details=details, **outer)  # fmt: skip
    made = j.ask("post", "/v1/subscriptions", **ask)
    if made and before and made["latest_invoice"]:
        j.previewed += 1
        j.faults += differences(before, j.get(f"/v1/invoices/{made['latest_invoice']}"), f"purchase of {made['id']}")


def quote(j: Journey) -> None:
    """Offered, finalized, and most of the time accepted."""
    lines = items(j)
    if j.chance(0.3):
        lines.append({"price": j.once, "quantity": 1})
    said = {name: what for name, what in terms(j).items() if name != "billing_thresholds"}
    if j.chance(0.3):
        said["subscription_data"] = {"trial_period_days": 7}
    made = j.ask("post", "/v1/quotes", customer=j.customer, line_items=lines, **said)
    if made and j.ask("post", f"/v1/quotes/{made['id']}/finalize") and j.chance(0.8):
        j.ask("post", f"/v1/quotes/{made['id']}/accept")


def schedule(j: Journey) -> None:
    """A ramp: a new one, or one that takes over a subscription."""
    if j.chance(0.5) and (one := j.one_of("active", "trialing")):
        made = j.ask("post", "/v1/subscription_schedules", from_subscription=one["id"])
        if made is None:
            return
        present = made["phases"][0]
        kept = [{k: i[k] for k in ("price", "quantity") if i.get(k) is not None} for i in present["items"]]
        first = {"items": kept, "start_date": present["start_date"], "end_date": present["end_date"]}
        following = {"items": items(j), "duration": {"interval": "month", "interval_count": j.random.choice([1, 2])},
                     "proration_behavior": j.random.choice(PRORATIONS), **terms(j)}  # fmt: skip
        j.ask("post", f"/v1/subscription_schedules/{made['id']}", phases=[first, following],
              end_behavior=j.random.choice(["release", "cancel"]))  # fmt: skip
        return
    if len(j.subscriptions("active", "trialing", "past_due", "paused", "unpaid")) >= 3:
        return
    phases: list[JSON] = []
    for _ in range(j.random.randint(1, 3)):
        phase: JSON = {"items": items(j), "duration": {"interval": j.random.choice(["month", "week"])}, **terms(j),
                       "proration_behavior": j.random.choice(PRORATIONS)}  # fmt: skip
        if j.chance(0.2):
            phase["trial"] = True
        if j.chance(0.2):
            phase["billing_cycle_anchor"] = "phase_start"
        if j.chance(0.2):
            phase["add_invoice_items"] = [{"price": j.once}]
        phases.append(phase)
    start = j.random.choice(["now", j.now + 5 * DAY])
    j.ask("post", "/v1/subscription_schedules", customer=j.customer, start_date=start, phases=phases,
          end_behavior=j.random.choice(["release", "cancel"]))  # fmt: skip


def end_schedule(j: Journey) -> None:
    running = [s for s in j.get("/v1/subscription_schedules", customer=j.customer, limit=100)["data"]
               if s["status"] in ("active", "not_started")]  # fmt: skip
    if running:
        one = j.random.choice(running)
        j.ask("post", f"/v1/subscription_schedules/{one['id']}/{j.random.choice(['cancel', 'release'])}")


def change(j: Journey) -> None:
    """Another quantity or price, an item more or less."""
    one = j.one_of()
    if one is None:
        return subscribe(j)
    own = one["items"]["data"]
    item = j.random.choice(own)
    said: JSON = {"proration_behavior": j.random.choice(PRORATIONS)}
    kind = j.random.choice(["quantity", "price", "more", "less"])
    taken = {i["price"]["id"] for i in own}
    if kind == "quantity" and "quantity" in item:
        said["items"] = [{"id": item["id"], "quantity": j.random.choice([0, 1, 2, 4, 9])}]
    elif kind == "price":
        free = [p for p in (j.licensed if "quantity" in item else j.metered) if p not in taken]
        said["items"] = [{"id": item["id"], "price": j.random.choice(free)}]
    elif kind == "less" and len(own) > 1:
        said["items"] = [{"id": item["id"], "deleted": True}]
    else:
        said["items"] = [i for i in items(j, 1) if i["price"] not in taken]
    if j.chance(0.2):
        said["payment_behavior"] = j.random.choice(["pending_if_incomplete", "error_if_incomplete"])
    if j.chance(0.1):
        said["billing_cycle_anchor"] = {"type": "now"}
    previewable = "payment_behavior" not in said and "billing_cycle_anchor" not in said
    if previewable and said["proration_behavior"] == "always_invoice":
        return previewed_change(j, one, said)
    j.ask("post", f"/v1/subscriptions/{one['id']}", **said)
    return None


def previewed_change(j: Journey, one: JSON, said: JSON) -> None:
    before = j.ask("post", "/v1/invoices/create_preview", subscription=one["id"], subscription_details=said)
    made = j.ask("post", f"/v1/subscriptions/{one['id']}", **said)
    if made and before and made["latest_invoice"] not in (None, one["latest_invoice"]):
        j.previewed += 1
        j.faults += differences(before, j.get(f"/v1/invoices/{made['latest_invoice']}"), f"change of {one['id']}")


def wonder(j: Journey) -> None:
    """What would it cost? Asked only: whatever is answered, nothing may fail."""
    one = j.one_of("active", "trialing", "past_due", "paused", "unpaid")
    if one is None:
        return
    own = [{"id": item["id"], **({"quantity": 3} if "quantity" in item else {})} for item in one["items"]["data"]]
    said: JSON = j.random.choice([
        {"cancel_at": j.now + 2 * DAY}, {"cancel_at_period_end": True}, {"cancel_now": True},
        {"cancel_now": True, "proration_behavior": "none"}, {"trial_end": j.now + 9 * DAY}, {"trial_end": "now"},
        {"billing_cycle_anchor": {"type": "now"}}, {"items": own}, {"items": [*own, *items(j, 1)], "trial_end": j.now + DAY},
        {"items": [{"id": own[0]["id"], "deleted": True}, *items(j, 1)], "proration_behavior": "none"},
        {"pause": {"invoicing_behavior": "invoice"}}, {"resume_at": "now"}, {"items": own, "proration_date": j.now - 3_600},
    ])  # fmt: skip
    more: JSON = {"preview_mode": "recurring"} if j.chance(0.2) else {}
    if j.chance(0.2):
        more["invoice_items"] = [{"amount": j.money(), "currency": j.currency}]
    if one["schedule"] and j.chance(0.5):
        j.ask("post", "/v1/invoices/create_preview", schedule=one["schedule"])
    j.ask("post", "/v1/invoices/create_preview", subscription=one["id"], subscription_details=said, **more)
    j.ask("get", f"/voldaan/customers/{j.customer}/usage")
    j.ask("get", f"/voldaan/customers/{j.customer}/contract_terms")
    j.ask("get", "/v1/billing/credit_balance_summary", customer=j.customer,
          filter={"type": "applicability_scope", "applicability_scope": {"price_type": "metered"}})  # fmt: skip


def change_terms(j: Journey) -> None:
    one = j.one_of()
    if one is None:
        return
    said: JSON = j.random.choice([
        {"discounts": [{"coupon": j.random.choice(j.coupons)}]}, {"discounts": ""},
        {"trial_end": "now"}, {"trial_end": j.now + 9 * DAY, "proration_behavior": j.random.choice(PRORATIONS)},
        {"cancel_at_period_end": True}, {"cancel_at_period_end": False}, {"cancel_at": j.now + 10 * DAY}, {"cancel_at": ""},
        {"billing_cycle_anchor": {"type": "now"}, "proration_behavior": j.random.choice(PRORATIONS)},
        {"pause_collection": {"behavior": j.random.choice(["void", "keep_as_draft", "mark_uncollectible"])}},
        {"pause_collection": ""}, {"collection_method": "send_invoice", "days_until_due": 5},
        {"collection_method": "charge_automatically"},
        {"billing_thresholds": {"amount_gte": j.money(100, 2_000)}}, {"billing_thresholds": ""},
        {"default_tax_rates": "" if j.taxed else [j.random.choice(j.rates)]},
    ])  # fmt: skip
    j.ask("post", f"/v1/subscriptions/{one['id']}", **said)


def pause_or_resume(j: Journey) -> None:
    if paused := j.one_of("paused"):
        anchor = {"type": j.random.choice(["now", "unchanged"])}
        j.ask("post", f"/v1/subscriptions/{paused['id']}/resume", billing_cycle_anchor=anchor,
              proration_behavior=j.random.choice(PRORATIONS))  # fmt: skip
    elif one := j.one_of("active"):
        j.ask("post", f"/v1/subscriptions/{one['id']}/pause",
              invoicing_behavior=j.random.choice(["invoice", "pending_invoice_item"]))  # fmt: skip


def pause_by_schedule(j: Journey) -> None:
    """Agreed in a schedule of its own, or in the one that there is; changed, or taken back."""
    one = j.one_of("active", "past_due", "trialing", "paused")
    if one is None:
        return
    pause: JSON = {"pause_at": {"type": "timestamp", "timestamp": j.now + j.random.choice([1, 5, 20, 45]) * DAY}}
    if j.chance(0.2):
        pause = {"pause_at": {"type": "now"}}
    unused = j.random.choice(["item_current_period_start", "none", "pause_at"])
    pause["settings"] = {"invoicing_behavior": j.random.choice(["invoice", "pending_invoice_item"]),
                         "bill_for": {"unused_time_from": {"type": unused}}}  # fmt: skip
    duration = {"interval": "day", "interval_count": j.random.choice([3, 10, 40])}
    resume: JSON = {"resume_at": {"type": "duration", "duration": duration}, "settings": {
        "billing_cycle_anchor": j.random.choice(["resume_at", "unchanged"]), "proration_behavior": j.random.choice(PRORATIONS),
        "payment_behavior": j.random.choice(["resume_on_payment_attempt", "resume_on_payment_success"])}}  # fmt: skip
    entry: JSON = {"resume": resume} if one["status"] == "paused" else {"pause": pause}
    if j.chance(0.7):
        entry["resume"] = resume
    if one["schedule"] is None:
        j.ask("post", "/v1/subscription_schedules", from_subscription=one["id"], pause_schedules=[entry])
        return
    path = f"/v1/subscription_schedules/{one['schedule']}"
    agreed = j.get(path)["pause_schedules"]
    if agreed and j.chance(0.8):
        entry["key"] = agreed[0]["key"]
    j.ask("post", path, pause_schedules="" if agreed and j.chance(0.2) else [entry])


def in_advance(j: Journey) -> JSON:
    """Billed until then; by periods, or to some instant within one."""
    if j.chance(0.3):
        return {"bill_until": {"type": "timestamp", "timestamp": j.now + j.random.choice([40, 95]) * DAY}}
    duration = {"interval": "month", "interval_count": j.random.choice([1, 2, 4])}
    return {"bill_until": {"type": "duration", "duration": duration}}


def bill_in_advance(j: Journey) -> None:
    if one := j.one_of("active", "trialing", "past_due"):
        said: JSON = {"billing_schedules": "" if one["billing_schedules"] and j.chance(0.3) else [in_advance(j)]}
        if j.chance(0.3):
            j.ask("post", "/v1/invoices/create_preview", subscription=one["id"], subscription_details=said)
        j.ask("post", f"/v1/subscriptions/{one['id']}", **said)


def itemize(j: Journey) -> None:
    if one := j.one_of():
        j.ask("post", f"/v1/subscriptions/{one['id']}/migrate", billing_mode=ITEMIZED)


def cancel(j: Journey) -> None:
    if one := j.one_of():
        j.ask("delete", f"/v1/subscriptions/{one['id']}", invoice_now=j.chance(0.5), prorate=j.chance(0.5))


def use(j: Journey) -> None:
    j.events(j.random.randint(1, 4))


def unuse(j: Journey) -> None:
    if j.events_sent:
        name, identifier = j.events_sent.pop()
        j.ask("post", "/v1/billing/meter_event_adjustments", event_name=name, type="cancel", cancel={"identifier": identifier})


def grant(j: Journey) -> None:
    scope: JSON = {"price_type": "metered"} if j.chance(0.6) else {"prices": [{"id": j.random.choice(j.metered)}]}
    said: JSON = {"priority": j.random.choice([0, 50, 90]), "category": j.random.choice(["paid", "promotional"])}
    if j.chance(0.4):
        said["expires_at"] = j.now + 40 * DAY
    j.ask("post", "/v1/billing/credit_grants", customer=j.customer, applicability_config={"scope": scope},
          amount={"type": "monetary", "monetary": {"currency": j.currency, "value": j.money(1, 900)}}, **said)  # fmt: skip


def end_grant(j: Journey) -> None:
    if found := j.get("/v1/billing/credit_grants", customer=j.customer, limit=50)["data"]:
        j.ask("post", f"/v1/billing/credit_grants/{j.random.choice(found)['id']}/{j.random.choice(['expire', 'void'])}")


def balance(j: Journey) -> None:
    amount = j.money(1, 3_000) * j.random.choice([-1, -1, 1])
    j.ask("post", f"/v1/customers/{j.customer}/balance_transactions", amount=amount, currency=j.currency)


def contract(j: Journey) -> None:
    found = [c for c in j.get("/voldaan/contracts", customer=j.customer, limit=50)["data"] if c["status"] == "active"]
    if found and j.chance(0.4):
        j.ask("post", f"/voldaan/contracts/{j.random.choice(found)['id']}/end")
    elif one := j.one_of("active", "trialing"):
        said: JSON = {"subscription": one["id"]}
        if j.chance(0.7):
            said["minimum"] = {"amount": j.money(1_000, 20_000), "interval": j.random.choice(["month", "month", "year"]),
                               "early_end": j.random.choice(["prorate", "full"])}  # fmt: skip
        if j.chance(0.5) or "minimum" not in said:
            said["price_overrides"] = [{"price": j.licensed[0], "override_data": {"unit_amount": j.money()}}]
        j.ask("post", "/voldaan/contracts", customer=j.customer, name="As agreed", **said)


def invoice_item(j: Journey) -> None:
    said: JSON = {"amount": j.money(1, 900) * j.random.choice([1, 1, -1]), "currency": j.currency}
    if j.chance(0.5) and (one := j.one_of()):
        said["subscription"] = one["id"]
    if not j.taxed and j.chance(0.3):
        said["tax_rates"] = [j.random.choice(j.rates)]
    j.ask("post", "/v1/invoiceitems", customer=j.customer, **said)


def invoice(j: Journey) -> None:
    """By hand, of what waits."""
    said: JSON = {"automatic_tax": {"enabled": True}} if j.taxed else {}
    made = j.ask("post", "/v1/invoices", customer=j.customer, currency=j.currency,
                 pending_invoice_items_behavior=j.random.choice(["include", "exclude"]), **said)  # fmt: skip
    if made is None:
        return
    j.ask("post", "/v1/invoiceitems", customer=j.customer, invoice=made["id"], amount=j.money(0, 5_000), currency=j.currency)
    if j.chance(0.8):
        j.ask("post", f"/v1/invoices/{made['id']}/finalize", auto_advance=j.chance(0.5))


def invoices(j: Journey, *statuses: str) -> list[JSON]:
    return [i for i in j.get("/v1/invoices", customer=j.customer, limit=100)["data"] if i["status"] in statuses]


def handle_invoice(j: Journey) -> None:
    found = invoices(j, "draft", "open", "uncollectible")
    if not found:
        return
    one = j.random.choice(found)
    if one["status"] == "draft":
        j.ask("post", f"/v1/invoices/{one['id']}/finalize")
        return
    verb = j.random.choice(["pay", "void", "mark_uncollectible", "pay", "revise"])
    if verb == "revise" and one["parent"]:
        return
    if verb == "revise":
        said: JSON = {"action": "revision", "invoice": one["id"]}
        if (made := j.ask("post", "/v1/invoices", from_invoice=said)) and j.chance(0.8):
            j.ask("post", f"/v1/invoices/{made['id']}/finalize")
        return
    more: JSON = {"paid_out_of_band": True} if verb == "pay" and j.chance(0.3) else {}
    j.ask("post", f"/v1/invoices/{one['id']}/{verb}", **more)


def credit_note(j: Journey) -> None:
    if j.chance(0.2):
        if notes := j.get("/v1/credit_notes", customer=j.customer, limit=20)["data"]:
            j.ask("post", f"/v1/credit_notes/{j.random.choice(notes)['id']}/void")
        return
    found = [i for i in invoices(j, "open", "paid") if i["lines"]["data"]]
    if not found:
        return
    one = j.random.choice(found)
    said: JSON = {"invoice": one["id"]}
    if j.chance(0.5):
        line = j.random.choice(one["lines"]["data"])
        said["lines"] = [{"type": "invoice_line_item", "invoice_line_item": line["id"], "amount": line["amount"]}]
        off = [*(line["discount_amounts"] or []), *(line["pretax_credit_amounts"] or [])]
        credits = {p["amount"] for p in off if p.get("type") == "credit_balance_transaction"}
        total = line["amount"] - sum(d["amount"] for d in line["discount_amounts"] or []) - sum(credits)
        total += sum(t["amount"] for t in line["taxes"] or [] if t["tax_behavior"] == "exclusive")
    else:
        total = j.money(1, 1 + one["total"] // (10 if j.currency == "kwd" else 1) // 2) if one["total"] > 20 else one["total"]
        said["amount"] = total
    if total <= 0:
        return
    if one["status"] == "paid":
        said[j.random.choice(["credit_amount", "credit_amount", "refund_amount", "out_of_band_amount"])] = total
    seen = j.ask("get", "/v1/credit_notes/preview", **said)
    made = j.ask("post", "/v1/credit_notes", **said)
    if (made is None) != (seen is None):
        j.faults.append(f"credit note: {j.said[-2:]}")
    if made and seen and any(made[k] != seen[k] for k in ("total", "subtotal", "pre_payment_amount", "post_payment_amount")):
        j.faults.append(f"credit note {made['id']} is not its preview")


def customer_changes(j: Journey) -> None:
    if j.chance(0.5):
        j.card(j.random.choice(["tok_visa", "tok_visa", BAD]))
    else:
        said: dict[str, Any] = {"address": {"country": j.random.choice(COUNTRIES), "postal_code": "94103"}}
        if j.chance(0.4):
            said["tax_exempt"] = j.random.choice(["none", "exempt", "reverse"])
        j.ask("post", f"/v1/customers/{j.customer}", **said)


def advance_some(j: Journey) -> None:
    j.advance(j.now + j.random.choice([1, 3_600, DAY, 4 * DAY, HOP]))


ACTS = {
    subscribe: 8, quote: 4, schedule: 5, end_schedule: 2, change: 14, wonder: 8, change_terms: 10, pause_or_resume: 5, cancel: 3,
    pause_by_schedule: 6, bill_in_advance: 6, itemize: 2,
    use: 12, unuse: 2, grant: 5, end_grant: 1, balance: 3, contract: 5, invoice_item: 5, invoice: 3, handle_invoice: 6,
    credit_note: 8, customer_changes: 4, advance_some: 10, renewal_as_previewed: 22,
}  # fmt: skip
