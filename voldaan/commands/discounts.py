"""Discounts: coupons redeemed by a customer, a subscription or an invoice, and taken away again."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from voldaan.commands import customers
from voldaan.resources.coupons import Coupon
from voldaan.resources.discounts import Discount, DiscountDelete, DiscountParams, DiscountSource
from voldaan.resources.render import to_dict
from voldaan.rules import coupons as rules
from voldaan.rules.decision import Decision, Event, Refusal, Refused, Update
from voldaan.rules.discounts import ends_at
from voldaan.rules.refusals import exclusive, missing
from voldaan.store.ids import new_id
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write


async def redeem(
    tx: Transaction,
    wanted: Sequence[DiscountParams],
    *,
    customer: str | None,
    subscription: str | None = None,
    subscription_item: str | None = None,
    invoice: str | None = None,
    invoice_item: str | None = None,
    param: str = "discounts",
) -> tuple[list[Discount], Decision]:
    """The discounts that `discounts` of a request asks for, in its order, and what writes them.

    An element that names a discount keeps that one as it is; one that names a coupon redeems it at `tx.now`, under the
    coupon's lock, which is taken after the customer's. `param` is how the list was called in the request.
    """
    kept = await tx.get(Discount, [w.discount for w in wanted])
    coupons = await tx.get(Coupon, [w.coupon for w in wanted], lock=True)
    before = dict(coupons)
    found: list[Discount] = []
    decision = Decision()
    for number, want in enumerate(wanted):
        here = f"{param}[{number}]"
        id = _the_one(want, here)
        if want.discount is not None:
            if id not in kept or kept[id].customer not in (None, customer):
                raise Missing("discount", id, f"{here}[discount]")
            found.append(kept[id])
            continue
        coupon = coupons.get(id)
        if coupon is None or coupon.deleted_at is not None:
            raise Missing("coupon", id, f"{here}[coupon]")
        if no := rules.refusal(coupon, tx.now, f"{here}[coupon]"):
            raise Refused(no)
        coupons[id] = rules.redeemed(coupon)
        discount = Discount(
            id=new_id("di"),
            customer=customer,
            end=ends_at(tx.now, coupon.duration, coupon.duration_in_months),
            invoice=invoice,
            invoice_item=invoice_item,
            source=DiscountSource(coupon=id),
            start=tx.now,
            subscription=subscription,
            subscription_item=subscription_item,
            coupon=id,
        )
        found.append(discount)
        decision.inserts.append(discount)
        if subscription is not None and invoice is None:
            decision.events.append(Event("customer.discount.created", discount))
    decision.updates += [Update(coupon, before[id]) for id, coupon in coupons.items() if coupon is not before[id]]
    return found, decision


def ended(discount: Discount, now: int) -> Decision:
    """What takes the discount away at `now`. Invoices that had it keep it."""
    gone = replace(discount, end=max(now, discount.start))
    return Decision(updates=[Update(gone, discount)], events=[Event("customer.discount.deleted", gone)])


async def delete_of_customer(tx: Transaction, params: DiscountDelete, customer: str) -> dict[str, object]:
    """DELETE /v1/customers/{customer}/discount"""
    was = await customers.living(tx, customer, lock=True)
    if was.discount is None:
        raise Refused(Refusal("resource_missing", f"No active discount for customer: {customer}", status=404))
    after = replace(was, discount=None)
    discount = await tx.need(Discount, was.discount.id)
    told = Event("customer.updated", after, was)
    await write(tx, [ended(discount, tx.now), Decision(updates=[Update(after, was)], events=[told])])
    return deleted(discount)


def deleted(discount: Discount) -> dict[str, object]:
    """A deleted discount as the API shows it: without its end."""
    shown = to_dict(discount)
    del shown["end"]
    return {**shown, "deleted": True}


def _the_one(want: DiscountParams, here: str) -> str:
    """The id that is named. Refuses an element that names none, or several."""
    given = {"coupon": want.coupon, "discount": want.discount, "promotion_code": want.promotion_code}
    named = {name: id for name, id in given.items() if id is not None}
    if not named:
        raise missing(f"{here}[coupon]")
    if len(named) > 1:
        raise exclusive(*(f"{here}[{name}]" for name in named))
    if want.promotion_code is not None:
        raise Missing("promotion_code", want.promotion_code, f"{here}[promotion_code]")
    return next(iter(named.values()))
