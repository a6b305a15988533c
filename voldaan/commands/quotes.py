"""Quotes: drafted, finalized with a number, accepted or not. Accepting one makes what it offers in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from voldaan.commands import agreed_discounts, automatic_tax, billing, clocks, customers, posting, quote_fields, quote_lines
from voldaan.commands.answers import Answer
from voldaan.documents import quotes as documents
from voldaan.documents.sheets import Paper
from voldaan.resources.base import UNSET
from voldaan.resources.customers import Customer
from voldaan.resources.quotes import (
    FromQuote,
    Quote,
    QuoteAccept,
    QuoteBillingMode,
    QuoteCancel,
    QuoteCreate,
    QuoteFinalize,
    QuoteLineItem,
    QuotePdf,
    QuoteUpdate,
)
from voldaan.resources.tax_ids import TaxId
from voldaan.resources.tax_rates import TaxRate
from voldaan.resources.tax_settings import TaxSettings
from voldaan.rules import quotes as rules
from voldaan.rules import schedules
from voldaan.rules.billing_facts import BillingFacts
from voldaan.rules.customer_balance_transactions import refusal as other_currency
from voldaan.rules.decision import Decision, Due, Event, Refused, Update
from voldaan.rules.invoice_items import check_currency
from voldaan.rules.metadata import merged
from voldaan.rules.quote_amounts import Offer, computed, price_id
from voldaan.rules.refusals import refused
from voldaan.rules.subscription_fields import billing_mode
from voldaan.rules.subscription_items import NewItem, check_amounts, check_items
from voldaan.store.children import embed
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction
from voldaan.store.writer import write

OTHER_CLOCK = "The quote and its customer must be on the same test clock."
STAYS = {"expand", "metadata"}  # what may be said of a quote that is no draft any more


async def create(tx: Transaction, params: QuoteCreate) -> Quote:
    """A draft; or a copy of another quote, perhaps to revise it."""
    if params.from_quote is not None:
        return await _copy(tx, params)
    facts, customer = await _load(tx, params.customer)
    clock = await _clock(tx, params.test_clock, customer)
    decision = Decision()
    quote = Quote(
        id=new_id("qt"),
        created=tx.now,
        customer=params.customer,
        expires_at=tx.now + rules.KEPT,
        livemode=tx.account.livemode,
        test_clock=clock,
    )
    quote = await quote_fields.said(tx, facts, quote, params, decision)
    if (data := params.subscription_data) and data.billing_mode:
        mode = billing_mode(data.billing_mode)
        said = QuoteBillingMode(type=mode.type, flexible=mode.flexible or UNSET)
        quote = replace(quote, subscription_data=replace(quote.subscription_data, billing_mode=said))
    items = await quote_lines.items(tx, facts, quote, params.line_items, [], decision)
    quote, drawn, upfront = _priced(tx, facts, quote, items, customer)
    decision.inserts += [quote, *drawn, *upfront]
    decision.events.append(Event("quote.created", quote))
    decision.due.append(_expiry(quote))
    await write(tx, [decision])
    await billing.keep_number(tx, facts)
    return quote


async def update(tx: Transaction, params: QuoteUpdate, id: str) -> Quote:
    """Changes a draft, and what it comes to. Of a quote that is finalized only the metadata."""
    was, own, upfront_before = await _quote(tx, id)
    given = params.model_fields_set
    if was.status != "draft":
        if other := sorted(given - STAYS):
            raise refused(f"You can only update `{other[0]}` of a quote that is a draft; revise it instead.", other[0])
        changed = replace(was, metadata=merged(was.metadata, params.metadata) if "metadata" in given else was.metadata)
        await write(tx, [Decision(updates=[Update(changed, was)])])
        return changed
    if was.customer is not None and params.customer not in (None, was.customer):
        raise refused("The customer of a quote cannot be changed.", "customer")
    facts, customer = await _load(tx, was.customer or params.customer)
    if customer is not None and customer.test_clock != was.test_clock:
        raise refused(OTHER_CLOCK, "customer")
    await clocks.now_for(tx, was.test_clock)
    decision = Decision()
    await _know(tx, facts, was, own)
    changed = await quote_fields.said(tx, facts, replace(was, customer=was.customer or params.customer), params, decision)
    items = own if params.line_items is None else await quote_lines.items(tx, facts, changed, params.line_items, own, decision)
    changed, drawn, upfront = _priced(tx, facts, changed, items, customer)
    kept = {item.id: item for item in own}
    stays = {item.id for item in drawn}
    decision.deletes += [*(item for item in own if item.id not in stays), *upfront_before]
    decision.updates += [Update(changed, was), *(Update(item, kept[item.id]) for item in drawn if item.id in kept)]
    decision.inserts += [*(item for item in drawn if item.id not in kept), *upfront]
    decision.add(_put_off(changed, was))
    await write(tx, [decision])
    await billing.keep_number(tx, facts)
    return changed


async def finalize(tx: Transaction, params: QuoteFinalize, id: str) -> Quote:
    """The offer stands: it has a number, and can be accepted until it expires. What it revises does not stand any more."""
    was, own, upfront_before = await _quote(tx, id)
    rules.after(was, "finalize")
    facts, customer = await _load(tx, was.customer)
    now = await clocks.now_for(tx, was.test_clock)
    await _know(tx, facts, was, own)
    priced, drawn, upfront = _priced(tx, facts, was, own, customer)
    if no := rules.cannot_finalize(priced, own):
        raise Refused(no)
    if params.expires_at is not None:
        priced = replace(priced, expires_at=quote_fields.future(params.expires_at, now))
    decision = Decision()
    sequence, revision = await _number(tx, was, decision, now)
    prefix = customer.invoice_prefix if customer else ""
    opened, change = rules.moved(
        priced, "finalize",
        finalized_at=now, sequence=sequence, revision=revision, number=f"QT-{prefix}-{sequence:04}-{revision}",
    )  # fmt: skip
    decision.updates = [Update(opened, was), *decision.updates, *(Update(n, w) for n, w in zip(drawn, own, strict=True))]
    decision.deletes += upfront_before
    decision.inserts += upfront
    decision.events = [*decision.events, *change.events]
    decision.add(_put_off(opened, was))
    await write(tx, [decision])
    await billing.keep_number(tx, facts)
    return opened


async def accept(tx: Transaction, params: QuoteAccept, id: str) -> Quote | Answer:
    """The customer says yes: an invoice for what is billed once, a subscription, or a schedule for later."""
    was, own, _ = await _quote(tx, id)
    facts, customer = await _load(tx, was.customer)
    now = await clocks.now_for(tx, was.test_clock)
    rules.after(was, "accept")
    if customer is None or was.expires_at <= now:
        raise refused("The quote has expired.", code="quote_expired")
    if no := other_currency(customer, was.currency or ""):
        raise Refused(no)
    await _know(tx, facts, was, own)
    await agreed_discounts.lock_coupons(tx, facts, [*was.wanted, *(d for item in own for d in item.wanted)])
    await billing.number_whole_book(tx, facts)
    offer = _offer(tx, facts, was, own, customer)
    if not offer.recurring:
        invoice, made = rules.invoice_of(offer)
        became: dict[str, Any] = {"invoice": invoice.id}
    elif (was.subscription_data.effective_date or 0) > now:
        schedule, made = await _schedule(tx, offer)
        became = {"subscription_schedule": schedule}
    else:
        subscription, made = rules.subscription_of(offer)
        became = {"subscription": subscription, "invoice": facts.parties.subscriptions[subscription].latest_invoice}
    accepted, change = rules.moved(was, "accept", accepted_at=now, **became)
    made.add(change).add(await agreed_discounts.codes_of_ended_coupons(tx, made))
    await write(tx, [posting.post(made, now)])
    await billing.keep_number(tx, facts)
    return Answer(id, Quote) if made.attempts else accepted


async def cancel(tx: Transaction, params: QuoteCancel, id: str) -> Quote:
    """The offer is taken back, or was turned down."""
    was = await tx.need(Quote, id, lock=True)
    now = await clocks.now_for(tx, was.test_clock)
    canceled, decision = rules.moved(was, "cancel", canceled_at=now)
    await write(tx, [decision])
    return canceled


async def pdf(tx: Transaction, params: QuotePdf, id: str) -> Paper:
    """A quote that was finalized, on paper."""
    quote = await tx.need(Quote, id)
    if quote.finalized_at is None or quote.customer is None:
        raise refused("Only a quote that was finalized has a PDF.", code="quote_not_finalized")
    items = await tx.select(QuoteLineItem, "t.quote_id = %(quote)s and not t.upfront", quote=id)
    await embed(tx, items)
    customer = await tx.need(Customer, quote.customer)
    tax_ids = await tx.select(TaxId, "t.customer_id = %(customer)s", customer=customer.id)
    rates = await tx.get(TaxRate, [*quote.default_tax_rates, *(id for item in items for id in item.tax_rates)])
    settings = await tx.select(TaxSettings, "true")
    office = settings[0].head_office if settings else None
    sheet = documents.sheet(tx.account, office.address if office else None, quote, items, customer, tax_ids, rates)
    return Paper(sheet, quote.finalized_at, f"{quote.number}.pdf")


async def expire(tx: Transaction, subjects: list[str]) -> None:
    """Due work quote.expire: nobody has accepted it in time."""
    decision = Decision()
    for was in (await tx.get(Quote, subjects, lock=True)).values():
        if was.status in ("draft", "open") and was.expires_at <= tx.now:
            decision.add(rules.moved(was, "cancel", canceled_at=tx.now)[1])
    await write(tx, [decision])


# Pieces ----------------------------------------------------------------------------------------------------------------


async def _load(tx: Transaction, id: str | None) -> tuple[BillingFacts, Customer | None]:
    """The facts, with the customer locked if there is one already."""
    facts = await billing.load(tx, customers=[] if id is None else [id], pending=False)
    return facts, None if id is None else billing.living(facts, id)


async def _quote(tx: Transaction, id: str) -> tuple[Quote, list[QuoteLineItem], list[QuoteLineItem]]:
    """The quote, locked after its customer, its lines, and those that show what the first invoice will have of them."""
    found = await tx.need(Quote, id)
    if found.customer is not None:
        await tx.get(Customer, [found.customer], lock=True)
    quote = await tx.need(Quote, id, lock=True)
    items = await tx.select(QuoteLineItem, "t.quote_id = %(quote)s", quote=id)
    await embed(tx, items)
    return quote, [item for item in items if not item.upfront], [item for item in items if item.upfront]


async def _clock(tx: Transaction, given: str | None, customer: Customer | None) -> str | None:
    clock = customer.test_clock if customer else given
    if given is not None and given != clock:
        raise refused(OTHER_CLOCK, "test_clock")
    if given is not None and customer is None:
        await customers.enter_clock(tx, given)
    await clocks.now_for(tx, clock)
    return clock


def _offer(
    tx: Transaction, facts: BillingFacts, quote: Quote, items: Sequence[QuoteLineItem], customer: Customer | None
) -> Offer:
    """The quote with these lines, as it is now; for somebody, where nobody is named yet."""
    who = customer or Customer(id="cus_nobody", created=tx.now, invoice_prefix="QUOTE", livemode=quote.livemode)
    facts.parties.customers.setdefault(who.id, who)
    return Offer(facts, quote, items, who, tx.now, new_id)


def _priced(
    tx: Transaction, facts: BillingFacts, quote: Quote, items: list[QuoteLineItem], customer: Customer | None
) -> tuple[Quote, list[QuoteLineItem], list[QuoteLineItem]]:
    """What it all comes to. Refuses lines that do not go together."""
    offer = _offer(tx, facts, replace(quote, currency=items[0].currency if items else None), items, customer)
    currency = offer.quote.currency or ""
    named = [(price_id(item), f"line_items[{number}]") for number, item in enumerate(items)]
    for price, here in named:
        check_currency(facts.catalogue.prices[price], currency, f"{here}[price]")
    recurring = [(price, f"{here}[price]") for price, here in named if facts.catalogue.prices[price].recurring is not None]
    if recurring:
        check_items(facts.catalogue, recurring, currency, "classic", fixed={price for price, _ in recurring})
    wanted = [NewItem("", price_id(item), UNSET if item.quantity is None else item.quantity) for item in items]
    check_amounts(facts.catalogue, wanted, currency, [f"{here}[quantity]" for _, here in named])
    return computed(offer)


async def _know(tx: Transaction, facts: BillingFacts, quote: Quote, items: Sequence[QuoteLineItem]) -> None:
    """All that the quote and its lines name."""
    await billing.know(
        tx,
        facts,
        prices=[price_id(item) for item in items],
        tax_rates=[*quote.default_tax_rates, *(id for item in items for id in item.tax_rates)],
        discounts=[*quote.discounts, *(id for item in items for id in item.discounts)],
    )
    if quote.automatic_tax.enabled:
        await automatic_tax.know(tx, facts)


async def _number(tx: Transaction, quote: Quote, decision: Decision, now: int) -> tuple[int, int]:
    """The customer's next number; a revision has that of the quote that it revises, which is canceled if it is open."""
    if quote.from_quote is not None and quote.from_quote.is_revision:
        first = await tx.need(Quote, quote.from_quote.quote, lock=True)
        if first.status == "open":
            decision.add(rules.moved(first, "cancel", canceled_at=now)[1])
        if first.sequence is not None and first.customer == quote.customer:
            last = await tx.one(query("quotes", "last_revision"), customer=quote.customer, sequence=first.sequence)
            return first.sequence, last[0] + 1
    last = await tx.one(query("quotes", "last_sequence"), customer=quote.customer)
    return last[0] + 1, 1


