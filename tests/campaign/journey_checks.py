"""What must hold on every journey: previews that come true, invoices that explain themselves, a past that computes again."""

from __future__ import annotations

from typing import Any

from tests.campaign.journeys import HOP, JSON, Journey

TOTALS = ("subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax")


def line_facts(line: JSON) -> str:
    """What a line says, in a form that can be sorted and held against another's."""
    priced = (line.get("pricing") or {}).get("price_details") or {}
    return repr((
        line["amount"], line["description"], line.get("quantity"), line["period"]["start"], line["period"]["end"],
        priced.get("price"), sum(d["amount"] for d in line["discount_amounts"] or []),
        sorted((t["amount"], t["taxable_amount"], t["tax_behavior"]) for t in line["taxes"] or []),
        sorted(c["amount"] for c in line.get("pretax_credit_amounts") or []),
    ))  # fmt: skip


def differences(preview: JSON, invoice: JSON, what: str) -> list[str]:
    """Where an invoice is not what was shown before."""
    found = [f"{what}: {invoice['id']} {name} {invoice[name]}, previewed {preview[name]}" for name in TOTALS
             if invoice[name] != preview[name]]  # fmt: skip
    seen, came = sorted(map(line_facts, preview["lines"]["data"])), sorted(map(line_facts, invoice["lines"]["data"]))
    if seen != came:
        found.append(f"{what}: {invoice['id']} lines\n      previewed {only(seen, came)}\n      came      {only(came, seen)}")
    return found


def only(some: list[str], others: list[str]) -> list[str]:
    rest = list(others)
    return [each for each in some if not (each in rest and rest.remove(each) is None)]


def renewal_as_previewed(j: Journey) -> None:
    """On to the next boundary of any subscription; alone there, what it bills is what was shown a second before."""
    ends = sorted((min(i["current_period_end"] for i in s["items"]["data"]), s["id"]) for s in j.subscriptions()
                  if s["items"]["data"])  # fmt: skip
    ends = [e for e in ends if e[0] > j.now + 1]
    if not ends:
        return j.advance(j.now + HOP)
    at, subscription = ends[0]
    j.advance(at - 1)
    was = j.get(f"/v1/subscriptions/{subscription}")
    boundary = min(i["current_period_end"] for i in was["items"]["data"]) if was["items"]["data"] else 0
    alone = len([e for e in ends if e[0] == at]) == 1 and boundary == at
    before = {i["id"] for i in j.get("/v1/invoices", subscription=subscription, limit=100)["data"]}
    shown = j.ask("post", "/v1/invoices/create_preview", subscription=subscription) if alone else None
    j.advance(at)
    if not alone or was["pause_collection"] or was["status"] not in ("active", "trialing", "past_due"):
        return None
    new = [i for i in j.get("/v1/invoices", subscription=subscription, limit=100)["data"] if i["id"] not in before]
    new = [i for i in new if i["billing_reason"] == "subscription_cycle" or i["created"] == at]
    if shown is None:
        if new:
            j.faults.append(f"renewal of {subscription}: {new[0]['id']} came, and no preview")
        return None
    if shown["created"] != at and shown["period_end"] > at + 1:
        return None
    j.previewed += 1
    if len(new) != 1:
        j.faults.append(f"renewal of {subscription} at {at}: {len(new)} invoices came where one was shown")
        return None
    j.faults += differences(shown, new[0], f"renewal of {subscription} at {at}")
    return None


def at_the_end(j: Journey) -> None:
    """All that must hold when a journey is over."""
    found = j.every("/v1/invoices", customer=j.customer)
    for invoice in found:
        why = j.ask("get", f"/voldaan/invoices/{invoice['id']}/explain")
        if why and not why["holds"]:
            wrong = [f"{e['name']} {e['line']}: {e['left']} = {e['right']} ({e['says']})" for e in why["equations"]
                     if not e["holds"]]  # fmt: skip
            j.faults.append(f"explain {invoice['id']} ({invoice['status']}, {invoice['billing_reason']}): {wrong[:4]}")
    replay = j.ask("post", "/voldaan/replays", start=0, end=4_000_000_000, limit=100)
    for each in (replay or {}).get("differences", [])[:5]:
        j.faults.append(f"replay: {each}")
    entitled(j)


def entitled(j: Journey) -> None:
    """Features are those of the products of what gives access."""
    have = {e["lookup_key"] for e in j.get("/v1/entitlements/active_entitlements", customer=j.customer)["data"]}
    due: set[str] = set()
    for subscription in j.subscriptions("active", "trialing", "past_due"):
        for item in subscription["items"]["data"]:
            due |= j.features.get(item["price"]["product"], set())
    if have != due:
        j.faults.append(f"entitled to {sorted(have)}, not {sorted(due)}")


PARKED = """
select kind, subject, left(error, 1500) from due where account_id = %(account)s and parked_at is not null
"""


def parked(connection: Any, account: str) -> list[str]:
    """Work that nobody does any more."""
    return [f"parked: {row}" for row in connection.execute(PARKED, {"account": account}).fetchall()]
