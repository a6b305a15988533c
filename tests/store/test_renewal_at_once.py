"""A book that gives drafts no time: renewed, finalized and asked to be paid in one transaction, with the same story told."""

from __future__ import annotations

import pytest

from voldaan.bench import mix, seed
from voldaan.events.reading import read_events
from voldaan.reports.verify import verify
from voldaan.resources.invoices import Invoice
from voldaan.runtime import running
from voldaan.settings import Settings
from voldaan.store.children import attach
from voldaan.store.transaction import transaction
from voldaan.work import clock
from voldaan.work.handlers import BY_KIND
from voldaan.work.worker import Worker

pytestmark = pytest.mark.anyio


async def renewed(
    dsn: str, count: int, *, draft_seconds: int, mixed: bool = False, **settings: str
) -> tuple[list[Invoice], list[str]]:
    """What a worker made of a book's renewals: its invoices, and the events of one of them, in order."""
    wall = clock.wall()
    async with running(dsn, Settings()) as engine:
        book, price = await seed.account(engine.pool, wall, "At once", draft_seconds=draft_seconds, **settings)
        await seed.subscribers(engine.pool, book, price, count, wall, mixed=mixed)
        working = Worker(engine, [BY_KIND["subscription.renew"]])
        assert await working.inside(working.handlers[0], book) == count
        async with transaction(engine.pool, book, wall, wall) as tx:
            found = await tx.select(Invoice, "true")
            await attach(tx, found)
            assert await tx.all("select 1 from due where account_id = %(account)s and kind = 'attempt.resolve'") == []
            waiting = await tx.all("select subject from due where account_id = %(account)s and kind = 'invoice.finalize'")
            assert len(waiting) == (count if draft_seconds else 0)
            ids = await tx.all("select id from each_event where account_id = %(account)s order by id")
            events = await read_events(tx, [row[0] for row in ids])
        told = [
            f"{e.type} {e.data.object['status']}" for e in events.values()
            if e.data.object["object"] == "invoice" and e.data.object["id"] == found[0].id
        ]  # fmt: skip
        verdict = await verify(engine.pool, wall, account=book.id, processors=engine.processors)
        assert verdict.clean, verdict.findings
        return found, told


@pytest.mark.parametrize("count", [3, 150])
async def test_it_is_paid_and_its_events_say_that_there_was_a_draft(dsn: str, count: int) -> None:
    """By JSON array and by COPY alike."""
    invoices, told = await renewed(dsn, count, draft_seconds=0)
    assert [i.status for i in invoices] == ["paid"] * count
    assert {i.amount_paid for i in invoices} == {seed.AMOUNT}
    assert len({i.number for i in invoices}) == count
    assert told == ["invoice.created draft", "invoice.finalized open", "invoice.paid paid", "invoice.payment_succeeded paid"]


async def test_a_mixed_book_is_billed_as_agreed(dsn: str) -> None:
    """What the benchmark bills: shares of the mix as it says, each invoice by its own terms, and books in order."""
    invoices, _ = await renewed(dsn, 150, draft_seconds=0, mixed=True)
    assert {i.status for i in invoices} == {"paid"}
    lines = [line for i in invoices for line in i.lines.data]
    metered = [line for line in lines if line.usage is not None]
    tiered = [line for line in lines if line.quantity_decimal == mix.SEATS and line.usage is None]
    discounted = [i for i in invoices if i.total_discount_amounts]
    taxed = [i for i in invoices if i.tax]
    shares = [(metered, mix.METERED), (tiered, mix.TIERED), (discounted, mix.DISCOUNTED), (taxed, mix.TAXED)]
    for found, share in shares:
        assert share * 0.6 < len(found) / len(invoices) < share * 1.4
    assert {line.amount for line in tiered} == {10 * 300 + 2 * 200}
    assert all(line.amount > 0 for line in metered)


async def test_with_time_to_edit_it_stays_a_draft(dsn: str) -> None:
    invoices, told = await renewed(dsn, 3, draft_seconds=3600)
    assert [(i.status, i.number) for i in invoices] == [("draft", None)] * 3
    assert told == ["invoice.created draft"]


async def test_the_books_own_series_of_numbers_has_no_gap(dsn: str) -> None:
    invoices, _ = await renewed(dsn, 3, draft_seconds=0, numbering="account")
    assert sorted(i.number or "" for i in invoices) == ["INV-0001", "INV-0002", "INV-0003"]
