"""Replays: the finalized invoices of a period, computed again page by page. Reads only, and locks nothing."""

from __future__ import annotations

from voldaan.commands import explanations
from voldaan.resources.invoices import Invoice
from voldaan.resources.prices import Price
from voldaan.resources.replays import Replay, ReplayCreate
from voldaan.rules import replaying as rules
from voldaan.rules.invoice_items import check_currency
from voldaan.rules.refusals import refused
from voldaan.store.queries import query
from voldaan.store.transaction import Missing, Transaction


async def create(tx: Transaction, params: ReplayCreate) -> Replay:
    """POST /voldaan/replays"""
    if params.end <= params.start:
        raise refused("`end` must be after `start`.", "end")
    prices = await _replacements(tx, params)
    rows = await tx.all(
        query("invoices", "customers_of_period"), start=params.start, end=params.end, customer=params.customer,
        after=params.starting_after or "", limit=params.limit + 1,
    )  # fmt: skip
    customers = [row[0] for row in rows][: params.limit]
    where = "t.customer_id = any(%(ids)s) and t.status in ('open', 'paid', 'uncollectible')"
    where += " and t.created_at >= to_timestamp(%(start)s) and t.created_at < to_timestamp(%(end)s)"
    invoices = await tx.select(Invoice, where, ids=customers, start=params.start, end=params.end)
    facts = await explanations.load(tx, invoices, prices.values())
    _check_currencies(params, facts.catalogue.prices, invoices)
    own = [line for invoice in invoices for line in invoice.lines.data]
    debited = await explanations.debited(tx, own)
    terms = rules.Terms(facts.catalogue, prices, tx.account.settings_billing.tax_rounding)
    found = rules.replay(invoices, terms, debited)
    more = len(rows) > params.limit
    return Replay(
        id="",
        start=params.start,
        end=params.end,
        invoices=found.invoices,
        lines=found.lines,
        same_lines=found.same_lines,
        sums=rules.shown(found.sums),
        customers=found.customers,
        differences=found.differences,
        has_more=more,
        next_customer=customers[-1] if more else None,
    )


async def _replacements(tx: Transaction, params: ReplayCreate) -> dict[str, str]:
    """The prices to compute with. Each must be of the kind of the one that it stands in for."""
    named = {each.price for each in params.prices} | {each.replace_with for each in params.prices}
    found = await tx.get(Price, named)
    for number, each in enumerate(params.prices):
        for name, id in (("price", each.price), ("replace_with", each.replace_with)):
            if id not in found or found[id].deleted_at is not None:
                raise Missing("price", id, f"prices[{number}][{name}]")
        if found[each.price].type != found[each.replace_with].type:
            raise refused("A price can only be replaced by one of the same type.", f"prices[{number}][replace_with]")
    return {each.price: each.replace_with for each in params.prices}


def _check_currencies(params: ReplayCreate, prices: dict[str, Price], invoices: list[Invoice]) -> None:
    used = {(line.price, line.currency) for invoice in invoices for line in invoice.lines.data}
    for number, each in enumerate(params.prices):
        for price, currency in used:
            if price == each.price:
                check_currency(prices[each.replace_with], currency, f"prices[{number}][replace_with]")