async def _schedule(tx: Transaction, offer: Offer) -> tuple[str, Decision]:
    """A schedule that begins at the quote's effective date."""
    made = rules.schedule_of(offer)
    schedule = schedules.with_phases(made, made.agreed)
    await embed(tx, [schedule])
    offer.facts.parties.schedules[schedule.id] = schedule
    return schedule.id, Decision(
        inserts=[schedule],
        events=[Event("subscription_schedule.created", schedule)],
        due=[*schedules.coming(schedule), *schedules.warning(schedule, offer.now)],
    )


async def _copy(tx: Transaction, params: QuoteCreate) -> Quote:
    """A draft like another quote. Of the request nothing but when it expires may be said besides."""
    assert params.from_quote is not None
    if other := sorted(params.model_fields_set - {"from_quote", "expires_at", "expand"}):
        raise refused(f"You cannot set `{other[0]}` if `from_quote` is set.", other[0])
    source = await tx.need(Quote, params.from_quote.quote, param="from_quote[quote]")
    if params.from_quote.is_revision and source.status != "open":
        raise refused("Only a quote that is open can be revised.", "from_quote[quote]")
    _, own, _ = await _quote(tx, source.id)
    facts, customer = await _load(tx, source.customer)
    now = await clocks.now_for(tx, source.test_clock)
    quote = replace(
        source,
        id=new_id("qt"),
        status="draft",
        created=now,
        expires_at=quote_fields.future(params.expires_at, now) if params.expires_at is not None else now + rules.KEPT,
        from_quote=FromQuote(is_revision=params.from_quote.is_revision, quote=source.id),
        number=None, sequence=None, revision=None, finalized_at=None, accepted_at=None, canceled_at=None,
        invoice=None, subscription=None, subscription_schedule=None,
    )  # fmt: skip
    items = [replace(item, id=new_id("li"), quote=quote.id) for item in own]
    await _know(tx, facts, quote, items)
    quote, drawn, upfront = _priced(tx, facts, quote, items, customer)
    made = Decision(inserts=[quote, *drawn, *upfront], events=[Event("quote.created", quote)], due=[_expiry(quote)])
    await write(tx, [made])
    return quote


def _expiry(quote: Quote) -> Due:
    return Due("quote.expire", quote.id, quote.expires_at, quote.test_clock)


def _put_off(quote: Quote, was: Quote) -> Decision:
    """What falls due otherwise because the offer holds longer, or not so long."""
    if quote.expires_at == was.expires_at:
        return Decision()
    return Decision(due=[_expiry(quote)], due_cancelled=[("quote.expire", quote.id)])
