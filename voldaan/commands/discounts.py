"""Discounts: coupons redeemed by a customer, a subscription or an invoice, and taken away again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from voldaan.commands import customers, promotion_codes
from voldaan.resources.coupons import Coupon
from voldaan.resources.discounts import Discount, DiscountDelete, DiscountParams, DiscountSource
from voldaan.resources.promotion_codes import PromotionCode
from voldaan.resources.render import to_dict
from voldaan.rules import coupons as rules
from voldaan.rules import promotion_codes as code_rules
from voldaan.rules.decision import Decision, Event, Refusal, Refused, Update
from voldaan.rules.discounts import ends_at
from voldaan.rules.promotion_codes import Named, Redeemer, Redemption
from voldaan.rules.refusals import exclusive, missing, refused
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction
from voldaan.store.writer import write

MOST = 20  # entries of one list


async def know(tx: Transaction, named: Named, wanted: Iterable[DiscountParams]) -> None:
    """Reads what these elements name and is not known yet. Coupons are locked, then codes, each in the order of their ids: who
    knows all of a request at once waits for nobody who waits for it."""
    asked = list(wanted)
    named.discounts |= await tx.get(Discount, {w.discount for w in asked} - named.discounts.keys())
    meant = await tx.get(PromotionCode, {w.promotion_code for w in asked} - named.codes.keys())
    coupons = {*(w.coupon for w in asked), *(code.coupon for code in meant.values())}
    named.coupons |= await tx.get(Coupon, coupons - named.coupons.keys(), lock=True)
    named.codes |= await tx.get(PromotionCode, meant, lock=True)


async def redeem(
    tx: Transaction,
    known: Named,
    wanted: Sequence[DiscountParams],
    so_far: Decision,
    *,
    customer: str | None,
    subscription: str | None = None,
    subscription_item: str | None = None,
    invoice: str | None = None,
    invoice_item: str | None = None,
    param: str = "discounts",
) -> tuple[list[Discount], list[Redemption], Decision]:
    """The discounts that `discounts` of a request asks for, in its order; what was redeemed for them; and what writes it.

    An element that names a discount keeps that one as it is; one that names a coupon, or a promotion code for one,
    redeems it at `tx.now`, under the coupon's lock and then the code's, which are taken after the customer's. Whether
    it suits the currency and the amount of what is bought is for the caller to see. `param` is how the list was called.
    `so_far` is what the same request writes already: it may have redeemed the same coupon for something else.
    `known` is what is read already.
    """
    named = the_ones(wanted, param)
    await know(tx, known, wanted)
    codes = {w.promotion_code: known.codes[w.promotion_code] for w in wanted if w.promotion_code in known.codes}
    ids = {*(w.coupon for w in wanted), *(code.coupon for code in codes.values())}
    coupons = {id: coupon for id, coupon in known.coupons.items() if id in ids}
    for update in so_far.updates:
        if isinstance(update.new, Coupon) and update.new.id in coupons:
            coupons[update.new.id] = update.new
        if isinstance(update.new, PromotionCode) and update.new.id in codes:
            codes[update.new.id] = update.new
    coupons_before, codes_before = dict(coupons), dict(codes)
    who = await redeemer(tx, customer, codes)
    found: list[Discount] = []
    redeemed: list[Redemption] = []
    decision = Decision()
    for (kind, id), here in zip(named, (f"{param}[{number}]" for number in range(len(wanted))), strict=True):
        blamed = f"{here}[{kind}]"
        if kind == "discount":
            if id not in known.discounts or known.discounts[id].customer not in (None, customer):
                raise Missing("discount", id, blamed)
            found.append(known.discounts[id])
            continue
        code = None
        if kind == "promotion_code":
            code = codes.get(id)
            if code is None:
                raise Missing("promotion_code", id, blamed)
            if no := code_rules.refusal(code, coupons[code.coupon], who, tx.now, blamed):
                raise Refused(no)
        coupon = coupons.get(id if code is None else code.coupon)
        if coupon is None or coupon.deleted_at is not None:
            raise Missing("coupon", id, blamed)
        if no := rules.refusal(coupon, tx.now, blamed):
            raise Refused(no)
        redeemed.append(Redemption(blamed, coupon, code))
        coupons[coupon.id] = rules.redeemed(coupon)
        if code is not None:
            codes[code.id] = code_rules.redeemed(code)
        discount = Discount(
            id=new_id("di"),
            customer=customer,
            end=ends_at(tx.now, coupon.duration, coupon.duration_in_months),
            invoice=invoice,
            invoice_item=invoice_item,
            promotion_code=code.id if code else None,
            source=DiscountSource(coupon=coupon.id),
            start=tx.now,
            subscription=subscription,
            subscription_item=subscription_item,
            coupon=coupon.id,
        )
        found.append(discount)
        decision.inserts.append(discount)
        if subscription is not None and invoice is None:
            decision.events.append(Event("customer.discount.created", discount))
    changed = [(c, coupons_before[id]) for id, c in coupons.items() if c is not coupons_before[id]]
    decision.updates += [Update(coupon, was) for coupon, was in changed]
    ended = {coupon.id for coupon, was in changed if was.valid and not coupon.valid}
    for id, code in codes.items():
        if code is not codes_before[id]:
            after = replace(code, active=code.active and code.coupon not in ended)
            decision.add(promotion_codes.changed(after, codes_before[id]))
    decision.add(await promotion_codes.of_coupons_that_ended(tx, ended, codes))
    return found, redeemed, decision


async def redeemer(tx: Transaction, customer: str | None, codes: Mapping[str, PromotionCode]) -> Redeemer:
    """Who redeems; whether they have bought before is asked only where a code wants to know."""
    if customer is None or not any(code.restrictions.first_time_transaction for code in codes.values()):
        return Redeemer(customer)
    [bought] = await tx.one(query("promotion_codes", "has_bought"), customer=customer)
    return Redeemer(customer, bought)


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


def the_ones(wanted: Sequence[DiscountParams], param: str) -> list[tuple[str, str]]:
    """What each element of a `discounts` names: the kind of thing, and its id."""
    if len(wanted) > MOST:
        raise refused(f"You can specify up to {MOST} discounts.", param)
    return [_the_one(want, f"{param}[{number}]") for number, want in enumerate(wanted)]


def _the_one(want: DiscountParams, here: str) -> tuple[str, str]:
    """What kind of thing is named, and its id. Refuses an element that names none, or several."""
    given = {"coupon": want.coupon, "discount": want.discount, "promotion_code": want.promotion_code}
    named = [(kind, id) for kind, id in given.items() if id is not None]
    if not named:
        raise missing(f"{here}[coupon]")
    if len(named) > 1:
        raise exclusive(*(f"{here}[{kind}]" for kind, _ in named))
    return named[0]
