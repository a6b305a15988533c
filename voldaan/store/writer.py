"""The only place that writes rows. One statement per table and kind of change, whatever the size of the batch.

Small batches travel as one JSON array (one prepared statement for every size), large ones as binary COPY.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import repeat
from typing import Any

import msgspec
from msgspec.structs import replace

from voldaan.events import snapshots
from voldaan.resources.base import Resource, spec
from voldaan.resources.registry import INSERT_ORDER
from voldaan.rules import entitlements
from voldaan.rules.decision import Cut, Decision, Due, Event, Posting, Refusal, Update, together
from voldaan.store import access, rows
from voldaan.store.adapt import Json, binary_columns
from voldaan.store.ids import new_id
from voldaan.store.queries import query
from voldaan.store.transaction import Transaction

# Work of the whole book, which many objects ask for: it may be there already, and COPY does not take that.
SHARED_DUE = frozenset({"revenue.recognise", "balance.available", "payout.create", "ledger.roll_up", "schedule.phase",
                        "schedule.pause"})
JOINED_DUE = frozenset({"attempt.look_after"})  # one row for all that are due at the same instant; always in real time
COPY_FROM = 100  # rows from which COPY is faster than a JSON array (docs/design.md, "Writing rows")


class Conflict(Exception):
    """A row was not in the state that the decision started from: somebody else changed it first."""


async def write(tx: Transaction, decisions: Iterable[Decision | Refusal]) -> Decision:
    """Writes all decisions of a batch and returns them as one. Refusals write nothing.

    Raises Conflict if a row had left the state that a decision started from.
    """
    whole = together(d for d in decisions if isinstance(d, Decision))
    if tx.deferred is not None:
        tx.deferred.append(whole)
        return whole
    inserts, updates = _as_they_end(whole)
    async with _sending(tx, whole):
        await _insert(tx, inserts)
        checks = await _update(tx, updates)
        await _cut(tx, whole.cuts)
        await _postings(tx, whole.postings)
        await _events(tx, whole.events)
        await _due(tx, whole.due, whole.due_cancelled)
        await _delete(tx, whole.deletes)
    for cursor, expected, name in checks:
        if cursor.rowcount != expected:
            raise Conflict(f"{expected - cursor.rowcount} of {expected} {name} had changed meanwhile")
    tx.attempts += whole.attempts
    if customers := entitlements.affected(whole):
        await write(tx, [await access.following(tx, customers)])
    return whole


@asynccontextmanager
async def _sending(tx: Transaction, whole: Decision) -> AsyncIterator[None]:
    """Small batches go in one round trip.

    COPY can be neither pipelined nor, says PostgreSQL, used under row-level security. A large batch therefore runs as the
    owner; each of its rows carries the transaction's own account, and its updates name it.
    """
    if max(len(whole.inserts), len(whole.postings), len(whole.events), len(whole.due)) < COPY_FROM:
        async with tx.connection.pipeline():
            yield
        return
    await tx.run("select set_config('role', 'none', true)")
    yield
    await tx.run("select set_config('role', 'voldaan_app', true)")


def _as_they_end(whole: Decision) -> tuple[list[Resource], list[Update]]:
    """What is made and then changed in the same decision is inserted as it ends."""
    made = {resource.id: at for at, resource in enumerate(whole.inserts)}
    if not any(update.new.id in made for update in whole.updates):
        return whole.inserts, whole.updates
    inserts, updates = list(whole.inserts), []
    for update in whole.updates:
        at = made.get(update.new.id)
        if at is not None and type(inserts[at]) is type(update.new):
            inserts[at] = update.new
        else:
            updates.append(update)
    return inserts, updates


async def _insert(tx: Transaction, inserts: Sequence[Resource]) -> None:
    by_class: dict[type[Resource], list[Resource]] = {}
    for resource in inserts:
        by_class.setdefault(type(resource), []).append(resource)
    for cls in sorted(by_class, key=INSERT_ORDER.__getitem__):
        batch = by_class[cls]
        if len(batch) < COPY_FROM:
            await tx.run(rows.insert_statement(cls), rows=rows.insert_rows(batch))
        else:
            statement, types = rows.copy_statement(cls)
            await copy(tx, statement, types, rows.copy_columns(tx.account.id, batch))


async def copy(tx: Transaction, statement: str, types: list[str], columns: Sequence[Iterable[Any]]) -> None:
    """Binary COPY of many rows, given column by column, sent in pieces of some kilobytes."""
    sent, made = binary_columns(types, columns)
    async with tx.connection.cursor() as cursor, cursor.copy(statement) as stream:
        stream.set_types(sent)
        for line in zip(*made, strict=False):  # what is the same in all rows is repeated without an end
            if piece := stream.formatter.write_row(line):
                await stream.writer.write(piece)


async def _update(tx: Transaction, updates: Sequence[Update]) -> list[tuple[Any, int, str]]:
    first: dict[tuple[type[Resource], str], Resource] = {}
    last: dict[tuple[type[Resource], str], Resource] = {}
    for update in updates:
        key = (type(update.new), update.new.id)
        first.setdefault(key, update.was)
        last[key] = update.new
    groups: dict[tuple[type[Resource], tuple[str, ...]], list[tuple[Resource, Resource]]] = {}
    for key, new in last.items():
        changed = rows.changed_columns(new, first[key])
        if changed:
            groups.setdefault((key[0], changed), []).append((new, first[key]))
    checks = []
    for (cls, changed), pairs in groups.items():
        cursor = await tx.connection.execute(
            rows.update_statement(cls, changed),
            {"account": tx.account.id, **rows.update_arrays(changed, pairs)},
        )
        checks.append((cursor, len(pairs), spec(cls).table.name))
    return checks


async def _cut(tx: Transaction, cuts: Sequence[Cut]) -> None:
    if cuts:
        ends = {cut.period: cut.until for cut in cuts}  # the last one counts
        await tx.run(query("subscriptions", "cut_periods"), ids=list(ends), untils=list(ends.values()))


async def write_group(tx: Transaction, parts: Iterable[Transaction]) -> None:
    """Writes what the requests of a shared transaction have deferred, each event with the request that caused it."""
    decisions = []
    for part in parts:
        cause = (part.request_id, part.idempotency_key)
        for decision in part.deferred or []:
            decision.events = [replace(event, cause=cause) for event in decision.events]
            decisions.append(decision)
    await write(tx, decisions)


async def _postings(tx: Transaction, postings: Sequence[Posting]) -> None:
    if not postings:
        return
    lines = [
        (
            tx.account.id, p.source, p.fact, p.leg, p.debit, p.credit, p.amount, p.currency, p.effective_at, tx.wall,
            p.customer, p.invoice,
        )
        for p in postings
    ]  # fmt: skip
    if len(lines) < COPY_FROM:
        await tx.run(query("ledger", "insert_postings"), rows=Json(msgspec.json.encode(lines)))
    else:
        await copy(
            tx,
            "copy postings (account_id, source, fact, leg, debit, credit, amount, currency, effective_at, recorded_at, "
            "customer_id, invoice_id) from stdin (format binary)",
            ["text", "text", "text", "int2", "text", "text", "int8", "text", "timestamptz", "timestamptz", "text", "text"],
            list(zip(*lines, strict=True)),
        )


async def _events(tx: Transaction, events: Sequence[Event]) -> None:
    if not events:
        return
    rows = snapshots.pack(events, new_id)
    lines = [_event_row(tx, row) for row in rows]
    if len(events) < COPY_FROM:
        await tx.run(query("events", "insert_events"), rows=Json(msgspec.json.encode(lines)), now=tx.now, wall=tx.wall)
    else:
        await copy(
            tx,
            "copy events (account_id, created_at, recorded_at, id, type, object_id, request_id, idempotency_key, data, "
            "held_by, place, more_types, more_objects) from stdin (format binary)",
            ["text", "timestamptz", "timestamptz", *["text"] * 5, "bytea", "text", "int2", "text[]", "text[]"],
            [repeat(tx.account.id), [tx.now] * len(lines), [tx.wall] * len(lines), *zip(*lines, strict=True)],
        )  # fmt: skip
        if not await tx.one(query("events", "has_endpoints")):
            return
    ids, types = [id for row in rows for id in row.ids()], [event.type for event in events]
    await tx.run(query("events", "insert_deliveries"), ids=ids, types=types, wall=tx.wall)


def _event_row(tx: Transaction, row: snapshots.Row) -> tuple[Any, ...]:
    first, *others = row.events
    request, key = first.cause or (tx.request_id, tx.idempotency_key)
    types = [event.type for event in others] or None
    objects = [event.object.id for event in others] or None
    return row.id, first.type, first.object.id, request, key, row.frame, row.holder, row.place, types, objects


async def _due(tx: Transaction, due: Sequence[Due], cancelled: Sequence[tuple[str, str]]) -> None:
    if cancelled:
        await tx.run(
            query("due", "cancel"), kinds=[kind for kind, _ in cancelled], subjects=[subject for _, subject in cancelled]
        )
    if not due:
        return
    due = list(dict.fromkeys(due))
    if joined := _joined(due):
        await tx.run(query("due", "insert_joined"), rows=Json(msgspec.json.encode(joined)))
        due = [d for d in due if d.kind not in JOINED_DUE]
    tx.wakes = tx.wakes or any(d.clock is None and d.at <= tx.wall for d in due)
    own = [d for d in due if d.kind not in SHARED_DUE]
    few = due if len(own) < COPY_FROM else [d for d in due if d.kind in SHARED_DUE]
    if few:
        await tx.run(
            query("due", "insert"), rows=Json(msgspec.json.encode([(d.kind, d.subject, d.at, d.clock) for d in few]))
        )
    if len(own) >= COPY_FROM:
        await copy(
            tx,
            "copy due (account_id, kind, subject, due_at, clock_id) from stdin (format binary)",
            ["text", "text", "text", "timestamptz", "text"],
            list(zip(*((tx.account.id, d.kind, d.subject, d.at, d.clock) for d in own), strict=True)),
        )


def _joined(due: Sequence[Due]) -> list[tuple[str, int, list[str]]]:
    """Kind, instant and subjects of what is one row for many."""
    together: dict[tuple[str, int], list[str]] = {}
    for each in due:
        if each.kind in JOINED_DUE:
            together.setdefault((each.kind, each.at), []).append(each.subject)
    return [(kind, at, subjects) for (kind, at), subjects in together.items()]


async def _delete(tx: Transaction, deletes: Sequence[Resource]) -> None:
    by_class: dict[type[Resource], list[str]] = {}
    for resource in deletes:
        by_class.setdefault(type(resource), []).append(resource.id)
    for cls in sorted(by_class, key=INSERT_ORDER.__getitem__, reverse=True):
        await tx.run(
            f"delete from {spec(cls).table.name} where account_id = %(account)s and id = any(%(ids)s)", ids=by_class[cls]
        )
